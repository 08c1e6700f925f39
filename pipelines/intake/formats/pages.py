"""Reads web pages saved as spreadsheets: HTML and MHTML (RFC 2557), often named .xls.

Belongs here: tables of a page, what it says of each cell besides the text that is shown (the exact number, its format), and what
of it nobody sees. Not here: sniffing. No link is followed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import re
from html.parser import HTMLParser
from typing import Any

from pipelines.intake.formats import number_format, runs, text
from pipelines.intake.formats.markup import DECLARES, MarkupError, MarkupTable, span
from pipelines.intake.sheets import MARK, Book, Fault, Refusal

_CHARSET = re.compile(r"<meta[^>]*charset=[\"']?([\w-]+)", re.IGNORECASE)
_NO_TABLE = ("网页或标记文件里没有表格", "markup without a table")
_UNSEEN = frozenset(
    ["script", "style", "comment", "template", "noscript"]
)  # LibreOffice's <comment> is a note on a cell
_MARKS = {"s": "struck", "strike": "struck", "del": "struck", "sup": "raised", "sub": "raised"}
_STYLES = re.compile(r"<style\b[^>]*>(.*?)</style", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"\.([\w-]{1,80})[^{}]{0,200}\{([^{}]*)\}")
_NUMBER_FORMAT = re.compile(
    r"""(?:mso-number-format|vnd\.ms-excel\.numberformat)\s*:\s*("[^"]*"|'[^']*'|[^;]+)""", re.IGNORECASE
)
_CSS_ESCAPE = re.compile(r"\\([0-9a-fA-F]{4})|\\(.)", re.DOTALL)
_NAMED = {"percent": "0.00%", "fixed": "0.00", "standard": "#,##0.00", "short date": "yyyy-mm-dd", "medium date": "d-mmm-yy",
          "long date": "yyyy-mm-dd", "general date": "yyyy-mm-dd hh:mm", "short time": "hh:mm", "long time": "hh:mm:ss"}  # fmt: skip
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:collapse|hidden)", re.IGNORECASE)
_NO_SIZE = re.compile(r"(?:^|;)\s*(?:height|width)\s*:\s*0(?:\.0*)?(?:pt|px|cm|mm|in|em)?\s*(?:;|$)", re.IGNORECASE)
_VISIBLE = re.compile(r"<x:visible>\s*sheet(?:very)?hidden\s*</x:visible>", re.IGNORECASE)
_SHEET = re.compile(r"<x:excelworksheet>(.*?)</x:excelworksheet>", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"<x:name>\s*([^<]*?)\s*</x:name>", re.IGNORECASE)
_SOURCE = re.compile(r"""<x:worksheetsource\s+href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_FROM_1904 = re.compile(r"<x:date1904\s*/?>", re.IGNORECASE)
_WRAPPED = re.compile(r"[ \t\r\n\f]+")
_AROUND_BREAK = re.compile(r"[ \t]*\n[ \t]*")
_SHOWN = re.compile(r"[\s,，¥￥$€%]")


class _WebPage(HTMLParser):
    """The tables of one page, with the cell formats of its style sheet."""

    def __init__(self, content: str, from_1904: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[MarkupTable] = []
        self.open: list[MarkupTable] = []
        self.cell: list[_Cell | None] = []  # of each open table, the cell in hand
        self.declared: list[int] = []  # of each open table, columns declared so far
        self.unseen: list[str] = []
        self.epoch = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)
        self.classes: dict[str, str] = {}
        for sheet in _STYLES.findall(content):
            for name, rule in _RULE.findall(sheet):
                if code := _code(rule):
                    self.classes[name.lower()] = code

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self.unseen.append(tag)
        elif tag == "table":
            self.tables.append(MarkupTable())
            self.open.append(self.tables[-1])
            self.cell.append(None)
            self.declared.append(0)
        elif not self.open:
            return
        elif tag == "col":
            given = dict(attrs)
            first, many = self.declared[-1], min(span(given.get("span")), 16_384)
            self.declared[-1] += many
            if _is_hidden(given):
                self.open[-1].hidden_columns.append((first, first + many - 1))
        elif tag == "tr":
            self.finish()
            table = self.open[-1]
            table.row()
            if attrs and _is_hidden(dict(attrs)):
                table.hidden_rows.append(len(table.rows) - 1)
        elif tag in ("td", "th"):
            self.finish()
            self.cell[-1] = _Cell(dict(attrs))
        elif (cell := self.cell[-1]) is not None:
            cell.begin(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            if tag in self.unseen:
                del self.unseen[self.unseen.index(tag) :]
        elif not self.open:
            return
        elif tag in ("td", "th", "tr"):
            self.finish()
        elif tag == "table":
            self.finish()
            self.open.pop()
            self.cell.pop()
            self.declared.pop()
        elif (cell := self.cell[-1]) is not None:
            cell.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open and not self.unseen and (cell := self.cell[-1]) is not None:
            cell.add(data)

    def finish(self) -> None:
        cell = self.cell[-1]
        if cell is None:
            return
        self.cell[-1] = None
        given = cell.given
        shown = cell.text()
        code = None
        if type(shown) is str and len(given) > (("colspan" in given) + ("rowspan" in given)):
            code = self.code(given)
            shown = _exact(shown, given, code, self.epoch)
            if type(shown) is float and code is None and "%" in cell.plain():
                code = "0.00%"
        across, down = span(given.get("colspan")), span(given.get("rowspan"))
        self.open[-1].cell(shown, across, down, code=code if type(shown) is float else None)

    def code(self, given: dict[str, str | None]) -> str | None:
        """The number format of a cell, where the page states it."""
        if code := given.get("data-z"):
            return code
        if given.get("sdnum"):  # language; language of the code; code
            return str(given["sdnum"]).partition(";")[2].partition(";")[2] or None
        if (style := given.get("style")) and (code := _code(style)):
            return code
        return next((self.classes[c] for c in (given.get("class") or "").lower().split() if c in self.classes), None)


class _Cell:
    """The current cell: its attributes, and the runs of its text."""

    def __init__(self, given: dict[str, str | None]):
        self.given = given
        self.runs: list[runs.Run] = []
        self.marks: list[tuple[str, str]] = []  # open elements that mark: name, 'struck', 'raised' or 'unseen'

    def begin(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("br", "p", "div"):
            self.runs.append(("\n", False, False))
        if tag in _MARKS:
            self.marks.append((tag, _MARKS[tag]))
        elif tag in ("span", "font", "a") and attrs:
            given = dict(attrs)
            style = (given.get("style") or "").lower()
            if "line-through" in style:
                self.marks.append((tag, "struck"))
            elif re.search(r"vertical-align\s*:\s*(?:super|sub)\b", style):
                self.marks.append((tag, "raised"))
            elif _HIDDEN.search(style) or "msocom" in (given.get("class") or ""):  # Excel's link to a comment
                self.marks.append((tag, "unseen"))
            else:
                self.marks.append((tag, ""))
        elif tag in ("span", "font", "a"):
            self.marks.append((tag, ""))

    def end(self, tag: str) -> None:
        for k in range(len(self.marks) - 1, -1, -1):
            if self.marks[k][0] == tag:
                del self.marks[k:]
                return

    def add(self, data: str) -> None:
        marks = [m for _, m in self.marks] if self.marks else ()
        if "\n" in data or "\r" in data:  # of the page's source; a line break of the text is a <br>
            data = _WRAPPED.sub(" ", data)
        if "unseen" not in marks:
            self.runs.append((data.replace("\xa0", " "), "struck" in marks, "raised" in marks))

    def plain(self) -> str:
        return _trimmed("".join([t for t, _, _ in self.runs]))

    def text(self) -> str | Fault:
        if len(self.runs) == 1:
            return self.runs[0][0].strip()
        joined = runs.joined(self.runs)
        return _trimmed(joined) if isinstance(joined, str) else Fault(joined.kind, _trimmed(joined.text))


def _trimmed(shown: str) -> str:
    return _AROUND_BREAK.sub("\n", shown).strip() if "\n" in shown else shown.strip()


def _is_hidden(given: dict[str, str | None]) -> bool:
    """Whether a row or column is hidden, by its style or by a height or width of 0."""
    style = given.get("style") or ""
    return bool(_HIDDEN.search(style) or _NO_SIZE.search(style) or "0" in (given.get("height"), given.get("width")))


def _code(style: str) -> str | None:
    """The number format in a rule of a style sheet: Excel writes mso-number-format:"0\\.00%" and names some."""
    found = _NUMBER_FORMAT.search(style)
    if not found:
        return None
    code = found[1].strip().strip("\"'")
    code = _CSS_ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], code)
    return _NAMED.get(code.lower(), code) or None


def _exact(shown: str, given: dict[str, str | None], code: str | None, epoch: dt.datetime) -> Any:
    """The exact value in a cell's attributes: a date, or a number that the display rounds; else the displayed value.

    LibreOffice says it in `sdval`, Excel and Aspose in `x:num`, SheetJS in `data-v` of kind n.
    """
    stated = (
        given.get("sdval")
        or given.get("x:num")
        or (given.get("data-v") if given.get("data-t") in (None, "n") else None)
    )
    if not stated:
        if error := given.get("x:err"):
            return Fault("error", error)
        return shown
    try:
        value = float(stated)
    except ValueError:
        return shown
    if code and number_format.shows_date(code):
        return _moment(value, epoch, shown)
    figures = _SHOWN.sub("", shown)
    try:
        same = float(figures) / (100 if "%" in shown else 1)
    except ValueError:
        # Words, a date in a format that the page does not tell, or ### of a narrow column.
        return value if code or not figures.strip("#") else shown
    return shown if same == value else value


def _moment(value: float, epoch: dt.datetime, shown: str) -> Any:
    if not 0 <= value < 2_958_466:
        return shown
    moment = epoch + dt.timedelta(seconds=round(value * 86_400))
    if value < 1:
        return moment.time()
    return moment.date() if moment.time() == dt.time() else moment


def open_page(data: bytes, content: str, encoding: str, from_1904: bool = False) -> Book:
    """Open the tables of a page as sheets; `from_1904`: another part of its file states the 1904 date system. Raises Refusal, MarkupError."""
    if re.search(r"<!doctype[^>\[]*\[", content[:65_536], re.IGNORECASE):
        raise MarkupError(DECLARES, unsafe=True)
    named = _CHARSET.search(content[:4096])
    if named and encoding not in ("utf-8-sig", "utf-16", "utf-32"):
        charset = {"gb2312": "gb18030", "gbk": "gb18030"}.get(named[1].lower(), named[1])
        with contextlib.suppress(LookupError, UnicodeDecodeError):  # it may say what it is not; what was sniffed counts
            content = data.decode(charset)
    from_1904 |= _says_1904(content)
    tables = _tables(content, from_1904)
    if not tables:
        raise Refusal("unreadable", *_NO_TABLE)
    sheets = _SHEET.findall(content)
    if _VISIBLE.search(content) and len(sheets) <= 1:
        for t in tables:
            t.hidden = True
    elif len(sheets) == len(tables):
        for t, sheet in zip(tables, sheets, strict=True):
            t.hidden = bool(_VISIBLE.search(sheet))
    for i, t in enumerate(tables, 1):
        t.name = str(i) if len(tables) > 1 else ""
    return Book([t.grid() for t in tables], MARK in content, lambda: from_1904)


def _says_1904(content: str) -> bool:
    return bool(_FROM_1904.search(content))


def _tables(content: str, from_1904: bool) -> list[MarkupTable]:
    """Every table with a cell in it, in the order they begin; a table in a table is one of its own."""
    page = _WebPage(content, from_1904)
    page.feed(content)
    page.close()
    while page.open:
        page.handle_endtag("table")
    return [t for t in page.tables if any(c != "" for r in t.rows for c in r)]


def open_archive(data: bytes) -> Book:
    """A page in one file, which spreadsheet programs save too: its tables, whatever parts they are in. Raises Refusal."""
    parts = []
    for part in email.message_from_bytes(data).walk():
        content = part.get_payload(decode=True) if part.get_content_type() == "text/html" else None
        if isinstance(content, bytes) and content.strip() and (decoded := text.decode(content)):
            parts.append((part.get("Content-Location", "").replace("\\", "/").rpartition("/")[2], content, *decoded))
    from_1904 = any(_says_1904(content) for _, _, content, _ in parts)
    book = Book([], is_1904=lambda: from_1904)
    sheets = [s for _, _, content, _ in parts for s in _SHEET.findall(content)]
    hidden = {m[1].rpartition("/")[2] for s in sheets if _VISIBLE.search(s) and (m := _SOURCE.search(s))}
    for location, raw, content, encoding in parts:
        with contextlib.suppress(Refusal, MarkupError):  # frames and lists of sheets hold no table
            page = open_page(raw, content, encoding, from_1904)
            if location and location in hidden:
                for g in page.grids:
                    g.hidden, g.rows = True, []
            book.grids += page.grids
            book.synthetic |= page.synthetic
    if not book.grids:
        raise Refusal("unreadable", *_NO_TABLE)
    for i, grid in enumerate(book.grids, 1):
        grid.name = str(i) if len(book.grids) > 1 else ""
    return book
