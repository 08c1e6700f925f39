"""The releases a home keeps: list, show, compare, verify, roll back, which one is current, and which one is held.

Belongs here: finding and switching releases that stand, and the one that waits for a person's yes. Not here: making one
(build.py), holding or accepting one (hold.py). Used by `mingzhang releases`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.core import audit
from pipelines.core.digests import file_sha256
from pipelines.core.home import RELEASE_ID as ID
from pipelines.core.home import Home, sync, whole_file
from pipelines.core.home import release_folders as folders
from publish.errors import NoSuchRelease, ReleaseError
from publish.release.changes import compare

SUMS = "SHA256SUMS"
WITHDRAWN = ".withdrawn"
NOTE = "held.json"
BUILDING = ".building-"  # what the folder of a release is called until it is whole
DATABASE = "mingzhang.db"
SUMMARY = ("as_of", "code_version", "content_sha256", "synthetic", "rows", "tables", "publisher", "license")


@dataclass(frozen=True)
class KeptRelease:
    """One release of the list. `rows` is the number of rows in all its tables."""

    release_id: str
    as_of: str
    code_version: str
    synthetic: bool
    rows: int
    current: bool
    withdrawn: bool
    accepted_by: str | None = None  # who published it although it was held


def listed(home: Home) -> list[KeptRelease]:
    """Every release kept, the newest last."""
    found = folders(home.releases)
    now, gone = current(home), withdrawn(home)
    out = []
    for p in found:
        r = show(home, p.name)
        here = now is not None and now.name == p.name
        total = sum(r["rows"].values())
        who = (r.get("accepted") or {}).get("by")
        out.append(KeptRelease(p.name, r["as_of"], r["code_version"], r["synthetic"], total, here, p.name in gone, who))
    return out


def history(releases: Path) -> list[dict[str, Any]]:
    """Return release.json and changes.json of every release in HOME/releases in short, the newest first.

    A release whose release.json cannot be read is left out: it was never served, and the log says why.
    """
    out = []
    for path in reversed(folders(releases)):
        about, changes = _json_object(path / "release.json"), _json_object(path / "changes.json") or {}
        if about is None:
            continue
        out.append(
            {
                "release_id": path.name,
                "as_of": about.get("as_of") or path.name[:10],
                "code_version": about.get("code_version") or "",
                "synthetic": bool(about.get("synthetic")),
                "rows": sum((about.get("rows") or {}).values()),
                "suppressed": sum((about.get("suppressed") or {}).values()),
                "inputs": len(about.get("inputs") or []),
                "previous": changes.get("previous"),
                "accepted": about.get("accepted"),
                "changed": changes.get("indicator_values_changed"),
            }
        )
    return out


def _json_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where the file is absent or holds no JSON object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


_summaries: dict[Path, dict[str, Any]] = {}


def summary(folder: Path) -> dict[str, Any] | None:
    """Return the release of a folder by its own table `releases`: `release_id` and SUMMARY; None where it has no readable
    database. Cached: a release never changes."""
    if folder not in _summaries:
        database = folder / DATABASE
        if not database.is_file():
            return None
        try:
            with closing(sqlite3.connect(f"{database.resolve().as_uri()}?immutable=1", uri=True)) as con:
                con.row_factory = sqlite3.Row
                row = con.execute("select * from releases where release_id = ?", [folder.name]).fetchone()
        except sqlite3.DatabaseError:
            return None
        own = dict(row) if row is not None else {}
        out = {"release_id": folder.name} | {name: own.get(name) for name in SUMMARY}
        if out["synthetic"] is not None:
            out["synthetic"] = bool(out["synthetic"])
        _summaries[folder] = out
    return dict(_summaries[folder]) if folder.is_dir() else None


@dataclass(frozen=True)
class HeldRelease:
    """A release that was made and waits for a person's yes in HOME/held. `previous` is the release it was held against, `inside` the
    folder of what the home must remember of it, which is no part of the release."""

    release_id: str
    previous: str
    reasons: list[str]
    path: Path
    inside: Path


def held(home: Home) -> HeldRelease | None:
    """The release that is held, None where none is, or where a crash left only a part of it."""
    for inside in sorted((home.work / "held").glob("*")):
        path = home.held / inside.name
        if not ID.fullmatch(inside.name) or not path.is_dir():
            continue
        try:
            record = json.loads((inside / NOTE).read_text(encoding="utf-8"))
            return HeldRelease(inside.name, record["previous"], record["reasons"], path, inside)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            continue
    return None


def drop_held(home: Home) -> None:
    """Throws away the release that is held: other inputs have taken its place, or it was published."""
    for folder in (home.held, home.work / "held"):
        if folder.is_dir():
            shutil.rmtree(folder)


def current(home: Home) -> Path | None:
    """The folder of the release that HOME/current points to, None where none does."""
    link = home.current
    if not link.is_symlink():
        return None
    folder = home.releases / link.readlink().name
    return folder if folder.is_dir() else None


def folder(home: Home, release_id: str) -> Path:
    """The folder of a release. `current` stands for the current one. Raises NoSuchRelease."""
    if release_id == "current":
        now = current(home)
        if now is None:
            raise NoSuchRelease(f"{home.root} has no current release; make one with 'mingzhang run'.")
        return now
    path = home.releases / release_id
    if not ID.fullmatch(release_id) or not path.is_dir():
        raise NoSuchRelease(
            f"{home.root} keeps no release {release_id}; 'mingzhang releases list' shows those it keeps."
        )
    return path


def show(home: Home, release_id: str) -> dict[str, Any]:
    """release.json of a release. Raises NoSuchRelease, or ReleaseError where the file is damaged."""
    path = folder(home, release_id) / "release.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise ReleaseError(
            f"Release {release_id} is damaged (release.json cannot be read); delete its folder and run again."
        ) from e


def diff(home: Home, a: str, b: str) -> dict[str, Any]:
    """What changed from release `a` to release `b`, in the shape of changes.json. Raises NoSuchRelease."""
    return compare(folder(home, a), folder(home, b))


def verify(home: Home, release_id: str) -> list[str]:
    """Holds a release against its SHA256SUMS: one sentence for each file that is changed, missing or too many; [] is well."""
    return wrong_files(folder(home, release_id))


def wrong_files(path: Path) -> list[str]:
    """The same of the folder of a release, wherever it lies."""
    sums = path / SUMS
    if not sums.is_file():
        return [f"{SUMS} is missing, so nothing can be verified."]
    wrong, named = [], {SUMS}
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        named.add(name)
        file = path / name
        if not file.is_file():
            wrong.append(f"{name} is missing.")
            continue
        if file_sha256(file) != digest:
            wrong.append(f"{name} was changed since it was published.")
    there = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
    wrong += [f"{name} does not belong to the release." for name in sorted(there - named)]
    return wrong


def rollback(home: Home, release_id: str) -> Path:
    """Makes a kept release the current one, after verifying it. What was current is withdrawn: the same inputs will not put
    it back by themselves; rolling back to it does. Raises NoSuchRelease, ReleaseError, HomeBusy."""
    target = folder(home, release_id)
    with home.locked():
        wrong = verify(home, target.name)
        if wrong:
            raise ReleaseError(f"Release {target.name} is damaged and was not made current: {wrong[0]}")
        now = current(home)
        gone = withdrawn(home)
        if now is not None and now.name != target.name:
            gone.add(now.name)
        gone.discard(target.name)
        audit.write(home, "rolled_back", target.name, instead_of=now.name if now is not None else "")
        with whole_file(home.releases / WITHDRAWN, durable=True) as part:
            part.write_text("".join(f"{i}\n" for i in sorted(gone)), encoding="utf-8")
        switch(home, target.name)
    return target


def withdrawn(home: Home) -> set[str]:
    """The ids of releases that were rolled back from."""
    path = home.releases / WITHDRAWN
    return set(path.read_text(encoding="utf-8").split()) if path.is_file() else set()


def link(file: Path, to: Path) -> None:
    """Gives a file of a release a second name in another: nobody writes into one that stands. Where the file system has no such
    names, or not as many, it is copied."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


def seal(folder: Path) -> None:
    """Writes SHA256SUMS (as sha256sum does), makes every file read-only and forces all of it to the disk."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    lines = [f"{file_sha256(p)}  {p.relative_to(folder).as_posix()}\n" for p in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    for p in [*files, folder / SUMS]:
        p.chmod(0o444)
        sync(p)
    for p in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        p.chmod(0o755)
        sync(p)
    folder.chmod(0o755)
    sync(folder)


def switch(home: Home, release_id: str) -> None:
    """Points HOME/current to a release, at once: a reader sees the old one or the new one, never none."""
    link = home.current
    if link.exists() and not link.is_symlink():
        raise ReleaseError(f"{link} is no symbolic link; move it away, then run again.")
    part = home.root / ".current.part"
    part.unlink(missing_ok=True)
    part.symlink_to(Path(home.releases.name) / release_id)
    part.replace(link)
    sync(home.root)
