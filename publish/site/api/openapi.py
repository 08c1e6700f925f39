"""/openapi.json: description of the API and of the promised addresses of the database (OpenAPI 3.1).

Belongs here: deriving it from resources.py and the schema of the public tables. Not here: resources, arguments and columns
themselves; each is stated there once.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from publish.schema import Field, Table, Type
from publish.site.api.model import ROOT, TABLES, TEXT, VERSION, Argument, Resource
from publish.site.api.resources import CHECK_STATUS, DIMENSION, FACTOR_SET, MEMBER, RESOURCES, YEAR
from publish.site.facts import DB, Facts
from publish.site.vocabulary import CODES

KINDS: dict[Type, str] = {
    "text": "string",
    "integer": "integer",
    "real": "number",
    "boolean": "boolean",
    "date": "string",
}
CLOSED = {("indicator_values", "status"): tuple(CODES["status"]), ("claims", "check_status"): CHECK_STATUS}
TAGS = {
    "figures": "Indicators, their values and where these came from 指标、数值与来源",
    "statements": "Statements and how they were checked 表述与核验",
    "datasets": "Datasets, their tables and queries over them 数据集、数据表与查询",
    "releases": "What is kept 发布版本",
}
# The tables whose rows some resource gives.
READ = (
    {r.rows[1] for r in RESOURCES if r.rows}
    | {r.one[1] for r in RESOURCES if r.one}
    | {"dataset_columns", "indicator_values"}
)
READ.discard("releases")  # summaries of what is kept, not the rows of the table
PATH_VALUES = {
    "indicator_id": "Id of an indicator, as /indicators lists it 指标编号",
    "claim_id": "Id of a statement, as /claims lists it 表述编号",
    "dataset": "Name of a dataset, as /datasets lists it 数据集",
    "release_id": "Id of a release, as /releases lists it 版本编号",
}
PAGED = (
    "At most 1,000 rows at once; `next` is the address of the further ones. 一次最多 1,000 行，next 是下一页的地址。"
)
WHOLE = "`permalink` is the address at which the answer stays the same. permalink 是内容不变的网址。"
ERRORS = {
    "400": "An argument cannot be used, or the query cannot run 参数或查询不能用",
    "404": "There is no such thing 没有这一项",
    "405": "Only reading is possible 只供读取",
    "414": "The address is too long 网址太长",
    "429": "Too many requests from one address; Retry-After says when 请求过多",
    "500": "A fault of ours, written down 我方错误",
    "503": "All processes for queries are busy; Retry-After says when 查询繁忙",
}


def openapi(facts: Facts, base_url: str, origin: str) -> dict[str, Any]:
    """Return the description for one release. `origin`: scheme and host; `base_url`: '/' or '/r/<release_id>/'."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mingzhang",  # generators name their packages after it
            "summary": "Figures of government offices, each checkable down to the cell of a spreadsheet 机关事务数据，可查到表格单元格",
            "description": (
                "Read only, no key. Every answer names its release; `permalink` gives the same answer for as long as the "
                "release is kept. Within v1 no key changes its name or meaning; new ones may come. 只供读取，无需密钥。"
            ),
            "version": VERSION,
            "contact": {"name": facts.publisher or "see /report", "url": f"{origin}/report"},
            "license": {"name": facts.licence or "see /about", "url": f"{origin}{base_url}about"},
        },
        "servers": [{"url": origin + base_url.rstrip("/")}],
        "security": [],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": _paths(),
        "components": {"schemas": _schemas(facts), "responses": _responses()},
    }


@cache
def _paths() -> dict[str, Any]:
    out = {ROOT + r.path: {"get": _operation(r)} for r in RESOURCES}
    out[f"/{DB}/{{table}}.json"] = {"get": _rows("table_json", "Rows of a public table 数据表的行", "application/json")}
    out[f"/{DB}/{{table}}.csv"] = {"get": _rows("table_csv", "The same as CSV for Excel 同上，CSV", "text/csv")}
    out[f"/{DB}.json"] = {
        "get": _sql("sql_json", "Your own SELECT, at most 1,000 rows 自己写的查询", "application/json")
    }
    out[f"/{DB}.csv"] = {"get": _sql("sql_csv", "The same as CSV for Excel 同上，CSV", "text/csv")}
    out["/-/versions.json"] = {
        "get": {
            "operationId": "versions",
            "tags": ["releases"],
            "summary": "Which release and which code answers 发布版本与程序版本",
            "description": "Changes with each release and each new version of the code. 随发布版本和程序版本而变。",
            "responses": {"200": _content(_ref("Versions"))} | _errors("405", "429"),
        }
    }
    return out


