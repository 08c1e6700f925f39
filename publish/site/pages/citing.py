"""Citations of a figure, an indicator, a statement or a dataset: as text, BibTeX and RIS, in the language of the page.

Belongs here: what is cited, by which address, and these formats. A page is the same for everybody and for long, so the date of access is
written by the reader's browser (static/site.js), or by the server into the files, which are not cached.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.language import pair
from publish.site.pages.base import address, held, rows

PLACES = {"indicators": ("indicators", "indicator_id"), "claims": ("claims", "claim_id")}
FORMATS = {"bib": "application/x-bibtex; charset=utf-8", "ris": "application/x-research-info-systems; charset=utf-8"}


@dataclass(frozen=True)
class Cited:
    """What a citation names. `place`: the path of its page below the release's address; `permalink`: its permanent address."""

    title: str
    author: str
    place: str
    permalink: str
    release_id: str
    as_of: str
    made_up: str


def cite(datasette: Any, request: Any, zh: str, en: str, place: str, query: str = "") -> Cited:
    """Return the citation of the page at `place` (such as claims/co2), with the choice in `query`."""
    facts, english = datasette.facts, datasette.language == "en"
    author = (facts.publisher_en if english else "") or facts.publisher or pair("Mingzhang")[int(english)]
    return Cited(
        title=(en if english else zh) or zh or en,
        author=author,
        place=place,
        permalink=f"{address(request, facts.release_id)}{facts.order.prefix(datasette.language)}/{place}{query}",
        release_id=facts.release_id,
        as_of=facts.as_of,
        made_up=pair("Made-up data")[int(english)] if facts.synthetic else "",
    )


async def named(datasette: Any, place: str, name: str, year: str | None) -> tuple[str, str]:
    """Return the Chinese and English title of what is cited. Raises NotFound."""
    if place == "datasets":
        found = [(d["title_zh"], d["title_en"]) for d in datasette.facts.datasets if d["dataset"] == name]
    else:
        table, key = PLACES[place]
        found = [(r["name_zh"], r["name_en"] or "") for r in await held(datasette, table) if r[key] == name]
    if not found:
        raise NotFound("nothing to cite")
    zh, en = found[0]
    if year is None:
        return zh, en
    if place != "indicators" or not await rows(
        datasette,
        "select 1 from indicator_values where indicator_id = :id and year = :year limit 1",
        id=name,
        year=int(year),
    ):
        raise NotFound("no such year")
    return f"{zh}（{year} 年）", f"{en or zh} ({year})"


async def file(datasette: Any, request: Any) -> Response:
    """Return a citation as BibTeX or RIS, with today as the date of access."""
    of = request.url_vars
    titles = await named(datasette, of["place"], of["name"], of.get("year"))
    place = "/".join(p for p in (of["place"], of["name"], of.get("year")) if p)
    cited = cite(datasette, request, *titles, place)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    body = bibtex(cited, today) if of["format"] == "bib" else ris(cited, today)
    name = f"{of['name']}-{cited.release_id}.{of['format']}"
    response = Response(body, headers={"content-disposition": f'attachment; filename="{name}"'})
    response.content_type = FORMATS[of["format"]]
    return response


def bibtex(cited: Cited, today: str) -> str:
    """Return an entry for BibTeX and BibLaTeX; braces keep names whole."""
    key = re.sub(r"\W+", "-", f"mingzhang-{cited.place}-{cited.release_id}")
    note = ", ".join(p for p in (f"release {cited.release_id}", f"data as of {cited.as_of}", cited.made_up) if p)
    fields = {
        "author": "{" + _tex(cited.author) + "}",
        "title": "{" + _tex(cited.title) + "}",
        "year": cited.as_of[:4],
        "howpublished": "Mingzhang",
        "version": cited.release_id,
        "note": _tex(note),
        "url": cited.permalink,
        "urldate": today,
    }
    return f"@misc{{{key},\n" + "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items()) + "}\n"


def ris(cited: Cited, today: str) -> str:
    """Return a record for RIS: a line for each tag, with CR LF."""
    lines = [
        ("TY", "DATA"), ("AU", cited.author), ("TI", cited.title), ("PY", cited.as_of[:4]), ("DA", cited.as_of.replace("-", "/")),
        ("ET", cited.release_id), ("PB", cited.author), ("N1", cited.made_up), ("UR", cited.permalink),
        ("Y2", today.replace("-", "/")), ("ER", ""),
    ]  # fmt: skip
    return "".join(f"{tag}  - {' '.join(text.split())}\r\n" for tag, text in lines if text or tag == "ER")


def _tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return re.sub(r"[\\~^&%$#_{}]", lambda m: special.get(m[0], "\\" + m[0]), " ".join(text.split()))
