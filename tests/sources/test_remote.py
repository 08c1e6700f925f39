"""Inboxes on real servers: received once, in any alphabet; an outage is an error; no secret is shown or written down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.sources import inbox as inbox_module
from pipelines.sources.inbox import InboxError, list_inbox, refuse_password
from tests.sources import servers
from tests.sources.servers import PASSWORD, Server

ROOT = Path(__file__).resolve().parents[2]
each_server = pytest.mark.xdist_group("remote inboxes")  # so that each server is started once
KINDS = ("sftp", "smb", "s3", "dav", "http")
RECEIVE = """
import sys
from pathlib import Path
from pipelines.core.home import Home
from pipelines.sources.inbox import InboxError
from pipelines.sources.receive import receive
try:
    done = receive(Home(Path(sys.argv[1])).create(), [sys.argv[2]])
    print(done.seen, done.new)
except InboxError as e:
    sys.exit(str(e))
"""
PUT = """
import sys, time
from pathlib import Path
import s3fs
fs, folder = s3fs.S3FileSystem(skip_instance_cache=True), Path(sys.argv[1])
for attempt in range(120):
    try:
        fs.makedirs("inbox", exist_ok=True)
        for p in folder.rglob("*"):
            if p.is_file():
                fs.pipe_file("inbox/2025/" + p.relative_to(folder).as_posix(), p.read_bytes())
        break
    except OSError:  # it listens before it can store
        if attempt == 119:
            raise
        time.sleep(0.5)
"""


def python(code: str, *arguments: object, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | env,
        timeout=180,
    )


def hand_out(kind: str, server: Server) -> None:
    """Makes what lies in the server's folder there for its readers."""
    if kind == "s3":
        put = python(PUT, server.folder, env=server.env)
        assert put.returncode == 0, put.stderr


@pytest.fixture(scope="module", params=KINDS)
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    with getattr(servers, request.param)(tmp_path_factory.mktemp(request.param)) as server:
        (server.folder / "株洲 报送").mkdir()
        (server.folder / "株洲 报送" / "能耗 2024.csv").write_bytes("年度,电量\n2024,1\n".encode())
        (server.folder / "~$open.xlsx").write_bytes(b"x")
        (server.folder / "large.csv").write_bytes(bytes(range(256)) * 2_000)
        if request.param in ("dav", "http"):  # what an address means by % and ?, a name may hold
            (server.folder / "large.csv").rename(server.folder / "100%25 large?.csv")
        hand_out(request.param, server)
        yield request.param, server


@pytest.mark.slow
@each_server
def test_what_lies_there_is_received_once_and_no_secret_is_written_down(
    remote: tuple[str, Server], tmp_path: Path
) -> None:
    kind, server = remote
    first = python(RECEIVE, tmp_path, server.url, env=server.env)
    assert first.stdout.split() == ["2", "2"], first.stderr
    again = python(RECEIVE, tmp_path, server.url, env=server.env)
    assert again.stdout.split() == ["2", "0"], again.stderr
    next(server.folder.glob("*large*")).write_bytes(b"newer")
    hand_out(kind, server)
    changed = python(RECEIVE, tmp_path, server.url, env=server.env)
    assert changed.stdout.split() == ["2", "1"], changed.stderr
    ledger = (tmp_path / "archive" / "received.jsonl").read_text(encoding="utf-8")
    assert "株洲 报送/能耗 2024.csv" in ledger and f'"{kind}://' in ledger and "@" not in ledger
    kept = {p.read_bytes() for p in (tmp_path / "archive").rglob("*") if p.is_file()}
    assert {b"newer", bytes(range(256)) * 2_000, "年度,电量\n2024,1\n".encode()} <= kept
    said = "".join(r.stdout + r.stderr for r in (first, again, changed))
    assert PASSWORD not in said and not any(PASSWORD.encode() in k for k in kept)
    assert list(tmp_path.rglob("*.csv")) == []


@pytest.mark.slow
@each_server
def test_what_is_not_there_or_not_ours_is_said_in_one_sentence(remote: tuple[str, Server], tmp_path: Path) -> None:
    kind, server = remote
    nowhere = python(RECEIVE, tmp_path, f"{server.url}/none", env=server.env)
    assert nowhere.returncode == 1 and nowhere.stderr.startswith("There is no inbox at "), nowhere.stderr
    if kind == "sftp":  # another machine answers in the server's place
        known = Path(server.env["HOME"], ".ssh", "known_hosts")
        before = known.read_text()
        known.write_text(before[: before.index("]") + 1] + ":1 " + before.split(" ", 1)[1])
        refused = python(RECEIVE, tmp_path, server.url, env=server.env)
        known.write_text(before)
        assert "not found in known_hosts" in refused.stderr
    elif kind == "http":  # a page that is no listing, such as one that asks for a password
        refused = python(RECEIVE, tmp_path, f"{server.url}~$open.xlsx", env=server.env)
        assert "gives no listing" in refused.stderr or "There is no inbox" in refused.stderr
        return
    else:
        wrong = {k: f"{PASSWORD}-wrong" if v == PASSWORD else v for k, v in server.env.items()}
        refused = python(RECEIVE, tmp_path, server.url, env=wrong)
    assert refused.returncode == 1 and refused.stderr.startswith(f"The inbox {kind}://"), refused.stderr
    assert refused.stderr.count("\n") == 1 and PASSWORD not in refused.stderr


@pytest.mark.parametrize(
    "address", ["sftp://a:b%40@h/x", "smb://g;a:b@h/x/y", "s3://a:b@c", "ssh://a:b@c@h/x", "sftp://a:b/c@h/x"]
)
def test_an_address_with_a_password_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(InboxError, match="holds a password") as e:
        list_inbox(address)
    assert ":b" not in str(e.value)
    assert ("AWS_SECRET" in str(e.value)) == address.startswith("s3")


@pytest.mark.parametrize(
    "address", ["sftp://a@h:22/x:y@z", "/a:b@c", "smb://h/a", "s3://b/c:d@e", "sftp://h/a@b:c", "sftp://h:22/a@b"]
)
def test_an_address_without_a_password_is_none_with_one(address: str) -> None:
    refuse_password(address)


def test_a_folder_that_may_not_be_listed_is_an_error_not_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/closed/open/a.csv", b"a")
    memory.pipe("/closed/shut/b.csv", b"b")
    listed = type(memory).ls

    def ls(self: Any, path: str, detail: bool = True, **kwargs: Any) -> Any:
        if path.endswith("/shut"):
            raise PermissionError("no")
        return listed(self, path, detail=detail, **kwargs)

    try:
        assert [f.name for f in list_inbox("memory://closed")] == ["open/a.csv", "shut/b.csv"]
        monkeypatch.setattr(type(memory), "ls", ls)
        with pytest.raises(InboxError, match="cannot be listed"):
            list_inbox("memory://closed")
    finally:
        memory.rm("/closed", recursive=True)


def test_a_driver_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError('Install "s3fs" to access S3')

    monkeypatch.setattr(inbox_module, "_open", missing)
    with pytest.raises(InboxError, match="needs a driver that is not installed .*type: make inboxes"):
        list_inbox("s3://bucket")
