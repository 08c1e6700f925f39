"""Every rule of the gate, each with a finished release that breaks it: what must not leave is named, never shown."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipelines.core.home import Home
from publish.disclosure import gate, gate_files, gate_statements
from publish.disclosure.history import Past
from publish.disclosure.scan import Scanner
from publish.disclosure.suppress import Rules, Suppressed
from publish.disclosure.wholes import Definition, Wholes
from publish.errors import GateRefused
from publish.files import EXCEL, PLAIN
from publish.release import build as building
from publish.release import store, tables
from publish.release.compress import compress
from publish.schema import public_tables
from tests.release.conftest import BUYER

# What the figures of the fixture are made of.
WHOLES = Wholes(
    {
        "energy_kgce": Definition(2, "energy"),
        "energy_tce": Definition(5, "energy", times=Fraction(1, 1000)),
        "people": Definition(0, "people"),
        "per_head": Definition(2, "energy", "people"),
    }
)


@pytest.fixture
def known(release, contracts, tmp_path_factory) -> gate.Known:
    with tables.Warehouse(Home(release.path.parent.parent).warehouse) as w:
        scanner = Scanner(tables.secret_values(w, contracts), public=["虚构第1中心"])
        cells, about = tables.indicator_cells(w), tables.indicators_about(w)
        parts = tables.contributions(w, tmp_path_factory.mktemp("parts") / "parts.parquet")
    return gate.Known(
        contracts, {t.name: t for t in public_tables(contracts)}, cells, about, scanner, Rules(), parts, wholes=WHOLES
    )


@pytest.fixture
def folder(release, tmp_path) -> Path:
    """The files of a finished release, to be spoilt."""
    copy = tmp_path / "spoilt"
    shutil.copytree(release.path, copy)
    (copy / store.SUMS).unlink()
    for p in copy.rglob("*"):
        p.chmod(0o755 if p.is_dir() else 0o644)
    return copy


def sql(*statements: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "mingzhang.db")) as con:
            for s in statements:
                con.execute(s)
            con.commit()
        for copy in folder.glob("mingzhang.db.*"):
            copy.unlink()
        compress(folder, None)  # of the database as it is now

    return spoil


def csv_cell(name: str, row: int, column: str, value: str, of: str = EXCEL) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path, encoding = folder / of / f"{name}.csv", "utf-8-sig" if of == EXCEL else "utf-8"
        with path.open(encoding=encoding, newline="") as f:
            rows = list(csv.reader(f))
        rows[row][rows[0].index(column)] = value
        with path.open("w", encoding=encoding, newline="") as f:
            csv.writer(f).writerows(rows)

    return spoil


def csv_column(name: str, column: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "csv" / f"{name}.csv"
        with path.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.reader(f))
        with path.open("w", encoding="utf-8-sig", newline="") as f:
            csv.writer(f).writerows([[*r, column if n == 0 else "x"] for n, r in enumerate(rows)])

    return spoil


def parquet(name: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "parquet" / f"{name}.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return spoil


def xlsx(
    name: str, header: list[str], rows: list[list[object]], sheet: str = "数据", note: str = ""
) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        book = xlsxwriter.Workbook(folder / "xlsx" / f"{name}.xlsx")
        page = book.add_worksheet(sheet)
        for n, row in enumerate([header, *rows]):
            page.write_row(n, 0, row)
        book.add_worksheet("说明").write(0, 0, note)
        book.close()

    return spoil


def sdmx(change: Callable[[list[str], list[str]], tuple[list[str], list[str]]]) -> Callable[[Path], None]:
    """Change the header and the first row of the SDMX file, and its other rows as their width asks."""

    def spoil(folder: Path) -> None:
        path = folder / "sdmx" / "indicator_values.csv"
        with path.open(encoding="utf-8", newline="") as f:
            header, row, *rows = list(csv.reader(f))
        header, row = change(header, row)
        with path.open("w", encoding="utf-8", newline="") as f:
            csv.writer(f).writerows([header, row, *(r + ["1"] * (len(header) - len(r)) for r in rows)])

    return spoil


def text(name: str, **more: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text()) | more, ensure_ascii=False))

    return spoil


def copied(a: str, b: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / b).parent.mkdir(exist_ok=True)
        shutil.copy(folder / a, folder / b)

    return spoil


FUNDS = ["序号", "单位名称"]
COAL = "where indicator_id = 'energy_kgce' and year = 2024 and member = 'coal'"
SPOILT = {
    "a whole that its parts do not give": (sql("update indicator_values set value = value + 1 where indicator_id = 'energy_tce' and dimension = 'total' and year = 2024"), "energy_kgce/2024/total/all/default: it is"),
    # a table of a dataset that is not open in rows
    "closed table in SQLite": (sql("create table energy_use (month text)"), "mingzhang.db: the dataset energy_use is not open in rows"),
    "closed table as CSV": (copied("csv/claims.csv", "csv/energy_use.csv"), "csv/energy_use.csv: the dataset energy_use is not open in rows"),
    "closed table as XLSX": (copied("xlsx/claims.xlsx", "xlsx/energy_use.xlsx"), "xlsx/energy_use.xlsx: the dataset energy_use is not open in rows"),
    "closed table as Parquet": (copied("parquet/claims.parquet", "parquet/energy_use.parquet"), "parquet/energy_use.parquet: the dataset energy_use is not open"),
    "a view": (sql("create view v as select 1 as x"), "the view v has no place in a release"),
    "a table nobody knows": (sql("create table notes (t text)"), "no release has such a table"),
    "a file nobody knows": (copied("release.json", "notes.json"), "notes.json: no release has such a file"),
    "a file missing": (lambda f: (f / "parquet/claims.parquet").unlink(), "parquet/claims.parquet: this file is missing"),
    # a column that is not of level L0
    "L1 column in SQLite": (sql("alter table retrofit_funds add column remark text"), "mingzhang.db retrofit_funds: the column remark is of level L1"),
    "L2 column in SQLite": (sql("alter table disposals add column buyer text"), "mingzhang.db disposals: the column buyer is of level L2"),
    "L3 column in SQLite": (sql("alter table institutions add column contact text"), "mingzhang.db institutions: the column contact is of level L3"),
    "L2 column in CSV": (csv_column("disposals", "buyer"), "csv/disposals.csv disposals: the column buyer is of level L2"),
    "L2 column in Parquet": (parquet("disposals", lambda t: t.append_column("buyer", pa.array(["x"] * len(t)))), "the column buyer is of level L2"),
    "L2 column in XLSX": (xlsx("disposals", ["受让方"], [["x"], ["y"]]), "xlsx/disposals.xlsx disposals: the column 受让方 is of level L2"),
    "L1 column in XLSX": (xlsx("institutions", ["用能人数"], []), "the column 用能人数 is of level L1"),
    "a column nobody knows": (sql("alter table claims add column secret text"), "no such column: secret"),
    "a column missing": (sql("alter table claims drop column scope"), "mingzhang.db claims: the column scope is missing"),
    "columns in another order": (parquet("disposals", lambda t: t.select(t.column_names[::-1])), "its columns are not in the order promised"),
    # a value that is kept inside
    "L2 value in SQLite": (sql(f"update disposals set org_name = '{BUYER}' where disposal_id = 'b'"), "mingzhang.db disposals row 2: holds a value of disposals.buyer"),
    "L2 value within a text": (sql(f"update claims set explanation_zh = '卖给{BUYER}了'"), "mingzhang.db claims row 1: holds a value of disposals.buyer"),
    "L2 value spaced and wide": (sql("update claims set section = '东 篱\u3000商贸合伙企业'"), "holds a value of disposals.buyer"),
    "L2 value in CSV": (csv_cell("disposals", 2, "org_name", BUYER), "csv/disposals.csv disposals row 3: holds a value of disposals.buyer"),
    "L2 value in CSV for programs": (csv_cell("disposals", 2, "org_name", BUYER, PLAIN), "csv-plain/disposals.csv disposals row 3: holds a value of disposals.buyer"),
    "L2 value in Parquet": (parquet("disposals", lambda t: t.set_column(1, "asset_id", pa.array([None, BUYER]))), "parquet/disposals.parquet disposals row 2: holds a value"),
    "L2 value in Parquet's own words": (parquet("claims", lambda t: t.replace_schema_metadata({"note": BUYER})), "parquet/claims.parquet note: holds a value"),
    "L2 value in XLSX": (xlsx("retrofit_funds", FUNDS, [[1, "a"], [2, BUYER]]), "xlsx/retrofit_funds.xlsx retrofit_funds row 3: holds a value"),
    "L2 value among the notes": (xlsx("claims", [], [], note=BUYER), "xlsx/claims.xlsx sheet 说明 row 1: holds a value"),
    "L2 value in release.json": (text("release.json", note=BUYER), "release.json text"),
    "L2 value as a key of changes.json": (text("changes.json", **{BUYER: 1}), "changes.json text"),
    "L2 value in the package": (text("datapackage.json", title=BUYER), "datapackage.json text"),
    "L2 value in the catalogue": (text("catalog.jsonld", note=[{"x": BUYER}]), "catalog.jsonld text"),
    "L2 value beside the CSV files": (lambda f: (f / "csv/README.txt").write_text(BUYER), "csv/README.txt text 1: holds a value"),
    "L2 value in Croissant": (text("croissant.json", note=BUYER), "croissant.json text"),
    "L2 value in the crate": (text("ro-crate-metadata.json", note=BUYER), "ro-crate-metadata.json text"),
    "L2 value in the structure of SDMX": (text("sdmx/structure.json", note=BUYER), "sdmx/structure.json text"),
    "L2 value in SDMX": (sdmx(lambda header, row: (header, [BUYER if name == "NOTE" else v for name, v in zip(header, row, strict=True)])), "sdmx/indicator_values.csv indicator_values row 2: holds a value of disposals.buyer"),
    "L2 value before the columns of SDMX": (sdmx(lambda header, row: (header, [BUYER, *row[1:]])), "sdmx/indicator_values.csv STRUCTURE: holds a value of disposals.buyer"),
    "a column more in SDMX": (sdmx(lambda header, row: ([*header, "X"], [*row, "1"])), "sdmx/indicator_values.csv indicator_values: no such column: X"),
    "a row less in SDMX": (lambda f: cut(f / "sdmx/indicator_values.csv"), "indicator_values: the formats differ in rows"),
    "L2 value in a CSV file's description": (text("csv-plain/claims.csv-metadata.json", note=BUYER), "csv-plain/claims.csv-metadata.json text"),
    "L2 value in a contract": (lambda f: (f / "contracts/disposals.odcs.yaml").write_text(f"purpose: {BUYER}"), "contracts/disposals.odcs.yaml text 1: holds a value"),
    "another file compressed": (lambda f: shutil.copy(f / "mingzhang.db.gz", f / "catalog.jsonld.gz"), "catalog.jsonld.gz: it is not the file beside it, compressed"),
    "something behind a compressed file": (lambda f: (f / "mingzhang.db.gz").write_bytes((f / "mingzhang.db.gz").read_bytes() + gzip.compress(b"x")), "mingzhang.db.gz: it is not the file beside it"),
    "a compressed file of nothing": (copied("release.json", "csv/x.csv.gz"), "csv/x.csv.gz: no release has such a file"),
    "a contract nobody asked for": (copied("release.json", "contracts/x.odcs.yaml"), "contracts/x.odcs.yaml: no release has such a file"),
    # what looks like a person's number
    "an identity number": (sql("update claims set section = '11010519491231002X'"), "looks like a identity number"),
    "a mobile number": (csv_cell("retrofit_funds", 1, "project_name", "电话138-1234-5678"), "csv/retrofit_funds.csv retrofit_funds row 2: looks like a mobile number"),
    "a plate": (sql("update claims set section = '湘B·12345'"), "looks like a number plate"),
    "a vehicle": (sql("update claims set section = '1M8GDM9AXKP042788'"), "looks like a vehicle identification number"),
    "a sheet nobody knows": (xlsx("claims", [], [], sheet="隐藏"), "no release has a sheet 隐藏"),
    # rows
    "a row less in CSV": (lambda f: cut(f / "csv/institutions.csv"), "institutions: the formats differ in rows: 90 in SQLite, 90 in csv-plain, 89 in csv, 90"),
    "a row more in SQLite": (sql("insert into disposals default values"), "disposals: the formats differ in rows: 3 in SQLite"),
    # statistics
    "too few institutions": (sql(f"update indicator_values set value = 10714.5, status = 'A' {COAL}"), "energy_kgce/2024/carrier/coal/default: too few institutions"),
    "a suppressed value is there": (sql("update indicator_values set status = 'Q' where indicator_id = 'energy_kgce' and dimension = 'total' and year = 2024"), "energy_kgce/2024/total/all/default: a suppressed value is there"),
    "a hidden value follows from others": (lambda f: unhide(f), "energy_kgce/2024/carrier/coal/default: this hidden value can be computed from others"),
    "an institution follows from values together": (sql(f"update indicator_values set value = 10714.5, status = 'A' {COAL}"), "together with other published values it gives what one or two institutions have"),
    "a statement shows a suppressed value": (sql("update claims set computed_value = 10.7 where claim_id = 'coal_2024'"), "claims coal_2024: it shows a value that is suppressed"),
    "a statement shows how far off a suppressed value is": (sql("update claims set difference = 1 where claim_id = 'coal_2024'"), "claims coal_2024: it shows a value that is suppressed"),
    "a statement speaks of a suppressed value": (sql("update claims set explanation_en = 'It is 10.' where claim_id = 'coal_2024'"), "claims coal_2024: it shows a value that is suppressed"),
    "a statement over several years shows a suppressed value": (sql("update claims set indicator_id = 'energy_tce', dimension = 'carrier', member = 'coal', factor_set = 'default', first_year = 2024, year = 2099 where claim_id = 'funds_2024'"), "claims funds_2024: it shows a value that is suppressed"),
    "a line of savings shows a suppressed value": (sql("update savings_statement set value = 10.7 where line = '1'"), "savings_statement 1: it shows a value that is suppressed"),
    "a distance tells a suppressed value": (sql("update benchmark_distances set difference = 0.7 where benchmark_id = 'coal_plan'"), "benchmark_distances coal_plan: it shows a value that is suppressed"),
    "words among the rows of a sheet": (sql("update provenance set sheet_rows = '[[5,6],13812345678]' where rowid = (select min(rowid) from provenance where sheet_rows is not null)"), "mingzhang.db provenance row 5: looks like a mobile number"),
    # statements
    "SQL that gives another value": (sql("update claims set computed_value = 31 where claim_id = 'funds_2024'"), "claims funds_2024: its SQL does not give the value shown"),
    "SQL that gives nothing": (sql("update claims set sql = 'select null' where claim_id = 'funds_2024'"), "claims funds_2024: its SQL does not give the value shown"),
    "SQL that does not run": (sql("update claims set sql = 'select x from nowhere' where claim_id = 'funds_2024'"), "its SQL does not run (no such table: nowhere)"),
    "SQL that gives a table": (sql("update claims set sql = 'select 1, 2' where claim_id = 'funds_2024'"), "it gives more than one value, not one number"),
    "SQL that gives no row": (sql("update claims set sql = 'select 1 where 0' where claim_id = 'funds_2024'"), "claims funds_2024: its SQL does not give the value shown"),
    "SQL that gives a text": (sql("update claims set sql = 'select ''x''' where claim_id = 'funds_2024'"), "it gives a text"),
    "SQL that writes": (sql("update claims set sql = 'delete from claims' where claim_id = 'funds_2024'"), "does not run"),
}  # fmt: skip


def cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def unhide(folder: Path) -> None:
    """Publishes the one figure that kept another hidden: the total and all members but one are then known."""
    with closing(sqlite3.connect(folder / "mingzhang.db")) as con:
        total = con.execute(
            "select value from indicator_values where indicator_id = 'energy_kgce' and year = 2024 and dimension = 'total'"
        ).fetchone()[0]
        con.execute(
            """update indicator_values set value = ?, status = 'A'
            where indicator_id = 'energy_kgce' and year = 2024 and member = 'electricity'""",
            [total - 7143],
        )
        con.commit()


def test_a_right_release_passes(folder, known):
    results = gate.check(folder, known)
    assert [r["gate"] for r in results] == [
        "files", "cells", "rows", "contributors", "sources", "ties", "differences", "recovery", "institutions", "statements", "wholes"
    ]  # fmt: skip
    # A gate that looked at nothing proves nothing. There is no release before this one.
    assert all(r["checked"] > 0 or r["gate"] == "differences" for r in results), results
    assert known.scanner.secrets == 1  # the buyer that is itself a public institution is no secret


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_release_is_refused(folder, known, name):
    spoil, expected = SPOILT[name]
    spoil(folder)
    with pytest.raises(GateRefused) as e:
        gate.check(folder, known)
    assert any(expected in hit for hit in e.value.hits), e.value.hits
    assert e.value.exit_status == 3
    said = " ".join(e.value.hits) + str(e.value)
    assert (
        BUYER not in said
        and "13812345678" not in said
        and "138-1234-5678" not in said
        and "11010519491231002X" not in said
    )


@pytest.mark.parametrize(
    "spoil", [sql("update disposals set area = 4302021234"), csv_cell("disposals", 1, "area", "4302021234")]
)
def test_a_secret_made_of_digits_is_found_in_a_column_of_numbers(folder, known, spoil):
    spoil(folder)
    digits = Scanner({"real_assets.title_no": {"4302021234"}})
    with pytest.raises(GateRefused, match=r"disposals row \d: is a value of real_assets.title_no"):
        gate.check(folder, dataclasses.replace(known, scanner=digits))


def test_what_an_older_release_showed_under_weaker_rules_is_not_asked_of_this_one(folder, known):
    shown = known.cells.astype({"year": "int64"}).assign(status="A")
    electricity = shown.loc[
        (shown["indicator_id"] == "energy_kgce") & (shown["year"] == 2024) & (shown["member"] == "electricity"), "value"
    ]
    sql(
        f"update indicator_values set value = {electricity.iloc[0]}, status = 'A' {COAL.replace('coal', 'electricity')}"
    )(folder)
    with pytest.raises(GateRefused, match="energy_kgce/2024/carrier/coal/default: this hidden value can be computed"):
        gate.check(folder, known)
    past = Past("2025-12-31-00000000", None, shown)
    results = {r["gate"]: r["checked"] for r in gate.check(folder, dataclasses.replace(known, past=(past,)))}
    assert results["recovery"] == 0 and results["differences"] > 0


def test_a_statement_that_takes_too_many_steps_is_stopped(folder, known, monkeypatch):
    monkeypatch.setattr(gate_statements, "SQL_STEPS", 1_000_000)
    long = "with recursive n(i) as (select 1 union all select i + 1 from n limit 5000000) select count(*) from n"
    sql(f"update claims set sql = '{long}' where claim_id = 'funds_2024'")(folder)
    with pytest.raises(GateRefused, match=r"does not run \(interrupted\)"):
        gate.check(folder, known)


def test_a_leak_in_the_records_stops_the_build_and_the_last_release_stands(made):
    first = made()

    def leak(con):
        con.execute(f"update records.retrofit_funds set project_name = '为{BUYER}改造' where seq = 2")

    with pytest.raises(GateRefused, match=r"retrofit_funds row \d+: holds a value of disposals.buyer") as e:
        made(leak)
    assert BUYER not in str(e.value)
    home = Home(first.path.parent.parent)
    assert store.current(home) == first.path and not list(home.releases.glob(".*"))


def test_suppression_left_out_is_caught(made, monkeypatch):
    def nothing(cells, *_):
        none = np.zeros(len(cells), dtype=bool)
        return Suppressed(cells, none, none)

    monkeypatch.setattr(building, "suppress", nothing)
    with pytest.raises(GateRefused, match="too few institutions"):
        made()


@pytest.mark.parametrize(
    ("shown", "value", "same"),
    [
        (30.0, 30.0, True), (30.0, 30.4, True), (30.0, 30.6, False), (10.71, 10.7145, True), (10.71, 10.716, False),
        (-3.2719, -3.27194, True), (-3.2719, -3.28, False), (0.1229, 0.1229000001, True), (2.67e8, 2.67e8, True),
    ],
)  # fmt: skip
def test_a_value_is_the_same_to_the_digits_shown(shown, value, same):
    assert gate_statements.same_number(shown, value) is same


def test_a_hit_names_its_row_in_whatever_part_of_the_table(folder, known, monkeypatch):
    monkeypatch.setattr(gate_files, "AT_A_TIME", 1)
    csv_cell("disposals", 2, "org_name", BUYER)(folder)
    with pytest.raises(GateRefused) as e:
        gate.check(folder, known)
    assert "csv/disposals.csv disposals row 3: holds a value of disposals.buyer, which is kept inside" in e.value.hits
