"""Gates over the files of a release: which there are, their tables, columns and rows, and no secret in any cell or text.

Belongs here: reading every format back, and what may be in it. Not here: what follows from published figures (gate_values.py).
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from pipelines.core.sql import identifier
from publish.disclosure.inspection import DATABASE, Inspection, Known, open_database
from publish.files import (
    ABSENT,
    CATALOGUE,
    CODINGS,
    CRATE,
    CROISSANT,
    EXCEL,
    FOLDERS,
    PACKAGE,
    PLAIN,
    SDMX_DATA,
    SDMX_LEADING,
    SDMX_STRUCTURE,
    SHEETS,
    path_of,
    sdmx_component,
    table_file,
)
from publish.schema import Table, is_open

CODED = tuple(CODINGS.values())
SEARCH = "search.db"
TEXTS = (
    PACKAGE,
    CATALOGUE,
    CROISSANT,
    CRATE,
    SDMX_STRUCTURE,
    "release.json",
    "changes.json",
    f"{EXCEL}/README.txt",
    f"{PLAIN}/README.txt",
)
CONTRACTS = "contracts"
AT_A_TIME = 20_000  # rows of a table in memory
ROWS, _SPANS = "provenance.sheet_rows", re.compile(r"\[(\[\d{1,7},\d{1,7}\](,(?=\[))?)*\]")
NAMES = "provenance.indicators"


def allowed_files(look: Inspection) -> int:
    """Only files that a release has: one for each public table and format, none for a dataset that is not open, and the
    words beside them."""
    allowed = {DATABASE, SEARCH, SDMX_DATA, *_texts(look.known)}
    for name in look.known.tables:
        allowed |= {table_file(folder, name) for folder in FOLDERS}
    found = sorted(p.relative_to(look.folder).as_posix() for p in look.folder.rglob("*") if not p.is_dir())
    for path in found:
        if path in allowed or (path.endswith(CODED) and path.rpartition(".")[0] in allowed):
            if path not in allowed and not _decodes(look.folder / path):
                look.hit(path, "it is not the file beside it, compressed")
            continue
        contract = look.known.contracts.get(Path(path).stem)
        closed = contract is not None and not is_open(contract)
        look.hit(path, f"the dataset {Path(path).stem} is not open in rows" if closed else "no release has such a file")
    for path in sorted(allowed - set(found)):
        look.hit(path, "this file is missing")
    return len(found)


def _decodes(path: Path) -> bool:
    """Whether a coded file is the file beside it, and nothing more."""
    digests = []
    try:
        for source in (path.with_suffix(""), path):
            coding = "detect" if source == path else None
            with pa.input_stream(str(source), compression=coding) as f:
                h = hashlib.sha256()
                while piece := f.read(1 << 20):
                    h.update(piece)
            digests.append(h.digest())
    except OSError:
        return False
    return digests[0] == digests[1]


def contract_file(dataset: str) -> str:
    """What a dataset's contract is called in the folder CONTRACTS of a release."""
    return f"{dataset}.odcs.yaml"


def _texts(known: Known) -> list[str]:
    """The text files: catalogues, metadata of each CSV file, contracts."""
    beside = [f"{path_of(name, 'csv')}-metadata.json" for name in known.tables]
    return [*TEXTS, *beside, *(f"{CONTRACTS}/{contract_file(d)}" for d in known.contracts)]


def contents(look: Inspection) -> int:
    """Every table of every format: known columns of level L0 only, and no secret in any cell."""
    forms = {"SQLite": _sqlite, PLAIN: _plain_csv, EXCEL: _excel_csv, "xlsx": _xlsx, "parquet": _parquet, "sdmx": _sdmx}
    for form, read in forms.items():
        for where, name, columns, rows, first in read(look):
            table = look.known.tables.get(name)
            if table is None:
                contract = look.known.contracts.get(name)
                closed = contract is not None and not is_open(contract)
                look.hit(where, f"the dataset {name} is not open in rows" if closed else "no release has such a table")
                continue
            _columns(look, where, table, columns, form)
            count, rows = 0, iter(rows)
            while some := list(islice(rows, AT_A_TIME)):
                for n, cells in enumerate(zip_longest(*some)):
                    label = (columns[n : n + 1] or [""])[0]
                    _column(look, f"{where} {name} row", table, n, label, cells, first + count, form)
                count += len(some)
            look.cells += count * len(columns)
            of_table = look.counts.setdefault(name, {})
            of_table[form] = of_table.get(form, 0) + count
    _search_index(look)
    for path in _texts(look.known):
        if not (look.folder / path).is_file():
            continue
        text = (look.folder / path).read_text(encoding="utf-8")
        pieces = _strings(json.loads(text)) if path.endswith(("json", "jsonld")) else text.splitlines()
        for n, piece in enumerate(pieces, 1):
            if rule := look.scan(piece):
                look.hit(f"{path} text {n}", rule)
    return look.cells


