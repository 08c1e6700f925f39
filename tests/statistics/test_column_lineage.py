"""What the columns of a model are computed from, as far as its SQL says it."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.core.home import Home
from pipelines.statistics import column_lineage as module
from pipelines.statistics.column_lineage import column_lineage
from pipelines.statistics.counted import WarehouseTable

SQL = """
with source as (select * from read_parquet('{work}/records/meetings/*.parquet')),
named as (
    select source.org, source.attendees + rates.extra as people, source.fee
    from source left join "warehouse"."intermediate"."rates" as rates on source.year = rates.year
),
measured as (
    select org, unnest([
        {{'measure': 'people', 'amount': people}},
        {{'measure': 'fee', 'amount': fee}}
    ], recursive := true)
    from named
)
select org, measure, sum(amount) as amount, count(*) as records from measured group by all
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    folder = home.records("meetings")
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"org": ["a"], "year": [2024], "attendees": [3], "fee": [1.5]}), folder / "1.parquet")
    monkeypatch.setattr(module, "NOTES", tmp_path / "project" / "lineage.json")
    return home


def lineage(home: Home, sql: str = SQL) -> dict[str, module.Columns]:
    file = home.work / "model.sql"
    file.write_text(sql.format(work=home.work.resolve()), encoding="utf-8")
    tables = {
        "intermediate/rates": WarehouseTable(2, (("year", "BIGINT"), ("extra", "BIGINT"))),
        "marts/other": WarehouseTable(1, (("org", "VARCHAR"),)),
    }
    return column_lineage(home, {"marts/people": file}, tables)


def test_each_column_has_the_columns_that_it_is_computed_from(home: Home) -> None:
    assert lineage(home) == {
        "marts/people": {
            "org": [("records/meetings", "org")],
            "measure": [],
            "amount": [
                ("intermediate/rates", "extra"),
                ("records/meetings", "attendees"),
                ("records/meetings", "fee"),
            ],
            "records": [],
        }
    }


def test_the_same_sql_is_analysed_once_for_all_homes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lineage(home)
    other = Home(tmp_path / "other")
    other.create()
    home.records("meetings").parent.rename(other.records("meetings").parent)

    def never(*_: object) -> None:
        raise AssertionError("analysed again")

    monkeypatch.setattr(module, "_analysed", never)
    assert lineage(other) == first
    with pytest.raises(AssertionError, match="analysed again"):
        lineage(other, SQL.replace("extra as people", "extra * 2 as people"))


def test_other_columns_of_a_table_are_looked_at_again(home: Home) -> None:
    star = "select * from read_parquet('{work}/records/meetings/*.parquet')"
    assert set(lineage(home, star)["marts/people"]) == {"org", "year", "attendees", "fee"}
    pq.write_table(pa.table({"org": ["a"], "guests": [1]}), home.records("meetings") / "1.parquet")
    assert set(lineage(home, star)["marts/people"]) == {"org", "guests"}


def test_a_model_that_cannot_be_followed_is_left_out_and_said(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert lineage(home, "select from from where") == {}
    assert "The column lineage of marts/people is not known" in caplog.text
