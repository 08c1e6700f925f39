"""A province's energy as ten CSV files, inbox to release, against one DuckDB script that computes the same main figures by hand.

`python -m tests.bench province [INSTITUTIONS]` (20,000, 1.2 million rows). The province and the script are those of ../shared/checks/province
(MINGZHANG_SHARED); without them nothing is measured, and that is said. The figures of the release must equal the script's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_many import ROOT, Watch, _run
from tests.bench.figures import Measured


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the seconds and gives the ratio and the memory."""
    count = int(arguments[0]) if arguments else 20_000
    checks = Path(os.environ.get("MINGZHANG_SHARED", ROOT.parent / "shared")) / "checks" / "province"
    if not checks.is_dir():
        print(f"  !! There is no {checks}: the province was NOT measured.")
        return []
    times, most = (15, 3000) if count >= 200_000 else (30, 1500)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        make = [sys.executable, str(checks / "make_province.py"), str(count), str(base)]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        hand = _script([sys.executable, str(checks / "by_hand.py"), str(base / "inbox"), "--json"])
        ours = _run(base, 2)
        report = json.loads((base / "home" / "work" / "stages" / "release.json").read_text(encoding="utf-8"))[
            "reported"
        ]
    print(
        f"  {count} institutions: {ours.cpu:.1f} s of the processor, {ours.seconds:.1f} s by the clock, {ours.most / 1e6:.0f} MB in all processes"
    )
    print(f"  by hand: {hand.cpu:.1f} s of the processor; stages by the clock: {report['seconds']}")
    ratio = ours.cpu / hand.cpu
    return [
        Measured(f"province of {count:,}, processor's time", f"{ratio:.0f} x by hand", str(times), ratio <= times),
        Measured(f"province of {count:,}, memory", f"{ours.most / 1e6:.0f} MB", f"{most} MB", ours.most <= most * 1e6),
    ]  # fmt: skip


def _script(command: list[str]) -> Watch:
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with Watch(started.pid) as watch:
        status = started.wait()
    if status:
        raise SystemExit(f"The script by hand ended with status {status}.")
    return watch


if __name__ == "__main__":
    main(sys.argv[1:])
