"""The API over HTTP: statuses, headers and errors of its answers.

Belongs here: /api/v1/…, /openapi.json, /-/versions.json as responses. Not here: their contents (request.py, openapi.py).
"""

from __future__ import annotations

import sqlite3

import datasette
from datasette.database import QueryInterrupted

from publish.site import messages
from publish.site.api.model import VERSION, Refused
from publish.site.api.openapi import openapi
from publish.site.api.request import answer
from publish.site.instance import Instance
from publish.site.responses import Answer, as_json, error_json

OPENAPI, VERSIONS = "/openapi.json", "/-/versions.json"
OWN_DATA = (OPENAPI, VERSIONS)


async def api_answer(instance: Instance, origin: str, route: str, query: str) -> Answer:
    """Return the response to a route of the API; `origin` is scheme and host."""
    facts, help_at = instance.facts, f"{instance.base_url}openapi.json"
    if route == OPENAPI:
        return as_json(openapi(facts, instance.base_url, origin))
    if route == VERSIONS:
        return as_json(
            {
                "release_id": facts.release_id,
                "as_of": facts.as_of,
                "code_version": facts.code_version,
                "api": VERSION,
                "datasette": datasette.__version__,
                "sqlite": sqlite3.sqlite_version,
            }
        )
    try:
        body = await answer(instance, route, query)
    except Refused as e:
        return error_json(e.status, e.code, (e.zh, e.en), help_at)
    except QueryInterrupted:
        return error_json(400, "too_slow", messages.TOO_SLOW, help_at)
    following = body.get("next")
    if not following:
        return as_json(body)
    return as_json(body, headers=[(b"link", f'<{following}>; rel="next"'.encode()), (b"x-truncated", b"true")])
