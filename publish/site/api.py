"""The API that scripts are written against: /api/v1/…, one release at a time, in JSON.

Belongs here: which resources there are, their arguments and their answers. Not here: their description for machines
(openapi.py, made from the list below), HTTP headers and limits (app.py, answers.py). Every query is fixed here; what a
visitor sends is only ever bound to it. What is promised: a key, once given, keeps its name and meaning within v1; new
keys may come.
"""

from __future__ import annotations

import re
import sqlite3
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

from publish.release import store
from publish.release.store import ID
from publish.schema import MADE_UP_EN, MADE_UP_ZH, MARTS, OWN, RELEASES, Table
from publish.site import asked as asked_of
from publish.site import words
from publish.site.facts import DB, Facts
from publish.site.pages.base import district_names
from publish.sources import SOURCES, behind

VERSION = "1"
ROOT = "/api/v1"
LIMIT = 1000
OFFSET = 1_000_000
TEXT = 200  # characters of an argument
TABLES: dict[str, Table] = {t.name: t for t in (*MARTS, *OWN, RELEASES, SOURCES)}
BOOLEANS = frozenset(f.name for t in TABLES.values() for f in t.fields if f.type == "boolean")
CHECK_STATUS = ("match", "within_qualifier", "mismatch", "not_verifiable", "no_data")
OPENING = ("open", "aggregate", "closed")

Row = dict[str, Any]
Params = Mapping[str, Any]


class Release(Protocol):
    """What of an instance the API needs."""

    facts: Facts
    base_url: str
    db: Any
    ds: Any


class Refused(Exception):
    """A request that cannot be answered: status, code, and a sentence in Chinese and in English that says what to do."""

    def __init__(self, status: int, code: str, zh: str, en: str):
        super().__init__(en)
        self.status, self.code, self.zh, self.en = status, code, zh, en


@dataclass(frozen=True)
class Argument:
    """An argument in the address. `kind` is string or integer; `allowed` the only values it may have; `of` the table whose
    column of this name has the only values it may have in a release."""

    name: str
    zh: str
    en: str
    kind: str = "string"
    least: int = 0
    most: int = 0
    allowed: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True)
class Resource:
    """One kind of address below /api/v1. `path` has {names}; `rows`: the key of the answer that holds the rows, with the
    public table they are of; `answer(release, path values, arguments)` gives the answer's own keys."""

    path: str
    zh: str
    en: str
    answer: Callable[[Release, Row, Row], Awaitable[Row]]
    rows: tuple[str, str] | None = None
    one: tuple[str, str] | None = None
    arguments: tuple[Argument, ...] = ()
    example: Row = field(default_factory=dict)

    @property
    def paged(self) -> bool:
        return self.rows is not None

    @property
    def known(self) -> tuple[Argument, ...]:
        return self.arguments + (PAGING if self.paged else ())

    @property
    def pattern(self) -> tuple[str, ...]:
        return tuple(self.path.strip("/").split("/")) if self.path else ()


PAGING = (
    Argument("limit", f"最多返回几行，1 至 {LIMIT}", f"The most rows to give, 1 to {LIMIT}", "integer", 1, LIMIT),
    Argument("offset", "跳过前面几行", "How many rows to leave out first", "integer", 0, OFFSET),
)
YEAR = Argument("year", "年度", "Year", "integer", 1900, 2200)
DIMENSION = Argument("dimension", "分组，如 total、district", "Dimension, such as total or district")
MEMBER = Argument(
    "member", "组别，代码或名称，如 430203 或 芦淞区", "Member, by code or name, such as 430203 or 芦淞区"
)
FACTOR_SET = Argument(
    "factor_set",
    "系数组，如 article；不给时是采用的那一组（default 或 none），all 是全部",
    "Factor set, such as article; without it the one in force (default or none), with all every one",
)
IN_FORCE = ("default", "none")  # an indicator has one of these: with the factors in force, or with none


# --- reading ---


def clean(row: Row) -> Row:
    """A row as JSON has it: booleans as true and false, which SQLite keeps as 1 and 0."""
    return {k: bool(v) if k in BOOLEANS and v is not None else v for k, v in row.items()}


async def _rows(release: Release, sql: str, params: Params) -> list[Row]:
    try:
        return [clean(dict(r)) for r in (await release.db.execute(sql, dict(params))).rows]
    except sqlite3.DataError:
        raise Refused(
            400,
            "too_large",
            "一次取得的内容过多；请把 limit 设小一些，或下载整个文件。",
            "That is too much at once; set a smaller limit, or download the whole file.",
        ) from None


