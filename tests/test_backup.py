"""A backup is of one moment, comes back whole or not at all, and is written by nobody's leave to see half of it."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines import backup
from pipelines.backup import BackupError, HomeNotEmpty, back_up, restore
from pipelines.core import audit
from pipelines.core.home import Home
from pipelines.sources import decisions
from pipelines.sources.archive import store as receive
from pipelines.sources.archive import where
from pipelines.sources.ledger import Ledger, Receipt
from publish.release import store
from tests.conftest import mingzhang

FIRST, SECOND = "2025-12-31-0123abcd", "2025-12-31-89abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two releases that share a file, one that is held, received files, a decision, a reader's report, switches of Dagster."""
    home = Home(tmp_path / "city" / "home")
    home.root.parent.mkdir()
    home.create()
    for n, text in enumerate((b"a,b\n1,2\n", "表,值\n1,2\n".encode())):
        file_id = receive(home, text)
        Ledger(home).add(
            [Receipt(file_id, f"{n}.csv", f"file:///in/{n}.csv", "", f"2026-01-0{n + 1}T00:00:00.000000Z")]
        )
    decisions.add(home, "figure", "energy_tce 2024", "王某", "多写一个零")
    for n, name in enumerate((SECOND, FIRST)):  # the earlier one has the later name
        release(home.releases / name, f"of {name}", home.releases / SECOND if n else None)
        os.utime(home.releases / name, (1_700_000_000 + n, 1_700_000_000 + n))
    store.switch(home, FIRST)
    (home.releases / store.WITHDRAWN).write_text(f"{SECOND}\n")
    release(home.held / "2026-01-01-00000001", "held", None)
    for folder in (
        "work/disclosure/solved",
        "work/measures",
        "work/held/2026-01-01-00000001",
        "reports/closed",
        "sbom",
    ):
        (home.root / folder).mkdir(parents=True)
    put(home.work / "disclosure" / f"000001-{FIRST}-none.parquet", b"memory")
    put(home.work / "disclosure" / "solved" / "x.json", b"made again")
    put(home.work / "measures" / f"{FIRST}.json", b"{}")
    put(home.work / "held" / "2026-01-01-00000001" / store.NOTE, b'{"previous": "p", "reasons": []}')
    put(home.reports / "20260101-aaaaaa.json", b"{}")
    put(home.reports / "closed" / "20260101-bbbbbb.json", b"{}")
    put(home.root / "sbom" / f"{FIRST}.cdx.json", b"{}")
    put(home.readings / "k.1.files.parquet", b"read")
    put(home.readings / ".half.part", b"half")
    put(home.warehouse, b"made again")
    put(home.work / "dagster" / "dagster.yaml", b"telemetry: {enabled: false}\n")
    switches(home, "on")
    return home


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def unaudited(home: Home) -> dict[str, tuple[bytes, int]]:
    """The same without the audit log, which says when the home was restored."""
    return {name: v for name, v in files(home).items() if name != f"archive/{audit.PATH}"}


def release(folder: Path, text: str, before: Path | None) -> None:
    put(folder / "csv" / "a.csv", text.encode())
    if before is None:
        put(folder / "csv" / "same.csv", b"the same")
    else:
        store.link(before / "csv" / "same.csv", folder / "csv" / "same.csv")
    put(folder / "release.json", b"{}")
    store.seal(folder)


def switches(home: Home, state: str) -> None:
    path = home.work / "dagster" / "schedules" / "schedules.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as con:
        con.execute("pragma journal_mode = wal")
        con.execute("create table if not exists jobs (state)")
        con.execute("delete from jobs")
        con.execute("insert into jobs values (?)", [state])
        con.commit()


def files(home: Home) -> dict[str, tuple[bytes, int]]:
    """Bytes and rights of each file below a home."""
    return {
        p.relative_to(home.root).as_posix(): (p.read_bytes(), p.stat().st_mode & 0o777)
        for p in sorted(home.root.rglob("*"))
        if p.is_file() and "current/" not in p.as_posix()
    }


MADE_AGAIN = {
    "warehouse.duckdb",
    "work/disclosure/solved/x.json",
    "work/readings/.half.part",
    "work/dagster/schedules/schedules.db",  # copied by SQLite; its rows are compared
}


