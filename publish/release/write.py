"""The files of a release: CSV (two of each table), SQLite, XLSX, Parquet, each the same bytes for the same rows.

Belongs here: formats. Not here: which rows (tables.py), or when a release stands (build.py). Nothing in a file depends on
the clock, the machine or the folder it is written in.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from pipelines.core.formulas import neutral
from pipelines.core.sql import identifier
from publish.files import ABSENT, SHEETS
from publish.schema import Field, Table, Type

BATCH = 20_000
PAGE_SIZE = 4096
XLSX_ROWS = 200_000  # to a sheet: Excel holds a million, but whoever reads one holds it whole
XLSX_TEXT = 32_767
XLSX_CREATED = dt.datetime(2000, 1, 1)
_ESCAPED = re.compile(r"(_x[0-9A-Fa-f]{4}_)")  # how a workbook writes a character by its code
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", "%": "%%"})
SQLITE: dict[Type, str] = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "boolean": "INTEGER", "date": "TEXT"}


def rows_of(data: pa.Table, size: int = BATCH) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table as Python tuples, in batches."""
    for batch in data.to_batches(max_chunksize=size):
        yield list(zip(*(c.to_pylist() for c in batch.columns), strict=True))


def plain_number(x: float) -> str:
    """The shortest digits that give the same double back, without a useless `.0`."""
    return str(int(x)) if x.is_integer() and abs(x) < 1e15 else repr(x)


@dataclass(frozen=True)
class CsvForm:
    """One of the two forms of CSV: the encoding, what a text and a real number become, and whether absent text is told from empty
    text where a column has empty text."""

    encoding: str
    text: Callable[[str], str]
    real: Callable[[float], str]
    tells_absent: bool


# For a spreadsheet: with a byte order mark, without useless zeros; text that it would run as a formula has an apostrophe before it.
FOR_EXCEL = CsvForm("utf-8-sig", neutral, plain_number, False)
# For programs: text as it is, a real number always with a point, for readers guess a column's type by its first rows.
FOR_PROGRAMS = CsvForm("utf-8", str, repr, True)

# For SDMX-CSV, which tells absent text from empty text nowhere.
FOR_SDMX = CsvForm("utf-8", str, repr, False)


def write_csv(path: Path, table: Table, data: pa.Table, form: CsvForm) -> int:
    """UTF-8, RFC 4180 (CRLF, doubled quotes), a header of column names. Gives the number of rows.

    What is absent is an empty cell, or ABSENT in a column that has empty text too. A number is never changed, however it begins.
    """
    written, blank = 0, blank_columns(table, data) if form.tells_absent else frozenset()
    with path.open("w", encoding=form.encoding, newline="") as f:
        out = csv.writer(f, lineterminator="\r\n")
        out.writerow(table.columns)
        for batch in data.to_batches(max_chunksize=BATCH):
            columns = [
                _csv_texts(c, t.type, form, ABSENT if t.name in blank else None)
                for c, t in zip(batch.columns, table.fields, strict=True)
            ]
            out.writerows(zip(*columns, strict=True))
            written += batch.num_rows
    return written


def blank_columns(table: Table, data: pa.Table) -> frozenset[str]:
    """The columns that have empty text, which an empty cell of a CSV file for programs then means."""
    texts = [f.name for f in table.fields if f.type == "text"]
    return frozenset(name for name in texts if pc.any(pc.equal(data[name], "")).as_py())


def _each(column: pa.Array, kind: Type, make: Callable[[Any], Any]) -> list[Any]:
    """`make` of each value; of texts, which repeat, once for each different one."""
    if kind != "text":
        return [make(v) for v in column.to_pylist()]
    encoded = column.dictionary_encode()
    made = [*map(make, encoded.dictionary.to_pylist()), make(None)]
    return [made[n] for n in encoded.indices.fill_null(len(made) - 1).to_pylist()]


