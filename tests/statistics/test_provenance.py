"""Provenance is a relation of sheets and indicators; the query over it gives for each value what their product gave."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from publish.sources import KEY, disclosing_rows, sources_of
from tests.conftest import MadeUp

pytestmark = pytest.mark.slow

PRODUCT = Path(__file__).with_name("provenance_product.sql")
ROW = (*KEY, "dataset", "file", "sheet", "records", "sheet_rows")
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def public(made_up: MadeUp) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(f"file:{made_up.release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        yield con


@pytest.fixture(scope="module")
def product(made_up: MadeUp) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(made_up.home / "warehouse.duckdb"), read_only=True) as con:
        for statement in PRODUCT.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                con.execute(statement)
        yield con


def answers(public: sqlite3.Connection, where: str = "1 = 1") -> list[Row]:
    return public.execute(f"select {', '.join(ROW)} from ({sources_of(where, ['indicators'])})").fetchall()


def suppressed(public: sqlite3.Connection) -> set[Row]:
    return set(public.execute(f"select {', '.join(KEY)} from indicator_values where status = 'Q'").fetchall())


def test_every_value_has_the_files_sheets_and_rows_that_the_product_gave(
    public: sqlite3.Connection, product: duckdb.DuckDBPyConnection
) -> None:
    shown = set(public.execute(f"select {', '.join(KEY)} from indicator_values").fetchall()) - suppressed(public)
    was = product.execute(f"""
        select {", ".join(KEY)}, dataset, file_id, sheet, sum(records), nullif(any_value(sheet_rows), '[]')
        from old_provenance group by {", ".join(KEY)}, dataset, file_id, sheet""").fetchall()
    expected = {r for r in was if r[: len(KEY)] in shown}
    assert len(expected) > 10_000
    found = answers(public)
    assert len(found) == len(set(found))
    assert (set(found) - expected, expected - set(found)) == (set(), set())


def test_a_value_counts_the_records_and_files_that_the_product_gave(product: duckdb.DuckDBPyConnection) -> None:
    key = ", ".join(KEY)
    odd = product.execute(f"""
        with was as (select {key}, sum(records) as records, count(distinct file_no) as files from old_sources group by {key})
        select {key}, v.records, was.records, v.files, was.files
        from marts.indicator_values v full join was using ({key})
        where v.status is not null and (v.records, v.files) is distinct from (was.records, was.files)
        and not (was.records is null and v.records = 0 and v.files = 0)""").fetchall()
    assert odd == []


def test_nothing_is_said_of_a_suppressed_value(public: sqlite3.Connection) -> None:
    hidden = suppressed(public)
    assert len(hidden) > 100
    assert not {r[: len(KEY)] for r in answers(public)} & hidden
    assert public.execute(disclosing_rows()).fetchall() == []
    places = """select distinct d.dataset from provenance p join datasets d using (dataset)
        where not d.published and coalesce(p.sheet, p.sheet_rows, p.district, p.org_type, p.level, p.records) is not null"""
    assert public.execute(places).fetchall() == []


def test_one_value_is_found_alone_as_among_all(public: sqlite3.Connection) -> None:
    every = answers(public)
    for indicator, dimension in (("energy_per_capita", "total"), ("disposal_amount", "period"), ("leases", "district")):
        wanted = [r for r in every if r[0] == indicator and r[2] == dimension]
        assert answers(public, f"indicator_id = '{indicator}' and dimension = '{dimension}'") == wanted
        assert wanted or indicator == "leases"


def test_its_rows_are_as_many_as_the_sheets_and_rows_whatever_the_indicators(made_up: MadeUp, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copyfile(made_up.home / "warehouse.duckdb", copy)
    (compiled,) = (made_up.home / "work/dbt/target").rglob("compiled/**/provenance.sql")
    with duckdb.connect(str(copy)) as con:
        count = "select count(*), max(length(indicators)) from marts.provenance"
        rows, longest = con.execute(count).fetchall()[0]
        con.execute("""insert into intermediate.int_indicator_sources
            select * replace (indicator_id || '_again' as indicator_id) from intermediate.int_indicator_sources""")
        con.execute(f"create or replace table marts.provenance as {compiled.read_text(encoding='utf-8')}")
        assert con.execute(count).fetchall()[0][0] == rows
        assert con.execute(count).fetchall()[0][1] > longest
        # of what is closed one row a year, and one for names that say their year
        odd = con.execute("""select dataset, file_id, year from marts.provenance where sheet_rows is null
            group by all having count(*) > 1""").fetchall()
        assert odd == []
        places = """select count(*) from (select distinct dataset, file_id, sheet, year, unnest(generate_series(
            cast(span ->> 0 as integer), cast(span ->> 1 as integer))) from (
            select *, unnest(from_json(sheet_rows, '["json"]')) as span from marts.provenance))"""
        (of_rows,) = con.execute(places).fetchall()[0]
        (of_sheets,) = con.execute("select count(*) from marts.provenance where sheet_rows is null").fetchall()[0]
        assert rows <= 2 * of_rows + of_sheets


def test_a_release_of_before_is_read_as_it_was_made() -> None:
    with sqlite3.connect(":memory:") as con:
        con.execute(
            "create table provenance (kind, indicator_id, year, dimension, member, factor_set, dataset, file, sheet, records)"
        )
        con.execute("insert into provenance values ('value', 'a', 2021, 'total', 'all', 'none', 'd', 'f', 's', 3)")
        con.execute("insert into provenance values ('column', null, null, null, null, null, 'd', 'f', 's', null)")
        found = con.execute(sources_of("indicator_id = 'a'", ["kind", "indicator_id", "records"])).fetchall()
    assert found == [("value", "a", 2021, "total", "all", "none", "d", "f", "s", 3, None)]