def _operation(r: Resource) -> dict[str, Any]:
    named = re.sub(r"\W+", "_", r.path.replace("{", "by_").replace("}", "")).strip("_") or "index"
    parameters = [_path_value(n) for n in re.findall(r"\{(\w+)\}", r.path)] + [_query(a) for a in r.known]
    responses = {"200": _content(_ref(_name(r)))} | _errors("400", "405", "414", "429", "500")
    if "{" in r.path:
        responses |= _errors("404")
    return {
        "operationId": named,
        "tags": [_tag(r)],
        "summary": f"{r.en} {r.zh}",
        "description": PAGED if r.paged else WHOLE,
        "parameters": parameters,
        "responses": responses,
    }


def _tag(r: Resource) -> str:
    of = {"claims": "statements", "datasets": "datasets", "releases": "releases", "": "releases"}
    return of.get(r.pattern[0] if r.pattern else "", "figures")


def _name(r: Resource) -> str:
    return "".join(w.capitalize() for w in re.findall(r"\w+", r.path)).replace("_", "") + "Answer"


def _path_value(name: str) -> dict[str, Any]:
    known: dict[str, Argument] = {a.name: a for a in (YEAR, DIMENSION, MEMBER, FACTOR_SET)}
    if name in known:
        parameter = _query(known[name])
    else:
        parameter = {"name": name, "description": PATH_VALUES[name], "schema": {"type": "string", "maxLength": TEXT}}
    schema = parameter["schema"] | ({"minLength": 1} if parameter["schema"]["type"] == "string" else {})
    return parameter | {"in": "path", "required": True, "schema": schema}


def _query(a: Argument) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": a.kind}
    if a.kind == "integer":
        schema |= {"minimum": a.least, "maximum": a.most}
    elif a.allowed:
        schema["enum"] = list(a.allowed)
    else:
        schema["maxLength"] = TEXT
    return {"name": a.name, "in": "query", "description": f"{a.en} {a.zh}", "schema": schema}


def _text(name: str, description: str, where: str = "query", **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": "string"} | schema,
    }


