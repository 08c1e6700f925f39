"""The files that a web server lists, page by page, with what it says of each.

Belongs here: reading a listing such as those of nginx, Apache and Python's http.server. Not here: WebDAV, which has listings of its own
(webdav4), or what is new (receive.py).
"""

from __future__ import annotations

import urllib.parse
from datetime import UTC
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import httpx

DEEPEST = 20  # folders in folders: a link of the server's may lead back up


class HttpListing:
    """What fsspec's HTTP driver leaves open: it takes the links of any page for files, unescapes none, and follows a redirection to a
    page that asks for a password. Paths are those of the server, unescaped.

    Raises FileNotFoundError where there is no such page, OSError or httpx.HTTPError where the server does not give it.
    """

    def __init__(self, server: str, root: str, auth: tuple[str, str] | None, seconds: float):
        self._server, self._root = server, root
        self._client = httpx.Client(auth=auth, timeout=seconds, headers={"User-Agent": "mingzhang"})

    def info(self, path: str) -> dict[str, Any]:
        """The attributes of a file; the root is a folder."""
        if path == self._root:
            return {"name": path, "type": "directory"}
        answer = self._ask("HEAD", path)
        if answer.status_code in (405, 501):  # a server that has no HEAD
            with self._client.stream("GET", self._url(path)) as found:
                answer = found
        self._check(answer, path)
        when = answer.headers.get("Last-Modified")
        return {
            "name": path,
            "type": "file",
            "size": int(answer.headers.get("Content-Length") or 0),
            "ETag": answer.headers.get("ETag"),
            "mtime": parsedate_to_datetime(when).astimezone(UTC) if when else None,
        }

    def ls(self, path: str, detail: bool = True) -> list[dict[str, Any]]:
        """What the page of a folder links to that lies right below it."""
        folder = path.rstrip("/") + "/"
        if folder.count("/") - self._root.count("/") > DEEPEST:
            raise OSError(f"folders lie in folders more than {DEEPEST} deep at {folder}")
        answer = self._ask("GET", folder)
        self._check(answer, folder)
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            raise OSError(f"the server gives no listing at {folder}")
        found = []
        for name in _links(answer.text, self._url(folder), folder):
            found.append({"name": name, "type": "directory"} if name.endswith("/") else self.info(name))
        return found

    def cat_file(self, path: str) -> bytes:
        """The bytes of a file."""
        answer = self._ask("GET", path)
        self._check(answer, path)
        return answer.content

    def invalidate_cache(self) -> None:
        """Nothing is kept."""

    def _url(self, path: str) -> str:
        return self._server + urllib.parse.quote(path)

    def _ask(self, method: str, path: str) -> httpx.Response:
        return self._client.request(method, self._url(path))

    def _check(self, answer: httpx.Response, path: str) -> None:
        if answer.status_code in (404, 410):
            raise FileNotFoundError(path)
        if answer.is_redirect:
            raise OSError(f"the server sends {path} on to {answer.headers.get('Location')}; name that address")
        answer.raise_for_status()


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [v for k, v in attrs if k == "href" and v]


def _links(page: str, url: str, folder: str) -> list[str]:
    """The paths right below `folder` that a page at `url` links to, each once, in order; not what sorts it or leads elsewhere."""
    anchors = _Anchors()
    anchors.feed(page)
    here = urllib.parse.urlsplit(url)
    found: dict[str, None] = {}
    for href in anchors.found:
        link = urllib.parse.urlsplit(urllib.parse.urljoin(url, href))
        path = urllib.parse.unquote(link.path)
        below = path.removeprefix(folder).rstrip("/")
        if link.netloc == here.netloc and not link.query and path.startswith(folder) and below and "/" not in below:
            found[path] = None
    return list(found)
