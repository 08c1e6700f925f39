"""What a person would doubt on seeing an institution's figures of several years side by side."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from expectations.contract import Contract, ContractError, load_contracts, read_contract
from expectations.expression import SCOPE
from pipelines.core.home import Home
from pipelines.records.build import build
from pipelines.records.doubts import BEYOND, Doubt, _lines, _Years, find
from tests.records.making import CONTRACTS, energy, file, institution, joined, receipts, sheet

YEARS = (2021, 2022, 2023)


def months(n: int, year: int, factor: float = 1.0, seed: int = 7, **more: Any) -> list[dict[str, Any]]:
    """Twelve months of an institution, each with its season and its chance, times `factor`."""
    rng = np.random.default_rng(seed + 100 * year + n)
    wave = [1 + 0.4 * np.sin(m / 12 * 2 * np.pi) for m in range(12)]
    return [
        energy(
            n,
            f"{year}-{m + 1:02d}",
            electricity=round(5000 * n * wave[m] * rng.uniform(0.85, 1.15) * factor, 2),
            water=round(300 * n * rng.uniform(0.8, 1.2), 1),
        )
        | more
        for m in range(12)
    ]


def doubts(dataset: str, *sheets_of: tuple[str, list[dict[str, Any]]], contract: Contract | None = None) -> list[Doubt]:
    """The doubts about files of one sheet each: (name, rows)."""
    contract = contract or CONTRACTS[dataset]
    made = joined(*(file(f, sheet(dataset, rows)) for f, rows in sheets_of))
    rows = made.rows[dataset].assign(**{SCOPE: ""})
    return find(contract, rows, {f: f"{f}.xlsx" for f, _ in sheets_of}, {})


def years(change: Callable[[int, int], float], n: int = 4, last: int = 2023) -> list[tuple[str, list[dict[str, Any]]]]:
    """A file a year of `n` institutions; `change(institution, year)` is what their electricity is multiplied by."""
    return [
        (f"能源{y}", [r for k in range(1, n + 1) for r in months(k, y, change(k, y))]) for y in range(2021, last + 1)
    ]


@pytest.mark.parametrize("factor", [10, 100, 1000, 10000, 0.1, 0.01, 0.001, 0.0001])
def test_a_slip_by_powers_of_ten_is_told_once_with_both_values(factor: float) -> None:
    found = doubts("energy_use", *years(lambda k, y: factor if (k, y) == (3, 2023) else 1))
    [d] = found
    assert (d.file, d.column) == ("能源2023", "electricity")
    own = sum(r["electricity"] for r in months(3, 2023, factor))
    other = sum(r["electricity"] for r in months(3, 2022))
    for text in (d.message_zh, d.message_en):
        assert "市示范局003" in text and "能源2022.xlsx" in text
        assert f"{own:,.4f}".rstrip("0").rstrip(".") in text and f"{other:,.4f}".rstrip("0").rstrip(".") in text
    assert "2023-01..2023-12" in d.message_zh and "2022-01..2022-12" in d.message_zh


def test_figures_of_three_ordinary_years_are_not_doubted() -> None:
    assert doubts("energy_use", *years(lambda k, y: 1.0, n=9)) == []


@pytest.mark.parametrize("factor", [0.5, 2, 3, 5])
def test_a_year_that_is_half_or_five_times_the_last_is_no_slip(factor: float) -> None:
    assert doubts("energy_use", *years(lambda k, y: factor if (k, y) == (3, 2023) else 1)) == []


def test_a_slip_of_one_month_names_its_cell() -> None:
    files = years(lambda k, y: 1.0, n=1)
    files[2][1][4] = files[2][1][4] | {"electricity": files[2][1][4]["electricity"] * 10}
    [d] = doubts("energy_use", *files)
    assert (d.file, d.row, d.column) == ("能源2023", 8, "electricity")
    assert "2023-05" in d.message_zh and "2022-05" in d.message_zh


@pytest.mark.parametrize("wrong", [2021, 2022, 2023])
def test_the_year_that_slipped_is_the_one_that_is_doubted(wrong: int) -> None:
    [d] = doubts("energy_use", *years(lambda k, y: 100 if (k, y) == (2, wrong) else 1))
    assert d.file == f"能源{wrong}"


def test_two_years_that_slipped_alike_are_both_doubted() -> None:
    found = doubts("energy_use", *years(lambda k, y: 1e4 if k == 2 and y >= 2024 else 1, last=2025))
    assert [d.file for d in found] == ["能源2024", "能源2025"]


def test_a_whole_column_in_another_unit_is_told_once() -> None:
    [d] = doubts("energy_use", *years(lambda k, y: 1e-4 if y == 2023 else 1, n=15))
    assert (d.file, d.column, d.row) == ("能源2023", "electricity", None)
    assert "15 项" in d.message_zh and "15 figures" in d.message_en


def test_where_there_is_one_year_nothing_can_be_doubted() -> None:
    assert doubts("energy_use", ("能源2023", months(1, 2023, 10000))) == []


def register(*areas: float) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(f"名录{2021 + n}", [institution(1, 2021 + n, floor_area=a)]) for n, a in enumerate(areas)]


@pytest.mark.parametrize(
    ("areas", "wrong"), [((5000, 30000), 2022), ((5000, 5000, 800), 2023), ((30000, 5000, 5000), 2021)]
)
def test_a_floor_area_six_times_the_last_is_doubted(areas: tuple[float, ...], wrong: int) -> None:
    [d] = doubts("institutions", *register(*areas))
    assert (d.file, d.column) == (f"名录{wrong}", "floor_area")
    assert f"{areas[wrong - 2021]:,.0f} ㎡" in d.message_zh and "市示范局001" in d.message_zh


@pytest.mark.parametrize("areas", [(5000, 5000, 5000), (5000, 9000, 12000), (5000, 5000, 20000)])
def test_a_register_that_repeats_or_grows_is_not(areas: tuple[float, ...]) -> None:
    many = [
        (f, [institution(n, rows[0]["year"], floor_area=rows[0]["floor_area"] + n) for n in range(1, 30)])
        for f, rows in register(*areas)
    ]
    assert doubts("institutions", *many) == []


def test_last_years_figures_sent_again_are_told_once_for_the_submission() -> None:
    old = [r for k in range(1, 31) for r in months(k, 2022)]
    again = [r | {"month": r["month"].replace("2022", "2023")} for r in old]
    [d] = doubts("energy_use", ("能源2022", old), ("能源2023", again))
    assert (d.file, d.row) == ("能源2023", None)
    assert "720 个数中，有 720 个与 2022 年（“能源2022.xlsx”）完全相同" in d.message_zh
    assert "720 of 720 figures" in d.message_en and "能源2022.xlsx" in d.message_en


def test_a_column_that_stays_the_same_by_contract_is_no_copy() -> None:
    files = [(f"能源{y}", [r | {"heat": 40.0} for k in (1, 2, 3) for r in months(k, y)]) for y in YEARS]
    assert doubts("energy_use", *files) == []


def test_columns_that_say_so_are_not_compared() -> None:
    rooms = CONTRACTS["office_rooms"]
    assert {c.name: c.compare for c in rooms.kept if c.kind in ("integer", "decimal")} == {
        "headcount": None,
        "used_area": None,
    }
    use, listed = CONTRACTS["energy_use"], CONTRACTS["institutions"]
    assert use.column("electricity").compare == "flow" and listed.column("floor_area").compare == "stock"
    assert use.column("uscc").compare is None and CONTRACTS["canteens"].column("phase").compare is None


@pytest.mark.parametrize(("value", "ok"), [("flow", True), ("none", True), ("often", False)])
def test_how_a_column_compares_is_one_of_three_words(tmp_path: Path, value: str, ok: bool) -> None:
    text = (CONTRACTS["parking_lots"].path).read_text(encoding="utf-8")
    text = re.sub(
        r"(- \{property: unit, value: 个\})", rf"\1\n    - {{property: compare, value: {value}}}", text, count=1
    )
    (tmp_path / "lots.yaml").write_text(text, encoding="utf-8")
    if ok:
        assert read_contract(tmp_path / "lots.yaml").column("spaces").compare == (None if value == "none" else value)
    else:
        with pytest.raises(ContractError, match="write flow, stock or none"):
            read_contract(tmp_path / "lots.yaml")


def test_a_doubt_is_a_warning_at_its_cell_and_the_row_stays(tmp_path: Path) -> None:
    contracts = load_contracts(only=["institutions", "energy_use"])
    home = Home(tmp_path).create()
    files = [file("reg", sheet("institutions", [institution(1)], "中心", "2021"))]
    for y in YEARS:
        made = sheet("energy_use", months(1, y, 1e4 if y == 2023 else 1), "市示范局001", str(y))
        for c in made.columns:
            c.unit = "万千瓦时" if c.column == "electricity" and y == 2023 else None
        files.append(file(f"e{y}", made))
    summary = build(joined(*files, contracts=contracts), contracts, home, None, receipts(*files))
    assert (summary.records["energy_use"], summary.issues) == (36, {"doubtful": 1})
    [issue] = pd.read_parquet(home.table("intake", "issues")).to_dict("records")
    assert (issue["file_id"], issue["column"], issue["severity"], issue["responsibility"], issue["row"]) == (
        "e2023", "electricity", "warning", "department", 4,
    )  # fmt: skip
    assert float(issue["raw_value"]) == pytest.approx(months(1, 2023)[0]["electricity"]), "as the sheet writes it"


# --- the return of a real city

SITES = """\
apiVersion: v3.1.0
kind: DataContract
id: sites
name: Energy of a city's sites
version: 1.0.0
status: active
domain: offices
description: {purpose: 各处场所每年的能源消费。}
schema:
- name: city_sites
  businessName: 场所能源
  physicalType: table
  properties:
  - {name: site, businessName: 名称, logicalType: string, required: true, classification: L0}
  - {name: address, businessName: 地址, logicalType: string, classification: L0}
  - name: year
    businessName: 年度
    logicalType: integer
    required: true
    classification: L0
    customProperties: [{property: kind, value: year}]
  - name: area
    businessName: 面积
    logicalType: number
    classification: L0
    customProperties: [{property: unit, value: ㎡}]
  - name: electricity
    businessName: 用电量
    logicalType: number
    classification: L0
    customProperties: [{property: unit, value: kWh}]
  - name: gas
    businessName: 天然气
    logicalType: number
    classification: L0
    customProperties: [{property: unit, value: m³}]
  - name: emissions
    businessName: 排放
    logicalType: number
    classification: L0
    customProperties: [{property: unit, value: kg}]
