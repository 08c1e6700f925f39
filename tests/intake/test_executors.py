"""A chunk of files that an executor reads: it has to reach the home, and a chunk done twice leaves one batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.executors import read_chunk
from pipelines.intake.model import FileReading
from pipelines.intake.pool import FileJob


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts(only=["energy_use"])


def test_a_machine_that_does_not_reach_the_home_refuses_no_file(tmp_path: Path, contracts: Contracts) -> None:
    job = FileJob("a" * 64, tmp_path / "a.xlsx", "a.xlsx")
    with pytest.raises(FileNotFoundError, match="share the home with every executor"):
        read_chunk(tmp_path / "nowhere", contracts, 1, [job])


def test_a_chunk_done_twice_leaves_one_batch_and_replaces_no_other(tmp_path: Path, contracts: Contracts) -> None:
    home = Home(tmp_path).create()
    first, second = [FileReading("a", "a.xlsx", "accepted")], [FileReading("b", "b.xlsx", "accepted")]
    for readings in (first, second, first):  # the number was given twice: the driver of the first died
        cache.write_once(home, contracts, 1, readings)
    assert len(list(home.readings.iterdir())) == 2
    assert cache.known(home, contracts) == {"a", "b"}
    assert cache.next_batch(home, contracts) == 2
    assert list(cache.load(home, contracts, ["a", "b"]).files["file_id"]) == ["a", "b"]


def test_what_a_killed_executor_left_is_no_batch(tmp_path: Path, contracts: Contracts) -> None:
    home = Home(tmp_path).create()
    (home.readings / f"{cache.BESIDE}killed" / "work").mkdir(parents=True)
    assert cache.known(home, contracts) == set()
    cache.clear_beside(home)
    assert not list(home.readings.iterdir())