def _column(
    look: Inspection, where: str, table: Table, n: int, name: str, cells: tuple[Any, ...], first: int, form: str
) -> None:
    """Looks at the n-th column of a table once for each different value; a hit names the first row that holds it."""
    kind = table.fields[n].type if n < len(table.fields) else "text"
    contract = look.known.contracts.get(table.dataset) if table.dataset else None
    only = contract.open_rows if contract is not None else None
    label = name if form != "xlsx" or n >= len(table.fields) else table.fields[n].name
    left_out = only.not_in if only is not None and only.column == label else ()
    scanner, column = look.known.scanner, f"{table.name}.{label}"
    for v in set(cells):
        rule = None
        if form == PLAIN and v == ABSENT:
            continue  # nothing
        if v in left_out:
            rule = f"a row with this {label} is not open"
        elif column == ROWS and v.__class__ is str and _SPANS.fullmatch(v):
            continue  # places in a sheet, in which a list of room numbers could be found by chance
        elif column == NAMES and v.__class__ is str and v:
            rule = _of_names(look, v)
        elif v.__class__ is str and (kind == "text" or form == "xlsx"):
            rule = look.scan(v)
            if rule and table.dataset and scanner.opens(column, v.removeprefix("'")):
                rule = scanner.text(v, by_value=False)
        elif kind in ("real", "integer"):
            x = _as_number(v) if v.__class__ is str else v
            rule = scanner.number(x) if x is not None and x != "" else None
        if rule:
            look.hit(f"{where} {cells.index(v) + first}", rule)


