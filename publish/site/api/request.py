"""One request to the API: its resource, its arguments, the keys that every answer has.

Belongs here: parsing the address and checking arguments. Not here: HTTP (http.py).
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from publish.release import store
from publish.site import validation
from publish.site.api.model import ROOT, TEXT, VERSION, Argument, Refused, Release, Resource, Row
from publish.site.api.paging import address, paging_keys
from publish.site.api.resources import RESOURCES, YEAR, refuse_value
from publish.wording import MADE_UP_EN, MADE_UP_ZH

INTEGERS = {"year": YEAR}


def about(release: Release) -> Row:
    """Return the key `release` of every answer."""
    f = release.facts
    row = store.summary(f.folder) or {}
    return {
        "release_id": f.release_id,
        "as_of": f.as_of,
        "code_version": f.code_version,
        "synthetic": f.synthetic,
        "license": f.licence or row.get("license"),
        "publisher": f.publisher or row.get("publisher"),
        "notice_zh": MADE_UP_ZH if f.synthetic else None,
        "notice_en": MADE_UP_EN if f.synthetic else None,
    }


async def answer(release: Release, route: str, query: str) -> Row:
    """Answer a request to /api/v1/…; `route` is the path below the base_url of the release, percent-encoded. Raises Refused."""
    matched = _match(route)
    if matched is None:
        at = address(release)
        raise Refused(404, "not_found", f"没有这个接口；全部见 {at}。", f"There is no such resource; {at} lists them.")
    resource, raw = matched
    path = {k: _value(INTEGERS[k], v) if k in INTEGERS else v for k, v in raw.items()}
    args = _arguments(resource, query)
    for argument in resource.arguments:
        if argument.of and argument.name in args:
            known = await validation.known_values(release.ds, argument.of, argument.name)
            if known and args[argument.name] not in known:
                refuse_value(argument.name, args[argument.name], known)
    body = await resource.answer(release, path, args)
    out: Row = {"ok": True, "api": VERSION, "release": about(release)}
    out["permalink"] = f"/r/{release.facts.release_id}{route}" + (f"?{query}" if query else "")
    if resource.paged:
        assert resource.rows is not None
        key, table = resource.rows
        out |= paging_keys(release, route, args, body, table)
        out |= {k: v for k, v in body.items() if k not in ("rows", "total", "returned", "truncated", "_next")}
        out[key] = body["rows"]
    else:
        out |= body
    return out


def _match(route: str) -> tuple[Resource, dict[str, str]] | None:
    """Return the resource of a route and its path values; None where there is none."""
    if route != ROOT and not route.startswith(ROOT + "/"):
        return None
    route = ROOT if route == f"{ROOT}/" else route  # where a client puts an empty path below the server's address
    segments = [urllib.parse.unquote(s) for s in route[len(ROOT) :].split("/")[1:]]
    for resource in RESOURCES:
        pattern = resource.pattern
        if len(pattern) != len(segments):
            continue
        values = {p[1:-1]: s for p, s in zip(pattern, segments, strict=True) if p.startswith("{")}
        same = all(p.startswith("{") or p == s for p, s in zip(pattern, segments, strict=True))
        if same and all(0 < len(v) <= TEXT for v in values.values()):
            return resource, values
    return None


def _arguments(resource: Resource, query: str) -> Row:
    """Parse the query string. Raises Refused for an unknown, repeated or invalid argument."""
    known = {a.name: a for a in resource.known}
    out: Row = {}
    try:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        raise Refused(400, "bad_argument", "参数太多。", "There are too many arguments; give each once.") from None
    for name, value in pairs:
        if name not in known:
            zh, en = validation.hint(name, list(known))
            raise Refused(400, "bad_argument", f"没有参数 {name[:50]}。{zh}", f"There is no argument {name[:50]}.{en}")
        if name in out:
            raise Refused(400, "bad_argument", f"参数 {name} 只能给一次。", f"Give the argument {name} only once.")
        if value:  # a form sends its empty fields too
            out[name] = _value(known[name], value)
    return out


def _value(argument: Argument, text: str) -> Any:
    """Parse the value of an argument. Raises Refused."""
    if argument.kind == "integer":
        if re.fullmatch(r"-?[0-9]{1,9}", text) and argument.least <= int(text) <= argument.most:
            return int(text)
        span = f"{argument.least}..{argument.most}"
        zh, en = f"{argument.name} 应为 {span} 的整数。", f"{argument.name} must be a whole number, {span}."
        raise Refused(400, "bad_argument", zh, en)
    if argument.allowed and text not in argument.allowed:
        one_of = ", ".join(argument.allowed)
        zh, en = f"{argument.name} 只能是：{one_of}。", f"{argument.name} must be one of: {one_of}."
        raise Refused(400, "bad_argument", zh, en)
    if len(text) > TEXT:
        zh, en = f"{argument.name} 最多 {TEXT} 个字符。", f"{argument.name} may have at most {TEXT} characters."
        raise Refused(400, "bad_argument", zh, en)
    return text
