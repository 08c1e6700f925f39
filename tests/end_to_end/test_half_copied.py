"""A file that is half copied leaves the last release as it is; the next run takes it whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import MadeUp, mingzhang

pytestmark = pytest.mark.slow


def test_a_half_copied_file_leaves_the_last_release(made_up: MadeUp, tmp_path: Path) -> None:
    home, more = tmp_path / "home", tmp_path / "more"
    shutil.copytree(made_up.home, home, symlinks=True)
    more.mkdir()
    whole = "单位名称,停车场名称,开放车位数,是否开放,开放日期\n" + "".join(
        f"市示范局,{n}号院,{n},是,2025-03-0{n}\n" for n in range(1, 9)
    )
    (more / "停车.csv").write_text(whole[: len(whole) // 2], encoding="utf-8")
    inboxes = ("--inbox", made_up.folder / "inbox", "--inbox", more)
    ran = mingzhang("run", "--home", home, *inboxes, "--as-of", "2025-12-31", "--json")
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert (report["release"], report["release_state"]) == (made_up.report["release"], "unchanged")
    assert report["left"] == ["停车.csv"] and report["files"]["new"] == 0
    assert [p.name for p in (home / "releases").iterdir()] == [made_up.report["release"]]
