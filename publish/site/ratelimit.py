"""Rate limits per client: token buckets.

Belongs here: counting by client, and the time to wait. Not here: the address of a client (serve.py: trusted proxies), the
answer 429 (responses.py).

Two things are counted, because they cost different things: answers that had to be made (a cached one is not counted), and
seconds of a worker process for a visitor's own SQL.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ADDRESSES = 20_000  # clients remembered at a time; the least recently seen is forgotten first


@dataclass(frozen=True)
class Rate:
    """A token bucket: `burst` tokens at most, refilled by `each_second`; 0 each second means no limit."""

    burst: float
    each_second: float


class Bucket:
    """The tokens that each client has left of one Rate. Not thread-safe: the server has one event loop."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic):
        self.rate = rate
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when

    def wait(self, address: str, amount: float = 0.0) -> int:
        """Return 0 where the client has `amount` tokens (or any, where that is 0), else the whole seconds until it has."""
        if not self.rate.each_second:
            return 0
        left = self._have(group(address))
        if left > 0 and left >= amount:
            return 0
        return max(1, math.ceil((amount - left) / self.rate.each_second))

    def spend(self, address: str, amount: float = 1.0) -> None:
        """Take tokens; the balance may become negative."""
        if not self.rate.each_second:
            return
        key = group(address)
        self._left[key] = (self._have(key) - amount, self._now())
        self._left.move_to_end(key)
        while len(self._left) > ADDRESSES:
            self._left.popitem(last=False)

    def _have(self, key: str) -> float:
        left, then = self._left.get(key, (self.rate.burst, self._now()))
        return min(self.rate.burst, left + (self._now() - then) * self.rate.each_second)


def group(address: str) -> str:
    """Return the key of a client: its IPv4 address, or the /64 of its IPv6 address, of which one household has 2**64."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:50]  # a socket in the file system, or already a group
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)
