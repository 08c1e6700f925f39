"""Builds a release: from the warehouse to an immutable folder of files.

Belongs here: the order of the work, the identity of a release, and that nobody ever sees half of one. Not here: rows
(tables.py), formats (write.py), secrecy (publish/disclosure), or the releases kept (store.py).

A crash at any point leaves the last release untouched: everything is made in HOME/releases/.building-<process>, which the
next build clears away, and put in place by one rename; `current` is switched by another.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from xlsxwriter.exceptions import FileCreateError

from expectations.contract import Contracts
from pipelines.core import audit
from pipelines.core.city import (
    DECISIONS,
    DOORS,
    GOVERNMENT_OFFICES,
    WORDS,
    City,
    read_providers,
    read_sections,
    read_set_names,
)
from pipelines.core.digests import file_sha256
from pipelines.core.fingerprint import code_of
from pipelines.core.home import Home, sync
from pipelines.core.progress import report
from pipelines.sources import decisions
from publish.catalog import About, File, TableResource, csvw, sdmx
from publish.catalog.crate import crate
from publish.catalog.croissant import croissant
from publish.catalog.datapackage import datapackage
from publish.catalog.dcat import catalog
from publish.catalog.odcs import contract_text
from publish.disclosure import gate, history, past_releases
from publish.disclosure.corrections import FIGURE, correct
from publish.disclosure.kept import ResultCache
from publish.disclosure.suppress import Knowledge, Rules, suppress
from publish.disclosure.ties import ties
from publish.errors import GateHeld, GateRefused, ReleaseError
from publish.files import (
    ABSENT,
    CATALOGUE,
    CRATE,
    CROISSANT,
    EXCEL,
    FOLDERS,
    MEDIA,
    PACKAGE,
    PLAIN,
    SDMX_DATA,
    SDMX_STRUCTURE,
    media_type,
    path_of,
    table_file,
)
from publish.release import bill, hold, movement, statements, store, tables
from publish.release.changes import compare
from publish.release.compress import compress
from publish.release.doubted import doubted, write_doubted
from publish.release.held import held, write_held
from publish.release.movement import Lineage, MovementLimits
from publish.release.provenance import provenance
from publish.release.search_index import build_index
from publish.release.warehouse import from_rows
from publish.release.write import (
    BATCH,
    FOR_EXCEL,
    FOR_PROGRAMS,
    FOR_SDMX,
    CsvForm,
    Database,
    blank_columns,
    write_csv,
    write_parquet,
    write_xlsx,
)
from publish.schema import RELEASES, STATUS, Table, Type, is_open, public_tables
from publish.wording import MADE_UP_EN, MADE_UP_ZH

CSV: dict[str, CsvForm] = {EXCEL: FOR_EXCEL, PLAIN: FOR_PROGRAMS}
ABOUT_CSV = {
    EXCEL: [
        (
            "格式 Format",
            "供 Excel 打开：带字节顺序标记的 UTF-8；会被当作公式的文字前加一个撇号。程序请用 csv-plain / "
            "For Excel: UTF-8 with a byte order mark, an apostrophe before text that would run as a formula. "
            "Programs read csv-plain",
        )
    ],
    PLAIN: [
        (
            "格式 Format",
            f"供程序读取：不带字节顺序标记的 UTF-8，文字原样；空格子表示没有，有空文字的列里空格子就是空文字，没有写作 {ABSENT} / "
            f"For programs: UTF-8 without a byte order mark, text as it is; an empty cell is what is absent, but in a column that "
            f"has empty texts it is one, and what is absent is {ABSENT}",
        )
    ],
}
WRITES_CSV = ("publish/release/write.py", "publish/files.py", "publish/schema.py", "pipelines/core")
NOTHING: dict[Type, Any] = {"text": "", "integer": 0, "real": 0.0, "boolean": False, "date": date(1970, 1, 1)}
# Marts that are published as they are; what of the others is, publish/release/tables.py says.
COPIED = (
    "indicators", "claim_arithmetic", "factors", "periods", "benchmarks", "datasets", "dataset_columns", "data_issues", "coverage",
    "punctuality",
)  # fmt: skip
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class BuiltRelease:
    """A release that stands. `state` is new or unchanged; `current`: whether HOME/current points to it, which it does
    unless it was withdrawn by a rollback. `rows` by table; `suppressed` counts the values hidden, `held` those that stand as
    last published while the records give another, `corrected` those that a decision replaced or withdrew."""

    release_id: str
    path: Path
    state: str
    current: bool
    synthetic: bool
    rows: dict[str, int] = field(default_factory=dict)
    suppressed: int = 0
    held: int = 0
    corrected: int = 0
    gates: list[dict[str, Any]] = field(default_factory=list)


def build(
    home: Home,
    contracts: Contracts,
    city: City,
    as_of: date,
    code_version: str,
    rules: Rules | None = None,
    limits: MovementLimits | None = None,
) -> BuiltRelease:
    """Builds the release of HOME/warehouse.duckdb, unless it stands already, and makes it the current one.

    The caller holds the home (`home.locked()`). `as_of` is the date the release speaks of, `code_version` names the code
    that made it; `limits` are the city's where not given. The same warehouse,
    contracts, city, date, code and release before give the same bytes and the same release_id.
    Raises ReleaseError (exit status 1), GateRefused or GateHeld (3), each with one sentence; the last release is then untouched.
    """
    rules, limits = rules or Rules(), limits or movement.load_limits(city.folder)
    home.releases.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    folder = home.releases / f"{store.BUILDING}{os.getpid()}"
    with _clear_errors(home):
        try:
            return _build(home, folder, contracts, city, as_of, code_version, rules, limits)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            past_releases.unsaved(home).unlink(missing_ok=True)


def _build(
    home: Home,
    folder: Path,
    contracts: Contracts,
    city: City,
    as_of: date,
    code_version: str,
    rules: Rules,
    limits: MovementLimits,
) -> BuiltRelease:
    shapes = {t.name: t for t in public_tables(contracts)}
    kept = past_releases.solved(home)
    with tables.Warehouse(home.warehouse) as w:
        cells = tables.indicator_cells(w)
        indicators, wholes = tables.indicators_about(w), tables.wholes(w)
        parts, past = tables.contributions(w, past_releases.unsaved(home)), past_releases.recall(home)
        against_past = history.freeze(cells, parts, past, indicators, rules)
        between = ties(against_past.cells, indicators, parts, against_past.frozen, kept)
        near = [(t.tie, t.whole) for t in between if t.unsafe(rules)]
        reader = None if parts is None else Knowledge(parts, history.states(past), against_past.frozen)
        hidden = suppress(
            against_past.cells, indicators, rules, against_past.hidden, against_past.known, near, reader, kept
        )
        last = home.releases / past[-1].release_id if past else None
        decided = decisions.in_force(home, [FIGURE])
        corrected = correct(cells, hidden.cells, against_past.frozen, decided, parts, past, indicators)
        still_frozen = against_past.frozen & ~corrected.withdrawn
        data = _rows(w, contracts, city, shapes, corrected.cells, still_frozen, last)
        data["corrections"] = tables.corrections(corrected.rows)
        data["indicators_main"] = tables.indicators_main(data)
        waiting = held(cells, corrected, against_past, past, rules)
        write_held(home, waiting, data["indicators"])
        write_doubted(home, doubted(w, corrected.cells, rules))
        given = tables.inputs(w)
        scanner = tables.scanner(w, contracts, data)
        computed = statements.computed_claims(w)
        lineage = Lineage(*tables.source_datasets(w), corrected.rows)
    _refuse_empty(home, cells, data, shapes)
    synthetic = _is_synthetic(data)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    steps, done = len(shapes) * 5 + 1, 0

    def step(n: int = 1) -> None:
        nonlocal done
        done += n
        report("release", done, steps)

    h = hashlib.sha256()
    _feed(
        h, "about", json.dumps([code_version, as_of.isoformat(), contracts.digest, _city(city), given], sort_keys=True)
    )
    previous = store.current(home)
    for name in sorted(data):
        digests = [_csv(folder, of, shapes[name], data[name], previous, kept) for of in CSV]
        _feed(h, name, digests[0])
        step(2)
    same = _same(home, h)
    damaged = same is not None and bool(store.verify(home, same.name))
    if same is not None and damaged:  # it is made anew, of the same release before
        before_it = store.show(home, same.name).get("previous")
        previous = home.releases / before_it if before_it and (home.releases / before_it).is_dir() else None
    content = _content(h, previous.name if previous else None)
    release_id = f"{as_of.isoformat()}-{content[:8]}"
    final = home.releases / release_id if same is None or damaged else same
    taken = movement.measure(cells, indicators, data, computed, as_of, len(decisions.read(home)))
    if final.is_dir() and not damaged:
        if not any(p.release_id == final.name and p.kept for p in past):
            past_releases.remember(home, final.name, hidden.cells, parts)
        movement.keep(home, final.name, taken)
        store.drop_held(home)
        return replace(_existing_release(home, final, synthetic), held=len(waiting), corrected=len(corrected.rows))
    yes = hold.accepted(home, release_id)
    reasons = [] if previous is None or yes or damaged else movement.beyond(home, previous, taken, limits, lineage)
    if previous is not None and reasons:
        _refuse_if_held(home, release_id, previous.name, reasons)
    about = About(release_id, as_of, code_version, city, synthetic)

    data["releases"] = from_rows([_release_row(about, contracts, content, data)], RELEASES)
    for of, form in CSV.items():
        write_csv(folder / table_file(of, "releases"), RELEASES, data["releases"], form)
    unique = {name: _is_unique(data[name], shapes[name]) for name in data}
    _write_formats(folder, about, shapes, data, unique, step)
    build_index(folder / gate.DATABASE, folder / gate.SEARCH)
    hold.write_json(folder / "changes.json", compare(previous, folder) | ({"accepted": yes} if yes else {}))
    _describe(folder, about, contracts, shapes, data, unique)
    before = {"previous": previous.name if previous else None, "accepted": yes}
    record = _record(about, contracts, content, data, given, hidden.primary.sum(), hidden.secondary.sum(), rules)
    record |= before
    hold.write_json(folder / "release.json", record)
    compress(folder, previous)
    known = gate.Known(
        contracts,
        shapes,
        against_past.cells,
        indicators,
        scanner,
        rules,
        parts,
        tuple(past),
        wholes,
        kept,
        city.english_first,
    )
    results = gate.check(folder, known)
    kept.prune()
    hold.write_json(folder / "release.json", record | {"gates": results})
    step()
    store.seal(folder)
    bill.keep(home, release_id)
    if previous is not None and reasons:
        audit.write(home, "held", release_id, against=previous.name)
        hold.hold(home, folder, release_id, previous.name, reasons, hidden.cells, parts, taken)
        raise GateHeld(release_id, previous.name, reasons)
    if final.is_dir():
        final.rename(home.releases / f"{store.BUILDING}damaged")  # cleared away by the next build
    folder.rename(final)
    sync(home.releases)
    past_releases.remember(home, release_id, hidden.cells, parts)
    movement.keep(home, release_id, taken)
    audit.write(
        home,
        "released",
        release_id,
        instead_of=previous.name if previous is not None else "",
        code_version=code_version,
        frozen=len(waiting),
        corrected=len(corrected.rows),
    )
    store.switch(home, release_id)
    store.drop_held(home)
    rows = {name: t.num_rows for name, t in data.items()}
    suppressed = int(hidden.primary.sum() + hidden.secondary.sum())
    return BuiltRelease(
        release_id, final, "new", True, synthetic, rows, suppressed, len(waiting), len(corrected.rows), results
    )


def _content(h: Any, previous: str | None) -> str:
    """The content hash: of what was hashed so far and of the release before, on which changes.json and the secrecy of a release
    depend as on its inputs."""
    h = h.copy()
    _feed(h, "previous", previous or "")
    return h.hexdigest()


def _same(home: Home, h: Any) -> Path | None:
    """The release that is current, or was rolled back from, where the same inputs gave it."""
    now = store.current(home)
    for name in ([now.name] if now else []) + sorted(store.withdrawn(home)):
        try:
            record = store.show(home, name)
        except ReleaseError:
            continue  # deleted or damaged: it is made anew
        if _content(h, record.get("previous")) == record["content_sha256"]:
            return home.releases / name
    return None


def _refuse_if_held(home: Home, release_id: str, last: str, reasons: list[str]) -> None:
    """Raises GateHeld where just this release is held already, so that it is not made once more."""
    found = store.held(home)
    if found is not None and found.release_id == release_id and not store.wrong_files(found.path):
        raise GateHeld(release_id, last, reasons)


def _refuse_empty(home: Home, cells: pd.DataFrame, data: dict[str, pa.Table], shapes: dict[str, Table]) -> None:
    """Raises GateRefused where there is nothing to publish: no record, no indicator, neither a value nor an open row, or none of the
    statements that the city's folder makes. `cells` as the marts have them: a city may be so small that all is suppressed."""
    wrong = []
    if not any(data["datasets"]["rows"].to_pylist()):
        wrong.append("no dataset has a record; look whether the inbox is there and has files in it")
    if not data["indicators"].num_rows:
        wrong.append("there is no indicator; build the whole pipeline with 'mingzhang run --full'")
    if cells["value"].isna().all() and not any(t.num_rows for name, t in data.items() if shapes[name].dataset):
        wrong.append("no indicator has a value and no dataset an open row; look at what became of the files received")
    stated = home.table("city", "claims")
    if stated.is_file() and pq.read_metadata(stated).num_rows and not data["claims"].num_rows:
        wrong.append(
            "the city's folder makes statements and none is checked; build the whole pipeline with 'mingzhang run --full'"
        )
    if wrong:
        raise GateRefused([f"it would be empty: {sentence}" for sentence in wrong])


