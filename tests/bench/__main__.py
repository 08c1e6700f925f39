"""`python -m tests.bench [NAME ...]`: runs each bench_*.py of this folder (or those named) and shows all ratios in one table.

Belongs here: finding and running them. A bench has `main(arguments) -> list[Measured]`, which prints its own figures too.
Ratios hold from machine to machine; seconds do not, and nothing here fails a build.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tests.bench.figures import Measured, table


def main() -> None:
    """Runs the benches named on the command line, all of them without a name."""
    there = sorted(p.stem for p in Path(__file__).parent.glob("bench_*.py"))
    wanted = [n if n.startswith("bench_") else f"bench_{n}" for n in sys.argv[1:]] or there
    if unknown := [n for n in wanted if n not in there]:
        raise SystemExit(f"There is no bench {unknown[0]}; use one of {', '.join(there)}.")
    rows: list[Measured] = []
    for name in wanted:
        print(f"== {name.removeprefix('bench_')}", flush=True)
        rows += importlib.import_module(f"tests.bench.{name}").main([]) or []
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
