"""What came when survives; the same file at the same address is one receipt."""

from __future__ import annotations

from pathlib import Path

from pipelines.core.home import Home
from pipelines.sources.ledger import Ledger, Receipt


def receipt(file_id: str, url: str = "file:///a", at: str = "2025-01-01T00:00:00.000000Z") -> Receipt:
    return Receipt(file_id, "a.xlsx", url, "2024-12-31T00:00:00.000000Z", at)


def test_receipts_survive(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    Ledger(home).add([receipt("f1"), receipt("f2", "file:///b")])
    again = Ledger(home)
    assert set(again.latest) == {"f1", "f2"}
    assert not again.is_news("f1", "file:///a")
    assert (home.archive / "received.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_copy_elsewhere_is_no_news_but_a_return_to_an_old_version_is(tmp_path: Path) -> None:
    ledger = Ledger(Home(tmp_path).create())
    ledger.add([receipt("old")])
    assert not ledger.is_news("old", "file:///copy")
    ledger.add([receipt("new", at="2025-02-01T00:00:00.000000Z")])
    assert ledger.is_news("old", "file:///a")
    ledger.add([receipt("old", at="2025-03-01T00:00:00.000000Z")])
    assert ledger.latest["old"].age > ledger.latest["new"].age


def test_a_line_cut_by_a_crash_is_received_again(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    ledger = Ledger(home)
    ledger.add([receipt("f1"), receipt("f2", "file:///b")])
    text = ledger.path.read_text(encoding="utf-8")
    ledger.path.write_text(text[:-30], encoding="utf-8")
    again = Ledger(home)
    assert set(again.latest) == {"f1"}
    again.add([receipt("f2", "file:///b")])
    assert set(Ledger(home).latest) == {"f1", "f2"}


def test_a_clock_put_back_does_not_make_a_correction_older(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    ledger = Ledger(home)
    ledger.add([receipt("false", at="2026-11-27T10:00:00.000000Z")])
    ledger.add([receipt("right", at="2026-10-18T10:00:00.000000Z")])
    for found in (ledger, Ledger(home)):
        assert found.latest["right"].age > found.latest["false"].age


def test_within_one_run_the_sources_time_and_then_the_name_tell(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    at = "2026-11-27T10:00:00.000000Z"
    Ledger(home).add(
        [
            Receipt("c", "c.xlsx", "file:///c", "2024-02-01T00:00:00.000000Z", at),
            Receipt("b", "b.xlsx", "file:///b", "2024-01-01T00:00:00.000000Z", at),
            Receipt("a", "a.xlsx", "file:///a", "2024-02-01T00:00:00.000000Z", at),
        ]
    )
    latest = Ledger(home).latest
    assert sorted(latest, key=lambda f: latest[f].age) == ["b", "a", "c"]


def test_a_name_with_another_line_break_of_unicode_is_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    names = [f"a{c}b.xlsx" for c in "\u2028\u2029\x85\x0b\x0c\x1c"]
    Ledger(home).add([Receipt(f"f{n}", name, f"file:///{n}", "", "t") for n, name in enumerate(names)])
    assert [r.name for r in Ledger(home).latest.values()] == names
