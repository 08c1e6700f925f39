"""Each run's log is kept, of the newest runs; it says how the run began and ended, also while the run works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.core import run_logs
from pipelines.core.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def test_a_second_run_does_not_overwrite_the_log_of_the_first(home: Home) -> None:
    for n in range(2):
        with run_logs.opened(home) as log:
            print(f"words of run {n}", file=log)
            assert f"words of run {n}" in Path(log.name).read_text(encoding="utf-8")  # while it works
    first, second = (p.read_text(encoding="utf-8") for p in run_logs.kept(home))
    assert "words of run 0" in first and "words of run 1" in second
    assert re.match(r"\d{4}-\d\d-\d\dT\S+[+-]\d\d:\d\d begins, mingzhang 0\.\S+, process \d+\n", first)
    assert first.endswith(" ended\n")
    assert {p.stat().st_mode & 0o777 for p in run_logs.kept(home)} == {0o600}


def test_the_log_of_a_run_that_failed_says_by_what(home: Home) -> None:
    with pytest.raises(RuntimeError), run_logs.opened(home):
        raise RuntimeError("the model x is wrong")
    text = run_logs.kept(home)[0].read_text(encoding="utf-8")
    assert "RuntimeError: the model x is wrong\n" in text and text.endswith(" ended by RuntimeError\n")


def test_the_newest_logs_are_kept_and_the_one_being_written_whatever_the_clock(home: Home) -> None:
    run_logs.folder(home).mkdir()
    for n in range(run_logs.KEPT + 5):
        (run_logs.folder(home) / f"2099{n:04d}T000000.000000Z-1.log").touch()
    with run_logs.opened(home) as log:
        assert Path(log.name).is_file()
    kept = [p.name[:8] for p in run_logs.kept(home)]
    assert len(kept) <= run_logs.KEPT + 1 and kept[-1] == f"2099{run_logs.KEPT + 4:04d}"
