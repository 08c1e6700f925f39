"""Each act leaves one durable line in the audit log, before it takes effect."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core import audit
from pipelines.core.home import Home
from pipelines.core.settings import Settings
from pipelines.sources import decisions

ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


def test_a_line_says_when_who_which_release_and_what(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_ACTOR", " 统计科 王工 ")
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    home.current.symlink_to("releases/2025-12-31-0123abcd")
    audit.write(home, "backed_up", to="x.tar.gz", files=3)
    audit.write(home, "released", "2025-12-31-89abcdef")
    (first, second), damaged = audit.read(home)
    assert damaged == []
    assert ZONED.fullmatch(first.at) and first.act == "backed_up" and first.what == {"to": "x.tar.gz", "files": 3}
    assert (first.account, first.actor) == (pwd.getpwuid(os.getuid()).pw_name, "统计科 王工")
    assert (first.release, second.release) == ("2025-12-31-0123abcd", "2025-12-31-89abcdef")
    assert audit.path(home).stat().st_mode & 0o777 == 0o600


def test_a_line_is_on_the_disk_before_the_act_goes_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(Path(f"/proc/self/fd/{handle}").readlink().name))
    audit.write(home, "released", "2025-12-31-0123abcd")
    assert synced == [audit.PATH, "archive"]


def test_a_line_cut_by_a_crash_is_told_of_and_the_next_one_stands(home: Home) -> None:
    for act in ("released", "rolled_back"):
        audit.write(home, act, "2025-12-31-0123abcd")
    whole = audit.path(home).read_bytes()
    audit.path(home).write_bytes(whole[:-20])
    audit.write(home, "released", "2025-12-31-0123abcd")
    lines, damaged = audit.read(home)
    assert [x.act for x in lines] == ["released", "released"] and damaged == [2]


def test_lines_of_several_processes_are_whole(home: Home) -> None:
    code = f"""
from pathlib import Path
from pipelines.core import audit
from pipelines.core.home import Home
for n in range(30):
    audit.write(Home(Path({str(home.root)!r})), "released", words=["x" * 3000])
"""
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [p.wait() for p in running] == [0, 0]
    lines, damaged = audit.read(home)
    assert len(lines) == 60 and damaged == []


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("accept", "accepted"),
        ("figure", "corrected"),
        ("withdraw", "withdrawn"),
        ("cell", "patched"),
        ("final", "declared_final"),
        ("undo", "undone"),
    ],
)
def test_a_decision_leaves_a_line_without_its_value(home: Home, kind: str, act: str) -> None:
    decisions.add(home, kind, "2025-12-31-0123abcd", "王某", "更正", details={"value": "机密数值91823"})
    (line,), _ = audit.read(home)
    (decision,) = decisions.read(home)
    assert line.act == act and line.what["by"] == "王某" and line.what["decided_at"] == decision.decided_at
    assert "91823" not in audit.path(home).read_text(encoding="utf-8")


def test_without_its_line_there_is_no_act(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit, "write", full)
    with pytest.raises(OSError, match="No space"):
        decisions.add(home, "withdraw", "a.xlsx", "王某", "报送有误")
    assert decisions.read(home) == []


def test_the_actor_reaches_what_a_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_ACTOR", "王工")
    assert Settings.read().environment()["MINGZHANG_ACTOR"] == "王工"


def test_a_line_is_json_of_these_fields_alone(home: Home) -> None:
    audit.write(home, "released")
    line = json.loads(audit.path(home).read_text(encoding="utf-8"))
    assert list(line) == ["at", "act", "account", "actor", "release", "what"]
