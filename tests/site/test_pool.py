"""The processes that run public SQL: what is late is killed, what died is replaced, and nobody else notices."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from publish.site import pool as pool_module
from publish.site.pool import Busy, Pool, Stopped

# One step of SQLite's machine, so no clock of SQLite's is asked while it runs, for many seconds.
UNSTOPPABLE = "select printf('%,.*c', 2000000000, 'x')"


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


def test_what_cannot_be_interrupted_is_killed_and_replaced(home: Path) -> None:
    async def look(pool: Pool) -> None:
        with pytest.raises(Stopped) as e:
            await pool.ask(request(home, UNSTOPPABLE))
        assert e.value.why == "too_slow" and pool.killed == 1
        await again(pool, home)

    with_pool(home, look)


def test_a_full_house_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "QUEUE_SECONDS", 0.2)

    async def look(pool: Pool) -> None:
        slow = asyncio.create_task(pool.ask(request(home, UNSTOPPABLE)))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await pool.ask(request(home, "select 1"))
        with pytest.raises(Stopped):
            await slow

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


def test_an_answer_too_large_is_refused_and_the_worker_lives(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = "with recursive t(i) as (select 1 union all select i + 1 from t where i < 900) select i, printf('%.*c', 60000, 'x') as x from t"

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
        lines = pool_module.Lines()
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


def test_an_address_that_sends_slow_queries_only_leaves_the_quick_lane_to_others(home: Path) -> None:
    async def look(pool: Pool) -> None:
        lanes: list[tuple[str, str]] = []
        ask = pool._ask

        async def noted(lane: Any, asked: Any, address: str) -> Any:
            lanes.append((address, lane.name))
            return await ask(lane, asked, address)

        pool._ask = noted  # type: ignore[method-assign]
        for n in range(3):
            with pytest.raises((Stopped, Busy)):
                await pool.ask(request(home, f"{UNSTOPPABLE} as a{n}"), "attacker")
        assert lanes == [*[("attacker", "quick"), ("attacker", "slow")] * 2, ("attacker", "slow")]
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
    habits = pool_module.Habits(most=2)
    habits.note("a", True)
    assert not habits.are_slow("a")
    habits.note("a", True)
    assert habits.are_slow("a") and not habits.are_slow("b")
    habits.note("a", False)
    assert not habits.are_slow("a")
    for address in "bcd":
        habits.note(address, True)
    assert len(habits._of) == 2
