"""The process that runs public SQL, and the process that makes such processes.

Belongs here: the nursery, which has everything imported and forks workers on demand, and the worker, which answers one
request at a time through the same pages, under limits of the kernel. Not here: assigning requests, time limits (pool.py).

A worker forked from the nursery is ready in some 20 ms; a new interpreter would import for a second, and an attacker could
keep a server busy with nothing but starting.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from pipelines.core.processes.frames import pack, unpack_from
from pipelines.core.processes.limits import Limits, address_space, cap_processor
from publish.site.database import stable_order
from publish.site.inner import ask, inner_scope
from publish.site.instance import Instance
from publish.site.routes import table_of
from publish.site.templating import compile_all

log = logging.getLogger("mingzhang.site.worker")

HEAP_LIMIT = 16 << 20  # SQLite's own
ADDRESS_SPACE = 160 << 20  # above what the process has when it begins
OPEN_FILES = 64
CPU_SECONDS = 3  # of a request, by the kernel; the supervisor kills long before, unless it is delayed itself
REQUEST_SECONDS = 0.6  # all queries of one request together, by default
ANSWER_BYTES = 4_500_000  # of the finished JSON, CSV or HTML
RECYCLE_BYTES = 24 << 20  # growth at which a worker is replaced
KEPT_RELEASES = 3


def limit_process(nice: int) -> None:
    """Set the kernel's limits: memory, no file written, no core, few files open. `nice`: pages come first."""
    Limits(growth=ADDRESS_SPACE, file_bytes=0, open_files=OPEN_FILES, nice=nice).apply()


class Worker:
    """Answers requests for any kept release; the instances of the last few stay open."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.instances: OrderedDict[tuple[str, str], Instance] = OrderedDict()
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)

    def run(self) -> None:
        _, first = address_space()
        while True:
            try:
                request, _ = unpack_from(self.sock.recv)
            except EOFError:
                return
            cap_processor(CPU_SECONDS)
            header, answer = self.loop.run_until_complete(self.answer(request))
            header.setdefault("late", False)
            header["open"] = [list(key) for key in self.instances]
            header["last"] = address_space()[1] - first > RECYCLE_BYTES
            self.sock.sendall(pack(header, answer))
            if header["last"]:
                return

    async def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            instance = await self.instance(Path(request["folder"]), request["base_url"])
            if request.get("only_open"):
                return {}, b""
            instance.db.allow(request.get("seconds", REQUEST_SECONDS))
            table = table_of(request["route"], instance.facts.tables)
            with stable_order(table):
                scope = inner_scope(request["scheme"], request["host"], request["path"], request["query"])
                answer = await ask(instance.app, scope, ANSWER_BYTES)
            headers = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in answer.headers]
            late = instance.db.is_late() and answer.status >= 400
            return {"status": answer.status, "headers": headers, "late": late}, answer.body
        except MemoryError:
            return {"refused": "too_large"}, b""

    async def instance(self, folder: Path, base_url: str) -> Instance:
        key = (str(folder), base_url)
        if key not in self.instances:
            made = Instance(folder, base_url, in_worker=True, heap_limit=HEAP_LIMIT)
            await made.start()
            self.instances[key] = made
            while len(self.instances) > KEPT_RELEASES:
                self.instances.popitem(last=False)[1].close()
        self.instances.move_to_end(key)
        return self.instances[key]


def nursery(control: socket.socket) -> None:
    """Fork a worker for each socket received, kill one on demand, and end with the server.

    `control` is a SOCK_SEQPACKET: `fork <nice>` with a socket is answered with the worker's process id; `kill <pid>` ends
    a worker. Only this process waits for its children, so an id that it holds is never reused.
    """
    compile_all()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server decides when to end
    children: set[int] = set()
    control.settimeout(0.5)
    while True:
        while children and (ended := os.waitpid(-1, os.WNOHANG)[0]):
            children.discard(ended)
        try:
            message, fds, _, _ = socket.recv_fds(control, 64, 1)
        except TimeoutError:
            continue
        if not message:
            break
        word, _, argument = message.decode().partition(" ")
        if word == "fork":
            pid = os.fork()
            if pid == 0:
                control.close()
                _be_worker(fds[0], int(argument))
            children.add(pid)
            os.close(fds[0])
            try:
                control.send(str(pid).encode())
            except OSError:
                break  # the server ended
        elif word == "kill" and int(argument) in children:
            os.kill(int(argument), signal.SIGKILL)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _be_worker(fd: int, nice: int) -> None:
    status = 1
    try:
        limit_process(nice)
        Worker(socket.socket(fileno=fd)).run()
        status = 0
    except BrokenPipeError:
        status = 0  # the server no longer wants the answer
    except MemoryError:
        pass  # reported by the status; a log line would need memory
    finally:
        os._exit(status)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    nursery(socket.socket(fileno=int(sys.argv[1])))
