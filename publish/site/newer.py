"""Notices on answers of past releases: a link to the current release, and its values of the figures on the page.

Belongs here: the headers and the banner of a page at `/r/<release_id>/…`, made from both releases for each request; the files of
a release never change. Not here: the history of a figure over releases (pages/revisions.py).
"""

from __future__ import annotations

import re
import sqlite3
import urllib.parse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.home import Home
from publish.release import store
from publish.site.facts import DB, Facts
from publish.site.language import Language
from publish.site.responses import Answer
from publish.site.totals import TOTALS

if TYPE_CHECKING:
    from publish.site.instance import Instance

BEFORE = b'<header class="top">'  # the banner is inserted before it
FRAMED = b"</main></body>"  # in a page that others frame, the notice is the last of it
RESULT = ("check_status", "verdict", "computed_value")  # the columns of a statement's result
_PAGE = re.compile(r"/(indicators|claims)/([A-Za-z0-9_.-]+?)(?:/([0-9]{4}))?")
CLAIM = "select claims.*, i.unit as indicator_unit from claims left join indicators i using (indicator_id) where claim_id = :id"


def mark_outdated(
    answer: Answer, cache_control: str, instance: Instance, current: Facts, path: str, route: str, home: Path
) -> tuple[Answer, str]:
    """Mark an answer of a release that is not the current one: in the headers, and by a banner over a page.

    Returns the answer and its Cache-Control: a page with a banner is cached for a minute only, for the banner depends on the
    current release. `path` is the one asked for, `route` the same below the base_url, without a language.
    """
    spoken = instance.facts.order.of_path(path[len(instance.base_url) - 1 :])
    target = current.order.in_language(route, spoken)
    headers = [
        *answer.headers,
        (b"x-current-release", current.release_id.encode()),
        (b"link", f'<{urllib.parse.quote(target, safe="/%")}>; rel="latest-version"'.encode()),
    ]
    is_page = any(k == b"content-type" and v.startswith(b"text/html") for k, v in answer.headers)
    before = FRAMED if route.startswith("/embed/") else BEFORE
    if not is_page or answer.status != 200 or before not in answer.body:
        return Answer(answer.status, headers, answer.body), cache_control
    withdrawn = instance.facts.release_id in store.withdrawn(Home(home))
    over = banner(instance.speaking[spoken].renderer, instance.facts, current, urllib.parse.unquote(route), withdrawn)
    body = answer.body.replace(before, over + before, 1)
    return Answer(answer.status, headers, body), "public, max-age=60" if cache_control != "no-store" else cache_control


def banner(renderer: Any, old: Facts, current: Facts, route: str, withdrawn: bool) -> bytes:
    """Return the banner of the page at `route` (below the release's address, without the language) of the release `old`. That of a
    framed chart leads to the chart's page.

    `renderer` renders templates in the page's language; `withdrawn`: `old` was rolled back, and may be the newer one.
    """
    spoken: Language = renderer.language
    framed = route.startswith("/embed/")
    route = route.removeprefix("/embed")
    page = _PAGE.fullmatch(route)
    context: dict[str, Any] = {"figures": [], "claim": None, "framed": framed}
    if page is not None:
        kind, name, year = page.groups()
        if kind == "indicators":
            then, now = (_figures(f, name) for f in (old, current))
            context["figures"] = _changed(then, now, int(year) if year else None)
            context["indicator"] = _one(current, "select * from indicators where indicator_id = :id", name)
        else:
            then_, now_ = (_one(f, CLAIM, name) for f in (old, current))
            if then_ and now_ and any(then_.get(c) != now_.get(c) for c in RESULT):
                context["claim"] = {"old": then_ | {"result": shown(then_)}, "new": now_ | {"result": shown(now_)}}
    there = route if _has(current, route) else "/"
    same = current.order.in_language(there, spoken)
    diff = f"{current.order.in_language('/releases/diff', spoken)}?old={old.release_id}&new={current.release_id}"
    html = renderer.env.get_template("_newer.html").render(
        context | {"current": current, "same": same, "same_page": there == route, "diff": diff, "withdrawn": withdrawn}
    )
    return str(html).encode()


def shown(claim: dict[str, Any]) -> str:
    """Return the status shown for a statement: its check_status, or holds_in_part where its verdict has a reservation. Releases
    made before verdicts existed have check_status alone."""
    return "holds_in_part" if claim.get("verdict") == "holds_in_part" else claim["check_status"] or "no_data"


def _has(facts: Facts, route: str) -> bool:
    """Return whether a release has the page of a route: an indicator, statement, dataset or table may be absent."""
    first, _, rest = route.strip("/").partition("/")
    name = rest.partition("/")[0]
    if first in ("indicators", "claims") and name:
        key = "indicator_id" if first == "indicators" else "claim_id"
        return _one(facts, f"select 1 as there from {first} where {key} = :id", name) is not None
    if first == "datasets" and name:
        return any(d["dataset"] == name for d in facts.datasets)
    return first != DB or not rest or rest in facts.tables


def _figures(facts: Facts, indicator: str) -> dict[int, dict[str, Any]]:
    """Return the figures of an indicator's page, by year."""
    return {r["year"]: r for r in select(facts.database, TOTALS, id=indicator)}


def _changed(then: dict[int, dict[str, Any]], now: dict[int, dict[str, Any]], year: int | None) -> list[dict[str, Any]]:
    """Return the figures that differ in the current release, or are absent."""
    out = []
    for y, old in then.items():
        new = now.get(y, {})
        if year in (None, y) and old["value"] is not None and new.get("value") != old["value"]:
            out.append(
                {
                    "year": y,
                    "old": old["value"],
                    "new": new.get("value"),
                    "revised": new.get("revised"),
                    "note": new.get("note"),
                }
            )
    return out


def _one(facts: Facts, sql: str, name: str) -> dict[str, Any] | None:
    return next(iter(select(facts.database, sql, id=name)), None)


def select(database: Path, sql: str, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of one fixed query on the database of any release."""
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        return [dict(r) for r in con.execute(sql, values)]
