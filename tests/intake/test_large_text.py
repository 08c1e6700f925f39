"""A large text file is read as columns, and gives what the same file gives when it is read cell by cell."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contract import Column, load_contracts
from pipelines.intake import file_reader, formats
from pipelines.intake.file_reader import FileReader
from pipelines.intake.formats import separated, text
from pipelines.intake.model import FileReading
from pipelines.intake.packed import LargeRows, Packed
from pipelines.intake.pool import FileJob, read_many
from pipelines.intake.readings import tables
from tests.intake.cases import CASES

CONTRACTS = load_contracts()
READERS = {how: FileReader(CONTRACTS) for how in ("at once", "cell by cell")}
LIMIT = {"at once": 0, "cell by cell": sys.maxsize}


def read(data: bytes, name: str, how: str) -> FileReading:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LARGE", LIMIT[how])
        return READERS[how].read(data, name, "0")


def said(reading: FileReading) -> str:
    """All of a reading, down to the types of its values and the sign of a nought."""
    lines = [repr((reading.status, reading.reason, reading.synthetic, reading.issues))]
    for s in reading.sheets:
        lines += [repr((s.sheet, s.dataset, s.submitter, s.period, s.status, s.reason))]
        lines += [repr((s.rows_read, s.rows_explained, s.refused, list(s.rows)))]
        lines += [f"{name}: {list(values)}" for name, values in s.values.items()]
        lines += [*map(repr, s.columns), *map(repr, s.issues)]
    return "\n".join(lines)


def is_at_once(reading: FileReading) -> bool:
    return any(type(v) is Packed for s in reading.sheets for v in s.values.values())


def assert_same(data: bytes, name: str) -> FileReading:
    large, careful = read(data, name, "at once"), read(data, name, "cell by cell")
    assert not is_at_once(careful)
    assert said(large) == said(careful)
    together = [tables([r], CONTRACTS) for r in (large, careful)]
    assert together[0] == together[1]
    return large


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_the_reader(name: str) -> None:
    assert_same(CASES[name](), name)


# ---- tables with dirt of every kind

DIRT = (
    "", "", "-", "—", "无", "/", "N/A", "同上", "〃", "待定", "合计", "小计", "其中：空调", "1,234.5", "1，200", "１２３", "１２，３４５.６", "12.5%", "85％",
    "0.85", "3.03万", "12千瓦时", "5万元", "约500", "'0123", "’12", "2021.1", "2021.10", "2020-12", "2021年3月", "3月", "13月",
    "2021-03-05 16:00:00", "2021/3/1 00:00", "03/04/2021", "20210305", "二〇二一年三月", "1.5E+10", "1e3", "-0", "+7", "007", ".5", "5.",
    "#REF!", "=A1+B2", '="0731"', "(12)", "-5", "1 200", "100 200", "12。5", "12,5", "0,500", "1,234", "99999999999999999999", "nan",
    "inf", "是", "否", "√", "县直", "说明", "备注：见附件", "a\nb", '他说"好"', "甲局", "北    京", "\u300012", "12\u00a0", "１",
)  # fmt: skip


def cells(c: Column) -> st.SearchStrategy[str]:
    clean: st.SearchStrategy[str]
    if c.kind == "decimal":
        clean = st.decimals(0, 10**6, places=2).map(str) | st.integers(0, 10**6).map(str)
    elif c.kind == "integer":
        clean = st.integers(0, 10**5).map(str)
    elif c.kind == "year":
        clean = st.sampled_from(["2021", "2022", "2021年"])
    elif c.kind == "month":
        clean = st.integers(1, 12).map(lambda m: f"2021-{m:02}")
    elif c.kind == "date":
        clean = st.dates().filter(lambda d: d.year > 1950).map(str) | st.just("2021-03-05 16:00:00")
    elif c.kind == "boolean":
        clean = st.sampled_from(["是", "否"])
    elif c.kind == "enum" and c.values:
        clean = st.sampled_from(c.values)
    else:
        clean = st.sampled_from(["甲示范局", "乙示范学校", "丙示范医院", "丁", "430202", "B-12"])
    return st.one_of(clean, clean, clean, clean, st.sampled_from(DIRT))


@st.composite
def large_tables(draw: Any) -> bytes:
    contract = CONTRACTS[draw(st.sampled_from(sorted(CONTRACTS)))]
    columns = [c for c in contract.columns if c.required or draw(st.booleans())]
    columns = draw(st.permutations(columns))
    units = {c.name: draw(st.sampled_from(["", *map(str, c.units)])) for c in columns}
    header = [f"{c.header_zh}（{units[c.name]}）" if units[c.name] else c.header_zh for c in columns]
    header += draw(st.lists(st.sampled_from(["", "其他", "序号"]), max_size=2))
    row = st.tuples(*map(cells, columns)).map(list)
    odd = st.sampled_from([
        [], [""], header, header[:2], ["合计"], ["一、市直单位"], ["填表人：张三", "", "审核人：李四"], ["注：本表不含租赁"], ["2021年度"],
        ["2021-12-31"], ["续表"], ["", "", "合计", "12"], [*["12"] * len(header), "多出"], ["合计", *["24"] * (len(header) - 1)],
    ])  # fmt: skip
    plain = draw(st.lists(row, min_size=1, max_size=6))
    body = draw(st.lists(st.one_of(row, row, row, odd), max_size=25))
    body = plain * draw(st.integers(1, 4)) + body + plain * draw(st.integers(0, 2))
    top = draw(st.sampled_from([[], [["公共机构统计表（2021年度）"]], [["填报单位：甲示范局", "", "单位：万元"], []]]))
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    separator = draw(st.sampled_from([",", ",", "\t", ";"]))
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerows([*top, header, *body])
    return out.getvalue().encode()


@given(large_tables())
@settings(max_examples=100, deadline=None)
def test_tables_with_dirt_of_every_kind(data: bytes) -> None:
    assert_same(data, "报送表.csv")


# ---- texts to cells


def padded(rows: Any) -> list[list[str]]:
    found = [list(r) for r in rows]
    width = max(map(len, found), default=0)
    return [r + [""] * (width - len(r)) for r in found]


@given(st.text(st.sampled_from("a1,,;\"\n\n\r\t '=\u3000\u00a0\x85\x1c\x00单"), max_size=120))
@settings(max_examples=1500, deadline=None)
def test_any_text_gives_the_same_cells(content: str) -> None:
    content = "甲,乙,丙,丁,戊\n" + content
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "LARGE", 0)
        large = text.rows(content)
    careful = text._one_by_one(*text._prepared(content))
    assert padded(large) == padded(careful)


def test_white_space_is_what_python_strips() -> None:
    assert "".join(c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()) == separated.WHITE


def clean_csv(rows: int, *odd: str) -> bytes:
    lines = ["单位名称,月份,用电量(千瓦时),用水量(立方米),天然气用量(立方米)"]
    lines += [f"示范单位{n % 97},2021-{n % 12 + 1:02},{n * 7 % 10_000 / 4},{n % 300 / 8},{n % 50}" for n in range(rows)]
    return "\n".join([*lines, *odd]).encode()


def test_a_large_file_is_read_as_columns_and_a_small_one_is_not() -> None:
    large = FileReader(CONTRACTS).read(clean_csv(20_000), "能耗.csv", "0")
    assert is_at_once(large) and [len(s.rows) for s in large.sheets] == [20_000]
    assert not is_at_once(FileReader(CONTRACTS).read(clean_csv(50), "能耗.csv", "0"))


def test_a_few_odd_rows_leave_the_others_to_columns() -> None:
    odd = (
        "合计,,1,2,3",
        "",
        "示范单位1,2021-03,很多,1,2",
        "单位名称,月份,用电量(千瓦时),用水量(立方米),天然气用量(立方米)",
    )
    data = b"\n".join([clean_csv(300, *odd), *clean_csv(300, "填表人：张三").split(b"\n")[1:]])
    large = assert_same(data, "能耗.csv")
    assert is_at_once(large) and len(large.sheets[0].rows) == 601
    assert {i.code for i in large.sheets[0].issues} >= {"bad_type", "total_mismatch"}


def test_the_rows_of_a_large_text_are_those_of_a_list() -> None:
    rows = separated.large_rows("\n".join(f"{n},a,b,{n * 2}" for n in range(5000)), ",")
    assert isinstance(rows, LargeRows)
    plain = [[str(n), "a", "b", str(n * 2)] for n in range(5000)]
    assert list(rows) == plain and rows[-1] == plain[-1] and rows[1020:1030] == plain[1020:1030]
    assert [list(c) for c in rows.taken([3, 4, 4999])] == [
        list(c) for c in zip(plain[3], plain[4], plain[4999], strict=True)
    ]
    with pytest.raises(IndexError):
        rows[5000]


# ---- texts larger than any other file may be


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LARGEST_FILE", 5_000)
    monkeypatch.setattr(file_reader, "LARGEST_FILE", 5_000)
    monkeypatch.setattr(text, "_PIECE", 700)
    monkeypatch.setattr(text, "HEAD", 2_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(
    "odd", [(), ("合计,,1,2,3", '"示范单位1",2021-03,"1,234.5",1,2', "说明"), ("示范单位2,2021-03,1,2,3\r",)]
)
def test_a_text_larger_than_other_files_may_be_is_read_as_columns(
    small_limits: None, tmp_path: Path, encoding: str, odd: tuple[str, ...]
) -> None:
    data = clean_csv(400, *odd).decode().encode(encoding)
    path = tmp_path / "能耗.csv"
    path.write_bytes(data)
    large = file_reader.read_file(path, path.name, CONTRACTS, "0")
    assert is_at_once(large)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "LARGEST_FILE", 10**9)
        assert said(large) == said(read(data, path.name, "cell by cell"))


@pytest.mark.parametrize(
    "data",
    [
        clean_csv(400).decode().encode("utf-16"),
        clean_csv(400) + b"\xff\xff",
        b"<html><table>" + clean_csv(400),
        b"PK\x03\x04" + clean_csv(400),
        "甲,乙\n1,2\n".encode() * 2000,
        clean_csv(400).replace(b"3,", b"3\x00,"),
        clean_csv(400) + "".join(f'示范"单位{n},2021-03,1,2,3\n' for n in range(9)).encode(),
    ],
)  # fmt: skip
def test_any_other_file_of_that_size_is_too_large(small_limits: None, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "能耗.csv"
    path.write_bytes(data)
    reading = file_reader.read_file(path, path.name, CONTRACTS, "0")
    assert (reading.status, reading.reason) == ("rejected", "too_large")


def test_a_text_beyond_the_last_limit_is_too_large(
    small_limits: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_reader, "LARGEST_TEXT", 9_000)
    path = tmp_path / "能耗.csv"
    path.write_bytes(clean_csv(400))
    assert file_reader.read_file(path, path.name, CONTRACTS, "0").reason == "too_large"


def test_a_reading_process_has_the_memory_for_a_text_of_that_size(tmp_path: Path) -> None:
    path = tmp_path / "能耗.csv"
    path.write_bytes(clean_csv(1_400_000))
    assert path.stat().st_size > 50_000_000
    (reading,) = read_many([FileJob("0", path, path.name)], CONTRACTS, 1)
    assert [len(s.rows) for s in reading.sheets] == [1_400_000]


def test_real_files_and_the_sample_city(shared: Path) -> None:
    """Every text among the real files, the cases of other people and the sample city."""
    seen = at_once = 0
    for folder in ("cases", "realdata", "sample-city"):
        for path in sorted((shared / folder).rglob("*")):
            if path.is_file() and (data := path.read_bytes())[:2] not in (b"PK", b"\xd0\xcf"):
                at_once += is_at_once(assert_same(data, path.name))
                seen += 1
    assert seen > 90 and at_once > 20
