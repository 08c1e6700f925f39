"""A release stands whole or not at all, is the same bytes each time, and says the same in each of its formats."""

from __future__ import annotations

import csv
import dataclasses
import errno
import json
import math
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import zipfile
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from expectations.contract import Contracts
from pipelines.core.formulas import neutral
from pipelines.core.home import Home
from publish.disclosure import gate_files
from publish.errors import GateRefused, ReleaseError
from publish.release import build as building
from publish.release import store, write
from publish.release.write import (
    FOR_EXCEL,
    FOR_PROGRAMS,
    Database,
    blank_columns,
    plain_number,
    write_csv,
    write_xlsx,
)
from publish.schema import Field, Table, public_tables
from publish.sources import KEY, disclosing_rows
from tests.release.conftest import AS_OF, BUYER, make_warehouse, sources


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def query(release, sql):
    with closing(sqlite3.connect(f"file:{release.path}/mingzhang.db?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def test_same_inputs_give_the_same_bytes_in_another_folder(made):
    a, b = made(where="one"), made(where="another/deeper")
    assert a.release_id == b.release_id
    assert tree(a.path) == tree(b.path)
    assert len(tree(a.path)) > 50


@pytest.mark.parametrize(
    "how",
    [
        {"as_of": date(2025, 6, 30)},
        {"code_version": "0.1.0+other"},
        {"change": lambda con: con.execute("update records.disposals set area = area + 0.5")},
        {
            "change": lambda con: con.execute(
                "update marts.indicators set name_en = 'Renamed' where indicator_id = 'funds'"
            )
        },
        {
            "change": lambda con: con.execute(
                "insert into intake.files (file_id, name, status, synthetic) values ('ff', 'x.xlsx', 'rejected', false)"
            )
        },
    ],
)
def test_another_date_code_record_label_or_file_gives_another_id(made, how):
    assert made(where="a").release_id != made(where="b", **how).release_id


def test_the_same_release_again_is_unchanged_and_nothing_is_rewritten(made):
    first = made()
    before = {p: p.stat().st_mtime_ns for p in first.path.rglob("*")}
    again = made()
    assert (again.state, again.release_id, again.current) == ("unchanged", first.release_id, True)
    assert again.rows == first.rows and again.suppressed == first.suppressed
    assert {p: p.stat().st_mtime_ns for p in first.path.rglob("*")} == before


def test_files_cannot_be_written_and_nothing_else_is_left(release):
    for p in release.path.rglob("*"):
        if p.is_file():
            assert stat.S_IMODE(p.stat().st_mode) == 0o444, p
    assert [p.name for p in release.path.parent.iterdir()] == [release.release_id]
    assert (release.path.parent.parent / "current").readlink() == Path("releases") / release.release_id


def test_the_checksums_are_those_that_sha256sum_reads(release):
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=release.path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_the_machine_the_folder_or_the_file_a_department_sent(made, tmp_path):
    release = made()
    blob = b"\n".join(tree(release.path).values())
    for secret in (str(tmp_path), "energy.xlsx", "register.xlsx", "/home/", BUYER, "联系人张三", "虚构特勤处"):
        assert secret.encode() not in blob, secret


def test_each_format_says_the_same(release, contracts: Contracts):
    shapes = {t.name: t for t in public_tables(contracts)}
    assert set(release.rows) == set(shapes)
    for name, table in shapes.items():
        truth = query(release, f'select * from "{name}"')
        assert len(truth) == release.rows[name]
        parquet = pq.read_table(release.path / "parquet" / f"{name}.parquet")
        assert parquet.schema.equals(table.arrow), name
        assert [tuple(plain(v) for v in row.values()) for row in parquet.to_pylist()] == truth
        with (release.path / "csv" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.reader(f, strict=True))
        assert rows[0] == list(table.columns)
        assert [tuple(map(from_csv, row, table.fields)) for row in rows[1:]] == [
            tuple(map(to_csv, row, table.fields)) for row in truth
        ]
        sheet = (
            CalamineWorkbook.from_path(str(release.path / "xlsx" / f"{name}.xlsx"))
            .get_sheet_by_name("数据")
            .to_python()
        )
        assert sheet[0] == [f.label for f in table.fields]
        assert [tuple(map(from_xlsx, row, table.fields)) for row in sheet[1:]] == truth


def plain(v):
    return v.isoformat() if isinstance(v, date) else int(v) if isinstance(v, bool) else v


def from_csv(v: str, f: Field):
    kinds = {"integer": int, "real": float, "boolean": {"true": 1, "false": 0}.get}
    return None if v == "" else kinds.get(f.type, str)(v)


def to_csv(v, f: Field):
    return neutral(v) if v is not None and f.type == "text" else v


def from_xlsx(v, f: Field):
    if v == "":
        return None
    if f.type in ("integer", "boolean"):
        return int(v)
    return v.isoformat() if isinstance(v, date) else v


def test_csv_is_for_excel_and_runs_no_formula(release):
    raw = (release.path / "csv" / "retrofit_funds.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and raw.replace(b"\r\n", b"").count(b"\r") == 0 and raw.endswith(b"\r\n")
    with (release.path / "csv" / "retrofit_funds.csv").open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    assert [r["project_name"] for r in rows] == ["'=照明改造", "空调\n改造", "'+1"]
    assert [r["planned_amount"] for r in rows] == ["150000", "150000", "100000.5"]
    with (release.path / "csv" / "disposals.csv").open(encoding="utf-8-sig", newline="") as f:
        assert [r["deal_amount"] for r in csv.DictReader(f)] == ["-5", "1000000"]  # a number stays a number
    assert query(release, "select project_name from retrofit_funds where seq = 1 and fiscal_year = 2024") == [
        ("=照明改造",)
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_start_of_a_formula_is_neutralised(start):
    assert neutral(f"{start}cmd") == f"'{start}cmd"
    assert neutral(f"a{start}") == f"a{start}"


@pytest.mark.parametrize("x", [0.1 + 0.2, 1e-9, 123456789.123, 1e300, -0.5, 4.0, 2.0**60])
def test_a_number_in_csv_is_the_same_double(x):
    assert float(plain_number(x)) == x


def test_the_database_answers_from_its_indexes(release):
    plans = {
        "select value from indicator_values where indicator_id = 'funds' and dimension = 'total' and year = 2024": "INDEX",
        "select * from institutions where org_name = 'x'": "INDEX",
    }
    for sql, how in plans.items():
        plan = query(release, f"explain query plan {sql}")
        assert all(how in step[3] and "SCAN" not in step[3] for step in plan), plan
    assert query(release, "select count(*) from sqlite_stat1")[0][0] > 0
    assert query(release, "pragma integrity_check") == [("ok",)]


@pytest.mark.parametrize("names", [("parking", "parking_2"), ("parking_2", "parking"), ("parking_1", "parking")])
def test_datasets_whose_names_differ_by_a_number_share_a_database(tmp_path, names):
    fields = (Field("a", "text", "甲", "A"), Field("b", "text", "乙", "B"))
    with Database(tmp_path / "x.db") as db:
        for name in names:
            t = Table(name, name, name, fields, indexes=(("a",), ("b",)))
            db.add(t, pa.Table.from_pylist([{"a": name, "b": "1"}], schema=t.arrow), unique=False)
        db.finish()
    with closing(sqlite3.connect(tmp_path / "x.db")) as con:
        for name in names:
            assert con.execute(f"select a from {name}").fetchall() == [(name,)]
            assert len(con.execute(f"pragma index_list({name})").fetchall()) == 2


def test_a_traceable_row_names_hash_sheet_row_and_the_letter_of_its_column(release):
    found = query(
        release,
        """select f._sheet || '!' || p.letter || f._row, f._synthetic from retrofit_funds f
        join provenance p on p.kind = 'column' and p.file = f._file and p.sheet = f._sheet and p."column" = 'planned_amount'
        where f.seq = 2""",
    )
    assert found == [("附件1!D6", 0)]
    # A column that is not public has no letter, nor has one of a dataset that is not open.
    assert query(release, """select distinct "column" from provenance where kind = 'column'""") == [("planned_amount",)]


def test_of_closed_datasets_only_hashes_and_counts_leave(release):
    assert query(release, "select distinct sheet from provenance where dataset = 'energy_use'") == [(None,)]
    places = "select count(*) from provenance where dataset = 'energy_use' and coalesce(sheet_rows, district, org_type, level, records) is not null"
    assert query(release, places) == [(0,)]
    assert query(release, disclosing_rows()) == []
    hidden = query(release, f"select {', '.join(KEY)} from indicator_values where status = 'Q'")
    told = sources(release, "1 = 1")
    assert len(hidden) > 5 and not {tuple(r[k] for k in KEY) for r in told} & set(hidden)
    assert {(r["dimension"], r["records"]) for r in told if r["indicator_id"] == "energy_kgce"} == {("total", 30)}


def test_a_submitter_is_named_only_where_its_name_is_public_anyway(release):
    rows = dict(query(release, "select dataset, submitter from submissions"))
    assert rows == {"institutions": None, "energy_use": None, "retrofit_funds": "虚构第0中心", "disposals": None}


def test_issues_are_counted_without_their_words(release):
    found = query(release, "select dataset, code, severity, issues, files from data_issues order by code")
    assert found == [("retrofit_funds", "bad_type", "error", 2, 1), (None, "unmapped_column", "warning", 1, 1)]


def test_a_statement_on_a_suppressed_value_shows_nothing_of_it(release):
    assert query(
        release,
        "select status, value from indicator_values where indicator_id='energy_tce' and year=2024 and member='coal'",
    ) == [("Q", None)]
    found = query(
        release, "select computed_value, difference, check_status, explanation_en from claims order by claim_id"
    )
    assert found[0][:3] == (None, None, "no_data") and "10.7" not in found[0][3]
    assert found[1][:3] == (30.0, 0.0, "match")


def test_a_dataset_without_a_decision_to_open_it_is_not_published(made, contracts: Contracts, city, tmp_path):
    undecided = Contracts(
        dataclasses.replace(c, decided_by="") if c.dataset == "disposals" else c for c in contracts.values()
    )
    home = Home(tmp_path / "undecided").create()
    make_warehouse(home.warehouse, undecided)
    release = building.build(home, undecided, city, AS_OF, "v")
    assert "disposals" not in release.rows
    assert query(release, "select published, rows from datasets where dataset = 'disposals'") == [(0, 2)]
    entry = next(
        d
        for d in json.loads((release.path / "catalog.jsonld").read_text())["dcat:dataset"]
        if d["dct:identifier"] == "disposals"
    )
    assert "dcat:distribution" not in entry


def test_made_up_data_says_so_in_every_download(release):
    assert release.synthetic
    mark = "合成示例数据"
    assert mark in (release.path / "csv" / "README.txt").read_text(encoding="utf-8-sig").splitlines()[0]
    for form in ("datapackage.json", "catalog.jsonld", "release.json"):
        assert mark in (release.path / form).read_text(), form
    for path in (release.path / "parquet").iterdir():
        assert mark in pq.read_schema(path).metadata[b"mingzhang:notice"].decode()
    for path in (release.path / "xlsx").iterdir():
        assert mark in str(CalamineWorkbook.from_path(str(path)).get_sheet_by_name("说明").to_python()[0])
    assert mark in query(release, "select notice_zh from releases")[0][0]
    assert query(release, "select distinct _synthetic from institutions") == [(1,)]


def test_real_data_carries_no_such_mark(made):
    def real(con):
        con.execute("update intake.files set synthetic = false")
        con.execute("update marts.indicator_values set synthetic = false")

    release = made(real)
    assert not release.synthetic
    assert query(release, "select synthetic, notice_zh from releases") == [(0, None)]
    for name in ("release.json", "csv/README.txt", "datapackage.json"):
        assert "合成示例数据：" not in (release.path / name).read_text(), name


def test_changes_are_told_against_the_release_before(made):
    first = made()
    assert json.loads((first.path / "changes.json").read_text())["previous"] is None

    def correct(con):
        con.execute("update records.retrofit_funds set planned_amount = 160000 where seq = 2")
        con.execute("update marts.indicator_values set value = 310000 where indicator_id = 'funds' and year = 2024")
        con.execute(
            "update marts.claims set computed_value = 31, check_status = 'mismatch' where claim_id = 'funds_2024'"
        )
        con.execute("delete from records.disposals where disposal_id = 'b'")

    changes = json.loads((made(correct).path / "changes.json").read_text())
    assert changes["previous"] == first.release_id
    assert changes["tables"] == {"disposals": {"old": 2, "new": 1}}
    assert [(v["indicator_id"], v["year"], v["old"], v["new"]) for v in changes["indicator_values"]] == [
        ("funds", 2024, 300000.0, 310000.0)
    ]
    assert changes["claims"] == [{"claim_id": "funds_2024", "old": "match", "new": "mismatch"}]


@pytest.mark.parametrize(
    "where",
    ["write_csv", "_write_formats", "compare", "_describe", "store.seal", "sync", "Path.rename", "store.switch"],
)
def test_a_crash_anywhere_leaves_the_last_release_and_the_next_build_succeeds(made, monkeypatch, where):
    first = made()
    before = tree(first.path)

    def crash(*a, **k):
        raise KeyboardInterrupt

    target = {"Path.rename": (Path, "rename"), "store.switch": (store, "switch"), "store.seal": (store, "seal")}.get(
        where, (building, where)
    )
    with monkeypatch.context() as m:
        m.setattr(*target, crash)
        # A killed process clears nothing away.
        m.setattr(building.shutil, "rmtree", lambda *a, **k: None)
        with pytest.raises(KeyboardInterrupt):
            made(code_version="next")
    home = Home(first.path.parent.parent)
    assert store.current(home) == first.path
    assert tree(first.path) == before
    after = made(code_version="next")
    assert store.current(home) == after.path and after.current
    assert not list(home.releases.glob(".*"))
    assert store.verify(home, after.release_id) == []


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("write_csv", OSError(errno.ENOSPC, "No space left on device")),
        ("write_xlsx", building.FileCreateError(OSError(errno.ENOSPC, "No space left on device"))),
        ("write_parquet", OSError(errno.EDQUOT, "Disk quota exceeded")),
        ("Database.finish", sqlite3.OperationalError("database or disk is full")),
    ],
)
def test_a_full_disk_ends_in_one_sentence(made, monkeypatch, where, error):
    first = made()

    def full(*a, **k):
        raise error

    target = (Database, "finish") if where == "Database.finish" else (building, where)
    with monkeypatch.context() as m, pytest.raises(ReleaseError, match=r"is full; free some space"):
        m.setattr(*target, full)
        made(code_version="next")
    home = Home(first.path.parent.parent)
    assert store.current(home) == first.path and not list(home.releases.glob(".*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_disk_that_is_really_full(contracts, city, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=250k", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        home = Home(disk)
        (disk / "releases").mkdir()
        outside = tmp_path / "warehouse.duckdb"
        make_warehouse(outside, contracts)
        (disk / "warehouse.duckdb").symlink_to(outside)
        with pytest.raises(ReleaseError, match="is full"):
            building.build(home, contracts, city, AS_OF, "v")
        assert list((disk / "releases").iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_without_a_warehouse_it_says_what_to_do(contracts, city, tmp_path):
    with pytest.raises(ReleaseError, match=r"no warehouse .* run the pipeline first"):
        building.build(Home(tmp_path).create(), contracts, city, AS_OF, "v")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter table marts.indicator_values drop column contributors", "lacks the column contributors, .* run again"),
        ("alter table marts.indicator_values drop column note_codes", "lacks the column note_codes, .* add it to"),
        ("alter table marts.claims drop column sql", "marts.claims lacks the column sql"),
        (
            "create or replace view marts.disposals as select * exclude (area) from records.disposals",
            "marts.disposals lacks the column area",
        ),
    ],
)
def test_a_warehouse_that_lacks_a_column_is_refused(made, change, message):
    with pytest.raises(ReleaseError, match=message):
        made(spoil=lambda con: con.execute(change))


def test_an_empty_warehouse_gives_no_release(contracts, city, tmp_path):
    home = Home(tmp_path).create()
    duckdb.connect(str(home.warehouse)).close()
    with pytest.raises(GateRefused, match="indicator_values"):
        building.build(home, contracts, city, AS_OF, "v")
    assert not home.current.exists() and not list(home.releases.iterdir())


def test_slips_of_the_pen_do_not_break_a_format(tmp_path):
    fields = (Field("day", "date", "日", "Day"), Field("x", "real", "数", "X"), Field("t", "text", "文", "T"))
    table = Table("t", "表", "Table", fields)
    data = pa.Table.from_pylist(
        [{"day": date(202, 1, 1), "x": 1e-320, "t": "长" * 40_000}, {"day": None, "x": None, "t": "=HYPERLINK(1)"}],
        schema=table.arrow,
    )
    write_xlsx(tmp_path / "t.xlsx", table, data, [("a", "=1+1")], tmp_path)
    rows = CalamineWorkbook.from_path(str(tmp_path / "t.xlsx")).get_sheet_by_name("数据").to_python()
    assert rows[1][0] == "0202-01-01" and math.isclose(rows[1][1], 1e-320, abs_tol=1e-300) and len(rows[1][2]) == 32_767
    assert rows[2][2] == "=HYPERLINK(1)"
    write_csv(tmp_path / "t.csv", table, data, FOR_EXCEL)
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    assert "0202-01-01" in text and text.endswith(",'=HYPERLINK(1)\n")


def test_the_csv_for_programs_says_what_the_other_formats_hold(tmp_path):
    """Text as it is; a real number with a point all the way down; absent text apart from empty text."""
    fields = (Field("x", "real", "数", "X"), Field("t", "text", "文", "T"), Field("b", "boolean", "真", "B"))
    table = Table("t", "表", "Table", fields)
    rows = [
        {"x": 9600.0, "t": "=1+1", "b": True},
        {"x": 1e22, "t": "", "b": None},
        {"x": None, "t": None, "b": False},
    ]
    data = pa.Table.from_pylist(rows, schema=table.arrow)
    write_csv(tmp_path / "t.csv", table, data, FOR_PROGRAMS)
    assert (tmp_path / "t.csv").read_bytes() == b"x,t,b\r\n9600.0,=1+1,true\r\n1e+22,,\r\n,\\N,false\r\n"
    write_csv(tmp_path / "t.csv", table, data.filter([True, False, True]), FOR_PROGRAMS)
    assert (tmp_path / "t.csv").read_bytes() == b"x,t,b\r\n9600.0,=1+1,true\r\n,,false\r\n"
    assert blank_columns(table, data) == {"t"} and not blank_columns(table, data.slice(2))


def test_white_space_is_marked_in_a_workbook_only_where_it_would_be_lost(tmp_path):
    """R's openxlsx takes the mark for text of every cell that has it."""
    table = Table("t", "表", "Table", (Field("t", "text", "文", "T"),))
    data = pa.Table.from_pylist([{"t": "a b"}, {"t": " a"}, {"t": "a\n"}], schema=table.arrow)
    write_xlsx(tmp_path / "t.xlsx", table, data, [], tmp_path)
    with zipfile.ZipFile(tmp_path / "t.xlsx") as z:
        sheet = z.read("xl/worksheets/sheet1.xml").decode()
    cells = re.findall(r"<is>(<t[^>]*>)([^<]*)</t></is>", sheet)
    kept = '<t xml:space="preserve">'
    assert cells[-3:] == [("<t>", "a b"), (kept, " a"), (kept, "a\n")]


def test_releases_do_not_share_a_building_folder_of_a_dead_process(made):
    release = made()
    dead = release.path.parent / ".building-999999"
    (dead / "csv").mkdir(parents=True)
    made()
    assert not dead.exists()
    shutil.rmtree(dead, ignore_errors=True)


def test_the_parts_of_institutions_are_kept_and_nowhere_else(made, tmp_path):
    made()
    kept = sorted(p.name for p in (tmp_path / "home" / "work" / "disclosure").iterdir())
    assert [n.split("-")[0] for n in kept] == ["000001", "parts", "solved"]
    assert (tmp_path / "home" / "work" / "disclosure" / "solved").stat().st_mode & 0o077 == 0


def test_a_table_of_many_rows_is_cut_into_sheets_and_looked_through_in_parts(made, monkeypatch):
    """What a large city publishes is in memory a part at a time, when it is written and when it is looked through."""
    monkeypatch.setattr(write, "XLSX_ROWS", 7)
    monkeypatch.setattr(gate_files, "AT_A_TIME", 5)
    looked: list[int] = []
    column = gate_files._column

    def noted(look, where, table, n, name, cells, first, form):
        looked.append(len(cells))
        return column(look, where, table, n, name, cells, first, form)

    monkeypatch.setattr(gate_files, "_column", noted)
    built = made()
    rows = built.rows["indicator_values"]
    book = CalamineWorkbook.from_path(str(built.path / "xlsx" / "indicator_values.xlsx"))
    assert len(book.sheet_names) == -(-rows // 7) + 1 and rows > 14
    assert max(looked) == 5
    assert sum(len(book.get_sheet_by_name(n).to_python()) - 1 for n in book.sheet_names if n != "说明") == rows
