"""Backups of a home: one file with all that cannot be made again, taken while the home runs, and the home made of it again.

Belongs here: what a backup holds, that it is of one moment, and that a damaged one is refused whole. Not here: the commands
(upkeep.py), or making again what a backup leaves out, which the next run does.

The file is a gzipped tar archive: `backup.json` says when and by what it was made, `home/…` are the files, and `SHA256SUMS`, the last
member, has the sum of each, in the form of sha256sum. `current` is no member: `backup.json` names the release.

One moment without the home's lock, which a run holds for long: what later runs are compared with is copied (by hard links: each of
these files is replaced and never rewritten) between two looks at it, and again where it changed in between. The copy is then what a run
killed at that moment leaves, from which the next run ends where an undisturbed one does. Releases and received files never change,
so they are read afterwards from where they lie.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pipelines.core import audit
from pipelines.core.digests import file_sha256
from pipelines.core.fingerprint import code_version
from pipelines.core.home import RELEASE_ID, Home, release_folders, sync, whole_file
from pipelines.core.progress import report
from publish.release import store

FORM = 1  # of a backup; a newer one may hold what this code does not know
ABOUT, SUMS, TOP = "backup.json", "SHA256SUMS", "home"
FILE_ID = re.compile(r"[0-9a-f]{64}")
STAGED = ".backup-"  # begins the name of the folder in HOME/work that holds the copy of one moment
TRIES, PAUSE = 100, 0.3  # looks for a moment in which nothing changes, seconds between them
LEVEL = 3  # of gzip: most of a home is compressed already
CHUNK = 1 << 20
# Memory that later runs are compared with, by folders below the home, and single files: what is written in place is copied, not linked.
MEMORY = ("held", "work/held", "work/disclosure", "work/measures", "sbom", "reports")
IN_PLACE = ("archive/received.jsonl", "archive/decisions.jsonl")
BESIDES = ("work/report.json", "work/dagster/dagster.yaml")
SWITCHES = "work/dagster/schedules/schedules.db"  # which schedules and sensors somebody switched on
PRIVATE = ("archive", "work", "held")  # folders that their owner alone may enter


class BackupError(RuntimeError):
    """A backup could not be made or restored. The message says why and what to do."""

    exit_status = 1


class HomeNotEmpty(BackupError):
    """A backup is restored into a new home alone."""

    exit_status = 2


@dataclass
class BackupMade:
    """A backup that was made: its path, size in bytes, SHA-256 and number of files; `damaged` has a sentence for each file of the home
    that is not what it was when it was published or received."""

    path: Path
    release: str
    size: int = 0
    sha256: str = ""
    files: int = 0
    damaged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Restored:
    """A home that was made of a backup, with the backup's own words about itself."""

    home: Home
    release: str
    files: int
    made_at: str
    code_version: str


# --- making ---------------------------------------------------------------------------------------------------------


def back_up(home: Home, to: Path) -> BackupMade:
    """Write the backup of a home to a new file, for its owner alone, and give what was written.

    It appears whole or not at all. Raises BackupError, OSError.
    """
    if not home.archive.is_dir():
        raise BackupError(f"{home.root} is no home that has received anything; give the right --home.")
    if to.exists():
        raise BackupError(f"{to} is there already and is left as it is; name a new file.")
    if not to.parent.is_dir():
        raise BackupError(f"There is no folder {to.parent} to write the backup to; make it.")
    if to.resolve().is_relative_to(home.root.resolve()):
        raise BackupError(f"{to} lies in the home itself, and would be lost with it; name a file elsewhere.")
    _sweep(home)
    stage = home.work / f"{STAGED}{os.getpid()}"
    try:
        stage.mkdir(mode=0o700)
        moment = _moment(home, stage)
        with whole_file(to, durable=True) as part:
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            made = _write(home, stage, moment, part)
            made.path = to
            audit.write(home, "backed_up", moment["current"], to=to.name, sha256=made.sha256, files=made.files)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return made


