"""The processes that run public SQL: what is late is killed, what died is replaced, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from publish.site import pool as pool_module
from publish.site.pool import Busy, Pool, QueryStopped
from publish.site.queues import SlowClients, WorkerQueue
from tests.site.serving import ROOT

# Half a minute of work, of which it gets a fifth of a second: on a machine that stands still for a while, a shorter query would be
# done before anybody looked at the clock. `patient` has the clock of SQLite let it go on, as it would what it is not asked about,
# and the worker is killed well before Datasette's own half second.
LONG = "with recursive t(i) as (select 1 union all select i + 1 from t limit 200000000) select count(*) as n from t"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow lane leaves a query all the time there is, and is killed after a fifth of a second."""
    monkeypatch.setattr(pool_module, "SLOW", pool_module.Lane("slow", 60.0, 0.2, 15))


def request(home: Path, sql: str, kind: str = ".json") -> dict[str, Any]:
    folder = str((home / "current").resolve())
    query = urllib.parse.urlencode({"_shape": "array", "sql": sql})
    return {
        "folder": folder,
        "base_url": "/",
        "scheme": "http",
        "host": "t",
        "path": f"/mingzhang{kind}",
        "route": f"/mingzhang{kind}",
        "query": query,
    }


def with_pool(home: Path, what: Callable[[Pool], Awaitable[None]], workers: int = 1) -> None:
    async def run() -> None:
        pool = Pool(workers)
        try:
            await pool.start(request(home, "select 1"))
            await what(pool)
        finally:
            await pool.close()

    asyncio.run(run())


async def is_gone(worker: Any) -> None:
    """Waits until the server has seen that the worker ended."""
    async with asyncio.timeout(20):
        while not worker.reader.at_eof():
            await asyncio.sleep(0.01)


async def again(pool: Pool, home: Path) -> None:
    """An honest query, when the worker is back."""
    for _ in range(100):
        try:
            header, body = await pool.ask(request(home, "select 42 as x"))
        except Busy:
            continue
        assert (header["status"], body) == (200, b'[{"x": 42}]')
        return
    raise AssertionError("no worker came back")


def test_what_is_not_interrupted_is_killed_and_replaced(patient: None, home: Path) -> None:
    async def look(pool: Pool) -> None:
        with pytest.raises(QueryStopped) as e:
            await pool.ask(request(home, LONG))
        assert e.value.why == "too_slow" and pool.killed == 1
        await again(pool, home)

    with_pool(home, look)


