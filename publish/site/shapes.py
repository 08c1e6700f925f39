"""Rows of the database as JSON, in the shapes that docs/api.md promises, independent of the version of Datasette.

Belongs here: `.json` of a table, a row and a query. Not here: errors and truncation (tabular.py).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

from datasette.utils import path_from_row_pks
from datasette.utils.asgi import BadRequest, Response

from publish.site.sql_errors import sql_error

SHAPES = ("array", "objects", "arrays", "arrayfirst", "object")
JSON = "application/json; charset=utf-8"


def rows_as_json(
    datasette: Any, columns: Sequence[str], rows: Sequence[Any], sql: Any, table: str | None, request: Any, data: Any
) -> Response:
    """Return rows as JSON, by `_shape`: `array` of objects; `objects` (the default) and `arrays`, an object with `rows`, `columns`,
    `truncated`, and for a table `next` and `next_url`; `arrayfirst`, the first column; `object`, by primary key. With `_nl`, an
    array has one row per line."""
    if data.get("error"):
        return Response(_text(sql_error(str(data["error"]), datasette.facts, sql)), status=400, content_type=JSON)
    shape = request.args.get("_shape") or "objects"
    cells = [list(r.values()) if type(r) is dict else list(r) for r in rows]
    of_key = data.get("primary_keys") or []
    if shape not in SHAPES or (shape == "object" and not of_key):
        raise BadRequest("no such _shape")  # its sentence is in sql_errors.py
    next_url = data.get("next_url") if table else None
    headers = {"link": f'<{next_url}>; rel="next"'} if next_url else {}
    named = [dict(zip(columns, r, strict=True)) for r in cells]
    body: Any
    if shape == "array":
        if request.args.get("_nl"):
            return Response("\n".join(map(_text, named)), headers=headers, content_type="text/plain; charset=utf-8")
        body = named
    elif shape == "arrayfirst":
        body = [r[0] for r in cells]
    elif shape == "object":
        body = {path_from_row_pks(r, of_key, False): r for r in named}
    else:
        listed = named if shape == "objects" else cells
        body = {"ok": True, "rows": listed, "columns": list(columns), "truncated": bool(data.get("truncated"))}
        if table and "next" in data:
            body |= {"next": data["next"], "next_url": next_url}
    return Response(_text(body), headers=headers, content_type=JSON)


def _text(body: Any) -> str:
    """Serialize values of SQLite; infinity, which JSON lacks, is null."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, default=_bytes)
    except ValueError:
        return json.dumps(_finite(body), ensure_ascii=False, allow_nan=False, default=_bytes)


def _bytes(value: Any) -> Any:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"$base64": True, "encoded": base64.b64encode(value).decode("ascii")}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
