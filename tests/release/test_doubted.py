"""The bureau is told which published total a doubtful figure hides or moves, and nobody else is."""

from __future__ import annotations

import stat
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from publish.disclosure.suppress import Rules
from publish.release import tables
from publish.release.doubted import doubted, read_doubted, write_doubted
from tests.release.rendered import make, put_catalog

CONTRACTS = load_contracts(only=["energy_use"])
ORGS = [f"示范{n}局" for n in range(1, 6)]


def warehouse(
    path: Path, wrong: float, status: str = "open", code: str = "doubtful", column: str | None = "electricity"
) -> Path:
    """Five institutions of 100 each in 2022 and 2023, but that the first has `wrong` in 2023, in row 2 of file `f`, of which
    there is an issue."""
    with duckdb.connect(str(path)) as con:
        for schema in ("records", "intake", "intermediate", "marts"):
            con.execute(f"create schema {schema}")
        use = [(o, f"{y}-01", "f", "", n + 2) for y in (2022, 2023) for n, o in enumerate(ORGS) if y == 2023]
        con.execute(
            "create table records.energy_use (org_name varchar, month varchar, _file varchar, _sheet varchar, _row bigint)"
        )
        con.executemany("insert into records.energy_use values (?, ?, ?, ?, ?)", use)
        con.execute("create table intake.files as select 'f' as file_id, '能源2023.xlsx' as name")
        con.execute(
            """create table intake.issues as select 'i' as issue_id, 'f' as file_id, '' as sheet, 2 as "row", ? as "column",
            ? as code, ? as status, '约为上年的一万倍' as message_zh, 'ten thousand times' as message_en""",
            [column, code, status],
        )
        con.execute("create table intermediate.int_institution_names (org_name varchar, org varchar)")
        con.executemany("insert into intermediate.int_institution_names values (?, ?)", [(o, f"c{o}") for o in ORGS])
        con.execute(
            """create table intermediate.int_indicator_parts (indicator_id varchar, factor_set varchar, year integer,
            org varchar, breakdown varchar, numerator double, matched boolean)"""
        )
        parts = [
            ("electricity", "none", y, f"c{o}", "", wrong if y == 2023 and o == ORGS[0] else 100.0, True)
            for y in (2022, 2023)
            for o in ORGS
        ]
        con.executemany("insert into intermediate.int_indicator_parts values (?, ?, ?, ?, ?, ?, ?)", parts)
        con.execute(
            """create table intermediate.int_indicator_sources as
            select 'electricity' as indicator_id, false as compared, unnest([2022, 2023]) as year, '' as breakdown, 'energy_use' as dataset"""
        )
        con.execute(
            "create table marts.indicators as select 'electricity' as indicator_id, '用电量' as name_zh, 'Electricity use' as name_en"
        )
        put_catalog(con, CONTRACTS, date(2025, 12, 31))
        for mart in ("doubts", "parts_of_totals", "datasets_of_totals"):
            make(con, mart)
    return path


def told(path: Path, status: str) -> list[dict[str, Any]]:
    cells = pd.DataFrame(
        [("electricity", y, "total", "all", "none", status) for y in (2022, 2023)],
        columns=["indicator_id", "year", "dimension", "member", "factor_set", "status"],
    )
    with tables.Warehouse(path) as w:
        return doubted(w, cells, Rules())


def test_a_total_hidden_by_a_doubtful_figure_is_told_with_the_doubt(tmp_path: Path) -> None:
    [d] = told(warehouse(tmp_path / "w.duckdb", 1e6), "Q")
    assert (d["indicator_id"], d["year"], d["institution"], d["effect"]) == ("electricity", 2023, "示范1局", "hidden")
    assert d["message_zh"].startswith("“用电量”2023 年全市合计因“示范1局”的可疑值被隐去")
    assert "约为上年的一万倍" in d["message_zh"] and "ten thousand times" in d["message_en"]
    assert (d["file"], d["column"], d["share"]) == ("能源2023.xlsx", "electricity", 0.9996)


def test_a_total_that_a_doubtful_figure_moves_is_told(tmp_path: Path) -> None:
    [d] = told(warehouse(tmp_path / "w.duckdb", 1000), "A")
    assert (d["effect"], d["year"]) == ("moved", 2023) and "变动了上年的 180%" in d["message_zh"]


@pytest.mark.parametrize(
    ("wrong", "status", "how"),
    [
        (1e6, "Q", {"status": "closed"}),
        (1e6, "Q", {"code": "inconsistent"}),
        (1e6, "Q", {"column": None}),
        (110.0, "Q", {}),  # hidden for another reason: it is no more than a fifth of the total
        (140.0, "A", {}),  # moved by less than a tenth
    ],
)
def test_nothing_is_told_where_no_doubt_is_to_blame(
    tmp_path: Path, wrong: float, status: str, how: dict[str, Any]
) -> None:
    assert told(warehouse(tmp_path / "w.duckdb", wrong, **how), status) == []


def test_the_list_is_the_owners_alone_and_goes_when_there_is_nothing_to_say(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    entries = told(warehouse(tmp_path / "w.duckdb", 1e6), "Q")
    write_doubted(home, entries)
    path = home.feedback / "_bureau" / "doubted.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    [line] = read_doubted(home)
    assert line == {k: str(v) for k, v in entries[0].items()}
    write_doubted(home, [])
    assert not path.exists() and read_doubted(home) == []
