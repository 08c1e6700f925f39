"""Jobs that take too long, too much, or their process with them fail alone."""

from __future__ import annotations

import os
import time
from typing import Any

from pipelines.feedback.bounded import Failed, run_each


def job(what: str) -> Any:
    if what == "sleep":
        time.sleep(60)
    if what == "spin":
        while True:
            pass
    if what == "eat":
        return len(bytearray(600_000_000))
    if what == "die":
        os.abort()
    if what == "raise":
        raise ValueError("no")
    return what.upper()


def test_each_job_fails_alone() -> None:
    jobs = ["a", "sleep", "b", "eat", "c", "die", "d", "raise", "e", "spin", "f"]
    found = dict(run_each(job, jobs, processes=2, seconds=2, memory=200_000_000, patience=2))
    assert sorted(found) == list(range(len(jobs)))
    assert [found[i] for i in range(0, 11, 2)] == ["A", "B", "C", "D", "E", "F"]
    assert [found[i] for i in range(1, 11, 2)] == [
        Failed("time"), Failed("memory"), Failed("died"), Failed("ValueError: no"), Failed("time"),
    ]  # fmt: skip


def test_no_job_needs_no_process() -> None:
    assert list(run_each(job, [])) == []


def test_a_busy_machine_takes_no_job_s_time() -> None:
    """A large file was only listed, not marked, because others held the processors for 30 s."""
    assert dict(run_each(_waits, ["a"], seconds=0.5, patience=20)) == {0: "A"}


def _waits(what: str) -> str:
    time.sleep(1.5)  # as a process waits that gets no processor
    return what.upper()
