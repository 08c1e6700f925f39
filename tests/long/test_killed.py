"""A run that is killed at any moment: readers see a whole release or the last one, and the next run ends where an undisturbed one does."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipelines.core.home import Home
from publish.release import store
from tests.conftest import ROOT
from tests.long.city import DAY, make_city, released, run

SAMPLE, ALL = 2, 50  # of each two, one in a first run and one in a run with a file more

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.xdist_group("killed")]


@dataclass(frozen=True)
class Undisturbed:
    """An inbox, the home that runs begin with (None for a first run), what one run makes of both, and how long it took (s)."""

    inbox: Path
    begins: Path | None
    home: Path
    ends: dict[str, str]
    seconds: float


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Undisturbed]:
    base = tmp_path_factory.mktemp("killed")
    files = make_city(base)
    home, out = base / "home", {}
    for kind, some in (("first", files[:-1]), ("one file more", files)):
        inbox = base / kind
        inbox.mkdir()
        for path in some:
            shutil.copy2(path, inbox / path.name)
        begins = shutil.copytree(home, base / f"before {kind}", symlinks=True) if home.exists() else None
        begin = time.monotonic()
        assert _run(home, inbox).wait() == 0
        out[kind] = Undisturbed(inbox, begins, home, released(home), time.monotonic() - begin)
    return out


def _run(home: Path, inbox: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", "run", "--home", str(home), "--inbox", str(inbox)]
    return subprocess.Popen(
        [*command, "--as-of", DAY], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The run and all it started, at once, as a machine that loses power does."""
    try:
        every = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        every = []
    for p in every:
        try:
            p.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    process.wait()


@pytest.mark.parametrize("n", [pytest.param(n, marks=[] if n < SAMPLE else pytest.mark.long) for n in range(ALL)])
def test_the_next_run_ends_where_an_undisturbed_one_does(kinds: dict[str, Undisturbed], n: int) -> None:
    kind = "first" if n % 2 == 0 else "one file more"
    u = kinds[kind]
    shutil.rmtree(u.home)
    if u.begins is not None:
        shutil.copytree(u.begins, u.home, symlinks=True)
    before = str(u.home.joinpath("current").readlink()) if u.begins is not None else ""
    after = random.Random(n).uniform(0, u.seconds)
    process, begin = _run(u.home, u.inbox), time.monotonic()
    seen = set()
    while time.monotonic() - begin < after and process.poll() is None:
        seen |= _seen(u.home)
        time.sleep(0.1)
    _kill(process)
    seen |= _seen(u.home)
    assert seen <= {before, u.ends["current"]}, f"killed after {after:.1f} s: a reader saw {seen}"

    run(u.home, u.inbox)
    assert released(u.home) == u.ends, f"killed after {after:.1f} s"


def _seen(home: Path) -> set[str]:
    """What a reader finds at HOME/current: '' for nothing, 'damaged' for a release of which a file is not what it should be."""
    if not (home / "current").exists():
        return {""}
    return {str((home / "current").readlink()) if store.verify(Home(home), "current") == [] else "damaged"}
