"""What is told once for a table: calculated columns that do not follow from the others, and identifiers that come again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from expectations.contract import ContractError, Contracts, load_contracts, read_contract
from pipelines.core.home import Home
from pipelines.intake.file_reader import read_file
from tests.intake.layout.trial import column, contracts, reading
from tests.records.making import issues_of

RATIO = {"as": "used / area", "tolerance": 0.01}


def sites(folder: Path, **own: Any) -> Contracts:
    path = folder / "trial.yaml"
    contracts(
        folder,
        column("site", "Site", required=True),
        column("year", "Year", "year", required=True),
        column("code", "Code"),
        column("used", "Used", "number", unit="kWh"),
        column("area", "Area", "number", unit="㎡"),
        column("ratio", "Ratio", "number", calculated=own.get("calculated", RATIO)),
    )
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["schema"][0]["properties"][2]["quality"] = own.get("quality", [{"metric": "duplicateValues", "mustBe": 0}])
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return Contracts([read_contract(path)])


HEADER = ["Site", "Year", "Code", "Used", "Area", "Ratio"]


def row(n: int, **more: Any) -> list[Any]:
    cells = {"Site": f"S{n}", "Year": 2020.0, "Code": f"C{n}", "Used": 100.0 + n, "Area": 10.0, "Ratio": 10 + n / 10}
    return [{**cells, **more}[h] for h in HEADER]


def test_a_calculated_column_is_told_once_with_its_count_and_the_worst(tmp_path: Path) -> None:
    found = sites(tmp_path)
    wrong = [row(50, Ratio=16.0), row(51, Ratio=30.2), row(52, Ratio=14.0)]
    empty = [row(60, Area=""), row(61, Ratio="")]  # cannot be held against anything
    told = issues_of(tmp_path, found, reading(found, [HEADER, *map(row, range(20)), *wrong, *empty]))
    (only,) = told.to_dict("records")
    assert (only["code"], only["severity"], only["column"], only["cell"]) == ("inconsistent", "warning", "ratio", "F23")
    assert only["raw_value"] == "30.2"
    assert "填的是 30.2" in only["message_zh"] and "算出来是 15.1" in only["message_zh"]
    assert "23 个数里有 3 个" in only["message_zh"]
    assert "of the 23 figures" in only["message_en"]


def test_a_difference_within_the_tolerance_or_the_digits_written_is_none(tmp_path: Path) -> None:
    found = sites(tmp_path)
    near = [row(40, Ratio=14.1), row(41, Used=101.0, Area=3.0, Ratio=33.4), row(42, Used=1.0, Area=3.0, Ratio=0.3)]
    assert issues_of(tmp_path, found, reading(found, [HEADER, *map(row, range(9)), *near])).empty


def test_a_ratio_over_nothing_is_the_worst(tmp_path: Path) -> None:
    found = sites(tmp_path)
    odd = [row(30, Ratio=99.0), row(31, Area=0.0, Ratio=5.0)]
    (only,) = issues_of(tmp_path, found, reading(found, [HEADER, *map(row, range(9)), *odd])).to_dict("records")
    assert only["cell"] == "F12"
    assert "11 个数里有 2 个" in only["message_zh"]


def test_rows_with_a_calculated_figure_that_is_off_are_kept(tmp_path: Path) -> None:
    found = sites(tmp_path)
    issues_of(tmp_path, found, reading(found, [HEADER, *map(row, range(5)), row(7, Ratio=99.0)]))
    kept = pd.read_parquet(Home(tmp_path / "home").records("trial"))
    assert len(kept) == 6
    assert 99.0 in set(kept["ratio"])


def test_an_identifier_twice_in_a_year_is_told_with_the_row_before(tmp_path: Path) -> None:
    found = sites(tmp_path)
    rows = [*map(row, range(5)), row(6, Code="C2"), row(7, Code="C2"), row(8, Code=""), row(9, Code="")]
    told = issues_of(tmp_path, found, reading(found, [HEADER, *rows, row(10, Code="C3", Year=2021.0)]))
    told = told[told["column"] == "code"]
    assert list(told["cell"]) == ["C7", "C8"]
    assert set(told["code"]) == {"doubtful"}
    assert all("第 4 行也是" in m for m in told["message_zh"])
    assert len(pd.read_parquet(Home(tmp_path / "home").records("trial"))) == 10


def test_a_column_that_holds_no_identifiers_is_told_once(tmp_path: Path) -> None:
    found = sites(tmp_path)
    told = issues_of(tmp_path, found, reading(found, [HEADER, *(row(n, Code="same") for n in range(40))]))
    assert list(told["cell"]) == ["C3"]
    assert "39 个值" in told["message_zh"][0]


@pytest.mark.parametrize(
    "calculated",
    [
        "used / area",
        {"as": "used / area", "tolerance": 1},
        {"as": "used / area", "tolerance": "much"},
        {"as": "ratio * 2"},
        {"as": "site"},
        {"as": "previous.used / area"},
        {"as": "used / nowhere"},
        {"as": "used /"},
        {"as": "used / area", "rounding": 2},
    ],
)
def test_a_calculation_that_cannot_be_one_is_refused(tmp_path: Path, calculated: Any) -> None:
    with pytest.raises(ContractError, match="calculated|tolerance|expression|ratio"):
        sites(tmp_path, calculated=calculated)


@pytest.mark.parametrize("more", [{"mustBe": 5}, {"severity": "error"}, {"mustBe": None}])
def test_a_check_for_repeats_is_written_in_one_way(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="duplicateValues needs mustBe: 0"):
        sites(tmp_path, quality=[{"metric": "duplicateValues", "mustBe": 0, **more}])


@pytest.mark.realdata
def test_what_the_returns_of_toronto_state_against_one_another(shared: Path, tmp_path: Path) -> None:
    folder = shared / "realdata" / "toronto"
    city = Path(__file__).parents[2] / "cities" / "toronto"
    found = load_contracts(only=["site_energy"], city=city)
    name = "annual-energy-consumption-2017.csv"
    told = issues_of(tmp_path, found, read_file(folder / name, name, found))
    said = told.groupby(["column", "code"]).size().to_dict()
    assert said[("identifier", "doubtful")] == 3
    assert said[("stated_intensity", "inconsistent")] == 1
    assert said[("operation_name", "doubtful")] == 1  # Bayview Pumping Station: a name and no figure
    assert said[("electricity", "doubtful")] == 3  # in the unit 0
    assert len(told) == 8
    assert len(pd.read_parquet(Home(tmp_path / "home").records("site_energy"))) == 1482
