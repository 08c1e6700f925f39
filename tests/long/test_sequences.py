"""Step by step or from nothing: after any sequence of new, corrected and withdrawn files the release is the same to the byte."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.long.city import Events, copy_of, forget_all_that_can_be_made_anew, make_city, released, run

SAMPLE, ALL = 1, 50
STEPS = 3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.xdist_group("sequences")]


@dataclass(frozen=True)
class Begun:
    """A home with a release, where it was made; its inbox, and the files that have not come yet."""

    home: Path
    inbox: Path
    kept_home: Path
    kept_inbox: Path
    later: list[Path]

    def again(self) -> None:
        """Puts the home and the inbox back: at the same place, because a home that was moved is made anew."""
        for now, kept in ((self.home, self.kept_home), (self.inbox, self.kept_inbox)):
            shutil.rmtree(now, ignore_errors=True)
            shutil.copytree(kept, now, symlinks=True)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    base = tmp_path_factory.mktemp("sequences")
    files = make_city(base)
    later = random.Random(0).sample(files, len(files) // 4)
    out = Begun(base / "home", base / "inbox", base / "kept-home", base / "kept-inbox", later)
    out.inbox.mkdir()
    for path in files:
        if path not in later:
            shutil.copy2(path, out.inbox / path.name)
    assert run(out.home, out.inbox).release_state == "new"
    shutil.copytree(out.home, out.kept_home, symlinks=True)
    shutil.copytree(out.inbox, out.kept_inbox)
    return out


@pytest.mark.parametrize("seed", [pytest.param(n, marks=[] if n < SAMPLE else pytest.mark.long) for n in range(ALL)])
def test_step_by_step_gives_what_a_run_from_nothing_gives(begun: Begun, tmp_path: Path, seed: int) -> None:
    begun.again()
    events = Events(seed, begun.home, begun.inbox, begun.later)
    for step in range(STEPS):
        events.happen()
        if step == STEPS - 1:
            other = copy_of(begun.home, tmp_path / "other")
        report = run(begun.home, begun.inbox)
    forget_all_that_can_be_made_anew(other)
    fresh = run(other, begun.inbox, full=True)
    told = "; ".join(events.happened)
    assert (report.release, report.release_state) == (fresh.release, fresh.release_state), told
    assert released(begun.home) == released(other), told
    assert (report.rows, report.issues, report.records) == (fresh.rows, fresh.issues, fresh.records), told
