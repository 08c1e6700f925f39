"""The last look at a release before it stands: reads the finished files themselves, not what they were made from.

Belongs here: every rule that refuses a release. Not here: hiding anything; by the time a file gets here it must already be
right. A hit names file, table, row and rule, never the secret itself.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from expectations.contract import Contracts
from pipelines.core.sql import identifier
from publish.disclosure.audit import Key, bounds, exposed, traced
from publish.disclosure.contributions import Parts
from publish.disclosure.history import FROZEN_ZH, Past, states, versions
from publish.disclosure.kept import ResultCache
from publish.disclosure.membership import State, families
from publish.disclosure.relations import Indicator
from publish.disclosure.scan import Scanner
from publish.disclosure.suppress import KEY, OF_CLOSED, Rules
from publish.disclosure.ties import ties
from publish.disclosure.wholes import Wholes, hold, shown_values
from publish.errors import GateRefused
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
    path_of,
    sdmx_component,
    table_file,
)
from publish.schema import Table, is_open
from publish.sources import disclosing_rows
from publish.wording import LANGUAGES, phrase

DATABASE = "mingzhang.db"
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
SQL_STEPS = 50_000_000  # how long a statement's SQL may work: a journalist will run it too
MOST_HITS = 50
AT_A_TIME = 20_000  # rows of a table in memory
ROWS, _SPANS = "provenance.sheet_rows", re.compile(r"\[(\[\d{1,7},\d{1,7}\](,(?=\[))?)*\]")
NAMES = "provenance.indicators"
NARROWEST = 0.1  # bounds on a hidden value nearer to it than this share of it have found it


@dataclass(frozen=True)
class Known:
    """What the gate holds the files against.

    `tables`: the public tables by name. `cells`: marts.indicator_values before anything was hidden, with contributors,
    largest_share and closed. `indicators`: what each is made of. `scanner` knows this run's secrets. `parts`: what each
    institution contributes to them; `past`: the releases before this one; `wholes`: which figures must add up to which. `kept`: what
    was worked out before from the same values and contributions; which values those are is read from the files.
    """

    contracts: Contracts
    tables: Mapping[str, Table]
    cells: pd.DataFrame
    indicators: dict[str, Indicator]
    scanner: Scanner
    rules: Rules
    parts: Parts | None = None
    past: tuple[Past, ...] = ()
    wholes: Wholes | None = None
    kept: ResultCache = field(default_factory=ResultCache)


@dataclass
class _Look:
    """One look over a release: what was found, and how much was looked at."""

    folder: Path
    known: Known
    hits: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # table -> format -> rows
    cells: int = 0
    clean: set[str] = field(default_factory=set)

    def hit(self, where: str, rule: str) -> None:
        if len(self.hits) < MOST_HITS:
            self.hits.append(f"{where}: {rule}")

    def scan(self, text: str) -> str | None:
        """The rule that a text breaks, or None. A text seen before is not looked at twice."""
        if text in self.clean:
            return None
        rule = self.known.scanner.text(text)
        if rule is None:
            self.clean.add(text)
        return rule


def check(folder: Path, known: Known) -> list[dict[str, Any]]:
    """Looks through the release in `folder` and gives, for each gate, its name and how much it looked at.

    Raises GateRefused with every hit found (at most 50).
    """
    look = _Look(folder, known)
    gates: tuple[tuple[str, Callable[[_Look], int]], ...] = (
        ("files", _files),
        ("cells", _contents),
        ("rows", _row_counts),
        ("contributors", _contributors),
        ("sources", _sources),
        ("ties", _ties),
        ("differences", _differences),
        ("recovery", _recovery),
        ("institutions", _institutions),
        ("statements", _statements),
        ("wholes", _wholes),
    )
    results = [{"gate": name, "checked": gate(look)} for name, gate in gates]
    if look.hits:
        raise GateRefused(look.hits)
    return results


def _files(look: _Look) -> int:
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
    """The files of words: the catalogues, what stands beside each CSV file, and the contracts."""
    beside = [f"{path_of(name, 'csv')}-metadata.json" for name in known.tables]
    return [*TEXTS, *beside, *(f"{CONTRACTS}/{contract_file(d)}" for d in known.contracts)]


def _contents(look: _Look) -> int:
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
    look: _Look, where: str, table: Table, n: int, name: str, cells: tuple[Any, ...], first: int, form: str
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


def _of_names(look: _Look, text: str) -> str | None:
    """The rule that an object of names and numbers breaks, or None. The numbers are counts, in which a room could be found by chance."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if type(found) is not dict or any(type(n) is not int or not 0 < n < 10**9 for n in found.values()):
        return "it is no JSON object of names and counts"
    return next((rule for name in found if (rule := look.scan(name))), None)


