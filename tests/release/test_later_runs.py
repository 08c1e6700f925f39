"""The whole way twice more: corrected sheets, an institution that is gone and a new factor change what they must, no more."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import openpyxl

from pipelines.core.home import Home
from publish.disclosure.history import FROZEN_ZH
from publish.release import store
from publish.sources import KEY, sources_of
from tests.conftest import ROOT, MadeUp

PUBLIC = ("value", "unit", "status", "records", "files", "reporting", "population", "synthetic", "note")
AS_OF = ("--as-of", "2025-12-31")
Row = dict[str, Any]


def run(home: Path, inbox: Path, code: Path = ROOT) -> Path:
    """Runs the command of `code` as a person would; the folder of the release it made."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--home", str(home), "--inbox", str(inbox), *AS_OF, "--json"],
        cwd=code,
        env=os.environ | {"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["release_state"] == "new"
    return home / "releases" / report["release"]


def published(release: Path) -> dict[tuple[Any, ...], Row]:
    with closing(sqlite3.connect(f"file:{release}/mingzhang.db?mode=ro", uri=True)) as con:
        con.row_factory = sqlite3.Row
        rows = [dict(r) for r in con.execute("select * from indicator_values")]
    return {tuple(r[k] for k in KEY): r for r in rows}


def plain(rows: dict[tuple[Any, ...], Row], touched: set[tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
    """The rows that nothing touched, without the remark that a value is held: it may be held where the new one is the same."""
    return {
        k: v | {"note": ((v["note"] or "").partition(FROZEN_ZH)[0]).strip() or None}
        for k, v in rows.items()
        if k not in touched
    }


def computed(home: Path) -> dict[tuple[Any, ...], Row]:
    """The marts, before anything stands or is hidden."""
    columns = [*KEY, *PUBLIC, "closed"]
    with duckdb.connect(str(Home(home).warehouse), read_only=True) as con:
        rows = con.execute(f"select {', '.join(columns)} from marts.indicator_values").fetchall()
    found = [dict(zip(columns, r, strict=True)) for r in rows]
    return {tuple(r[k] for k in KEY): r | {"value": None if r["value"] is None else float(r["value"])} for r in found}


def sources(release: Path, files: set[str]) -> set[tuple[Any, ...]]:
    """The values that rest on any of `files`, as the release says."""
    with closing(sqlite3.connect(f"file:{release}/mingzhang.db?mode=ro", uri=True)) as con:
        columns = [r[1] for r in con.execute("pragma table_info(provenance)")]
        sql = f"select {', '.join(KEY)} from ({sources_of('1 = 1', columns)}) where file in ({', '.join('?' * len(files))})"
        return set(con.execute(sql, sorted(files)).fetchall())


class Corrections:
    """What departments send again: each a file of the inbox with one thing changed."""

    def __init__(self, made_up: MadeUp, inbox: Path):
        self.city, self.inbox = made_up.folder / "inbox", inbox
        self.con = duckdb.connect(str(Home(made_up.home).warehouse), read_only=True)
        self.replaced: set[str] = set()

    def __enter__(self) -> Corrections:
        return self

    def __exit__(self, *_: object) -> None:
        self.con.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of records `r` in an xlsx file that is in force: name, file, sheet, row, and what `sql` selects."""
        select, _, rest = sql.partition(" from ")
        return self.con.execute(
            f"""select f.name, f.file_id, r._sheet, r._row, {select} from records.{rest.split()[0]} r
            join intake.files f on f.file_id = r._file {" ".join(rest.split()[1:])}
            and f.name like '%.xlsx' and f.superseded_by is null order by f.name, r._row"""
        ).fetchall()

    def scale(self, found: list[tuple[Any, ...]], column: str, factor: float) -> tuple[Any, ...]:
        """Multiplies the first cell of `column` in `found` that holds a number; the row it stands in."""
        for row in found:
            name, file, sheet, at, *_ = row
            letter = self.con.execute(
                'select letter from intake.columns where file_id = ? and sheet = ? and "column" = ?',
                [file, sheet, column],
            ).fetchone()
            book = openpyxl.load_workbook(self.city / name)
            cell = book[sheet][f"{letter[0]}{at}"] if letter else None
            if cell is not None and isinstance(cell.value, int | float):
                cell.value = round(cell.value * factor, 2)
                self.send(book, name, file)
                return row
        raise AssertionError(f"no number of {column} in any workbook of the made-up city")

    def without(self, row: tuple[Any, ...]) -> None:
        """Takes a row out of its sheet."""
        name, file, sheet, at, *_ = row
        book = openpyxl.load_workbook(self.city / name)
        book[sheet].delete_rows(at)
        self.send(book, name, file)

    def send(self, book: openpyxl.Workbook, name: str, file: str) -> None:
        (self.inbox / name).parent.mkdir(parents=True, exist_ok=True)
        book.save(self.inbox / name)
        self.replaced.add(file)


def test_a_correction_a_withdrawal_and_a_new_factor_change_what_they_must_and_nothing_else(made_up, tmp_path):
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    shutil.copytree(made_up.home, home, symlinks=True)
    with Corrections(made_up, inbox) as c:
        fund = c.scale(
            c.rows("planned_amount, fiscal_year from retrofit_funds where planned_amount > 0"), "planned_amount", 0.5
        )
        meter = c.scale(
            c.rows("cast(left(month, 4) as int) from energy_use where electricity > 0"), "electricity", 1.02
        )
        register = c.rows("r.year, count(*) over (partition by r._file) from institutions where true")
        gone = max(register, key=lambda r: (r[5] >= 3, r[4], r[3]))
        c.without(gone)
        replaced = c.replaced
    was, made = published(made_up.release), computed(home)

    first = run(home, inbox)
    is_, makes = published(first), computed(home)
    touched = {k for k in {*made, *makes} if made.get(k) != makes.get(k)}
    moved = {k for k in {*was, *is_} if (was.get(k) or {}).get("value") != (is_.get(k) or {}).get("value")}
    open_ = {k for k in touched if not (makes.get(k) or made[k])["closed"]}
    # What is open in rows moves at once, to what the marts say, and comes from what was sent again.
    assert moved == {k for k in open_ if (made.get(k) or {}).get("value") != (makes.get(k) or {}).get("value")}
    assert moved <= sources(made_up.release, replaced) | sources(first, replaced)
    rows = "select sum(planned_amount) from retrofit_funds"
    with closing(sqlite3.connect(f"file:{first}/mingzhang.db?mode=ro", uri=True)) as con:
        for at, sql in (
            ((fund[5], "total", "all"), f"{rows} where fiscal_year = {fund[5]}"),
            ((2025, "period", "2021-2025"), rows),
        ):
            k = ("retrofit_funds_planned", *at, "none")
            assert is_[k]["value"] == con.execute(sql).fetchone()[0] < was[k]["value"], k
    counted = ("institutions", gone[4], "total", "all", "none")
    assert is_[counted]["value"] == was[counted]["value"] - 1
    # Of closed rows one institution's correction and another's going move nothing: what they touch stands, or is hidden.
    stands = {k for k in touched - open_ if k in is_ and FROZEN_ZH in (is_[k]["note"] or "")}
    assert {("electricity", meter[4], "total", "all", "none"), ("people", gone[4], "total", "all", "none")} <= stands
    for k in stands:
        assert {c: v for c, v in is_[k].items() if c != "note"} == {c: v for c, v in was[k].items() if c != "note"}, k
    assert {k for k in touched - open_ if makes.get(k, {}).get("value") != made.get(k, {}).get("value")} <= stands | {
        k for k in was if was[k]["status"] == "Q"
    }
    # Everything else is the same to the last character.
    assert plain(is_, touched) == plain(was, touched)
    said = json.loads((first / "changes.json").read_text(encoding="utf-8"))
    assert said["previous"] == made_up.release.name and said["indicator_values_changed"] == len(moved)
    assert {tuple(v[k] for k in KEY) for v in said["indicator_values"]} == moved

    # A factor concerns every institution, so what is derived by it moves at once, and with it what waited.
    code = tmp_path / "code"
    for folder in ("pipelines", "expectations", "publish", "dbt_project", "cities"):
        shutil.copytree(ROOT / folder, code / folder, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
    seed = code / "dbt_project" / "seeds" / "seed_factors.csv"
    text = seed.read_text(encoding="utf-8")
    assert "tce-natural-gas,natural_gas,kgce,1.2143," in text
    seed.write_text(text.replace("natural_gas,kgce,1.2143,", "natural_gas,kgce,1.3300,"), encoding="utf-8")
    second = run(home, inbox, code)
    then, now, makes_now = is_, published(second), computed(home)
    moved = {k for k in {*then, *now} if (then.get(k) or {}).get("value") != (now.get(k) or {}).get("value")}
    derived = {k for k in makes if makes[k]["value"] != makes_now[k]["value"]}
    assert set(makes) == set(makes_now) and moved <= derived
    assert "none" not in {k[4] for k in moved} and not any(k[0].startswith(("co2", "water", "people")) for k in moved)
    city = [k for k in derived if k[0] == "energy_kgce" and k[2] in ("total", "period") and k[4] == "default"]
    assert len(city) == 6 and all(now[k]["value"] == makes_now[k]["value"] != then[k]["value"] for k in city)
    for k in derived - moved:
        assert now[k]["status"] == "Q" or FROZEN_ZH in now[k]["note"], k
    for k in ("electricity", meter[4], "total", "all", "none"), ("people", gone[4], "total", "all", "none"):
        assert now[k] == then[k], k
    assert plain(now, derived) == plain(then, derived)

    # And nothing that was published is any different.
    for release in (made_up.release.name, first.name, second.name):
        assert store.verify(Home(home), release) == []
    sums = "SHA256SUMS"
    assert (home / "releases" / made_up.release.name / sums).read_bytes() == (made_up.release / sums).read_bytes()
