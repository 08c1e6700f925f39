"""What a run may take of the machine's memory, and that what a stage frees goes back to the system."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path

import psutil
import pytest

from pipelines.core import memory
from pipelines.core.duck import scratch
from pipelines.core.home import Home
from pipelines.core.memory import allow, allowance, give_back
from pipelines.statistics.run import environment, failure, target


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told to give memory back")
def test_what_is_free_goes_back_to_the_system() -> None:
    held = [bytes(900) for _ in range(200_000)]  # in pieces small enough for the allocator to keep
    fence = [bytes(900) for _ in range(10)]
    most = psutil.Process().memory_info().rss
    del held
    give_back()
    assert psutil.Process().memory_info().rss < most - 100_000_000
    assert fence


def test_a_run_may_take_a_quarter_of_the_machine_or_what_it_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cgroup = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP", cgroup)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for written, bytes_ in (("max", whole), ("8000000000", min(whole, 8_000_000_000)), ("100000000", 2_000_000_000)):
        cgroup.write_text(written + "\n")
        assert allowance() == max(500, bytes_ // 4_000_000)
    try:
        allow(1234)
        with scratch() as con:
            assert con.execute("select current_setting('memory_limit')").fetchone() == ("1.1 GiB",)
        assert environment(Home(tmp_path), date(2025, 12, 31))["MINGZHANG_MEMORY_LIMIT"] == "1234MB"
    finally:
        allow(0)


def test_statistics_that_need_more_say_which_setting_gives_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    target(home).mkdir(parents=True)
    of = {
        "unique_id": "model.mingzhang.int_facts",
        "status": "error",
        "message": "Runtime Error\n  Out of Memory Error: failed",
    }
    (target(home) / "run_results.json").write_text(json.dumps({"results": [of]}))
    said = str(failure(home))
    assert said.startswith("dbt's model int_facts needs more memory than the") and "MINGZHANG_MEMORY" in said
