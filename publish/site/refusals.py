"""Refused requests: errors as pages or JSON, and the checks of an address that come before Datasette.

Belongs here: answers with a status of 400 and above that a release is needed for. Not here: their sentences (messages.py), 429
(responses.py), errors of the API (api/http.py).
"""

from __future__ import annotations

from datasette.utils.asgi import Request

from publish.site import messages, validation
from publish.site.inner import inner_scope, no_body
from publish.site.instance import Instance
from publish.site.language import Pair
from publish.site.responses import Answer, Scope
from publish.site.routes import host_of, is_data, missing_target
from publish.site.tabular import explain_error

ADDRESS_CHARACTERS = 16_000


async def invalid(instance: Instance, scope: Scope, path: str, route: str, query: str) -> Answer | None:
    """Return the refusal of an address without a target or with an argument that cannot be used; None where it is valid."""
    if (missing := missing_target(instance.facts.tables, route, query)) is not None:
        return await refuse(instance, scope, path, *missing)
    if is_data(route) and (sentences := await validation.refusal(instance.ds, route, query)) is not None:
        return await refuse(instance, scope, path, 400, "bad_argument", sentences)
    return None


async def busy(instance: Instance, scope: Scope, path: str) -> Answer:
    """Return a 503 with Retry-After."""
    refused = await refuse(instance, scope, path, 503, "busy", messages.BUSY)
    return Answer(503, [*refused.headers, (b"retry-after", b"2")], refused.body)


async def refuse(instance: Instance, scope: Scope, path: str, status: int, code: str, sentences: Pair) -> Answer:
    """Return an error as a page, or as JSON where the path asks for data."""
    query = scope["query_string"].decode("latin-1")[:ADDRESS_CHARACTERS]
    inner = inner_scope(scope["scheme"], host_of(scope), path if path.isascii() else "/", query)
    response = await instance.error(Request(inner, no_body), status, code, *sentences)
    body = response.body if isinstance(response.body, bytes) else str(response.body).encode()
    answer = Answer(status, [(b"content-type", response.content_type.encode())], body)
    if "json" in response.content_type:
        return explain_error(answer, instance.facts, f"{instance.base_url}openapi.json")
    return answer
