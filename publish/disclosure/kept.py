"""Cache of solved suppression problems, by the digest of their inputs.

Belongs here: finding a result again, and forgetting it. Not here: what is worth keeping, or how it is worked out.

The name of a result is a digest of everything it follows from: its inputs, the code of secrecy and of the core, and the
versions of the libraries that count. The same name therefore means the same result, bit by bit, and nothing need be made
stale. A file that is damaged is no result. Results reveal single institutions, and lie in the home's work folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy

from pipelines.core.digests import file_sha256
from pipelines.core.fingerprint import code_of
from pipelines.core.home import whole_file

CODE = ("pipelines/core", "publish/disclosure")


class ResultCache:
    """Results of pure functions: in memory, and in `folder` where one is given.

    A result is what JSON gives back as it was: numbers, texts, lists of them and mappings from texts.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder
        self._used: dict[str, Any] = {}

    def of(self, what: str, read: Any, make: Callable[[], Any]) -> Any:
        """The result named `what` that follows from `read` alone: as it is kept, or as `make` makes it now.

        `read`: arrays, frames, paths of files, plain values, and tuples, lists, mappings and dataclasses of those.
        Raises TypeError for anything else.
        """
        h = hashlib.sha256(repr((what, code_of(*CODE), np.__version__, scipy.__version__)).encode())
        _feed(h, read)
        name = h.hexdigest()
        if name not in self._used:
            found = self._read(name)
            if found is None:
                found = [make()]
                self._write(name, found)
            self._used[name] = found[0]
        return self._used[name]

    def prune(self) -> None:
        """Forgets the results that nobody has asked for since this began."""
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.stem not in self._used:
                    path.unlink()

    def _read(self, name: str) -> list[Any] | None:
        """A result in a list, None where there is none or only a damaged one."""
        if self.folder is None:
            return None
        try:
            checksum, _, body = (self.folder / f"{name}.json").read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        return [json.loads(body)] if checksum == _sum(body) else None

    def _write(self, name: str, found: list[Any]) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        body = json.dumps(found[0]).encode()
        with whole_file(self.folder / f"{name}.json") as part:
            part.write_bytes(_sum(body) + b"\n" + body)


def _sum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _feed(h: Any, value: Any) -> None:
    """Adds a value to a hash, with its type and size, so that no two values are one."""
    h.update(type(value).__name__.encode() + b"\0")
    if isinstance(value, np.ndarray):
        h.update(f"{value.dtype.str}{value.shape}".encode())
        if value.dtype.hasobject:
            _feed(h, value.tolist())
        else:
            h.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, pd.DataFrame):
        _feed(h, {str(c): value[c].to_numpy() for c in value})
    elif isinstance(value, Path):
        h.update(file_sha256(value).encode())
    elif is_dataclass(value) and not isinstance(value, type):
        _feed(h, astuple(value))
    elif isinstance(value, Mapping):
        _feed(h, sorted(value.items()))
    elif isinstance(value, tuple | list):
        h.update(f"{len(value)}\0".encode())
        for v in value:
            _feed(h, v)
    elif value is None or isinstance(value, str | int | float | np.generic):
        text = repr(value).encode()
        h.update(f"{len(text)}\0".encode() + text)
    else:
        raise TypeError(f"{type(value).__name__} has no digest")