async def _page(release: Release, table: str, order: str, asked: Row, filters: Sequence[str]) -> Row:
    """The rows of a table that fit the filters, from offset on, with their number in all."""
    given = {f: asked[f] for f in filters if f in asked}
    where = " and ".join(_is(f, given) for f in given) or "1"
    total = (await _rows(release, f"select count(*) as n from {table} where {where}", given))[0]["n"]
    span = {"_limit": asked.get("limit", LIMIT), "_offset": asked.get("offset", 0)}
    sql = f"select * from {table} where {where} order by {order} limit :_limit offset :_offset"
    rows = await _rows(release, sql, given | span)
    return {"rows": rows, "total": total} | _span(total, len(rows), asked)


def _is(column: str, given: Row) -> str:
    """The condition that a column has the value asked for; of factor sets the one in force or all may be asked for."""
    if column == "factor_set" and given[column] in ("all", ""):
        return "1" if given[column] else f"factor_set in {IN_FORCE}"
    return f'"{column}" = :{column}'


async def _chosen(release: Release, indicator_id: str, asked: Row) -> Row:
    """What was asked of an indicator's values, with the member's code for its name and the factor set in force where none is
    named. Raises Refused where the indicator has no such dimension, member or factor set."""
    sql = "select distinct dimension, member, factor_set from indicator_values where indicator_id = :i"
    there = [dict(r) for r in await _rows(release, sql, {"i": indicator_id})]
    names = await district_names(release.ds)
    out: Row = {"factor_set": ""} | asked
    known: dict[str, asked_of.Known] = {
        "dimension": {
            r["dimension"]: words.CODES["dimension"].get(r["dimension"], (r["dimension"],) * 2) for r in there
        },
        "factor_set": {r["factor_set"]: (r["factor_set"],) * 2 for r in there} | {"all": ("全部", "all")},
    }
    within = asked.get("dimension")
    known["member"] = {
        r["member"]: words.member_names(r["member"], names) for r in there if within in (None, r["dimension"])
    }
    by_name: dict[str, str] = {name: code for code, called in known["member"].items() for name in called}
    if "member" in asked and asked["member"] not in known["member"]:
        out["member"] = by_name.get(asked["member"], asked["member"])
    for name, values in known.items():
        if out.get(name) and out[name] not in values:
            _refuse_value(name, out[name], values)
    return out


def _refuse_value(name: str, value: str, known: asked_of.Known) -> NoReturn:
    zh, en = asked_of.hint(value, known)
    raise Refused(400, "bad_argument", f"{name} 没有“{value}”这个值。{zh}", f"{name} has no value '{value}'.{en}")


async def _named(release: Release, values: list[Row]) -> list[Row]:
    """Values with what their dimension and member are called."""
    names = await district_names(release.ds)
    for r in values:
        r["dimension_zh"], r["dimension_en"] = words.dimension_names(r["dimension"])
        r["member_zh"], r["member_en"] = words.member_names(r["member"], names)
    return values


def _span(total: int, returned: int, asked: Row) -> Row:
    last = asked.get("offset", 0) + returned
    return {"returned": returned, "truncated": last < total and returned > 0, "_next": last}


async def _one(release: Release, table: str, key: str, value: str, zh: str, en: str) -> Row:
    found = await _rows(release, f'select * from {table} where "{key}" = :value', {"value": value})
    if not found:
        where = f"{release.base_url.rstrip('/')}{ROOT}/{table}"
        raise Refused(
            404, "not_found", f"没有这个{zh}；全部见 {where}。", f"There is no such {en}; {where} lists them."
        )
    return found[0]


def _link(release: Release, *parts: str) -> str:
    return release.base_url.rstrip("/") + ROOT + "".join("/" + urllib.parse.quote(p, safe="") for p in parts)


def files(release: Release, table: str) -> Row:
    """Where the whole table is, by format; empty where its rows are in no file."""
    names = {form: f"{form}/{table}.{form}" for form in ("csv", "xlsx", "parquet")}
    return {form: f"{release.base_url}files/{name}" for form, name in names.items() if name in release.facts.files}


# --- resources ---


async def indicators(release: Release, path: Row, asked: Row) -> Row:
    return await _page(release, "indicators", "theme, indicator_id", asked, ("theme", "kind"))


