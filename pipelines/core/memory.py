"""Memory of a run: its limit, and returning freed memory to the system between stages.

Belongs here: the share of the machine that DuckDB may take, beyond which it works on disk, and returning what a stage held: it is
free when the stage ends, but Python's allocators and Arrow's keep it for themselves, while dbt, a process of its own, asks for
more. Not here: the limits of the processes that read files (pipelines/intake/pool.py) or answer queries (publish/site).
"""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path

SHARE = 4  # a run may take this part of the machine's memory: others live on it too
LEAST = 500  # megabytes; enough for any city, on disk
_CGROUP = Path("/sys/fs/cgroup/memory.max")  # a container's limit (cgroup v2); "max" where there is none
_allowed = 0


def allow(megabytes: int) -> None:
    """Set DuckDB's memory limit in this process and in dbt's, in MB; 0: a quarter of the machine's or container's memory."""
    global _allowed
    _allowed = megabytes


def allowance() -> int:
    """DuckDB's memory limit in MB."""
    return _allowed or max(LEAST, _whole() // SHARE // 1_000_000)


def _whole() -> int:
    """Bytes of memory of the machine, or of the container where that is less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        bound = _CGROUP.read_text().strip()
    except OSError:
        return whole
    return min(whole, int(bound)) if bound.isdigit() else whole


def give_back() -> None:
    """Return free memory to the system, where the C library can (glibc's malloc_trim); elsewhere only Arrow's."""
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