def _of_names(look: Inspection, text: str) -> str | None:
    """The rule that an object of names and numbers breaks, or None. The numbers are counts, in which a room could be found by chance."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if type(found) is not dict or any(type(n) is not int or not 0 < n < 10**9 for n in found.values()):
        return "it is no JSON object of names and counts"
    return next((rule for name in found if (rule := look.scan(name))), None)


def _search_index(look: Inspection) -> None:
    """The texts that can be found by searching: the same secrets must not be there."""
    path = (look.folder / SEARCH).absolute()
    if not path.is_file():
        return  # said by the gate of files
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        found = con.execute("select kind, name, * from documents order by id")
        for at, (kind, name, *cells) in enumerate(found, 1):
            look.cells += len(cells)
            for text in cells:
                if text.__class__ is not str:
                    continue
                # What a row publishes by contract is in its document too; its table is looked through by column.
                rule = look.scan(look.known.scanner.without_opened(name, text) if kind == "record" else text)
                if rule:
                    look.hit(f"{SEARCH} documents row {at}", rule)


def _as_number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _columns(look: Inspection, where: str, table: Table, columns: list[str], form: str) -> None:
    english = look.known.english_first
    wanted = [f.header(english) for f in table.fields] if form == "xlsx" else list(table.columns)
    contract = look.known.contracts.get(table.name) if table.dataset else None
    level = {}
    if contract is not None:
        level = {name: c.access for c in contract.columns for name in (c.name, *c.headers)}
    for c in columns:
        if c not in wanted:
            kept = level.get(c, "L0")
            look.hit(
                f"{where} {table.name}",
                f"the column {c} is of level {kept}" if kept != "L0" else f"no such column: {c}",
            )
        elif contract is not None and c in contract.by_name and contract.by_name[c].access != "L0":
            look.hit(f"{where} {table.name}", f"the column {c} is of level {contract.by_name[c].access}")
    if columns != wanted and set(columns) == set(wanted):
        look.hit(f"{where} {table.name}", "its columns are not in the order promised")
    for c in sorted(set(wanted) - set(columns)):
        look.hit(f"{where} {table.name}", f"the column {c} is missing")


Found = Iterator[tuple[str, str, list[str], Iterable[Any], int]]  # where, table, columns, rows, number of the first


def _sqlite(look: Inspection) -> Found:
    if not (look.folder / DATABASE).is_file():
        return
    with closing(open_database(look)) as con:
        found = con.execute("select type, name, sql from sqlite_master order by name").fetchall()
        for kind, name, _ in found:
            if kind not in ("table", "index"):
                look.hit(DATABASE, f"the {kind} {name} has no place in a release")
        for kind, name, _ in found:
            # sqlite_stat1 is made by ANALYZE and holds numbers of rows alone.
            if kind == "table" and name != "sqlite_stat1":
                rows = con.execute(f"select * from {identifier(name)}")
                yield DATABASE, name, [d[0] for d in rows.description], rows, 1


def _plain_csv(look: Inspection) -> Found:
    return _csv(look, PLAIN, "utf-8")


def _excel_csv(look: Inspection) -> Found:
    return _csv(look, EXCEL, "utf-8-sig")


def _csv(look: Inspection, folder: str, encoding: str) -> Found:
    for path in sorted((look.folder / folder).glob("*.csv")):
        with path.open(encoding=encoding, newline="") as f:
            rows = csv.reader(f, strict=True)
            yield f"{folder}/{path.name}", path.stem, next(rows, []), rows, 2


def _sdmx(look: Inspection) -> Found:
    """The indicator values as SDMX-CSV, under the names and in the order of the table; what it has beside comes last."""
    path, table = look.folder / SDMX_DATA, look.known.tables["indicator_values"]
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as f:
        rows = csv.reader(f, strict=True)
        header = next(rows, [])
        of = {sdmx_component(c): c for c in table.columns}
        at = [header.index(sdmx_component(c)) for c in table.columns if sdmx_component(c) in header]
        rest = [n for n in range(len(header)) if n not in at]
        leading = [n for n in rest if header[n] in SDMX_LEADING]
        order = [*at, *(n for n in rest if n not in leading)]

        def ordered() -> Iterator[list[str]]:
            for row in rows:
                for n in leading:
                    if rule := look.scan(row[n]):
                        look.hit(f"{SDMX_DATA} {header[n]}", rule)
                yield [row[n] for n in order]

        yield SDMX_DATA, table.name, [of.get(header[n], header[n]) for n in order], ordered(), 2


def _xlsx(look: Inspection) -> Found:
    of_rows, of_notes = SHEETS[look.known.english_first]
    for path in sorted((look.folder / "xlsx").glob("*.xlsx")):
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).iter_rows()
            if name.startswith(of_rows):
                header = [str(c) for c in next(rows, [])]
                yield f"xlsx/{path.name}", path.stem, header, rows, 2
                continue
            if name != of_notes:
                look.hit(f"xlsx/{path.name}", f"no release has a sheet {name}")
            for n, cells in enumerate(rows, 1):
                for c in cells:
                    if type(c) is str and (rule := look.scan(c)):
                        look.hit(f"xlsx/{path.name} sheet {of_notes} row {n}", rule)


def _parquet(look: Inspection) -> Found:
    for path in sorted((look.folder / "parquet").glob("*.parquet")):
        file = pq.ParquetFile(path)
        for key, value in (file.schema_arrow.metadata or {}).items():
            if rule := look.scan(value.decode("utf-8", "replace")):
                look.hit(f"parquet/{path.name} {key.decode()}", rule)
        yield f"parquet/{path.name}", path.stem, list(file.schema_arrow.names), _parquet_rows(file), 1


def _parquet_rows(file: pq.ParquetFile) -> Iterator[Any]:
    for batch in file.iter_batches(20_000):
        yield from zip(*(c.to_pylist() for c in batch.columns), strict=True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from _strings(v)
    elif isinstance(value, list):
        for v in value:
            yield from _strings(v)


def row_counts(look: Inspection) -> int:
    """The same rows in each format."""
    for name, by_form in sorted(look.counts.items()):
        if len(set(by_form.values())) > 1:
            counts = ", ".join(f"{n} in {form}" for form, n in by_form.items())
            look.hit(name, f"the formats differ in rows: {counts}")
    return len(look.counts)
