"""Restores the cached result of each formula, which openpyxl drops.

Belongs here: copying results from the original's XML into the edited workbook's. Not here: computing any. Without them the
marked file shows empty cells to whatever does not calculate: a preview on a phone, and our own reader.
"""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial
from xml.sax.saxutils import unescape

from pipelines.core import zips

_CELL = re.compile(
    rb'<c r="([A-Z]+[0-9]+)"([^>]*)>(?:(<f\b[^>]*/>)|(<f\b[^>]*>.*?</f>))<v ?(?:/>|></v>)</c>', re.DOTALL
)
_RESULT = re.compile(
    rb'<c\b(?=[^>]*\br="([A-Z]+[0-9]+)")([^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*<v(?:\s[^>]*)?>([^<]*)</v>\s*</c>'
)
_TYPE = re.compile(rb'\bt="([a-z]+)"')
_LIMIT = 50_000_000


def with_results(edited: bytes, original: bytes) -> bytes:
    """`edited` (as openpyxl wrote it) with the cached results of the same formulas in `original`."""
    results = _results(original)
    if not results:
        return edited
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(edited)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        sheets = _sheets({i.filename: old.read(i) for i in old.infolist() if _is_index(i.filename)})
        for info in old.infolist():
            data = old.read(info)
            known = results.get(sheets.get(info.filename, ""))
            if known:
                data = _CELL.sub(partial(_filled, known=known), data)
            new.writestr(info, data)
    return out.getvalue()


def _filled(m: re.Match[bytes], known: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    result = known.get(m[1])
    if result is None:
        return m[0]
    kind, value = result
    others = _TYPE.sub(b"", m[2]).rstrip()
    return b'<c r="%b"%b t="%b">%b<v>%b</v></c>' % (m[1], others, kind, m[3] or m[4], value)


def _results(original: bytes) -> dict[str, dict[bytes, tuple[bytes, bytes]]]:
    """Sheet -> cell -> (type, result), from the original's XML."""
    entries = zips.entries(original) or []
    by_name = {e.name: e for e in entries}
    index = {n: zips.read(original, e, _LIMIT) or b"" for n, e in by_name.items() if _is_index(n)}
    out = {}
    for path, name in _sheets(index).items():
        xml = (zips.read(original, by_name[path], _LIMIT) if path in by_name else None) or b""
        if b"<f" not in xml:
            continue
        found = {}
        for cell, attributes, value in _RESULT.findall(xml):
            kind = _TYPE.search(attributes)
            if value and (kind is None or kind[1] in (b"n", b"str", b"b", b"e")):
                found[cell] = (kind[1] if kind else b"n", value)
        if found:
            out[name] = found
    return out


def _is_index(path: str) -> bool:
    return path in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")


def _sheets(index: dict[str, bytes]) -> dict[str, str]:
    """Path of a sheet's XML -> the sheet's name."""
    book = index.get("xl/workbook.xml", b"").decode("utf-8", "replace")
    rels = index.get("xl/_rels/workbook.xml.rels", b"").decode("utf-8", "replace")
    paths = {}
    for tag in re.findall(r"<Relationship\b[^>]*>", rels):
        rid, target = re.search(r'\bId="([^"]*)"', tag), re.search(r'\bTarget="([^"]*)"', tag)
        if rid and target:
            path = target[1].lstrip("/")
            paths[rid[1]] = path if path.startswith("xl/") else f"xl/{path}"
    names = {}
    for tag in re.findall(r"<sheet\b[^>]*>", book):
        rid, name = re.search(r'\br:id="([^"]*)"', tag), re.search(r'\bname="([^"]*)"', tag)
        if rid and name and rid[1] in paths:
            names[paths[rid[1]]] = unescape(name[1], {"&quot;": '"', "&apos;": "'"})
    return names
