"""The logs of runs from the command line: HOME/work/logs/<time in UTC>-<process>.log, one file a run, the newest KEPT of them.

Belongs here: opening a run's log, what its first and last line say, and deleting old ones. Not here: the words in between, which are
dbt's and the stages'. A run that finds nothing to do has no log; one that Dagster's daemon started has its log in Dagster's record.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from pipelines.core.fingerprint import code_version
from pipelines.core.home import Home

KEPT = 60  # two months of nights


def folder(home: Home) -> Path:
    """Where the logs of a home lie; the folder need not be there yet."""
    return home.work / "logs"


def kept(home: Home) -> list[Path]:
    """The logs, the oldest first."""
    return sorted(folder(home).glob("*.log"))


@contextmanager
def opened(home: Home) -> Iterator[TextIO]:
    """Yield the log of a run that begins, for its owner alone, and written line by line, so that it can be read while the run works.

    Its last line says how the block ended, with the traceback of an error.
    """
    folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder(home) / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.log"
    path.touch(mode=0o600, exist_ok=False)
    with path.open("w", encoding="utf-8", buffering=1) as log:
        print(f"{_now()} begins, mingzhang {code_version()}, process {os.getpid()}", file=log)
        for old in kept(home)[:-KEPT]:
            if old != path:  # whose name is older where the clock was put back
                old.unlink(missing_ok=True)
        try:
            yield log
        except BaseException as e:
            print("".join(traceback.format_exception(e)), end="", file=log)
            print(f"{_now()} ended by {type(e).__name__}", file=log)
            raise
        print(f"{_now()} ended", file=log)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
