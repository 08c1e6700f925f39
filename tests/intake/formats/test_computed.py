"""Whether the formulas of a workbook were computed, is judged alike whatever its format."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import pytest
import xlsxwriter

from pipelines.intake.formats import expressions, open_book, tokens
from pipelines.intake.formats.computed import Steps, written
from pipelines.intake.sheets import Fault, Grid
from tests.intake.formats import test_ods, test_xlsx, test_xml2003
from tests.intake.formats.test_xlsb import opened as xlsb_with
from tests.intake.formats.test_xlsb import record
from tests.intake.formats.written import FORMATS, Formula, Sheet

HEAD = ["名称", "用电量", "电费"]
COMPUTING = ["xlsx", "xlsb", "xls", "ods", "xml"]


def third(format_: str, use: float, held: Any) -> Any:
    """What is read of the formula 用电量 * 0.6 that holds a result."""
    data = FORMATS[format_](Sheet([HEAD, ["甲局", use, Formula("B2*0.6", held)]]))
    assert data is not None
    row = open_book(data).grids[0].rows[1]
    return row[2] if len(row) > 2 else ""


@pytest.mark.parametrize("format_", COMPUTING)
def test_a_writers_zero_is_no_result_and_a_right_zero_is(format_: str) -> None:
    found = third(format_, 1000.0, 0.0)
    assert isinstance(found, Fault) and (found.kind, found.text[-4:]) == ("formula", "*0.6")
    assert third(format_, 0.0, 0.0) == 0.0
    assert third(format_, 1000.0, 600.0) == 600.0


def book(
    cells: Sequence[tuple[str, Any, Any]], other: Sequence[float] = (), arrays: Sequence[tuple[str, str]] = ()
) -> list[Grid]:
    """By XlsxWriter: A2:A4 hold 1000, 2000, 3000; then cells of a place, a formula or value, and a result."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        sheet = made.add_worksheet("汇总")
        sheet.write_column("A1", ["量", 1000, 2000, 3000])
        for place, formula, result in cells:
            sheet.write_formula(place, formula, None, result)
        for area, formula in arrays:
            sheet.write_array_formula(area, formula)
        if other:
            made.add_worksheet("明 细").write_column(0, 0, other)
    return open_book(out.getvalue()).grids


def faults(grid: Grid) -> list[str]:
    return [v.text for r in grid.rows for v in r if isinstance(v, Fault)]


def test_a_result_that_was_given_does_not_vouch_for_zeros_that_were_not() -> None:
    """XlsxWriter asks that all be computed on loading."""
    grid = book([("B2", "=A2*2", 2000), ("B3", "=A3*2", 0)])[0]
    assert (grid.rows[1][1], faults(grid)) == (2000.0, ["=A3*2"])


def test_every_cell_of_an_array_formula_is_told() -> None:
    """XlsxWriter fills the further cells of one with zeros."""
    assert faults(book([], arrays=[("B2:B4", "{=A2:A4*2}")])[0]) == ["=A2:A4*2"] * 3


def test_a_formula_that_refers_to_another_sheet_is_followed() -> None:
    assert faults(book([("B2", "=SUM('明 细'!A1:A3)", 0)], [1, 2, 3])[0]) == ["=SUM('明 细'!A1:A3)"]
    assert book([("B2", "=SUM('明 细'!A1:A3)", 0)], [1, -1, 0])[0].rows[1][1] == 0.0


def test_a_formula_of_which_nothing_can_be_told_is_doubted_where_all_hold_zeros() -> None:
    assert faults(book([("B2", "=SUBTOTAL(109,表1[量])", 0)])[0]) == ["=SUBTOTAL(109,表1[量])"]


def test_an_empty_text_in_place_of_a_result_is_told() -> None:
    """As value='' of XlsxWriter leaves it."""
    grid = book([("B2", "=A2*2", ""), ("B3", '=IF(A3>0,"",1)', "")])[0]
    assert faults(grid) == ["=A2*2"]


def test_a_prepared_row_that_nobody_filled_in_stays_empty() -> None:
    grid = book([("B2", '=IF(A2="","",A2*2)', 0), ("B9", '=IF(A9="","",A9*2)', 0)])[0]
    assert faults(grid) == ['=IF(A2="","",A2*2)']
    assert all(v == "" for r in grid.rows[4:] for v in r)


