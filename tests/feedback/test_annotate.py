"""The file sent back: the department's own cells, the wrong ones marked, and a list of what to mend."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from expectations.contract import load_contracts
from pipelines.feedback import annotate as module
from pipelines.feedback.annotate import (
    ERROR_FILL,
    FIRST_SHEET,
    HEADINGS,
    SHEET_OF_TEXT,
    WARNING_FILL,
    annotate,
    annotated,
    marks_of,
)
from pipelines.intake.file_reader import read_file
from pipelines.intake.formats import open_book
from pipelines.intake.model import Issue


def issue(**over: Any) -> Issue:
    known: dict[str, Any] = {
        "sheet": "报表", "row": 4, "column": "spaces", "cell": "B4", "code": "bad_type", "severity": "error",
        "raw_value": "很多", "message_zh": "填的是“很多”，读不成整数。", "message_en": "not a number",
    }  # fmt: skip
    return Issue(**known | over)


def workbook(change: Any = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "报表"
    for row in (
        ("停车场", None),
        (None, None),
        ("名称", "车位"),
        ("东门", "很多"),
        ("西门", 12),
        ("合计", "=SUM(B4:B5)"),
    ):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet["A5"].font = Font(bold=True, color="00112233")
    sheet.column_dimensions["A"].width = 33
    sheet.row_dimensions[5].height = 41
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def marked(data: bytes, issues: list[Any], name: str = "报表.xlsx") -> Any:
    return openpyxl.load_workbook(io.BytesIO(annotated((data, name, marks_of(issues)))))


def listed(book: Any) -> list[tuple[Any, ...]]:
    """The lines of the first sheet below its headings."""
    rows = list(book[FIRST_SHEET].iter_rows(values_only=True))
    return rows[rows.index(HEADINGS) + 1 :]


def fill(cell: Any) -> str | None:
    return str(cell.fill.start_color.rgb)[-6:] if cell.fill.fill_type else None


def test_a_wrong_cell_is_coloured_commented_and_listed() -> None:
    book = marked(workbook(), [issue()])
    assert book.sheetnames == [FIRST_SHEET, "报表"]
    cell = book["报表"]["B4"]
    assert cell.value == "很多" and fill(cell) == ERROR_FILL
    assert cell.comment.text == "【明账平台】填的是“很多”，读不成整数。"
    assert fill(book["报表"]["B5"]) is None and book["报表"]["B5"].comment is None
    [line] = listed(book)
    assert line == (1, "报表", "B4", "spaces", "很多", "填的是“很多”，读不成整数。", "必须改", "填的内容读不出来")
    linked = next(c for row in book[FIRST_SHEET].iter_rows() for c in row if c.value == "B4")
    assert linked.hyperlink.location == "'报表'!B4"


def test_the_rest_of_the_workbook_stays() -> None:
    sheet = marked(workbook(), [issue()])["报表"]
    assert sheet["A5"].font.bold and sheet["A5"].font.color.rgb == "00112233"
    assert sheet.column_dimensions["A"].width == 33 and sheet.row_dimensions[5].height == 41
    assert "A1:B1" in [str(r) for r in sheet.merged_cells.ranges]
    assert sheet["B6"].value == "=SUM(B4:B5)"


def test_several_issues_of_a_cell_share_one_comment_and_the_worst_colours_it() -> None:
    two = [issue(severity="warning", code="doubtful", message_zh="请核对。"), issue()]
    cell = marked(workbook(), two)["报表"]["B4"]
    assert cell.comment.text == "【明账平台】1. 填的是“很多”，读不成整数。\n2. 请核对。"
    assert fill(cell) == ERROR_FILL
    assert fill(marked(workbook(), two[:1])["报表"]["B4"]) == WARNING_FILL


def test_an_issue_of_a_row_marks_its_first_cell_and_one_of_a_sheet_only_the_list() -> None:
    book = marked(
        workbook(),
        [
            issue(row=5, cell=None, column=None, code="duplicate_key", raw_value=None, message_zh="重复。"),
            issue(row=None, cell=None, column=None, code="missing_column", raw_value=None, message_zh="缺列。"),
        ],
    )
    assert book["报表"]["A5"].comment.text.endswith("重复。") and fill(book["报表"]["A5"]) == ERROR_FILL
    assert [line[2] for line in listed(book)] == ["整张表", "第 5 行"]
    assert sum(c.comment is not None for row in book["报表"].iter_rows() for c in row) == 1


def test_a_covered_cell_of_a_merge_is_marked_where_it_shows() -> None:
    book = marked(workbook(), [issue(row=1, cell="B1")])
    assert book["报表"]["A1"].comment is not None and fill(book["报表"]["A1"]) == ERROR_FILL


def test_what_stood_in_a_hidden_column_is_not_in_the_list() -> None:
    secret = "湘B12345"

    def put(book: Any) -> None:
        book["报表"]["B4"] = secret

    book = marked(workbook(put), [issue(raw_value=None, message_zh="填写的内容不在规定的选项里。")])
    assert book["报表"]["B4"].value == secret  # it is the department's own file
    assert secret not in str(listed(book)) and secret not in book["报表"]["B4"].comment.text


def test_our_own_text_is_never_a_formula() -> None:
    attack = '=HYPERLINK("http://evil.example","x")'
    for data, name in ((workbook(), "报表.xlsx"), ("名称,车位\n,\n,\n东门,=1+1\n".encode(), "=a.csv")):
        made = annotated(
            (
                data,
                name,
                marks_of([issue(sheet="报表" if data[:2] == b"PK" else "", raw_value=attack, message_zh=attack)]),
            )
        )
        sheets = [z for n, z in _members(made).items() if n.startswith("xl/worksheets/")]
        formulas = [s for s in sheets if b"evil" in s and b"<f" in s.split(b"evil")[0][-60:]]
        assert formulas == []
        [line] = listed(openpyxl.load_workbook(io.BytesIO(made)))
        assert line[4] == line[5] == attack
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book[SHEET_OF_TEXT]["B4"].data_type == "s"  # nor is what a csv holds


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return {n: z.read(n) for n in z.namelist()}


def test_results_of_formulas_are_kept() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("报表")
        sheet.write_formula("A1", "=1+1", None, 2)
        sheet.write_formula("A2", '="甲"&"<乙>"', None, "甲<乙>")
        sheet.write_formula("A3", "=1=1", None, True)
        sheet.write("A4", "东门")
    made = annotated((out.getvalue(), "报表.xlsx", marks_of([issue(cell="A4")])))
    grid = next(g for g in open_book(made).grids if g.name == "报表")
    assert [r[0] for r in grid.rows] == [2.0, "甲<乙>", True, "东门"]
    assert openpyxl.load_workbook(io.BytesIO(made))["报表"]["A1"].value == "=1+1"


def test_marks_of_last_time_are_washed_off_and_the_departments_own_kept() -> None:
    def own(book: Any) -> None:
        book["报表"]["B5"].comment = Comment("我们自己的话", "张三")
        book["报表"]["B5"].fill = PatternFill("solid", start_color="0000FF00")

    once = annotated((workbook(own), "报表.xlsx", marks_of([issue(), issue(row=5, cell="B5", message_zh="第二处。")])))
    assert openpyxl.load_workbook(io.BytesIO(once))["报表"]["B5"].comment.text == "我们自己的话\n【明账平台】第二处。"
    again = marked(once, [issue(row=6, cell="B6", message_zh="第三处。")])
    assert again.sheetnames == [FIRST_SHEET, "报表"]
    sheet = again["报表"]
    assert sheet["B4"].comment is None and fill(sheet["B4"]) is None
    assert sheet["B5"].comment.text == "我们自己的话"
    assert sheet["B6"].comment.text.endswith("第三处。")
    assert len(listed(again)) == 1


def test_macros_are_dropped() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            data = old.read(n)
            if n == "[Content_Types].xml":
                data = data.replace(
                    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                ).replace(
                    b"</Types>",
                    b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
                )
            new.writestr(n, data)
        new.writestr("xl/vbaProject.bin", b"macro")
    made = annotated((out.getvalue(), "报表.xlsm", marks_of([issue()])))
    assert not [n for n in _members(made) if "vba" in n.lower()]
    assert b"macroEnabled" not in _members(made)["[Content_Types].xml"]
    assert openpyxl.load_workbook(io.BytesIO(made))["报表"]["B4"].comment is not None


def xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("报表")
    for r, row in enumerate((("停车场", ""), (), ("名称", "车位"), ("东门", "很多"), ("西门", 1505799.9999999998))):
        for c, v in enumerate(row):
            sheet.write(r, c, v)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HTML = "<html><table><tr><td>停车场</td></tr><tr></tr><tr><td>名称</td><td>车位</td></tr><tr><td>东门</td><td>很多</td></tr></table></html>"


@pytest.mark.parametrize(
    ("data", "sheet", "shown"),
    [
        (xls(), "报表", "报表"),
        ("停车场\n,\n名称,车位\n东门,很多\n".encode("gb18030"), "", SHEET_OF_TEXT),
        ("停车场\n\t\n名称\t车位\n东门\t很多\n".encode("utf-16"), "", SHEET_OF_TEXT),
        (HTML.encode(), "", SHEET_OF_TEXT),
    ],
    ids=["xls", "csv", "tsv", "html"],
)
def test_other_formats_are_laid_out_with_the_same_cells(data: bytes, sheet: str, shown: str) -> None:
    made = annotated(
        (data, "报表", marks_of([issue(sheet=sheet), issue(sheet=sheet, row=4, cell="D4", message_zh="缺。")]))
    )
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames == [FIRST_SHEET, shown]
    before, after = open_book(data).grids[0], next(g for g in open_book(made).grids if g.name == shown)
    assert _filled(before) == _filled(after)
    assert book[shown]["B4"].comment.text.endswith("读不成整数。") and fill(book[shown]["B4"]) == ERROR_FILL
    assert book[shown]["D4"].comment.text.endswith("缺。") and fill(book[shown]["D4"]) == ERROR_FILL
    assert [line[2] for line in listed(book)] == ["B4", "D4"]


def _filled(g: Any) -> dict[tuple[int, int], Any]:
    return {(i + g.top, j + g.left): v for i, r in enumerate(g.rows) for j, v in enumerate(r) if v not in ("", None)}


@pytest.mark.parametrize("code", sorted(module.NOT_OPENED))
def test_a_file_refused_as_a_whole_is_not_opened(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(module, "open_book", never)
    monkeypatch.setattr(module.openpyxl, "load_workbook", never)
    made = annotated(
        (workbook(), "x.xlsx", marks_of([issue(sheet="", row=None, cell=None, code=code, raw_value=None)]))
    )
    monkeypatch.undo()
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames == [FIRST_SHEET] and listed(book)[0][2] == "整个文件"


def test_a_document_type_keeps_openpyxl_out() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            data = old.read(n)
            if n == "xl/workbook.xml":
                data = b'<?xml version="1.0"?><!DOCTYPE x [<!ELEMENT x ANY>]>' + data
            new.writestr(n, data)
    with pytest.raises(module._CannotEdit, match="document type"):
        module._edit(out.getvalue(), "x.xlsx", marks_of([issue()]))


def test_a_workbook_that_openpyxl_cannot_take_is_laid_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            new.writestr(n, b"<styleSheet><broken" if n == "xl/styles.xml" else old.read(n))
    with pytest.raises(module._CannotEdit):
        module._edit(out.getvalue(), "x.xlsx", marks_of([issue()]))
    annotate(out.getvalue(), "x.xlsx", [issue()], tmp_path / "out.xlsx")
    made = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert [line[2] for line in listed(made)] == ["B4"]


def test_a_full_disk_is_not_taken_for_a_bad_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.openpyxl, "load_workbook", full)
    with pytest.raises(OSError, match="No space"):
        module._edit(workbook(), "x.xlsx", marks_of([issue()]))


def test_control_characters_and_far_too_many_issues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COMMENTS", 2)
    monkeypatch.setattr(module, "MOST_LISTED", 3)
    many = [issue(row=r, cell=f"C{r}", raw_value="a\x00b\x1f", message_zh="控\x07制") for r in range(4, 10)]

    def rows(book: Any) -> None:
        for r in range(4, 10):
            book["报表"].cell(r, 3, "x")

    book = marked(workbook(rows), many)
    assert sum(c.comment is not None for row in book["报表"].iter_rows() for c in row) == 2
    assert all(fill(book["报表"].cell(r, 3)) == ERROR_FILL for r in range(4, 10))
    assert len(listed(book)) == 3 and listed(book)[0][4:6] == ("ab", "控制")
    assert any("只列出前 3 条" in str(row[0]) for row in book[FIRST_SHEET].iter_rows(values_only=True))


def test_a_marked_file_sent_back_as_it_is_reads_the_same(tmp_path: Path) -> None:
    contracts = load_contracts(only=["parking_lots"])
    rows = "错时开放停车场\n填报单位：甲单位\n停车场名称,开放车位数,是否开放\n东门,很多,是\n西门,12,否\n合计,12,\n"
    path = tmp_path / "报送.csv"
    path.write_text(rows, encoding="utf-8")
    before = read_file(path, path.name, contracts)
    [sheet] = before.sheets
    assert [i.code for i in sheet.issues] == ["bad_type"]
    annotate(path.read_bytes(), path.name, sheet.issues, tmp_path / "back.xlsx")
    after = read_file(tmp_path / "back.xlsx", path.name, contracts)
    [again] = [s for s in after.sheets if s.dataset is not None]
    assert [s.status for s in after.sheets if s.sheet == FIRST_SHEET] == ["ignored"]
    assert (again.rows, again.values, again.submitter) == (sheet.rows, sheet.values, sheet.submitter)
    assert [(i.code, i.cell) for i in again.issues] == [(i.code, i.cell) for i in sheet.issues]


def long_csv(rows: int = module.MOST_ROWS + 5) -> bytes:
    lines = ["停车场一览,", "名称,车位", *(f"场{n},{n}" for n in range(rows - 2))]
    return "\n".join(lines).encode()


def test_of_a_long_sheet_only_the_rows_in_error_come_back_and_the_file_says_so() -> None:
    rows = module.MOST_ROWS + 5
    issues = [
        issue(sheet="", row=15_000, cell="B15000"),
        issue(sheet="", row=15_000, cell=None, code="duplicate_key", message_zh="重复。"),
        issue(sheet="", row=4, cell="B4", severity="warning", code="doubtful", message_zh="请核对。"),
        issue(sheet="", row=rows + 9, cell=f"B{rows + 9}", message_zh="在表外。"),
        issue(sheet="", row=None, cell=None, column=None, code="missing_column", message_zh="缺列。"),
    ]
    book = marked(long_csv(rows), issues, "停车.csv")
    assert book.sheetnames == [FIRST_SHEET, SHEET_OF_TEXT]
    said = [str(c.value) for row in book[FIRST_SHEET].iter_rows(max_row=8) for c in row if c.value]
    assert any(f"{rows:,} 行" in s for s in said) and any(f"{rows:,} rows" in s for s in said)
    assert any("不要报送本文件" in s for s in said) and not any("把本文件或原文件" in s for s in said)
    sheet = book[SHEET_OF_TEXT]
    lines = list(sheet.iter_rows(values_only=True))
    assert f"{rows:,} 行" in lines[0][0] and f"{rows:,} rows" in lines[1][0]
    assert lines[2] == ("原表行号", "A", "B")
    assert lines[3] == (1, "停车场一览", None) and lines[4] == (2, "名称", "车位")
    assert lines[6] == (4, "场1", "1") and lines[13:] == [(15_000, "场14997", "14997")]
    assert fill(sheet["C7"]) == WARNING_FILL and fill(sheet["C14"]) == ERROR_FILL
    assert sheet["C14"].comment.text.endswith("读不成整数。") and sheet["B14"].comment.text.endswith("重复。")
    links = {c.value: c.hyperlink.location for row in book[FIRST_SHEET].iter_rows() for c in row if c.hyperlink}
    assert links == {"B15000": "'原表'!C14", "第 15000 行": "'原表'!B14", "B4": "'原表'!C7"}
    assert len(listed(book)) == 5, "what is outside the excerpt is listed all the same"


def test_a_sheet_just_not_too_long_comes_back_whole() -> None:
    book = marked(long_csv(module.MOST_ROWS), [issue(sheet="", row=15_000, cell="B15000")], "停车.csv")
    sheet = book[SHEET_OF_TEXT]
    assert sheet.max_row == module.MOST_ROWS and fill(sheet["B15000"]) == ERROR_FILL


def test_an_excerpt_has_no_more_rows_than_a_whole_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    issues = [issue(sheet="", row=r, cell=f"B{r}") for r in range(3, 60)]
    sheet = marked(long_csv(70), issues, "停车.csv")[SHEET_OF_TEXT]
    assert sheet.max_row == 3 + 10 + 20
    assert [c.value for c in sheet["A"]][3:] == [*range(1, 31)]


def test_an_excerpt_that_is_sent_in_is_no_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    contracts = load_contracts(only=["parking_lots"])
    header = ",".join(c.header_zh for c in contracts["parking_lots"].columns)
    whole = "\n".join([header, *(f"场{n}" for n in range(40))]).encode()
    made = annotated((whole, "停车.csv", marks_of([issue(sheet="", row=30, cell="B30")])))
    path = tmp_path / "停车.csv.xlsx"
    path.write_bytes(made)
    reading = read_file(path, path.name, contracts)
    assert (reading.status, reading.reason) == ("rejected", "unknown_dataset")
    assert [i.code for s in reading.sheets for i in s.issues] == ["unknown_dataset"]
    assert "节选" in reading.sheets[-1].issues[0].message_zh and not any(s.rows for s in reading.sheets)
