"""Addresses: what a path and query ask for, and whether they can be answered at all.

Belongs here: functions of an address alone, or of an address and the tables of a release. Not here: arguments of tables and
queries (validation.py), the answers (app.py). A route is the path below the base_url of a release, without the prefix of a language.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection, Container, Mapping

from publish.site import messages
from publish.site.facts import DB
from publish.site.language import Order, Pair
from publish.site.responses import Scope

LIGHT_ROWS = 300  # rows of JSON or CSV that the server process makes; more would delay other requests
HOST_CHARACTERS = 255
HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9A-Fa-f:]+\](:[0-9]+)?")
# Arguments of a table that are answered by fixed SQL; any other one carries something of the visitor's own.
PLAIN_ARGS = frozenset(
    ["_shape", "_nl", "_dl", "_labels", "_header", "_col", "_nocol", "_nocount", "_nofacet", "_nosuggest", "_next"]
)


def is_data(route: str) -> bool:
    """Return whether a route is of the database: its page, a table, a row, in any format."""
    return bool(re.fullmatch(rf"/{DB}(/.*)?|/{DB}\.(json|csv|xlsx|blob)", route))


def table_of(route: str, tables: Container[str]) -> str | None:
    """Return the table whose rows a route lists, as a page or in a format; None for any other route."""
    match = re.fullmatch(rf"/{DB}/([^/]+?)(\.(json|csv|xlsx))?", route)
    return match[1] if match and match[1] in tables else None


def client_of(scope: Scope) -> str:
    """Return the address of the client."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def host_of(scope: Scope) -> str:
    """Return the host that was asked for; one that cannot be a host name enters no answer and no cache key."""
    host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "localhost")
    return host if len(host) <= HOST_CHARACTERS and HOST.fullmatch(host) else "localhost"


def origin_of(scope: Scope) -> str:
    """Return scheme and host as the reader sees them, for the few places that need an absolute address."""
    return f"{scope['scheme']}://{host_of(scope)}"


def is_utf8(part: str) -> bool:
    """Return whether a percent-encoded part of an address is UTF-8; GBK would be decoded to other characters."""
    try:
        urllib.parse.unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def error_path(path: str, order: Order) -> str:
    """Return a short path of the same format (JSON or page) and language as a path that cannot be used."""
    form = re.search(r"\.(json|csv|xlsx)$", path)
    if path.startswith("/api/"):
        return "/api/"
    return f"/refused{form[0]}" if form else f"{order.prefix(order.of_path(path))}/"


def missing_target(tables: Collection[str], route: str, query: str) -> tuple[int, str, Pair] | None:
    """Return (status, code, sentences) for an address of the database without a target, where Datasette would redirect or
    fail; None where the target exists."""
    match = re.match(rf"/{DB}/([^/]+)", route)
    if match:
        if route.count("/") > 3:  # below a row there is nothing, whatever a later Datasette puts there
            return 404, "not_found", messages.NOT_FOUND
        table = re.sub(r"\.(json|csv|xlsx)$", "", match[1]) if route == match[0] else match[1]
        return None if table in tables else (404, "not_found", messages.NOT_FOUND)
    if route in (f"/{DB}.json", f"/{DB}.csv", f"/{DB}.xlsx") and not any(
        k == "sql" and v.strip() for k, v in urllib.parse.parse_qsl(query)
    ):
        return 400, "no_sql", messages.NO_SQL
    return None


def needs_worker(route: str, query: str, rows: Mapping[str, int] | None = None) -> bool:
    """Return whether an address of the database carries anything of the visitor's own: SQL, a filter, an order, a search.

    Many rows of a table count too, for formatting them would delay other requests; `rows` is the number of rows per table.
    """
    args = urllib.parse.parse_qsl(query, keep_blank_values=True)
    light = route.endswith((".json", ".csv"))
    if route.endswith(".xlsx") or any(name not in PLAIN_ARGS and not (name == "_size" and light) for name, _ in args):
        return True
    size = next((value for name, value in args if name == "_size"), "max" if route.endswith(".csv") else "50")
    wanted = int(size) if re.fullmatch(r"[0-9]{1,4}", size) else 1000
    table = route.rpartition("/")[2].partition(".")[0]
    return light and min(wanted, (rows or {}).get(table, 0)) > LIGHT_ROWS


def datasette_query(route: str, query: str) -> str:
    """Return the query that Datasette is given for a visitor's.

    A CSV of a table has as many rows as an answer may have, where Datasette's has as many as a page; an empty `sql` is
    dropped; `_extra` would give other keys in Datasette 1.0 than in 0.65.
    """
    if re.fullmatch(rf"/{DB}/[^/]+\.csv", route) and "_size=" not in query:
        return f"{query}&_size=max".lstrip("&")
    return re.sub(r"(^|&)(sql=\+*|_extra=[^&]*)(?=&|$)", "", query).lstrip("&")
