"""The use of Datasette beyond its hooks and documented methods, and the differences between 0.65 and 1.0.

Read from Datasette 0.65.5 and 1.0a41. tests/site/test_compat.py fails where an upgrade changes one of the functions that
this module overrides or replaces; docs/decisions/0006-datasette-hooks.md says why no hook can do each. No other module reads
an undocumented name of Datasette or asks for its version. tests/standards/test_promises.py compares the answers of both.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import datasette
from datasette.app import Datasette
from datasette.database import Database
from datasette.filters import Filters
from datasette.url_builder import Urls
from datasette.utils import PrefixedUrlString

READ_FROM = "0.65.5"
NEXT = int(datasette.__version__.split(".")[0]) >= 1

OPERATORS = frozenset(f.key for f in Filters._filters)  # of filters, such as gte in year__gte


class QuietDatasette(Datasette):
    """Datasette over a file that never changes, at a base_url that is part of the address of each request."""

    @property
    def urls(self) -> Urls:
        """Build addresses; no hook replaces the builder that Datasette's own views use."""
        return SiteUrls(self)

    async def refresh_schemas(self, *args: Any, **kwargs: Any) -> None:
        """Skip the refresh before each answer; no hook does. 1.0 reads its catalogue at its start, and 0.65, which needs none,
        would start a thread that writes it and never ends."""


class SiteUrls(Urls):
    """Addresses below base_url: Datasette puts it before the address of a request that has it already."""

    def path(self, path: str, format: str | None = None) -> PrefixedUrlString:
        base = str(self.ds.setting("base_url"))
        if base != "/" and not isinstance(path, PrefixedUrlString) and path.startswith(base):
            path = path[len(base) :]
        return super().path(path, format)


def arguments() -> dict[str, Any]:
    """Return further arguments of Datasette; nothing is opened by this name before `prepare`."""
    return {"internal": "catalogue.db"} if NEXT else {}


def prepare(ds: Datasette) -> None:
    """Prepare a new Datasette: no database without a guard, and its own catalogue in memory as in 0.65, for a worker may write
    no file."""
    ds.remove_database("_memory")  # Datasette adds it where it is given no file
    if NEXT:
        name = ds._internal_database.name
        ds._internal_database = Database(ds, memory_name=secrets.token_hex(16))
        ds._internal_database.name = name


def close(ds: Datasette) -> None:
    """Release what a Datasette holds, once its other databases are closed."""
    if NEXT:
        ds.close()
    elif ds.executor is not None:
        ds.executor.shutdown(wait=False)


def routes(database: str) -> list[tuple[str, Any]]:
    """Return routes for the address of the database, where 1.0 would redirect `?sql=`: it is promised at that address."""
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
    """Adapt an output renderer: it finds `truncated` and `error` in `data`, where 1.0 passes them as arguments."""
    if not NEXT:
        return render

    def adapted(
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

    return adapted


def context(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of one of Datasette's own templates under the names and in the order of 0.65.

    The request is marked where its query failed: 1.0 gives that page the status of a good one.
    """
    out = dict(given)
    if not NEXT:
        return out
    if out.get("error"):
        out["request"].scope["query_failed"] = True
    if "count" in out:
        out["filtered_table_rows_count"] = out["count"]
    if "primary_key_values" in out:  # a row: 1.0 puts its key first, and makes it bold
        order = list(out["rows"][0].keys())
        out["display_rows"] = [sorted(row, key=lambda c: order.index(c["column"])) for row in out["display_rows"]]
        for cell in (c for row in out["display_rows"] for c in row if c["column"] in out["primary_keys"]):
            cell["value"] = str(cell["raw"])
    return out
