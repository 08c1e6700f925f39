"""Rows that belong to a header, above a table and below one: long names, translations, blanks as programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import SheetReading
from tests.intake.layout.trial import column, contracts, reading, sheet

ENERGY = load_contracts(only=["energy_use"])
LONG = "用电量\nElectricity consumed by the institution itself, with its canteens and its charging piles (kWh)"
WATER = "用水量\nWater taken from the public supply, with what was used in canteens and for the grounds (cu m)"


def taken(*sheets: SheetReading) -> list[tuple[Any, ...]]:
    names = ("org_name", "month", "electricity", "water")
    return [row for s in sheets for row in zip(*(s.values[n] for n in names), strict=True)]


@pytest.mark.parametrize("pad", ["", " of all buildings that it uses" * 2])
def test_a_header_of_long_names_below_a_table_ends_it(pad: str) -> None:
    names = ["单位名称\nName of the institution as it stands in the register of institutions" + pad, "月份\nMonth"]
    water, electricity = (t.replace(" (", pad + " (") for t in (WATER, LONG))
    first = [[*names, electricity, water], ["甲局", "2021-01", 10.0, 1.0], ["甲局", "2021-02", 20.0, 2.0]]
    below = [[*names, water, electricity], ["乙局", "2021-01", 3.0, 30.0], ["乙局", "2021-02", 4.0, 40.0]]
    read = reading(ENERGY, [*first, *below])
    assert taken(*(s for s in read.sheets if s.dataset)) == [
        ("甲局", "2021-01", 10.0, 1.0), ("甲局", "2021-02", 20.0, 2.0),
        ("乙局", "2021-01", 30.0, 3.0), ("乙局", "2021-02", 40.0, 4.0),
    ]  # fmt: skip


CHINESE = ["地区", "申请件数", "注册件数"]
MARKS = [
    column("region", "地区", key=1),
    column("applied", "申请件数", "integer"),
    column("registered", "注册件数", "integer"),
    column("valid", "有效注册量", "integer"),
]
REGIONS = [["北京", 300.0, 200.0], ["天津", 30.0, 20.0], ["河北", 60.0, 40.0]]


@pytest.mark.parametrize(
    "english",
    [
        [["Region", "Applications", "Registered"]],
        [["Region", "Number of", "Number of"], ["", "Applications", "Registrations"]],
        [["Region", "Number", "Number"], ["", "of Appli-", "of"], ["", "cations", "Registrations"]],
        [
            ["Region or", "Number of", "Number of"],
            ["Country", "Applications", "Registrations"],
            ["", "Filed", "(by 2016)"],
        ],
        [["Region", "Total of", ""], ["", "Applications", "of which:"], ["", "(cases)", "Registered"]],
    ],
)
def test_english_lines_under_a_chinese_header_are_header(english: list[list[Any]], tmp_path: Path) -> None:
    read = sheet(contracts(tmp_path, *MARKS), [CHINESE, *english, *REGIONS])
    assert read.values["region"] == ["北京", "天津", "河北"]
    assert read.values["registered"] == [200, 20, 40]
    assert read.issues == []


def test_rows_in_english_are_data(tmp_path: Path) -> None:
    rows = [["Beijing", "Not Available", "N/A"], ["Tianjin", 30.0, 20.0], ["Hebei", 60.0, 40.0]]
    read = sheet(contracts(tmp_path, *MARKS), [CHINESE, *rows])
    assert read.values["region"] == ["Beijing", "Tianjin", "Hebei"]


def test_rows_of_texts_in_english_are_data(tmp_path: Path) -> None:
    own = column("park", "园区", key=1), column("address", "地址"), column("area", "面积", "number", unit="㎡")
    rows = [["North Park", "Main Street", ""], ["South Park", "Mill Lane", ""], ["East Park", "Old Road", 5.0]]
    assert sheet(contracts(tmp_path, *own), [["园区", "地址", "面积"], *rows]).values["park"] == [r[0] for r in rows]


@pytest.mark.parametrize("nothing", ["NA", "N/A", "-", "—", "NULL"])
def test_a_word_for_nothing_in_a_header_of_a_text_file_is_a_blank(nothing: str) -> None:
    text = (
        "某市单位用能情况,NA,NA,NA\n填报单位：甲局,NA,NA,NA\nNA,NA,能源消耗,NA\n月份,单位名称,用电量,用水量\n"
        "2021-01,甲局,10,1\n2021-02,甲局,20,2\n"
    ).replace("NA", nothing)
    (read,) = FileReader(ENERGY).read(text.encode(), "a.csv").sheets
    assert taken(read) == [("甲局", "2021-01", 10.0, 1.0), ("甲局", "2021-02", 20.0, 2.0)]
    assert read.submitter == "甲局"
    assert read.issues == []


@pytest.mark.parametrize("nothing", ["NA", "n/a", "--"])
def test_a_word_for_nothing_under_and_beside_names_is_a_blank(nothing: str) -> None:
    text = (
        "单位名称,月份,用电量,用水量,NA\nNA,NA,（千瓦时）,（立方米）,NA\n甲局,2021-01,10,1,NA\n甲局,2021-02,20,2,NA\n"
    )
    (read,) = FileReader(ENERGY).read(text.replace("NA", nothing).encode(), "a.csv").sheets
    assert taken(read) == [("甲局", "2021-01", 10.0, 1.0), ("甲局", "2021-02", 20.0, 2.0)]
    assert read.issues == []


TAXES = [column("region", "地区", key=1)] + [
    column(n, h, "number", unit="元") for n, h in (("revenue", "税收收入"), ("vat", "增值税"), ("income", "企业所得税"))
]


def test_key_columns_alone_are_no_table(tmp_path: Path) -> None:
    found = contracts(tmp_path, *TAXES)
    read = reading(found, [["地区", "资源税", "印花税"], ["北京", 5.0, 6.0], ["天津", 7.0, 8.0]])
    assert read.status == "rejected" and read.reason in ("unknown_dataset", "missing_column")
    assert all(not s.rows for s in read.sheets)
    named = reading(found, [["试验表"], ["地区", "资源税", "印花税"], ["北京", 5.0, 6.0], ["天津", 7.0, 8.0]])
    assert named.status == "rejected"
    told = [*named.issues, *(i for s in named.sheets for i in s.issues if i.severity == "error")]
    assert any("税收收入" in i.message_zh and "增值税" in i.message_zh for i in told)


def test_a_named_sheet_of_too_many_unknown_headers_is_refused(tmp_path: Path) -> None:
    rows = [["试验表"], ["地区", "税收收入", "甲项", "乙项", "丙项", "丁项"], ["北京", 5.0, 6.0, 7.0, 8.0, 9.0]]
    read = reading(contracts(tmp_path, *TAXES[:2]), rows)
    assert (read.status, read.reason) == ("rejected", "unknown_dataset")


def test_a_page_of_other_columns_below_ends_a_table(tmp_path: Path) -> None:
    pages = [
        ["7-5 各地区税收收入"], ["地区", "税收收入", "增值税"], ["Region", "Tax Revenue", "Value Added Tax"],
        ["北京", 50.0, 30.0], ["天津", 40.0, 20.0],
        ["7-5 续表 1 continued"], ["地区", "资源税", "印花税"], ["Region", "Resource Tax", "Stamp Tax"],
        ["北京", 5.0, 6.0], ["天津", 7.0, 8.0],
    ]  # fmt: skip
    read = reading(contracts(tmp_path, *TAXES), pages)
    assert [(s.values["region"], s.values["revenue"]) for s in read.sheets if s.dataset] == [
        (["北京", "天津"], [50.0, 40.0])
    ]
    assert read.status == "partial"
    assert [(i.code, i.row) for s in read.sheets for i in s.issues] == [("unknown_dataset", 7)]


def test_a_list_without_numbers_is_a_table() -> None:
    found = load_contracts(only=["meetings"])
    head = [found["meetings"].column(n).header_zh for n in found["meetings"].key]
    kind = found["meetings"].column("type").values[0]
    assert len(sheet(found, [head, [kind, "2021-03-05"], [kind, "2021-04-06"]]).rows) == 2
