"""What is paid before any work: importing the definitions, and the command's help. `python -m tests.bench start`."""

from __future__ import annotations

import resource
import subprocess
import sys

from tests.bench.bench_many import ROOT
from tests.bench.figures import Measured

TIMES = 3


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the smallest of three and gives it with its aim, in seconds of the processor."""
    out = []
    for what, aim, command in (
        ("import of the definitions", 1.5, ["-c", "import pipelines.definitions"]),
        ("mingzhang --help", 0.3, ["-m", "pipelines.cli", "--help"]),
    ):
        took = min(_seconds([sys.executable, *command]) for _ in range(TIMES))
        out.append(Measured(what, f"{took:.2f} s", f"{aim} s", took <= aim))
        print(f"  {what}: {took:.2f} s")
    return out


def _seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