def _csv_texts(column: pa.Array, kind: Type, form: CsvForm, absent: str | None) -> list[Any]:
    if kind == "text":
        return _each(column, kind, lambda v: absent if v is None else form.text(v))
    values = column.to_pylist()
    if kind == "real":
        return [None if v is None else form.real(v) for v in values]
    if kind == "boolean":
        return [None if v is None else "true" if v else "false" for v in values]
    return values  # integers and dates read the same as str()


class Database:
    """`mingzhang.db` while it is written, in a `with` block: tables one by one, then `finish`. Bytes depend on the rows
    alone."""

    def __init__(self, path: Path):
        self.path = path
        self.con = sqlite3.connect(path, isolation_level=None)
        # Nobody reads the file before it is whole, so nothing need be durable until finish().
        for pragma in (
            f"page_size = {PAGE_SIZE}",
            "encoding = 'UTF-8'",
            "journal_mode = off",
            "synchronous = off",
            "locking_mode = exclusive",
            "cache_size = -65536",
        ):
            self.con.execute(f"pragma {pragma}")

    def add(self, table: Table, data: pa.Table, unique: bool) -> int:
        """Makes the table with its rows and indexes. `unique`: its key names a row once and becomes the primary key."""
        columns = [f"{identifier(f.name)} {SQLITE[f.type]}" for f in table.fields]
        if unique and table.key:
            columns.append(f"primary key ({', '.join(map(identifier, table.key))})")
        self.con.execute(f"create table {identifier(table.name)} ({', '.join(columns)})")
        marks = ", ".join("?" * len(table.fields))
        dates = [n for n, f in enumerate(table.fields) if f.type == "date"]
        for name in (table.fields[n].name for n in dates):
            at = data.schema.get_field_index(name)
            data = data.set_column(at, name, data[name].cast(pa.string()))
        self.con.execute("begin")
        for batch in rows_of(data):
            self.con.executemany(f"insert into {identifier(table.name)} values ({marks})", batch)
        for n, columns_of in enumerate(table.indexes, 1):
            name = f"{table.name}:{n}"  # no dataset has a colon in its name, and indexes share one list of names with tables
            self.con.execute(
                f"create index {identifier(name)} on {identifier(table.name)} ({', '.join(map(identifier, columns_of))})"
            )
        self.con.execute("commit")
        return data.num_rows

    def finish(self) -> None:
        """Gathers the statistics that SQLite's planner reads."""
        self.con.execute("analyze")

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.con.close()


def write_parquet(path: Path, table: Table, data: pa.Table, about: dict[str, str]) -> int:
    """zstd, in groups of 100,000 rows; `about` goes into the file's own metadata, and each column's label and unit too."""
    fields = [pa.field(f.name, data.schema.field(f.name).type, metadata=_about_field(f)) for f in table.fields]
    data = data.cast(pa.schema(fields, metadata={f"mingzhang:{k}": v for k, v in sorted(about.items())}))
    # pandas' own metadata would name library versions; Arrow's schema is left in, so that types come back exactly.
    pq.write_table(data, path, compression="zstd", compression_level=6, row_group_size=100_000, version="2.6")
    return data.num_rows


def _about_field(f: Field) -> dict[str, str]:
    properties = {"title_zh": f.zh, "title_en": f.en, "unit": f.unit or "", "description": f.said}
    return {k: v for k, v in properties.items() if v}