def _rows(
    w: tables.Warehouse,
    contracts: Contracts,
    city: City,
    shapes: dict[str, Table],
    cells: pd.DataFrame,
    held: np.ndarray,
    last: Path | None,
) -> dict[str, pa.Table]:
    """Every public table's rows but that of the release itself. `held`: cells that stand as in the release `last`."""
    data = {c.dataset: tables.open_rows(w, c) for c in contracts.values() if is_open(c)}
    data |= {name: w.take("marts", name, shapes[name]) for name in COPIED}
    data["submissions"] = w.take("marts", "submissions", shapes["submissions"], nulls="first")
    data["task_counts"] = tables.task_counts(w)
    data["findings"] = tables.findings(w, contracts)
    data["not_reported"] = tables.not_reported(w, city)
    data["divisions"] = tables.divisions(w)
    data["indicator_values"] = tables.indicator_values(cells)
    before = last if last is not None and last.is_dir() else None
    data["claims"] = statements.claims(w, cells, held, before and before / "parquet" / "claims.parquet")
    data["provenance"] = provenance(w, contracts, cells, held, before)
    data["savings_statement"] = tables.savings_statement(w, cells)
    data["benchmark_distances"] = tables.benchmark_distances(w, cells)
    return data


def _csv(folder: Path, of: str, table: Table, data: pa.Table, previous: Path | None, kept: ResultCache) -> str:
    """Makes one of the two CSV files of a table, and gives its SHA-256. Where the `previous` release has just that file it is
    linked, and not written: what a file of these rows would be is known from when one was written."""
    path = folder / table_file(of, table.name)

    def write() -> str:
        write_csv(path, table, data, CSV[of])
        return file_sha256(path)

    read = (of, _rows_digest(table, data), [(f.name, f.type) for f in table.fields], code_of(*WRITES_CSV))
    written = kept.of("csv", read, write)
    before = previous / table_file(of, table.name) if previous is not None else None
    if path.is_file():
        return str(written)
    if before is not None and before.is_file() and file_sha256(before) == written:
        store.link(before, path)
        return str(written)
    return write()


