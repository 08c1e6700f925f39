"""The Datasette plugin of the site: pages, formats, templates, errors in two languages.

Belongs here: plugin hooks. They are global to a process, so each checks that it is called for a SiteDatasette. Not here: what
has no hook (compat.py).
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import urllib.parse
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from datasette import hookimpl
from datasette.database import QueryInterrupted
from datasette.plugins import pm
from datasette.utils.asgi import Base400, Forbidden, NotFound, Request, Response
from datasette.views.base import DatasetteError

from publish.site import compat, language, messages, pages, sql_errors
from publish.site.facts import DB, Facts
from publish.site.newer import select
from publish.site.shapes import rows_as_json
from publish.site.tabular import AdaptedRows
from publish.site.templating import NAMES, Renderer
from publish.site.validation import nearest
from publish.site.workbook import workbook

log = logging.getLogger("mingzhang.site")

KINDS = {"indicators": "indicator_id", "claims": "claim_id", "datasets": "dataset"}

# Exceptions that a visitor's arguments can raise in Datasette's views; anywhere else they are faults of ours.
VISITORS_FAULTS = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class SiteDatasette(compat.QuietDatasette):
    """A Datasette that shows one release in one language. Plugin hooks are global to the process; they check for this class."""

    def __init__(self, facts: Facts, in_worker: bool, spoken: language.Language, **kwargs: Any):
        self.facts = facts
        self.in_worker = in_worker
        self.language = spoken
        super().__init__(**kwargs)
        self.renderer = Renderer(facts, spoken, str(self.setting("base_url")), self.urls)


async def error_response(
    ds: SiteDatasette, request: Request, status: int, code: str, zh: str, en: str, detail: str | None = None
) -> Response:
    path = request.path.split("?")[0]
    if path.endswith((".json", ".csv", ".xlsx")) or path.startswith("/api/"):
        body = {"ok": False, "status": status, "code": code, "error": en, "error_zh": zh}
        return Response.json(body | ({"detail": detail} if detail else {}), status=status)
    context = {
        "status": status,
        "code": code,
        "said": zh if ds.language == "zh" else en,
        "sql": request.args.get("sql"),
        "near": _nearest_page(ds, request) if status == 404 else None,
    }
    return Response.html(ds.renderer.render("error.html", context, request), status=status)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    return [*pages.ROUTES, *compat.routes(DB)] if isinstance(datasette, SiteDatasette) else []


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Adapt the rows that Datasette returns (tabular.py)."""
    if not isinstance(datasette, SiteDatasette):
        return lambda app: app
    return partial(AdaptedRows, facts=datasette.facts, base_url=str(datasette.setting("base_url")))


@hookimpl
def register_output_renderer(datasette: Any) -> list[dict[str, Any]]:
    if not isinstance(datasette, SiteDatasette):
        return []
    formats = {"json": rows_as_json, "xlsx": workbook}
    return [{"extension": e, "render": compat.renderer(render)} for e, render in formats.items()]


@hookimpl
def prepare_connection(conn: sqlite3.Connection, datasette: Any) -> None:
    if isinstance(datasette, SiteDatasette) and not datasette.in_worker:
        conn.text_factory = (
            str  # a visitor's SQL may make text that is not UTF-8, for which Datasette sets bytes; a release holds none
        )


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Have Datasette's views find our templates, which render through our environment (templating.py)."""
    if isinstance(datasette, SiteDatasette):
        env.loader = NAMES
        env.template_class = datasette.renderer.template_class(compat.context)


@hookimpl
def extra_template_vars(view_name: str | None, datasette: Any) -> dict[str, Any]:
    """Tell our templates which of Datasette's views renders them."""
    return {"view_name": view_name} if isinstance(datasette, SiteDatasette) else {}


