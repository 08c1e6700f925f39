"""WebDAV with names as they are.

Belongs here: what webdav4 leaves open. Imported only where a source is one, for webdav4 need not be installed.
"""

from __future__ import annotations

import urllib.parse
from typing import Any

from webdav4.client import Client
from webdav4.fsspec import WebdavFileSystem


class _Quoting(Client):
    """webdav4 0.11 hands a path to httpx as it lists it, which takes the `%25` in the name `100%25.csv` for an escape, and `?` for the end
    of the path."""

    def join_url(self, path: str, add_trailing_slash: bool = False) -> Any:
        return super().join_url(urllib.parse.quote(path), add_trailing_slash=add_trailing_slash)


def filesystem(server: str, auth: tuple[str, str] | None, seconds: float) -> WebdavFileSystem:
    """The file system of a server, whose paths begin at its root."""
    return WebdavFileSystem(server, client=_Quoting(server, auth=auth, timeout=seconds), skip_instance_cache=True)
