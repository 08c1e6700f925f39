"""A home backed up while a run works on it, restored elsewhere, goes on as the first one does; and the audit log has each act."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.backup import back_up, restore
from pipelines.core import audit, run_logs
from pipelines.core.home import Home
from pipelines.sources.ledger import Ledger
from publish.release import bill, store
from tests.conftest import ROOT, mingzhang
from tests.long.city import DAY, released

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("backup"), pytest.mark.timeout(1800)]

PASSWORD = "hunter2-of-the-inbox"
HEAD = "错时开放停车场统计表,,,,\n填报单位：{who},,,年度：{year},\n单位名称,停车场,车位数（个）,起始日期,是否开放\n"


def lots(inbox: Path, who: str, year: int, spaces: int) -> Path:
    """A small sheet of one school."""
    path = inbox / f"{who}{year}.csv"
    rows = "".join(f"{who},{lot},{spaces + n},{year}年3月{n + 1}日,是\n" for n, lot in enumerate("东西南北"))
    path.write_text(HEAD.format(who=who, year=year) + rows, encoding="utf-8")
    os.utime(path, (1_700_000_000 + spaces, 1_700_000_000 + spaces))
    return path


@dataclass(frozen=True)
class Ran:
    """An inbox, and the home whose second run was backed up at several moments."""

    inbox: Path
    home: Home
    backups: list[Path]


def command(home: Home, inbox: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "pipelines.cli",
        "run",
        "--home",
        str(home.root),
        "--inbox",
        str(inbox),
        "--as-of",
        DAY,
    ]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One release of two schools, then a run with a third school's file, which is backed up again and again while it works."""
    base = tmp_path_factory.mktemp("backup")
    inbox, home = base / "inbox", Home(base / "home")
    inbox.mkdir()
    lots(inbox, "示范市第一中学", 2023, 100)
    lots(inbox, "示范市第二中学", 2024, 200)
    first = subprocess.run(command(home, inbox), cwd=ROOT, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    lots(inbox, "示范市第三中学", 2024, 300)
    backups = []
    with subprocess.Popen(command(home, inbox), cwd=ROOT, stdout=subprocess.DEVNULL) as second:
        while second.poll() is None:
            to = base / f"{len(backups)}.tar.gz"
            back_up(home, to)
            if second.poll() is None:  # all of it was while the other process worked
                backups.append(to)
            time.sleep(2 + len(backups) / 2)  # a backup works too, and a run is not to wait for it
        assert second.returncode == 0
    assert len(backups) >= 4
    return Ran(inbox, home, backups)


def run_again(home: Home, inbox: Path) -> dict[str, object]:
    done = mingzhang("run", "--home", home.root, "--inbox", inbox, "--as-of", DAY, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_a_backup_during_a_run_goes_on_to_the_same_release(ran: Ran, tmp_path: Path, share: float) -> None:
    taken = ran.backups[round(share * (len(ran.backups) - 1))]
    new = Home(tmp_path / "new")
    restore(taken, new)
    kept = store.current(new)
    assert kept is not None and store.verify(new, kept.name) == []
    known = set(Ledger(new).latest)
    report = run_again(new, ran.inbox)
    assert released(new.root) == released(ran.home.root)
    # What had been received when the backup was taken is not received again, and what had been read is not read again.
    assert report["files"]["new"] <= 1 and report["files"]["read"] <= 1 and len(known) >= 2
    again = run_again(new, ran.inbox)
    assert again["release_state"] == "unchanged" and again["files"]["new"] == again["files"]["read"] == 0


def test_a_backup_of_a_home_at_rest_reads_nothing_again(ran: Ran, tmp_path: Path) -> None:
    back_up(ran.home, tmp_path / "b.tar.gz")
    new = Home(tmp_path / "new")
    restore(tmp_path / "b.tar.gz", new)
    report = run_again(new, ran.inbox)
    assert (report["files"]["new"], report["files"]["read"], report["release_state"]) == (0, 0, "unchanged")
    assert released(new.root) == released(ran.home.root)
    now = store.current(new)
    assert now is not None and bill.read(new, now.name) == bill.text()


def test_each_run_kept_its_log(ran: Ran) -> None:
    logs = run_logs.kept(ran.home)
    assert len(logs) == 2 and all(p.read_text(encoding="utf-8").endswith(" ended\n") for p in logs)
    assert "dbt" in logs[0].read_text(encoding="utf-8")


def test_each_act_leaves_a_line_and_no_secret(ran: Ran, tmp_path: Path) -> None:
    home, inbox = Home(tmp_path / "home"), tmp_path / "inbox"
    shutil.copytree(ran.home.root, home.root, symlinks=True)
    shutil.copytree(ran.inbox, inbox)
    before = len(audit.read(home)[0])
    said = ("--home", home.root, "--by", "李科长", "--why", "报送有误")
    secrets = {"MINGZHANG_ACTOR": "值班员", "SFTP_PASSWORD": PASSWORD, "MINGZHANG_ALERT_SMTP_PASSWORD": PASSWORD}
    old = store.listed(home)[0].release_id
    with (ran.home.releases / old / "csv" / "indicator_values.csv").open(encoding="utf-8-sig", newline="") as f:
        shown = next(r for r in csv.DictReader(f) if r["value"])
    acts = [
        ("rolled_back", ("releases", "rollback", old, "--home", home.root)),
        ("patched", ("correct", "cell", "示范市第二中学2024.csv", "", "C4", "--value", "987654", *said)),
        ("withdrawn", ("correct", "withdraw", "示范市第三中学2024.csv", *said)),
        ("undone", ("correct", "undo", "2", *said)),
        ("corrected", ("correct", "figure", shown["indicator_id"], shown["year"], *said)),
        ("backed_up", ("backup", "--home", home.root, "--to", tmp_path / "b.tar.gz")),
    ]
    for act, words in acts:
        done = mingzhang(*words, env=secrets)
        assert done.returncode == 0, (words, done.stderr)
        assert audit.read(home)[0][-1].act == act
    lines = audit.read(home)[0][before:]
    assert [x.act for x in lines] == [act for act, _ in acts]
    assert {x.actor for x in lines} == {"值班员"} and all(x.account for x in lines)
    assert lines[0].release == old and lines[4].release == old
    done = mingzhang("run", "--home", home.root, "--inbox", inbox, "--as-of", DAY, "--json", env=secrets)
    assert done.returncode in (0, 3), done.stderr
    last = audit.read(home)[0][-1]
    report = json.loads(done.stdout)
    assert last.act in ("released", "held") and last.release == (report["held_release"] or report["release"])
    text = audit.path(home).read_text(encoding="utf-8")
    assert PASSWORD not in text and "987654" not in text


def test_the_audit_log_is_in_no_release(ran: Ran) -> None:
    assert [x.act for x in audit.read(ran.home)[0]].count("released") == 2
    for path in (ran.home.root / "current").resolve().rglob("*"):
        assert audit.PATH not in path.name
        if path.is_file():
            assert b"backed_up" not in path.read_bytes(), path