async def indicator(release: Release, path: Row, asked: Row) -> Row:
    found = await _one(release, "indicators", "indicator_id", path["indicator_id"], "指标", "indicator")
    order = "dimension <> 'total', dimension, member, factor_set, year"
    filters = ("indicator_id", "year", "dimension", "member", "factor_set")
    chosen = await _chosen(release, path["indicator_id"], asked)
    values = await _page(release, "indicator_values", order, chosen | path, filters)
    return {"indicator": found} | values | {"rows": await _named(release, values["rows"])}


async def claims(release: Release, path: Row, asked: Row) -> Row:
    order = "coalesce(position, 1e9), claim_id"
    return await _page(release, "claims", order, asked, ("section", "check_status", "evidence", "indicator_id"))


async def claim(release: Release, path: Row, asked: Row) -> Row:
    return {"claim": await _one(release, "claims", "claim_id", path["claim_id"], "表述", "statement")}


async def datasets(release: Release, path: Row, asked: Row) -> Row:
    return await _page(release, "datasets", "dataset", asked, ("theme", "opening"))


async def dataset(release: Release, path: Row, asked: Row) -> Row:
    name = path["dataset"]
    found = await _one(release, "datasets", "dataset", name, "数据集", "dataset")
    columns = await _rows(release, "select * from dataset_columns where dataset = :d order by position", {"d": name})
    contract = f"contracts/{name}.odcs.yaml"
    open_in_rows = name in release.facts.tables
    return {
        "dataset": found,
        "columns": columns,
        "rows_url": f"{release.base_url}{DB}/{name}.json?_shape=array" if open_in_rows else None,
        "contract_url": f"{release.base_url}files/{contract}" if contract in release.facts.files else None,
        "files": files(release, name) if open_in_rows else {},
    }


async def provenance(release: Release, path: Row, asked: Row) -> Row:
    """The files that values came from; where no dimension is named, the year's total."""
    wanted = {"dimension": "total", "factor_set": ""} | asked | path
    given = {k: wanted[k] for k in ("indicator_id", "year", "dimension", "member", "factor_set") if k in wanted}
    where = " and ".join(_is(k, given) for k in given)
    values = await _rows(
        release,
        f"select * from indicator_values where {where} order by member, factor_set limit {LIMIT}",
        given,
    )
    if not values:
        at = _link(release, "indicators", path["indicator_id"])
        raise Refused(
            404,
            "not_found",
            f"没有这个数值；该指标的全部数值见 {at}。",
            f"There is no such value; {at} lists all values of the indicator.",
        )
    sql = behind(where, await release.db.table_columns("provenance"))
    span = {"_limit": asked.get("limit", LIMIT), "_offset": asked.get("offset", 0)}
    rows = await _rows(release, f"select * from ({sql}) limit :_limit offset :_offset", given | span)
    total = span["_offset"] + len(rows)
    if len(rows) == span["_limit"] or (not rows and span["_offset"]):  # else these are the last
        total = (await _rows(release, f"select count(*) as n from ({sql})", given))[0]["n"]
    page = {"rows": rows, "total": total} | _span(total, len(rows), asked)
    return {"values": await _named(release, values)} | page


async def releases(release: Release, path: Row, asked: Row) -> Row:
    """The releases kept; at a release's own address that one alone, so that the answer never changes."""
    facts = release.facts
    if release.base_url != "/":
        known = [summary(facts.folder)]
    else:
        kept = reversed(store.folders(facts.folder.parent))
        known = [s for p in kept if (s := summary(p)) is not None]
    rows = [s | {"current": s["release_id"] == facts.release_id, "url": f"/r/{s['release_id']}/"} for s in known if s]
    first = asked.get("offset", 0)
    part = rows[first : first + asked.get("limit", LIMIT)]
    return {"rows": part, "total": len(rows)} | _span(len(rows), len(part), asked)


async def one_release(release: Release, path: Row, asked: Row) -> Row:
    facts, wanted = release.facts, path["release_id"]
    own = release.base_url == "/" or wanted == facts.release_id
    found = summary(facts.folder.parent / wanted) if own and ID.fullmatch(wanted) else None
    if found is None:
        at = _link(release, "releases")
        raise Refused(
            404, "no_release", f"没有这个发布版本；全部见 {at}。", f"There is no such release; {at} lists them."
        )
    return {"data": found | {"current": wanted == facts.release_id, "url": f"/r/{wanted}/"}}


_SUMMARIES: dict[Path, Row] = {}


