"""Reading in Spark's executors: the files of a run in chunks, each read and kept by whichever executor has it.

Belongs here: the chunks, and what an executor does with one. Not here: reading (pool.py), or how readings are kept (cache.py).

The driver lists the files. An executor takes the bytes of its chunk from the archive, reads them as one machine does, in a child with
limits, and keeps the readings in the home: nothing of a file passes through the driver. Both are on storage that every machine
reaches under the same path. A chunk that is read twice, because an executor was lost or was slow, leaves the same batch once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from expectations.contract import Contracts
from pipelines.core.home import Home
from pipelines.core.spark import require_spark
from pipelines.intake import cache
from pipelines.intake.pool import FileJob, ReadingPool

CHUNK = 250  # files: seconds of work, so that a lost executor costs no more
SETTINGS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "OFF"}

_pools: dict[str, ReadingPool] = {}  # of an executor's process, by the contracts: a child is started once


class NotRead(RuntimeError):
    """Spark could not read the files. The message says why; what was read is kept."""

    exit_status = 1


def read_in_executors(home: Home, contracts: Contracts, jobs: Sequence[FileJob], master: str) -> None:
    """Reads the files in Spark's executors and keeps their readings in the home's cache.

    Raises SparkMissing, and NotRead where an executor does not reach the home or no executor is left.
    """
    require_spark()
    from pyspark.sql import SparkSession

    first = cache.next_batch(home, contracts)
    cache.clear_beside(home)
    chunks = list(enumerate(_chunks(jobs), first))
    root = home.root.resolve()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("mingzhang reading")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = None
    try:
        session = builder.getOrCreate()
        context = session.sparkContext
        shared = context.broadcast(contracts)

        def read(chunk: tuple[int, list[FileJob]]) -> int:
            return read_chunk(root, shared.value, *chunk)

        read_files = sum(context.parallelize(chunks, len(chunks)).map(read).collect())
    except Exception as e:
        if type(e).__module__.split(".")[0] not in ("py4j", "pyspark"):
            raise
        raise NotRead(f"Spark at {master} could not read the files: {_reason(e)}") from e
    finally:
        if session is not None:
            session.stop()
        cache.clear_beside(home)
    if read_files != len(jobs):
        raise NotRead(f"Spark read {read_files} of {len(jobs)} files; run again.")
    cache.join_many(home, contracts)


def read_chunk(root: Path, contracts: Contracts, number: int, jobs: list[FileJob]) -> int:
    """Reads the files of one chunk in an executor, keeps them as batch `number`, and returns how many they are.

    Raises FileNotFoundError where the machine does not reach the home: a file that is not there would be refused as unreadable.
    """
    home = Home(root)
    if not home.readings.is_dir():
        raise FileNotFoundError(
            f"{home.readings} is not there on {os.uname().nodename}; share the home with every executor."
        )
    pool = _pools.get(contracts.digest)
    if pool is None:
        pool = _pools[contracts.digest] = ReadingPool(contracts, processes=1)
    cache.write_once(home, contracts, number, pool.read(jobs))
    return len(jobs)


def _chunks(jobs: Sequence[FileJob]) -> Iterator[list[FileJob]]:
    for at in range(0, len(jobs), CHUNK):
        yield list(jobs[at : at + CHUNK])


def _reason(error: Any) -> str:
    """The line of Spark's long message that says what went wrong: the last exception that Python raised in an executor, else the first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    raised = [line for line in lines if line.split(":")[0].endswith(("Error", "NotRead"))]
    return (raised or lines or [type(error).__name__])[-1 if raised else 0][:300]
