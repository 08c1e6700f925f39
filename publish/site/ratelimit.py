"""How much one address may ask for: generous to whoever reads, and an end to whoever hammers.

Belongs here: counting by address, and how long to wait. Not here: whose address it is (serve.py says which proxies are
believed), or the answer 429 (app.py).

Two things are counted, because they cost different things: answers that had to be made (one that was kept costs nothing
and is not counted), and the seconds that a visitor's own SQL kept a process busy. Both are token buckets: so much at once,
so much each second ever after.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

ADDRESSES = 20_000  # remembered at a time; the one that was heard of longest ago is forgotten first


@dataclass(frozen=True)
class Rate:
    """`burst` at once, and `each_second` ever after; 0 each second means no limit."""

    burst: float
    each_second: float


class Bucket:
    """How much each address has left of one Rate. Not for threads: the server has one loop."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic):
        self.rate = rate
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what was left, and when

    def wait(self, address: str, amount: float = 0.0) -> int:
        """0 where the address has `amount` left, or anything where that is 0; else the whole seconds until it has."""
        if not self.rate.each_second:
            return 0
        left = self._have(group(address))
        if left > 0 and left >= amount:
            return 0
        return max(1, math.ceil((amount - left) / self.rate.each_second))

    def spend(self, address: str, amount: float = 1.0) -> None:
        """Takes what was used; it may go below nothing, and is then waited for."""
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
    """What counts as one: an IPv4 address, or the /64 of an IPv6 address, of which one household has 2**64."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:50]  # a socket in the file system, or already a group
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)
