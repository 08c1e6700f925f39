"""What looks as it did is not read again; whatever may have changed is."""

from __future__ import annotations

import os
from pathlib import Path
from time import time_ns

import pytest

from pipelines.core.home import Home
from pipelines.sources import inbox, seen
from pipelines.sources.archive import where
from pipelines.sources.ledger import Ledger
from pipelines.sources.receive import Received, nothing_new, receive


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files read from now on, in order."""
    names: list[str] = []
    read = inbox.InboxFile.read

    def noted(self: inbox.InboxFile) -> bytes:
        names.append(self.name)
        return read(self)

    monkeypatch.setattr(inbox.InboxFile, "read", noted)
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file just written is older than a tick of its clock at once: nothing has to wait."""
    monkeypatch.setattr(seen, "time_ns", lambda: time_ns() + 3 * seen.LOCAL_TICK)


def _inbox(tmp_path: Path) -> tuple[Home, Path]:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(name)
    return Home(tmp_path / "home").create(), folder


def test_a_file_that_looks_as_it_did_is_not_read_again(tmp_path: Path, reads: list[str], settled: None) -> None:
    home, folder = _inbox(tmp_path)
    assert nothing_new(home, [str(folder)]) is None and reads == ["a.csv"]
    assert receive(home, [str(folder)]).new == 2
    assert nothing_new(home, [str(folder)]) == Received(2, 0)
    assert receive(home, [str(folder)]).new == 0
    assert reads[1:] == ["a.csv", "b.csv"]


def test_of_one_changed_file_one_is_read(tmp_path: Path, reads: list[str], settled: None) -> None:
    home, folder = _inbox(tmp_path)
    receive(home, [str(folder)])
    old = (folder / "b.csv").stat()
    (folder / "b.csv").write_text("c.csv")  # as long as before
    os.utime(folder / "b.csv", ns=(old.st_atime_ns, old.st_mtime_ns))  # and as old, by what it says itself
    assert nothing_new(home, [str(folder)]) is None and reads[2:] == ["b.csv"]
    assert receive(home, [str(folder)]).new == 1
    assert reads[3:] == ["b.csv"]


def test_a_file_written_again_as_it_was_is_no_news_and_read_once(
    tmp_path: Path, reads: list[str], settled: None
) -> None:
    home, folder = _inbox(tmp_path)
    receive(home, [str(folder)])
    for p in folder.iterdir():
        p.write_text(p.name)
        os.utime(p, (1, 1))
    assert [nothing_new(home, [str(folder)]) for _ in "ab"] == [Received(2, 0)] * 2
    assert reads[2:] == ["a.csv", "b.csv"]


def test_a_file_too_young_to_show_a_change_is_read_again(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, folder = _inbox(tmp_path)
    written = min(p.stat().st_ctime_ns for p in folder.iterdir())
    monkeypatch.setattr(seen, "time_ns", lambda: written + seen.LOCAL_TICK)
    for _ in range(2):
        receive(home, [str(folder)])
    assert nothing_new(home, [str(folder)]) == Received(2, 0)
    assert reads == ["a.csv", "b.csv"] * 3


def test_all_is_read_where_it_is_asked_for_or_what_was_kept_is_gone(
    tmp_path: Path, reads: list[str], settled: None
) -> None:
    home, folder = _inbox(tmp_path)
    receive(home, [str(folder)])
    receive(home, [str(folder)], full=True)
    assert reads == ["a.csv", "b.csv"] * 2
    (b,) = (r.file_id for r in Ledger(home).latest.values() if r.name == "b.csv")
    where(home, b).unlink()
    receive(home, [str(folder)])
    assert reads[4:] == ["b.csv"] and where(home, b).exists()
    (home.work / "seen.json").write_text("{")
    receive(home, [str(folder)])
    assert reads[5:] == ["a.csv", "b.csv"]


def test_what_the_ledger_lost_is_received_again(tmp_path: Path, reads: list[str], settled: None) -> None:
    home, folder = _inbox(tmp_path)
    receive(home, [str(folder)])
    ledger = home.archive / "received.jsonl"
    ledger.write_text(ledger.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    assert nothing_new(home, [str(folder)]) is None
    assert receive(home, [str(folder)]).new == 1 and reads[2:] == ["b.csv"] * 2


def test_of_another_machine_a_day_must_have_passed(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    hour = 3_600_000_000_000

    def found(age: int | None) -> inbox.InboxFile:
        changed = None if age is None else time_ns() - age
        return inbox.InboxFile("s3://b/a.csv", "a.csv", 1, None, None, "b/a.csv", (1, "then", "tag"), changed)

    for age, trusted in ((hour, False), (None, False), (25 * hour, True), (hour, False)):
        noted = seen.InboxCache(home)
        noted.note(found(age), "f")
        noted.write()
        assert seen.InboxCache(home).file_at(found(age)) == ("f" if trusted else None)


def test_a_remote_file_says_what_it_can_of_its_looks() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/ours/a.csv", b"a")
    try:
        (before,) = inbox.list_inbox("memory://ours")
        memory.pipe("/ours/a.csv", b"ab")
        (after,) = inbox.list_inbox("memory://ours")
    finally:
        memory.rm("/ours", recursive=True)
    assert not before.is_local and before.attributes != after.attributes


def test_names_in_other_bytes_or_with_line_breaks_are_received(tmp_path: Path) -> None:
    home, folder = _inbox(tmp_path)
    for raw in (b"2023\xc4\xea.csv", "x\u2028y.csv".encode(), b"bad\xff\xfe.csv"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + raw)).write_bytes(raw)
    assert receive(home, [str(folder)]).new == 5
    assert {r.name for r in Ledger(home).latest.values()} == {
        "a.csv", "b.csv", "2023年.csv", "x\\u2028y.csv", "bad\\xff\\xfe.csv",
    }  # fmt: skip
    assert receive(home, [str(folder)]).new == 0


def test_one_inbox_that_is_down_keeps_back_none_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, folder = _inbox(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "c.csv").write_text("c")
    read = inbox.InboxFile.read

    def fails(self: inbox.InboxFile) -> bytes:
        if self.name == "a.csv":
            raise inbox.SourceDown(f"{self.url} does not answer.")
        return read(self)

    monkeypatch.setattr(inbox.InboxFile, "read", fails)
    found = receive(home, [str(folder), str(other)])
    assert found.new == 1 and [r.name for r in Ledger(home).latest.values()] == ["c.csv"]
    assert len(found.down) == 1 and "a.csv does not answer" in found.down[str(folder)]
    with pytest.raises(inbox.SourceDown):
        receive(home, [str(folder)])
    monkeypatch.undo()
    assert receive(home, [str(folder), str(other)]) == Received(3, 2)
    with pytest.raises(inbox.InboxError, match="no inbox at"):  # a name that is wrong is the configuration's fault
        receive(home, [str(folder), str(tmp_path / "nowhere")])
