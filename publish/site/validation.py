"""Validation of the arguments of a table, a row or a query: every argument, column, condition and coded value must exist.

Belongs here: refusing, with the nearest valid name, arguments that Datasette would ignore, answering with all rows or none. Not
here: what the arguments do (Datasette), the arguments of /api/v1 (api.py), errors of SQL (sql_errors.py).
"""

from __future__ import annotations

import difflib
import json
import re
import urllib.parse
from collections.abc import Collection, Iterable
from typing import Any

from pipelines.core.text import fold
from publish.schema import PLATFORM
from publish.site import vocabulary
from publish.site.compat import OPERATORS
from publish.site.facts import DB, Facts
from publish.site.language import Pair
from publish.site.pages.base import district_names
from publish.site.routes import table_of

FEW = 12  # valid values listed beside the nearest one, at most
MOST_LISTED = 40
MOST_ROWS = 1_000
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
OF_ROWS = frozenset(
    ["_shape", "_nl", "_dl", "_labels", "_label", "_header", "_nofacet", "_nosuggest", "_nocount", "_timelimit"]
)
OF_TABLES = OF_ROWS | {
    "_col", "_nocol", "_next", "_size", "_sort", "_sort_desc", "_sort_by_desc", "_where", "_through", "_stream",
    "_facet", "_facet_array", "_facet_date", "_facet_size", "_filter_column", "_filter_op", "_filter_value",
}  # fmt: skip
OF_QUERIES = frozenset(["sql", "_shape", "_nl", "_dl", "_header", "_timelimit", "_hide_sql", "_show_sql"])
TAKES_NUMBERS = frozenset(["exact", "not", "gt", "gte", "lt", "lte", "in", "notin"])
NAMES_VALUES = frozenset(["exact", "not", "in", "notin"])
# Columns of the platform's own tables with a closed list of values: the codes in vocabulary.toml, and the values that a release holds.
CLOSED = frozenset(
    [
        "access", "better", "check_status", "claim_id", "dataset", "dimension", "evidence", "factor_set", "indicator_id", "kind",
        "member", "opening", "period_id", "qualifier", "section", "severity", "status", "theme",
    ]
)  # fmt: skip
HOMES = {"claim_id": "claims", "dataset": "datasets", "indicator_id": "indicators", "period_id": "periods"}

Known = dict[str, Pair]  # value -> its names


