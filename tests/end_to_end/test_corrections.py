"""A wrong figure that was published is corrected in the open within one run, and neither release shows it as right after."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from pipelines.core.home import Home
from pipelines.sources import decisions
from publish.disclosure.corrections import WITHDRAWN_ZH
from publish.disclosure.history import FROZEN_ZH
from publish.release import store
from tests.conftest import mingzhang

pytestmark = pytest.mark.timeout(1800)  # two whole runs
AS_OF = ("--as-of", "2024-12-31")
WHO = (
    "--by",
    "统计科 王工",
    "--why",
    "一个单位的用电量多写了一个零",
    "--why-en",
    "One institution's electricity had a zero too many",
)
TOTAL = "dimension = 'total' and factor_set in ('default', 'none')"


def run(home: Path, inbox: Path) -> dict[str, Any]:
    done = mingzhang("run", "--home", home, "--inbox", inbox, *AS_OF, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def query(release: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{release}/mingzhang.db?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def electricity_of(path: Path) -> list[tuple[str, str, float]]:
    """The numbers under the header of electricity in a workbook of energy use: (sheet, cell, amount)."""
    out = []
    for sheet in openpyxl.load_workbook(path).worksheets:
        header = next(
            (
                c
                for row in sheet.iter_rows(max_row=8)
                for c in row
                if str(c.value).startswith(("用电", "电力", "电（", "电("))
            ),
            None,
        )
        if header is not None:
            column = sheet.iter_rows(header.row + 1, sheet.max_row, header.column, header.column)
            out += [(sheet.title, c.coordinate, float(c.value)) for (c,) in column if isinstance(c.value, int | float)]
    return out


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str, dict[str, Any]]:
    """(home, first release, name of the institution, report of the second run) of a made-up city that published a slip by ten."""
    base = tmp_path_factory.mktemp("slip")
    home, inbox = base / "home", base / "inbox"
    assert mingzhang("sample", "--out", base, "--orgs", "24", "--years", "2022-2023").returncode == 0
    sent = {p: electricity_of(p) for p in sorted((inbox / "2023").glob("2023年能源资源消费状况_*.xlsx"))}
    in_kwh = [p for p, cells in sent.items() if len(cells) >= 6 and sum(v for *_, v in cells) > 10_000]
    by_size = sorted(in_kwh, key=lambda p: sum(v for *_, v in sent[p]))
    path = by_size[len(by_size) // 2]
    right, book = path.read_bytes(), openpyxl.load_workbook(path)
    for sheet, cell, amount in sent[path]:
        book[sheet][cell] = amount * 10
    book.save(path)
    first = home / "releases" / run(home, inbox)["release"]
    path.write_bytes(right)
    said = mingzhang("correct", "figure", "electricity", "2023", "--home", home, *WHO)
    assert said.returncode == 0, said.stderr
    file_id = query(first, "select _file from retrofit_funds order by 1 limit 1")[0][0]
    said = mingzhang("correct", "withdraw", file_id[:12], "--home", home, "--by", "王工", "--why", "误报")
    assert said.returncode == 0, said.stderr
    return home, first, path.stem.partition("_")[2], run(home, inbox)


def test_a_slip_by_ten_that_was_published_is_withdrawn_within_one_run(corrected):
    home, first, name, report = corrected
    second = (home / "current").resolve()
    assert second != first and report["corrected"] > 0
    wrong = f"select indicator_id, value from indicator_values where indicator_id in ('electricity', 'energy_tce', 'energy_kgce', 'energy_per_capita') and year = 2023 and {TOTAL} order by 1"
    was = [r for r in query(first, wrong) if r[1] is not None]  # a small city hides some of them anyway
    assert "electricity" in dict(was)
    # None of them is shown as true any more, and each says so, with who, why and since when.
    now = query(second, wrong.replace("value from", "value, status, note, revised from"))
    for indicator, value, status, note, revised in [r for r in now if r[0] in dict(was)]:
        assert (value, status, revised) == (None, "Q", "withdrawn"), indicator
        assert (
            WITHDRAWN_ZH in note and "一个单位的用电量多写了一个零（统计科 王工" in note and "a zero too many" in note
        )
    told = {
        r[:2]: r[2:]
        for r in query(
            second,
            f"select indicator_id, outcome, old_value, new_value, decided_by, was_in from corrections where year = 2023 and {TOTAL}",
        )
    }
    for indicator, value in was:
        assert told[indicator, "withdrawn"] == (value, None, "统计科 王工", first.name), indicator
    # What does not hold the error is what it was: another year, water, the number of people.
    same = f"select indicator_id, year, value, note from indicator_values where ((indicator_id in ('electricity', 'energy_tce') and year <> 2023) or (indicator_id in ('water', 'people') and year = 2023)) and {TOTAL} order by 1, 2"
    assert query(first, same) == query(second, same) != []
    # No figure anywhere in the new release has a value that holds the error.
    with duckdb.connect(str(Home(home).warehouse), read_only=True) as con:
        makes = {
            r[:5]: r[5]
            for r in con.execute(
                "select indicator_id, year, dimension, member, factor_set, cast(value as double) from marts.indicator_values"
            ).fetchall()
        }
    every = "select indicator_id, year, dimension, member, factor_set, value, note from indicator_values"
    before = {r[:5]: r[5] for r in query(first, every)}
    for *key, value, note in query(second, every):
        if value is not None and value != makes[tuple(key)]:
            assert FROZEN_ZH in (note or "") and value == before[tuple(key)], key
            raise AssertionError(f"{key} stands as it was, though nobody but {name} has changed anything")


def test_the_releases_differ_by_the_correction_first_and_both_are_whole(corrected):
    home, first, _, _ = corrected
    second = (home / "current").resolve()
    changes = json.loads((second / "changes.json").read_text(encoding="utf-8"))
    assert list(changes)[:2] == ["previous", "corrections"]
    assert {"electricity", "energy_tce"} <= {c["indicator_id"] for c in changes["corrections"]}
    assert all(c["why_zh"] and c["decided_by"] and c["since"] for c in changes["corrections"])
    for release in (first, second):
        assert store.verify(Home(home), release.name) == []


def test_the_list_for_the_bureau_says_what_the_records_give_and_nobody_else_can_read_it(corrected):
    home, first, _, report = corrected
    path = home / "feedback" / "_bureau" / "held.csv"
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    with path.open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == report["held"] > 0
    (total,) = [r for r in rows if (r["指标编号"], r["年度"], r["分组"]) == ("electricity", "2023", "total")]
    with duckdb.connect(str(Home(home).warehouse), read_only=True) as con:
        (right,) = con.execute("select sum(electricity) from records.energy_use where month like '2023%'").fetchone()
    assert float(total["按现有记录计算"]) == pytest.approx(right) and right < float(total["已公布数值"])
    assert total["公布值出自版本"] == first.name and total["此后变动的单位数"] == "1" and total["是否已撤回"] == "是"
    assert total["沿用原因"] == "此后变动的单位少于 5 家" and total["指标名称"]


def test_a_submission_withdrawn_is_gone_with_its_rows_in_the_same_run_though_its_file_is_still_there(corrected):
    home, first, _, report = corrected
    second = (home / "current").resolve()
    (decision,) = [d for d in decisions.read(Home(home)) if d.kind == "withdraw"]
    rows = f"select count(*) from retrofit_funds where _file = '{decision.details['files'][0]}'"
    assert query(first, rows)[0][0] > 0 == query(second, rows)[0][0] and report["unused"] == []
    assert (home.parent / "inbox" / decision.target).is_file()
    with duckdb.connect(str(Home(home).warehouse), read_only=True) as con:
        found = con.execute("select status, reason from intake.files where file_id = ?", decision.details["files"])
        assert found.fetchall() == [("rejected", "withdrawn")]


def test_a_reason_that_names_an_institution_is_refused(corrected):
    home, _, name, _ = corrected
    before = decisions.read(Home(home))
    done = mingzhang(
        "correct",
        "figure",
        "electricity",
        "2022",
        "--home",
        home,
        "--by",
        "王工",
        "--why",
        f"{name}多写了一个零",
        env={"COLUMNS": "400"},
    )
    assert done.returncode == 2 and f"The reason names {name}" in done.stderr and decisions.read(Home(home)) == before


def test_decisions_are_listed_and_undone_by_number(corrected, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(corrected[0] / "archive", home / "archive")
    listed = mingzhang("correct", "list", "--home", home)
    assert "1. " in listed.stdout and "electricity 2023: 一个单位的用电量多写了一个零 (统计科 王工)" in listed.stdout
    assert mingzhang("correct", "undo", "1", "--home", home, "--by", "王工", "--why", "核实无误").returncode == 0
    assert "(undone)" in mingzhang("correct", "list", "--home", home).stdout
    assert [d.kind for d in decisions.in_force(Home(home), ["figure", "withdraw"])] == ["withdraw"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["figure", "enrgy_tce", "2023"], "did you mean energy_tce"),
        (["figure", "energy_tce", "1999"], "shows no energy_tce of 1999; it shows 2022, 2023"),
        (["figure", "energy_tce", "2022", "--dimension", "districts"], "it shows carrier, district, org_type, total"),
        (["withdraw", "没有这个文件.xlsx"], "No file '没有这个文件.xlsx' was received"),
        (["undo", "99"], "There is no decision 99"),
    ],
)
def test_what_is_not_there_is_one_sentence_with_the_nearest_and_status_2(corrected, arguments, sentence):
    home, *_ = corrected
    done = mingzhang("correct", *arguments, "--home", home, "--by", "王工", "--why", "误报", env={"COLUMNS": "400"})
    assert done.returncode == 2 and sentence in done.stderr.replace("\n", " "), done.stderr
    assert "Traceback" not in done.stderr