def _rows_digest(table: Table, data: pa.Table) -> str:
    """The SHA-256 of rows, in whatever pieces they came and whatever lies under what is not there."""
    h = hashlib.sha256()
    for at in range(0, data.num_rows, BATCH):
        for batch in data.slice(at, BATCH).combine_chunks().to_batches():
            for column, f in zip(batch.columns, table.fields, strict=True):
                pair = [column.is_null(), column.fill_null(NOTHING[f.type])]
                h.update(pa.record_batch(pair, names=["null", "value"]).serialize())
    return h.hexdigest()


def _existing_release(home: Home, final: Path, synthetic: bool) -> BuiltRelease:
    """The release stands already. A crash may have come between the rename and the switch; a rollback stays as it is."""
    now = store.current(home)
    if (now is None or now.name != final.name) and final.name not in store.withdrawn(home):
        audit.write(home, "released", final.name, instead_of=now.name if now is not None else "")
        store.switch(home, final.name)
        now = final
    record = store.show(home, final.name)
    suppressed = record["suppressed"]["primary"] + record["suppressed"]["secondary"]
    here = now is not None and now.name == final.name
    return BuiltRelease(
        final.name, final, "unchanged", here, synthetic, record["rows"], suppressed, gates=record["gates"]
    )


def _write_formats(
    folder: Path, about: About, shapes: dict[str, Table], data: dict[str, pa.Table], unique: dict[str, bool], step: Any
) -> None:
    notes = _notes(about)
    scratch = folder / ".scratch"
    scratch.mkdir()
    with Database(folder / gate.DATABASE) as db:
        for name in sorted(data):
            db.add(shapes[name], data[name], unique[name])
            step()
        db.finish()
    properties = {"release_id": about.release_id, "as_of": about.as_of.isoformat(), "licence": about.city.licence_en}
    if about.notice:
        properties["notice"] = about.notice
    for name in sorted(data):
        write_parquet(folder / "parquet" / f"{name}.parquet", shapes[name], data[name], properties)
        step()
        path = folder / "xlsx" / f"{name}.xlsx"
        write_xlsx(path, shapes[name], data[name], notes, scratch, about.city.english_first)
        step()
    scratch.rmdir()
    # A line of its own inside a CSV file would break every reader of it: the line stands beside, the mark in each row.
    about_values, values = sdmx.observations(about, shapes["indicator_values"], data["indicator_values"])
    (folder / SDMX_DATA).parent.mkdir()
    write_csv(folder / SDMX_DATA, about_values, values, FOR_SDMX)
    for of, about_form in ABOUT_CSV.items():
        lines = "\r\n".join(f"{name}: {text}" for name, text in (*notes, *about_form))
        (folder / of / "README.txt").write_bytes(("\ufeff" + lines + "\r\n").encode())


