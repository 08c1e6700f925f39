"""The resources of /api/v1: their addresses, arguments and answers.

Belongs here: which resources exist, and what each reads. Not here: reading pages of rows (paging.py), parsing a request
(request.py), their description for machines (openapi.py, made from RESOURCES). Within v1 a key keeps its name and meaning;
new keys may be added.
"""

from __future__ import annotations

from typing import NoReturn

from publish.release import store
from publish.site import validation, vocabulary
from publish.site.api.model import LIMIT, ROOT, Argument, Refused, Release, Resource, Row
from publish.site.api.paging import address, condition, files, read_one, read_page, read_rows, span_keys
from publish.site.facts import DB
from publish.site.pages.base import district_names
from publish.sources import SOURCES, sources_of

CHECK_STATUS = ("match", "within_qualifier", "mismatch", "not_verifiable", "no_data")
OPENING = ("open", "aggregate", "closed")
YEAR = Argument("year", "年度", "Year", "integer", 1900, 2200)
DIMENSION = Argument("dimension", "分组，如 total、district", "Dimension, such as total or district")
PERIOD = Argument(
    "period_id", "规划期，如 /api/v1/periods 所列", "Period of the city, as /api/v1/periods lists them", of="periods"
)
MEMBER = Argument("member", "组别，代码或名称，如 990101 或 东区", "Member, by code or name, such as 990101 or 东区")
FACTOR_SET = Argument(
    "factor_set",
    "系数组，如 article；不给时是采用的那一组（default 或 none），all 是全部",
    "Factor set, such as article; without it the one in force (default or none), with all every one",
)


async def _chosen(release: Release, indicator_id: str, args: Row) -> Row:
    """Return the arguments of a request for values of an indicator, with the member by code and "" for the factor set in force.

    Raises Refused where the indicator has no such dimension, member or factor set.
    """
    sql = "select distinct dimension, member, factor_set from indicator_values where indicator_id = :i"
    there = [dict(r) for r in await read_rows(release, sql, {"i": indicator_id})]
    names = await district_names(release.ds)
    out: Row = {"factor_set": ""} | args
    known: dict[str, validation.Known] = {
        "dimension": {
            r["dimension"]: vocabulary.CODES["dimension"].get(r["dimension"], (r["dimension"],) * 2) for r in there
        },
        "factor_set": {r["factor_set"]: (r["factor_set"],) * 2 for r in there} | {"all": ("全部", "all")},
    }
    within = args.get("dimension")
    known["member"] = {
        r["member"]: vocabulary.member_names(r["member"], names) for r in there if within in (None, r["dimension"])
    }
    by_name: dict[str, str] = {name: code for code, called in known["member"].items() for name in called}
    if "member" in args and args["member"] not in known["member"]:
        out["member"] = by_name.get(args["member"], args["member"])
    for name, values in known.items():
        if out.get(name) and out[name] not in values:
            refuse_value(name, out[name], values)
    return out


def refuse_value(name: str, value: str, known: validation.Known) -> NoReturn:
    """Raise Refused for a value outside a closed list, with the nearest one."""
    zh, en = validation.hint(value, known)
    raise Refused(400, "bad_argument", f"{name} 没有“{value}”这个值。{zh}", f"{name} has no value '{value}'.{en}")


async def _named(release: Release, values: list[Row]) -> list[Row]:
    """Add the names of dimension and member to values."""
    names = await district_names(release.ds)
    for r in values:
        r["dimension_zh"], r["dimension_en"] = vocabulary.dimension_names(r["dimension"], release.ds.facts)
        r["member_zh"], r["member_en"] = vocabulary.member_names(r["member"], names)
    return values


async def indicators(release: Release, path: Row, args: Row) -> Row:
    return await read_page(release, "indicators", "theme, indicator_id", args, ("theme", "kind"))


async def indicator(release: Release, path: Row, args: Row) -> Row:
    found = await read_one(release, "indicators", "indicator_id", path["indicator_id"], "指标", "indicator")
    order = "dimension <> 'total', dimension, member, factor_set, year"
    filters = ("indicator_id", "year", "dimension", "member", "factor_set")
    chosen = await _chosen(release, path["indicator_id"], {k: v for k, v in args.items() if k != "period_id"})
    period = await _period(release, args["period_id"]) if "period_id" in args else None
    values = await read_page(release, "indicator_values", order, chosen | path, filters, period)
    return {"indicator": found} | values | {"rows": await _named(release, values["rows"])}


async def periods(release: Release, path: Row, args: Row) -> Row:
    if "periods" not in release.facts.tables:  # a release of a version before them
        return {"rows": [], "total": 0} | span_keys(0, 0, args)
    return await read_page(release, "periods", "first_year", args, ())


async def _period(release: Release, wanted: str) -> Row:
    """Return the period with an id. Raises Refused where the release has none such."""
    found = (await periods(release, {}, {}))["rows"]
    known = {p["period_id"]: (p["name_zh"], p["name_en"]) for p in found}
    if wanted not in known:
        refuse_value("period_id", wanted, known)
    return next(p for p in found if p["period_id"] == wanted)


async def claims(release: Release, path: Row, args: Row) -> Row:
    order = "coalesce(position, 1e9), claim_id"
    if "period_id" in args:
        await _period(release, args["period_id"])
    filters = ("section", "check_status", "evidence", "indicator_id", "period_id")
    return await read_page(release, "claims", order, args, filters)


async def claim(release: Release, path: Row, args: Row) -> Row:
    return {"claim": await read_one(release, "claims", "claim_id", path["claim_id"], "表述", "statement")}


