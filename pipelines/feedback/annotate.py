"""Annotates a department's own file with its errors: cells marked, and listed on a first sheet.

Belongs here: colouring cells, comments, and the first sheet that lists what to mend. Not here: which files get one
(sending.py), or what is wrong. A workbook of the xlsx family is edited in place through openpyxl, so that everything
openpyxl keeps stays; macros are dropped. Any other format is laid out anew, cell by cell, in a fresh .xlsx.
Nothing is run and no link followed; our own texts are written as text even where they begin with an equals sign.

Of a sheet laid out anew that has more than `MOST_ROWS` rows only an excerpt is sent back: its first rows and those in error. A
department's Excel is slow over the whole, and who exports 240,000 rows mends them where they came from. The excerpt says so, in
both languages, and reading refuses it as a submission (`EXCERPT`): its few rows would replace all the others.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import xlsxwriter
from openpyxl.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.worksheet.hyperlink import Hyperlink

from pipelines.core import zips
from pipelines.core.home import whole_file
from pipelines.core.issue_codes import ISSUE_CODES
from pipelines.core.letters import column_letter, column_number
from pipelines.feedback.bounded import Failed, run_each
from pipelines.feedback.formulas import with_results
from pipelines.intake.formats import open_book
from pipelines.intake.sheets import EXCERPT, Book, Grid, Refusal

FIRST_SHEET = "需修改事项"
SHEET_OF_TEXT = "原表"  # name of the only sheet of a text file; in the tables it is ''
AUTHOR = "明账平台"
ERROR_FILL, WARNING_FILL = "FFC7CE", "FFEB9C"
MOST_COMMENTS = 2_000  # each is a drawing of its own, and a spreadsheet program slows to a crawl over them
MOST_LISTED = 20_000
MOST_ROWS = 20_000  # of a sheet that is rewritten whole, and rows with errors that are copied from a longer one
_TOP_ROWS = 10  # of a longer one that are copied besides: its heading and header
LARGEST_EDITED = 20_000_000  # bytes of XML for openpyxl to hold; a larger file is rewritten cell by cell
NOT_OPENED = frozenset({"unreadable", "encrypted", "too_large", "unsafe", "empty"})
# None of these is a header of any dataset, so that the list is not read as a report.
HEADINGS = ("第几条", "工作表", "在哪一格", "哪一列", "原来填的", "请这样修改", "轻重", "是什么问题")
WIDTHS = (6, 16, 10, 20, 24, 70, 10, 22)
SEVERITIES = {"error": "必须改", "warning": "请核对"}
_ORDER = {"error": 0, "warning": 1}
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Mark:
    """One error to mark: the fields of an issue that this module needs. `header` is the column's header in the department's sheet."""

    sheet: str
    row: int | None
    cell: str | None
    header: str | None
    code: str
    severity: str
    raw_value: str | None
    message_zh: str


class _ExactNumber(float):
    """A number that XlsxWriter writes with all its digits; by default it writes 16, which may change the value."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class _CannotEdit(Exception):
    """The workbook cannot be edited in place; it is rewritten."""


def marks_of(issues: Iterable[Any]) -> list[Mark]:
    """Return marks from issues: objects of the model, or mappings with the same fields; `header` is used where given.

    Errors come before warnings, then in the order of sheet and row.
    """
    marks = [_mark_of(i) for i in issues]
    return sorted(marks, key=lambda m: (_ORDER[m.severity], m.sheet, _row_of(m) or 0, m.cell or "", m.code))


def _mark_of(issue: Any) -> Mark:
    if isinstance(issue, Mark):
        return issue

    def get(field: str) -> Any:
        value = issue.get(field) if isinstance(issue, Mapping) else getattr(issue, field, None)
        # null values of pandas
        return None if value is None or value != value or str(value) in ("<NA>", "NaT") else value

    row = get("row")
    return Mark(
        get("sheet") or "",
        None if row is None else int(row),
        get("cell"),
        get("header") or get("column"),
        get("code"),
        get("severity"),
        get("raw_value"),
        get("message_zh"),
    )


