"""Files of a release over HTTP: whole, in ranges, compressed as the release holds them.

Belongs here: RFC 9110's range requests (section 14) and content coding (8.4) of files on disk. Not here: answers made in memory
(responses.py), or compressing (publish/release/compress.py).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from publish.catalog import croissant, dcat
from publish.files import CATALOGUE, CODINGS, CROISSANT, DESCRIBED, media_type
from publish.site.facts import Facts
from publish.site.responses import CSP, HSTS, PIECE, SECURITY, Headers, Scope, Send, has_etag, offered, release_headers

RANGE = re.compile(rb"bytes=(\d*)-(\d*)")
ADDRESSED = {
    CATALOGUE: dcat.with_base,
    CROISSANT: croissant.with_base,
}  # whose readers must be told where their files are
DOWNLOADED = (".csv", ".xlsx", ".parquet", ".db")  # a browser saves them under their name


async def send_file(
    send: Send, scope: Scope, facts: Facts, name: str, base_url: str, cache_control: str, origin: str
) -> None:
    """Send a file of the release; `name` is a key of facts.files, `origin` scheme and host of the request.

    One range of bytes is answered with 206, or 416 where the file ends before it; several are answered with the whole file, as
    RFC 9110 allows. Without a range the coded file of the release is sent to a client that accepts its coding.
    """
    given = dict(scope["headers"])
    text = _addressed(facts, name, origin)
    etag = f'"{(hashlib.sha256(text).hexdigest() if text is not None else facts.files[name])[:20]}"'.encode()
    path, size = facts.folder / name, len(text) if text is not None else (facts.folder / name).stat().st_size
    headers = _headers(facts, name, base_url, cache_control, scope["scheme"] == "https")
    asked = (
        scope["method"] == "GET" and given.get(b"if-range", etag) == etag and RANGE.fullmatch(given.get(b"range", b""))
    )
    coded = None if asked or text is not None else _coded(facts, name, given.get(b"accept-encoding", b""))
    if coded:
        coding, path = coded
        size, etag = path.stat().st_size, etag[:-1] + b"-" + coding.encode() + b'"'
        headers.append((b"content-encoding", coding.encode()))
    headers.append((b"etag", etag))
    if has_etag(scope, etag):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    status, first, last = 200, 0, size - 1
    if asked:
        span = _span(asked[1], asked[2], size)
        if span is None:
            headers += [(b"content-range", f"bytes */{size}".encode()), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 416, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        status, (first, last) = 206, span
        headers.append((b"content-range", f"bytes {first}-{last}/{size}".encode()))
    headers.append((b"content-length", str(last - first + 1).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] != "HEAD":
        pieces = iter([text[first : last + 1]]) if text is not None else _pieces(path, first, last)
        while piece := await asyncio.to_thread(next, pieces, b""):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _headers(facts: Facts, name: str, base_url: str, cache_control: str, secure: bool) -> Headers:
    headers: Headers = [
        (b"content-type", content_type(name).encode()),
        (b"content-security-policy", CSP.encode()),
        (b"accept-ranges", b"bytes"),
        (b"vary", b"Accept-Encoding"),
        (b"cache-control", cache_control.encode()),
        *release_headers(facts),
        *SECURITY,
    ]
    if secure:
        headers.append(HSTS)
    if name.endswith(DOWNLOADED):
        shown = urllib.parse.quote(Path(name).name)
        headers.append((b"content-disposition", f"attachment; filename*=UTF-8''{shown}".encode()))
    described = name.removesuffix(".csv") + DESCRIBED
    if name.endswith(".csv") and described in facts.files:
        link = f'<{base_url}files/{described}>; rel="describedby"; type="application/csvm+json"'
        headers.append((b"link", link.encode()))
    return headers


def content_type(name: str) -> str:
    """Return the media type of a file, that of the catalogue."""
    kind = media_type(name)
    return kind + ("; charset=utf-8" if kind.startswith("text/") or kind == "application/yaml" else "")


def _addressed(facts: Facts, name: str, origin: str) -> bytes | None:
    """Return a file of ADDRESSED with the permanent address of the release's files; None for any other file."""
    if name not in ADDRESSED:
        return None
    text = (facts.folder / name).read_text(encoding="utf-8")
    return ADDRESSED[name](text, f"{origin}/r/{facts.release_id}/files/").encode()


def _coded(facts: Facts, name: str, accepted: bytes) -> tuple[str, Path] | None:
    """Return the coding and path of the smallest coded file that the client accepts."""
    of = offered(accepted)
    for coding, suffix in CODINGS.items():
        if of.get(coding, 0.0) > 0 and name + suffix in facts.files:
            return coding, facts.folder / (name + suffix)
    return None


def _span(first: bytes, last: bytes, size: int) -> tuple[int, int] | None:
    """Return the first and last byte of a range within a file of this size; None where it has none of it."""
    if first:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    elif last:
        begin, end = max(0, size - int(last)), size - 1
    else:
        return None
    return (begin, end) if begin <= end < size else None


def _pieces(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as f:
        f.seek(first)
        left = last - first + 1
        while left > 0 and (piece := f.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
