"""Reading of files spread over the processes that offer to work on this home, on one machine or ten.

Belongs here: cutting what is to be read into chunks, reading one, and taking the results into the cache. Not here: leases
(pipelines/core/chunks.py), or reading a file (pipelines/intake).

The run plans the chunks, works on them as the others do, and alone writes the cache. Whatever comes back unread it reads itself: a file
that a worker could not open, or that took too much of its memory or time, is judged where it would be judged without workers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from expectations.contract import Contracts
from pipelines.core import chunks
from pipelines.core.chunks import Chunk, ChunkPlan, Job, Offers, Taker
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.key import key
from pipelines.intake.pool import FileJob, ReadingPool
from pipelines.sources.archive import where

FEWEST = 16  # files of a chunk, but for the last: fewer are read by the run alone
MOST = 400  # files of a chunk, and
BYTES = 20_000_000  # bytes, but for one file
ROUNDS = 8  # chunks for each process, so that the quick ones do more
PAUSE = 0.2  # seconds between two looks for a result
KEEP_EVERY = 2000  # files taken into the cache at once
OF_THE_READER = "unreadable"  # the reason that may lie with the process that reads

Progress = Callable[[int, int], None]


def read_spread(
    home: Home, contracts: Contracts, jobs: Sequence[FileJob], processes: int | None, progress: Progress
) -> dict[str, int]:
    """Read files together with the processes that offer to; returns how many each read. Without an offer, or for a few files, nothing
    is read. What is not in the cache afterwards is left to the caller."""
    offers = Offers(home)
    if not offers or len(jobs) <= FEWEST:
        return {}
    plan = chunks.publish(home, key(contracts), list(cut(jobs, len(offers) + 1)))
    read_by: Counter[str] = Counter()
    kept: set[int] = set()
    with ReadingPool(contracts, processes) as pool, Taker(plan, chunks.name_of_process(), planner=True) as taker:
        while len(kept) < plan.chunks:
            chunk = taker.take()
            if chunk is not None:
                read_chunk(home, contracts, taker, chunk, pool)
            new = taker.finished() - kept
            said = {n: taker.said(n) for n in new}
            files = sum(s["files"] for s in said.values())
            progress(min(sum(read_by.values()) + files, len(jobs)), len(jobs))
            if files >= KEEP_EVERY or (new and len(kept) + len(new) == plan.chunks):
                cache.adopt(home, contracts, (Home(plan.result(n)) for n in sorted(new)))
                kept |= new
                for s in said.values():
                    read_by[s["who"]] += s["files"]
            elif chunk is None:
                time.sleep(PAUSE)
    chunks.remove(home)
    offers.drop_dead()
    return dict(read_by)


def take_left(home: Home, contracts: Contracts) -> None:
    """Take the results into the cache that a run left which died, and remove its plan."""
    for plan in chunks.plans(home):
        if plan.key == key(contracts):
            done = [Home(plan.result(n)) for n in range(1, plan.chunks + 1) if plan.result(n).is_dir()]
            cache.adopt(home, contracts, done)
    chunks.remove(home)


def read_chunk(home: Home, contracts: Contracts, taker: Taker, chunk: Chunk, pool: ReadingPool) -> tuple[int, int]:
    """Read a chunk and hand its result in; returns how many files were read, and how many are left to the run."""
    jobs = [FileJob(file_id, where(home, file_id), name) for file_id, name in chunk.jobs]
    read = [r for r in pool.read(jobs) if r.reason != OF_THE_READER]
    taker.finish(
        chunk, lambda folder: cache.append(Home(folder), contracts, read), {"who": taker.who, "files": len(read)}
    )
    return len(read), len(jobs) - len(read)


def work_on(home: Home, contracts: Contracts, plan: ChunkPlan, who: str, processes: int | None, said: Progress) -> None:
    """Read chunks of a plan until there is none to take now; `said` is told of each, its files and those left to the run."""
    with Taker(plan, who) as taker:
        chunk = taker.take()
        if chunk is None:
            return
        with ReadingPool(contracts, processes) as pool:
            while chunk is not None:
                said(*read_chunk(home, contracts, taker, chunk, pool))
                chunk = taker.take()


def cut(jobs: Iterable[FileJob], processes: int) -> Iterator[list[Job]]:
    """Jobs in chunks, for so many processes. A path is not in them: the home may lie elsewhere on another machine."""
    jobs = list(jobs)
    most = max(FEWEST, min(MOST, len(jobs) // (processes * ROUNDS)))
    chunk: list[Job] = []
    size = 0
    for job in jobs:
        chunk.append((job.file_id, job.name))
        size += _size(job.path)
        if len(chunk) >= most or size >= BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say so
