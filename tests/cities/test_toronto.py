"""The City of Toronto's own returns, 2015 to 2018, through contracts and definitions of its folder alone, held against truth.json."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import ROOT, mingzhang

pytestmark = [pytest.mark.slow, pytest.mark.realdata]
SQUARE_FOOT = Decimal("0.09290304")  # in ㎡
YEARS = (2015, 2016, 2017, 2018)


@pytest.fixture(scope="module")
def returns(shared: Path) -> Path:
    return shared / "realdata" / "toronto"


@pytest.fixture(scope="module")
def truth(returns: Path) -> dict[int, dict[str, Any]]:
    found = json.loads((returns / "truth.json").read_text(encoding="utf-8"), parse_float=Decimal)
    return {of["year"]: of for of in found.values() if isinstance(of, dict)}


@pytest.fixture(scope="module")
def home(returns: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("toronto")
    (top / "inbox").mkdir()
    for path in returns.glob("annual-energy-consumption-*"):
        shutil.copy(path, top / "inbox")
    done = mingzhang(
        "run",
        "--city",
        ROOT / "cities/toronto",
        "--inbox",
        top / "inbox",
        "--home",
        top / "home",
        "--as-of",
        "2020-12-31",
    )
    assert done.returncode == 0, done.stderr
    return top / "home"


def table(home: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{(home / 'current').resolve() / 'mingzhang.db'}?mode=ro", uri=True) as con:
        return con.execute(sql).fetchall()


def totals(home: Path, indicator: str) -> dict[int, Decimal]:
    found = table(
        home,
        f"select year, value from indicator_values where indicator_id = '{indicator}' and dimension = 'total' and factor_set in ('none', 'default')",
    )
    return {year: Decimal(str(value)) for year, value in found}


@pytest.mark.parametrize(
    ("indicator", "of_truth"),
    [
        ("sites", "rows"),
        ("electricity", "electricity_kwh"),
        ("natural_gas", "natural_gas_m3"),
        ("stated_ghg", "ghg_kg"),
    ],
)
def test_every_year_is_met_to_the_last_digit(
    home: Path, truth: dict[int, dict[str, Any]], indicator: str, of_truth: str
) -> None:
    assert totals(home, indicator) == {y: Decimal(str(truth[y][of_truth])) for y in YEARS}


def test_the_floor_area_is_that_of_the_square_feet(home: Path, truth: dict[int, dict[str, Any]]) -> None:
    found = totals(home, "floor_area")
    assert {y: round(v / SQUARE_FOOT, 0) for y, v in found.items()} == {y: truth[y]["floor_area_sqft"] for y in YEARS}


def test_the_kinds_of_site_add_up_to_the_total(home: Path) -> None:
    rows = table(
        home,
        "select year, value from indicator_values where indicator_id = 'electricity' and dimension = 'operation_type'",
    )
    found: Counter[int] = Counter()
    for year, value in rows:
        found[year] += Decimal(str(value))
    kinds = Counter(year for year, _ in rows)
    for year, total in totals(home, "electricity").items():  # each is rounded by itself
        assert abs(found[year] - total) <= kinds[year] * Decimal("0.0005")


def test_what_a_careful_reader_notices_is_noticed(home: Path, truth: dict[int, dict[str, Any]]) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute(
            'select f.name, i."column", i.code, i.message_en from intake.issues i join intake.files f using (file_id)'
        ).fetchall()
    of = {y: [(c, code, m) for name, c, code, m in rows if str(y) in name] for y in YEARS}
    assert any("exactly those of 2017" in m for _, _, m in of[2018])
    assert any(c == "floor_area" and "5.9 times" in m for c, _, m in of[2017])
    assert not any("'City of Toronto' has" in m for y in YEARS for c, _, m in of[y] if c != "floor_area"), (
        "sites have names"
    )
    assert any(c == "operation_name" and "no area and no energy" in m for c, _, m in of[2017])
    for year in YEARS:
        assert any(c == "stated_intensity" and code == "inconsistent" and "the worst" in m for c, code, m in of[year])
        assert sum(c == "identifier" for c, _, _ in of[year]) == truth[year]["same_identifier_twice"]
        assert any(c == "electricity" and "states no unit" in m for c, _, m in of[year])


def test_what_is_noticed_is_public_in_words(home: Path, truth: dict[int, dict[str, Any]]) -> None:
    rows = table(
        home,
        'select period, kind, "column", columns, findings, compared, value, other_value, sentence_en from findings',
    )
    told = {(int(period), kind, column): rest for period, kind, column, *rest in rows}
    same = dict(part.split(":") for part in told[2018, "repeats", "annual_flow"][0].split("|"))
    for column in ("electricity", "natural_gas", "floor_area"):
        equal, of = same[column].split("/")
        assert equal == of, column
    assert "exactly those of 2017" in told[2018, "repeats", "annual_flow"][-1]
    _, _, _, area, before, sentence = told[2017, "sums", "floor_area"]
    assert round(area / before, 1) == 5.9 and "5.9 times that of 2016" in sentence
    assert told[2017, "rule", "operation_name"][1] == 1
    for year in YEARS:
        _, wrong, of, worst, given, _ = told[year, "calculated", "stated_intensity"]
        assert 100 < wrong < of and abs(worst - given) > 0.003 * worst
        assert told[year, "repeated", "identifier"][1] == truth[year]["same_identifier_twice"]
        assert told[year, "nought_without_unit", "electricity"][1] >= 3


def test_statements_are_judged_by_the_records_of_their_years(home: Path) -> None:
    found = dict(table(home, "select claim_id, check_status from claims"))
    assert {c: s for c, s in found.items() if s != "not_verifiable"} == {
        "water_each_day": "within_qualifier",  # 435.8 GL, for 365 at least
        "sewage_each_day": "mismatch",  # 430.0 GL, for 547.5 at least
        "filtration_plants": "match",
        "sewage_plants": "match",
        "water_pumping_stations": "mismatch",  # 17 rows in 2018
    }
    why = table(home, "select explanation_en from claims where section = 'TAF 2013' and indicator_id is not null")
    assert len(why) == 5
    assert all("speaks of 2011 and there are records of 2015–2018 alone" in said for (said,) in why)


def test_its_licence_is_worded_as_the_city_asks(home: Path) -> None:
    release = json.loads(((home / "current").resolve() / "release.json").read_text(encoding="utf-8"))
    assert release["city"]["licence_en"] == "Contains information licensed under the Open Government Licence – Toronto."
    assert not release["synthetic"]
