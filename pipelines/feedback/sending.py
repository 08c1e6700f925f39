"""The feedback files of each department: HOME/feedback/<submitter>/<file>.xlsx.

Belongs here: choosing the files, naming, and doing again only what changed. Not here: marking one file (annotate.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from expectations.contract import Contracts
from pipelines.core import progress
from pipelines.core.home import Home, whole_file
from pipelines.feedback.annotate import Mark, annotated, list_only, marks_of
from pipelines.feedback.bounded import Failed, run_each
from pipelines.sources.archive import where

VERSION = "2"  # of the layout of a feedback file: with another one all are written again
NOBODY = "未署名单位"
MANIFEST = ".manifest.json"
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+')


@dataclass(frozen=True)
class FeedbackSent:
    """The counts of one call of `write_feedback`: files written, kept, removed, and `listed`: those among the
    written whose original could not be opened, so that they hold the list of errors alone. `paths` are those of the written,
    below HOME/feedback."""

    written: int
    kept: int
    removed: int
    listed: int
    paths: tuple[str, ...] = field(default=(), compare=False)


def write_feedback(home: Home, contracts: Contracts, processes: int | None = None) -> FeedbackSent:
    """Update HOME/feedback from the intake tables of the home.

    Each file in force with open issues of the department's gets one; those of files since superseded or clean are taken
    away. A file whose issues did not change is not made again. Raises OSError where the disk refuses.
    """
    files, sheets, columns, issues = (
        pd.read_parquet(home.table("intake", t)) for t in ("files", "sheets", "columns", "issues")
    )
    issues = open_issues(files, issues)
    wanted = _expected(files, sheets, issues)
    known = _manifest(home)
    make = [w for w in wanted if known.get(w.path) != w.key or not (home.feedback / w.path).is_file()]
    # The manifest is written before the files: a killed run leaves no file that is missing from it.
    _write_manifest(home, known | {w.path: "" for w in make})
    removed = 0
    for path in sorted(set(known) - {w.path for w in wanted}):
        removed += _remove(home, path)
    listed = _make(home, make, _marks(make, columns, issues, contracts), processes)
    _write_manifest(home, {w.path: w.key for w in wanted})
    return FeedbackSent(len(make), len(wanted) - len(make), removed, listed, tuple(w.path for w in make))


def open_issues(files: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """The issues that a department must correct: open, its own, of a file in force."""
    in_force = files.loc[files["status"] != "superseded", "file_id"]
    mine = (issues["status"] == "open") & (issues["responsibility"] == "department")
    return issues[mine & issues["file_id"].isin(in_force)]


@dataclass(frozen=True)
class _Expected:
    file_id: str
    name: str
    path: str  # below HOME/feedback
    key: str


def _expected(files: pd.DataFrame, sheets: pd.DataFrame, issues: pd.DataFrame) -> list[_Expected]:
    digests: dict[str, Any] = {}
    ordered = issues.sort_values(["file_id", "issue_id"])
    for file_id, issue_id, message in zip(ordered["file_id"], ordered["issue_id"], ordered["message_zh"], strict=True):
        digests.setdefault(file_id, hashlib.sha256(VERSION.encode())).update(f"{issue_id}{message}\n".encode())
    mine = sheets[sheets["file_id"].isin(digests) & sheets["submitter"].notna()]
    who = {f: s[0] if len(s) == 1 else NOBODY for f, s in mine.groupby("file_id")["submitter"].unique().items()}
    names = dict(zip(files["file_id"], files["name"], strict=True))
    paths: dict[str, list[str]] = {}
    for file_id in digests:
        path = f"{safe_name(who.get(file_id, NOBODY))}/{feedback_name(names[file_id])}"
        paths.setdefault(path.lower(), []).append(file_id)
    out = []
    for file_id, digest in digests.items():
        folder, name = safe_name(who.get(file_id, NOBODY)), feedback_name(names[file_id])
        if len(paths[f"{folder}/{name}".lower()]) > 1:  # two files of one name, from two folders of the inbox
            name = f"{name[: -len('.xlsx')]}.{file_id[:8]}.xlsx"
        out.append(_Expected(file_id, names[file_id], f"{folder}/{name}", digest.hexdigest()))
    return sorted(out, key=lambda w: w.path)


def feedback_name(name: str) -> str:
    """The name of the feedback file for the file `name`: the same without folders, ending in .xlsx."""
    own = name.replace("\\", "/").rpartition("/")[2]
    stem = own[: -len(".xlsx")] if own.lower().endswith(".xlsx") else own
    return safe_name(stem, 180) + ".xlsx"


def safe_name(text: str, longest: int = 200) -> str:
    """Return a name that is valid as one component of a path on any system, at most `longest` bytes of UTF-8.

    A name that had to be changed gets a mark of its own, so that two departments never share a folder by accident.
    """
    text = unicodedata.normalize("NFC", text)
    plain = _NOT_IN_NAMES.sub("_", text).strip().strip("._ ")
    if plain.upper().split(".")[0] in (
        "CON",
        "PRN",
        "AUX",
        "NUL",
        *(f"{p}{n}" for p in ("COM", "LPT") for n in range(10)),
    ):
        plain = f"{plain}_"
    if plain == text.strip() and plain and len(plain.encode()) <= longest:
        return plain
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    short = plain.encode("utf-8", "ignore")[: longest - 7].decode("utf-8", "ignore")
    return f"{short}-{mark}" if short else f"{NOBODY}-{mark}"


def _marks(
    make: list[_Expected], columns: pd.DataFrame, issues: pd.DataFrame, contracts: Contracts
) -> dict[str, list[Mark]]:
    """Marks by file. A column has the header of the department's sheet, else that of the contract."""
    ids = {w.file_id for w in make}
    named = columns[columns["file_id"].isin(ids) & columns["column"].notna()]
    headers = {(f, s, c): h for f, s, c, h in named[["file_id", "sheet", "column", "header"]].itertuples(index=False)}
    official: dict[str, set[str]] = {}
    for contract in contracts.values():
        for c in contract.columns:
            official.setdefault(c.name, set()).add(c.header_zh)
    out: dict[str, list[dict[str, Any]]] = {}
    for record in issues[issues["file_id"].isin(ids)].to_dict("records"):
        i: dict[str, Any] = {str(k): v for k, v in record.items()}
        i["sheet"] = i["sheet"] if isinstance(i["sheet"], str) else ""
        titles = official.get(i["column"], set()) if isinstance(i["column"], str) else set()
        default = next(iter(titles)) if len(titles) == 1 else None
        i["header"] = headers.get((i["file_id"], i["sheet"], i["column"]), default)
        out.setdefault(i["file_id"], []).append(i)
    return {f: marks_of(found) for f, found in out.items()}


