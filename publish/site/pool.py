"""The supervisor of the processes that run public SQL: hands out requests, kills what is late, replaces what died.

Belongs here: the second line of defence as seen from the server. Not here: what a worker does (worker.py).
A page never waits for this: only a request that carries a visitor's own SQL, filter or order comes here.

There are two lanes. A request first goes to a quick worker, for a tenth of a second, which is ten times what an honest
question takes; what is not done by then begins anew in the slow lane, with the whole time allowed. So however many slow
queries are being run, a quick one finds a worker. A query known to be slow goes to the slow lane at once, and so does what
comes from an address whose last queries were nearly all slow, until one of its is quick again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
import subprocess
import time
from collections import OrderedDict, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from pipelines.core.processes.frames import pack, unpack_from_stream
from pipelines.core.processes.start import command, environment

log = logging.getLogger("mingzhang.site.pool")

WORKERS = 6
QUEUE_SECONDS = 1.5  # for a free worker
SLOW_KEPT = 2_000  # queries remembered as slow, and addresses
SLOW_ADDRESS = 1.4  # two slow queries, one after the other, come to 1.5: each counts half of the one after it
START_SECONDS = 90.0  # for the nursery to import and a worker to open its first release, on a slow machine


@dataclass(frozen=True)
class Lane:
    """`seconds`: what all queries of a request may take together; `kill`: when the worker is killed; `nice`: how far it
    stands back for others."""

    name: str
    seconds: float
    kill: float
    nice: int


QUICK = Lane("quick", 0.12, 0.3, 5)
SLOW = Lane("slow", 0.6, 1.1, 15)


class Busy(RuntimeError):
    """No worker came free in time; try again in a moment."""


class Stopped(RuntimeError):
    """The query was stopped; `why` is `too_slow` or `too_large`."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class _Late(Exception):
    """Not done within the quick lane's time."""


@dataclass(eq=False)
class _Worker:
    lane: Lane
    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    open: list[list[str]] = field(default_factory=list)  # the releases it has open: folder and base_url


class Lines:
    """Free workers of a lane, and who waits for one. Each address has a line of its own and the lines are served in turn: who
    asks for a hundred things at once waits behind himself, and somebody else waits for one of them at most."""

    def __init__(self) -> None:
        self._free: deque[_Worker] = deque()
        self._waiting: OrderedDict[str, deque[asyncio.Future[_Worker]]] = OrderedDict()

    def put(self, worker: _Worker) -> None:
        """Gives the worker to whoever is next, or keeps it."""
        while self._waiting:
            address, line = self._waiting.popitem(last=False)
            waiting = line.popleft()
            if line:
                self._waiting[address] = line  # behind the other addresses
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._free.append(worker)

    async def get(self, address: str) -> _Worker:
        if self._free:
            return self._free.popleft()
        waiting: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(waiting)
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.put(waiting.result())
            elif address in self._waiting and waiting in self._waiting[address]:
                self._waiting[address].remove(waiting)
                if not self._waiting[address]:
                    del self._waiting[address]
            raise


class Habits:
    """Which addresses send slow queries one after the other: the quick lane is not for them. One slow query is anybody's; each
    that is quick halves what is remembered."""

    def __init__(self, most: int = SLOW_KEPT):
        self.most = most
        self._of: OrderedDict[str, float] = OrderedDict()

    def note(self, address: str, slow: bool) -> None:
        habit = self._of.pop(address, 0.0) / 2 + slow
        if habit > 0.1:
            self._of[address] = habit
        if len(self._of) > self.most:
            self._of.popitem(last=False)

    def are_slow(self, address: str) -> bool:
        return self._of.get(address, 0.0) > SLOW_ADDRESS