@hookimpl
def render_cell(value: Any, table: str | None, datasette: Any) -> int | float | None:
    """Keep the numbers of an answer to SQL numbers, of which Datasette makes texts, so that they are written and drawn as such."""
    ours = isinstance(datasette, SiteDatasette) and table is None
    return value if ours and isinstance(value, int | float) else None


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    outcome = yield
    if isinstance(datasette, SiteDatasette):

        async def answer() -> Response:
            return await error_response(datasette, request, *_explain(datasette, request, exception))

        # Datasette awaits every answer of its hooks, and its own prints all local values: ours is to be the only one.
        outcome.force_result([answer])


@hookimpl(tryfirst=True)
def forbidden(datasette: Any, request: Any, message: str) -> Any:
    if not isinstance(datasette, SiteDatasette):
        return None

    async def answer() -> Response:
        return await error_response(datasette, request, *_explain(datasette, request, Forbidden(message)))

    return answer


def _explain(
    ds: SiteDatasette, request: Request, e: Exception
) -> tuple[int, str, str, str] | tuple[int, str, str, str, str]:
    """Return (status, code, Chinese sentence, English sentence) for an exception of Datasette, and of a query the original message."""
    if isinstance(e, NotFound) or _names_no_table(ds, request):
        return 404, "not_found", *messages.NOT_FOUND
    if isinstance(e, Forbidden):
        return 403, "forbidden", *messages.FORBIDDEN
    if isinstance(e, QueryInterrupted) or (isinstance(e, DatasetteError) and e.title == "SQL Interrupted"):
        return 400, "too_slow", *messages.TOO_SLOW
    if isinstance(e, MemoryError):
        return 400, "too_large", *messages.TOO_LARGE
    if isinstance(e, DatasetteError):
        # Datasette answers 500 to a sort by an unknown column; that is the visitor's mistake.
        return (
            (400 if e.status == 500 else e.status),
            "bad_sql",
            *sql_errors.explain_sql(str(e.message), ds.facts, request.args.get("sql")),
            str(e.message),
        )
    if isinstance(e, (sqlite3.Error, sqlite3.Warning)) and _is_table(request):  # on a page of ours it is our fault
        return 400, "bad_sql", *sql_errors.explain_sql(str(e), ds.facts, request.args.get("sql")), str(e)
    if isinstance(e, Base400):
        return e.status, "bad_request", *sql_errors.explain_sql(str(e.args[0])), str(e.args[0])
    if ds.in_worker and isinstance(e, VISITORS_FAULTS):
        # No traceback: it is no event of ours, and a thousand of them would fill the log.
        log.info("an argument could not be used: %s?%s: %r", request.path, request.query_string[:200], e)
        return 400, "bad_request", *messages.BAD_REQUEST
    log.error("a page failed: %s?%s", request.path, request.query_string, exc_info=e)
    return 500, "internal", *messages.INTERNAL


def _parts(request: Request) -> list[str]:
    route = request.scope.get("route_path", request.path)
    return urllib.parse.unquote(route.split("?")[0]).strip("/").split("/")


def _nearest_page(ds: SiteDatasette, request: Request) -> str | None:
    """Return the path of the page whose name is nearest to a misspelt one; None where none is near."""
    parts = _parts(request)
    if len(parts) < 2 or parts[0] not in KINDS:
        return None
    if parts[0] == "datasets":
        names = [str(d["dataset"]) for d in ds.facts.datasets]
    else:
        key = KINDS[parts[0]]
        names = [r[key] for r in select(ds.facts.database, f"select {key} from {parts[0]}")]
    near = nearest(parts[1][:80], names)
    return f"/{parts[0]}/{near}" if near else None


def _is_table(request: Request) -> bool:
    return _parts(request)[0].partition(".")[0] == DB


def _names_no_table(ds: SiteDatasette, request: Request) -> bool:
    parts = _parts(request)
    return len(parts) > 2 and parts[0] == DB and parts[1] not in ds.facts.tables


pm.register(sys.modules[__name__], name=__name__)
