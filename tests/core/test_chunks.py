"""Chunks of work that several processes take, and what becomes of those whose process is gone."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.core import chunks
from pipelines.core.chunks import ChunkPlan, Offers, Taker
from pipelines.core.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BEAT", 0.02)
    monkeypatch.setattr(chunks, "PATIENCE", 0.6)


def plan(home: Home, n: int = 3) -> ChunkPlan:
    return chunks.publish(home, "k", [[(f"id{i}", f"名 {i}.xlsx")] for i in range(1, n + 1)])


def finish(taker: Taker, chunk: Any, text: str) -> bool:
    return taker.finish(chunk, lambda folder: _write(folder, text), {"who": taker.who})


def _write(folder: Path, text: str) -> None:
    (folder / "result").write_text(text)


def test_others_see_a_plan_as_it_was_made(home: Home) -> None:
    made = plan(home)
    assert chunks.plans(home) == [made]
    chunk = Taker(made, "a").take()
    assert chunk and (chunk.number, chunk.jobs) == (1, [("id1", "名 1.xlsx")])


def test_no_two_take_the_same_chunk(home: Home) -> None:
    made, done = plan(home, 40), []

    def work(who: str) -> None:
        with Taker(made, who) as taker:
            while (chunk := taker.take()) is not None:
                assert finish(taker, chunk, who)
                done.append(chunk.number)

    threads = [threading.Thread(target=work, args=(w,)) for w in "abcd"]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(done) == list(range(1, 41))
    assert [p.name for p in made.folder.iterdir() if p.name.endswith((".lease", ".part"))] == []


def test_a_chunk_of_one_who_is_alive_is_left_to_it(home: Home, hasty: None) -> None:
    made = plan(home, 1)
    a, b = Taker(made, "a"), Taker(made, "b")
    with a:
        assert a.take()
        until = time.monotonic() + 3 * chunks.PATIENCE
        while time.monotonic() < until:
            assert b.take() is None
            time.sleep(0.05)


def _dies(taker: Taker) -> Any:
    """Takes a chunk, and never beats again."""
    chunk = taker.take()
    assert chunk and taker._holds
    taker._holds[1]._ends.set()
    return chunk


def _taken(taker: Taker) -> Any:
    until = time.monotonic() + 20
    while (chunk := taker.take()) is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    return chunk


def test_a_chunk_of_one_who_died_is_taken_by_another_and_its_late_result_thrown_away(home: Home, hasty: None) -> None:
    made = plan(home, 1)
    a, b = Taker(made, "a"), Taker(made, "b")
    chunk = _dies(a)
    assert b.take() is None  # it may only be slow
    again = _taken(b)
    assert again == chunk
    assert finish(b, again, "b's")
    assert not finish(a, chunk, "a's")  # it was only slow after all
    assert (made.result(1) / "result").read_text() == "b's" and b.said(1) == {"who": "b"}
    assert {p.name.split("-")[0] for p in made.folder.iterdir()} == {
        "plan.json",
        "00001.json",
        "00001.done",
        "00001.lost",
    }


def test_a_chunk_that_others_died_of_is_left_to_who_planned_it(home: Home, hasty: None) -> None:
    made = plan(home, 1)
    _dies(Taker(made, "a"))
    _dies_later = Taker(made, "b")
    _taken(_dies_later)
    assert _dies_later._holds
    _dies_later._holds[1]._ends.set()
    _taken(Taker(made, "c", planner=True))
    assert Taker(made, "d").take() is None


def test_a_chunk_that_is_let_go_is_free_at_once(home: Home) -> None:
    made = plan(home, 1)
    with Taker(made, "a") as a:
        assert a.take()
    assert Taker(made, "b").take()


def test_a_result_of_a_plan_that_is_gone_goes_nowhere(home: Home) -> None:
    a = Taker(plan(home), "a")
    chunk = a.take()
    chunks.remove(home)
    assert not finish(a, chunk, "a's") and a.take() is None
    assert chunks.plans(home) == [] and not list(home.work.glob("*chunks*"))


def test_a_result_that_cannot_be_written_is_no_result(home: Home) -> None:
    made = plan(home, 1)
    a = Taker(made, "a")
    chunk = a.take()
    assert chunk

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        a.finish(chunk, full, {})
    assert not a.finished() and Taker(made, "b").take()


def test_offers_of_the_dead_are_dropped_and_those_of_the_living_stay(home: Home, hasty: None) -> None:
    (home.work / "workers").mkdir()
    (home.work / "workers" / "dead").write_text("dead 1")
    with chunks.offered(home, "living"):
        offers = Offers(home)
        assert len(offers) == 2
        offers.drop_dead()
        assert len(Offers(home)) == 2  # it was not looked at for long enough
        time.sleep(chunks.PATIENCE + 0.1)
        offers.drop_dead()
        assert [p.name for p in (home.work / "workers").iterdir()] == ["living"]
    assert len(Offers(home)) == 0