class Pool:
    """Some worker processes: `await start(warm)`, then `await ask(request)` from any task, at the end `await close()`.

    A request is a dict of folder, base_url, scheme, host, path, route and query. `warm` is one that each new worker answers
    before it gets real ones.
    """

    def __init__(self, workers: int = WORKERS):
        self.size = workers
        slow = max(1, workers // 3)
        self.lanes = {SLOW: slow, QUICK: workers - slow}
        self.warm: dict[str, Any] = {}
        self.killed = 0  # workers ended because they were late or died
        self._free = {lane: Lines() for lane in self.lanes}
        self._slow: OrderedDict[bytes, None] = OrderedDict()
        self._habits = Habits()
        self._all: set[_Worker] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def start(self, warm: dict[str, Any]) -> None:
        """Starts the workers; returns when the first of each lane is ready. Raises TimeoutError where none comes up."""
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

    async def ask(self, request: dict[str, Any], address: str = "") -> tuple[dict[str, Any], bytes]:
        """The answer to a request: a dict with `status` and `headers` (pairs of str), and the body. The seconds it kept
        workers busy are added to the request as `spent`, whatever comes of it. `address`: whose it is.

        Raises Busy where no worker came free, Stopped where the query was too slow or too large.
        """
        key = hashlib.blake2b(
            f"{request['folder']} {request['path']}?{request['query']}".encode(), digest_size=16
        ).digest()
        if self.lanes[QUICK] and key not in self._slow and not self._habits.are_slow(address):
            try:
                answer = await self._ask(QUICK, request, address)
            except _Late:
                self._slow[key] = None
                if len(self._slow) > SLOW_KEPT:
                    self._slow.popitem(last=False)
            else:
                self._habits.note(address, False)
                return answer
        begun = request.get("spent", 0.0)
        try:
            answer = await self._ask(SLOW, request, address)
        except Stopped:
            self._habits.note(address, True)
            raise
        self._habits.note(address, request["spent"] - begun > QUICK.seconds)
        return answer

    async def _ask(self, lane: Lane, request: dict[str, Any], address: str) -> tuple[dict[str, Any], bytes]:
        try:
            worker = await asyncio.wait_for(self._take(lane, address), QUEUE_SECONDS)
        except TimeoutError:
            raise Busy from None
        fit, begun = False, time.monotonic()
        try:
            if [
                request["folder"],
                request["base_url"],
            ] not in worker.open:  # takes its time, and the query's begins after
                await asyncio.wait_for(_exchange(worker, request | {"only_open": True}), START_SECONDS)
            header, body = await asyncio.wait_for(_exchange(worker, request | {"seconds": lane.seconds}), lane.kill)
            fit = not header["last"]
        except TimeoutError:
            self.killed += 1
            if lane is QUICK:
                raise _Late from None
            raise Stopped("too_slow") from None
        except (asyncio.IncompleteReadError, OSError):  # the kernel ended it: memory or CPU
            self.killed += 1
            raise Stopped("too_large") from None
        finally:
            request["spent"] = request.get("spent", 0.0) + time.monotonic() - begun
            self._give_back(worker, fit)
        if lane is QUICK and header["late"]:
            raise _Late
        if "refused" in header:
            raise Stopped(header["refused"])
        return header, body

    async def change(self, warm: dict[str, Any]) -> None:
        """Makes all workers ready for another release, one after the other, while the rest go on answering."""
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

    def _give_back(self, worker: _Worker, fit: bool) -> None:
        if fit:
            self._free[worker.lane].put(worker)
        else:
            self._end(worker)
            self._add_soon(worker.lane)

    async def close(self) -> None:
        """Ends all workers and the nursery."""
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

    async def _take(self, lane: Lane, address: str) -> _Worker:
        while True:
            worker = await self._free[lane].get(address)
            if not worker.reader.at_eof():
                return worker
            self._end(worker)  # died while it had nothing to do
            self._add_soon(lane)

    def _end(self, worker: _Worker) -> None:
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
        """Adds one worker, warm; tries again each second where that fails, and says so."""
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

    async def _fork(self, lane: Lane) -> _Worker:
        loop = asyncio.get_running_loop()
        async with self._lock:
            control = self._nursery_control()
            ours, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(control, [f"fork {lane.nice}".encode()], [theirs.fileno()])
            pid = int(await asyncio.wait_for(loop.sock_recv(control, 64), START_SECONDS) or b"0")
        if not pid:
            ours.close()
            raise OSError("the nursery ended")
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        worker = _Worker(lane, pid, reader, writer)
        self._all.add(worker)
        return worker

    def _nursery_control(self) -> socket.socket:
        """The socket to a nursery that runs; a new one is started where there is none."""
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


async def _exchange(worker: _Worker, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    worker.writer.write(pack(request))
    await worker.writer.drain()
    header, body = await unpack_from_stream(worker.reader)
    worker.open = header["open"]
    return header, body
