"""Children under limits: what they return, what their death costs, and that each limit is the kernel's."""

from __future__ import annotations

import io
import os
import resource
import signal
import time
from functools import partial
from typing import Any

import pytest

from pipelines.core.processes import frames, supervisor
from pipelines.core.processes.limits import Limits, address_space
from pipelines.core.processes.supervisor import Supervisor
from pipelines.core.processes.work import Answer, Meter, Setup

MEGABYTE = 1 << 20


def doubled(batch: list[Any], meter: Meter) -> list[Any]:
    out = []
    for n, job in enumerate(batch):
        meter.begin(n)
        if job == "abort":
            os.abort()
        if job == "wait":
            time.sleep(60)
        out.append(job * 2)
    return out


def prepare(argument: Any) -> Answer:
    if argument == "never":
        time.sleep(600)
    return doubled


def limits_in_force(batch: list[Any], meter: Meter) -> list[Any]:
    names = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE")
    found = {name: resource.getrlimit(getattr(resource, name))[0] for name in names}
    return [found | {"nice": os.nice(0), "mapped": address_space()[0]} for _ in batch]


def prepare_limits(_: Any) -> Answer:
    return limits_in_force


def setup(argument: Any = None, **limits: Any) -> Setup:
    return Setup(prepare, argument, Limits(**limits), 5, 1.5)


def lost(job: Any, status: int) -> tuple[Any, int]:
    return job, status


@pytest.mark.parametrize("ahead", [1, 2])
def test_each_job_has_one_result_whatever_ends_a_child(ahead: int) -> None:
    batches = [["a", "b", "abort", "c"], ["d"], ["wait", "e"], [], ["f"]]
    with Supervisor(setup(), 2, ahead, quiet=True) as children:
        found = list(children.run((b for b in batches if b), lost))
    ends = dict(f for f in found if isinstance(f, tuple))
    assert sorted(f for f in found if isinstance(f, str)) == ["aa", "bb", "cc", "dd", "ee", "ff"]
    assert ends == {"abort": -signal.SIGABRT, "wait": -signal.SIGALRM}


def test_a_child_that_does_not_start_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.2)
    with Supervisor(setup("never"), 1) as children, pytest.raises(RuntimeError, match=r"did not start within 0\.2 s"):
        list(children.run(iter([["a"]]), lost))


def test_the_kernel_has_the_limits() -> None:
    limits = Limits(growth=900 * MEGABYTE, file_bytes=0, open_files=64, nice=3)
    with Supervisor(Setup(prepare_limits, None, limits, 5, 60), 1) as children:
        (found,) = children.run(iter([["x"]]), lost)
    assert (found["RLIMIT_CORE"], found["RLIMIT_FSIZE"], found["RLIMIT_NOFILE"]) == (0, 0, 64)
    assert found["nice"] == min(os.nice(0) + 3, 19)
    assert 0 <= found["mapped"] - (found["RLIMIT_AS"] - 900 * MEGABYTE) < 100 * MEGABYTE


def test_a_message_survives_reads_of_any_size() -> None:
    sent = frames.pack({"a": "明账"}, b"x" * 70) + frames.pack({})
    read = partial(lambda f, n: f.read(min(n, 3)), io.BytesIO(sent))
    assert frames.unpack_from(read) == ({"a": "明账"}, b"x" * 70)
    assert frames.unpack_from(read) == ({}, b"")
    with pytest.raises(EOFError):
        frames.unpack_from(read)


def test_half_a_message_is_the_end() -> None:
    whole = io.BytesIO()
    frames.send(whole, ["x"])
    assert frames.receive(io.BytesIO(whole.getvalue())) == ["x"]
    assert frames.receive(io.BytesIO(whole.getvalue()[:-1])) is None
    assert frames.receive(io.BytesIO(b"")) is None
