"""Ports for the servers that tests start. Belongs here: nothing else."""

from __future__ import annotations

import itertools
import os
import socket

# Below the range from which the system gives ports to outgoing connections (from 32768 on), so that none of the
# many connections of tests takes a port between asking for it and listening on it.
_FIRST, _LAST = 20_000, 32_000
_next = itertools.count(os.getpid() * 97)  # each process begins elsewhere; none asks for the same one twice


def free_ports(n: int) -> list[int]:
    """`n` ports of 127.0.0.1 on which nothing listens, none given before by this process."""
    found: list[int] = []
    for i in itertools.islice(_next, _LAST - _FIRST):
        port = _FIRST + i % (_LAST - _FIRST)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == n:
            return found
    raise OSError(f"no {n} free ports between {_FIRST} and {_LAST}; end what listens there and try again")


def free_port() -> int:
    return free_ports(1)[0]