def _filters() -> dict[str, Any]:
    return {
        "name": "filters",
        "in": "query",
        "description": (
            "Arguments named after a column and an operator, such as year__gte=2023 or district=990101; operators: exact, not, contains, "
            "startswith, endswith, gt, gte, lt, lte, in, isnull, notnull 按列筛选"
        ),
        "style": "form",
        "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }


def _rows(name: str, summary: str, media: str) -> dict[str, Any]:
    table = _text(
        "table",
        "Name of a table, as /api/v1/datasets and the page Data list them 数据表",
        "path",
        minLength=1,
        maxLength=TEXT,
    )
    size = _text("_size", "Rows on a page, 1 to 1000, or max", pattern="^(max|[0-9]{1,3}|1000)$")
    then = _text("_next", "Where to go on: the token of the page before", maxLength=2_000)
    return {
        "operationId": name,
        "tags": ["datasets"],
        "summary": summary,
        "description": 'Headers: `Link: <…>; rel="next"` where there is a further page; `X-Truncated: true` where rows were cut.',
        "parameters": [table, size, then, _filters()],
        "responses": {"200": _body(media)} | _errors("400", "404", "405", "414", "429", "500", "503"),
    }


def _sql(name: str, summary: str, media: str) -> dict[str, Any]:
    sql = _text("sql", "One SELECT over the public tables 一条 SELECT 语句", minLength=1, maxLength=15_000)
    return {
        "operationId": name,
        "tags": ["datasets"],
        "summary": summary,
        "description": "`X-Truncated: true` where there were more than 1,000 rows; page with LIMIT and OFFSET.",
        "parameters": [sql | {"required": True}],
        "responses": {"200": _body(media)} | _errors("400", "405", "414", "429", "500", "503"),
    }


def _body(media: str) -> dict[str, Any]:
    return _content({"type": "string"} if media == "text/csv" else _ref("Rows"), media)


def _content(schema: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    return {"description": "OK", "content": {media: {"schema": schema}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _errors(*statuses: str) -> dict[str, Any]:
    return {s: {"$ref": f"#/components/responses/E{s}"} for s in statuses}


@cache
def _responses() -> dict[str, Any]:
    later = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    out: dict[str, Any] = {}
    for status, description in ERRORS.items():
        out[f"E{status}"] = _content(_ref("Error")) | {"description": description}
        if status in ("429", "503"):
            out[f"E{status}"]["headers"] = later
    return out


def _schemas(facts: Facts) -> dict[str, Any]:
    out = {t.name: _table(t, facts) for t in TABLES.values() if t.name in READ}
    out["releases"] = _kept()
    rows = {"type": "array", "items": {"type": "object", "additionalProperties": True}}
    of_page = {n: {"type": ["string", "null"]} for n in ("next", "next_url")}
    out["Rows"] = _object(
        {
            "ok": {"const": True},
            "rows": rows,
            "columns": {"type": "array", "items": {"type": "string"}},
            "truncated": {"type": "boolean"},
        }
        | of_page,
        optional=tuple(of_page),
    )
    out["Release"] = _object(
        {n: {"type": ["string", "null"]} for n in ("license", "publisher", "notice_zh", "notice_en")}
        | {n: {"type": "string"} for n in ("release_id", "as_of", "code_version")}
        | {
            "synthetic": {
                "type": "boolean",
                "description": "Something in the release was computed from made-up records",
            }
        }
    )
    out["Error"] = _object(
        {
            "ok": {"const": False},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stays the same; write your script against it"},
            "error": {"type": "string", "description": "What is wrong and what to do, in English"},
            "error_zh": {"type": "string", "description": "The same in Chinese"},
            "help": {"type": "string", "description": "Where the description of the API is"},
        },
        optional=("help",),
    )
    out["Versions"] = _object(
        {n: {"type": "string"} for n in ("release_id", "as_of", "code_version", "api", "datasette", "sqlite")}
    )
    link: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
    for r in RESOURCES:
        properties: dict[str, Any] = {
            "ok": {"const": True},
            "api": {"const": VERSION},
            "release": _ref("Release"),
            "permalink": {"type": "string"},
        }
        if r.one:
            properties[r.one[0]] = _ref(r.one[1])
        if r.rows:
            properties |= {
                "total": {"type": "integer"},
                "returned": {"type": "integer"},
                "truncated": {"type": "boolean"},
            }
            properties |= {"next": {"type": ["string", "null"]}, "whole_table": link}
            properties |= {"advice_zh": {"type": "string"}, "advice_en": {"type": "string"}}
            properties[r.rows[0]] = {"type": "array", "items": _ref(r.rows[1])}
        if r.path == "/datasets/{dataset}":
            properties["columns"] = {"type": "array", "items": _ref("dataset_columns")}
            properties |= {n: {"type": ["string", "null"]} for n in ("rows_url", "contract_url")} | {"files": link}
        if r.path.startswith("/provenance"):
            properties["values"] = {"type": "array", "items": _ref("indicator_values")}
        if not r.path:
            listed = _object({n: {"type": "string"} for n in ("path", "title_zh", "title_en")})
            properties |= {"resources": {"type": "array", "items": listed}}
            properties |= {"openapi": {"type": "string"}, "files": {"type": "string"}}
        out[_name(r)] = _object(properties, optional=("advice_zh", "advice_en"))
    return out


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [n for n in properties if n not in optional]}


def _table(t: Table, facts: Facts) -> dict[str, Any]:
    properties = {f.name: _field(t, f) for f in t.fields}
    # A release made by older code may lack a column; its key it has.
    there = facts.columns.get(t.name, {f.name: None for f in t.fields})
    required = [f.name for f in t.fields if f.name in there or f.name in t.key]
    if t.name == "indicator_values":
        names = [f"{of}_{language}" for of in ("dimension", "member") for language in ("zh", "en")]
        properties |= {n: {"type": "string"} for n in names}
        required += names
    return {"type": "object", "description": f"{t.en} {t.zh}", "properties": properties, "required": required}


def _field(t: Table, f: Field) -> dict[str, Any]:
    """A column: null is possible but in the key; a closed list is an enum."""
    description = f"{f.en} {f.zh}" + (f" ({f.unit})" if f.unit else "") + (f": {f.note}" if f.note else "")
    if f.type == "date":
        description += "; YYYY-MM-DD"
    if allowed := CLOSED.get((t.name, f.name)):
        return {"type": "string", "enum": list(allowed), "description": description}
    kind = KINDS[f.type]
    return {"type": kind if f.name in t.key else [kind, "null"], "description": description}


def _kept() -> dict[str, Any]:
    t = TABLES["releases"]
    names = ("as_of", "code_version", "content_sha256", "synthetic", "rows", "tables", "publisher", "license")
    own = {f.name: _field(t, f) for f in t.fields if f.name in names}
    return _object({"release_id": {"type": "string"}, "current": {"type": "boolean"}, "url": {"type": "string"}} | own)
