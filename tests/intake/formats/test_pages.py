"""What a page says of its cells besides what it shows, and what of it nobody sees."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Fault, Format, Grid


def grid(rows: str, head: str = "") -> Grid:
    (only,) = open_book(f"<html><head><meta charset=utf-8>{head}</head><table>{rows}</table></html>".encode()).grids
    return only


def value(cell: str, head: str = "") -> Any:
    return grid(f"<tr><td>名</td>{cell}</tr>", head).rows[0][1]


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ('<td sdval="12.3456" sdnum="2052;0;#,##0.00">12.35</td>', 12.3456),  # LibreOffice
        ("<td x:num='123456.789'>123,457</td>", 123456.789),  # Excel, Aspose
        ('<td data-t="n" data-v="0.6" data-z="0">1</td>', 0.6),  # SheetJS
        ('<td data-t="s" data-v="7">7号</td>', "7号"),
        ('<td x:num>1,234.5</td>', "1,234.5"),
        ('<td x:num="123">000123</td>', "000123"),
        ('<td sdval="44256" sdnum="2052;0;YYYY-MM-DD">21/3/1</td>', dt.date(2021, 3, 1)),
        ('<td sdval="44256.4375" sdnum="2052;0;YYYY-MM-DD HH:MM">21/3/1 10:30</td>', dt.datetime(2021, 3, 1, 10, 30)),
        ("<td style='mso-number-format:\"yyyy\\/m\\/d\"' x:num=\"44256\">####</td>", dt.date(2021, 3, 1)),
        ("<td style='mso-number-format:\"Short Date\"' x:num=\"44256\">####</td>", dt.date(2021, 3, 1)),
        ('<td x:num="1234567">#####</td>', 1234567.0),
        ('<td x:num="44256">2021年3月1日</td>', "2021年3月1日"),  # no format: what is shown tells more
        ('<td x:str>430200</td>', "430200"),
        ('<td x:err="#REF!">#REF!</td>', Fault("error", "#REF!")),
    ],
)  # fmt: skip
def test_the_exact_value_is_read(cell: str, right: Any) -> None:
    got = value(cell)
    assert got == right
    assert type(got) is type(right)


def test_a_class_of_the_style_sheet_tells_the_format() -> None:
    style = '<style><!--\n.xl65 {mso-style-parent:style0;mso-number-format:"0\\.00%";}\n.xl66{mso-number-format:"0\\.00\\0022万元\\0022";}\n.xl67 {mso-number-format:"yyyy\\/m\\/d";}\n--></style>'
    g = grid(
        '<tr><td class=xl65 x:num="0.15523">15.52%</td><td class=xl66 x:num="12.345">12.35万元</td><td class=xl67 x:num="44256">###</td></tr>',
        style,
    )
    assert g.rows == [[0.15523, 12.345, dt.date(2021, 3, 1)]]
    assert g.formats() == {(0, 0): Format("0.00%", percent=True), (0, 1): Format('0.00"万元"', unit="万元")}


def test_a_share_whose_format_the_page_does_not_tell_is_a_percentage() -> None:
    g = grid('<tr><td x:num="0.15523">15.52%</td></tr>')
    assert g.rows == [[0.15523]]
    assert g.formats() == {(0, 0): Format("0.00%", percent=True)}


def test_days_count_from_1904_where_the_page_says_so() -> None:
    island = "<!--[if gte mso 9]><xml><x:ExcelWorkbook><x:Date1904/></x:ExcelWorkbook></xml><![endif]-->"
    cell = '<td style=\'mso-number-format:"yyyy\\-mm\\-dd"\' x:num="42794">x</td>'
    assert value(cell, island) == dt.date(2021, 3, 1)


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ("<td>12500<sup>1</sup></td>", Fault("marked", "125001")),
        ("<td><font>2021年</font><sup>①</sup></td>", Fault("marked", "2021年①")),
        ("<td>12500<span style='vertical-align:super'>1</span></td>", Fault("marked", "125001")),
        ("<td>面积（m<sup>2</sup>）</td>", "面积（m2）"),
        ("<td>CO<sub>2</sub></td>", "CO2"),
        ("<td><s>1200</s>1500</td>", Fault("struck", "12001500")),
        ("<td><strike>1200</strike> 1500</td>", Fault("struck", "1200 1500")),
        ("<td><del>1200</del>1500</td>", Fault("struck", "12001500")),
        ("<td><span style='text-decoration:line-through'>1200</span>1500</td>", Fault("struck", "12001500")),
        ("<td><s>1200</s></td>", "1200"),  # as a whole: as in a workbook
        ("<td>20<br>30</td>", "20\n30"),
        ("<td>20<br/>30</td>", "20\n30"),
        ("<td>20<br>\r\n  30</td>", "20\n30"),  # Excel begins a new line of the source behind <br>
        ("<td>\r\n  甲局\r\n  乙处\r\n</td>", "甲局 乙处"),  # a line of the source is no line of the text
    ],
)
def test_marks_at_a_text_are_told(cell: str, right: Any) -> None:
    assert value(cell) == right


@pytest.mark.parametrize(
    "note",
    [
        '<a class="comment-indicator"></a><comment>请填全称</comment>',  # LibreOffice
        '<a class=msocomanchor href="#_msocom_1">[1]</a>',  # Excel
        '<span style="display:none">x</span>',
    ],
)
def test_a_comment_is_no_part_of_its_cell(note: str) -> None:
    assert value(f"<td>单位名称{note}</td>") == "单位名称"


def test_hidden_rows_and_columns_are_told() -> None:
    g = grid(
        "<col width=70 span=2><col style='display:none' span=2><tr><td>a</td><td>b</td><td>c</td></tr>"
        "<tr style='mso-height-source:userset;display:none'><td>1</td><td>2</td><td>3</td></tr><tr><td>4</td></tr>"
    )
    assert g.hidden_rows == [2]
    assert g.hidden_columns == [(2, 3)]
    assert g.rows[1] == ["1", "2", "3"]


def test_a_hidden_sheet_is_not_read() -> None:
    island = "<xml><x:WorksheetOptions><x:Visible>SheetVeryHidden</x:Visible></x:WorksheetOptions></xml>"
    g = grid("<tr><td>藏</td></tr>", f"<!--[if gte mso 9]>{island}<![endif]-->")
    assert g.hidden
    assert g.rows == []


def archive(*parts: tuple[str, str]) -> bytes:
    lines = ['MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n']
    for name, page in parts:
        lines.append(
            f"--b\r\nContent-Location: file:///C:/x.files/{name}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n"
        )
    return ("\r\n".join(lines) + "--b--\r\n").encode()


def test_hidden_sheets_of_a_page_in_one_file_are_not_read() -> None:
    """Excel lists them in the first part; Aspose says it in the sheet's own."""
    seen, listed, own = (
        "<table><tr><td>见</td></tr></table>",
        "<table><tr><td>藏</td></tr></table>",
        (
            "<xml><x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></xml><table><tr><td>密</td></tr></table>"
        ),
    )
    sheet = '<x:ExcelWorksheet><x:Name>{0}</x:Name><x:WorksheetSource HRef="x.files/{1}"/>{2}</x:ExcelWorksheet>'
    options = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    index = (
        "<xml><x:ExcelWorkbook><x:ExcelWorksheets>"
        + "".join(
            [sheet.format("一", "s1.htm", ""), sheet.format("二", "s2.htm", options), sheet.format("三", "s3.htm", "")]
        )
        + "</x:ExcelWorksheets></x:ExcelWorkbook></xml>"
    )
    book = open_book(archive(("x.htm", index), ("s1.htm", seen), ("s2.htm", listed), ("s3.htm", own)))
    assert [g.hidden for g in book.grids] == [False, True, True]
    assert book.grids[0].rows == [["见"]]
    assert "藏" not in repr(book) and "密" not in repr(book)


def test_dots_without_a_rule_in_a_long_style_sheet_cost_little() -> None:
    assert grid("<tr><td>a</td></tr>", "<style>" + ".a" * 100_000 + "</style>").rows == [["a"]]
