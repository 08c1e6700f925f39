"""The city's own public notice of 2024 becomes three rows and 400,000 元; its total, which stands first, is no row."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from tests.conftest import mingzhang

pytestmark = [pytest.mark.slow, pytest.mark.realdata]


@pytest.fixture(scope="module")
def notice(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("zhuzhou")
    ran = mingzhang(
        "run", "--home", home, "--inbox", shared / "realdata" / "zhuzhou", "--as-of", "2025-12-31", "--json"
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["records"]["retrofit_funds"] == 3
    return home


def test_three_rows_of_400000_yuan_in_the_records(notice: Path) -> None:
    with duckdb.connect(str(notice / "warehouse.duckdb"), read_only=True) as con:
        found = con.execute(
            "select count(*), sum(planned_amount), min(fiscal_year), max(fiscal_year) from records.retrofit_funds"
        ).fetchone()
        sheet = con.execute(
            "select rows_read, rows_accepted, rows_quarantined, rows_explained from intake.sheets where dataset = 'retrofit_funds'"
        ).fetchone()
    assert found == (3, 400_000.0, 2024, 2024)
    # Title, unit, header and the total before the rows are explained; nothing is lost.
    assert sheet == (7, 3, 0, 4)


def test_and_in_the_public_database(notice: Path) -> None:
    with closing(sqlite3.connect(notice / "current" / "mingzhang.db")) as con:
        assert con.execute("select count(*), sum(planned_amount) from retrofit_funds").fetchone() == (3, 400_000.0)
        (value,) = con.execute(
            "select value from indicator_values where indicator_id = 'retrofit_funds_planned' and year = 2024 and dimension = 'total'"
        ).fetchone()
    assert value == 400_000.0


def test_without_a_register_institutions_are_accepted_with_a_warning(notice: Path) -> None:
    with duckdb.connect(str(notice / "warehouse.duckdb"), read_only=True) as con:
        found = con.execute(
            "select distinct severity, responsibility from intake.issues where code = 'unknown_institution'"
        ).fetchall()
    assert [s for s, _ in found] == ["warning"]


def test_with_a_register_unknown_institutions_are_quarantined(shared: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "名录.csv").write_text(
        "2024年度公共机构名录\n"
        "统一社会信用代码,单位名称,年度,单位性质,层级,行政区划代码,用能人数,建筑面积\n"
        "1143020029141777XA,株洲市广播电视台,2024,其他事业,市,430200,10,1000\n",
        encoding="utf-8",
    )
    for f in (shared / "realdata" / "zhuzhou").glob("*.xlsx"):
        shutil.copy2(f, inbox)
    ran = mingzhang("run", "--home", tmp_path / "home", "--inbox", inbox, "--as-of", "2025-12-31", "--json")
    assert ran.returncode == 0, ran.stderr
    with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb"), read_only=True) as con:
        kept = con.execute("select org_name, planned_amount from records.retrofit_funds").fetchall()
        refused = con.execute(
            'select "row", severity from intake.issues where code = \'unknown_institution\' order by "row"'
        ).fetchall()
    assert kept == [("株洲市广播电视台", 150_000.0)]
    assert refused == [(5, "error"), (7, "error")]
