"""A small made-up city for tests that run it many times: its files, what may happen to them, and runs from nothing.

Belongs here: what the tests of this folder share. Not here: what they ask.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from openpyxl import load_workbook

from pipelines.core.home import Home
from pipelines.core.settings import Settings
from pipelines.run import RunReport, refresh
from tests.conftest import mingzhang

DAY = "2025-12-31"
# Two years of registers, energy, meetings, vehicles, disposals and solar power: open and closed, with and without an institution.
KINDS = ("名录", "能源资源", "会议", "更新购置", "资产处置", "光伏", "办公用房使用")
YEARS = ("2023", "2024")
# What is made anew from the archive. The rest of HOME/work is memory: who stood behind past releases, what they measured.
MEMORY = {"disclosure", "measures", "held", "lock"}


def make_city(folder: Path) -> list[Path]:
    """Makes the city's files in `folder` and returns them in order."""
    made = mingzhang("sample", "--out", folder / "sample", "--orgs", "8", "--seed", "3")
    assert made.returncode == 0, made.stderr
    (folder / "files").mkdir()
    for year in YEARS:
        for path in sorted((folder / "sample" / "inbox" / year).iterdir()):
            if any(k in path.name for k in KINDS):
                shutil.copy2(path, folder / "files" / path.name)
    return sorted((folder / "files").iterdir())


def run(home: Path, inbox: Path, full: bool = False) -> RunReport:
    """One run in this process."""
    before = dict(os.environ)
    try:
        return refresh(Settings().model_copy(update=_asked(home, inbox, full)))
    finally:
        os.environ.clear()
        os.environ.update(before)


def _asked(home: Path, inbox: Path, full: bool) -> dict[str, object]:
    return {"home": home, "inbox": [str(inbox)], "as_of": DAY, "full": full, "processes": 1}


def forget_all_that_can_be_made_anew(home: Path) -> None:
    """Leaves a home its archive, its releases and its memory."""
    (home / "warehouse.duckdb").unlink(missing_ok=True)
    shutil.rmtree(home / "feedback", ignore_errors=True)
    for path in (home / "work").iterdir():
        if path.name in MEMORY:
            for kept in path.iterdir() if path.is_dir() else ():
                if kept.is_dir() and path.name == "disclosure":
                    shutil.rmtree(kept)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def released(home: Path) -> dict[str, str]:
    """The digest of each file of the releases, held ones too, and where `current` points."""
    out = {}
    for top in ("releases", "held"):
        for path in sorted((home / top).rglob("*")):
            if path.is_file():
                out[str(path.relative_to(home))] = hashlib.sha256(path.read_bytes()).hexdigest()
    current = home / "current"
    return out | {"current": str(current.readlink()) if current.is_symlink() else ""}


class Events:
    """Random things that happen to an inbox: a new file, a corrected one, one withdrawn. The seed decides which."""

    def __init__(self, seed: int, home: Path, inbox: Path, held_back: list[Path]):
        self._random = random.Random(seed)
        self.home, self.inbox, self._held_back = home, inbox, list(held_back)
        self.happened: list[str] = []

    def happen(self) -> None:
        """One to three of them."""
        for _ in range(self._random.randint(1, 3)):
            kinds: list[Callable[[], str]] = [self._corrected, self._corrected, self._withdrawn]
            kinds += [self._new, self._new] if self._held_back else []
            self.happened.append(self._random.choice(kinds)())

    def _new(self) -> str:
        path = self._held_back.pop(self._random.randrange(len(self._held_back)))
        shutil.copy2(path, self.inbox / path.name)
        return f"new {path.name}"

    def _corrected(self) -> str:
        path = self._random.choice([p for p in sorted(self.inbox.iterdir()) if p.suffix in (".csv", ".xlsx")])
        change = correct_csv if path.suffix == ".csv" else correct_xlsx
        return f"corrected {path.name} {change(path, self._random)}"

    def _withdrawn(self) -> str:
        path = self._random.choice(sorted(self.inbox.iterdir()))
        said = ("--home", self.home, "--by", "示例市机关事务管理局", "--why", "报送有误")
        done = mingzhang("correct", "withdraw", path.name, *said)
        return f"withdrawn {path.name} {done.returncode}"


def correct_csv(path: Path, chance: random.Random) -> str:
    """Adds one to a number of a text file, in its own encoding."""
    raw = path.read_bytes()
    marked = ("utf-16",) if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ()
    for encoding in (*marked, "utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    rows = list(csv.reader(io.StringIO(text)))
    numbers = [(r, c) for r, row in enumerate(rows) for c, v in enumerate(row) if r and v.isdigit() and len(v) < 4]
    if not numbers:
        return "nothing"
    r, c = chance.choice(numbers)
    rows[r][c] = str(int(rows[r][c]) + 1)
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return f"{r},{c}"


def correct_xlsx(path: Path, chance: random.Random) -> str:
    """Adds one to a number of a workbook."""
    book = load_workbook(path)
    cells = [c for s in book for row in s.iter_rows() for c in row if type(c.value) in (int, float) and c.value < 1000]
    if not cells:
        return "nothing"
    cell = chance.choice(cells)
    cell.value += 1
    book.save(path)
    return str(cell.coordinate)


def copy_of(home: Path, to: Path) -> Path:
    """A copy of a home, with links as links."""
    shutil.copytree(home, to, symlinks=True)
    return Home(to).root