def _moment(home: Home, stage: Path) -> dict[str, Any]:
    """Copy into `stage` what changes from run to run, and give `backup.json` of that moment, with the ids of the releases."""

    def copy() -> None:
        for name in IN_PLACE:
            _copy(home.root / name, stage / name)
        for name in MEMORY:
            for path in _files(home.root / name):
                _link(path, stage / path.relative_to(home.root))
        _copy(home.releases / store.WITHDRAWN, stage / "releases" / store.WITHDRAWN)

    def memory() -> Any:
        released = [(p.name, *_looks(p)) for p in release_folders(home.releases)]
        kept = [(str(p), *_looks(p)) for name in MEMORY for p in _files(home.root / name)]
        ledgers = [_looks(home.root / name) for name in IN_PLACE]
        now = store.current(home)
        return released, kept, ledgers, _looks(home.releases / store.WITHDRAWN), now.name if now else ""

    seen = _between_two_looks(memory, copy, stage, TRIES)
    if seen is None:
        raise BackupError(
            f"{home.root} changed at every look for {TRIES * PAUSE:.0f} seconds; back it up a little later."
        )
    about = {
        "form": FORM,
        "made_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "code_version": code_version(),
        "current": seen[-1],
        "releases": [name for name, *_ in seen[0]],
    }
    for name in BESIDES:
        _copy(home.root / name, stage / name)
    _copy(audit.path(home), stage / "archive" / audit.PATH)
    for path in _files(home.work / "logs"):
        _copy(path, stage / path.relative_to(home.root))
    _copy_sqlite(home.root / SWITCHES, stage / SWITCHES)
    _copy_readings(home, stage)
    return about


def _copy_readings(home: Home, stage: Path) -> None:
    """What reading gave, which a restored home need then not read again. A run in the middle of reading may change it at every look:
    then it is left out, for it can be made again."""
    kept = stage / "work" / "readings"

    def copy() -> None:
        for path in _files(home.readings):
            _link(path, kept / path.name)

    def names() -> Any:
        return [(p.name, *_looks(p)) for p in _files(home.readings)]

    _between_two_looks(names, copy, kept, tries=min(5, TRIES))


def _between_two_looks(look: Callable[[], Any], copy: Callable[[], None], into: Path, tries: int) -> Any:
    """Copy until nothing has changed from the look before to the look behind; give that look, None where it never was so."""
    for attempt in range(tries):
        if attempt:
            time.sleep(PAUSE)
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            before = look()
            copy()
            if look() == before:
                return before
        except FileNotFoundError:
            pass  # a file went between being listed and being copied
        shutil.rmtree(into)
    return None


