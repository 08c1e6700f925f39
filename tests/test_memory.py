"""What a stage frees goes back to the system."""

from __future__ import annotations

import sys

import psutil
import pytest

from pipelines.memory import give_back


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to give memory back")
def test_what_is_free_goes_back_to_the_system() -> None:
    held = [bytes(900) for _ in range(200_000)]  # in pieces small enough for the allocator to keep
    fence = [bytes(900) for _ in range(10)]
    most = psutil.Process().memory_info().rss
    del held
    give_back()
    assert psutil.Process().memory_info().rss < most - 100_000_000
    assert fence
