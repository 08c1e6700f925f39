"""A disk that fills up in any stage: one sentence, nothing lost, and the next run ends where an undisturbed one does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import mingzhang
from tests.long.city import DAY, make_city, released

PARTS = (0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.85, 0.95)  # of what an undisturbed run needs
SAMPLE = (0.3, 0.85)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.xdist_group("full-disk")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a small file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512M", "none", str(folder)], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system can be mounted by root alone: this test of a full disk was SKIPPED")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("full-disk")
    make_city(base)
    return base / "files"


@pytest.fixture(scope="module")
def ends(inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], int]:
    """The release of an undisturbed run, and the bytes its home takes."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    assert mingzhang("run", "--home", home, "--inbox", inbox, "--as-of", DAY).returncode == 0
    return released(home), sum(p.stat().st_size for p in home.rglob("*") if p.is_file() and not p.is_symlink())


@pytest.mark.parametrize("part", [pytest.param(p, marks=[] if p in SAMPLE else pytest.mark.long) for p in PARTS])
def test_a_full_disk_costs_a_run_and_nothing_else(
    inbox: Path, disk: Path, ends: tuple[dict[str, str], int], part: float
) -> None:
    released_then, size = ends
    _resize(disk, int(size * part))
    home = disk / "home"
    ran = mingzhang("run", "--home", home, "--inbox", inbox, "--as-of", DAY)
    said = ran.stderr.strip().splitlines()
    assert ran.returncode != 0 and "Traceback" not in ran.stderr
    assert said and "full" in said[-1].lower(), ran.stderr[-500:]
    assert not (home / "current").exists()

    _resize(disk, size * 4)
    again = mingzhang("run", "--home", home, "--inbox", inbox, "--as-of", DAY)
    assert again.returncode == 0, again.stderr[-500:]
    assert released(home) == released_then
    shutil.rmtree(home)


def _resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