def _search_index(look: _Look) -> None:
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
                # What a row publishes by contract stands in its document too; its table is looked through by column.
                rule = look.scan(look.known.scanner.without_opened(name, text) if kind == "record" else text)
                if rule:
                    look.hit(f"{SEARCH} documents row {at}", rule)


def _as_number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _columns(look: _Look, where: str, table: Table, columns: list[str], form: str) -> None:
    wanted = [f.label for f in table.fields] if form == "xlsx" else list(table.columns)
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


def _open(look: _Look) -> sqlite3.Connection:
    path = (look.folder / DATABASE).absolute()
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)


def _sqlite(look: _Look) -> Found:
    if not (look.folder / DATABASE).is_file():
        return
    with closing(_open(look)) as con:
        found = con.execute("select type, name, sql from sqlite_master order by name").fetchall()
        for kind, name, _ in found:
            if kind not in ("table", "index"):
                look.hit(DATABASE, f"the {kind} {name} has no place in a release")
        for kind, name, _ in found:
            # sqlite_stat1 is made by ANALYZE and holds numbers of rows alone.
            if kind == "table" and name != "sqlite_stat1":
                rows = con.execute(f"select * from {identifier(name)}")
                yield DATABASE, name, [d[0] for d in rows.description], rows, 1


def _plain_csv(look: _Look) -> Found:
    return _csv(look, PLAIN, "utf-8")


def _excel_csv(look: _Look) -> Found:
    return _csv(look, EXCEL, "utf-8-sig")


def _csv(look: _Look, folder: str, encoding: str) -> Found:
    for path in sorted((look.folder / folder).glob("*.csv")):
        with path.open(encoding=encoding, newline="") as f:
            rows = csv.reader(f, strict=True)
            yield f"{folder}/{path.name}", path.stem, next(rows, []), rows, 2


def _sdmx(look: _Look) -> Found:
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


def _xlsx(look: _Look) -> Found:
    for path in sorted((look.folder / "xlsx").glob("*.xlsx")):
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).iter_rows()
            if name.startswith("数据"):
                header = [str(c) for c in next(rows, [])]
                yield f"xlsx/{path.name}", path.stem, header, rows, 2
                continue
            if name != "说明":
                look.hit(f"xlsx/{path.name}", f"no release has a sheet {name}")
            for n, cells in enumerate(rows, 1):
                for c in cells:
                    if type(c) is str and (rule := look.scan(c)):
                        look.hit(f"xlsx/{path.name} sheet 说明 row {n}", rule)


def _parquet(look: _Look) -> Found:
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


def _row_counts(look: _Look) -> int:
    """The same rows in each format."""
    for name, by_form in sorted(look.counts.items()):
        if len(set(by_form.values())) > 1:
            counts = ", ".join(f"{n} in {form}" for form, n in by_form.items())
            look.hit(name, f"the formats differ in rows: {counts}")
    return len(look.counts)


