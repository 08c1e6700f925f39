"""Limits of one client: requests in progress, and response bytes in flight.

Belongs here: what a client may hold of this process at a time. Not here: rates over time (ratelimit.py), limits of a
connection (door.py), limits of SQL (guard.py, worker.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

UNCOUNTED = 1 << 16  # bytes; a body no longer than this does not count as in flight
SENDING_EACH = 16 << 20  # bytes in flight to one client; a body sent to it several times counts once
SENDING = 96 << 20  # bytes in flight to all clients


class ClientSemaphores:
    """Limits concurrent requests per client; excess requests queue per client without blocking other clients."""

    def __init__(self, most: int):
        self.most = most
        self._clients: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def acquire(self, client: str) -> AsyncIterator[None]:
        """Hold one of the client's permits; waits until one is free."""
        semaphore, users = self._clients.setdefault(client, (asyncio.Semaphore(self.most), []))
        users.append(None)
        try:
            async with semaphore:
                yield
        finally:
            users.pop()
            if not users:
                self._clients.pop(client, None)


class SendLimitReached(Exception):
    """Too many bytes are in flight to readers that take them slowly."""


class SendLimit:
    """Limits the response bytes in flight, per client and in all: a slow reader holds them in this process's memory."""

    def __init__(self, each: int = SENDING_EACH, most: int = SENDING):
        self.each, self.most = each, most
        self._to: dict[str, dict[int, int]] = {}  # client -> body -> readers
        self._readers: dict[int, int] = {}  # body -> readers
        self._bytes: dict[str, int] = {}  # client -> bytes
        self._all = 0

    @contextmanager
    def sending(self, client: str, body: bytes) -> Iterator[None]:
        """Count a body while it is being sent. Raises SendLimitReached where it does not fit."""
        if len(body) <= UNCOUNTED:
            yield
            return
        which = id(body)
        first, first_of_all = which not in self._to.get(client, {}), which not in self._readers
        if first and self._bytes.get(client, 0) + len(body) > self.each:
            raise SendLimitReached
        if first_of_all and self._all + len(body) > self.most:
            raise SendLimitReached
        own = self._to.setdefault(client, {})
        own[which] = own.get(which, 0) + 1
        self._readers[which] = self._readers.get(which, 0) + 1
        self._bytes[client] = self._bytes.get(client, 0) + len(body) * first
        self._all += len(body) * first_of_all
        try:
            yield
        finally:
            if _decrement(own, which):
                self._bytes[client] -= len(body)
            if _decrement(self._readers, which):
                self._all -= len(body)
            if not own:
                del self._to[client], self._bytes[client]


def _decrement(count: dict[int, int], which: int) -> bool:
    """Decrement a count; return whether it reached zero and was removed."""
    count[which] -= 1
    if count[which]:
        return False
    del count[which]
    return True