def test_what_cannot_be_made_again_comes_back_as_it_was(home: Home, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "b.tar.gz")
    assert made.damaged == [] and made.release == FIRST and made.path.stat().st_mode & 0o777 == 0o600
    new = Home(tmp_path / "new")
    done = restore(made.path, new)
    assert done.release == FIRST and done.files == made.files
    was, now = files(home), files(new)
    audited = was.pop(f"archive/{audit.PATH}")[0], now.pop(f"archive/{audit.PATH}")[0]
    switched = now.pop("work/dagster/schedules/schedules.db")
    assert now == {name: v for name, v in was.items() if name not in MADE_AGAIN and not name.endswith(("-wal", "-shm"))}
    assert switched and new.current.readlink() == home.current.readlink()
    with closing(sqlite3.connect(new.work / "dagster" / "schedules" / "schedules.db")) as con:
        assert con.execute("select state from jobs").fetchall() == [("on",)]
    # Which release came later is told by the times of their folders.
    assert [k.name for k in backup.release_folders(new.releases)] == [SECOND, FIRST]
    assert store.verify(new, FIRST) == store.verify(new, SECOND) == []
    same = [(new.releases / name / "csv" / "same.csv").stat().st_ino for name in (FIRST, SECOND)]
    assert same[0] == same[1], "the bytes that releases share take their room once"
    assert new.archive.stat().st_mode & 0o777 == new.work.stat().st_mode & 0o777 == 0o700
    assert where(new, next(iter(Ledger(new).latest))).parent.stat().st_mode & 0o777 == 0o700
    # Both homes say so: the old one that it was backed up, the new one that it was restored, and what was done before.
    line = audit.read(home)[0][-1]
    assert (line.act, line.release, line.what["sha256"]) == ("backed_up", FIRST, made.sha256)
    assert audited[1].startswith(audited[0].rsplit(b"\n", 2)[0]) and audit.read(new)[0][-1].act == "restored"
    assert audit.read(new)[0][-1].what["sha256"] == made.sha256


def test_anybody_can_read_it_with_tar_and_sha256sum(home: Home, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "b.tar.gz")
    (tmp_path / "by hand").mkdir()
    assert os.system(f"cd '{tmp_path}/by hand' && tar xzf ../b.tar.gz && sha256sum -c --quiet --strict SHA256SUMS") == 0
    about = json.loads((tmp_path / "by hand" / "backup.json").read_text())
    assert about["form"] == 1 and about["current"] == FIRST and made.files > 10


def test_the_room_of_the_copy_is_given_back_and_nothing_is_written_over(home: Home, tmp_path: Path) -> None:
    (home.work / f"{backup.STAGED}4194304").mkdir()  # of a process that was killed
    made = back_up(home, tmp_path / "b.tar.gz")
    assert not list(home.work.glob(f"{backup.STAGED}*")) and [p.name for p in tmp_path.glob("*b.tar*")] == ["b.tar.gz"]
    before = made.path.read_bytes()
    with pytest.raises(BackupError, match="there already and is left as it is"):
        back_up(home, made.path)
    assert made.path.read_bytes() == before
    for to, why in ((home.root / "b.tar.gz", "lies in the home itself"), (tmp_path / "no" / "b.tar.gz", "no folder")):
        with pytest.raises(BackupError, match=why):
            back_up(home, to)
    with pytest.raises(BackupError, match="no home that has received anything"):
        back_up(Home(tmp_path / "nowhere"), tmp_path / "c.tar.gz")


