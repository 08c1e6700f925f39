"""What the site adds to Datasette by its own means: pages, formats, errors in two languages.

Belongs here: plugin hooks. They are global to a process, so each looks whether it was called for one of ours.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import urllib.parse
from collections.abc import Generator
from typing import Any

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.plugins import pm
from datasette.url_builder import Urls
from datasette.utils import PrefixedUrlString
from datasette.utils.asgi import Base400, Forbidden, NotFound, Request, Response
from datasette.views.base import DatasetteError
from jinja2 import Template

from publish.site import compat, language, pages, words
from publish.site.facts import DB, Facts
from publish.site.filled import NAMES, Filler
from publish.site.shapes import rows_as_json
from publish.site.workbook import workbook

log = logging.getLogger("mingzhang.site")

# What a visitor's own words can bring about in Datasette's views; anywhere else these would be faults of ours.
VISITORS_FAULTS = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError)


class SiteDatasette(Datasette):
    """Datasette that knows which release it shows. Plugin hooks are global; they look for this class."""

    def __init__(self, facts: Facts, in_worker: bool, spoken: language.Language, **kwargs: Any):
        self.facts = facts
        self.in_worker = in_worker
        self.language = spoken
        super().__init__(**kwargs)
        self.filler = Filler(facts, spoken, str(self.setting("base_url")), self.urls)

    @property
    def urls(self) -> Urls:
        return SiteUrls(self)

    async def refresh_schemas(self, *args: Any, **kwargs: Any) -> None:
        """Not again before each answer: the file never changes. What 1.0 needs of its catalogue it reads when it starts, and
        0.65, which needs none of it, then has no thread that writes it and never ends."""

    async def render_template(
        self, templates: Any, context: Any = None, request: Any = None, view_name: str | None = None
    ) -> str:
        if isinstance(templates, Template):
            templates = templates.name
        names = [templates] if isinstance(templates, str) else templates
        return self.filler.fill(names, compat.context(context or {}, request), request, view_name)


class SiteUrls(Urls):
    """Addresses below the release's own, which Datasette puts before the address of a request that has it already."""

    def path(self, path: str, format: str | None = None) -> PrefixedUrlString:
        base = str(self.ds.setting("base_url"))
        if base != "/" and not isinstance(path, PrefixedUrlString) and path.startswith(base):
            path = path[len(base) :]
        return super().path(path, format)


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
    }
    return Response.html(await ds.render_template("error.html", context, request), status=status)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    return [*pages.ROUTES, *compat.routes(DB)] if isinstance(datasette, SiteDatasette) else []


@hookimpl
def register_output_renderer(datasette: Any) -> list[dict[str, Any]]:
    if not isinstance(datasette, SiteDatasette):
        return []
    formats = {"json": rows_as_json, "xlsx": workbook}
    return [{"extension": e, "render": compat.renderer(render)} for e, render in formats.items()]


@hookimpl
def prepare_connection(conn: sqlite3.Connection, datasette: Any) -> None:
    if isinstance(datasette, SiteDatasette) and not datasette.in_worker:
        conn.text_factory = str  # a visitor's SQL may make text that is none; a release holds no such text


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    if isinstance(datasette, SiteDatasette):
        env.loader = NAMES


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    outcome = yield
    if isinstance(datasette, SiteDatasette):

        async def answer() -> Response:
            return await error_response(datasette, request, *_explain(datasette, request, exception))

        # Datasette awaits every answer it is given and prints all local values for its own: ours is to be the only one.
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
    """(status, code, Chinese sentence, English sentence) for whatever Datasette raised, and the complaint itself where it is
    of a query."""
    if isinstance(e, NotFound) or _names_no_table(ds, request):
        return 404, "not_found", *words.NOT_FOUND
    if isinstance(e, Forbidden):
        return 403, "forbidden", *words.FORBIDDEN
    if isinstance(e, QueryInterrupted) or (isinstance(e, DatasetteError) and e.title == "SQL Interrupted"):
        return 400, "too_slow", *words.TOO_SLOW
    if isinstance(e, MemoryError):
        return 400, "too_large", *words.TOO_LARGE
    if isinstance(e, DatasetteError):
        # Datasette answers 500 to a sort by a column that is not there; that is the visitor's slip.
        return (
            (400 if e.status == 500 else e.status),
            "bad_sql",
            *words.explain_sql(str(e.message), ds.facts),
            str(e.message),
        )
    if isinstance(e, (sqlite3.Error, sqlite3.Warning)) and _is_table(request):  # on a page of ours the fault is ours
        return 400, "bad_sql", *words.explain_sql(str(e), ds.facts), str(e)
    if isinstance(e, Base400):
        return e.status, "bad_request", *words.explain_sql(str(e.args[0])), str(e.args[0])
    if ds.in_worker and isinstance(e, VISITORS_FAULTS):
        # No traceback: it is no event of ours, and whoever sends a thousand of them would fill the log.
        log.info("an argument could not be used: %s?%s: %r", request.path, request.query_string[:200], e)
        return 400, "bad_request", *words.BAD_REQUEST
    log.error("a page failed: %s?%s", request.path, request.query_string, exc_info=e)
    return 500, "internal", *words.INTERNAL


def _parts(request: Request) -> list[str]:
    route = request.scope.get("route_path", request.path)
    return urllib.parse.unquote(route.split("?")[0]).strip("/").split("/")


def _is_table(request: Request) -> bool:
    return _parts(request)[0].partition(".")[0] == DB


def _names_no_table(ds: SiteDatasette, request: Request) -> bool:
    parts = _parts(request)
    return len(parts) > 2 and parts[0] == DB and parts[1] not in ds.facts.tables


pm.register(sys.modules[__name__], name=__name__)