def summary(folder: Path) -> Row | None:
    """A release as the list has it; None where the folder holds none. Read once: a release never changes."""
    if folder not in _SUMMARIES:
        db = folder / f"{DB}.db"
        if not db.is_file():
            return None
        try:
            conn = sqlite3.connect(f"{db.resolve().as_uri()}?immutable=1", uri=True)
            conn.row_factory = sqlite3.Row
            try:
                row = conn.execute("select * from releases where release_id = ?", [folder.name]).fetchone()
            finally:
                conn.close()
        except sqlite3.DatabaseError:
            return None  # a release that cannot be read is not served, so it is not listed
        said = dict(row) if row is not None else {}
        names = ("as_of", "code_version", "content_sha256", "synthetic", "rows", "tables", "publisher", "license")
        _SUMMARIES[folder] = clean({"release_id": folder.name} | {n: said.get(n) for n in names})
    return dict(_SUMMARIES[folder]) if folder.is_dir() else None


async def index(release: Release, path: Row, asked: Row) -> Row:
    """What there is: every resource's address."""
    return {
        "resources": [
            {"path": release.base_url.rstrip("/") + ROOT + r.path, "title_zh": r.zh, "title_en": r.en}
            for r in RESOURCES
            if r.path
        ],
        "openapi": f"{release.base_url}openapi.json",
        "files": f"{release.base_url}files/",
    }


_PROVENANCE = "/provenance/{indicator_id}/{year}"
_VALUE = {"indicator_id": "energy_tce", "year": 2025}
RESOURCES: tuple[Resource, ...] = (
    Resource("", "接口总览", "What the API has", index),
    Resource(
        "/indicators",
        "指标",
        "Indicators",
        indicators,
        rows=("indicators", "indicators"),
        arguments=(
            Argument("theme", "主题，如 能源", "Theme, in Chinese as published", of="indicators"),
            Argument("kind", "类型", "Kind", of="indicators"),
        ),
    ),
    Resource(
        "/indicators/{indicator_id}",
        "一个指标及其数值",
        "An indicator and its values",
        indicator,
        rows=("values", "indicator_values"),
        one=("indicator", "indicators"),
        arguments=(YEAR, DIMENSION, MEMBER, FACTOR_SET),
        example={"indicator_id": "energy_tce"},
    ),
    Resource(
        "/claims",
        "原文表述及核验结果",
        "Statements and how they were checked",
        claims,
        rows=("claims", "claims"),
        arguments=(
            Argument("section", "章节，如 三(一)", "Section, such as 三(一)", of="claims"),
            Argument("check_status", "核验结果", "Result of the check", allowed=CHECK_STATUS),
            Argument("evidence", "依据", "Evidence", of="claims"),
            Argument("indicator_id", "指标编号", "Indicator id", of="claims"),
        ),
    ),
    Resource(
        "/claims/{claim_id}", "一条表述", "One statement", claim, one=("claim", "claims"), example={"claim_id": "co2"}
    ),
    Resource(
        "/datasets",
        "数据集目录",
        "The datasets",
        datasets,
        rows=("datasets", "datasets"),
        arguments=(
            Argument("theme", "主题", "Theme", of="datasets"),
            Argument("opening", "开放方式", "How it opens", allowed=OPENING),
        ),
    ),
    Resource(
        "/datasets/{dataset}",
        "一个数据集：数据项、文件、数据契约",
        "A dataset: its columns, files and contract",
        dataset,
        one=("dataset", "datasets"),
        example={"dataset": "parking_lots"},
    ),
    Resource(
        _PROVENANCE,
        "某年合计值来自哪些文件",
        "Which files a year's total came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
        example=_VALUE,
    ),
    Resource(
        _PROVENANCE + "/{dimension}",
        "某年某分组的数值来自哪些文件",
        "Which files the values of a dimension came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
        example=_VALUE | {"dimension": "total"},
    ),
    Resource(
        _PROVENANCE + "/{dimension}/{member}",
        "某年某组别的数值来自哪些文件",
        "Which files one member's value came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
        example=_VALUE | {"dimension": "total", "member": "all"},
    ),
    Resource("/releases", "保留的全部发布版本", "Every release that is kept", releases, rows=("releases", "releases")),
    Resource("/releases/{release_id}", "一个发布版本", "One release", one_release, one=("data", "releases")),
)
INTEGERS = {"year": YEAR}


# --- one request ---


def about(release: Release) -> Row:
    """What every answer says of its release."""
    f = release.facts
    row = summary(f.folder) or {}
    return {
        "release_id": f.release_id,
        "as_of": f.as_of,
        "code_version": f.code_version,
        "synthetic": f.synthetic,
        "license": f.licence or row.get("license"),
        "publisher": f.publisher or row.get("publisher"),
        "notice_zh": MADE_UP_ZH if f.synthetic else None,
        "notice_en": MADE_UP_EN if f.synthetic else None,
    }