def _notes(about: About) -> list[tuple[str, str]]:
    city = about.city
    made_up = [("提示 Notice", about.notice)] if about.notice else []
    return [
        *made_up,
        ("名称 Title", f"{about.title_zh} / {about.title_en}"),
        ("发布版本 Release", about.release_id),
        ("数据截止 As of", about.as_of.isoformat()),
        ("发布单位 Publisher", f"{city.publisher_zh} / {city.publisher_en}"),
        ("许可 Licence", f"{city.licence_zh} / {city.licence_en}"),
        (
            "来源 Source",
            "各单位报送的电子表格，按数据契约核验后汇总 / Spreadsheets as they were sent in, checked against contracts",
        ),
        ("状态 Status", "; ".join(f"{letter} {zh} {en}" for letter, (zh, en) in STATUS.items())),
    ]


def _describe(
    folder: Path,
    about: About,
    contracts: Contracts,
    shapes: dict[str, Table],
    data: dict[str, pa.Table],
    unique: dict[str, bool],
) -> None:
    resources = [
        TableResource(
            shapes[name],
            data[name].num_rows,
            blank_columns(shapes[name], data[name]),
            {form: _file(folder, path_of(name, form)) for form in MEDIA},
        )
        for name in sorted(data)
    ]
    providers = read_providers(about.city.folder)
    facts = {r["dataset"]: r | providers.get(r["dataset"], {}) for r in data["datasets"].to_pylist()}
    for r in resources:
        described = csvw.metadata(about, r, unique[r.table.name])
        hold.write_json(folder / f"{path_of(r.table.name, 'csv')}-metadata.json", described)
    (folder / gate.CONTRACTS).mkdir()
    of = {r.table.name: r for r in resources}
    for c in contracts.values():
        text = contract_text(about, c, of.get(c.dataset), unique.get(c.dataset, False))
        (folder / gate.CONTRACTS / gate.contract_file(c.dataset)).write_text(text, encoding="utf-8")
    hold.write_json(folder / PACKAGE, datapackage(about, resources, unique))
    hold.write_json(folder / CROISSANT, croissant(about, resources, unique))
    about_values = sdmx.structure(about, shapes["indicator_values"], data["indicators"].to_pylist())
    hold.write_json(folder / SDMX_STRUCTURE, about_values)
    beside = [_file(folder, name) for name in (gate.DATABASE, PACKAGE, CROISSANT)]
    statistics = [_file(folder, name) for name in (SDMX_DATA, SDMX_STRUCTURE)]
    hold.write_json(folder / CATALOGUE, catalog(about, contracts, resources, facts, beside, statistics))
    final = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    named = [(_file(folder, p), media_type(p)) for p in final if p not in hold.REWRITTEN]
    changing = [(name, media_type(name)) for name in hold.REWRITTEN if name != store.SUMS]
    hold.write_json(folder / CRATE, crate(about, named, changing))


