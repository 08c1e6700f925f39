"""Reads the files named on standard input in the executors of a master, as a driver of its own.

`python -m tests.spark.read HOME MASTER`; a line is a file's id, a tab, and its path.
"""

from __future__ import annotations

import sys
from pathlib import Path

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.intake.executors import read_in_executors
from pipelines.intake.pool import FileJob


def main() -> None:
    home, master = sys.argv[1:]
    jobs = []
    for line in sys.stdin.read().splitlines():
        file_id, path = line.split("\t")
        jobs.append(FileJob(file_id, Path(path), Path(path).name))
    read_in_executors(Home(Path(home)), load_contracts(), jobs, master)


if __name__ == "__main__":
    main()
