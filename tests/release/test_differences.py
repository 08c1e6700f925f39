"""Two releases of one home, what opens in part, and where a number comes from."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
from contextlib import closing

import pytest

from expectations.contract import Contracts, OpenRows
from pipelines.core.home import Home
from publish.disclosure import history, past_releases
from publish.disclosure import suppress as suppressing
from publish.disclosure.history import FROZEN_ZH, FrozenCells
from publish.errors import GateRefused, NoSuchRelease, ReleaseError
from publish.release import build as building
from publish.release.why import why
from tests.release.conftest import AS_OF, BUYER, file_id, make_marts, make_warehouse, sources

TOTAL = "select value, note from indicator_values where indicator_id = 'energy_kgce' and year = 2024 and dimension = 'total'"


def query(release, sql):
    with closing(sqlite3.connect(f"file:{release.path}/mingzhang.db?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def again(con):
    con.execute("drop schema marts cascade; create schema marts; drop table intermediate.int_indicator_parts")
    make_marts(con)


def more(orgs, factor=2.0):
    """A warehouse in which the first `orgs` institutions reported more for 2024."""

    def change(con):
        names = [f"虚构第{n}中心" for n in range(orgs)]
        con.execute(
            "update records.energy_use set electricity = electricity * ? where month = '2024-06' and org_name in (select unnest(?))",
            [factor, names],
        )
        again(con)

    return change


def test_a_correction_by_one_institution_waits_and_by_many_it_shows(made):
    first = made()
    second = made(more(1), code_version="b")
    assert query(second, TOTAL)[0][0] == query(first, TOTAL)[0][0]
    assert FROZEN_ZH in query(second, TOTAL)[0][1] and query(first, TOTAL)[0][1] is None
    # The other years and what is open in rows are what they were.
    others = "select * from indicator_values where year <> 2024 or indicator_id = 'funds' order by 1, 2, 3, 4, 10"
    assert query(first, others) == query(second, others)
    third = made(more(30), code_version="c")
    assert query(third, TOTAL)[0][0] > query(first, TOTAL)[0][0] and query(third, TOTAL)[0][1] is None
    values = "select value from indicator_values where indicator_id = 'per_head' and year = 2024"
    assert query(first, values) == query(second, values) != query(third, values)


def test_a_statement_on_a_value_that_waits_says_what_it_said(made):
    def stated(con):
        con.execute("alter table marts.claims alter computed_value type double")
        con.execute("""update marts.claims set indicator_id = 'energy_kgce', dimension = 'total', member = 'all', factor_set = 'default',
            sql = 'select value from indicator_values where indicator_id = ''energy_kgce'' and year = 2024 and dimension = ''total''',
            computed_value = (select cast(value as double) from marts.indicator_values where indicator_id = 'energy_kgce' and year = 2024
            and dimension = 'total'), note_en = 'As it was then.' where claim_id = 'coal_2024'""")

    def both(con):
        more(1)(con)
        stated(con)
        con.execute("update marts.claims set note_en = 'As it is now.' where claim_id = 'coal_2024'")

    claim = "select computed_value, explanation_en from claims where claim_id = 'coal_2024'"
    first = made(stated)
    second = made(both, code_version="b")
    assert query(second, claim) == query(first, claim) and query(first, claim)[0][1] == "As it was then."
    behind = "indicator_id = 'energy_kgce' and year = 2024"
    assert sources(second, behind) == sources(first, behind) != []


def test_the_memory_is_inside_work_and_in_no_release(made):
    release = made()
    home = Home(release.path.parent.parent)
    kept = list((home.work / "disclosure").glob("*.parquet"))
    assert len(kept) == 2 and all(p.is_relative_to(home.work) for p in kept)
    assert b"int_indicator_parts" not in (release.path / "mingzhang.db").read_bytes()
    assert made().state == "unchanged" and len(past_releases.recall(home)) == 1
    # A crash between the release and its memory is made good when the release is found standing.
    shutil.rmtree(home.work / "disclosure")
    assert made().state == "unchanged" and past_releases.recall(home)[0].parts is not None


def test_a_release_whose_memory_is_gone_is_still_held_against(made):
    first = made()
    home = Home(first.path.parent.parent)
    shutil.rmtree(home.work / "disclosure")
    assert query(made(more(30), code_version="b"), TOTAL)[0][0] == query(first, TOTAL)[0][0]


def test_releases_that_were_deleted_count_as_long_as_they_are_remembered(made):
    """The home is kept and its folder of releases thrown away, with a link left that leads nowhere."""
    first = made()
    total = query(first, TOTAL)[0][0]
    made(more(30), code_version="b")
    shutil.rmtree(first.path.parent)
    again_ = made()
    assert again_.state == "new" and again_.release_id == first.release_id and query(again_, TOTAL)[0][0] == total
    shutil.rmtree(first.path.parent)
    one = made(more(1), code_version="c")
    assert query(one, TOTAL)[0][0] == total and one.current


@pytest.mark.parametrize("several", [False, True])
def test_a_statement_about_several_years_rests_on_each_of_them(made, several):
    def stated(con):
        con.execute("alter table marts.claims add column first_year integer")
        con.execute("update marts.claims set computed_unit = '吨', year = 2099 where claim_id = 'coal_2024'")
        if several:
            con.execute("update marts.claims set first_year = 2023 where claim_id = 'coal_2024'")

    claim = "select computed_value, check_status, first_year, computed_unit from claims where claim_id = 'coal_2024'"
    if several:
        assert query(made(stated), claim) == [(None, "no_data", 2023, "吨")]
    else:
        with pytest.raises(GateRefused, match="coal_2024: its SQL does not give the value shown"):
            made(stated)


@pytest.mark.parametrize("memory", [True, False])
def test_a_release_that_forgets_the_one_before_is_refused(made, monkeypatch, memory):
    first = made()
    if not memory:
        shutil.rmtree(Home(first.path.parent.parent).work / "disclosure")

    def nothing(cells, *_):
        none = cells["value"].isna().to_numpy() & False
        return FrozenCells(cells, none, none, none)

    monkeypatch.setattr(building.history, "freeze", nothing)
    # With the past in hand, suppression over all dimensions would hide what the difference tells; the gate is tried alone.
    monkeypatch.setattr(suppressing, "withhold", lambda found, rules, hidden, free, cost: hidden & False)
    with pytest.raises(GateRefused, match=f"its difference from release {first.release_id} is that of too few"):
        made(more(1), code_version="b")


def test_what_follows_from_what_moved_is_refused(made, monkeypatch):
    # The total and every district but one move: the one that stands follows from them.
    made()
    freeze = history.freeze

    def careless(cells, *how):
        right = freeze(cells, *how)
        moved = (cells["dimension"] == "total") | (cells["dimension"] == "org_type") | (cells["dimension"] == "carrier")
        frozen = right.frozen & ~moved.to_numpy()
        out = cells.copy()
        for c in ("value", "note", "contributors", "largest_share"):
            out[c] = out[c].where(~frozen, right.cells[c])
        return FrozenCells(out, frozen, right.hidden, right.known)

    monkeypatch.setattr(building.history, "freeze", careless)
    with pytest.raises(GateRefused) as e:
        made(more(1), code_version="b")
    assert any("/district/" in hit and "its difference from" in hit for hit in e.value.hits), e.value.hits


def partly(contracts: Contracts) -> Contracts:
    only = OpenRows("area_kind", ("土地",))
    return Contracts(
        dataclasses.replace(c, open_rows=only) if c.dataset == "disposals" else c for c in contracts.values()
    )


def test_of_a_dataset_that_opens_in_part_only_those_rows_leave(contracts, city, tmp_path):
    home = Home(tmp_path).create()
    make_warehouse(
        home.warehouse, partly(contracts), lambda con: con.execute("update records.disposals set buyer = null")
    )
    release = building.build(home, partly(contracts), city, AS_OF, "v")
    assert query(release, "select disposal_id, area_kind from disposals") == [("b", "房屋")]
    assert query(release, "select rows from datasets where dataset = 'disposals'") == [(2,)]


def test_a_row_that_is_not_open_is_refused(contracts, city, tmp_path):
    """As where the warehouse was made before the contract closed those rows."""
    home = Home(tmp_path).create()
    make_warehouse(home.warehouse, contracts)
    with pytest.raises(GateRefused) as e:
        building.build(home, partly(contracts), city, AS_OF, "v")
    for where in (
        "mingzhang.db disposals row 1",
        "csv/disposals.csv",
        "csv-plain/disposals.csv",
        "xlsx/disposals.xlsx",
        "parquet/disposals.parquet",
    ):
        assert any(where in h and "a row with this area_kind is not open" in h for h in e.value.hits), e.value.hits


def test_leases_of_persons_do_not_open(root):
    from expectations.contract import load_contracts

    leases = load_contracts(only=["leases"])["leases"]
    assert leases.open_rows == OpenRows("tenant_type", ("个人",))


def test_a_buyer_that_is_published_elsewhere_by_contract_is_no_secret_there(made):
    def supplier(con):
        con.execute(f"update records.retrofit_funds set project_name = '{BUYER}' where seq = 2")

    release = made(supplier)
    assert query(release, "select project_name from retrofit_funds where seq = 2") == [(BUYER,)]

    def also(con):
        supplier(con)
        con.execute(f"update marts.claims set section = '{BUYER}'")

    with pytest.raises(GateRefused) as e:
        made(also, code_version="b")
    assert all("claims" in h for h in e.value.hits), e.value.hits


def test_what_an_open_column_of_its_own_dataset_holds_stays_a_secret(made):
    with pytest.raises(GateRefused, match="disposals row"):
        made(lambda con: con.execute(f"update records.disposals set asset_id = '{BUYER}'"))


def test_a_ratio_beside_sums_over_few_more_is_refused(made, monkeypatch):
    monkeypatch.setattr(building, "ties", lambda *_: [])

    def few(con):
        con.execute("update marts.indicator_values set contributors = contributors - 2 where indicator_id = 'per_head'")

    with pytest.raises(GateRefused, match="per_head/202./total/all/default: with published sums it gives what a few"):
        made(few)


def test_coverage_counts_institutions(made):
    release = made()
    found = query(release, "select dataset, period, institutions, expected from coverage order by 1, 2")
    assert ("energy_use", "2024-06", 30, 30) in found and ("institutions", "2025", 30, 30) in found
    assert ("retrofit_funds", "2024", 2, None) in found


def test_tasks_are_counted_by_the_day_the_release_speaks_of(made):
    def received(con):
        con.execute("update intake.files set received_at = timestamp '2031-05-05 10:00:00'")

    release = made(received)
    counts = "select dataset, month, state, tasks from task_counts"
    assert query(release, counts) == [("retrofit_funds", "2025-12", "交办", 2)]

    def earlier(con):
        received(con)
        con.execute("update intake.files set received_at = timestamp '2025-11-05 10:00:00'")

    assert query(made(earlier, code_version="b"), counts) == [("retrofit_funds", "2025-11", "督办", 2)]
    assert query(made(earlier, code_version="c", due_days=90), counts) == [("retrofit_funds", "2025-11", "交办", 2)]


def test_a_line_of_savings_is_shown_as_its_cell(made):
    found = query(made(), "select line, value, status from savings_statement order by line")
    assert found == [("1", None, "Q"), ("2", 300000.0, "A")]


def test_a_distance_is_told_of_a_value_as_published_only(made):
    sql = "select benchmark_id, value, difference, percent, reached, status from benchmark_distances order by benchmark_id"
    coal, funds = ("coal_plan", None, None, None, None, "Q"), ("funds_mean", 300000.0, 100000.0, 50.0, None, "A")
    assert query(made(), sql) == [coal, funds]

    def other(con):  # as where a cell stands as in the last release
        con.execute("update marts.benchmark_distances set value = 310000, difference = 110000, percent = 55")

    assert query(made(other, code_version="b"), sql) == [coal, ("funds_mean", 300000.0, None, None, None, "A")]


def test_why_leads_to_the_cell_of_open_rows_and_to_the_hash_of_closed_ones(release):
    home = Home(release.path.parent.parent)
    tree = why(home, "current", "funds", 2024)
    assert "2024: 300,000.0 元 (status A" in tree and f"file {file_id('funds')} 附件1: 2 records" in tree
    assert "附件1!D5 planned_amount = 150,000.0" in tree and "附件1!D6 planned_amount = 150,000.0" in tree
    later = why(home, "current", "funds", 2025)
    assert "附件1!D7 planned_amount = 100,000.5" in later and "D5" not in later and "D6" not in later
    closed = why(home, release.release_id, "energy_kgce", 2024)
    assert f"file {file_id('energy')}: " in closed and "counts and hashes only" in closed and "联系人张三" not in closed


def test_why_says_nothing_of_what_is_suppressed(made):
    def few(con):
        con.execute("update marts.indicator_values set contributors = 2 where indicator_id = 'people'")

    release = made(few)
    tree = why(Home(release.path.parent.parent), "current", "people", 2024)
    assert "suppressed" in tree and "file" not in tree.partition("suppressed")[2]


def test_why_of_what_is_not_there_says_what_there_is(release):
    home = Home(release.path.parent.parent)
    with pytest.raises(ReleaseError, match="no indicator nothing; its table 'indicators' lists"):
        why(home, "current", "nothing", 2024)
    with pytest.raises(ReleaseError, match="no value of funds for 1999; it has 2024 to 2025"):
        why(home, "current", "funds", 1999)
    with pytest.raises(NoSuchRelease):
        why(home, "2025-12-31-00000000", "funds", 2024)