def _published(look: _Look) -> pd.DataFrame:
    if "indicator_values" not in look.counts:
        return pd.DataFrame(columns=[*KEY, "value", "status", "note"])
    with closing(_open(look)) as con:
        return pd.read_sql_query(f"select {', '.join(KEY)}, value, status, note from indicator_values", con)


def _closed(look: _Look) -> pd.DataFrame:
    cells = look.known.cells
    columns = [*KEY, "value", "contributors", "largest_share", OF_CLOSED]
    closed = cells[cells["closed"].astype("boolean").fillna(True)].reindex(columns=columns)
    return closed.astype({"year": "int64"})


def _unsafe(look: _Look, frame: pd.DataFrame, value: str) -> np.ndarray:
    columns = (frame[c].to_numpy(dtype=float, na_value=float("nan")) for c in ("contributors", "largest_share", value))
    return np.array(list(map(look.known.rules.unsafe, *columns)), dtype=bool)


def _contributors(look: _Look) -> int:
    """No published value that comes from closed rows has too few institutions behind it, or one too large."""
    both = _closed(look).merge(_published(look), on=KEY, how="inner", suffixes=("_true", ""))
    shown = both[both["value"].notna()]
    for row in shown[_unsafe(look, shown, "value_true")][KEY].itertuples(index=False):
        look.hit(
            f"{DATABASE} indicator_values {'/'.join(map(str, row))}", "too few institutions stand behind this value"
        )
    marked = both[(both["status"] == "Q") & both["value"].notna()]
    for row in marked[KEY].itertuples(index=False):
        look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, row))}", "a suppressed value is there")
    beside = (
        ("claims", "claim_id", "c.computed_value is not null or c.difference is not null"),
        ("claims", "claim_id", "c.explanation_zh <> :zh or c.explanation_en <> :en"),
        ("claims", "claim_id", "coalesce(c.basis, c.wording_zh) is not null"),
        ("savings_statement", "line", "c.value is not null"),
        ("benchmark_distances", "benchmark_id", "coalesce(c.value, c.difference, c.percent, c.reached) is not null"),
    )
    for table, name, disclosing in beside:
        if table in look.counts:
            keys = " and ".join(f"c.{k} = v.{k}" for k in KEY if k != "year" or table != "claims")
            if table == "claims":  # one about several years rests on each of them
                keys += " and v.year between coalesce(c.first_year, c.year) and c.year"
            sql = f"select c.{name} from {table} c join indicator_values v on {keys} where v.status = 'Q' and ({disclosing})"
            with closing(_open(look)) as con:
                for (row,) in con.execute(
                    sql, {str(at): phrase("suppressed", "claim", at) for at in LANGUAGES} if ":zh" in sql else {}
                ):
                    look.hit(f"{DATABASE} {table} {row}", "it shows a value that is suppressed")
    return len(both)


def _sources(look: _Look) -> int:
    """Provenance tells of no suppressed value, and of no place in what is not open in rows."""
    if "provenance" not in look.counts:
        return 0
    with closing(_open(look)) as con:
        placed = """select dataset, min(rowid) from provenance
            where coalesce(sheet, sheet_rows, district, org_type, level, letter) is not null group by dataset order by dataset"""
        for dataset, row in con.execute(placed):
            contract = look.known.contracts.get(dataset)
            if contract is None or not is_open(contract):
                look.hit(
                    f"{DATABASE} provenance row {row}", f"it tells a place in {dataset}, which is not open in rows"
                )
        for row, *key in con.execute(disclosing_rows()):
            look.hit(f"{DATABASE} provenance row {row}", f"it tells of the suppressed value {'/'.join(map(str, key))}")
        return int(con.execute("select count(*) from provenance").fetchone()[0])


