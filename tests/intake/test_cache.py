"""Readings kept between runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.fingerprint import code_of, files_of
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake import key as reader_key
from pipelines.intake.file_reader import reader_for
from pipelines.intake.model import FileReading
from pipelines.intake.readings import Readings, concat, from_file_readings, to_dates
from tests.intake.cases import CASES


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def readings(contracts: Contracts) -> list[FileReading]:
    made = [reader_for(contracts).read(build(), name) for name, build in CASES.items()]
    return sorted({r.file_id: r for r in made}.values(), key=lambda r: r.file_id)


def same(a: Readings, b: Readings) -> None:
    for name in ("files", "sheets", "columns", "issues"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))
    assert set(a.rows) == set(b.rows)
    for dataset in a.rows:
        pd.testing.assert_frame_equal(a.rows[dataset], b.rows[dataset])


def test_what_was_kept_comes_back_as_it_was(home: Home, contracts: Contracts) -> None:
    made = readings(contracts)
    cache.append(home, contracts, made[:10])
    cache.append(home, contracts, made[10:])
    assert cache.known(home, contracts) == {r.file_id for r in made}
    same(cache.load(home, contracts, [r.file_id for r in made]), from_file_readings(made, contracts))


def test_only_the_files_asked_for_come_back(home: Home, contracts: Contracts) -> None:
    made = readings(contracts)
    cache.append(home, contracts, made)
    some = made[3:9]
    same(cache.load(home, contracts, [r.file_id for r in some] + ["never seen"]), from_file_readings(some, contracts))
    same(cache.load(home, contracts, []), from_file_readings([], contracts))


def test_a_file_kept_again_counts_as_the_newer_says(home: Home, contracts: Contracts) -> None:
    made = readings(contracts)
    cache.append(home, contracts, made)
    newer = FileReading(made[0].file_id, "anew", "rejected", "empty")
    cache.append(home, contracts, [newer])
    same(cache.load(home, contracts, [r.file_id for r in made]), from_file_readings([newer, *made[1:]], contracts))


def test_another_contract_means_another_key(home: Home, contracts: Contracts) -> None:
    cache.append(home, contracts, readings(contracts))
    fewer = load_contracts(only=["energy_use"])
    assert cache.known(home, fewer) == set()
    cache.append(home, fewer, [FileReading("x", "x", "rejected", "empty")])
    assert cache.known(home, contracts) == set(), "what was read under another key is thrown away"
    cache.clear(home)
    assert cache.known(home, fewer) == set()


def test_many_small_batches_become_one(home: Home, contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BATCHES", 3)
    made = readings(contracts)[:7]
    for r in made:
        cache.append(home, contracts, [r])
    assert len(list(home.readings.glob("*.files.parquet"))) <= 3
    same(cache.load(home, contracts, [r.file_id for r in made]), from_file_readings(made, contracts))


def test_a_batch_without_its_files_table_does_not_exist(home: Home, contracts: Contracts) -> None:
    cache.append(home, contracts, readings(contracts))
    for p in home.readings.glob("*.files.parquet"):
        p.unlink()
    assert cache.known(home, contracts) == set()
    assert len(cache.load(home, contracts, ["x"]).sheets) == 0


def test_joining_readings(contracts: Contracts) -> None:
    made = readings(contracts)
    parts = [
        from_file_readings(made[:5], contracts),
        from_file_readings([], contracts),
        from_file_readings(made[5:], contracts),
    ]
    same(concat(parts, contracts), from_file_readings(made, contracts))
    same(concat([], contracts), from_file_readings([], contracts))


def test_dates_come_back_as_dates(contracts: Contracts) -> None:
    reading = reader_for(contracts).read(CASES["cells_of_all_kinds"](), "x")
    frame = from_file_readings([reading], contracts).rows["disposals"]
    assert [d.isoformat() if d else None for d in to_dates(frame["sold_on"])] == [
        "2021-03-06",
        "2021-03-06",
        None,
        "2021-03-05",
        None,
    ]


def test_the_key_changes_with_the_readers_own_files(
    home: Home, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that somebody raises by hand was forgotten in ten commits: what was read before stayed as it was."""
    before = cache.key(contracts)
    assert before == cache.key(contracts)
    named = {"/".join(p.parts[-2:]) for p in files_of(*reader_key._CODE)}
    assert {"intake/sheets.py", "formats/__init__.py", "values/__init__.py", "layout/headers.py"} <= named
    assert {"contract/model.py", "contract/parse_column.py", "expectations/units.yaml"} <= named
    cache.append(home, contracts, readings(contracts))
    assert cache.known(home, contracts)
    monkeypatch.setattr(reader_key, "code_of", lambda *parts: f"another {code_of(*parts)}")
    assert cache.key(contracts) != before and not cache.known(home, contracts)
    monkeypatch.undo()
    monkeypatch.setattr(reader_key, "version", lambda library: "another")
    assert cache.key(contracts) != before


def test_the_rows_of_large_files_come_in_the_order_of_the_files_whatever_the_batches(
    home: Home, contracts: Contracts
) -> None:
    lines = ["单位名称,月份,用电量(千瓦时),用水量(立方米),天然气用量(立方米)"]
    lines += [f"示范单位{n % 97},2021-{n % 12 + 1:02},{n / 4},{n / 8},{n}" for n in range(30_000)]
    data = "\n".join(lines).encode()
    made = [reader_for(contracts).read(data, "能耗.csv", file_id) for file_id in "cadb"]
    for part in (made[:1], made[1:3], made[3:]):
        cache.append(home, contracts, part)
    rows = cache.load(home, contracts, "abcd").rows["energy_use"]
    assert rows["_file"].tolist() == [f for f in "abcd" for _ in range(30_000)]
    assert rows["_row"].tolist() == [n + 2 for _ in "abcd" for n in range(30_000)]
    assert rows["natural_gas"].tolist() == [float(n) for _ in "abcd" for n in range(30_000)]
    cache._join(home, contracts)
    pd.testing.assert_frame_equal(cache.load(home, contracts, "abcd").rows["energy_use"], rows)
