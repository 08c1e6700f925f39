"""What differs between Datasette 0.65 and 1.0: the same site runs on both, and no other module asks which one it has.

Belongs here: what Datasette renamed, moved or gave another shape between the two. Not here: what the site promises
(docs/api.md); tests/standards/test_promises.py holds the answers of both against one another.
"""

from __future__ import annotations

import dataclasses
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

import datasette
from datasette.app import Datasette
from datasette.database import Database

NEXT = int(datasette.__version__.split(".")[0]) >= 1


def arguments() -> dict[str, Any]:
    """What Datasette is made with besides; it opens nothing by this name before `prepare`."""
    return {"internal": "catalogue.db"} if NEXT else {}


def prepare(ds: Datasette) -> None:
    """Makes a new Datasette ready for databases of ours: no door without a guard, and what it keeps for itself in memory as in
    0.65, for a worker may write no file."""
    ds.remove_database("_memory")  # Datasette adds it where it is given no file
    if NEXT:
        name = ds._internal_database.name
        ds._internal_database = Database(ds, memory_name=secrets.token_hex(16))
        ds._internal_database.name = name


def opened(database: Database, connection: sqlite3.Connection) -> None:
    """Tells a database of a connection that it is to close with the others."""
    (database._all_connections if NEXT else database._all_file_connections).append(connection)


def close(ds: Datasette) -> None:
    """Gives back what a Datasette holds, once its other databases are closed."""
    if NEXT:
        ds.close()
    elif ds.executor is not None:
        ds.executor.shutdown(wait=False)


def routes(database: str) -> list[tuple[str, Any]]:
    """What answers an address of the database where 1.0 would send on: `?sql=` at the database's own address is promised."""
    if not NEXT:
        return []
    from datasette.views.database import DatabaseView, QueryView

    async def page_or_query(request: Any, datasette: Any) -> Any:
        view = QueryView() if request.args.get("sql") else DatabaseView()
        response = await view(request, datasette)
        if request.scope.get("query_failed"):
            response.status = 400
        return response

    return [(rf"^/(?P<database>{database})(\.(?P<format>\w+))?$", page_or_query)]


def renderer(render: Callable[..., Any]) -> Callable[..., Any]:
    """What gives rows a format: it finds in `data` that rows were cut, and an error, where 1.0 says both beside it."""
    if not NEXT:
        return render

    def told(
        datasette: Any,
        columns: Any,
        rows: Any,
        sql: Any,
        table: Any,
        request: Any,
        data: Any,
        truncated: Any,
        error: Any,
    ) -> Any:
        data |= {"truncated": bool(truncated), "error": error}
        return render(datasette, columns, rows, sql, table, request, data)

    return told


def context(given: Any, request: Any) -> Any:
    """What a template is filled with, under the names and in the order of 0.65. The request is told of a query that failed,
    whose page 1.0 gives as if it had not."""
    if not dataclasses.is_dataclass(given):
        return given
    told = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
    if told.get("error"):
        request.scope["query_failed"] = True
    if "count" in told:
        told["filtered_table_rows_count"] = told["count"]
    if "primary_key_values" in told:  # a row: 1.0 puts its key first, and makes it bold
        order = list(told["rows"][0].keys())
        told["display_rows"] = [sorted(row, key=lambda c: order.index(c["column"])) for row in told["display_rows"]]
        for cell in (c for row in told["display_rows"] for c in row if c["column"] in told["primary_keys"]):
            cell["value"] = str(cell["raw"])
    return told
