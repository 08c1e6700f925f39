"""The site's own pages: each reads the release's public tables and renders a template.

Belongs here: the figures of a page, and its address. Not here: their looks (templates/) and names (vocabulary.py). Every query
is fixed; values of a visitor are only bound to it.
"""

from __future__ import annotations

from typing import Any

from publish.site.pages import (
    ask,
    citing,
    codes,
    data,
    export,
    feeds,
    home,
    indicators,
    periods,
    pictures,
    releases,
    statements,
    texts,
)
from publish.site.pages.base import address

_ID = "[A-Za-z0-9_-]+"

ROUTES: list[tuple[str, Any]] = [
    (r"^/$", home.home),
    (rf"^/topics/(?P<topic>{_ID})$", home.topic),
    (r"^/indicators$", indicators.indicators),
    (rf"^/indicators/(?P<indicator>{_ID})\.(?P<format>csv|xlsx|json|parquet)$", export.export),
    (rf"^/indicators/(?P<indicator>{_ID})$", indicators.indicator),
    (rf"^/indicators/(?P<indicator>{_ID})/(?P<year>\d{{4}})$", indicators.source),
    (rf"^/embed/indicators/(?P<indicator>{_ID})$", pictures.embed),
    (rf"^/charts/(?P<indicator>{_ID})\.(?P<width>wide|narrow)\.svg$", pictures.drawing),
    (
        rf"^/cite/(?P<place>indicators|claims|datasets)/(?P<name>{_ID})(/(?P<year>\d{{4}}))?\.(?P<format>bib|ris)$",
        citing.file,
    ),
    (r"^/periods$", periods.period),
    (r"^/periods/(?P<period>\d{4}-\d{4})$", periods.period),
    (r"^/claims$", statements.claims),
    (rf"^/claims/(?P<claim>{_ID})$", statements.claim),
    (rf"^/claims/(?P<claim>{_ID})/source$", statements.source),
    (r"^/datasets$", data.datasets),
    (rf"^/datasets/(?P<dataset>{_ID})$", data.dataset),
    (r"^/codes\.csv$", codes.file),
    (r"^/quality$", data.quality),
    (r"^/search$", ask.search),
    (r"^/api$", ask.api),
    (r"^/releases$", releases.listed),
    (r"^/releases/diff$", releases.diff),
    (r"^/feed\.xml$", feeds.feed),
    (rf"^/feed/(?P<place>indicators|claims|datasets)/(?P<name>{_ID})\.xml$", feeds.of_one),
    *((rf"^/{name}$", page) for name, page in texts.PAGES.items()),
]

# The first segment of the path of every page.
PLACES = frozenset(
    [
        "topics",
        "indicators",
        "periods",
        "claims",
        "datasets",
        "codes.csv",
        "quality",
        "search",
        "api",
        "releases",
        "feed.xml",
        "feed",
        "embed",
        "charts",
        "cite",
    ]
) | {"", *texts.PAGES}

__all__ = ["PLACES", "ROUTES", "address"]
