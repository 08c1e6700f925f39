"""The home folder is private where it must be, held by one run, and never shows half a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core.home import Home, HomeBusy, whole_file


def test_the_archive_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "h").create()
    assert home.archive.stat().st_mode & 0o777 == 0o700
    assert home.work.stat().st_mode & 0o777 == 0o700


def test_a_second_run_is_told_who_holds_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    code = f"""
import sys
from pathlib import Path
from pipelines.core.home import Home
with Home(Path({str(tmp_path)!r})).locked():
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(HomeBusy, match=rf"process {other.pid}\) is working on .*wait until it ends"), home.locked():
            pass
        other.communicate("")
    with home.locked():
        pass


def test_half_a_file_is_never_visible(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with whole_file(path) as part:
        part.write_text("new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_durable_file_is_on_the_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        fsync(handle)

    def renamed(self: Path, target: Path) -> Path:
        done.append(f"rename {self.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    with whole_file(tmp_path / "note", durable=True) as part:
        part.write_text("decides")
    assert done == ["sync .note.part", "rename .note.part", f"sync {tmp_path.name}"]
    with whole_file(tmp_path / "data") as part:
        part.write_text("can be made again")
    assert done[3:] == ["rename .data.part"]
