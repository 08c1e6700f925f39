"""schemathesis against a running server, from the server's own /openapi.json.

Belongs here: how it is called, for the test (a minute) and for the measurements (ten).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Every check that holds of a read-only site; the rest of its list is about logins, POST and DELETE.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)


def fuzz(
    base: str, seconds: int, folder: Path, seed: int | None = None, only: str = ""
) -> subprocess.CompletedProcess[str]:
    """Fuzzes for `seconds`, working in `folder`, all operations, or `only` that path and until the first fault; the exit status is 0 where nothing was found."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{base}/openapi.json", "--no-color"]
    command += ["--checks", ",".join(CHECKS), "--max-time", str(seconds), "--max-response-time", "5"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "100000"]
    command += ["--max-failures", "1", "--include-path", only] if only else ["--continue-on-failure"]
    command += ["--request-timeout", "20", "--generation-database", ":memory:", "--warnings", "off"]
    command += ["--seed", str(seed)] if seed is not None else []
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds * 3 + 120)
