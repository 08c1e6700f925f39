"""Metadata of a release: id, as-of date, synthetic or not, labels of its tables and columns, files.

Belongs here: reading these once, when a release is opened, from its own files. Not here: figures of a page.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.city import DOORS
from publish.files import EXCEL, MEDIA, path_of, table_file
from publish.schema import MARTS, OWN, RELEASES, TRACE
from publish.site.language import CHINESE_FIRST, ORDERS, Order

DB = "mingzhang"
SEARCH = "search.db"
NEEDED = ("indicators", "indicator_values", "claims", "datasets", "dataset_columns", "releases")


class ReleaseBroken(RuntimeError):
    """A release folder that cannot be served. The message says why."""


@dataclass(frozen=True)
class Label:
    """The names of a table or column. `unit`: of the column's numbers; `kind`: its type in the contract or schema."""

    zh: str
    en: str
    unit: str | None = None
    description: str = ""
    kind: str = ""


NO_LABEL = Label("", "")


@dataclass(frozen=True)
class Facts:
    """The metadata that all pages of one release share.

    `rules`: the rules of suppression, {} in a release without them. `labels[table]` and `columns[table][column]`: the names
    shown. `files`: the release's files with their sha256. `headline`: an indicator with two years or more, for the health
    check; None where there is none; `example`: the indicator that examples are about, None where there is no indicator; `leading`: the indicators that come
    first, each with indicator_id, name_zh and name_en; `named`: ids and names of all indicators, statements and averages. `order`: of the languages of its pages. `title` and `description`: the city's words for its
    site, None where it has none; `factor_sets`: its names of them, None for a city that has those of the platform. `doors`: of the
    city's folder what is given of contact_zh, contact_en, email, telephone, next_release, licence_name, licence_url; `providers`: by
    dataset provider_zh and provider_en; `sections`: the headings of the reports' sections, each with section, title_zh, title_en and
    period_id ('' for every period); `keys`: each column that alone identifies the rows of one table, with that table, and
    `tables_with` the tables that have it, itself first; `names_missing`: whether it names institutions that did not report. `held`: cached rows, by query.
    """

    folder: Path
    release_id: str
    as_of: str
    code_version: str
    synthetic: bool
    licence: str
    licence_en: str
    publisher: str
    publisher_en: str
    tables: dict[str, int]  # rows
    labels: dict[str, Label]
    columns: dict[str, dict[str, Label]]
    datasets: list[dict[str, Any]]
    files: dict[str, str] = field(default_factory=dict)
    headline: str | None = None
    example: str | None = None
    leading: tuple[dict[str, Any], ...] = ()
    named: frozenset[str] = frozenset()
    order: Order = CHINESE_FIRST
    title: Label | None = None
    description: Label | None = None
    factor_sets: dict[str, Label] | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    doors: dict[str, str] = field(default_factory=dict)
    providers: dict[str, dict[str, str]] = field(default_factory=dict)
    sections: list[dict[str, str]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    tables_with: dict[str, list[str]] = field(default_factory=dict)
    names_missing: bool = False
    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def database(self) -> Path:
        return self.folder / f"{DB}.db"

    @property
    def search(self) -> Path | None:
        """Return the search index of the release, None where it has none."""
        path = self.folder / SEARCH
        return path if path.is_file() else None

    def files_of(self, table: str) -> dict[str, str]:
        """Return the files of a whole table by format (csv, xlsx, parquet). An older release has but one CSV file of a table."""
        names = {form: path_of(table, form) for form in MEDIA}
        if names["csv"] not in self.files:
            names["csv"] = table_file(EXCEL, table)
        return {form: name for form, name in names.items() if name in self.files}

    @staticmethod
    def format_of(file: str) -> str:
        """Return the name of the format of a file of the release, as a link shows it."""
        return "CSV (Excel)" if file.startswith(f"{EXCEL}/") else file.rsplit(".", 1)[1].upper()

    def is_boolean(self, table: str | None, name: str) -> bool:
        """Return whether a column is boolean, which SQLite holds as 1 and 0."""
        return table is not None and self.columns.get(table, {}).get(name, NO_LABEL).kind == "boolean"

    def is_plain(self, table: str, name: str) -> bool:
        """Return whether the numbers of a column are names, such as years, without thousands marks."""
        return self.columns.get(table, {}).get(name, NO_LABEL).kind == "year"

    def column(self, table: str | None, name: str) -> Label | None:
        """Return the label of a column of a table; without a table, that of a column with the same label in every table."""
        if table is not None:
            return self.columns.get(table, {}).get(name)
        found = {(c[name].zh, c[name].en, c[name].unit) for c in self.columns.values() if name in c}
        return Label(*found.pop()) if len(found) == 1 else None


def read_facts(folder: Path) -> Facts:
    """Read a release folder. Raises ReleaseBroken where it has no database, or one without the public tables."""
    db = folder / f"{DB}.db"
    if not db.is_file():
        raise ReleaseBroken(f"Release {folder.name} has no {DB}.db; build it again.")
    conn = sqlite3.connect(f"{db.resolve().as_uri()}?immutable=1", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        return _read(folder, conn)
    except sqlite3.DatabaseError as e:
        raise ReleaseBroken(f"The database of release {folder.name} cannot be read ({e}); build it again.") from e
    finally:
        conn.close()


def _read(folder: Path, conn: sqlite3.Connection) -> Facts:
    names = [r[0] for r in conn.execute("select name from sqlite_master where type = 'table' order by name")]
    missing = [t for t in NEEDED if t not in names]
    if missing:
        raise ReleaseBroken(f"Release {folder.name} lacks the tables {', '.join(missing)}; build it again.")
    releases = {r["release_id"]: dict(r) for r in conn.execute("select * from releases")}
    release = _release_json(folder)
    city = release.get("city") or {}
    own = release | releases.get(folder.name, {})
    datasets = [dict(r) for r in conn.execute("select * from datasets order by dataset")]
    labels, columns = _labels(conn, names, datasets)
    columns_of = {t: {r[1]: r[5] for r in conn.execute(f'pragma table_info("{t}")')} for t in names}
    keys = _keys(columns_of)
    headline = _headline(conn)
    first = conn.execute("select min(indicator_id) from indicators").fetchone()[0]
    return Facts(
        folder=folder,
        release_id=folder.name,
        as_of=str(own.get("as_of") or folder.name[:10]),
        code_version=str(own.get("code_version") or ""),
        synthetic=bool(own.get("synthetic")) or _any_synthetic(conn),
        licence=str(own.get("license") or ""),
        licence_en=str(city.get("licence_en") or ""),
        publisher=str(own.get("publisher") or ""),
        publisher_en=str(city.get("publisher_en") or ""),
        tables={t: conn.execute(f'select count(*) from "{t}"').fetchone()[0] for t in names},
        labels=labels,
        columns=columns,
        datasets=datasets,
        files=_files(folder),
        headline=headline,
        example=headline or first,
        leading=_leading(conn),
        named=_named(conn, names),
        order=ORDERS.get(str(city.get("languages")), CHINESE_FIRST),
        title=_words(city, "title"),
        description=_words(city, "description"),
        factor_sets={k: Label(*v) for k, v in city["factor_sets"].items()} if "factor_sets" in city else None,
        rules=dict(release.get("rules") or {}),
        doors={c: str(city[c]) for c in DOORS if city.get(c)},
        providers=dict(city.get("providers") or {}),
        sections=list(city.get("sections") or []),
        keys=keys,
        tables_with={c: [t, *(n for n in names if n != t and c in columns_of[n])] for c, t in keys.items()},
        names_missing=bool(city.get("name_missing")),
    )


def _keys(columns_of: dict[str, dict[str, int]]) -> dict[str, str]:
    """Return the columns that alone are the primary key of one table, and of no other, with that table."""
    found: dict[str, list[str]] = {}
    for table, columns in columns_of.items():
        key = [c for c, place in columns.items() if place]
        if len(key) == 1:
            found.setdefault(key[0], []).append(table)
    return {column: tables[0] for column, tables in found.items() if len(tables) == 1}


def _words(city: dict[str, Any], what: str) -> Label | None:
    zh, en = (str(city.get(f"{what}_{lang}") or "") for lang in ("zh", "en"))
    return Label(zh, en) if zh and en else None


def _release_json(folder: Path) -> dict[str, Any]:
    path = folder / "release.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as e:
        raise ReleaseBroken(f"release.json of {folder.name} is not JSON ({e}); build the release again.") from e


def _any_synthetic(conn: sqlite3.Connection) -> bool:
    """Return whether any value or claim is synthetic: one is enough for the banner, whatever release.json says."""
    return bool(
        conn.execute(
            "select exists (select 1 from indicator_values where synthetic) "
            "or exists (select 1 from claims where evidence = 'synthetic')"
        ).fetchone()[0]
    )


def _files(folder: Path) -> dict[str, str]:
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return {}
    text = sums.read_bytes()
    pairs = (line.split(maxsplit=1) for line in text.decode("utf-8").splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest for digest, name in pairs} | {sums.name: hashlib.sha256(text).hexdigest()}


def _labels(
    conn: sqlite3.Connection, names: list[str], datasets: list[dict[str, Any]]
) -> tuple[dict[str, Label], dict[str, dict[str, Label]]]:
    labels: dict[str, Label] = {}
    columns: dict[str, dict[str, Label]] = {}
    for t in (*MARTS, *OWN, RELEASES):
        if t.name in names:
            labels[t.name] = Label(t.zh, t.en)
            there = {r[1] for r in conn.execute(f'pragma table_info("{t.name}")')}  # older code made fewer
            columns[t.name] = {f.name: Label(f.zh, f.en, f.unit, f.note, f.type) for f in t.fields if f.name in there}
    for d in datasets:
        labels[d["dataset"]] = Label(d["title_zh"], d.get("title_en") or d["dataset"])
    for c in map(dict, conn.execute("select * from dataset_columns")):
        own = columns.setdefault(c["dataset"], {f.name: Label(f.zh, f.en, kind=f.type) for f in TRACE})
        own[c["column"]] = Label(
            c["header_zh"],
            c.get("title_en") or c["column"],
            c.get("unit") or None,
            c.get("description") or "",
            c.get("type") or "",
        )
    return labels, columns


def _headline(conn: sqlite3.Connection) -> str | None:
    """Return the headline indicator: one of the home page where there is any, a flow before others, with the longest series."""
    columns = {r["name"] for r in conn.execute("pragma table_info(indicators)")}
    order = "i.home_order is null, " if "home_order" in columns else ""
    found = conn.execute(
        f"""
        select i.indicator_id, count(distinct v.year) as years
        from indicators i join indicator_values v using (indicator_id)
        where v.dimension = 'total' and v.value is not null
        group by i.indicator_id having years >= 2
        order by {order}i.kind <> 'flow', years desc, i.indicator_id
        limit 1
        """
    ).fetchone()
    return found[0] if found else None


def _leading(conn: sqlite3.Connection) -> tuple[dict[str, Any], ...]:
    """Return the first indicators with a value: those of the home page and of the topics' charts, in that order."""
    columns = {r["name"] for r in conn.execute("pragma table_info(indicators)")}
    orders = [f"{c} is null, {c}" for c in ("home_order", "topic_order") if c in columns]
    found = conn.execute(
        f"""
        select indicator_id, name_zh, name_en from indicators i
        where exists (select 1 from indicator_values v where v.indicator_id = i.indicator_id and v.dimension = 'total' and v.value is not null)
        order by {", ".join([*orders, "indicator_id"])} limit 8
        """
    )
    return tuple(map(dict, found))


def _named(conn: sqlite3.Connection, tables: list[str]) -> frozenset[str]:
    found = [r[:] for r in conn.execute("select indicator_id, name_zh, name_en from indicators")]
    found += [r[:] for r in conn.execute("select claim_id from claims")]
    if "benchmarks" in tables:
        found += [r[:] for r in conn.execute("select benchmark_id from benchmarks")]
    return frozenset(str(text) for row in found for text in row if text)
