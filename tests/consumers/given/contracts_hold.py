"""Lints every contract of a release, and tests those that have a server against the files, from the release's folder."""

import json
import logging
import os
import sys
from pathlib import Path

logging.disable(logging.CRITICAL)
from datacontract.data_contract import DataContract  # noqa: E402

os.chdir(sys.argv[1])
out = {}
for path in sorted(Path("contracts").glob("*.odcs.yaml")):
    lint = DataContract(data_contract_file=str(path)).lint()
    tested = "servers:" in path.read_text(encoding="utf-8")
    run = DataContract(data_contract_file=str(path), server="release").test() if tested else None
    failed = [
        f"{c.name}: {c.reason}"[:200] for r in (lint, run) if r for c in r.checks if c.result not in ("passed", "info")
    ]
    out[path.name] = {
        "lint": str(getattr(lint.result, "value", lint.result)),
        "test": str(getattr(run.result, "value", run.result)) if run else None,
        "checks": len(run.checks) if run else 0,
        "failed": failed,
    }
print(json.dumps(out))
