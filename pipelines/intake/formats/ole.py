"""OLE2 containers: the workbook's stream, and encrypted packages.

Belongs here: [MS-CFB] by olefile, decryption with the password that spreadsheets try by themselves. Not here: records of a
workbook (biff.py), packages (package.py).
"""

from __future__ import annotations

import io
import struct
from types import SimpleNamespace

from pipelines.intake.sheets import LARGEST_FILE, Refusal, megabytes

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DEFAULT_PASSWORD = "VelvetSweatshop"  # what Excel itself tries before it asks


def holds(data: bytes, name: str) -> bool:
    """Whether a container has an entry of that name, by a search of its bytes."""
    return name.encode("utf-16-le") in data


def workbook_stream(data: bytes) -> bytes:
    """The stream of an .xls; the bytes themselves where they are no container, b"" where it cannot be got."""
    if not data.startswith(SIGNATURE):
        return data
    import olefile  # type: ignore[import-untyped]

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            return next((ole.openstream(n).read() for n in ("Workbook", "Book") if ole.exists(n)), b"")
    except (OSError, ValueError, IndexError, struct.error):
        return b""


def is_encrypted(data: bytes) -> bool:
    import msoffcrypto
    from msoffcrypto.exceptions import FileFormatError

    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except (FileFormatError, OSError, ValueError, AttributeError, KeyError, IndexError):
        return False  # not a file that could be encrypted so: whoever reads it next says what is wrong with it


def decrypted(data: bytes) -> bytes:
    """The file inside, where Excel's default password opens it. Raises Refusal('encrypted') where it does not."""
    import msoffcrypto
    from msoffcrypto.format import xls97

    # It decrypts an .xls through a temporary file, which a reading process may not write; memory does as well.
    xls97.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)
    out = io.BytesIO()
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        office.load_key(password=_DEFAULT_PASSWORD)
        office.decrypt(out)
    except Exception as e:
        raise Refusal("encrypted") from e
    result = out.getvalue()
    if not result or result == data:
        raise Refusal("encrypted")
    if len(result) > LARGEST_FILE:
        raise Refusal("too_large", size=megabytes(len(result)), limit=megabytes(LARGEST_FILE))
    return result
