"""Feeds (Atom, RFC 4287): of the releases, and of what changed in an indicator, a statement or a dataset.

Belongs here: entries and their words. Not here: what changed (revisions.py, changes.json). A release has a date without a time, so its
time is midnight.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.release import store
from publish.site import units
from publish.site.language import Language, pair
from publish.site.numbers import number
from publish.site.pages import revisions
from publish.site.pages.base import held
from publish.site.vocabulary import spell_plain

ATOM = "http://www.w3.org/2005/Atom"
NAMED = 6  # statements and indicators that an entry names; it counts the rest


@dataclass(frozen=True)
class FeedEntry:
    """An entry of a feed. `place`: the path of its page below the release's address; `mark`: tells entries of one page apart."""

    release_id: str
    title: str
    text: str
    place: str = ""


def _translation(datasette: Any) -> Callable[..., str]:
    at = 0 if datasette.language == "zh" else 1

    def translated(english: str, **values: Any) -> str:
        return pair(english)[at] % values

    return translated


async def feed(datasette: Any, request: Any) -> Response:
    """Return the releases kept, each with what it changed."""
    facts, translated = datasette.facts, _translation(datasette)
    found = await asyncio.to_thread(store.history, facts.folder.parent)
    entries = []
    for r in found:
        text = [translated("Data as of %(date)s.", date=r["as_of"])]
        if r["previous"]:
            text += await _changes(datasette, facts.folder.parent / r["release_id"])
            text.append(
                translated(
                    "%(n)s indicator values differ from release %(previous)s.", n=r["changed"], previous=r["previous"]
                )
            )
        if r["synthetic"]:
            text.append(translated("Made-up data."))
        entries.append(
            FeedEntry(r["release_id"], translated("Release %(release)s", release=r["release_id"]), " ".join(text))
        )
    return _atom(datasette, request, "feed.xml", translated("Mingzhang: releases"), "releases", entries)


async def _changes(datasette: Any, folder: Path) -> list[str]:
    """Return what a release changed in words: statements with another result, then totals with another value."""
    path = folder / "changes.json"
    changes = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    translated, at = _translation(datasette), "name_zh" if datasette.language == "zh" else "name_en"
    claims = {c["claim_id"]: c[at] or c["name_zh"] for c in await held(datasette, "claims")}
    indicators = {i["indicator_id"]: i[at] or i["name_zh"] for i in await held(datasette, "indicators")}
    results = [
        f"{claims.get(c['claim_id'], c['claim_id'])}: {_status(datasette.language, c['old'])} → {_status(datasette.language, c['new'])}"
        for c in changes.get("claims") or []
    ]
    totals = dict.fromkeys(
        indicators.get(v["indicator_id"], v["indicator_id"])
        for v in changes.get("indicator_values") or []
        if v["dimension"] in ("total", "base")
    )
    out = []
    if results:
        out.append(translated("Statements with another result: %(what)s.", what=_few(datasette.language, results)))
    if totals:
        out.append(translated("Totals that differ: %(what)s.", what=_few(datasette.language, list(totals))))
    return out


def _few(language: Language, names: list[str]) -> str:
    rest = len(names) - NAMED
    comma = "；" if language == "zh" else "; "
    return comma.join(names[:NAMED]) + (f"{comma}+ {rest}" if rest > 0 else "")


def _status(language: Language, code: str | None) -> str:
    return spell_plain(language, "check_status", code) if code else "—"


async def of_one(datasette: Any, request: Any) -> Response:
    """Return the feed of an indicator, a statement or a dataset: an entry for each release in which it changed."""
    place, name = request.url_vars["place"], request.url_vars["name"]
    title, texts = await {"indicators": _indicator, "claims": _claim, "datasets": _dataset}[place](datasette, name)
    entries = [
        FeedEntry(release, f"{title} · {release}", " ".join(parts), f"{place}/{name}")
        for release, parts in texts.items()
    ]
    entries.sort(key=lambda e: e.release_id, reverse=True)
    return _atom(datasette, request, f"feed/{place}/{name}.xml", title, f"{place}/{name}", entries)


def _name(datasette: Any, about: dict[str, Any], zh: str = "name_zh", en: str = "name_en") -> str:
    return str((about[en] if datasette.language == "en" else "") or about[zh])