def _write(home: Home, stage: Path, about: dict[str, Any], part: Path) -> BackupMade:
    """Write the archive: what was staged, then releases and received files from where they lie."""
    about = dict(about)
    releases = about.pop("releases")
    made = BackupMade(part, about["current"])
    sums: dict[str, str] = {}
    staged = list(_files(stage, hidden=True))
    received = [p for p in _files(home.archive) if FILE_ID.fullmatch(p.name)]
    folders = [home.releases / name for name in releases]
    published = [p for folder in folders for p in _files(folder)]
    total = len(staged) + len(received) + len(published)
    with (
        part.open("r+b") as raw,
        gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT) as out,
    ):
        members = _Members(out, sums)
        members.text(ABOUT, json.dumps(about, ensure_ascii=False, indent=1) + "\n")
        every = [(stage, staged), (home.root, published), (home.root, received)]
        for n, (root, path) in enumerate((root, p) for root, paths in every for p in paths):
            try:
                members.file(f"{TOP}/{path.relative_to(root).as_posix()}", path)
            except FileNotFoundError:
                raise BackupError(f"{path} went while it was backed up; back up again.") from None
            report("backup", n + 1, total)
        for folder in folders:
            members.folder(f"{TOP}/releases/{folder.name}", folder)
        made.damaged = [*_not_as_published(folders, sums), *_not_as_received(sums)]
        made.files = len(sums)
        members.text(SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    made.size, made.sha256 = part.stat().st_size, file_sha256(part)
    return made


class _Members:
    """Adds members to an archive and notes the sum of each. Files of a release that share their bytes with another are links."""

    def __init__(self, out: tarfile.TarFile, sums: dict[str, str]):
        self._out, self._sums = out, sums
        self._named: dict[tuple[int, int], str] = {}

    def text(self, name: str, text: str) -> None:
        data = text.encode()
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(data), 0o600, int(time.time())
        self._out.addfile(info, io.BytesIO(data))
        self._sums[name] = hashlib.sha256(data).hexdigest()

    def file(self, name: str, path: Path) -> None:
        with path.open("rb") as f:
            s = os.fstat(f.fileno())
            info = _member(name, s)
            known = self._named.get((s.st_dev, s.st_ino)) if s.st_nlink > 1 else None
            if known is not None:
                info.type, info.linkname = tarfile.LNKTYPE, known
                self._out.addfile(info)
                self._sums[name] = self._sums[known]
                return
            info.size = s.st_size
            read = _Hashing(f)
            self._out.addfile(info, read)
        self._sums[name] = read.digest
        if s.st_nlink > 1:
            self._named[s.st_dev, s.st_ino] = name

    def folder(self, name: str, path: Path) -> None:
        info = _member(name, path.stat())  # whose time orders the releases of one day
        info.type = tarfile.DIRTYPE
        self._out.addfile(info)


class _Hashing(io.RawIOBase):
    """A file that is digested as it is read."""

    def __init__(self, f: IO[bytes]):
        self._f, self._h = f, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._f.read(size)
        self._h.update(data)
        return data

    @property
    def digest(self) -> str:
        return self._h.hexdigest()


def _member(name: str, s: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = s.st_mode & 0o777, s.st_mtime
    return info


def _not_as_published(folders: Iterable[Path], sums: dict[str, str]) -> Iterator[str]:
    for folder in folders:
        top = f"{TOP}/releases/{folder.name}/"
        here = {name.removeprefix(top): digest for name, digest in sums.items() if name.startswith(top)}
        listed = folder / store.SUMS
        lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
        told = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        here.pop(store.SUMS, None)
        if told != here:
            yield f"Release {folder.name} is not as it was published; 'mingzhang releases verify {folder.name}' says what differs."


def _not_as_received(sums: dict[str, str]) -> Iterator[str]:
    for name, digest in sums.items():
        own = name.rpartition("/")[2]
        if name.startswith(f"{TOP}/archive/") and FILE_ID.fullmatch(own) and own != digest:
            yield f"The received file {own} is not as it was received; take it from an older backup."


def _files(folder: Path, hidden: bool = False) -> Iterator[Path]:
    """The files below a folder, in order, without what is being written or can be made again. Links are not followed."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not (f == "solved" and root.endswith("disclosure"))
        )
        for name in sorted(names):
            path = Path(root, name)
            if (hidden or not name.startswith(".")) and path.is_file() and not path.is_symlink():
                yield path


def _looks(path: Path) -> tuple[int, int, int]:
    """Inode, size (bytes) and time of change (ns); zeros where there is nothing."""
    try:
        s = path.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (s.st_ino, s.st_size, s.st_mtime_ns)


def _copy(path: Path, to: Path) -> None:
    """Copy a file where there is one."""
    if path.is_file():
        to.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # a run's log that went meanwhile
            shutil.copy2(path, to)


def _link(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    store.link(path, to)


def _copy_sqlite(path: Path, to: Path) -> None:
    """Copy a database that another process may write to just now."""
    if not path.is_file():
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)
    except sqlite3.DatabaseError as e:
        raise BackupError(f"{path} cannot be copied ({e}); delete it if it is damaged, then back up again.") from e


def _sweep(home: Home) -> None:
    """Delete the copies of backups whose process is gone."""
    for old in home.work.glob(f"{STAGED}*"):
        number = old.name.removeprefix(STAGED)
        if number.isdigit() and not Path("/proc", number).exists():
            shutil.rmtree(old, ignore_errors=True)


# --- restoring ------------------------------------------------------------------------------------------------------


def restore(backup: Path, home: Home) -> Restored:
    """Make a home of a backup, whole or not at all. Raises HomeNotEmpty, BackupError, OSError; nothing is then left behind.

    The files are unpacked beside the new home, held against their sums, and take its name by one rename; where the home is the root of
    a disk of its own, or nothing may be written beside it, they are unpacked in it and moved up, `current` last.
    """
    if not backup.is_file():
        raise BackupError(f"There is no backup at {backup}; check the path.")
    root = home.root.resolve()
    if root.exists() and not root.is_dir():
        raise HomeNotEmpty(f"{root} is no folder; give the path of a new home.")
    inside = root.is_dir() and (root.is_mount() or not os.access(root.parent, os.W_OK))
    stage = root / ".restoring" if inside else root.with_name(f".{root.name}.restoring")
    if root.is_dir() and any(p.name not in (stage.name, "lost+found") for p in root.iterdir()):
        raise HomeNotEmpty(f"{root} is not empty; a backup is restored into a new home alone: give another --home.")
    if not root.parent.is_dir():
        raise BackupError(f"There is no folder {root.parent} to make the home in; make it.")
    shutil.rmtree(stage, ignore_errors=True)
    try:
        stage.mkdir(mode=0o700)
        about, files = _unpack(backup, stage)
        if root.is_dir():
            shutil.copymode(root, stage)
        else:
            stage.chmod(0o777 & ~_umask())
        new = Home(stage)
        audit.write(
            new, "restored", about["current"], backup=backup.name, sha256=file_sha256(backup), made_at=about["made_at"]
        )
        os.sync()
        if inside:
            for path in sorted(stage.iterdir(), key=lambda p: p.is_symlink()):
                path.rename(root / path.name)
        else:
            stage.rename(root)  # an empty folder of this name gives way
        sync(root.parent)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return Restored(Home(home.root), about["current"], files, about["made_at"], about["code_version"])


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _unpack(backup: Path, stage: Path) -> tuple[dict[str, Any], int]:
    """Unpack a backup into `stage` and hold each file against its sum; give `backup.json` and the number of files."""
    with _one_sentence(backup):
        sums, texts = {}, {}
        folders: list[tuple[Path, float]] = []
        with gzip.open(backup) as zipped:
            with tarfile.open(fileobj=zipped, mode="r|") as members:
                for m in members:
                    if m.name in (ABOUT, SUMS):
                        texts[m.name] = _read(members, m)
                        sums[m.name] = hashlib.sha256(texts[m.name]).hexdigest()
                        continue
                    to = stage / _below(m)
                    if m.name in sums:
                        raise _Damaged(f"it holds {m.name[:80]!r} twice")
                    if m.isdir():
                        folders.append((to, m.mtime))
                        to.mkdir(parents=True, exist_ok=True)
                        continue
                    to.parent.mkdir(parents=True, exist_ok=True)
                    sums[m.name] = _link_again(m, stage, to, sums) if m.islnk() else _unpack_file(members, m, to)
            while zipped.read(CHUNK):  # to its own sum at the end
                pass
        told = dict(line.split("  ", 1)[::-1] for line in texts[SUMS].decode().splitlines())
        del sums[SUMS]
        about = json.loads(texts[ABOUT])
        if about["form"] > FORM:
            raise BackupError(
                f"{backup} was made by a newer version ({about['code_version']}); restore it with that one."
            )
        if wrong := sorted(n for n in told.keys() | sums.keys() if told.get(n) != sums.get(n)):
            raise _Damaged(f"{wrong[0]} differs from its sum")
        _finish(stage, about["current"])
        for path, mtime in folders:
            os.utime(path, (mtime, mtime))
        return about, len(sums)


def _finish(stage: Path, current: str) -> None:
    """Give folders their rights, and point `current` to its release."""
    home = Home(stage).create()
    for name in PRIVATE:
        for path in (p for p in [stage / name, *(stage / name).rglob("*")] if p.is_dir()):
            if name != "held" or path.parent == stage:  # a held release has the rights of one that is published
                path.chmod(0o700)
    if current:
        if not RELEASE_ID.fullmatch(current) or not (home.releases / current).is_dir():
            raise _Damaged(f"the current release {current} is not in it")
        store.switch(home, current)


class _Damaged(ValueError):
    """What is wrong with a backup, for the sentence about it."""


@contextmanager
def _one_sentence(backup: Path) -> Iterator[None]:
    """Turns what a torn or changed archive makes of its readers into one sentence."""
    try:
        yield
    except (
        tarfile.TarError,
        EOFError,
        gzip.BadGzipFile,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as e:
        why = str(e) if isinstance(e, _Damaged) else "it is torn, was changed, or is no backup of Mingzhang"
        raise BackupError(f"{backup} cannot be restored, and nothing of it was: {why}; take another backup.") from e


def _below(m: tarfile.TarInfo) -> PurePosixPath:
    """The path of a member below the home. Raises _Damaged for one that no backup has."""
    path = PurePosixPath(m.name)
    if path.is_absolute() or len(path.parts) < 2 or path.parts[0] != TOP or ".." in path.parts:
        raise _Damaged(f"it holds {m.name[:80]!r}, which no backup does")
    if not (m.isreg() or m.isdir() or m.islnk()):
        raise _Damaged(f"it holds {m.name[:80]!r}, which is no file")
    return path.relative_to(TOP)


def _read(members: tarfile.TarFile, m: tarfile.TarInfo) -> bytes:
    f = members.extractfile(m)
    if f is None:
        raise _Damaged(f"{m.name} is no file")
    return f.read()


def _unpack_file(members: tarfile.TarFile, m: tarfile.TarInfo, to: Path) -> str:
    source, h = members.extractfile(m), hashlib.sha256()
    assert source is not None  # a regular file has contents
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as f:
        while data := source.read(CHUNK):
            h.update(data)
            f.write(data)
    to.chmod(m.mode & 0o777)
    os.utime(to, (m.mtime, m.mtime))
    return h.hexdigest()


def _link_again(m: tarfile.TarInfo, stage: Path, to: Path, sums: dict[str, str]) -> str:
    if m.linkname not in sums:
        raise _Damaged(f"{m.name} is a link to what is not in it")
    store.link(stage / PurePosixPath(m.linkname).relative_to(TOP), to)
    return sums[m.linkname]
