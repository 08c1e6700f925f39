"""Files for programs at fixed addresses: robots.txt, sitemap.xml and security.txt.

Pages are indexed, queries and past releases are not crawled; security.txt (RFC 9116) says whom to tell of a weakness.
"""

from __future__ import annotations

import urllib.parse
from datetime import UTC, datetime, timedelta

from publish.site import pages
from publish.site.facts import DB
from publish.site.instance import Instance
from publish.site.language import CODES, Order
from publish.site.pages.topics import TOPICS
from publish.site.responses import Answer

SITEMAP_URLS = 50_000  # the limit of sitemaps.org

ROBOTS = "/robots.txt"
SITEMAP = "/sitemap.xml"
SECURITY = "/.well-known/security.txt"
SECURITY_DAYS = 30  # an answer counts for; RFC 9116 asks for less than a year


def security(instance: Instance, origin: str) -> Answer | None:
    """Return security.txt: the address that the city's folder gives, and the form for errors where the site is reached over TLS, as
    the RFC asks for; None where there is neither. `origin` is scheme and host."""
    root, email = origin + instance.base_url, instance.facts.doors.get("email")
    safe = root.startswith("https://")
    contacts = [*([f"mailto:{email}"] if email else []), *([f"{root}report"] if safe else [])]
    if not contacts:
        return None
    end = (datetime.now(UTC) + timedelta(days=SECURITY_DAYS)).replace(microsecond=0, tzinfo=None)
    lines = [*(f"Contact: {c}" for c in contacts), f"Expires: {end.isoformat()}Z"]
    lines += [f"Preferred-Languages: {', '.join(instance.facts.order.both)}"]
    lines += [f"Canonical: {root.removesuffix('/')}{SECURITY}"] if safe else []
    return Answer(
        200, [(b"content-type", b"text/plain; charset=utf-8")], "".join(f"{line}\n" for line in lines).encode()
    )


async def for_crawlers(instance: Instance, route: str, origin: str) -> Answer:
    """Return one of the two files; `origin` is scheme and host."""
    root = origin + instance.base_url
    if route == ROBOTS:
        # The structured data of the current pages names this release; parsers take the first rule that fits, or the longest.
        now = f"/r/{instance.facts.release_id}/"
        text = (
            f"User-agent: *\nDisallow: /{DB}?\nDisallow: /{DB}.\nDisallow: {now}{DB}?\nDisallow: {now}{DB}.\n"
            f"Allow: {now}\nDisallow: /r/\nDisallow: /*?*sql=\n\nSitemap: {root}sitemap.xml\n"
        )
        return Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], text.encode())
    fixed = [p.strip("^$").strip("/") for p, _ in pages.ROUTES if "(" not in p and "." not in p]
    paths = [*fixed, *(f"datasets/{d['dataset']}" for d in instance.facts.datasets)]
    for table, key in (("indicators", "indicator_id"), ("claims", "claim_id")):
        rows = (await instance.db.execute(f"select {key} from {table} order by 1")).rows
        paths += [f"{table}/{urllib.parse.quote(r[0])}" for r in rows]
    paths += [f"topics/{t}" for t in TOPICS]
    if instance.facts.tables.get("periods"):
        found = (await instance.db.execute("select period_id from periods order by 1")).rows
        paths += [f"periods/{r[0]}" for r in found]
    else:
        paths.remove("periods")
    order = instance.facts.order
    urls = "".join(_url(root, p, instance.facts.as_of, order) for p in paths[: SITEMAP_URLS // len(order.both)])
    spaces = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {spaces}>\n{urls}</urlset>\n'
    return Answer(200, [(b"content-type", b"application/xml; charset=utf-8")], xml.encode())


def _url(root: str, path: str, as_of: str, order: Order) -> str:
    """Return the entries of a page: one in each language, each naming both."""
    there = {s: f"{root.removesuffix('/')}{order.prefix(s)}/{path}" for s in order.both}
    both = "".join(f'<xhtml:link rel="alternate" hreflang="{CODES[s]}" href="{a}"/>' for s, a in there.items())
    return "".join(f"<url><loc>{a}</loc><lastmod>{as_of}</lastmod>{both}</url>\n" for a in there.values())
