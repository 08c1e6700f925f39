"""What a workbook of Excel 2003 in XML says of its cells."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Fault, Format, Grid

SPACE = "urn:schemas-microsoft-com:office:spreadsheet"


def grid(table: str, styles: str = "", more: str = "") -> Grid:
    whole = (
        f'<?xml version="1.0"?><Workbook xmlns="{SPACE}" xmlns:ss="{SPACE}" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        f'<Styles><Style ss:ID="Default"/>{styles}</Styles><Worksheet ss:Name="表"><Table>{table}</Table></Worksheet>{more}</Workbook>'
    )
    (only,) = open_book(whole.encode()).grids
    return only


def number(value: float, style: str | None = None) -> str:
    return (
        f'<Cell{f" ss:StyleID={chr(34)}{style}{chr(34)}" if style else ""}><Data ss:Type="Number">{value}</Data></Cell>'
    )


STYLES = """<Style ss:ID="p"><NumberFormat ss:Format="Percent"/></Style><Style ss:ID="q" ss:Parent="p"/>
<Style ss:ID="w"><NumberFormat ss:Format="0!.0,"/></Style><Style ss:ID="u"><NumberFormat ss:Format="0.00&quot;万元&quot;"/></Style>
<Style ss:ID="z"><NumberFormat ss:Format="000000"/></Style>"""


def test_number_formats_are_told() -> None:
    g = grid("<Row>" + "".join(number(0.5, s) for s in ("p", "q", "w", "u", "z")) + number(0.5) + "</Row>", STYLES)
    assert g.formats() == {
        (0, 0): Format("0.00%", percent=True),
        (0, 1): Format("0.00%", percent=True),
        (0, 2): Format("0!.0,", power=4),
        (0, 3): Format('0.00"万元"', unit="万元"),
        (0, 4): Format("000000", zeros=6),
    }


@pytest.mark.parametrize(
    ("table", "place"),
    [
        (f'<Row ss:StyleID="p">{number(0.5)}</Row>', (0, 0)),
        (f'<Column/><Column ss:StyleID="p"/><Row>{number(1)}{number(0.5)}</Row>', (0, 1)),
        ('<Row ss:Index="3"><Cell ss:Index="4" ss:StyleID="p"><Data ss:Type="Number">0.5</Data></Cell></Row>', (2, 3)),
    ],
)  # fmt: skip
def test_a_format_may_be_of_a_row_or_a_column(table: str, place: tuple[int, int]) -> None:
    assert grid(table, STYLES).formats() == {place: Format("0.00%", percent=True)}


@pytest.mark.parametrize(
    ("cell", "right"),
    [
        ('<Cell ss:Formula="=RC[-1]*0.6"/>', Fault("formula", "=RC[-1]*0.6")),
        ('<Cell ss:Formula="=IF(1,&quot;&quot;)"><Data ss:Type="String"></Data></Cell>', ""),
        ('<Cell ss:Formula="=RC[-1]*0.6"><Data ss:Type="Number">600</Data></Cell>', 600.0),
        ('<Cell><Data ss:Type="Error">#REF!</Data></Cell>', Fault("error", "#REF!")),
        ('<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">12500<Sup>1</Sup></ss:Data></Cell>', Fault("marked", "125001")),
        ('<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><S>1200</S>1500</ss:Data></Cell>', Fault("struck", "12001500")),
        ('<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>m</B><Sup>2</Sup></ss:Data></Cell>', "m2"),
    ],
)  # fmt: skip
def test_what_a_cell_holds(cell: str, right: Any) -> None:
    assert grid(f'<Row><Cell><Data ss:Type="String">名</Data></Cell>{cell}</Row>').rows[0][1] == right


def test_rows_hidden_or_of_no_height_are_told_at_their_place() -> None:
    g = grid(
        f'<Row>{number(1)}</Row><Row ss:Hidden="1" ss:Span="1">{number(2)}</Row><Row>{number(3)}</Row>'
        f'<Row ss:Height="0">{number(4)}</Row><Row ss:Index="9" ss:Hidden="1">{number(5)}</Row>'
    )
    assert g.rows == [[1.0], [2.0], [], [3.0], [4.0], [], [], [], [5.0]]
    assert g.hidden_rows == [2, 5, 9]


def test_whether_days_count_from_1904_is_told() -> None:
    more = '<ExcelWorkbook xmlns="urn:schemas-microsoft-com:office:excel"><Date1904/></ExcelWorkbook>'
    whole = f'<Workbook xmlns="{SPACE}" xmlns:ss="{SPACE}">{{}}<Worksheet ss:Name="a"><Table/></Worksheet></Workbook>'
    assert open_book(whole.format(more).encode()).is_1904()
    assert not open_book(whole.format("").encode()).is_1904()


def test_a_blank_text_in_the_last_row_is_no_row() -> None:
    blank = '<Row ss:Index="1048576"><Cell ss:Index="9"><Data ss:Type="String"> </Data></Cell></Row>'
    assert grid(f"<Row>{number(1)}</Row>{blank}").rows == [[1.0]]
    assert len(grid(f"<Row>{number(1)}</Row>{blank.replace('> <', '>甲<')}").rows) == 1_048_576


@pytest.mark.parametrize(("code", "right"), [("Short Date", dt.date(2021, 3, 1)), ("yyyy\\-mm", dt.date(2021, 3, 1)), ("0.0", 44256.0)])  # fmt: skip
def test_numbers_that_are_shown_as_days_are_days(code: str, right: Any) -> None:
    """SheetJS writes days so, Excel as days."""
    style = f'<Style ss:ID="d"><NumberFormat ss:Format="{code}"/></Style>'
    assert grid(f"<Row>{number(44256, 'd')}</Row>", style).rows == [[right]]


def test_a_workbook_in_gbk_is_read() -> None:
    text = f'<?xml version="1.0" encoding="GBK"?><Workbook xmlns="{SPACE}" xmlns:ss="{SPACE}"><Worksheet ss:Name="表"><Table><Row><Cell><Data ss:Type="String">单位名称</Data></Cell></Row></Table></Worksheet></Workbook>'
    (only,) = open_book(text.encode("gbk")).grids
    assert (only.name, only.rows) == ("表", [["单位名称"]])


def test_a_cell_beside_one_that_is_merged_downwards_stands_where_it_is_shown() -> None:
    g = grid(f'<Row><Cell ss:MergeDown="1"/>{number(1)}</Row><Row>{number(2)}</Row><Row>{number(3)}</Row>')
    assert (g.rows, g.merges) == ([["", 1.0], ["", 2.0], [3.0]], [(0, 0, 1, 0)])