async def answer(release: Release, route: str, query: str) -> Row:
    """The answer to /api/v1…: `route` is the path below the release's base_url, percent-encoded. Raises Refused."""
    found = _find(route)
    if found is None:
        at = _link(release)
        raise Refused(404, "not_found", f"没有这个接口；全部见 {at}。", f"There is no such resource; {at} lists them.")
    resource, raw = found
    path = {k: _value(INTEGERS[k], v) if k in INTEGERS else v for k, v in raw.items()}
    asked = _arguments(resource, query)
    for argument in resource.arguments:
        if argument.of and argument.name in asked:
            known = await asked_of.values(release.ds, argument.of, argument.name)
            if known and asked[argument.name] not in known:
                _refuse_value(argument.name, asked[argument.name], known)
    said = await resource.answer(release, path, asked)
    out: Row = {"ok": True, "api": VERSION, "release": about(release)}
    own = f"/r/{release.facts.release_id}{route}" + (f"?{query}" if query else "")
    out["permalink"] = own
    if resource.paged:
        assert resource.rows is not None
        key, table = resource.rows
        out |= _paging(release, route, asked, said, table)
        out |= {k: v for k, v in said.items() if k not in ("rows", "total", "returned", "truncated", "_next")}
        out[key] = said["rows"]
    else:
        out |= said
    return out


def _paging(release: Release, route: str, asked: Row, said: Row, table: str) -> Row:
    whole = files(release, table)
    out = {"total": said["total"], "returned": said["returned"], "truncated": said["truncated"], "next": None}
    if said["truncated"]:
        args = {k: v for k, v in asked.items() if k != "offset"} | {"offset": said["_next"]}
        out["next"] = f"{release.base_url.rstrip('/')}{route}?{urllib.parse.urlencode(args)}"
        out["advice_zh"] = f"这里是 {said['total']} 行中的 {said['returned']} 行：下一页见 next，整表见 whole_table。"
        out["advice_en"] = (
            f"These are {said['returned']} of {said['total']} rows: the next page is at 'next', the whole table at "
            "'whole_table'."
        )
    out["whole_table"] = whole
    return out


def _find(route: str) -> tuple[Resource, dict[str, str]] | None:
    if route != ROOT and not route.startswith(ROOT + "/"):
        return None
    segments = [urllib.parse.unquote(s) for s in route[len(ROOT) :].split("/")[1:]]
    for resource in RESOURCES:
        pattern = resource.pattern
        if len(pattern) != len(segments):
            continue
        values = {p[1:-1]: s for p, s in zip(pattern, segments, strict=True) if p.startswith("{")}
        same = all(p.startswith("{") or p == s for p, s in zip(pattern, segments, strict=True))
        if same and all(0 < len(v) <= TEXT for v in values.values()):
            return resource, values
    return None


def _arguments(resource: Resource, query: str) -> Row:
    known = {a.name: a for a in resource.known}
    out: Row = {}
    try:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        raise Refused(400, "bad_argument", "参数太多。", "There are too many arguments; give each once.") from None
    for name, value in pairs:
        if name not in known:
            zh, en = asked_of.hint(name, list(known))
            raise Refused(400, "bad_argument", f"没有参数 {name[:50]}。{zh}", f"There is no argument {name[:50]}.{en}")
        if name in out:
            raise Refused(400, "bad_argument", f"参数 {name} 只能给一次。", f"Give the argument {name} only once.")
        if value:  # a form sends its empty fields too
            out[name] = _value(known[name], value)
    return out


def _value(argument: Argument, text: str) -> Any:
    if argument.kind == "integer":
        if re.fullmatch(r"-?[0-9]{1,9}", text) and argument.least <= int(text) <= argument.most:
            return int(text)
        span = f"{argument.least}..{argument.most}"
        zh, en = f"{argument.name} 应为 {span} 的整数。", f"{argument.name} must be a whole number, {span}."
        raise Refused(400, "bad_argument", zh, en)
    if argument.allowed and text not in argument.allowed:
        one_of = ", ".join(argument.allowed)
        zh, en = f"{argument.name} 只能是：{one_of}。", f"{argument.name} must be one of: {one_of}."
        raise Refused(400, "bad_argument", zh, en)
    if len(text) > TEXT:
        zh, en = f"{argument.name} 最多 {TEXT} 个字符。", f"{argument.name} may have at most {TEXT} characters."
        raise Refused(400, "bad_argument", zh, en)
    return text
