"""Two runs held against each other show what differs, and nothing that is the same."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipelines import compared
from pipelines.core.home import Home
from pipelines.run import RunReport


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def report(release: str, **what: object) -> dict:
    made = {"files": {"seen": 10, "read": 10}, "rows": {"read": 100, "accepted": 90}, "seconds": {"readings": 12.5}}
    return RunReport(release=release, release_state="new", **(made | what)).as_json()


def test_what_differs_is_shown_with_its_change_and_what_is_the_same_is_named(home):
    compared.keep(home, report("A", issues={"bad_type": 3}, notes=["The inbox is empty."]))
    compared.keep(home, report("B", issues={"bad_type": 1, "doubtful": 2}, rows={"read": 1100, "accepted": 90}))
    page = compared.markdown(*compared.two(home, 1))
    assert "| read | 100 | 1,100 | +1,000 |" in page and "| accepted |" not in page
    assert "| bad_type 填的内容读不出来 A cell cannot be read as its type | 3 | 1 | -2 |" in page
    assert "| doubtful 请核对 Doubtful but possible | 0 | 2 | +2 |" in page
    assert "The same in both: 文件 Files; 记录 Records;" in page
    assert "| readings | 12.5 | 12.5 |" in page
    assert "Only before\n\n- The inbox is empty." in page and "Only after" not in page
    assert "mingzhang releases diff A B" in page


def test_runs_with_nothing_to_do_are_no_runs_to_compare(home):
    compared.keep(home, report("A"))
    compared.keep(home, report("A") | {"release_state": "unchanged"})
    with pytest.raises(compared.NoEarlierRun, match="keeps 1 runs that had something to do, so none is 1 before"):
        compared.two(home, 1)
    compared.keep(home, report("B"))
    before, after = compared.two(home, 1)
    assert (before["release"], after["release"]) == ("A", "B")
    with pytest.raises(compared.NoEarlierRun, match="may be 1 to 1"):
        compared.two(home, 2)


def test_the_oldest_reports_go_and_others_cannot_read_them(home, monkeypatch):
    monkeypatch.setattr(compared, "KEPT", 3)
    for name in "ABCDE":
        compared.keep(home, report(name))
    kept = sorted((home.work / "reports").iterdir())
    assert len(kept) == 3 and compared.two(home, 2)[0]["release"] == "C"
    assert {stat.S_IMODE(p.stat().st_mode) for p in kept} == {0o600}
