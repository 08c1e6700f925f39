"""Answers: what each one carries, how it is sent, how it is kept.

Belongs here: headers, ETags, the answers kept in memory, files, CSV for Excel, what is said where rows were cut. Not here:
which release or process makes an answer (app.py).
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import mimetypes
import re
import urllib.parse
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipelines.core.formulas import may_hold_formula, neutral
from publish.site import words
from publish.site.facts import DB, Facts

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CACHE_BYTES = 32 << 20
CACHED_ANSWER_BYTES = 1 << 20
PIECE = 1 << 16  # so much is given to a connection at a time; it waits for the reader before the next
UNCOUNTED = 1 << 16  # a body no longer than this is not counted while it is being sent
SENDING_EACH = (
    16 << 20
)  # of bodies on their way to the readers of one address; a body that several are sent counts once
SENDING = 96 << 20  # the same of all addresses

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CSP_DRAWING = "default-src 'none'; style-src 'unsafe-inline'"  # an SVG's own attributes; it loads and runs nothing
HSTS = (b"strict-transport-security", b"max-age=31536000")
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"ETag, Link, Retry-After, X-Release, X-Current-Release, X-Synthetic, X-Truncated",
    ),
]
DROPPED = frozenset(
    (b"set-cookie", b"vary", b"content-length", b"transfer-encoding", b"cache-control", b"referrer-policy")
)
DESCRIBED = ".csv-metadata.json"  # beside a CSV file; publish/catalog/csvw.py writes it


@dataclass(frozen=True)
class Answer:
    """A whole answer; pages, tables and queries are bounded, so they fit."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        return next((v for k, v in self.headers if k.lower() == name), b"")


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer with everything that each one carries, to be sent as it is."""

    status: int
    headers: Headers
    body: bytes
    etag: bytes = b""


# Generation (0 for a past release), scheme, host, path, query: what an answer depends on.
Key = tuple[int, str, str, bytes, bytes]


class Kept:
    """Answers that were given before: a release never changes, so neither do they. Bounded by bytes, oldest out first."""

    def __init__(self, most: int = CACHE_BYTES):
        self.most = most
        self._answers: OrderedDict[Key, Ready] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Ready | None:
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def put(self, key: Key, answer: Ready) -> None:
        weight = _weight(key, answer)
        if answer.status != 200 or weight > CACHED_ANSWER_BYTES or key in self._answers:
            return
        self._answers[key] = answer
        self._bytes += weight
        while self._bytes > self.most:
            self._bytes -= _weight(*self._answers.popitem(last=False))


def _weight(key: Key, answer: Ready) -> int:
    """Of an answer kept, in bytes. The address counts too: it may be longer than what it asks for."""
    return (
        sum(len(part) for part in key[1:]) + len(answer.body) + sum(len(k) + len(v) for k, v in answer.headers) + 2_000
    )


class Full(Exception):
    """Too much is on its way to readers who take their time."""


class Sending:
    """Bodies on their way: whoever asks for much and reads slowly may hold so much of this process's memory and no more."""

    def __init__(self, each: int = SENDING_EACH, most: int = SENDING):
        self.each, self.most = each, most
        self._to: dict[str, dict[int, int]] = {}  # address -> body -> how many readers
        self._readers: dict[int, int] = {}  # body -> how many readers
        self._bytes: dict[str, int] = {}
        self._all = 0

    @contextmanager
    def to(self, address: str, body: bytes) -> Iterator[None]:
        """Counts a body while it is being sent. Raises Full where there is no room for it."""
        if len(body) <= UNCOUNTED:
            yield
            return
        which = id(body)
        first, first_of_all = which not in self._to.get(address, {}), which not in self._readers
        if first and self._bytes.get(address, 0) + len(body) > self.each:
            raise Full
        if first_of_all and self._all + len(body) > self.most:
            raise Full
        own = self._to.setdefault(address, {})
        own[which] = own.get(which, 0) + 1
        self._readers[which] = self._readers.get(which, 0) + 1
        self._bytes[address] = self._bytes.get(address, 0) + len(body) * first
        self._all += len(body) * first_of_all
        try:
            yield
        finally:
            if _one_less(own, which):
                self._bytes[address] -= len(body)
            if _one_less(self._readers, which):
                self._all -= len(body)
            if not own:
                del self._to[address], self._bytes[address]


