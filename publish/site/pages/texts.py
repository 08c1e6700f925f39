"""Pages of text: about, methods, secrecy, accessibility, reporting an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasette.utils.asgi import Response

from publish.files import CODINGS, FOLDERS, SDMX, table_file
from publish.site.pages.base import has, page, rows
from publish.site.report_fields import TAKES_REPORTS, Written, about_of


async def about(datasette: Any, request: Any) -> Response:
    tables: dict[str, list[str]] = {}
    single = []
    for name in sorted(datasette.facts.files):
        folder, _, file = name.rpartition("/")
        if folder in FOLDERS and name == table_file(folder, file.rpartition(".")[0]):
            tables.setdefault(file.rsplit(".", 1)[0], []).append(name)
        elif folder in ("", SDMX) and not name.endswith(tuple(CODINGS.values())):
            single.append(name)
    return await page(datasette, request, "about.html", tables=tables, single=single)


async def methods(datasette: Any, request: Any) -> Response:
    found = (
        await rows(datasette, "select * from factors order by metric, carrier, factor_id")
        if has(datasette, "factors")
        else []
    )
    held = (
        await rows(datasette, "select * from benchmarks order by year, benchmark_id")
        if has(datasette, "benchmarks")
        else []
    )
    return await page(datasette, request, "methods.html", factors=found, benchmarks=held)


async def secrecy(datasette: Any, request: Any) -> Response:
    hidden = await rows(datasette, "select count(*) as n from indicator_values where status = 'Q'")
    levels = await rows(datasette, "select access, count(*) as n from dataset_columns group by 1 order by 1")
    return await page(
        datasette, request, "secrecy.html", hidden=hidden[0]["n"], levels=levels, rules=datasette.facts.rules
    )


async def report(datasette: Any, request: Any) -> Response:
    about, sent = about_of(request.args)
    return await page(
        datasette,
        request,
        "report.html",
        takes_reports=bool(request.scope.get(TAKES_REPORTS)),
        written=Written(about),
        refused="",
        sent=sent,
    )


def _plain(template: str) -> Callable[[Any, Any], Any]:
    async def show(datasette: Any, request: Any) -> Response:
        return await page(datasette, request, template)

    return show


PAGES: dict[str, Callable[[Any, Any], Any]] = {
    "about": about,
    "methods": methods,
    "secrecy": secrecy,
    "accessibility": _plain("accessibility.html"),
    "report": report,
}
