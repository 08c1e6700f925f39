"""Numbers agree as far as they are written: half a unit of the last digit of each, no more and no less."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from expectations.contract import Contracts, load_contracts
from expectations.expression import HALF, evaluate, half_unit, parse
from expectations.suite import check
from pipelines.intake.file_reader import FileReader
from pipelines.intake.readings import from_file_readings
from pipelines.intake.values import written_to

CONTRACTS: Contracts = load_contracts(only=["real_assets", "pv_generation", "energy_use"])
READER = FileReader(CONTRACTS)


def workbook(*rows: list[Any]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("表")
    for n, row in enumerate(rows):
        for k, v in enumerate(row):
            if v is not None:
                sheet.write(n, k, v)
    book.close()
    return out.getvalue()


def read(dataset: str, *rows: list[Any]) -> pd.DataFrame:
    made = READER.read(workbook(*rows), "a.xlsx")
    return from_file_readings([made], CONTRACTS).rows[dataset]


@pytest.mark.parametrize(
    ("digits", "half"),
    [
        ("610.808", 0.0005),
        ("610.80", 0.005),
        ("610", 0.5),
        ("610.", 0.5),
        ("6.1e3", 50.0),
        ("6.1E-3", 5e-5),
        (".5", 0.05),
    ],
)
def test_half_a_unit_of_the_last_digit(digits: str, half: float) -> None:
    assert half_unit(digits) == pytest.approx(half)


TEN_THOUSAND = Decimal(10_000)


@pytest.mark.parametrize(
    ("raw", "value", "factor", "half"),
    [
        ("610.808", 6108080.0, TEN_THOUSAND, 5.0),
        ("610.80", 6108000.0, TEN_THOUSAND, 50.0),
        (610.808, 6108080.0, TEN_THOUSAND, 5.0),
        ("610.808万元", 6108080.0, None, 5.0),
        ("1,234.50", 1234.5, None, 0.005),
        ("－5．0", -5.0, None, 0.05),
        (6108080.0, 6108080.0, None, 0.5),
        (0.1 + 0.2, 0.3, None, 0.05),
        (0.853, 85.3, None, 0.05),
        ("0.00", 0.0, TEN_THOUSAND, 50.0),
        ("", None, None, None),
        ("同上", 5.0, None, None),
    ],
)
def test_how_far_a_cell_is_known(raw: Any, value: float | None, factor: Decimal | None, half: float | None) -> None:
    assert written_to(raw, value, factor) == (None if half is None else pytest.approx(half))


def assets(*cells: tuple[Any, Any, Any]) -> pd.DataFrame:
    """Assets that are written so: original value and depreciation in 万元, net value in 元."""
    c = CONTRACTS["real_assets"]
    head = [x.header_zh for x in c.kept if x.required and x.name not in ("asset_id", "org_name")]
    rest = [x.values[0] if x.values else 100 for x in c.kept if x.required and x.name not in ("asset_id", "org_name")]
    names = ["资产编号", "单位名称", *head, "原值（万元）", "累计折旧（万元）", "净值（元）"]
    rows = [[f"ZC-{n}", "甲局", *rest, *three] for n, three in enumerate(cells)]
    return read("real_assets", names, *rows)


def wrong(dataset: str, rows: pd.DataFrame, rule: str) -> list[int]:
    found = check(CONTRACTS[dataset], rows.reset_index(drop=True)).failures
    return found.loc[found["rule"] == rule, "position"].tolist()


def test_a_net_value_may_differ_by_what_is_not_written_and_by_no_more() -> None:
    # 610.808万元 is known to 5 元, 10.5万元 to 500 元, the net value to 0.005 元 or to half a yuan.
    rows = assets(
        ("610.808", "10.5", "6003080.00"),
        ("610.808", "10.5", "6003585.00"),
        ("610.808", "10.5", "6002575.00"),
        ("610.808", "10.5", "6003585.02"),
        ("610.808", "10.5", "6002574.98"),
        ("610.808", "10.500", "6003090.00"),
        ("610.808", "10.500", "6003091.00"),
        (610.808, 10.5, 6003585.0),
        (610.808, 10.5, 6003587.0),
    )
    assert rows["original_value" + HALF].tolist() == pytest.approx([5.0] * 9)
    assert rows["accumulated_depreciation" + HALF].tolist() == pytest.approx([500.0] * 5 + [5.0] * 2 + [500.0] * 2)
    assert wrong("real_assets", rows, "net_value") == [3, 4, 6, 8]


def test_what_is_not_known_is_taken_to_be_written_as_short_as_can_be() -> None:
    rows = assets(("610.808", "10.5", "6003080.00")).assign(
        **{n + HALF: float("nan") for n in CONTRACTS["real_assets"].exact}
    )
    near = rows.assign(net_value=6003081.5)  # 6108080, 105000 and 6003081.5: 0.5 + 0.5 + 0.05 and no more
    assert wrong("real_assets", near, "net_value") == [0]
    assert wrong("real_assets", rows.assign(net_value=6003081.0), "net_value") == []


def test_a_tolerance_of_nature_comes_on_top_of_what_is_written() -> None:
    rows = pd.DataFrame({"a": [50.0, 50.0, 50.0], "b": [50.0, 50.0, 50.0], "c": [101.0, 101.5, 103.0]})
    rows = rows.assign(**{"a.half": 0.05, "b.half": 0.05, "c.half": 0.5})
    assert evaluate("same(a + b, c, 0.01 * c)", rows).tolist() == [True, True, False]


def test_products_and_quotients_are_known_as_far_as_their_parts() -> None:
    rows = pd.DataFrame({"price": [3.5, 3.5], "n": [100.0, 100.0], "sum": [355.5, 356.0]})
    rows = rows.assign(**{"price.half": 0.05, "n.half": 0.0, "sum.half": 0.5})
    assert evaluate("same(price * n, sum)", rows).tolist() == [True, False]
    assert evaluate("same(sum / n, price)", rows).tolist() == [True, False]


@pytest.mark.parametrize("expression", ["same(a, 'x')", "same(abs(a), b)", "same(a == b, c)", "same(a)"])
def test_only_sums_can_be_the_same(expression: str) -> None:
    with pytest.raises(SyntaxError):
        parse(expression)


def test_every_identity_of_every_contract_follows_what_is_written() -> None:
    """An equation of numbers with a fixed tolerance would allow too much of one sheet and too little of another."""
    for contract in load_contracts().values():
        for rule in contract.rules:
            assert "abs(" not in rule.expression, f"{contract.dataset}.{rule.name}: write same(a, b)"


ENERGY = ["单位名称", "月份", "用电量（万千瓦时）", "用水量（立方米）"]


@pytest.mark.parametrize(
    ("total", "told"),
    [("3.7", False), ("3.9", False), ("3.5", False), ("4.0", True), ("3.4", True), ("3.70", False), ("3.86", True)],
)
def test_a_total_is_held_against_its_rows_as_far_as_they_are_written(total: str, told: bool) -> None:
    # 1.2 + 1.2 + 1.3 = 3.7, each known to 0.05; a total of one decimal to 0.05 as well, of two to 0.005.
    rows = [["甲局", f"2023-0{n}", v, 10] for n, v in enumerate(("1.2", "1.2", "1.3"), 1)]
    made = READER.read(workbook(ENERGY, *rows, ["合计", None, total, 30]), "a.xlsx")
    assert ("total_mismatch" in [i.code for s in made.sheets for i in s.issues]) is told


def test_a_total_of_counts_is_exact() -> None:
    canteens = FileReader(load_contracts(only=["canteens"]))
    c = canteens.contracts["canteens"]
    columns = [x for x in c.kept if x.required or x.name == "meals"]
    rows = [
        [f"ST-{n}" if x.name == "canteen_id" else "2023-03" if x.kind == "month" else 100 if x.kind in ("integer", "decimal")
         else x.values[0] if x.values else "甲局" for x in columns]
        for n in (1, 2, 3)
    ]  # fmt: skip
    for total, told in ((300, False), (301, True)):
        last = ["合计" if k == 0 else total if x.name == "meals" else None for k, x in enumerate(columns)]
        made = canteens.read(workbook([x.header_zh for x in columns], *rows, last), "a.xlsx")
        assert ("total_mismatch" in [i.code for s in made.sheets for i in s.issues]) is told


def test_the_halves_are_no_part_of_the_records(tmp_path: Path) -> None:
    from pipelines.records.tables import record_schema

    assert not [n for n in record_schema(CONTRACTS["real_assets"]) if n.endswith(HALF)]