Texts = dict[str, list[str]]


async def _indicator(datasette: Any, name: str) -> tuple[str, Texts]:
    about = next((i for i in await held(datasette, "indicators") if i["indicator_id"] == name), None)
    if about is None:
        raise NotFound("no such indicator")
    translated, texts = _translation(datasette), Texts()

    def figure(step: dict[str, Any]) -> str:
        if step["revised"] == "withdrawn":
            return spell_plain(datasette.language, "revised", "withdrawn")
        text = units.figure(datasette.language, step["value"], step["status"], about["decimals"], about["unit"])
        return text if step["value"] is None else units.amount(datasette.language, text, about["unit"])

    for year, steps in (await revisions.history(datasette.facts, name)).items():
        texts.setdefault(steps[0]["release_id"], []).append(
            translated("%(year)s: first published, %(value)s.", year=year, value=figure(steps[0]))
        )
        for old, new in itertools.pairwise(steps):
            text = translated("%(year)s: %(old)s, now %(new)s.", year=year, old=figure(old), new=figure(new))
            texts.setdefault(new["release_id"], []).append(text)
    return _name(datasette, about), texts


async def _claim(datasette: Any, name: str) -> tuple[str, Texts]:
    about = next((c for c in await held(datasette, "claims") if c["claim_id"] == name), None)
    if about is None:
        raise NotFound("no such statement")

    def result(step: dict[str, Any]) -> str:
        value = "" if step["computed_value"] is None else f" ({number(step['computed_value'])})"
        return _status(datasette.language, step["check_status"]) + value

    translated, texts = _translation(datasette), Texts()
    steps = await revisions.of_claim(datasette.facts, name)
    for old, new in itertools.pairwise(steps):
        texts[new["release_id"]] = [translated("Result: %(old)s, now %(new)s.", old=result(old), new=result(new))]
    return _name(datasette, about), texts


async def _dataset(datasette: Any, name: str) -> tuple[str, Texts]:
    about = next((d for d in datasette.facts.datasets if d["dataset"] == name), None)
    if about is None:
        raise NotFound("no such dataset")
    translated, texts = _translation(datasette), Texts()
    steps = await revisions.of_dataset(datasette.facts, name)
    for old, new in itertools.pairwise(steps):
        text = translated("Records: %(old)s, now %(new)s.", old=number(old["rows"]), new=number(new["rows"]))
        texts[new["release_id"]] = [text]
    return _name(datasette, about, "title_zh", "title_en"), texts


def _atom(datasette: Any, request: Any, path: str, title: str, page: str, entries: list[FeedEntry]) -> Response:
    """Return a feed. `path`: its own below the address of the site; `page`: that of the page it follows."""
    facts, at = datasette.facts, 0 if datasette.language == "zh" else 1
    site, here = f"{request.scheme}://{request.host}", facts.order.prefix(datasette.language)
    ET.register_namespace("", ATOM)
    root = ET.Element(f"{{{ATOM}}}feed", {"xml:lang": "zh-CN" if at == 0 else "en"})

    def put(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
        element = ET.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
        element.text = text or None
        return element

    put(root, "id", f"{site}{here}/{path}")
    put(root, "title", title)
    put(root, "updated", f"{entries[0].release_id[:10] if entries else facts.as_of}T00:00:00Z")
    put(root, "link", rel="self", type="application/atom+xml", href=f"{site}{here}/{path}")
    put(root, "link", rel="alternate", type="text/html", href=f"{site}{here}/{page}")
    put(put(root, "author"), "name", (facts.publisher_en if at else "") or facts.publisher or pair("Mingzhang")[at])
    if facts.licence:
        put(root, "rights", (facts.licence_en if at else "") or facts.licence)
    for e in entries:
        entry = put(root, "entry")
        put(entry, "id", f"{site}/r/{e.release_id}/{e.place}")
        put(entry, "title", e.title)
        put(entry, "updated", f"{e.release_id[:10]}T00:00:00Z")
        put(entry, "link", rel="alternate", type="text/html", href=f"{site}/r/{e.release_id}{here}/{e.place}")
        put(entry, "summary", e.text)
    response = Response(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    response.content_type = "application/atom+xml; charset=utf-8"
    return response
