"""Queues of the pool: fair turns for clients that wait for a worker, and the clients whose queries are slow.

Belongs here: who is next. Not here: workers and lanes (pool.py).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

SLOW_KEPT = 2_000  # slow queries and slow clients that are remembered, each
SLOW_CLIENT = 1.4  # two slow queries in a row give 1.5: each counts half of the one after it

Worker = TypeVar("Worker")


class WorkerQueue(Generic[Worker]):
    """Free workers of a lane, and the requests that wait for one.

    Each client has a queue of its own, and the queues are served in turn: a client with a hundred requests delays another one
    by one request at most.
    """

    def __init__(self) -> None:
        self._free: deque[Worker] = deque()
        self._waiting: OrderedDict[str, deque[asyncio.Future[Worker]]] = OrderedDict()

    def put(self, worker: Worker) -> None:
        """Give a worker to the next request, or keep it."""
        while self._waiting:
            client, queue = self._waiting.popitem(last=False)
            waiting = queue.popleft()
            if queue:
                self._waiting[client] = queue  # behind the other clients
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._free.append(worker)

    async def get(self, client: str) -> Worker:
        """Return a free worker; waits for the client's turn."""
        if self._free:
            return self._free.popleft()
        waiting: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.put(waiting.result())
            elif client in self._waiting and waiting in self._waiting[client]:
                self._waiting[client].remove(waiting)
                if not self._waiting[client]:
                    del self._waiting[client]
            raise


class SlowClients:
    """Clients whose recent queries were slow, as a decaying count: each query halves it, a slow one adds 1."""

    def __init__(self, most: int = SLOW_KEPT):
        self.most = most
        self._counts: OrderedDict[str, float] = OrderedDict()

    def record(self, client: str, slow: bool) -> None:
        """Count a query of a client."""
        count = self._counts.pop(client, 0.0) / 2 + slow
        if count > 0.1:
            self._counts[client] = count
        if len(self._counts) > self.most:
            self._counts.popitem(last=False)

    def is_slow(self, client: str) -> bool:
        """Return whether the client's queries go to the slow lane at once."""
        return self._counts.get(client, 0.0) > SLOW_CLIENT