async def datasets(release: Release, path: Row, args: Row) -> Row:
    return await read_page(release, "datasets", "dataset", args, ("theme", "opening"))


async def dataset(release: Release, path: Row, args: Row) -> Row:
    name = path["dataset"]
    found = await read_one(release, "datasets", "dataset", name, "数据集", "dataset")
    columns = await read_rows(
        release, "select * from dataset_columns where dataset = :d order by position", {"d": name}
    )
    contract = f"contracts/{name}.odcs.yaml"
    open_in_rows = name in release.facts.tables
    return {
        "dataset": found,
        "columns": columns,
        "rows_url": f"{release.base_url}{DB}/{name}.json?_shape=array" if open_in_rows else None,
        "contract_url": f"{release.base_url}files/{contract}" if contract in release.facts.files else None,
        "files": files(release, name) if open_in_rows else {},
    }


async def provenance(release: Release, path: Row, args: Row) -> Row:
    """Return the files that values came from; without a dimension, those of the year's total."""
    wanted = {"dimension": "total", "factor_set": ""} | args | path
    given = {k: wanted[k] for k in ("indicator_id", "year", "dimension", "member", "factor_set") if k in wanted}
    where = " and ".join(condition(k, given) for k in given)
    values = await read_rows(
        release,
        f"select * from indicator_values where {where} order by member, factor_set limit {LIMIT}",
        given,
    )
    if not values:
        at = address(release, "indicators", path["indicator_id"])
        raise Refused(
            404,
            "not_found",
            f"没有这个数值；该指标的全部数值见 {at}。",
            f"There is no such value; {at} lists all values of the indicator.",
        )
    sql = sources_of(where, await release.db.table_columns("provenance"))
    span = {"_limit": args.get("limit", LIMIT), "_offset": args.get("offset", 0)}
    rows = await read_rows(release, f"select * from ({sql}) limit :_limit offset :_offset", given | span)
    total = span["_offset"] + len(rows)
    if len(rows) == span["_limit"] or (not rows and span["_offset"]):  # else these are the last
        total = (await read_rows(release, f"select count(*) as n from ({sql})", given))[0]["n"]
    page = {"rows": rows, "total": total} | span_keys(total, len(rows), args)
    return {"values": await _named(release, values)} | page


async def releases(release: Release, path: Row, args: Row) -> Row:
    """Return the releases kept; at a release's own address that one alone, so that the answer never changes."""
    facts = release.facts
    if release.base_url != "/":
        known = [store.summary(facts.folder)]
    else:
        kept = reversed(store.folders(facts.folder.parent))
        known = [s for p in kept if (s := store.summary(p)) is not None]
    rows = [s | {"current": s["release_id"] == facts.release_id, "url": f"/r/{s['release_id']}/"} for s in known if s]
    first = args.get("offset", 0)
    part = rows[first : first + args.get("limit", LIMIT)]
    return {"rows": part, "total": len(rows)} | span_keys(len(rows), len(part), args)


async def one_release(release: Release, path: Row, args: Row) -> Row:
    facts, wanted = release.facts, path["release_id"]
    own = release.base_url == "/" or wanted == facts.release_id
    found = store.summary(facts.folder.parent / wanted) if own and store.ID.fullmatch(wanted) else None
    if found is None:
        at = address(release, "releases")
        raise Refused(
            404, "no_release", f"没有这个发布版本；全部见 {at}。", f"There is no such release; {at} lists them."
        )
    return {"data": found | {"current": wanted == facts.release_id, "url": f"/r/{wanted}/"}}


async def index(release: Release, path: Row, args: Row) -> Row:
    """Return the addresses of all resources."""
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
RESOURCES: tuple[Resource, ...] = (
    Resource("", "接口总览", "What the API has", index),
    Resource(
        "/indicators",
        "指标",
        "Indicators",
        indicators,
        rows=("indicators", "indicators"),
        arguments=(
            Argument("theme", "主题，照指标里所写", "Theme, in Chinese, as the indicators have it", of="indicators"),
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
        arguments=(YEAR, DIMENSION, MEMBER, FACTOR_SET, PERIOD),
    ),
    Resource(
        "/periods", "规划期", "Periods of the city, such as five-year plans", periods, rows=("periods", "periods")
    ),
    Resource(
        "/claims",
        "原文表述及核验结果",
        "Statements and how they were checked",
        claims,
        rows=("claims", "claims"),
        arguments=(
            Argument("section", "章节，照表述里所写", "Section, as the statements have it", of="claims"),
            Argument("check_status", "核验结果", "Result of the check", allowed=CHECK_STATUS),
            Argument("evidence", "依据", "Evidence", of="claims"),
            Argument("indicator_id", "指标编号", "Indicator id", of="claims"),
            PERIOD,
        ),
    ),
    Resource("/claims/{claim_id}", "一条表述", "One statement", claim, one=("claim", "claims")),
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
    ),
    Resource(
        _PROVENANCE,
        "某年合计值来自哪些文件",
        "Which files a year's total came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
    ),
    Resource(
        _PROVENANCE + "/{dimension}",
        "某年某分组的数值来自哪些文件",
        "Which files the values of a dimension came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
    ),
    Resource(
        _PROVENANCE + "/{dimension}/{member}",
        "某年某组别的数值来自哪些文件",
        "Which files one member's value came from",
        provenance,
        rows=("files", SOURCES.name),
        arguments=(FACTOR_SET,),
    ),
    Resource("/releases", "保留的全部发布版本", "Every release that is kept", releases, rows=("releases", "releases")),
    Resource("/releases/{release_id}", "一个发布版本", "One release", one_release, one=("data", "releases")),
)
