"""A file of sources: each with its own settings, errors in one sentence, no password in it or past it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.sources import inbox
from pipelines.sources.inbox import InboxError, SourceDown, list_inbox, list_patiently
from pipelines.sources.source import Source, SourceError, read_sources, sources_of

FILE = """
sources:
  - address: sftp://mz@files.example/reports
    name: files
    password_env: FILES_PASSWORD
    seconds: 300
  - address: /srv/inbox
"""


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sources_of_a_file_come_before_the_inboxes(tmp_path: Path) -> None:
    found = sources_of(["/other", "/srv/inbox", "/other"], _file(tmp_path, FILE))
    assert [s.address for s in found] == ["sftp://mz@files.example/reports", "/srv/inbox", "/other"]
    assert (found[0].name, found[0].seconds, found[1].seconds) == ("files", 300, 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [{address: /a, passwort: x}]", "Source 1 of .*passwort"),
        ("sources: [{name: a}]", "Source 1 of .*address"),
        ("sources: [{address: /a}, {address: /a}]", "same address"),
        ("sources: [{address: /a, name: x}, {address: /b, name: x}]", "same name"),
        ("sources: [{address: /a, name: 'two words'}]", "Source 1 of .*name"),
        ("- /a", "has no list `sources`"),
        ("sources: [", "is no YAML"),
    ],
)
def test_a_file_of_sources_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as e:
        read_sources(_file(tmp_path, text))
    assert "\n" not in str(e.value)


def test_a_value_that_is_wrong_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as e:
        read_sources(_file(tmp_path, "sources: [{address: /a, password_env: [Geheim]}]"))
    assert "Geheim" not in str(e.value)


def test_a_password_that_is_not_set_is_the_configuration_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILES_PASSWORD", raising=False)
    with pytest.raises(SourceError, match="FILES_PASSWORD, which is not set"):
        list_inbox(Source(address="sftp://mz@127.0.0.1:1/x", password_env="FILES_PASSWORD"))


@pytest.mark.parametrize(
    "address", ["dav://a@files.example/x", "http://a@files.example/x", "imap://a@mail.example/INBOX"]
)
def test_a_password_goes_over_no_open_line(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "Geheim")
    with pytest.raises(InboxError, match="a line that anybody can read") as e:
        list_inbox(Source(address=address, password_env="SECRET"))
    assert f"write {address.partition(':')[0]}s://" in str(e.value) and "Geheim" not in str(e.value)


def test_a_source_that_does_not_answer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a")
    asked, waited = [], []
    listing = inbox.list_inbox

    def flaky(source: str | Source) -> list[inbox.InboxFile]:
        asked.append(source)
        if len(asked) < 3:
            raise SourceDown("no answer")
        return listing(source)

    monkeypatch.setattr(inbox, "list_inbox", flaky)
    monkeypatch.setattr(inbox.time, "sleep", waited.append)
    assert [f.name for f in list_patiently(str(tmp_path))] == ["a.csv"]
    assert waited == [1.0, 4.0]
    asked.clear()
    monkeypatch.setattr(inbox, "BACK_OFF", (1.0,))
    with pytest.raises(SourceDown):
        list_patiently(str(tmp_path))


def test_the_file_of_sources_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_SOURCES", str(tmp_path / "sources.yaml"))
    assert Settings.read().environment()["MINGZHANG_SOURCES"] == str(tmp_path / "sources.yaml")
    monkeypatch.setenv("MINGZHANG_SOURCES", "")
    assert Settings.read().sources is None


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that lets everybody connect and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "dav", "imap", "sftp"])
def test_a_source_that_hangs_is_down(scheme: str, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip({"dav": "webdav4", "sftp": "paramiko"}.get(scheme, "httpx"), reason="type: make inboxes")
    monkeypatch.setenv("SECRET", "Geheim")
    monkeypatch.setattr(inbox, "CONNECT_SECONDS", 1)
    begin = time.monotonic()
    with pytest.raises(SourceDown, match="cannot be (reached|listed)"):
        list_inbox(Source(address=f"{scheme}://a@127.0.0.1:{silent}/x", password_env="SECRET", senders={"@x": "y"}))
    assert time.monotonic() - begin < 60