customProperties: [{property: opening, value: open}, {property: theme, value: 能源}]
"""


def _sent_by(year: int, used: list[float], area: list[float]) -> pd.DataFrame:
    halls = [f"Hall {n}" for n in range(len(used))]
    of = {
        "organisation": "Town of Sampleport",
        "site": halls,
        "address": "1 High St",
        "year": year,
        "area": area,
        "gas": 0.0,
        "emissions": 0.0,
    }
    of |= {
        "electricity": used,
        "_file": str(year),
        "_table": 0,
        "_sheet": "",
        "_row": range(2, 2 + len(used)),
        SCOPE: "",
    }
    return pd.DataFrame(of).astype({"year": "Int64", "site": "str", "organisation": "str", "address": "str"})


def test_a_doubt_names_the_row_and_not_who_sent_the_table(tmp_path: Path) -> None:
    sender = """  - name: organisation
    businessName: 申报单位
    logicalType: string
    classification: L0
    customProperties: [{property: statedOnce, value: submitter}]
  - {name: site,"""
    (tmp_path / "sites.yaml").write_text(SITES.replace("  - {name: site,", sender, 1), encoding="utf-8")
    contract = read_contract(tmp_path / "sites.yaml")
    used, area = [100.0, 210.0, 320.0, 430.0], [10.0, 20.0, 30.0, 0.0]
    rows = [
        _sent_by(2015, used, area),
        _sent_by(2016, [u * 1.1 for u in used], area),
        _sent_by(2017, [110.0, 2300.0, 330.0, 420.0], [10.0, 20.0, 30.0, 600.0]),
    ]
    found = find(contract, pd.concat(rows, ignore_index=True), {}, {})
    slip, total = (next(d for d in found if d.column == c) for c in ("electricity", "area"))
    assert (
        slip.row is not None and "“Hall 1”2017为 2,300" in slip.message_zh and "'Hall 1' has 2,300" in slip.message_en
    )
    assert total.row is None and "'Town of Sampleport' has 660 ㎡ for 2017" in total.message_en


def test_a_real_city_that_filed_last_years_consumption_again_is_told_so_once(shared: Path, tmp_path: Path) -> None:
    folder = shared / "realdata" / "toronto"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    (tmp_path / "sites.yaml").write_text(SITES, encoding="utf-8")
    contract = read_contract(tmp_path / "sites.yaml")
    rows = pd.concat([_returns(folder, y) for y in (2015, 2016, 2017, 2018)], ignore_index=True)
    rows = rows.astype({"site": "str", "address": "str", "year": "Int64"}).assign(**{SCOPE: ""})
    names = {str(y): f"annual-energy-consumption-{y}" for y in range(2015, 2019)}
    found = find(contract, rows, names, {})
    [copy] = [d for d in found if "像是把上年的数又报了一遍" in d.message_zh]
    assert (copy.file, copy.row) == ("2018", None) and "annual-energy-consumption-2017" in copy.message_zh
    assert {d.file for d in found if d.column == "area"} == {"2017"}, "parks were given their land in 2017"
    assert len(found) < 40, "few enough to be read"


def _returns(folder: Path, year: int) -> pd.DataFrame:
    """The rows of a year's return under the form's three rows of headers; 'NA' is empty."""
    if year == 2018:
        from python_calamine import CalamineWorkbook

        cells = CalamineWorkbook.from_path(folder / f"annual-energy-consumption-{year}.xlsx").get_sheet_by_index(0)
        table: list[list[Any]] = cells.to_python()
    else:
        with (folder / f"annual-energy-consumption-{year}.csv").open(encoding="utf-8", newline="") as f:
            table = [[v if v != "NA" else "" for v in r] for r in csv.reader(f)]
    head = next(n for n, r in enumerate(table) if r[0] == "Operation Name")
    total = next(k for k, v in enumerate(table[head]) if str(v).startswith("Total (calculated"))
    out = []
    for n, r in enumerate(table[head + 3 :], head + 4):
        if r[0] and str(r[0]) != "Stephenson Building":
            number = [float(r[k]) if r[k] != "" else None for k in (5, 9, 11, total)]
            out.append([str(r[0]), str(r[2]), year, *number, str(year), 0, "", n])
    columns = [
        "site",
        "address",
        "year",
        "area",
        "electricity",
        "gas",
        "emissions",
        "_file",
        "_table",
        "_sheet",
        "_row",
    ]
    return pd.DataFrame(out, columns=columns)


def test_what_is_usual_is_what_a_loop_over_each_thing_finds():
    """`usual` works on all values at once; here it is held against its own definition, value by value."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        [
            {"who": who, "month": f"{month:02}", "year": year}
            for who in (3, 11, 4)
            for month in (1, 2, 3)
            for year in range(2021, 2026)
            if random.random() < 0.6
        ]
    )
    values = 10 ** random.uniform(0, 3, len(frame))
    own = _Years(frame.assign(line=_lines(frame)), values)
    found, things, checked = own.usual(), own.things(), 0
    for line in range(len(own.values)):
        of_thing = own.values[things == things[line]]
        for a, value in enumerate(own.values[line]):
            if np.isnan(value):
                continue
            before, after = (x[np.isfinite(x)] for x in (of_thing[:, :a], of_thing[:, a + 1 :]))
            others = before if len(before) else after
            expected = len(others) > 0 and others.min() / BEYOND <= value <= others.max() * BEYOND
            assert found[line, a] == expected, (line, a)
            checked += 1
    assert checked == len(frame) and 0 < found.sum() < checked