def annotate(original: bytes, name: str, issues: Iterable[Any], out: Path) -> None:
    """Write `out` (.xlsx): the file `original`, called `name`, with its issues marked and listed on a first sheet.

    Done in a child process with limits. `issues`: `model.Issue`s, `Mark`s, or mappings with the fields of one. A file that
    reading refused as a whole, or that cannot be opened within the limits, is not opened: the list is all there is.
    Raises OSError where `out` cannot be written.
    """
    job: Job = (original, name, marks_of(issues))
    for _, made in run_each(annotated, [job], processes=1):
        with whole_file(out) as part:
            part.write_bytes(list_only(name, job[2]) if isinstance(made, Failed) else made)


Job = tuple[bytes | Path, str, list[Mark]]  # the original or its path, its name, its errors


def annotated(job: Job) -> bytes:
    """Return the marked .xlsx of a job, in this process and without any limit. Raises OSError where the original cannot be read."""
    original, name, marks = job
    if any(m.code in NOT_OPENED and m.row is None and m.sheet == "" for m in marks):
        return list_only(name, marks)
    if isinstance(original, Path):
        original = original.read_bytes()
    try:
        return _edit(original, name, marks)
    except _CannotEdit:
        try:
            book = open_book(original)
        except Refusal:
            return list_only(name, marks)
        return _lay_out(book, name, marks)


def list_only(name: str, marks: list[Mark]) -> bytes:
    """Return a workbook with the list of errors alone, for a file that cannot be opened."""
    return _lay_out(None, name, marks)


# ---- in place, through openpyxl


def _edit(original: bytes, name: str, marks: list[Mark]) -> bytes:
    _refuse_unsafe_workbook(original)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the extensions it drops: charts, sparklines, images
            book = openpyxl.load_workbook(io.BytesIO(original), keep_vba=False)
        for old in [s for s in book.sheetnames if s == FIRST_SHEET or s.startswith(FIRST_SHEET + "(")]:
            del book[old]
        sheets = {ws.title: ws for ws in book.worksheets}
        if not sheets:
            raise _CannotEdit("no sheet of cells")
        for ws in sheets.values():
            _wash(ws)
        targets = _Targets()
        for sheet, cells in _by_cell(marks).items():
            ws = sheets.get(sheet)
            if ws is None:
                continue
            anchors = {c: r.coord.split(":")[0] for r in ws.merged_cells.ranges for c in _cells(r.coord)}
            for (row, cell), here in cells.items():
                at = anchors.get(cell or "", cell) or _first_used(ws, row)
                if at is None:
                    continue
                targets.put(sheet, row, cell, at)
                _mark(ws[at], here, len(targets) <= MOST_COMMENTS)
        _list(book, name, marks, targets)
        book.active = 0
        for ws in book.worksheets[1:]:
            ws.sheet_view.tabSelected = False
        out = io.BytesIO()
        book.save(out)
        return with_results(out.getvalue(), original)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ParseError, zipfile.BadZipFile, OSError) as e:
        if isinstance(e, OSError) and e.errno is not None:
            raise  # a fault of the disk, not of the file
        raise _CannotEdit(str(e)) from e


def _refuse_unsafe_workbook(original: bytes) -> None:
    """Whether openpyxl may edit the file: plain xlsx or xlsm, of a size that it can hold, without a document type (entities)."""
    entries = zips.entries(original) if original[:2] == b"PK" else None
    if not entries or "xl/workbook.xml" not in {e.name for e in entries}:
        raise _CannotEdit("not of the xlsx family")
    if sum(e.size for e in entries if e.name.endswith(".xml")) > LARGEST_EDITED:
        raise _CannotEdit("too large to edit")
    for e in entries:
        if e.name.endswith((".xml", ".rels")):
            head = zips.read(original, e, 2_000) or b""
            if b"<!DOCTYPE" in head or not head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").startswith(b"<"):
                raise _CannotEdit("declares a document type")
            if b"\x00" in head:
                raise _CannotEdit("not in UTF-8")