def test_a_backup_that_fails_in_the_middle_leaves_nothing(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_not_as_published", full)
    with pytest.raises(OSError, match="No space"):
        back_up(home, tmp_path / "b.tar.gz")
    assert not list(tmp_path.glob("*b.tar*")) and not list(tmp_path.glob(".b.tar*"))
    assert not list(home.work.glob(f"{backup.STAGED}*"))
    assert [x.act for x in audit.read(home)[0]] == ["corrected"]


def test_it_is_of_one_moment_though_a_run_publishes_meanwhile(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the run writes after the first file was copied is either all in it or not at all: the copy is done again."""
    linked, happened = store.link, []

    def publish(file: Path, to: Path) -> None:
        linked(file, to)
        if not happened:
            happened.append(1)
            third = "2026-01-02-00000003"
            release(home.releases / third, "third", None)
            put(home.work / "disclosure" / f"000002-{third}-none.parquet", b"memory of the third")
            put(home.work / "measures" / f"{third}.json", b"{}")
            store.drop_held(home)
            store.switch(home, third)

    monkeypatch.setattr(backup, "PAUSE", 0.0)
    monkeypatch.setattr(store, "link", publish)
    made = back_up(home, tmp_path / "b.tar.gz")
    monkeypatch.setattr(store, "link", linked)
    new = Home(tmp_path / "new")
    restore(made.path, new)
    assert new.current.readlink().name == made.release == "2026-01-02-00000003"
    assert len(list((new.work / "disclosure").glob("*.parquet"))) == 2 and store.verify(new, "current") == []
    assert not new.held.exists() and not (new.work / "held").exists()


def test_a_home_that_never_stands_still_is_not_backed_up(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = store.link

    def grow(file: Path, to: Path) -> None:
        linked(file, to)
        with (home.archive / "received.jsonl").open("a") as f:
            f.write("{}\n")

    monkeypatch.setattr(backup, "PAUSE", 0.0)
    monkeypatch.setattr(backup, "TRIES", 5)
    monkeypatch.setattr(store, "link", grow)
    with pytest.raises(BackupError, match="changed at every look"):
        back_up(home, tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists() and not list(home.work.glob(f"{backup.STAGED}*"))


def test_readings_that_a_run_is_writing_are_left_out(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked, n = store.link, iter(range(1000))

    def grow(file: Path, to: Path) -> None:
        linked(file, to)
        if file.parent == home.readings:
            put(home.readings / f"k.{next(n)}.rows.parquet", b"more")

    monkeypatch.setattr(backup, "PAUSE", 0.0)
    monkeypatch.setattr(store, "link", grow)
    made = back_up(home, tmp_path / "b.tar.gz")
    monkeypatch.setattr(store, "link", linked)
    restore(made.path, Home(tmp_path / "new"))
    assert list(Home(tmp_path / "new").readings.iterdir()) == []


@pytest.mark.slow
def test_what_is_damaged_in_the_home_is_said(home: Home, tmp_path: Path) -> None:
    damaged, first = home.releases / SECOND / "csv" / "a.csv", next(iter(Ledger(home).latest))
    for path in (damaged, where(home, first)):
        path.chmod(0o600)
        path.write_bytes(b"rotten")
    done = mingzhang("backup", "--home", home.root, "--to", tmp_path / "b.tar.gz")
    assert done.returncode == 1 and "is a backup of release" in done.stdout
    assert f"Release {SECOND} is not as it was published" in done.stderr and FIRST not in done.stderr
    assert f"The received file {first} is not as it was received" in done.stderr


def test_a_home_that_is_not_empty_is_left_alone(home: Home, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "b.tar.gz")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("mine")
    with pytest.raises(HomeNotEmpty, match="not empty"):
        restore(made.path, Home(tmp_path / "used"))
    with pytest.raises(HomeNotEmpty, match="no folder"):
        restore(made.path, Home(tmp_path / "used" / "mine"))
    assert (tmp_path / "used" / "mine").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    restore(made.path, Home(tmp_path / "empty"))
    assert store.verify(Home(tmp_path / "empty"), "current") == []


def test_a_disk_of_its_own_takes_a_home_too(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = back_up(home, tmp_path / "b.tar.gz")
    disk = Home(tmp_path / "disk")
    (disk.root / "lost+found").mkdir(parents=True)
    (disk.root / ".restoring").mkdir()  # of a restore that was killed
    monkeypatch.setattr(Path, "is_mount", lambda self: self == disk.root)
    restore(made.path, disk)
    assert store.verify(disk, "current") == [] and not (disk.root / ".restoring").exists()


def refused(file: Path, tmp_path: Path) -> str:
    """The sentence of a backup that is refused, after which nothing is there."""
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(BackupError) as e:
        restore(file, Home(tmp_path / "new"))
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert "\n" not in str(e.value) and "take another backup" in str(e.value)
    return str(e.value)


def test_a_torn_backup_is_refused_wherever_it_ends(home: Home, tmp_path: Path) -> None:
    whole = back_up(home, tmp_path / "b.tar.gz").path.read_bytes()
    torn = tmp_path / "torn.tar.gz"
    for length in (*range(0, len(whole), len(whole) // 15), len(whole) - 1, len(whole) - 8, len(whole) - 9):
        torn.write_bytes(whole[:length])
        refused(torn, tmp_path)


def test_a_backup_with_a_changed_byte_is_refused(home: Home, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "b.tar.gz").path
    restore(made, Home(tmp_path / "first"))
    whole, wanted, found = made.read_bytes(), unaudited(Home(tmp_path / "first")), 0
    changed = tmp_path / "changed.tar.gz"
    for at in range(10, len(whole), len(whole) // 30):  # the first ten bytes are gzip's own, and hold no data
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            restore(changed, Home(tmp_path / "new"))
        except BackupError as e:
            assert "take another backup" in str(e) and not (tmp_path / "new").exists()
            found += 1
        else:  # of a run of the same byte, gzip takes any length of the way back: nothing differs
            assert unaudited(Home(tmp_path / "new")) == wanted
            shutil.rmtree(tmp_path / "new")
    assert found > 20


def again(
    made: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes] | None], to: Path
) -> Path:
    """Packs a backup again, whole for gzip and tar, after changing its members; None leaves one out."""
    with tarfile.open(made) as source, tarfile.open(to, "w:gz", format=tarfile.PAX_FORMAT) as out:
        for m in source.getmembers():
            f = source.extractfile(m) if m.isreg() else None
            kept = change(m, f.read() if f else b"")
            if kept is not None:
                kept[0].size = len(kept[1])
                out.addfile(kept[0], io.BytesIO(kept[1]))
    return to


def test_a_backup_whose_files_were_changed_is_refused_by_their_sums(home: Home, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "b.tar.gz").path
    ledger = "home/archive/received.jsonl"

    def cut(m: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        return m, data[:-1] if m.name == ledger else data

    assert f"{ledger} differs from its sum" in refused(again(made, cut, tmp_path / "cut.tar.gz"), tmp_path)
    without = again(made, lambda m, d: None if m.name == ledger else (m, d), tmp_path / "without.tar.gz")
    assert f"{ledger} differs from its sum" in refused(without, tmp_path)
    refused(again(made, lambda m, d: None if m.name == "SHA256SUMS" else (m, d), tmp_path / "sums.tar.gz"), tmp_path)


@pytest.mark.parametrize(
    "name", ["/tmp/escaped", "home/../../escaped", "escaped", "home", "home/archive/../../../escaped"]
)
def test_a_member_that_leads_elsewhere_is_refused(home: Home, tmp_path: Path, name: str) -> None:
    made = back_up(home, tmp_path / "b.tar.gz").path

    def rename(m: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if m.name == "home/archive/received.jsonl":
            m.name = name
        return m, data

    assert "which no backup does" in refused(again(made, rename, tmp_path / "renamed.tar.gz"), tmp_path)
    assert not list(tmp_path.parent.glob("escaped")) and not Path("/tmp/escaped").exists()


@pytest.mark.parametrize(
    ("kind", "target"), [(tarfile.SYMTYPE, "/etc"), (tarfile.LNKTYPE, "/etc/passwd"), (tarfile.FIFOTYPE, "")]
)
def test_a_member_that_is_no_file_is_refused(home: Home, tmp_path: Path, kind: bytes, target: str) -> None:
    made = back_up(home, tmp_path / "b.tar.gz").path

    def turn(m: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if m.name == "home/archive/received.jsonl":
            m.type, m.linkname, data = kind, target, b""
        return m, data

    refused(again(made, turn, tmp_path / "turned.tar.gz"), tmp_path)


def test_what_is_no_backup_and_what_a_newer_version_made_is_said(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    for data in (b"", b"hello", gzip.compress(b"hello" * 1000), gzip.compress(b"\0" * 10240)):
        other.write_bytes(data)
        assert "is no backup of Mingzhang" in refused(other, tmp_path)
    with pytest.raises(BackupError, match="There is no backup at"):
        restore(tmp_path / "none.tar.gz", Home(tmp_path / "new"))
    made = back_up(home, tmp_path / "b.tar.gz").path

    def newer(m: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if m.name == "backup.json":
            data = data.replace(b'"form": 1', b'"form": 2')
        return m, data

    # Its sum is wrong too, which a newer version would not have; the sentence about the version matters more.
    with pytest.raises(BackupError, match="made by a newer version"):
        restore(again(made, newer, tmp_path / "newer.tar.gz"), Home(tmp_path / "new"))
    assert not (tmp_path / "new").exists() and not (tmp_path / ".new.restoring").exists()


@pytest.mark.slow
def test_the_commands_end_in_one_sentence(home: Home, tmp_path: Path) -> None:
    done = mingzhang("backup", "--home", home.root, "--to", tmp_path / "b.tar.gz")
    assert done.returncode == 0 and f"is a backup of release {FIRST}: " in done.stdout, done.stderr
    done = mingzhang("restore", tmp_path / "b.tar.gz", "--home", tmp_path / "new")
    assert done.returncode == 0 and f"release {FIRST}." in done.stdout, done.stderr
    done = mingzhang("restore", tmp_path / "b.tar.gz", "--home", tmp_path / "new")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "is not empty" in done.stderr
    (tmp_path / "b.tar.gz").write_bytes((tmp_path / "b.tar.gz").read_bytes()[:1000])
    done = mingzhang("restore", tmp_path / "b.tar.gz", "--home", tmp_path / "other")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and not (tmp_path / "other").exists()
    shown = mingzhang("audit", "--home", tmp_path / "new", "--act", "restored")
    assert shown.stdout.count("\n") == 1 and f"restored  {FIRST}  by " in shown.stdout
    listed = json.loads(mingzhang("audit", "--home", tmp_path / "new", "--json").stdout)
    assert [x["act"] for x in listed] == ["corrected", "restored"]