def _ties(look: _Look) -> int:
    """No ratio, and no comparison of the same institutions, stands beside sums over few institutions more, or one large one."""
    shown = _published(look)
    shown = shown[shown["value"].notna()].astype({"year": "int64"})
    cells = look.known.cells.astype({"year": "int64"})
    counted = shown.merge(cells[[*KEY, "contributors", "closed"]], on=KEY)
    secret = counted["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
    frozen = counted["note"].fillna("").str.contains(FROZEN_ZH, regex=False).to_numpy(dtype=bool)
    known = look.known
    between = ties(counted, known.indicators, known.parts, frozen, known.kept, cells)
    found = [t for t in between if secret[t.tie]]
    for n in sorted({t.tie for t in found if t.unsafe(look.known.rules)}):
        look.hit(
            f"{DATABASE} indicator_values {'/'.join(map(str, counted[KEY].iloc[n]))}",
            "with published sums it gives what a few institutions have that it leaves out",
        )
    return len(found)


def _differences(look: _Look) -> int:
    """What moved since any past release was moved by enough institutions, and what stands still does not follow from it."""
    shown = _published(look)
    if shown.empty or not look.known.past:
        return 0
    shown = shown.astype({"year": "int64"}).merge(_closed(look)[[*KEY, "value"]], on=KEY, suffixes=("", "_true"))
    frozen = shown["note"].fillna("").str.contains(FROZEN_ZH, regex=False).to_numpy(dtype=bool)
    known = shown["value"].notna().to_numpy(dtype=bool) & ~frozen
    true = shown.assign(value=shown["value_true"])
    seen = versions(true, look.known.parts, list(look.known.past), look.known.indicators, look.known.rules)
    public = np.any([v.current & v.same for v in seen], axis=0)
    rows: list[Key] = [tuple(r) for r in shown[KEY].itertuples(index=False)]
    kinds = {name: i.kind for name, i in look.known.indicators.items()}
    for v in seen:
        for n in traced(rows, kinds, known, public, v.current, v.same, v.few):
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, rows[n]))}",
                f"its difference from release {v.release_id} tells about too few institutions",
            )
    return len(rows) * len(seen)


def _recovery(look: _Look) -> int:
    """No hidden value that had to be hidden can be had back from the published ones by linear programming."""
    closed = _closed(look)
    closed = closed[closed["value"].notna() & (closed["contributors"].fillna(1) > 0)]
    targets = closed[_unsafe(look, closed, "value")]
    for past in look.known.past:  # what a release showed under weaker rules is known, whatever this one shows
        then = past.cells[[*KEY, "value"]].astype({"year": "int64"}).rename(columns={"value": "then"})
        targets = targets.merge(then, on=KEY, how="left")
        targets = targets[targets["value"] != targets["then"]].drop(columns="then")
    keys = [tuple(r) for r in targets[KEY].itertuples(index=False)]
    # Of a sum of open and closed rows a reader knows the open part, and the secret is the rest.
    secret = targets[OF_CLOSED].fillna(targets["value"]).abs()
    wide = {k: (v - NARROWEST * s, v + NARROWEST * s) for k, v, s in zip(keys, targets["value"], secret, strict=True)}
    all_keys = map(tuple, closed[KEY].to_numpy())
    floor = {
        k: f for k, f in zip(all_keys, closed["value"] - closed[OF_CLOSED].fillna(closed["value"]), strict=True) if f
    }
    kinds = {name: i.kind for name, i in look.known.indicators.items()}
    found = bounds(_published(look), kinds, keys, enough=wide, floor=floor, kept=look.known.kept)
    for key, true, of_closed in zip(keys, targets["value"], secret, strict=True):
        low, high = found[key]
        near = NARROWEST * of_closed
        if low > true - near and true > 0 and high < true + near:
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, key))}",
                "this hidden value can be computed from others",
            )
    return len(keys)


