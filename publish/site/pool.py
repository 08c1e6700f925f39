"""The supervisor of the processes that run public SQL: assigns requests, kills late workers, replaces dead ones.

Belongs here: the second line of defence as seen from the server. Not here: the worker itself (worker.py), fair turns
(queues.py). Only a request that carries a visitor's own SQL, filter or order comes here; a page never waits for it.

There are two lanes. A request first goes to a quick worker, for a tenth of a second, ten times the duration of an honest
query; if it is late, it begins anew in the slow lane, with the whole time limit. So however many slow queries are running, a
quick one finds a worker. A query known to be slow goes to the slow lane at once, and so do the queries of a client whose
last ones were slow, until one of them is quick again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import subprocess
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from pipelines.core.processes.frames import pack, unpack_from_stream
from pipelines.core.processes.start import command, environment
from publish.site.queues import SLOW_KEPT, SlowClients, WorkerQueue

log = logging.getLogger("mingzhang.site.pool")

WORKERS = 6
QUEUE_SECONDS = 1.5  # for a free worker
START_SECONDS = 90.0  # for the nursery to import and a worker to open its first release, on a slow machine


@dataclass(frozen=True)
class Lane:
    """A class of workers. `seconds`: time limit of all queries of a request together; `kill`: seconds until the worker is killed;
    `nice`: its scheduling priority."""

    name: str
    seconds: float
    kill: float
    nice: int


QUICK = Lane("quick", 0.12, 0.3, 5)
SLOW = Lane("slow", 0.6, 1.1, 15)


class Busy(RuntimeError):
    """No worker was free in time; the client may try again."""


class QueryStopped(RuntimeError):
    """The query was stopped; `why` is `too_slow` or `too_large`."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class _Late(Exception):
    """The time limit of the quick lane was exceeded."""


@dataclass(eq=False)
class _WorkerHandle:
    lane: Lane
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    open: list[list[str]] = field(default_factory=list)  # the releases it has open: folder and base_url


