"""Shared by the markup formats: a table under construction, and the refusal of documents with declarations.

Not here: any one format (pages.py, xml2003.py). No entity is expanded, no DTD or link is followed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Container, Iterator
from functools import partial
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError, fromstring, iterparse
from xml.parsers import expat

from pipelines.intake.formats import number_format
from pipelines.intake.sheets import Grid, Merge

_MOST_CELLS = 5_000_000
_LARGEST_TREE = 10_000_000  # bytes of XML of which the tree is held as a whole: some ten times as much memory
_DECLARED = re.compile(rb"""<\?xml[^>]*?\bencoding\s*=\s*["']([\w.-]+)""")
DECLARES = "it brings a document type of its own"


class MarkupError(ValueError):
    """Markup that cannot be read; `unsafe` where it brings a document type of its own or claims an absurd size."""

    def __init__(self, why: str, unsafe: bool = False):
        super().__init__(why)
        self.unsafe = unsafe


class MarkupTable:
    """A table under construction: cells skip positions that a span covers."""

    def __init__(self, name: str = ""):
        self.name = name
        self.rows: list[list[Any]] = []
        self.merges: list[Merge] = []
        self.hidden_rows: list[int] = []
        self.hidden_columns: list[tuple[int, int]] = []  # first and last, 0-based
        self.hidden = False
        self.codes: dict[tuple[int, int], str] = {}  # number formats that tell something, by row and column, 0-based
        self._taken: dict[int, set[int]] = {}
        self._cells = 0

    def row(self, index: int | None = None) -> None:
        """Begin a row: the next, or the one at a 0-based index further down."""
        while index is not None and len(self.rows) < index:
            self.rows.append([])
            if len(self.rows) > 1_048_576:
                raise MarkupError("row number too large", unsafe=True)
        self.rows.append([])

    def cell(
        self, value: Any, across: int = 1, down: int = 1, column: int | None = None, code: str | None = None
    ) -> None:
        """Put a cell into the current row, `across` columns wide and `down` rows high; `code` is its number format."""
        if not self.rows:
            self.row()
        r, row = len(self.rows) - 1, self.rows[-1]
        if across == 1 == down and column is None and r not in self._taken and not code and len(row) < 16_384:
            row.append(value)  # nearly every cell
            self._cells += 1
            if self._cells > _MOST_CELLS:
                raise MarkupError("spans too large", unsafe=True)
            return
        taken = self._taken.get(r, set())
        c = len(row) if column is None else column
        while column is None and c in taken:
            c += 1
        across, down = max(1, min(across, 16_384)), max(1, min(down, 65_536))
        self._cells += max(c + across - len(row), 0) + (down - 1) * across
        if self._cells > _MOST_CELLS or c > 16_384:
            raise MarkupError("spans too large", unsafe=True)
        row.extend([""] * (c - len(row)))
        row[c : c + across] = [value, *[""] * (across - 1)]
        if code and number_format.changes_numbers(code):
            self.codes[r, c] = code
        for i in range(r + 1, r + down):
            self._taken.setdefault(i, set()).update(range(c, c + across))
        if across > 1 or down > 1:
            self.merges.append((r, c, r + down - 1, c + across - 1))

    def grid(self) -> Grid:
        """The table as a sheet; a hidden one is not read."""
        if self.hidden:
            return Grid(self.name, [], hidden=True)
        hidden_rows = [r + 1 for r in self.hidden_rows]
        grid = Grid(
            self.name, self.rows, merges=self.merges, hidden_rows=hidden_rows, hidden_columns=self.hidden_columns
        )
        grid.formats = partial(number_format.of_cells, grid, self.codes)
        return grid


def parse(
    xml: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> bool:
    """Has expat call these with the elements and texts of a part, names with their prefixes. False where it is broken or brings
    a document type of its own; what was found before that counts."""
    return _parsed(expat.ParserCreate(), xml, start, end, text)


def parse_in_place(
    xml: bytes,
    start: Callable[[str, dict[str, str], int], None],
    end: Callable[[str, int], None],
    text: Callable[[str], None] | None = None,
) -> bool:
    """As parse(); each tag comes with the place of its first byte, an element closed at once twice with the same."""
    parser = expat.ParserCreate()
    return _parsed(
        parser,
        xml,
        lambda name, attrs: start(name, attrs, parser.CurrentByteIndex),
        lambda name: end(name, parser.CurrentByteIndex),
        text,
    )


def _parsed(parser: expat.XMLParserType, xml: bytes, start: Any, end: Any, text: Any) -> bool:
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler, parser.CharacterDataHandler = end, text
    refuse_declarations(parser, _declares)
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError):  # the last two: encodings that expat does not know
        return False
    return True