def _wholes(look: _Look) -> int:
    """Wholes are the sum of their parts, ratios the quotient and changes the difference of what stands beside them."""
    if "indicator_values" not in look.counts or look.known.wholes is None:
        return 0
    with closing(_open(look)) as con:
        have = {r[1] for r in con.execute("pragma table_info(indicator_values)")}
        counts = [c if c in have else f"null as {c}" for c in ("reporting", "population")]
        rows = con.execute(
            f"select {', '.join(KEY)}, value, note, {', '.join(counts)} from indicator_values"
        ).fetchall()
    found = hold(shown_values(rows), look.known.wholes)
    for cell, wrong in found.broken:
        look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, cell))}", wrong)
    return found.looked_at


def _institutions(look: _Look) -> int:
    """Nothing of one institution, or of two, follows from all published values together, and no sum over few; the number of
    values that take part."""
    if look.known.parts is None:
        return 0
    shown = _published(look).astype({"year": "int64"}).merge(_closed(look)[KEY], on=KEY)
    own = ~shown["note"].fillna("").str.contains(FROZEN_ZH, regex=False) & shown["value"].notna()
    disclosing = np.zeros(len(shown), dtype=bool)
    for past in look.known.past:
        if past.parts is None:
            then = past.cells[[*KEY, "value"]].astype({"year": "int64"}).rename(columns={"value": "then"})
            disclosing |= (shown.merge(then, on=KEY, how="left")["then"] == shown["value"]).to_numpy(dtype=bool)
    now = State(shown, own.to_numpy(dtype=bool), look.known.parts, disclosing)
    found = families([*states(list(look.known.past)), now], look.known.indicators, look.known.kept)
    for family in found:
        for n, rule in exposed(family, look.known.rules):
            look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, shown[KEY].iloc[n]))}", rule)
    covered = {n for family in found for cells in family.cells for n in cells}
    for n in map(int, np.flatnonzero(now.shown)):
        if n not in covered:
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, shown[KEY].iloc[n]))}",
                "nobody knows which institutions stand behind it",
            )
    return len(covered)


def _statements(look: _Look) -> int:
    """Each statement's SQL runs on the finished database and gives the value that the statement's row shows."""
    checked = 0
    for table, key, shown in (("claims", "claim_id", "computed_value"), ("claim_arithmetic", "check_id", "computed")):
        if table not in look.counts:
            continue
        with closing(_open(look)) as con:
            rows = con.execute(f"select {key}, {shown}, sql from {table} where sql is not null").fetchall()
            for name, computed, sql in rows:
                checked += 1
                try:
                    value = run_sql(con, sql)
                except (sqlite3.Error, ValueError) as e:
                    look.hit(f"{DATABASE} {table} {name}", f"its SQL does not run ({e})")
                    continue
                if computed is not None and (value is None or not same_number(computed, value)):
                    look.hit(f"{DATABASE} {table} {name}", "its SQL does not give the value shown")
    return checked


def run_sql(con: sqlite3.Connection, sql: str) -> float | None:
    """The one number that a statement's SQL gives, None where it gives none. Raises ValueError or sqlite3.Error with the reason."""
    steps = 0

    def tick() -> bool:
        nonlocal steps
        steps += 1
        return steps * 10_000 > SQL_STEPS

    con.set_progress_handler(tick, 10_000)
    try:
        rows = con.execute(sql).fetchmany(2)
    finally:
        con.set_progress_handler(None, 0)
    if not rows:
        return None
    if len(rows) > 1 or len(rows[0]) != 1:
        raise ValueError("it gives more than one value, not one number")
    value = rows[0][0]
    if value is not None and not isinstance(value, int | float):
        raise ValueError("it gives a text, not a number")
    return value


def same_number(shown: float, value: float) -> bool:
    """Whether `value`, rounded to the digits of `shown`, is `shown` (a double's own error allowed)."""
    text = repr(float(shown))
    decimals = 0 if "e" in text or text.endswith(".0") else len(text.partition(".")[2])
    return abs(shown - value) <= 0.5 * 10.0**-decimals + 1e-9 * max(abs(shown), 1.0)