class InvalidArgument(Exception):
    """An argument that cannot be used: a sentence in each language that names the valid ones."""

    def __init__(self, zh: str, en: str):
        super().__init__(en)
        self.sentences: Pair = (zh, en)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word nearest to a word; None where none is near."""
    of = {fold(k): k for k in known}
    word = fold(word)
    close = difflib.get_close_matches(word, of, 1, 0.6) or [
        k for k in of if len(word) > 1 and (word in k or (len(k) > 2 and k in word))
    ]
    return of[close[0]] if close else None


def hint(word: str, known: Known | Collection[str]) -> Pair:
    """Return the end of a sentence about an unknown word: the nearest valid one, and all of them where few or none is near."""
    called = known if isinstance(known, dict) else {k: (k, k) for k in known}
    by_name = {name: code for code, names in called.items() for name in (*names, code)}
    near = nearest(word, by_name)
    zh = en = ""
    if near is not None:
        zh, en = f"是不是 {by_name[near]}？", f" Did you mean {by_name[near]}?"
    if called and (near is None or len(called) <= FEW):
        more = len(called) > MOST_LISTED
        listed = list(called)[:MOST_LISTED]
        zh += f"可用：{'、'.join(listed)}{'等' if more else ''}。"
        en += f" There are: {', '.join(listed)}{' and others' if more else ''}."
    return zh, en


async def known_values(datasette: Any, table: str, column: str) -> Known:
    """Return the values of a column with a closed list, with their names; {} for any other column."""
    facts: Facts = datasette.facts
    if table not in PLATFORM:
        listed = next((r for r in await _allowed(datasette) if (r["dataset"], r["column"]) == (table, column)), None)
        return {v: (v, v) for v in listed["allowed"].split("|")} if listed else {}
    if column not in CLOSED or column not in facts.columns.get(table, {}):
        return {}
    if column in ("theme", "dimension"):  # only values that the release has
        there = await _distinct(datasette, table, column)
        return {v: vocabulary.CODES[column].get(v, (v, v)) for v in there}
    codes = dict(vocabulary.codes_of(table, column))
    names = await district_names(datasette) if column == "member" else {}
    home = HOMES.get(column, table)  # the table that lists every valid value
    for v in (*await _distinct(datasette, home, column), *await _distinct(datasette, table, column)):
        called = vocabulary.member_names(v, names) if column == "member" else (v, vocabulary.section("en", v))
        codes.setdefault(v, called if column in ("member", "section") else (v, v))
    return codes


async def _allowed(datasette: Any) -> list[dict[str, Any]]:
    held = datasette.facts.held
    if "allowed values" not in held:
        sql = "select dataset, \"column\", allowed from dataset_columns where coalesce(allowed, '') <> ''"
        held["allowed values"] = [dict(r) for r in (await datasette.execute(DB, sql)).rows]
    return list(held["allowed values"])


async def _distinct(datasette: Any, table: str, column: str) -> list[str]:
    """Return the distinct values of an existing column; cached per release."""
    held, key = datasette.facts.held, f"values of {table}.{column}"
    if key not in held:
        sql = f'select distinct "{column}" as v from "{table}" where "{column}" is not null order by 1'
        found = await datasette.get_database(DB).execute(sql)
        held[key] = [{"v": str(r["v"])} for r in found.rows]
    return [r["v"] for r in held[key]]


async def refusal(datasette: Any, route: str, query: str) -> Pair | None:
    """Return why an address of the database cannot be answered; None where it can. `route` is its path below the base_url of the
    release, in Chinese."""
    args = urllib.parse.parse_qsl(query, keep_blank_values=True)
    table = table_of(route, datasette.facts.tables)
    try:
        if table is not None:
            await _of_table(datasette, table, args)
        elif route.startswith(f"/{DB}/"):
            for name, _ in args:
                _known_argument(name, OF_ROWS)
        elif any(name == "sql" and value.strip() for name, value in args):
            _of_query(args)
    except InvalidArgument as e:
        return e.sentences
    return None


def _known_argument(name: str, known: Collection[str]) -> None:
    if name not in known:
        zh, en = hint(name, sorted(known))
        raise InvalidArgument(f"没有参数 {name[:50]}。{zh}", f"There is no argument {name[:50]}.{en}")


def _of_query(args: list[tuple[str, str]]) -> None:
    sql = " ".join(value for name, value in args if name == "sql")
    named = re.findall(r":(\w+)", sql)
    for name, _ in args:
        if name.startswith("_") or name == "sql":
            _known_argument(name, OF_QUERIES)
        elif name not in named:
            zh, en = hint(name, sorted(set(named)))
            raise InvalidArgument(f"语句里没有参数 :{name[:50]}。{zh}", f"The query has no parameter :{name[:50]}.{en}")


async def _of_table(datasette: Any, table: str, args: list[tuple[str, str]]) -> None:
    db = datasette.get_database(DB)
    columns = {c.name: c.type.upper() for c in await db.table_column_details(table)}
    if not await db.primary_keys(table):
        columns["rowid"] = "INTEGER"
    given = {name for name, value in args if value}
    if {"_sort", "_sort_desc"} <= given:
        raise InvalidArgument("_sort 和 _sort_desc 只能给一个。", "Give _sort or _sort_desc, not both.")
    for name, value in args:
        if name.startswith("_search"):
            raise InvalidArgument(
                "数据表里不能用 _search；请用 列名__contains=词，或全站搜索 /search?q=词。",
                "A table cannot be searched with _search; use COLUMN__contains=word, or the search of the site, /search?q=word.",
            )
        if name.startswith("_") and "__" not in name:
            if name in columns:
                raise InvalidArgument(
                    f"按 {name} 筛选请写 {name}__exact=…。", f"To filter by {name}, write {name}__exact=…."
                )
            _known_argument(re.sub(r"^(_filter_(?:column|op|value))_\d+$", r"\1", name), OF_TABLES)
            if name in ("_sort", "_sort_desc", "_col", "_nocol", "_filter_column") and value:
                _known_column(value, columns, table)
            if name == "_size" and value not in ("", "max") and not (value.isdecimal() and 0 < int(value) <= MOST_ROWS):
                raise InvalidArgument(
                    f"_size 应为 1..{MOST_ROWS} 的整数或 max。",
                    f"_size must be a whole number, 1..{MOST_ROWS}, or max.",
                )
            continue
        column, _, operator = name.rpartition("__") if "__" in name else (name, "", "exact")
        _known_column(column, columns, table)
        if operator not in OPERATORS:
            zh, en = hint(operator, sorted(OPERATORS))
            raise InvalidArgument(f"没有条件 __{operator[:50]}。{zh}", f"There is no condition __{operator[:50]}.{en}")
        await _known_value(datasette, table, column, columns[column], operator, value)


def _known_column(column: str, columns: Collection[str], table: str) -> None:
    if column not in columns:
        zh, en = hint(column, list(columns))
        raise InvalidArgument(
            f"表 {table} 没有列 {column[:50]}。{zh}", f"The table {table} has no column {column[:50]}.{en}"
        )


async def _known_value(datasette: Any, table: str, column: str, kind: str, operator: str, value: str) -> None:
    given = [value]
    if operator in ("in", "notin"):
        try:
            given = [str(v) for v in json.loads(value)] if value.startswith("[") else value.split(",")
        except ValueError:
            raise InvalidArgument(
                f"{column}__{operator} 应为用逗号隔开的值。",
                f"{column}__{operator} must be values with commas between them.",
            ) from None
    if operator in TAKES_NUMBERS and kind in ("INTEGER", "REAL"):
        for one in given:
            if not NUMBER.fullmatch(one.strip()):
                yes = datasette.facts.is_boolean(table, column)
                zh, en = (" 1 或 0", "1 or 0") if yes else ("数", "a number")
                raise InvalidArgument(
                    f"{column} 应为{zh}，而不是“{one[:50]}”。", f"{column} must be {en}, not '{one[:50]}'."
                )
    elif operator in NAMES_VALUES:
        known = await known_values(datasette, table, column)
        for one in given if known else ():
            if one.strip() not in known:
                zh, en = hint(one, known)
                raise InvalidArgument(
                    f"{column} 没有“{one[:50]}”这个值。{zh}", f"{column} has no value '{one[:50]}'.{en}"
                )
