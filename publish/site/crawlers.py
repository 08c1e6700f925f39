"""robots.txt and sitemap.xml: pages are indexed, queries and past releases are not crawled."""

from __future__ import annotations

import urllib.parse

from publish.site import pages
from publish.site.facts import DB
from publish.site.instance import Instance
from publish.site.responses import Answer

SITEMAP_URLS = 50_000  # the limit of sitemaps.org

ROBOTS = "/robots.txt"
SITEMAP = "/sitemap.xml"


async def for_crawlers(instance: Instance, route: str, origin: str) -> Answer:
    """Return one of the two files; `origin` is scheme and host."""
    root = origin + instance.base_url
    if route == ROBOTS:
        text = (
            f"User-agent: *\nDisallow: /{DB}?\nDisallow: /{DB}.\nDisallow: /r/\nDisallow: /*?*sql=\n"
            f"\nSitemap: {root}sitemap.xml\n"
        )
        return Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], text.encode())
    fixed = [p.strip("^$").strip("/") for p, _ in pages.ROUTES if "(" not in p and "." not in p]
    paths = [*fixed, *(f"datasets/{d['dataset']}" for d in instance.facts.datasets)]
    for table, key in (("indicators", "indicator_id"), ("claims", "claim_id")):
        rows = (await instance.db.execute(f"select {key} from {table} order by 1")).rows
        paths += [f"{table}/{urllib.parse.quote(r[0])}" for r in rows]
    urls = "".join(
        f"<url><loc>{root}{p}</loc><lastmod>{instance.facts.as_of}</lastmod></url>\n" for p in paths[:SITEMAP_URLS]
    )
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n'
    return Answer(200, [(b"content-type", b"application/xml; charset=utf-8")], xml.encode())
