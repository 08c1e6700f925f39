"""Sums over rows of which some are open and some are not: less the open rows, they are sums over the closed ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pandas as pd
import pytest

from expectations.contract import load_contracts
from pipelines.core.home import Home
from publish.disclosure.relations import Indicator
from publish.disclosure.suppress import Rules, suppress
from publish.schema import is_open

RULES = Rules()


@pytest.fixture(scope="module")
def warehouse(made_up):
    with duckdb.connect(str(Home(made_up.home).warehouse), read_only=True) as con:
        yield con


def test_what_a_contract_closes_counts_as_closed(warehouse):
    """Of every dataset, whatever its contract says: none open, all open, some rows open, some columns."""
    facts = "intermediate.int_facts"
    some = 0
    for c in load_contracts().values():
        closed = {
            (breakdown, member): marks
            for breakdown, member, marks in warehouse.execute(
                f"select breakdown, breakdown_member, list(distinct closed) from {facts} where dataset = ? group by all",
                [c.dataset],
            ).fetchall()
        }
        if not is_open(c):
            assert all(marks == [True] for marks in closed.values()), c.dataset
        elif c.open_rows is not None:
            by = {member: marks for (breakdown, member), marks in closed.items() if breakdown == c.open_rows.column}
            assert by and all(marks == [member in c.open_rows.not_in] for member, marks in by.items()), c.dataset
            some += 1
        # Of an open dataset no open measure is a column that is not.
        for column in c.columns:
            if is_open(c) and column.access != "L0" and column.kind in ("decimal", "integer"):
                total = warehouse.execute(f'select sum("{column.name}") from records.{c.dataset}').fetchone()[0]
                open_ = warehouse.execute(
                    f"select measure, sum(amount) from {facts} where dataset = ? and breakdown = '' and not closed group by 1",
                    [c.dataset],
                ).fetchall()
                assert not [m for m, amount in open_ if total and float(amount) == pytest.approx(float(total))], column
    assert some == 1  # leases, of which those of persons do not open


def test_the_closed_rows_of_a_published_sum_are_of_enough_institutions(warehouse, made_up):
    behind = warehouse.execute("""
        with closed as (
            select i.indicator_id, f.year, f.org, f.district, f.org_type, f.admin_level, sum(f.amount) as amount
            from seeds.seed_indicators i join intermediate.int_facts f on f.measure = i.numerator
            where i.denominator is null and f.dataset = 'leases' and f.closed and f.breakdown = '' group by all),
        placed as (
            select indicator_id, year, org, amount, unnest([{'d': 'total', 'm': 'all'}, {'d': 'district', 'm': district},
                {'d': 'org_type', 'm': org_type}, {'d': 'level', 'm': admin_level}]) as place from closed)
        select indicator_id, year, place.d as dimension, place.m as member, count(distinct org) as institutions,
               max(abs(amount)) / nullif(sum(abs(amount)), 0) as share, sum(amount) as amount
        from placed group by all""").df()
    with closing(sqlite3.connect(f"file:{made_up.release}/mingzhang.db?mode=ro", uri=True)) as con:
        shown = pd.read_sql_query("select indicator_id, year, dimension, member, status from indicator_values", con)
    found = behind.merge(shown, on=["indicator_id", "year", "dimension", "member"])
    unsafe = [
        RULES.unsafe(n, s, a)
        for n, s, a in zip(found["institutions"], found["share"].fillna(1), found["amount"], strict=True)
    ]
    assert set(found.loc[unsafe, "status"]) == {"Q"}
    # Some are published, and what is in open rows alone always is.
    assert (found.loc[[not u for u in unsafe], "status"] != "Q").any()
    with closing(sqlite3.connect(f"file:{made_up.release}/mingzhang.db?mode=ro", uri=True)) as con:
        open_ = "select status from indicator_values where indicator_id = 'lease_count' and dimension = 'tenant_type' and member <> '个人'"
        assert {s for (s,) in con.execute(open_)} == {"A"}


@pytest.mark.parametrize(("institutions", "share", "hidden"), [(5, 0.5, False), (4, 0.5, True), (9, 0.9, True)])
def test_of_a_mixed_sum_only_the_closed_part_need_be_hidden(institutions, share, hidden):
    """The open rows are most of it, and an institution or two of the closed ones would be the remainder."""
    about = {"rent": Indicator("stock", "rent")}

    def cell(member, value, of_closed, dimension="tenant", closed=True):
        marks = (
            {"contributors": institutions, "largest_share": share}
            if closed
            else {"contributors": 99, "largest_share": 0.1}
        )
        return {
            "indicator_id": "rent", "year": 2024, "dimension": dimension, "member": member, "value": float(value), "status": "A",
            "records": 9, "files": 1, "factor_set": "none", "synthetic": True, "note": None, "closed": closed,
            "closed_value": of_closed, **marks,
        }  # fmt: skip

    cells = pd.DataFrame(
        [
            cell("all", 1000, 50.0, "total"),
            cell("person", 50, 50.0),
            cell("firm", 950, None, closed=False),
            cell("a", 700, 30.0, "district"),
            cell("b", 300, 20.0, "district"),
        ]
    ).astype({"year": "Int64", "records": "Int64", "files": "Int64", "contributors": "Int64"})
    out = suppress(cells, about, RULES).cells.set_index("member")["status"]
    assert (out["all"], out["person"], out["firm"]) == (("Q", "Q", "A") if hidden else ("A", "A", "A"))