def _one_less(count: dict[int, int], which: int) -> bool:
    """Takes one away; whether that was the last."""
    count[which] -= 1
    if count[which]:
        return False
    del count[which]
    return True


def of_release(facts: Facts) -> Headers:
    """What says, beside any answer, which release it is of: no shape of the data need be changed for it."""
    made_up: Headers = [(b"x-synthetic", b"true")] if facts.synthetic else []
    return [(b"x-release", facts.release_id.encode()), *made_up]


def as_json(value: Any, status: int = 200, headers: Headers | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return Answer(status, [(b"content-type", b"application/json; charset=utf-8"), *(headers or [])], body)


def ready(answer: Answer, keep: str, secure: bool) -> Ready:
    """The answer with what each one carries. `keep` is its Cache-Control; `secure`: it goes out over TLS."""
    headers = [(k.lower(), v) for k, v in answer.headers if k.lower() not in DROPPED]
    etag = b'"' + hashlib.sha256(answer.body).hexdigest()[:20].encode() + b'"' if answer.status == 200 else b""
    if not answer.header(b"content-security-policy"):
        headers.append((b"content-security-policy", CSP.encode()))
    headers += [*SECURITY, (b"cache-control", keep.encode())]
    if secure:
        headers.append(HSTS)
    if etag:
        headers.append((b"etag", etag))
    if answer.status not in (204, 304):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return Ready(answer.status, headers, answer.body, etag)


async def send_ready(send: Send, scope: Scope, answer: Ready) -> None:
    """Sends an answer; 304 where the reader has it already, and no body where only the headers were asked for."""
    if answer.etag and _has(scope, answer.etag):
        headers = [h for h in answer.headers if h[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    last = max(0, (len(body) - 1) // PIECE)
    for n in range(last):
        await send({"type": "http.response.body", "body": body[n * PIECE : (n + 1) * PIECE], "more_body": True})
    await send({"type": "http.response.body", "body": body[last * PIECE :] if last else body})


def _has(scope: Scope, etag: bytes) -> bool:
    return any(k == b"if-none-match" and etag in v for k, v in scope["headers"])


async def send_file(send: Send, scope: Scope, facts: Facts, name: str, base_url: str, keep: str) -> None:
    """Sends a file of the release, piece by piece; its name stands in SHA256SUMS, so it is one of ours."""
    path = facts.folder / name
    etag = f'"{facts.files[name][:20]}"'.encode()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    special = {
        ".jsonld": "application/ld+json",
        ".parquet": "application/vnd.apache.parquet",
        ".yaml": "application/yaml",
    }
    kind = special.get(path.suffix, kind)
    if path.name.endswith(DESCRIBED):
        kind = "application/csvm+json"
    kind += "; charset=utf-8" if kind.startswith("text/") or path.suffix == ".yaml" else ""
    headers: Headers = [
        (b"content-type", kind.encode()),
        (b"content-security-policy", CSP.encode()),
        (b"etag", etag),
        (b"cache-control", keep.encode()),
        *of_release(facts),
        *SECURITY,
    ]
    if scope["scheme"] == "https":
        headers.append(HSTS)
    if path.suffix in (".csv", ".xlsx", ".parquet", ".db"):
        shown = urllib.parse.quote(path.name)
        headers.append((b"content-disposition", f"attachment; filename*=UTF-8''{shown}".encode()))
    described = name.removesuffix(".csv") + DESCRIBED
    if path.suffix == ".csv" and described in facts.files:
        link = f'<{base_url}files/{described}>; rel="describedby"; type="application/csvm+json"'
        headers.append((b"link", link.encode()))
    if _has(scope, etag):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    with path.open("rb") as f:
        headers.append((b"content-length", str(path.stat().st_size).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while scope["method"] != "HEAD" and (piece := await asyncio.to_thread(f.read, PIECE)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def dressed(answer: Answer, facts: Facts, base_url: str, route: str, cut: bool) -> Answer:
    """An answer of Datasette's as this site gives it; `route` is its path below the base_url, in Chinese. Called where the
    answer was made: of a large one it takes as long as the query did."""
    if answer.status >= 400 and route.endswith((".json", ".csv", ".xlsx")):
        return explained(answer, facts, f"{base_url}openapi.json")
    if answer.status == 200 and route.endswith(".csv"):
        answer = for_excel(answer)
    if is_data(route) and not route.endswith(".json"):  # a page says in its head and body where it goes on
        answer = Answer(answer.status, [h for h in answer.headers if h[0].lower() != b"link"], answer.body)
    if cut and answer.status == 200 and is_data(route) and route.endswith((".json", ".csv", ".xlsx")):
        answer = say_cut(answer, facts, base_url, route)
    return answer


def is_data(route: str) -> bool:
    """Whether it is an address of the database: its page, a table, a row, in any format."""
    return bool(re.fullmatch(rf"/{DB}(/.*)?|/{DB}\.(json|csv|xlsx|blob)", route))


def say_cut(answer: Answer, facts: Facts, base_url: str, route: str) -> Answer:
    """Says that rows were cut away: in the headers of any shape, in a JSON object's own keys, and in the name of a CSV file,
    where whoever opens it in Excel will see it."""
    table = table_of(route, facts.tables)
    whole = {
        f: f"{base_url}files/{f}/{table}.{f}" for f in ("csv", "xlsx", "parquet") if f"{f}/{table}.{f}" in facts.files
    }
    headers = [*answer.headers, (b"x-truncated", b"true")]
    if whole:
        link = f'<{whole["csv"]}>; rel="alternate"; title="whole table"' if "csv" in whole else ""
        before = answer.header(b"link")
        headers = [(k, v) for k, v in headers if k.lower() != b"link"]
        headers.append((b"link", b", ".join(x for x in (before, link.encode()) if x)))
    if route.endswith((".csv", ".xlsx")):
        headers = [(k, v) for k, v in headers if k.lower() != b"content-disposition"]
        name = f"{table or 'query'}-first-rows-only.{route.rpartition('.')[2]}"
        headers.append((b"content-disposition", f'attachment; filename="{name}"'.encode()))
        return Answer(answer.status, headers, answer.body)
    if b"json" not in answer.header(b"content-type") or not answer.body.startswith(
        b"{"
    ):  # a list, or a row in each line
        return Answer(answer.status, headers, answer.body)
    said = json.loads(answer.body)
    if table:
        zh, en = "这里只是其中一页：下一页见 next_url", "This is one page: the next is at 'next_url'"
        if whole:
            zh, en = f"{zh}，整表见 whole_table。", f"{en}, the whole table at 'whole_table'."
    else:
        zh = "结果多于 1,000 行，后面的没有返回：请在语句中用 LIMIT 和 OFFSET 分页，或下载整表文件。"
        en = "There were more than 1,000 rows and the rest was cut: page with LIMIT and OFFSET, or download the table's file."
    said |= {"truncated": True, "advice_zh": zh, "advice_en": en, "whole_table": whole}
    return as_json(said, answer.status, [h for h in headers if h[0].lower() != b"content-type"])


def table_of(route: str, tables: Container[str]) -> str | None:
    """The table of whose rows an address gives some, as a page or in a format; None where it is another address."""
    found = re.fullmatch(rf"/{DB}/([^/]+?)(\.(json|csv|xlsx))?", route)
    return found[1] if found and found[1] in tables else None


def explained(answer: Answer, facts: Facts, help_at: str) -> Answer:
    """An error of SQL in JSON in the shape that every error has: a code, a sentence in each language, the detail."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(said, dict):
        return answer
    if "code" not in said:
        said = words.sql_error(str(said.get("error") or ""), facts) | {"status": answer.status}
    return as_json(said | {"help": help_at}, answer.status)


def for_excel(answer: Answer) -> Answer:
    """A CSV as Excel reads it: a byte order mark first, and no cell that would run as a formula when it is opened.

    Negative figures stay figures.
    """
    text = answer.body.decode("utf-8-sig")  # a page of ours may have given it its mark already
    if may_hold_formula(text):
        out = io.StringIO()
        writer = csv.writer(out)
        for row in csv.reader(io.StringIO(text, newline="")):
            writer.writerow([c if _is_number(c) else neutral(c) for c in row])
        text = out.getvalue()
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-type"]
    headers.append((b"content-type", b"text/csv; charset=utf-8"))
    return Answer(answer.status, headers, b"\xef\xbb\xbf" + text.encode("utf-8"))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