def test_a_full_house_says_so(patient: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_SECONDS", 0.05)

    async def look(pool: Pool) -> None:
        slow = asyncio.create_task(pool.ask(request(home, LONG)))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await pool.ask(request(home, "select 1"))
        with pytest.raises(QueryStopped):
            pytest.fail(f"It was answered: {await slow}")

    with_pool(home, look)


def test_a_worker_that_dies_is_replaced(home: Path) -> None:
    async def look(pool: Pool) -> None:
        (worker,) = pool._all
        os.kill(worker.pid, signal.SIGKILL)
        await is_gone(worker)
        await again(pool, home)
        assert {w.pid for w in pool._all} != {worker.pid}

    with_pool(home, look)


def test_a_nursery_that_dies_is_replaced(home: Path) -> None:
    async def look(pool: Pool) -> None:
        assert pool._nursery is not None
        (worker,) = pool._all
        os.kill(pool._nursery.pid, signal.SIGKILL)
        os.kill(worker.pid, signal.SIGKILL)
        await is_gone(worker)
        await again(pool, home)

    with_pool(home, look)


def test_the_kernel_limits_a_worker(home: Path) -> None:
    async def look(pool: Pool) -> None:
        (worker,) = pool._all
        process = psutil.Process(worker.pid)
        soft, hard = process.rlimit(psutil.RLIMIT_AS)
        assert soft == hard and process.memory_info().vms < soft < 1 << 30
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert 0 < process.rlimit(psutil.RLIMIT_CPU)[0] < 60
        assert process.nice() >= 10

    with_pool(home, look)


def test_memory_beyond_the_kernels_limit_is_refused() -> None:
    code = """
from publish.site import worker
worker.ADDRESS_SPACE = 8 << 20
worker.limit_process(0)
bytearray(4 << 20)
try:
    bytearray(16 << 20)
except MemoryError:
    print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "refused\n"


def test_a_finished_answer_beyond_its_limit_is_refused(home: Path) -> None:
    """Three megabytes of JSON, where one is allowed and the rows may weigh what they like."""
    code = """
import asyncio, json, socket, sys
from publish.site import guard, worker
guard.ANSWER_BYTES, worker.ANSWER_BYTES = 10_000_000, 1_000_000
made = worker.Worker(socket.socket())
print(made.loop.run_until_complete(made.answer(json.loads(sys.argv[1]) | {"seconds": 30})))
"""
    three_mb = "with recursive t(i) as (select 1 union all select i + 1 from t where i < 500) select printf('%.*c', 6000, 'x') as x from t"
    asked = json.dumps(request(home, three_mb))
    done = subprocess.run(
        [sys.executable, "-c", code, asked], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "({'refused': 'too_large'}, b'')\n"


def test_an_answer_too_large_is_refused_and_the_worker_lives(home: Path) -> None:
    wide = "with recursive t(i) as (select 1 union all select i + 1 from t where i < 500) select i, printf('%.*c', 6000, 'x') as x from t"

    async def look(pool: Pool) -> None:
        header, body = await pool.ask(request(home, wide))
        assert header["status"] == 400 and b"too large" in body
        await again(pool, home)

    with_pool(home, look)


def test_a_csv_is_made_fit_for_excel_where_it_was_made(home: Path) -> None:
    """Of a large one that takes as long as the query, and the server's own process has pages to make."""

    async def look(pool: Pool) -> None:
        _, body = await pool.ask(request(home, "select '=1+1' as x", ".csv"))
        assert body == b"\xef\xbb\xbfx\r\n'=1+1\r\n"

    with_pool(home, look)


def test_whoever_asks_for_much_at_once_waits_behind_himself() -> None:
    """One address with a hundred queries waiting, and another that comes after with one: it is served next but one."""

    async def run() -> None:
        lines: WorkerQueue[Any] = WorkerQueue()
        served: list[str] = []

        async def ask(address: str) -> None:
            worker = await lines.get(address)
            served.append(address)
            await asyncio.sleep(0)
            lines.put(worker)

        many = [asyncio.create_task(ask("many")) for _ in range(100)]
        await asyncio.sleep(0)
        one = asyncio.create_task(ask("one"))
        given_up = asyncio.create_task(ask("given up"))
        await asyncio.sleep(0)
        given_up.cancel()
        lines.put(cast(Any, "worker"))
        await asyncio.gather(*many, one)
        assert served.index("one") == 1 and len(served) == 101
        assert await lines.get("later") == "worker"  # and none was lost

    asyncio.run(run())


def test_an_address_that_sends_slow_queries_only_leaves_the_quick_lane_to_others(patient: None, home: Path) -> None:
    async def look(pool: Pool) -> None:
        lanes: list[tuple[str, str]] = []
        ask = pool._ask

        async def noted(lane: Any, asked: Any, address: str) -> Any:
            lanes.append((address, lane.name))
            return await ask(lane, asked, address)

        pool._ask = noted  # type: ignore[method-assign]
        for n in range(3):
            with pytest.raises((QueryStopped, Busy)):
                await pool.ask(request(home, f"{LONG} -- {n}"), "slow one")
        assert lanes == [*[("slow one", "quick"), ("slow one", "slow")] * 2, ("slow one", "slow")]
        lanes.clear()
        for _ in range(100):
            try:
                await pool.ask(request(home, "select 1"), "reader")
                break
            except Busy:
                continue
        assert lanes[0] == ("reader", "quick")

    with_pool(home, look, workers=2)


def test_a_habit_is_of_several_queries_and_goes_with_a_quick_one() -> None:
    slow_clients = SlowClients(most=2)
    slow_clients.record("a", True)
    assert not slow_clients.is_slow("a")
    slow_clients.record("a", True)
    assert slow_clients.is_slow("a") and not slow_clients.is_slow("b")
    slow_clients.record("a", False)
    assert not slow_clients.is_slow("a")
    for address in "bcd":
        slow_clients.record(address, True)
    assert len(slow_clients._counts) == 2
