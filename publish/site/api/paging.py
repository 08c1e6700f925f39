"""Reading rows for the API: filters, pages of rows, addresses of the next page and of whole tables.

Belongs here: the SQL of a page and the keys of an answer that describe it. Not here: which table a resource reads
(resources.py). Every query is fixed; values of a visitor are only bound to it.
"""

from __future__ import annotations

import sqlite3
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from publish.site.api.model import LIMIT, ROOT, TABLES, Refused, Release, Row

BOOLEANS = frozenset(f.name for t in TABLES.values() for f in t.fields if f.type == "boolean")
Params = Mapping[str, Any]
IN_FORCE = ("default", "none")  # of each indicator one: with factors, or without


def clean(row: Row) -> Row:
    """Convert the booleans of a row, which SQLite holds as 1 and 0."""
    return {k: bool(v) if k in BOOLEANS and v is not None else v for k, v in row.items()}


async def read_rows(release: Release, sql: str, params: Params) -> list[Row]:
    """Return the rows of a fixed query. Raises Refused where they exceed the limit on the bytes of an answer."""
    try:
        return [clean(dict(r)) for r in (await release.db.execute(sql, dict(params))).rows]
    except sqlite3.DataError:
        raise Refused(
            400,
            "too_large",
            "一次取得的内容过多；请把 limit 设小一些，或下载整个文件。",
            "That is too much at once; set a smaller limit, or download the whole file.",
        ) from None


async def read_page(
    release: Release, table: str, order: str, args: Row, filters: Sequence[str], period: Row | None = None
) -> Row:
    """Return a page of the rows of a table that match the filters, and are of the years of a period of the city where one is given,
    with their total number."""
    given = {f: args[f] for f in filters if f in args}
    where = " and ".join(condition(f, given) for f in given) or "1"
    if period is not None:
        where += " and year between :_first_year and :_last_year"
        given |= {"_first_year": period["first_year"], "_last_year": period["last_year"]}
    total = (await read_rows(release, f"select count(*) as n from {table} where {where}", given))[0]["n"]
    span = {"_limit": args.get("limit", LIMIT), "_offset": args.get("offset", 0)}
    sql = f"select * from {table} where {where} order by {order} limit :_limit offset :_offset"
    rows = await read_rows(release, sql, given | span)
    return {"rows": rows, "total": total} | span_keys(total, len(rows), args)


def condition(column: str, given: Row) -> str:
    """Return the SQL condition of a filter. Of factor sets, "" means the one in force and "all" every one."""
    if column == "factor_set" and given[column] in ("all", ""):
        return "1" if given[column] else f"factor_set in {IN_FORCE}"
    return f'"{column}" = :{column}'


def span_keys(total: int, returned: int, args: Row) -> Row:
    """Return the keys of an answer that describe its page."""
    last = args.get("offset", 0) + returned
    return {"returned": returned, "truncated": last < total and returned > 0, "_next": last}


async def read_one(release: Release, table: str, key: str, value: str, zh: str, en: str) -> Row:
    """Return the row of a table with a key. Raises Refused (404); `zh` and `en` name the kind of thing."""
    found = await read_rows(release, f'select * from {table} where "{key}" = :value', {"value": value})
    if not found:
        where = f"{release.base_url.rstrip('/')}{ROOT}/{table}"
        raise Refused(
            404, "not_found", f"没有这个{zh}；全部见 {where}。", f"There is no such {en}; {where} lists them."
        )
    return found[0]


def address(release: Release, *parts: str) -> str:
    """Return the address of a resource of the API."""
    return release.base_url.rstrip("/") + ROOT + "".join("/" + urllib.parse.quote(p, safe="") for p in parts)


def files(release: Release, table: str) -> Row:
    """Return the addresses of the files of a whole table by format; {} for a table without files."""
    return {form: f"{release.base_url}files/{name}" for form, name in release.facts.files_of(table).items()}


def paging_keys(release: Release, route: str, args: Row, page: Row, table: str) -> Row:
    """Return the keys of an answer with a page of rows: totals, the next page, the files of the whole table."""
    out = {"total": page["total"], "returned": page["returned"], "truncated": page["truncated"], "next": None}
    if page["truncated"]:
        args = {k: v for k, v in args.items() if k != "offset"} | {"offset": page["_next"]}
        out["next"] = f"{release.base_url.rstrip('/')}{route}?{urllib.parse.urlencode(args)}"
        out["advice_zh"] = f"这里是 {page['total']} 行中的 {page['returned']} 行：下一页见 next，整表见 whole_table。"
        out["advice_en"] = (
            f"These are {page['returned']} of {page['total']} rows: the next page is at 'next', the whole table at "
            "'whole_table'."
        )
    out["whole_table"] = files(release, table)
    return out
