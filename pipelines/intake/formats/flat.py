"""Reads OpenDocument spreadsheets in one XML file (.fods), with the elements of an .ods content part.

Belongs here: telling them, and the book of one. Not here: what the elements mean.
"""

from __future__ import annotations

from pipelines.intake.formats import markup, ods
from pipelines.intake.sheets import MARK, Book

_SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def is_spreadsheet(head: str) -> bool:
    """Whether the beginning of a text, in lower case, is that of a flat OpenDocument spreadsheet."""
    return "<office:document" in head and _SPREADSHEET in head


def open_flat(content: str) -> Book:
    """Open the text of a flat spreadsheet. Raises Refusal."""
    reader = ods.read(markup.in_utf_8(content))
    return Book(reader.grids, MARK in content, lambda: reader.from_1904)
