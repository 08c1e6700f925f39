"""The site's own pages: each reads the release's public tables and fills a template.

Belongs here: which figures a page shows, and at which address. Not here: what they look like (templates/) or are called
(vocabulary.py). Every query is fixed here; what a visitor sends is only ever bound to it.
"""

from __future__ import annotations

from typing import Any

from publish.site.pages import ask, data, export, home, indicators, releases, statements, texts
from publish.site.pages.base import address

_ID = "[A-Za-z0-9_-]+"

ROUTES: list[tuple[str, Any]] = [
    (r"^/$", home.home),
    (rf"^/topics/(?P<topic>{_ID})$", home.topic),
    (r"^/indicators$", indicators.indicators),
    (rf"^/indicators/(?P<indicator>{_ID})\.(?P<format>csv|xlsx|json|parquet)$", export.export),
    (rf"^/indicators/(?P<indicator>{_ID})$", indicators.indicator),
    (rf"^/indicators/(?P<indicator>{_ID})/(?P<year>\d{{4}})$", indicators.source),
    (r"^/claims$", statements.claims),
    (rf"^/claims/(?P<claim>{_ID})$", statements.claim),
    (rf"^/claims/(?P<claim>{_ID})/source$", statements.source),
    (r"^/datasets$", data.datasets),
    (rf"^/datasets/(?P<dataset>{_ID})$", data.dataset),
    (r"^/quality$", data.quality),
    (r"^/search$", ask.search),
    (r"^/api$", ask.api),
    (r"^/releases$", releases.listed),
    (r"^/releases/diff$", releases.diff),
    (r"^/feed\.xml$", releases.feed),
    *((rf"^/{name}$", page) for name, page in texts.PAGES.items()),
]

# The first part of the address of every page of ours.
PLACES = frozenset(
    ("", "topics", "indicators", "claims", "datasets", "quality", "search", "api", "releases", "feed.xml", *texts.PAGES)
)

__all__ = ["PLACES", "ROUTES", "address"]