def write_xlsx(
    path: Path, table: Table, data: pa.Table, notes: Sequence[tuple[str, str]], scratch: Path, english: bool = False
) -> int:
    """A workbook whose first sheets hold the rows under headers in the city's first language, Chinese or `english`, and whose last
    one holds `notes` and the meaning of each column. Rows beyond what a sheet holds go on to the next. `scratch` is a
    folder for its spill files.
    """
    rows, about = SHEETS[english]
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties(
        {"title": f"{table.zh} {table.en}", "author": "", "comments": _made_up(notes), "created": XLSX_CREATED}
    )
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheets = max(1, math.ceil(data.num_rows / XLSX_ROWS))
    for n in range(sheets):
        part = data.slice(n * XLSX_ROWS, XLSX_ROWS)
        sheet = book.add_worksheet(rows if sheets == 1 else f"{rows}{n + 1}")
        sheet.freeze_panes(1, 0)
        for at, f in enumerate(table.fields):
            sheet.set_column(at, at, 14 if f.type != "text" else 22)
        for at, f in enumerate(table.fields):
            sheet.write_string(0, at, f.header(english), head)
        _write_rows(sheet, table, part, day)
    sheet = book.add_worksheet(about)
    sheet.set_column(0, 3, 24)
    sheet.set_column(4, 4, 60)
    row = 0
    for name, text in notes:
        sheet.write_string(row, 0, name, head)
        sheet.write_string(row, 1, text[:XLSX_TEXT])
        row += 1
    row += 1
    for at, text in enumerate(
        (
            "表头 Header",
            "数据库列名 Column",
            "中文 Chinese" if english else "英文 English",
            "计量单位 Unit",
            "说明 Meaning",
        )
    ):
        sheet.write_string(row, at, text, head)
    for f in table.fields:
        row += 1
        for at, text in enumerate((f.header(english), f.name, f.zh if english else f.en, f.unit or "", f.said)):
            sheet.write_string(row, at, text, wrap)
    book.close()
    return data.num_rows


def _made_up(notes: Iterable[tuple[str, str]]) -> str:
    return next((text for name, text in notes if name.startswith("提示")), "")


def _write_rows(sheet: Any, table: Table, part: pa.Table, day: Any) -> None:
    """Writes rows below the header as XML, straight to where XlsxWriter keeps the rows of a sheet in constant memory.

    Its own calls for each cell take most of the time of a release. The XML is that of ECMA-376 part 1, 18.3.1.4: inline
    strings, numbers with the digits that give the same double back.
    """
    sheet._write_single_row(1)  # the header, which it still holds
    style = day._get_xf_index()
    makers = [_cell_maker(f.type, xl_col_to_name(at), style) for at, f in enumerate(table.fields)]
    row = 1
    for batch in part.to_batches(max_chunksize=BATCH):
        columns = [_each(c, f.type, m) for m, c, f in zip(makers, batch.columns, table.fields, strict=True)]
        lines = []
        for cells in zip(*columns, strict=True):
            row += 1
            lines.append(f'<row r="{row}">' + "".join([c % row for c in cells if c]) + "</row>")
        sheet.fh.write("".join(lines))
    sheet.dim_rowmax, sheet.dim_colmax = max(sheet.dim_rowmax or 0, row - 1), len(table.fields) - 1


def _cell_maker(kind: Type, letter: str, style: int) -> Callable[[Any], str]:
    """What makes a cell's XML of a value, with %d where the row's number goes; '' for none."""

    def text(v: str | None) -> str:
        if v is None:
            return ""
        # A longer text cannot stand in a cell; the whole of it stands in the other formats.
        v = v if len(v) <= XLSX_TEXT else v[: XLSX_TEXT - 1] + "…"
        v = _ESCAPED.sub(r"_x005F\1", v) if "_x" in v else v
        v = v.translate(_MARKUP)
        # White space at an end is kept only where this says so; elsewhere there are readers that take it for text.
        space = ' xml:space="preserve"' if v != v.strip() else ""
        return f'<c r="{letter}%d" t="inlineStr"><is><t{space}>{v}</t></is></c>'

    def number(v: float | None) -> str:
        return "" if v is None else f'<c r="{letter}%d"><v>{v!r}</v></c>'

    def boolean(v: bool | None) -> str:
        return "" if v is None else f'<c r="{letter}%d" t="b"><v>{int(v)}</v></c>'

    def date(v: dt.date | None) -> str:
        # Excel counts a 29 February 1900 that never was; an earlier date (mostly a slip of the pen) stays readable as text.
        if v is None or v < dt.date(1900, 3, 1):
            return text(None if v is None else str(v))
        return f'<c r="{letter}%d" s="{style}"><v>{(v - dt.date(1899, 12, 30)).days}</v></c>'

    makers: dict[Type, Callable[[Any], str]] = {"text": text, "boolean": boolean, "date": date}
    return makers.get(kind, number)