def _make(home: Home, make: list[_Expected], marks: dict[str, list[Mark]], processes: int | None) -> int:
    listed = 0
    jobs = [(_original(home, w), w.name, marks[w.file_id]) for w in make]
    for done, (i, made) in enumerate(run_each(annotated, jobs, processes), 1):
        w = make[i]
        if isinstance(made, Failed):
            listed += 1
            made = list_only(w.name, marks[w.file_id])
        path = home.feedback / w.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_bytes(made)
        progress.report("feedback", done, len(make))
    return listed


def _original(home: Home, w: _Expected) -> Path | bytes:
    """The path of the bytes received; empty bytes, so that errors are only listed, where the archive lacks them."""
    path = where(home, w.file_id)
    return path if path.is_file() else b""


def _remove(home: Home, path: str) -> int:
    """Remove one file, and its folder where it is then empty."""
    target = home.feedback / path
    there = target.is_file()
    target.unlink(missing_ok=True)
    if target.parent != home.feedback and target.parent.is_dir() and not any(target.parent.iterdir()):
        target.parent.rmdir()
    return int(there)


def _manifest(home: Home) -> dict[str, str]:
    """Read the manifest: path -> key of every feedback file. An unreadable one is empty, so that all files are written again."""
    try:
        found = json.loads((home.feedback / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        found = {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _write_manifest(home: Home, entries: dict[str, str]) -> None:
    home.feedback.mkdir(mode=0o700, exist_ok=True)
    with whole_file(home.feedback / MANIFEST) as part:
        part.write_text(json.dumps(entries, ensure_ascii=False, indent=0, sort_keys=True), encoding="utf-8")
