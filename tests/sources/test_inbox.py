"""An inbox is listed whole, and an outage is never 'no new files'."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from pipelines.sources.inbox import InboxError, list_inbox


def test_lists_files_below_a_folder_in_order_of_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "二.csv").write_bytes(b"2")
    (tmp_path / "a.xlsx").write_bytes(b"1")
    found = list_inbox(str(tmp_path))
    assert [(f.name, f.size, f.read()) for f in found] == [("a.xlsx", 1, b"1"), ("b/二.csv", 1, b"2")]
    assert all(f.modified is not None and f.url.startswith("file:///") for f in found)


def test_leaves_out_the_litter_of_office_and_file_managers(tmp_path: Path) -> None:
    for name in ("~$a.xlsx", ".~lock.a.ods#", "Thumbs.db", ".DS_Store", "._a.xlsx", "a.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    assert [f.name for f in list_inbox(str(tmp_path))] == ["a.xlsx"]


def test_a_single_file_is_an_inbox(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    assert [f.name for f in list_inbox(str(tmp_path / "a.xlsx"))] == ["a.xlsx"]


def test_does_not_follow_a_link_out_of_the_inbox(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "secret.csv").write_bytes(b"s")
    (inbox / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert list_inbox(str(inbox)) == []


def test_a_missing_inbox_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InboxError, match="There is no inbox at .*make the folder or give another --inbox"):
        list_inbox(str(tmp_path / "none"))


def test_an_unknown_protocol_is_said_in_one_sentence() -> None:
    with pytest.raises(InboxError, match=r"The inbox gopher9://x/y cannot be opened .*give a folder or a URL"):
        list_inbox("gopher9://x/y")


def test_an_unreadable_folder_is_an_error_not_an_empty_inbox() -> None:
    # Root may read everything, so the listing is nobody's; pytest's own folder is closed to him.
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        inbox = Path(top) / "inbox"
        inbox.mkdir()
        list_inbox(str(inbox))  # what it imports, it imports as who runs the tests
        me = os.geteuid()
        (inbox / "closed").mkdir(mode=0)
        if me == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(InboxError, match="closed.* cannot be listed|cannot be listed.*closed"):
                list_inbox(str(inbox))
        finally:
            os.seteuid(me)


def test_a_listing_that_fails_is_an_error_not_an_empty_inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(top: str, onerror: object = None, **_: object) -> object:
        assert callable(onerror)
        onerror(PermissionError(13, "Permission denied", str(top)))
        return iter(())

    monkeypatch.setattr(os, "walk", broken)
    with pytest.raises(InboxError, match="cannot be listed"):
        list_inbox(str(tmp_path))


def test_reads_through_fsspec_from_another_file_system() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/inbox/2024/a.csv", b"a")
    try:
        found = list_inbox("memory://inbox")
        assert [(f.name, f.read()) for f in found] == [("2024/a.csv", b"a")]
    finally:
        memory.rm("/inbox", recursive=True)
