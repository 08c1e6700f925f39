"""Every real spreadsheet ends in a report: no crash, no hang over 30 s, no memory over 1 GB."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from pipelines.check import check_files
from pipelines.core.home import Home
from pipelines.intake.pool import MEMORY, SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.realdata]
PARTS = ("zhuzhou", "cn", "energy", "nasty")


def test_the_limits_are_those_promised() -> None:
    assert MEMORY <= 1_000_000_000 and SECONDS <= 30


@pytest.mark.parametrize("part", PARTS)
def test_every_file_ends_in_a_report(shared: Path, tmp_path: Path, part: str) -> None:
    files = sorted(p for p in (shared / "realdata" / part).rglob("*") if p.is_file() and p.suffix != ".md")
    assert files
    start = time.monotonic()
    reports = check_files(files, load_contracts(), Home(tmp_path / "none"))
    # Each is killed after 30 s; all together must not take longer than a few that hang would.
    assert time.monotonic() - start < 30 * 8
    assert {r.status for r in reports} <= {"accepted", "partial", "rejected"}
    # A zip counts as its members; the same bytes under another name are reported under both.
    assert {f.name for f in files} == {r.name.split("/")[0] for r in reports}
    for r in reports:
        assert r.status != "rejected" or (r.reason and r.issues), r.name
        for s in r.sheets:
            assert s["rows_read"] == s["rows_accepted"] + s["rows_quarantined"] + s["rows_explained"], r.name
