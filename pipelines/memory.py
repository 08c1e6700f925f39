"""Giving memory back to the system between stages, so that a run needs what its hungriest stage needs and not the sum.

Belongs here: that one call. What a stage held is free when it ends, but Python's allocators and Arrow's keep it for
themselves, while dbt, a process of its own, asks for more.
"""

from __future__ import annotations

import ctypes
import gc

import pyarrow as pa


def give_back() -> None:
    """Returns what is free to the system, where its C library can (glibc's malloc_trim); elsewhere it does less."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