class Pool:
    """Worker processes: `await start(warm)`, then `await ask(request)` from any task, at the end `await close()`.

    A request is a dict of folder, base_url, scheme, host, path, route and query (inner.py). `warm` is one that each new worker
    answers before it is used.
    """

    def __init__(self, workers: int = WORKERS):
        self.size = workers
        slow = max(1, workers // 3)
        self.lanes = {SLOW: slow, QUICK: workers - slow}
        self.warm: dict[str, Any] = {}
        self.killed = 0  # workers that were late or died
        self._free: dict[Lane, WorkerQueue[_WorkerHandle]] = {lane: WorkerQueue() for lane in self.lanes}
        self._slow: OrderedDict[bytes, None] = OrderedDict()
        self._slow_clients = SlowClients()
        self._all: set[_WorkerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def start(self, warm: dict[str, Any]) -> None:
        """Start the workers; return when the first of each lane is ready. Raises TimeoutError where none is."""
        self.warm = warm
        for lane, size in self.lanes.items():
            for _ in range(size):
                self._add_soon(lane)
        for lane, size in self.lanes.items():
            if size:
                try:
                    self._free[lane].put(await asyncio.wait_for(self._free[lane].get(""), START_SECONDS))
                except TimeoutError:
                    raise TimeoutError(
                        f"No process for public SQL came up in {START_SECONDS:.0f} s; the lines above say why, or this machine "
                        "has too much else to do."
                    ) from None

    async def ask(self, request: dict[str, Any], client: str = "") -> tuple[dict[str, Any], bytes]:
        """Return the answer to a request: a dict with `status` and `headers` (pairs of str), and the body.

        The seconds of worker time are added to the request as `spent`, also in case of an error. Raises Busy where no worker
        was free, QueryStopped where the query was too slow or too large.
        """
        key = hashlib.blake2b(
            f"{request['folder']} {request['path']}?{request['query']}".encode(), digest_size=16
        ).digest()
        if self.lanes[QUICK] and key not in self._slow and not self._slow_clients.is_slow(client):
            try:
                answer = await self._ask(QUICK, request, client)
            except _Late:
                self._slow[key] = None
                if len(self._slow) > SLOW_KEPT:
                    self._slow.popitem(last=False)
            else:
                self._slow_clients.record(client, False)
                return answer
        begun = request.get("spent", 0.0)
        try:
            answer = await self._ask(SLOW, request, client)
        except QueryStopped:
            self._slow_clients.record(client, True)
            raise
        self._slow_clients.record(client, request["spent"] - begun > QUICK.seconds)
        return answer

    async def _ask(self, lane: Lane, request: dict[str, Any], client: str) -> tuple[dict[str, Any], bytes]:
        try:
            worker = await asyncio.wait_for(self._take(lane, client), QUEUE_SECONDS)
        except TimeoutError:
            raise Busy from None
        fit, begun = False, time.monotonic()
        try:
            if [
                request["folder"],
                request["base_url"],
            ] not in worker.open:  # not part of the time of the query
                await asyncio.wait_for(_exchange(worker, request | {"only_open": True}), START_SECONDS)
            header, body = await asyncio.wait_for(_exchange(worker, request | {"seconds": lane.seconds}), lane.kill)
            fit = not header["last"]
        except TimeoutError:
            self.killed += 1
            if lane is QUICK:
                raise _Late from None
            raise QueryStopped("too_slow") from None
        except (asyncio.IncompleteReadError, OSError):  # the kernel ended it: memory or CPU
            self.killed += 1
            raise QueryStopped("too_large") from None
        finally:
            request["spent"] = request.get("spent", 0.0) + time.monotonic() - begun
            self._give_back(worker, fit)
        if lane is QUICK and header["late"]:
            raise _Late
        if "refused" in header:
            raise QueryStopped(header["refused"])
        return header, body

    async def change(self, warm: dict[str, Any]) -> None:
        """Have all workers open another release, one after the other, while the rest go on answering."""
        self.warm = warm
        for lane in (lane for lane, size in self.lanes.items() for _ in range(size)):
            worker = await self._take(lane, "")
            fit = False
            try:
                header, _body = await asyncio.wait_for(_exchange(worker, warm), START_SECONDS)
                fit = not header["last"]
            except (asyncio.IncompleteReadError, OSError, TimeoutError) as e:
                log.error("a process for public SQL did not open the new release (%r); another takes its place", e)
            finally:
                self._give_back(worker, fit)

    def _give_back(self, worker: _WorkerHandle, fit: bool) -> None:
        if fit:
            self._free[worker.lane].put(worker)
        else:
            self._end(worker)
            self._add_soon(worker.lane)

    async def close(self) -> None:
        """End all workers and the nursery."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in list(self._all):
            self._end(worker)
        if self._control is not None:
            self._control.close()
        if self._nursery is not None:
            await asyncio.to_thread(self._nursery.wait)

    async def _take(self, lane: Lane, client: str) -> _WorkerHandle:
        while True:
            worker = await self._free[lane].get(client)
            if not worker.reader.at_eof():
                return worker
            self._end(worker)  # died while it had nothing to do
            self._add_soon(lane)

    def _end(self, worker: _WorkerHandle) -> None:
        self._all.discard(worker)
        worker.writer.close()
        if self._control is not None and self._control.fileno() >= 0:
            try:
                self._control.send(f"kill {worker.pid}".encode())
            except OSError as e:  # the nursery is gone, and its children with it
                log.warning("a worker could not be ended: %s", e)

    def _add_soon(self, lane: Lane) -> None:
        if not self._closed:
            self._background(self._add(lane))

    def _background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add(self, lane: Lane) -> None:
        """Add one warm worker; log a failure and try again each second."""
        while not self._closed:
            worker = None
            try:
                worker = await self._fork(lane)
                await asyncio.wait_for(_exchange(worker, self.warm), START_SECONDS)
            except (asyncio.IncompleteReadError, OSError, TimeoutError) as e:
                log.error("a process for public SQL did not come up (%r); trying again", e)
                if worker is not None:
                    self._end(worker)
                await asyncio.sleep(1)
            else:
                self._free[lane].put(worker)
                return

    async def _fork(self, lane: Lane) -> _WorkerHandle:
        loop = asyncio.get_running_loop()
        async with self._lock:
            control = self._nursery_control()
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    socket.send_fds(control, [f"fork {lane.nice}".encode()], [theirs.fileno()])
                pid = int(await asyncio.wait_for(loop.sock_recv(control, 64), START_SECONDS) or b"0")
                if not pid:
                    raise OSError("the nursery ended")
                reader, writer = await asyncio.open_unix_connection(sock=ours)
            except BaseException:  # cancelled, too: the pool is closed while a worker starts
                ours.close()
                raise
        worker = _WorkerHandle(lane, pid, reader, writer)
        self._all.add(worker)
        return worker

    def _nursery_control(self) -> socket.socket:
        """Return the socket of a running nursery, started where there is none."""
        if self._control is not None and self._nursery is not None and self._nursery.poll() is None:
            return self._control
        if self._control is not None:
            self._control.close()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        with theirs:
            self._nursery = subprocess.Popen(
                command("publish.site.worker", theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment({"MALLOC_ARENA_MAX": "1"}),
            )
        return self._control


async def _exchange(worker: _WorkerHandle, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    worker.writer.write(pack(request))
    await worker.writer.drain()
    header, body = await unpack_from_stream(worker.reader)
    worker.open = header["open"]
    return header, body
