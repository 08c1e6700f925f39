"""OpenDocument spreadsheets in one XML file (.fods): the same elements as in the content of an .ods.

Belongs here: handing them to the reading of packages. Not here: what the elements mean.
"""

from __future__ import annotations

import io
import re
import zipfile

from pipelines.intake.formats import package
from pipelines.intake.sheets import Book

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def is_spreadsheet(head: str) -> bool:
    """Whether the beginning of a text, in small letters, is a flat document that says it is a spreadsheet."""
    return "<office:document" in head and _SPREADSHEET in head


def open_flat(content: str) -> Book:
    """Opens the text of a flat spreadsheet. Raises Refusal."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr("mimetype", _SPREADSHEET)
        z.writestr("content.xml", _DECLARATION.sub("", content.lstrip("\ufeff"), count=1).encode())
        z.writestr("META-INF/manifest.xml", "<manifest/>")
    return package.open_package(out.getvalue())