@pytest.mark.parametrize("held", ["", "<v>0</v>"], ids=["no result", "zero"])
def test_cells_that_share_a_formula_are_told_each_with_its_own(held: str) -> None:
    cells = (
        f'<c r="C2"><f t="shared" ref="C2:C3" si="0">A2*$B$2</f>{held}</c></row>'
        f'<row r="3"><c r="A3"><v>7</v></c><c r="C3"><f t="shared" si="0"/>{held}</c>'
    )
    grid = test_xlsx.opened(test_xlsx.book(cells))
    assert [r[2] for r in grid.rows[1:]] == [Fault("formula", "=A2*$B$2"), Fault("formula", "=A3*B2")]


def test_cells_that_share_a_formula_are_told_in_an_xlsb() -> None:
    product = b"\x4c" + struct.pack("<LH", 0, 0xC000 | 0x3FFF) + b"\x1e\x02\x00\x05"  # the cell to the left * 2
    shared = struct.pack("<4L", 1, 1, 1, 2) + struct.pack("<L", len(product)) + product
    refer = b"\x01" + struct.pack("<L", 1)
    tail = struct.pack("<HL", 0, len(refer)) + refer + struct.pack("<LL", 4, 1)
    first = record(9, struct.pack("<LLd", 1, 0, 0.0) + tail)
    second = record(9, struct.pack("<LLd", 2, 0, 0.0) + tail)
    row = xlsb_with(first + record(427, shared) + second).rows[1]
    assert row[1:] == [Fault("formula", "=A2*2"), Fault("formula", "=B2*2")]


def test_every_cell_of_an_array_formula_is_told_in_an_ods() -> None:
    array = 'table:number-matrix-columns-spanned="2" table:number-matrix-rows-spanned="1"'
    zero = 'office:value-type="float" office:value="0"/>'
    cells = f'<table:table-cell table:formula="of:=[.B1:.B1]*2" {array} {zero}<table:table-cell {zero}'
    assert test_ods.opened(test_ods.book(cells)).rows[0][2:] == [Fault("formula", "=B1:B1*2")] * 2


def test_every_cell_of_an_array_formula_is_told_in_xml() -> None:
    zero = '<Data ss:Type="Number">0</Data></Cell>'
    cells = f'<Cell><Data ss:Type="Number">5</Data></Cell><Cell ss:ArrayRange="RC:RC[1]" ss:Formula="=RC[-1]*2">{zero}<Cell>{zero}'
    assert test_xml2003.grid(f"<Row>{cells}</Row>").rows[0][1:] == [Fault("formula", "=RC[-1]*2")] * 2


@pytest.mark.parametrize(
    ("text", "style", "right"),
    [
        ("=A1+B2*-3%", "a1", "A1+B2*-3%"),
        ('=IF($A$1>=2,"是",)', "a1", 'IF(A1>=2,"是",)'),
        ("=SUM(明细!A1:B2)&TRUE", "a1", "SUM(明细!A1:B2)&TRUE"),
        ("=_xlfn.IFERROR(A1/B1,0)", "a1", "IFERROR(A1/B1,0)"),
        ("=SUM(R1C1:RC[-1])", "r1c1", "SUM(A1:D5)"),
        ("of:=SUM([.A1:.B$2];2)", "odf", "SUM(A1:B2,2)"),
        ("msoxl:=A1*2", "odf", "A1*2"),
        ("={1,2}", "a1", "…"),
        ("=[1]Sheet1!A1", "a1", "…"),
        ("=A1 B1", "a1", "…"),
        ("=(A1", "a1", "…"),
    ],
)
def test_the_text_of_a_formula_is_taken_apart(text: str, style: expressions.Style, right: str) -> None:
    home = (4, 4)
    assert written(expressions.steps(text, style, home), home) == right


def test_products_are_before_sums_and_signs_before_powers() -> None:
    def order(text: str) -> list[Any]:
        steps: Steps = expressions.steps(text, "a1", (0, 0)) or ()
        return [given for _, given in steps]

    assert order("1+2*3") == [1.0, 2.0, 3.0, "*", "+"]
    assert order("1-2-3") == [1.0, 2.0, "-", 3.0, "-"]
    assert order("-2^2") == [2.0, "-", 2.0, "^"]
    assert order('1&2=3') == [1.0, 2.0, "&", 3.0, "="]  # fmt: skip


def test_the_tokens_of_three_versions_say_the_same() -> None:
    two = b"\x1e\x02\x00\x05"
    assert written(tokens.steps(b"\x44\x01\x00\x01" + two, tokens.BIFF5), (0, 0)) == "B2*2"
    assert written(tokens.steps(b"\x44\x01\x00\x01\x00" + two, tokens.BIFF8), (0, 0)) == "B2*2"
    assert written(tokens.steps(b"\x44\x01\x00\x00\x00\x01\x00" + two, tokens.BIFF12), (0, 0)) == "B2*2"
    assert tokens.steps(b"\x7f\x01", tokens.BIFF8) is None