def _wash(ws: Any) -> None:
    """Remove the marks of an earlier feedback: departments correct the marked file and send it in."""
    for row in ws.iter_rows():
        for cell in row:
            if cell.comment is None or AUTHOR not in (cell.comment.author or ""):
                continue
            kept = cell.comment.text.split(f"【{AUTHOR}】", 1)[0].strip()
            cell.comment = Comment(kept, "") if kept else None
            if cell.fill.fill_type == "solid" and str(cell.fill.start_color.rgb)[-6:] in (ERROR_FILL, WARNING_FILL):
                cell.fill = PatternFill()


def _mark(cell: Any, marks: list[Mark], with_comment: bool) -> None:
    colour = ERROR_FILL if any(m.severity == "error" for m in marks) else WARNING_FILL
    cell.fill = PatternFill("solid", start_color=f"00{colour}", end_color=f"00{colour}")
    if with_comment:
        theirs = f"{cell.comment.text}\n" if cell.comment is not None else ""
        text = theirs + _comment(marks)
        cell.comment = Comment(text, AUTHOR, width=360, height=min(420, 40 + 22 * (1 + len(text) // 26)))


def _first_used(ws: Any, row: int) -> str | None:
    """The first non-empty cell of a row, or its first cell; None beyond the sheet."""
    if row > ws.max_row:
        return None
    for cell in ws[row]:
        if not isinstance(cell, MergedCell) and cell.value not in (None, ""):
            return str(cell.coordinate)
    return next((str(c.coordinate) for c in ws[row] if not isinstance(c, MergedCell)), None)


def _cells(span: str) -> list[str]:
    low, _, high = span.partition(":")
    a, top = coordinate_from_string(low)
    b, bottom = coordinate_from_string(high or low)
    first, last = column_number(a), column_number(b)
    if (last - first + 1) * (bottom - top + 1) > 10_000:
        return []  # a merge over half the sheet: none of its cells can be marked by itself
    return [f"{column_letter(c)}{r}" for r in range(top, bottom + 1) for c in range(first, last + 1)]


def _list(book: Any, name: str, marks: list[Mark], targets: _Targets) -> None:
    ws = book.create_sheet(FIRST_SHEET, 0)
    for i, width in enumerate(WIDTHS):
        ws.column_dimensions[column_letter(i)].width = width
    for r, line in enumerate(_intro(name, marks), 1):
        _text(ws.cell(r, 1), line).font = Font(bold=r == 1, size=14 if r == 1 else 11)
    head = len(_intro(name, marks)) + 2
    for i, title in enumerate(HEADINGS, 1):
        cell = _text(ws.cell(head, i), title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", start_color="00D9E2EC", end_color="00D9E2EC")
    for n, m in enumerate(marks[:MOST_LISTED], 1):
        at = targets.of(m)
        for i, value in enumerate(_line(n, m, at), 1):
            cell = ws.cell(head + n, i)
            if isinstance(value, int):
                cell.value = value
            else:
                _text(cell, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        if at is not None:
            cell = ws.cell(head + n, 3)
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"{_quoted(_shown_sheet(m.sheet))}!{at}")
            cell.font = Font(color="000563C1", underline="single")
        ws.cell(head + n, 7).fill = PatternFill("solid", start_color=f"00{_fill(m)}", end_color=f"00{_fill(m)}")
    ws.freeze_panes = ws.cell(head + 1, 1)


def _text(cell: Any, text: str) -> Any:
    cell.value = _clean(text)
    cell.data_type = "s"  # text that begins with an equals sign is no formula
    return cell


# ---- rewritten, through XlsxWriter


def _lay_out(book: Book | None, name: str, marks: list[Mark]) -> bytes:
    grids = [g for g in book.grids if not g.hidden and g.refusal is None] if book is not None else []
    by_cell = _by_cell(marks)
    targets = _Targets()
    drawn: list[Grid] = []
    for g in grids:
        at = {
            place: _anchor(g, place[1]) if place[1] else _first_used_of(g, place[0])
            for place in by_cell.get(g.name, {})
        }
        if len(g.rows) > MOST_ROWS:
            g, at = _excerpt(g, at)
        drawn.append(g)
        for (row, cell), where in at.items():
            if where is not None:
                targets.put(g.name, row, cell, where)
    cut = [(g.name, len(g.rows)) for g in grids if len(g.rows) > MOST_ROWS]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as made:
        made.set_properties({"author": AUTHOR, "created": datetime(2025, 1, 1)})
        formats = {
            (fill, form): made.add_format(
                ({"bg_color": f"#{fill}"} if fill else {}) | ({"num_format": form} if form else {})
            )
            for fill in ("", ERROR_FILL, WARNING_FILL)
            for form in ("", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "hh:mm:ss")
        }
        first = made.add_worksheet(FIRST_SHEET)
        used: set[str] = {FIRST_SHEET}
        names = {}
        for g in drawn:
            names[g.name] = _sheet_name(g.name, used)
            marked: dict[str, list[Mark]] = {}
            for (row, cell), here in by_cell.get(g.name, {}).items():
                if (where := targets.get(g.name, row, cell)) is not None:
                    marked.setdefault(where, []).extend(here)
            _copy(made.add_worksheet(names[g.name]), g, marked, formats)
        _write_list(made, first, _intro(name, marks, book is not None, cut), marks, targets, names)
    return out.getvalue()


_Place = tuple[int, str | None]  # a row, 1-based, and a cell of it or None for the whole row


def _excerpt(g: Grid, at: Mapping[_Place, str | None]) -> tuple[Grid, dict[_Place, str | None]]:
    """An excerpt of a long sheet: its first rows and those with a cell of `at`, each behind its row number; and the
    positions of the cells of `at` in it, None for those beyond `MOST_ROWS` rows."""
    marked = sorted({coordinate_from_string(cell)[1] for cell in at.values() if cell is not None})
    top = [*range(g.top + 1, g.top + 1 + _TOP_ROWS)]
    held = [r for r in marked if g.top < r <= g.top + len(g.rows) and r not in top][:MOST_ROWS]
    rows = [(r, g.rows[r - 1 - g.top]) for r in [*top, *held]]
    letters = [column_letter(g.left + j) for j in range(max(len(cells) for _, cells in rows))]
    lines = [[line] for line in _sentence_of(len(g.rows))]
    drawn = Grid(g.name, [*lines, ["原表行号", *letters], *([r, *cells] for r, cells in rows)])
    line_of = {r: n for n, (r, _) in enumerate(rows, len(lines) + 2)}  # 1-based

    def moved(cell: str | None) -> str | None:
        column, row = coordinate_from_string(cell) if cell is not None else ("", 0)
        if row not in line_of:
            return None
        return f"{column_letter(column_number(column) - g.left + 1)}{line_of[row]}"

    return drawn, {place: moved(cell) for place, cell in at.items()}


def _sentence_of(rows: int) -> tuple[str, str]:
    """The note above an excerpt of a sheet of so many rows. Reading recognises an excerpt by its beginning."""
    return (
        f"{EXCERPT}原表共 {rows:,} 行，这里只抄出前 {_TOP_ROWS} 行和要改的行（A 列是原表行号）。请改原文件并报送原文件，不要报送本文件。",
        f"An excerpt: of the {rows:,} rows only the first {_TOP_ROWS} and those to mend are here, behind their row numbers. Mend "
        "and send the original, not this file.",
    )


def _copy(ws: Any, g: Grid, marked: dict[str, list[Mark]], formats: dict[tuple[str, str], Any]) -> None:
    widths: dict[int, int] = {}
    for a, c, b, d in g.merges or []:
        if (a, c) != (b, d):
            try:
                ws.merge_range(a, c, b, d, "")
            except xlsxwriter.exceptions.OverlappingRange:
                continue  # the original overlaps itself; the cells are there all the same
    for i, row in enumerate(g.rows, g.top):
        for j, value in enumerate(row, g.left):
            here = marked.pop(f"{column_letter(j)}{i + 1}", None) if marked else None
            if here:
                _mark_laid(ws, i, j, here)
            elif value == "" or value is None:
                continue
            _put(ws, i, j, value, formats, _worst(here) if here else "")
            if i < g.top + 50:
                widths[j] = max(widths.get(j, 8), min(40, 2 + sum(1 + (ord(ch) > 255) for ch in str(value))))
    for at, here in marked.items():  # cells beyond the last that holds anything
        column, r = coordinate_from_string(at)
        c = column_number(column)
        _mark_laid(ws, r - 1, c, here)
        ws.write_blank(r - 1, c, None, formats[_worst(here), ""])
    for j, width in widths.items():
        ws.set_column(j, j, width)


def _mark_laid(ws: Any, i: int, j: int, marks: list[Mark]) -> None:
    if len(ws.comments) < MOST_COMMENTS:
        text = _comment(marks)
        ws.write_comment(
            i, j, text, {"author": AUTHOR, "width": 360, "height": min(420, 40 + 22 * (len(text) // 26 + 1))}
        )


def _put(ws: Any, i: int, j: int, value: Any, formats: dict[tuple[str, str], Any], fill: str) -> None:
    if isinstance(value, bool):
        ws.write_boolean(i, j, value, formats[fill, ""])
    elif isinstance(value, int | float):
        if value == value and abs(value) != float("inf"):
            ws.write_number(i, j, _ExactNumber(value), formats[fill, ""])
    elif isinstance(value, datetime):
        ws.write_datetime(i, j, value, formats[fill, "yyyy-mm-dd hh:mm:ss"])
    elif isinstance(value, date):
        if value.year >= 1900:
            ws.write_datetime(i, j, value, formats[fill, "yyyy-mm-dd"])
        else:
            ws.write_string(i, j, value.isoformat(), formats[fill, ""])
    elif isinstance(value, time):
        ws.write_datetime(i, j, value, formats[fill, "hh:mm:ss"])
    elif value == "" or value is None:
        ws.write_blank(i, j, None, formats[fill, ""])
    else:
        ws.write_string(i, j, _clean(str(value))[:32_767], formats[fill, ""])


def _write_list(
    made: Any, ws: Any, intro: list[str], marks: list[Mark], targets: _Targets, names: dict[str, str]
) -> None:
    wrap = {"text_wrap": True, "valign": "top"}
    cell, bold = made.add_format(wrap), made.add_format({"bold": True, "font_size": 14})
    head = made.add_format({"bold": True, "bg_color": "#D9E2EC"})
    link = made.add_format({**wrap, "font_color": "#0563C1", "underline": 1})
    fills = {f: made.add_format({**wrap, "bg_color": f"#{f}"}) for f in (ERROR_FILL, WARNING_FILL)}
    for i, width in enumerate(WIDTHS):
        ws.set_column(i, i, width)
    for r, line in enumerate(intro):
        ws.write_string(r, 0, _clean(line), bold if r == 0 else None)
    at = len(intro) + 1
    for i, title in enumerate(HEADINGS):
        ws.write_string(at, i, title, head)
    ws.freeze_panes(at + 1, 0)
    for n, m in enumerate(marks[:MOST_LISTED], 1):
        target = targets.of(m)
        for i, value in enumerate(_line(n, m, target)):
            if isinstance(value, int):
                ws.write_number(at + n, i, value, cell)
            elif i == 2 and target is not None:
                ws.write_url(at + n, i, f"internal:{_quoted(names[m.sheet])}!{target}", link, value)
            else:
                ws.write_string(at + n, i, _clean(value), fills[_fill(m)] if i == 6 else cell)


def _sheet_name(name: str, used: set[str]) -> str:
    """A valid and unused name of a sheet for Excel."""
    base = re.sub(r"[\[\]:*?/\\]", "_", _clean(name)).strip("' ")[:31] or SHEET_OF_TEXT
    made, n = base, 2
    while made.lower() in {u.lower() for u in used}:
        made, n = f"{base[:27]}({n})", n + 1
    used.add(made)
    return made


def _anchor(g: Grid, cell: str) -> str:
    """The first cell of the merged range that `cell` is in, else itself."""
    column, row = coordinate_from_string(cell)
    r, c = row - 1, column_number(column)
    for top, left, bottom, right in g.merges or []:
        if top <= r <= bottom and left <= c <= right:
            return f"{column_letter(left)}{top + 1}"
    return cell


def _first_used_of(g: Grid, row: int) -> str | None:
    i = row - 1 - g.top
    if not 0 <= i < len(g.rows):
        return None
    j = next((j for j, v in enumerate(g.rows[i]) if v not in ("", None)), 0)
    return f"{column_letter(g.left + j)}{row}"


# ---- shared by both ways


class _Targets:
    """(sheet, row, cell) of each mark -> the cell that carries its colour and comment."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, int, str | None], str] = {}

    def __len__(self) -> int:
        return len(self._at)

    def put(self, sheet: str, row: int, cell: str | None, at: str) -> None:
        self._at[sheet, row, cell] = at

    def get(self, sheet: str, row: int, cell: str | None) -> str | None:
        return self._at.get((sheet, row, cell))

    def of(self, m: Mark) -> str | None:
        row = _row_of(m)
        return None if row is None else self.get(m.sheet, row, m.cell)


def _row_of(m: Mark) -> int | None:
    return coordinate_from_string(m.cell)[1] if m.cell else m.row


def _by_cell(marks: list[Mark]) -> dict[str, dict[tuple[int, str | None], list[Mark]]]:
    """Marks by sheet and by (row, cell); the cell is None for a whole row. Marks of a whole sheet are only listed."""
    out: dict[str, dict[tuple[int, str | None], list[Mark]]] = {}
    for m in marks:
        row = _row_of(m)
        if row is not None:
            out.setdefault(m.sheet, {}).setdefault((row, m.cell), []).append(m)
    return out


def _comment(marks: list[Mark]) -> str:
    lines = [f"{n}. {m.message_zh}" if len(marks) > 1 else m.message_zh for n, m in enumerate(marks, 1)]
    return _clean(f"【{AUTHOR}】" + "\n".join(lines))[:8_000]


def _intro(name: str, marks: list[Mark], opened: bool = True, cut: Iterable[tuple[str, int]] = ()) -> list[str]:
    """The lines above the list; `cut`: the sheets of which only an excerpt is here, and how many rows they have."""
    errors = sum(m.severity == "error" for m in marks)
    lines = [
        FIRST_SHEET,
        f"文件：{name}",
        f"必须改 {errors} 处（红色），请核对 {len(marks) - errors} 处（黄色）。点“在哪一格”可跳到该单元格，单元格的批注里写着怎么改。",
        "改好后把本文件或原文件重新报送即可，本页不必删除；新文件收到后，这里的事项自动销号。",
    ]
    for sheet, rows in cut:
        lines[3] = "请改原文件并重新报送原文件，不要报送本文件；新文件收到后，这里的事项自动销号。"
        zh, en = _sentence_of(rows)
        lines += [f"“{_shown_sheet(sheet)}”：{zh.removeprefix(EXCERPT)}", en]
    if not opened:
        lines.append("原文件没有打开，下面只列出需要修改的事项。")
    if len(marks) > MOST_LISTED:
        lines.append(f"事项太多，下面只列出前 {MOST_LISTED} 条；多半是同一个原因，改好后重新报送再看。")
    return lines


def _line(n: int, m: Mark, at: str | None) -> tuple[int | str, ...]:
    row = _row_of(m)
    place = m.cell or (f"第 {row} 行" if row is not None else "整张表" if m.sheet else "整个文件")
    stood = m.raw_value if m.raw_value is not None else "（空）" if m.code == "missing_required" else ""
    return (
        n,
        _shown_sheet(m.sheet),
        place,
        "".join((m.header or "").split()),
        stood[:500],
        m.message_zh,
        SEVERITIES[m.severity],
        ISSUE_CODES[m.code].zh,
    )


def _fill(m: Mark) -> str:
    return ERROR_FILL if m.severity == "error" else WARNING_FILL


def _worst(marks: list[Mark]) -> str:
    return ERROR_FILL if any(m.severity == "error" for m in marks) else WARNING_FILL


def _shown_sheet(name: str) -> str:
    return name or SHEET_OF_TEXT


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _clean(text: str) -> str:
    return _ILLEGAL.sub("", text)
