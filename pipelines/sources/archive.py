"""Every file received, kept by its sha256 and never changed.

Belongs here: putting bytes into HOME/archive and finding them again. Not here: reading them, or where they came from.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path

from pipelines.core.home import Home


class ArchiveError(RuntimeError):
    """A file could not be kept. The message says what is wrong and what to do."""

    exit_status = 1


def store(home: Home, source: Path | bytes) -> str:
    """Keeps a file's bytes and returns its file_id, the sha256 in hex. Bytes already there are left alone.

    The file lies at `where(home, file_id)`, mode 0600 in folders of 0700, and appears whole or not at all; the caller makes
    it durable (os.sync) before it writes down that it has it. Raises
    ArchiveError where the disk is full or cannot be written, OSError where `source` cannot be read.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    file_id = hashlib.sha256(data).hexdigest()
    path = where(home, file_id)
    if path.exists():
        return file_id
    part = path.with_name(f".{file_id}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as f:
            f.write(data)
        part.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if e.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ArchiveError(
                f"The disk that holds {home.archive} is full; free some space ({len(data):,} bytes at least) and run again."
            ) from e
        raise ArchiveError(f"Cannot write to {home.archive} ({e.strerror}); make it writable and run again.") from e
    return file_id


def where(home: Home, file_id: str) -> Path:
    """The path of a kept file: HOME/archive/ab/abcdef…"""
    return home.archive / file_id[:2] / file_id
