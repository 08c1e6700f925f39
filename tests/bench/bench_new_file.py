"""One new workbook among those of `make demo`, to public: processor's time against that of the first run.

`python -m tests.bench new_file`. The run with nothing new is shown beside. Aim: a fifth. Both runs are the command as a person types it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_many import ROOT, _run
from tests.bench.figures import Measured

LATER = "2024年会议.xlsx"  # the file that comes later: of one year of one small dataset


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the seconds and gives the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        command = [sys.executable, "-m", "pipelines.cli", "sample", "--out", str(base), "--seed", "1", "--orgs", "80"]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        files = [p for p in (base / "inbox").rglob("*") if p.is_file()]
        later = next(p for p in files if p.name == LATER)
        kept = later.rename(base / LATER)
        first, nothing = _run(base, 2), _run(base, 2)
        kept.rename(later)
        one = _run(base, 2)
    for name, run in (("first", first), ("with nothing new", nothing), ("with one file more", one)):
        print(f"  {len(files)} files, a run {name}: {run.cpu:.1f} s of the processor, {run.most / 1e6:.0f} MB")
    ratio = one.cpu / first.cpu
    what = f"one new workbook among the demo's {len(files)}, to public"
    return [
        Measured(what, f"{ratio:.2f} x the first run", "0.20", ratio <= 0.2),
        Measured("nothing new among them", f"{nothing.cpu / first.cpu:.3f} x the first run", "0.02", nothing.cpu < 0.02 * first.cpu),
    ]  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