def _record(
    about: About,
    contracts: Contracts,
    content: str,
    data: dict[str, pa.Table],
    given: list[dict[str, Any]],
    primary: int,
    secondary: int,
    rules: Rules,
) -> dict[str, Any]:
    """release.json: what the release was made from and how much is in it. No clock and no path of a machine."""
    return {
        "release_id": about.release_id,
        "as_of": about.as_of.isoformat(),
        "code_version": about.code_version,
        "contracts_digest": contracts.digest,
        "content_sha256": content,
        "city": _city(about.city),
        "synthetic": about.synthetic,
        "notice_zh": MADE_UP_ZH if about.synthetic else None,
        "notice_en": MADE_UP_EN if about.synthetic else None,
        "rows": {name: data[name].num_rows for name in sorted(data)},
        "suppressed": {"primary": int(primary), "secondary": int(secondary)},
        "rules": {
            "min_contributors": rules.min_contributors,
            "max_share": rules.max_share,
            "protection": rules.protection,
        },
        "inputs": given,
    }


def _release_row(about: About, contracts: Contracts, content: str, data: dict[str, pa.Table]) -> dict[str, Any]:
    return {
        "release_id": about.release_id,
        "as_of": about.as_of,
        "code_version": about.code_version,
        "contracts": contracts.digest,
        "content_sha256": content,
        "tables": len(data) + 1,
        "rows": sum(t.num_rows for t in data.values()) + 1,
        "synthetic": about.synthetic,
        "notice_zh": MADE_UP_ZH if about.synthetic else None,
        "notice_en": MADE_UP_EN if about.synthetic else None,
        "publisher": about.city.publisher_zh,
        "license": about.city.licence_zh,
    }