def _declares() -> NoReturn:
    raise MarkupError(DECLARES, unsafe=True)


def attributes(xml: bytes, tag: str) -> list[dict[str, str]]:
    """The attributes of each element of a name, which is given without a prefix, in order."""
    out: list[dict[str, str]] = []

    def start(name: str, attrs: dict[str, str]) -> None:
        if name.rpartition(":")[2] == tag:
            out.append(attrs)

    parse(xml, start)
    return out


def recoded(xml: bytes) -> bytes:
    """A document in UTF-8 where it is in UTF-16 or names an encoding of several bytes, which expat does not read."""
    if xml[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return in_utf_8(xml.decode("utf-16", "replace"))
    declared = _DECLARED.match(xml) if xml[:5] == b"<?xml" else None
    if declared is None or declared[1].upper() in (b"UTF-8", b"US-ASCII"):
        return xml
    try:
        return in_utf_8(xml.decode(declared[1].decode(), "replace"))
    except LookupError:
        return xml


def in_utf_8(content: str) -> bytes:
    """The text of a document as expat reads it, whatever encoding its declaration names."""
    text = content.lstrip("\ufeff \r\n\t")
    return (text.partition("?>")[2] if text.startswith("<?xml") else text).encode()


def elements(xml: bytes, whole: Container[str]) -> Iterator[tuple[bool, str, Element]]:
    """Each element of a document at its start (True) and at its end (False), with its name without the namespace.

    Elements named in `whole` come once, at their end, with all that is in them, and are empty afterwards: a sheet's rows one by
    one need little memory. Raises MarkupError where the document is broken or brings a document type of its own.
    """
    _refuse_declarations_in(xml)
    try:
        yield from _of_tree(fromstring(xml), whole) if len(xml) <= _LARGEST_TREE else _of_stream(xml, whole)
    except MarkupError:
        raise
    except (ParseError, ValueError, LookupError) as e:  # the last two: encodings that expat does not know
        raise MarkupError(f"XML: {e}") from e


def _of_tree(e: Element, whole: Container[str]) -> Iterator[tuple[bool, str, Element]]:
    tag = LOCAL[e.tag]
    if tag not in whole:
        yield True, tag, e
        for child in e:
            yield from _of_tree(child, whole)
    yield False, tag, e


def _of_stream(xml: bytes, whole: Container[str]) -> Iterator[tuple[bool, str, Element]]:
    within = 0  # elements open that come whole
    for event, e in iterparse(io.BytesIO(xml), ("start", "end")):
        tag = LOCAL[e.tag]
        if tag in whole:
            within += 1 if event == "start" else -1
            if not within:
                yield False, tag, e
                e.clear()
        elif not within:
            yield event == "start", tag, e


def _refuse_declarations_in(xml: bytes) -> None:
    # Only a document in another encoding than one like ASCII could hide its document type from the search.
    if b"<!DOCTYPE" in xml or b"\0" in xml[:4] or xml[:1] not in b"<\xef \t\r\n":
        parser = expat.ParserCreate()
        refuse_declarations(parser, _declares)
        try:
            parser.Parse(xml, True)
        except MarkupError:
            raise
        except (expat.ExpatError, ValueError, LookupError) as e:
            raise MarkupError(f"XML: {e}") from e


class _Local(dict[str, str]):
    """Names of elements and attributes, in braces before them their namespace, to the names alone."""

    def __missing__(self, name: str) -> str:
        short = name.rpartition("}")[2]
        if len(self) < 10_000:
            self[name] = short
        return short


LOCAL = _Local()


def span(text: str | None) -> int:
    """The number of columns or rows in an attribute; 1 where it states none."""
    return int(text) if text and text.strip().isdigit() else 1


def refuse_declarations(parser: expat.XMLParserType, refuse: Callable[[], NoReturn]) -> None:
    """Has a parser call `refuse`, which raises, at a document type that declares anything: no spreadsheet program writes one."""

    def begins(_name: str, _system: str | None, _public: str | None, declares: bool) -> None:
        if declares:
            refuse()

    parser.StartDoctypeDeclHandler = begins
    parser.EntityDeclHandler = lambda *_: refuse()
    parser.ExternalEntityRefHandler = lambda *_: refuse()
