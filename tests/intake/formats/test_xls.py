"""What the records of an .xls tell: formulas without a result, errors, formats, hidden and merged cells, marked texts."""

from __future__ import annotations

import datetime as dt
import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlwt

from pipelines.intake.formats import open_book
from pipelines.intake.formats.xls import _xlrd
from pipelines.intake.sheets import Fault, Format, Grid

EMPTY = b"\x03\0\0\0\0\0\xff\xff"


def xls(cells: Sequence[Sequence[Any]], then: Callable[[Any, Any], None] | None = None) -> bytes:
    """One sheet by xlwt: a text that begins with = is a formula, for whose result it writes an empty text."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("表")
    for r, row in enumerate(cells):
        for c, v in enumerate(row):
            if v is not None:
                sheet.write(r, c, xlwt.Formula(v[1:]) if isinstance(v, str) and v.startswith("=") else v)
    if then:
        then(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def holding(data: bytes, *results: float | None, on_load: bool = False) -> bytes:
    """The file with these numbers as the results of its formulas, in their order; None leaves the empty text."""
    for result in results:
        at = data.index(EMPTY)
        number = b"\x03\0\0\0\0\1\xff\xff" if result is None else struct.pack("<d", result)
        data = data[:at] + number + (b"\x02\0" if on_load else b"\0\0") + data[at + 10 :]
    return data.replace(b"\x03\0\0\0\0\1\xff\xff", EMPTY)


def grid(data: bytes) -> Grid:
    (only,) = open_book(data).grids
    return only


def kinds(data: bytes) -> list[str | None]:
    """Of the last column from the second row on: the kind of its faults."""
    g = grid(data)
    return [r[-1].kind if isinstance(r[-1], Fault) else None for r in g.rows[1:]]


USE = [["月份", "用电量", "电费"], ["2024-01", 1000, "=B2*0.6"], ["2024-02", 2000, "=B3*0.6"]]


def test_an_empty_text_that_no_product_gives_is_no_result() -> None:
    assert grid(xls(USE)).rows[1:] == [
        ["2024-01", 1000, Fault("formula", "=B2*0.6")],
        ["2024-02", 2000, Fault("formula", "=B3*0.6")],
    ]


def test_an_empty_text_that_the_formula_gives_is_a_result() -> None:
    rows = [["月份", "用电量", "电费"], ["2024-01", 1000, 600.0], [None, None, '=IF(B3="","",B3*0.6)']]
    assert grid(xls(rows)).rows[1][2] == 600.0
    assert not any(isinstance(v, Fault) for r in grid(xls(rows)).rows for v in r)


def test_an_empty_text_is_no_result_where_the_condition_is_false() -> None:
    rows = [["月份", "用电量", "电费"], ["2024-01", 1000, '=IF(B2="","",B2*0.6)'], [None, None, '=IF(B3="","",B3*0.6)']]
    for data in (xls(rows), holding(xls(rows), 0.0, 0.0)):
        assert kinds(data)[:1] == ["formula"]
        # A prepared row that nobody filled in: its formula gives an empty text, whoever computes it.
        assert not any(isinstance(v, Fault) or v for r in grid(data).rows[2:] for v in r)


def test_formulas_of_words_that_give_something_are_not_empty() -> None:
    assert grid(xls([["名称"], ['=A1&"二期"']])).rows[1] == [Fault("formula", '=A1&"二期"')]


@pytest.mark.parametrize("constant", [0.0, 4.0])
def test_a_writers_constant_is_no_result(constant: float) -> None:
    assert kinds(holding(xls(USE), constant, constant)) == ["formula", "formula"]


def test_a_sum_of_results_that_nobody_computed_is_none() -> None:
    rows = [*USE, ["合计", None, "=SUM(C2:C3)"]]
    assert kinds(holding(xls(rows), 0.0, 0.0, 0.0)) == ["formula"] * 3


def test_results_that_are_right_stay() -> None:
    rows = [*USE, ["合计", None, "=SUM(C2:C3)"]]
    assert [r[2] for r in grid(holding(xls(rows), 600, 1200, 1800)).rows[1:]] == [600, 1200, 1800]


def test_zeros_that_are_right_stay() -> None:
    rows = [
        ["月份", "用电量", "电费"],
        ["2024-01", 0, "=B2*0.6"],
        ["2024-02", None, "=B3*0.6"],
        ["合计", None, "=SUM(C2:C3)"],
    ]
    assert [r[2] for r in grid(holding(xls(rows), 0, 0, 0)).rows[1:]] == [0, 0, 0]


def test_equal_results_that_are_right_stay() -> None:
    rows = [["月份", "用电量", "人均"], ["2024-01", 8, "=B2/2"], ["2024-02", 8, "=AVERAGE(B3:B3)/2"]]
    assert [r[2] for r in grid(holding(xls(rows), 4, 4)).rows[1:]] == [4, 4]


LOOKED_UP = [["月份", "用电量", "电费"], ["2024-01", 1000, "=VLOOKUP(A2,A1:B3,2)"], ["2024-02", 2000, "=POWER(B3,2)"]]


def by_excel(data: bytes) -> bytes:
    """The file without the build that xlwt has from Excel 97."""
    return data.replace(b"\xbb\x0d\xcc\x07", b"\x7c\x20\xcd\x07")


@pytest.mark.parametrize("result", [0.0, None])
def test_constants_of_a_writer_that_leaves_computing_to_others_are_no_results(result: float | None) -> None:
    assert kinds(by_excel(holding(xls(LOOKED_UP), result, result, on_load=True))) == ["formula", "formula"]
    assert kinds(holding(xls(LOOKED_UP), result, result)) == ["formula", "formula"]  # by its build a library wrote it


@pytest.mark.parametrize("result", [0.0, None])
def test_constants_that_may_be_results_stay(result: float | None) -> None:
    rows = [*LOOKED_UP[:2], ["2024-02", 2000, "=VLOOKUP(A3,A1:B3,2)"]]
    assert kinds(by_excel(holding(xls(rows), result, result))) == [None, None]


@pytest.mark.parametrize(
    "formula", ["ROUND(B2*0.6,2)", "INT(B2/3)", "ABS(B2)", "(B2+10)%", "-B2", "IF(B2>1,B2*2,0)", "MAX(B2,1)-1"]
)
def test_zeros_that_no_such_formula_gives_are_no_results(formula: str) -> None:
    rows = [["月份", "用电量", "电费"], ["2024-01", 1000, f"={formula}"]]
    assert kinds(by_excel(holding(xls(rows), 0.0))) == ["formula"]


def test_a_number_is_no_result_of_a_formula_of_words() -> None:
    rows = [["项目", "年度"], ['="照明"&"改造"', 2024], ["=B2+1", 2025]]
    g = grid(holding(xls(rows), 0, 2025))
    assert g.rows[1][0] == Fault("formula", '="照明"&"改造"')
    assert g.rows[2][0] == 2025


def test_errors_stand_as_errors_in_columns_of_any_kind() -> None:
    def errors(_book: Any, sheet: Any) -> None:
        sheet.row(1).set_cell_error(0, "#REF!")
        sheet.row(2).set_cell_error(3, "#N/A!")  # beyond the last value, where the grid ends

    g = grid(xls([["名称", "数"], [None, 1], ["乙", 2]], errors))
    assert g.rows[1][0] == Fault("error", "#REF!")
    assert g.rows[2][3] == Fault("error", "#N/A")


def test_an_error_where_no_cell_can_be_is_left() -> None:
    data = xls([["名称"], ["甲"]], lambda _book, sheet: sheet.row(1).set_cell_error(1, "#REF!"))
    at = data.index(b"\x05\x02\x08\0\1\0\1\0")
    rows = grid(data[: at + 6] + b"\xff\xff" + data[at + 8 :]).rows
    assert [r[0] for r in rows] == ["名称", "甲"]
    assert not any(isinstance(v, Fault) for r in rows for v in r)


def test_number_formats_are_told() -> None:
    def styled(book: Any, sheet: Any) -> None:
        for r, (v, code) in enumerate(
            [(0.85, "0.0%"), (123456, "0!.0,"), (12.5, '0.00"万元"'), (123, "000000"), (5, "0.00")]
        ):
            sheet.write(r, 0, v, xlwt.easyxf(num_format_str=code))

    formats = grid(xls([], styled)).formats()
    assert formats == {
        (0, 0): Format("0.0%", percent=True),
        (1, 0): Format("0!.0,", power=4),
        (2, 0): Format('0.00"万元"', unit="万元"),
        (3, 0): Format("000000", zeros=6),
    }


@pytest.mark.parametrize("number", [30, 50, 58])
def test_a_number_format_is_what_its_record_says(number: int) -> None:
    def styled(_book: Any, sheet: Any) -> None:
        sheet.write(0, 0, 1000.5, xlwt.easyxf(num_format_str="0.0000"))

    data = xls([], styled)
    code = b"\x06\0\x000.0000"
    at = data.index(code) - 2
    old, new = data[at : at + 2], struct.pack("<H", number)
    data = data[:at] + new + data[at + 2 :]
    xf = data.rindex(b"\xe0\0\x14\0")  # the last style is the cell's
    assert data[xf + 6 : xf + 8] == old
    data = data[: xf + 6] + new + data[xf + 8 :]
    assert grid(data).rows == [[1000.5]]


def test_a_time_of_day_is_one_whichever_library_reads_it() -> None:
    def styled(_book: Any, sheet: Any) -> None:
        sheet.write(0, 0, 0.4375, xlwt.easyxf(num_format_str="h:mm"))
        sheet.row(0).set_cell_error(1, "#REF!")

    data = xls([], styled)
    assert grid(data).rows[0][0] == dt.time(10, 30)
    assert [r[0] for r in _xlrd(data)[0].rows] == [dt.time(10, 30)]


def test_hidden_rows_and_rows_of_no_height_and_hidden_columns_are_told() -> None:
    def hide(_book: Any, sheet: Any) -> None:
        sheet.row(1).hidden = True
        sheet.row(2).height_mismatch, sheet.row(2).height = True, 0
        sheet.col(1).hidden = True

    g = grid(xls([["a", "b"], [1, 2], [3, 4], [5, 6]], hide))
    assert g.hidden_rows == [2, 3]
    assert g.hidden_columns == [(1, 1)]


def test_merged_cells_are_told_wherever_their_record_stands() -> None:
    """Spreadsheet::WriteExcel puts it among the cells."""

    def merge(_book: Any, sheet: Any) -> None:
        sheet.merge(1, 2, 0, 0)

    data = xls([["a", "b"], ["x", 1], [None, 2]], merge)
    stream = data.index(b"\xe5\0\x0a\0")
    record = data[stream : stream + 14]
    dimensions = data.index(b"\0\2\x0e\0") + 18
    moved = data[:dimensions] + record + data[dimensions:stream] + data[stream + 14 :]
    for d in (data, moved):
        assert grid(d).merges == [(1, 0, 2, 0)]


def test_struck_and_raised_parts_of_a_text_are_told() -> None:
    struck, raised = xlwt.easyfont("struck_out true"), xlwt.easyfont("escapement superscript")
    plain = xlwt.easyfont("")

    def rich(_book: Any, sheet: Any) -> None:
        sheet.write_rich_text(0, 0, [("1200", struck), ("1500", plain)])
        sheet.write_rich_text(1, 0, [("12500", plain), ("1", raised)])
        sheet.write_rich_text(2, 0, [("面积m", plain), ("2", raised)])
        sheet.write_rich_text(3, 0, [("𠮷村", plain), ("12", plain), ("1", raised)])
        sheet.write_rich_text(4, 0, [("废", struck), ("止", struck)])

    assert [r[0] for r in grid(xls([], rich)).rows] == [
        Fault("struck", "12001500"),
        Fault("marked", "125001"),
        "面积m2",
        Fault("marked", "𠮷村121"),
        "废止",
    ]


def bare(texts: Sequence[bytes], version: int = 0x809) -> bytes:
    """What the copied PHP function xlsBOF() and its like write: records without a container."""
    first = (
        struct.pack("<6H", version, 8, 0, 0x10, 0, 0) if version == 0x809 else struct.pack("<4H", version, 4, 0, 0x10)
    )
    out = [first]
    for c, t in enumerate(texts):
        if version == 0x009:
            out.append(struct.pack("<4H3BB", 0x04, 8 + len(t), 0, c, 0, 0, 0, len(t)) + t)
        else:
            out.append(struct.pack("<6H", 0x204, 8 + len(t), 0, c, 0, len(t)) + t)
    number = (
        struct.pack("<4H3Bd", 0x03, 15, 1, 0, 0, 0, 0, 1000.5)
        if version == 0x009
        else struct.pack("<5Hd", 0x203, 14, 1, 0, 0, 1000.5)
    )
    return b"".join([*out, number, struct.pack("<2H", 0x0A, 0)])


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("version", [0x009, 0x209, 0x409, 0x809])
def test_a_bare_stream_is_read_whatever_its_encoding(version: int, encoding: str) -> None:
    heads = ["单位名称", "用电量（千瓦时）", "用水量（吨）"]
    g = grid(bare([h.encode(encoding) for h in heads], version))
    assert g.rows[0] == heads
    assert g.rows[1][0] == 1000.5
