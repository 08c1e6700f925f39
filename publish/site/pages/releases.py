"""The releases kept: their list, the differences between two, and a feed.

Belongs here: pages over several releases. At a release's own address (`/r/<release_id>/releases`) they redirect to the list of
all, the one page that changes with each release. Not here: reading the folders (publish/release/store.py).
"""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.release import store
from publish.release.changes import compare
from publish.site.language import pair
from publish.site.pages.base import district_names, page, rows

ATOM = "http://www.w3.org/2005/Atom"
SHOWN = 300  # changed values on a page; changes.json has all of them


def _elsewhere(datasette: Any, request: Any) -> Response | None:
    """Return the redirect to the list of all below a release's own address; None elsewhere."""
    if not request.path.startswith("/r/"):
        return None
    target = ("/en" if datasette.language == "en" else "") + request.path[request.path.rindex("/releases") :]
    return Response.redirect(target + (f"?{request.query_string}" if request.query_string else ""))


async def listed(datasette: Any, request: Any) -> Response:
    return _elsewhere(datasette, request) or await page(
        datasette,
        request,
        "releases.html",
        releases=await asyncio.to_thread(store.history, datasette.facts.folder.parent),
    )


async def diff(datasette: Any, request: Any) -> Response:
    moved = _elsewhere(datasette, request)
    if moved is not None:
        return moved
    facts = datasette.facts
    names = [r["release_id"] for r in await asyncio.to_thread(store.history, facts.folder.parent)]
    new = request.args.get("new") or facts.release_id
    old = request.args.get("old") or next((n for n in names if n != new), new)
    if old not in names or new not in names:
        raise NotFound("no such release")
    changed = await asyncio.to_thread(_compare, facts.folder.parent, old, new)
    about = {r["indicator_id"]: r for r in await rows(datasette, "select * from indicators")}
    claims = {r["claim_id"]: r for r in await rows(datasette, "select claim_id, name_zh, name_en from claims")}
    return await page(
        datasette,
        request,
        "diff.html",
        old=old,
        new=new,
        names=names,
        changed=changed,
        shown=changed["indicator_values"][:SHOWN],
        indicators=about,
        names_of=await district_names(datasette),
        claims=claims,
    )


def _compare(releases: Path, old: str, new: str) -> dict[str, Any]:
    """Return changes.json where it compares these two, else compare them now."""
    path = releases / new / "changes.json"
    changes = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return dict(changes) if changes.get("previous") == old else compare(releases / old, releases / new)


async def feed(datasette: Any, request: Any) -> Response:
    """Return the releases kept as Atom (RFC 4287). A release has a date without a time, so its time is midnight."""
    facts, at = datasette.facts, 0 if datasette.language == "zh" else 1
    site = f"{request.scheme}://{request.host}"
    found = await asyncio.to_thread(store.history, facts.folder.parent)

    def said(english: str, **values: Any) -> str:
        return pair(english)[at] % values

    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": "zh-CN" if at == 0 else "en"})

    def put(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
        element = ET.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
        element.text = text or None
        return element

    here = "" if at == 0 else "/en"
    put(root, "id", f"{site}{here}/feed.xml")
    put(root, "title", said("Mingzhang: releases"))
    put(root, "updated", f"{found[0]['as_of'] if found else facts.as_of}T00:00:00Z")
    put(root, "link", rel="self", type="application/atom+xml", href=f"{site}{here}/feed.xml")
    put(root, "link", rel="alternate", type="text/html", href=f"{site}{here}/releases")
    put(put(root, "author"), "name", facts.publisher or said("Mingzhang"))
    if facts.licence:
        put(root, "rights", facts.licence)
    for r in found:
        entry = put(root, "entry")
        put(entry, "id", f"{site}/r/{r['release_id']}/")
        put(entry, "title", said("Release %(release)s", release=r["release_id"]))
        put(entry, "updated", f"{r['as_of']}T00:00:00Z")
        put(entry, "link", rel="alternate", type="text/html", href=f"{site}/r/{r['release_id']}{here}/")
        text = said("Data as of %(date)s.", date=r["as_of"])
        if r["previous"]:
            text += " " + said(
                "%(n)s indicator values differ from release %(previous)s.", n=r["changed"], previous=r["previous"]
            )
        if r["synthetic"]:
            text += " " + said("Made-up data.")
        put(entry, "summary", text)
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    response = Response(body)
    response.content_type = "application/atom+xml; charset=utf-8"
    return response
