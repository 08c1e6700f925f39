"""Errors of SQLite and Datasette as sentences in both languages.

Belongs here: recognising the message of an error in a visitor's SQL, and suggesting the nearest table, column, keyword or function.
Not here: refusals before SQL runs (validation.py, messages.py).
"""

from __future__ import annotations

import difflib
import re
from typing import Any

from publish.site.facts import Facts
from publish.site.guard import FUNCTIONS
from publish.site.language import Pair, pair
from publish.site.messages import TOO_LARGE, TOO_SLOW

SQL_ERRORS: tuple[tuple[re.Pattern[str], Pair], ...] = tuple(
    (re.compile(pattern, re.I), pair)
    for pattern, pair in (
        (
            r"no such table: (.+)",
            pair("There is no table named {0}; the page Data lists them."),
        ),
        (
            r"no such column: (.+)",
            pair("There is no column named {0}; see the columns of that table."),
        ),
        (
            r"Cannot sort table by (.+)",
            pair("Cannot sort by {0}: there is no such column."),
        ),
        (r"near \"(.+)\": syntax error", pair("There is a syntax error near “{0}”.")),
        (r"incomplete input", pair("The statement is not finished.")),
        (r"no such function: (.+)", pair("There is no function {0}.")),
        (
            r"not authorized to use function: (.+)",
            pair("The function {0} is not open to the public."),
        ),
        (
            r"not authorized|prohibited",
            pair("This is not open to the public: only SELECT on the public tables is."),
        ),
        (
            r"Statement must be a SELECT|disallowed PRAGMA",
            pair("Only SELECT statements can be run."),
        ),
        (r"only execute one statement", pair("Only one statement can be run at a time.")),
        (r"too large|too big|out of memory", TOO_LARGE),
        (r"interrupted", TOO_SLOW),
        (
            r"_facet= is not allowed",
            pair("Facets are off; use GROUP BY in SQL."),
        ),
        (
            r"no such _shape",
            pair("_shape must be array, objects, arrays, arrayfirst, or, for a table with a key, object."),
        ),
        (
            r"CSV streaming is disabled",
            pair("A CSV has at most 1,000 rows; download the file for a whole table."),
        ),
    )
)


KEYWORDS = frozenset(
    [
        "all",
        "and",
        "as",
        "asc",
        "between",
        "by",
        "case",
        "cast",
        "collate",
        "cross",
        "desc",
        "distinct",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "filter",
        "from",
        "full",
        "glob",
        "group",
        "having",
        "in",
        "inner",
        "intersect",
        "is",
        "isnull",
        "join",
        "left",
        "like",
        "limit",
        "natural",
        "not",
        "notnull",
        "null",
        "nulls",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "recursive",
        "right",
        "select",
        "then",
        "union",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
    ]
)
_LITERAL = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.S)


def explain_sql(message: str, facts: Facts | None = None, sql: str | None = None) -> Pair:
    """Translate an error message of SQLite or Datasette into one sentence per language.

    With `facts`, an unknown table or column gets the nearest existing name as a suggestion; with `sql`, the query, a misspelt
    keyword or function gets the right one. An unrecognised message is quoted.
    """
    text = re.sub(r"<[^>]+>", " ", message)[:300]
    for pattern, (zh, en) in SQL_ERRORS:
        if match := pattern.search(text):
            groups = [g.strip() for g in match.groups()]
            zh, en = zh.format(*groups), en.format(*groups)
            near = (_nearest_name(text, facts) if facts else None) or _nearest_word(text, sql or "", facts)
            return (zh + f"是不是 {near}？", f"{en} Did you mean {near}?") if near else (zh, en)
    zh, en = pair("The query cannot run: {0}")
    return zh.format(text), en.format(text)


def _nearest_name(message: str, facts: Facts) -> str | None:
    """Return the table or column whose name is nearest to the unknown one; None where none is near."""
    found = re.search(r"no such (table|column): (?:\w+\.)?(\w+)", message)
    if found is None:
        return None
    columns = (c for t, of in facts.columns.items() if t in facts.tables for c in of)
    near = difflib.get_close_matches(found[2], facts.tables if found[1] == "table" else set(columns), 1, 0.6)
    return near[0] if near else None


def _nearest_word(message: str, sql: str, facts: Facts | None) -> str | None:
    """Return the keyword or function of SQL that a misspelt word of a query is nearest to; None where none is near.

    SQLite stumbles over such a word or, having taken it for a name (select year form t), over the one behind it.
    """
    if found := re.search(r"no such function: (\w+)", message):
        return next(iter(difflib.get_close_matches(found[1].lower(), FUNCTIONS, 1, 0.7)), None)
    words = re.findall(r"\w+|[^\w\s]", _LITERAL.sub(" ", sql).lower())
    if re.search(r"must be a SELECT", message):
        suspects = words[:1]
    elif found := re.search(r'near "(.+?)": syntax error', message):
        at = [n for n, w in enumerate(words) if w == found[1].lower()]
        suspects = [words[n] for i in at for n in (i, i - 1) if n >= 0]
    elif found := re.search(r"no such column: (\w+)$", message):
        suspects = [found[1].lower()]
    else:
        return None
    known = KEYWORDS | ({n.lower() for t, of in facts.columns.items() for n in (t, *of)} if facts else set())
    for word in suspects:
        if len(word) > 2 and word not in known and (near := difflib.get_close_matches(word, KEYWORDS, 1, 0.7)):
            return near[0].upper()
    return None


def sql_error(message: str, facts: Facts | None = None, sql: str | None = None) -> dict[str, Any]:
    """Return the JSON body of the error."""
    zh, en = explain_sql(message, facts, sql)
    return {"ok": False, "status": 400, "code": "bad_sql", "error": en, "error_zh": zh, "detail": message}
