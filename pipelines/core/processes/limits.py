"""Limits that a process sets itself before it works on what others wrote: memory, files, time, network.

Belongs here: the calls of the kernel and of Python that bound a process. Not here: how much a given child may have; it says so itself.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_FORBIDDEN_PREFIXES = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.remove")
_FORBIDDEN = frozenset(
    {"os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink", "os.truncate", "urllib.Request"}
)


@dataclass(frozen=True)
class Limits:
    """Limits of one process. None or False: not limited.

    `memory`: bytes of address space; `growth`: the same, beyond what is mapped when the limits are set. `reserve`: bytes that
    `use_reserve` may add to `memory`. `file_bytes`: the largest file it may write. `isolated`: no network where the system permits
    that, and no effect outside the process through Python (see `_forbid`). A core file is never written.
    """

    memory: int | None = None
    growth: int | None = None
    reserve: int = 0
    file_bytes: int | None = None
    open_files: int | None = None
    nice: int = 0
    isolated: bool = False

    def apply(self) -> bool:
        """Set the limits of this process; return False where it was to be cut off from the network and the system refused."""
        memory = self.memory if self.growth is None else address_space()[0] + self.growth
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory + self.reserve))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_bytes, self.file_bytes))
        if self.open_files is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files, self.open_files))
        if self.nice:
            os.nice(self.nice)
        return _isolate() if self.isolated else True


def use_reserve(limits: Limits, wanted: bool) -> None:
    """Let this process use the reserve of its limits from now on, or no longer."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard if wanted else hard - limits.reserve, hard))


def address_space() -> tuple[int, int]:
    """Address space and resident set of this process in bytes. Libraries map much that they never touch."""
    size, resident = Path("/proc/self/statm").read_text().split()[:2]
    page = resource.getpagesize()
    return int(size) * page, int(resident) * page


def end_after(processor: float, clock: float) -> None:
    """End this process after so many seconds of processor time from now, or by the clock; 0: never.

    Processor time is the cost of a job whatever else the machine does; the clock ends a job that waits without working.
    """
    signal.setitimer(signal.ITIMER_PROF, processor)
    signal.setitimer(signal.ITIMER_REAL, clock)


def end_on_time() -> None:
    """Give the signals of `end_after` their default action, which ends the process wherever it is, in C or Rust too."""
    for late in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(late, signal.SIG_DFL)


def processor_left() -> float:
    """Seconds of processor time until `end_after` ends this process."""
    return signal.getitimer(signal.ITIMER_PROF)[0]


def cap_processor(seconds: int) -> None:
    """Have the kernel end this process after so many seconds of processor time more, in whole seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, resource.RLIM_INFINITY))


def _isolate() -> bool:
    sys.dont_write_bytecode = True
    libc = ctypes.CDLL(None, use_errno=True)
    # Root needs no user namespace, and in one would lose the right to read what others own.
    failed = libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER)
    sys.addaudithook(_forbid)
    return not failed


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: refuse Python code every write, process and connection. It cannot be removed again."""
    if event == "open":
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & _WRITES:
            raise PermissionError("a reading process writes nowhere")
    elif event.startswith(_FORBIDDEN_PREFIXES) or event in _FORBIDDEN:
        raise PermissionError(f"a reading process may not do {event}")
