"""Compressed copies of a release's large files, made once: the site sends them to clients that accept their coding.

Belongs here: which files, and their bytes. Not here: sending them (publish/site/files.py). Workbooks and Parquet are compressed in
themselves; the CSV files for Excel are opened where they were saved.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from publish.files import CATALOGUE, CODINGS, CRATE, CROISSANT, PACKAGE, PLAIN, SDMX_DATA
from publish.release import store

TEXTS = (
    PACKAGE,
    CATALOGUE,
    CROISSANT,
    CRATE,
    SDMX_DATA,
    "changes.json",
)  # not release.json, which the gates' results come into
LEAST = 10_000  # bytes; below it a copy saves a reader nothing
GZIP_LEVEL = 6


def compress(folder: Path, previous: Path | None) -> int:
    """Write the copies that a release lacks beside its files; where the `previous` release has the same file under another name, its
    copies are linked. Give their number."""
    files = [*sorted((folder / PLAIN).glob("*.csv")), *(folder / name for name in (*TEXTS, store.DATABASE))]
    made = 0
    for path in files:
        if not path.is_file() or path.stat().st_size < LEAST:
            continue
        before = previous / path.relative_to(folder) if previous is not None else None
        same = before is not None and before.is_file() and before.samefile(path)
        for coding, suffix in CODINGS.items():
            to, old = path.with_name(path.name + suffix), before and before.with_name(path.name + suffix)
            if to.is_file():
                continue
            if same and old and old.is_file():
                store.link(old, to)
            else:
                with path.open("rb") as source, to.open("wb") as target, _coder(coding, target) as out:
                    shutil.copyfileobj(source, out, 1 << 20)
            made += 1
    return made


def _coder(coding: str, target: IO[bytes]) -> Any:
    """A file that is written through a coding; its bytes depend on what is written alone."""
    if coding == "gzip":
        return gzip.GzipFile("", "wb", GZIP_LEVEL, target, mtime=0)
    return pa.CompressedOutputStream(target, coding)
