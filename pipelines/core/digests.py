"""The SHA-256 of a file, by which the archive, the notes of stages and the releases know it.

Belongs here: that one function. Not here: digests over several things, which each caller composes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal, without holding the file in memory. Raises OSError."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