def _city(city: City) -> dict[str, Any]:
    names = ("code", "name_zh", "name_en", "publisher_zh", "publisher_en", "licence_zh", "licence_en", "languages")
    words = {n: getattr(city, n) for n in (*WORDS, *DECISIONS) if getattr(city, n)}
    own = read_set_names(city.folder)
    sets = {"factor_sets": own} if own or city.profile != GOVERNMENT_OFFICES else {}  # else those of the profile
    more = {"providers": read_providers(city.folder), "sections": read_sections(city.folder)}
    return {n: getattr(city, n) for n in (*names, *DOORS)} | more | words | sets


def _is_synthetic(data: dict[str, pa.Table]) -> bool:
    marks = (data["datasets"]["synthetic"], data["indicator_values"]["synthetic"])
    return any(v is True for column in marks for v in column.unique().to_pylist())


def _is_unique(data: pa.Table, table: Table) -> bool:
    if not table.key or any(data[k].null_count for k in table.key):
        return False
    return data.group_by(list(table.key)).aggregate([]).num_rows == data.num_rows


def _feed(h: Any, name: str, text: str) -> None:
    h.update(f"{name}\0{len(text)}\0{text}\0".encode())


def _file(folder: Path, path: str) -> File:
    return File(path, (folder / path).stat().st_size, file_sha256(folder / path))


def _sweep(home: Home) -> None:
    """Clears away what a build that was killed left behind: this home is held, so nobody is working there."""
    for old in home.releases.glob(f"{store.BUILDING}*"):
        shutil.rmtree(old)


@contextmanager
def _clear_errors(home: Home) -> Iterator[None]:
    """Turns a full disk into one sentence, whichever library meets it."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, FileCreateError) as e:
        inner = e.args[0] if isinstance(e, FileCreateError) and e.args and isinstance(e.args[0], OSError) else e
        full = getattr(inner, "errno", None) in FULL or "disk is full" in str(e) or "No space left" in str(e)
        if not full:
            raise
        raise ReleaseError(
            f"The disk that holds {home.root} is full; free some space, then run again: the last release stands."
        ) from e
