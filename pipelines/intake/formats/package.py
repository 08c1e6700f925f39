"""Zip packages: members with limits, and relationships between parts (ECMA-376 part 2).

Belongs here: what .xlsx, .xlsb and .ods share as zips, and the properties beside the sheets. Not here: what any part says of cells.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.core import zips
from pipelines.intake.formats import markup, signatures
from pipelines.intake.sheets import (
    FORM_ID,
    LARGEST_RATIO,
    LARGEST_UNPACKED,
    MARKS,
    SMALL_UNPACKED,
    UNPACKS_TOO_FAR,
    Book,
    Refusal,
)

DECLARES = ("文件里带有自定的文档类型（DTD）", markup.DECLARES)
_PROPERTIES = ("docProps/core.xml", "docProps/custom.xml", "meta.xml")
_MOST_PROPERTIES = 1_000_000  # bytes
_ID = re.compile(r"[a-z][a-z0-9_]{0,80}")


class PackageRelation(NamedTuple):
    """`kind` is the last word of its type, as worksheet; `target` a member's name."""

    kind: str
    target: str


@dataclass(slots=True)
class Package:
    """A zip whose directory was read: `kind` is "ooxml", "ods", or "zip" for one that holds no workbook."""

    data: bytes
    entries: dict[str, zips.Entry]
    kind: str

    def part(self, name: str, limit: int = LARGEST_UNPACKED) -> bytes:
        """The bytes of a member, at most `limit`; b"" where there is none, or none that can be unpacked."""
        entry = self.entries.get(name)
        return (zips.read(self.data, entry, limit) if entry else None) or b""

    def xml(self, name: str) -> bytes:
        """A member in an encoding in which bytes can be searched for, which expat reads."""
        return markup.recoded(self.part(name))

    def related(self, name: str) -> dict[str, PackageRelation]:
        """Relationships of a part, or of the package as a whole (""), by id."""
        folder, _, file = name.rpartition("/")
        relations = markup.attributes(self.xml(f"{folder}/_rels/{file}.rels".lstrip("/")), "Relationship")
        base = f"/{folder}" if folder else "/"
        # A target that begins with / counts from the root, any other from the part's own folder.
        return {
            at.get("Id", ""): PackageRelation(
                at.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join(base, at.get("Target", "").replace("\\", "/"))).lstrip("/"),
            )
            for at in relations
        }

    def has_document_type(self) -> bool:
        """Whether any part brings a document type, in whatever encoding."""
        wanted = tuple("<!DOCTYPE".encode(e) for e in ("ascii", "utf-16-le", "utf-16-be", "cp037"))
        parts = (self.part(n, 100_000) for n in self.entries if n.endswith((".xml", ".rels")))
        return any(w in part for part in parts for w in wanted)

    def book(self) -> Book:
        """A Book without sheets, from the properties of the file."""
        book = Book([])
        for name in _PROPERTIES:
            if name in self.entries:
                properties = self.part(name, _MOST_PROPERTIES)
                book.synthetic |= MARKS[0] in properties
                if FORM_ID.encode() in properties:
                    book.dataset = _form_id(properties) or book.dataset
        return book

    def signed(self) -> Refusal | None:
        """The refusal of a package that is a document of another kind."""
        return signatures.of_members(self.entries)


def kind_of(entries: list[zips.Entry] | None) -> str:
    """'ooxml', 'ods', 'zip' or '' for a zip whose directory cannot be read."""
    if entries is None:
        return ""
    names = {e[0] for e in entries}
    if "[Content_Types].xml" in names or any(n.startswith("xl/") for n in names):
        return "ooxml"
    if "content.xml" in names and ("mimetype" in names or "META-INF/manifest.xml" in names):
        return "ods"
    return "zip"


def opened(data: bytes) -> Package:
    """The directory of a zip that may be unpacked. Raises Refusal."""
    entries = zips.entries(data)
    if entries is None:
        raise Refusal("unreadable", "压缩结构已损坏", "its zip structure is broken")
    unpacked = sum([e.size for e in entries])
    if unpacked > LARGEST_UNPACKED or (unpacked > SMALL_UNPACKED and unpacked > LARGEST_RATIO * len(data)):
        raise Refusal("unsafe", *UNPACKS_TOO_FAR)
    # Some writers on Windows put a backslash into the names.
    return Package(data, {e[0].replace("\\", "/"): e for e in entries}, kind_of(entries))


def _form_id(properties: bytes) -> str | None:
    """The text of the property that names the form, in an element of its own (OOXML) or not (OpenDocument)."""
    pieces: list[str] = []
    depth = 0

    def start(_: str, attrs: dict[str, str]) -> None:
        nonlocal depth
        if depth or FORM_ID in attrs.values():
            depth += 1

    def end(_: str) -> None:
        nonlocal depth
        depth = max(0, depth - 1)

    markup.parse(properties, start, end, lambda part: pieces.append(part) if depth else None)
    text = "".join(pieces).strip()
    return text if _ID.fullmatch(text) else None
