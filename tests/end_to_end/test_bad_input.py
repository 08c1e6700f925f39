"""Each thing that can go wrong from outside ends with one sentence, the right exit status, and the last release untouched."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.core.home import Home
from tests.conftest import ROOT, MadeUp, mingzhang

pytestmark = [pytest.mark.slow]


@pytest.fixture
def home(made_up: MadeUp, tmp_path: Path) -> Path:
    """A home with a release, of the test's own."""
    return shutil.copytree(made_up.home, tmp_path / "home", symlinks=True)


def one_sentence(stderr: str) -> str:
    lines = [line for line in stderr.strip().splitlines() if line]
    assert lines and lines[0].startswith("mingzhang: ") and "Traceback" not in stderr, stderr
    return " ".join(lines)


def test_a_missing_inbox(home: Path, tmp_path: Path) -> None:
    before = (home / "current").readlink()
    ran = mingzhang("run", "--home", home, "--inbox", tmp_path / "nowhere")
    assert ran.returncode == 2
    assert "There is no inbox at" in one_sentence(ran.stderr) and "give another --inbox" in ran.stderr
    assert (home / "current").readlink() == before


def test_a_second_run_on_the_same_home(home: Path, made_up: MadeUp) -> None:
    before = (home / "current").readlink()
    with Home(home).locked():
        ran = mingzhang("run", "--home", home, "--inbox", made_up.folder / "inbox")
    assert ran.returncode == 1
    assert f"Another run (process {os.getpid()}) is working on" in one_sentence(ran.stderr)
    assert (home / "current").readlink() == before


def test_a_contract_with_a_mistake(home: Path, made_up: MadeUp, tmp_path: Path) -> None:
    before = (home / "current").readlink()
    folder = tmp_path / "contracts"
    folder.mkdir()
    text = (ROOT / "expectations" / "contracts" / "trainings.yaml").read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(
        text.replace("name: trainings", "name: mine").replace("classification: L0", "classification: L9", 1),
        encoding="utf-8",
    )
    ran = mingzhang("run", "--home", home, "--inbox", made_up.folder / "inbox", "--contracts", folder)
    assert ran.returncode == 2
    said = one_sentence(ran.stderr)
    assert "mine.yaml" in said and "L9" in said and "write L0, L1, L2 or L3" in said
    assert (home / "current").readlink() == before


def test_an_unreadable_file_is_rejected_and_the_rest_goes_on(home: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    ran = mingzhang("run", "--home", home, "--inbox", inbox, "--as-of", "2025-12-31")
    assert ran.returncode == 0, ran.stderr
    assert "1 seen, 1 new, 1 read" in ran.stdout


def test_a_date_that_is_none(home: Path, tmp_path: Path) -> None:
    ran = mingzhang("run", "--home", home, "--inbox", tmp_path, "--as-of", "31.12.2025")
    assert ran.returncode == 2 and "write it as 2025-12-31" in ran.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, which only root can make."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk needs root: the full-disk test did not run")
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("this machine does not let a test mount a small disk: the full-disk test did not run")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk(small_disk: Path, made_up: MadeUp) -> None:
    ran = mingzhang("run", "--home", small_disk / "home", "--inbox", made_up.folder / "inbox")
    assert ran.returncode == 1
    said = one_sentence(ran.stderr)
    assert "full" in said or "No space left" in said
    assert not (small_disk / "home" / "current").exists()
