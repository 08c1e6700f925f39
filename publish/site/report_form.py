"""The form by which a reader reports an error: the only request that writes anything.

Belongs here: what is accepted of a POST to /report, and its answer. Not here: its fields (report_fields.py), the files (mailbox.py), the page
(templates/report.html), limits of a connection (door.py).

What is bounded: bytes and seconds of the body, reports of one address and of all, reports that wait. Nothing of the sender is
kept: no address, no header. A form on another site is refused by Sec-Fetch-Site and Origin, which browsers send; there is no cookie and
no session that it could misuse. What looks like a person's number is refused, and said, and not kept either.
"""

from __future__ import annotations

import asyncio
import urllib.parse

from datasette.utils.asgi import Request

from publish.site.inner import inner_scope, no_body
from publish.site.instance import Instance
from publish.site.language import Pair, pair
from publish.site.mailbox import Mailbox, MailboxFull
from publish.site.ratelimit import Bucket, Rate
from publish.site.refusals import refuse
from publish.site.report_fields import TOO_MUCH, Written, parse, refusal_of
from publish.site.responses import Answer, Receive, Scope, too_many_requests
from publish.site.routes import client_of, host_of

BODY_BYTES = 48 << 10  # percent-encoded Chinese takes nine bytes a character
BODY_SECONDS = 10.0
EACH = Rate(burst=5, each_second=1 / 300)  # reports of one address: five, then one in five minutes
ALL = Rate(burst=60, each_second=1 / 60)
FORM = b"application/x-www-form-urlencoded"

FULL = pair("No more reports can be taken at the moment; please write to the publisher.")
ELSEWHERE = pair("The form has to be sent from this site's own page.")
NO_FORM = pair("This is not what the form sends; open the page and fill it in there.")


class ReportForm:
    """Takes the reports of one site."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.each, self.all = Bucket(EACH), Bucket(ALL)

    async def take(self, instance: Instance, scope: Scope, path: str, receive: Receive) -> Answer:
        """Answer a POST of the form: 303 to the page that names the report, or a refusal that says why and loses no word."""
        if not _same_origin(scope):
            return await refuse(instance, scope, path, 403, "elsewhere", ELSEWHERE)
        if _header(scope, b"content-type").partition(b";")[0].strip().lower() != FORM:
            return await refuse(instance, scope, path, 415, "no_form", NO_FORM)
        client = client_of(scope)
        if wait := max(self.each.wait(client, 1), self.all.wait("", 1)):
            return too_many_requests(path, wait)
        try:
            body = await asyncio.wait_for(_body(receive), BODY_SECONDS)
            written = parse(body)
        except ValueError as e:  # TimeoutError is none of these
            status = 413 if str(e) == "large" else 400
            return _closing(
                await refuse(instance, scope, path, status, "no_form", TOO_MUCH if status == 413 else NO_FORM)
            )
        except TimeoutError:
            return _closing(await refuse(instance, scope, path, 408, "too_slow", NO_FORM))
        wrong = refusal_of(written)
        if wrong is not None:
            return _page(instance, scope, path, 400, wrong, written)
        for bucket, key in ((self.each, client), (self.all, "")):
            bucket.spend(key, 1)
        try:
            made = await asyncio.to_thread(
                self.mailbox.put, instance.facts.release_id, written.about, written.says, written.right
            )
        except (MailboxFull, OSError):
            return _page(instance, scope, path, 503, FULL, written)
        return Answer(303, [(b"location", f"{path}?sent={made.report_id}".encode())], b"")


def _same_origin(scope: Scope) -> bool:
    """Return whether a request does not come from a page of another site, as its browser says; programs that are no browsers say
    nothing. Our pages have the policy `no-referrer`, under which browsers send `Origin: null` from our own form too (Fetch, "append a
    request Origin header"): there Sec-Fetch-Site decides, which they send over TLS and on this machine."""
    site = _header(scope, b"sec-fetch-site")
    if site:
        return site in (b"same-origin", b"none")
    origin = _header(scope, b"origin").decode("latin-1")
    here = urllib.parse.urlsplit(f"//{host_of(scope)}").hostname  # without the port, which nginx does not pass on
    return origin in ("", "null") or urllib.parse.urlsplit(origin).hostname == here


def _header(scope: Scope, name: bytes) -> bytes:
    return next((bytes(v) for k, v in scope["headers"] if k == name), b"")


async def _body(receive: Receive) -> bytes:
    """Return the body. Raises ValueError where it is longer than BODY_BYTES."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ValueError("gone")
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > BODY_BYTES:
            raise ValueError("large")
        if not message.get("more_body"):
            return b"".join(parts)


def _closing(answer: Answer) -> Answer:
    """Have the connection end: the rest of the body is not read."""
    return Answer(answer.status, [*answer.headers, (b"connection", b"close")], answer.body)


def _page(instance: Instance, scope: Scope, path: str, status: int, why: Pair, written: Written) -> Answer:
    """Return the page of the form with what was written, and why it was not taken."""
    ds = instance.of_path(path)
    request = Request(inner_scope(scope["scheme"], host_of(scope), path, ""), no_body)
    said = why[0 if ds.language == "zh" else 1]
    context = {"takes_reports": True, "written": written, "refused": said, "sent": "", "nav": "/about"}
    body = ds.renderer.render("report.html", context, request).encode()
    return Answer(status, [(b"content-type", b"text/html; charset=utf-8")], body)
