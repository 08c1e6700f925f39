"""Linear programming over what is published finds nothing hidden: on the made-up city, and on five drawn from it at random."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import numpy as np
import pandas as pd
import pytest

from pipelines.core.home import Home
from publish.disclosure.audit import bounds
from publish.disclosure.hiding import KEY
from publish.disclosure.suppress import Rules, suppress
from publish.release import tables
from tests.conftest import mingzhang
from tests.disclosure.attacker import bounded, follows, subtract

RULES = Rules()
IN_ITS_UNIT = ["electricity", "energy_kgce", "water", "people"]  # published as the records have it
CLAIMED = ["indicator_id", "year", "dimension", "member", "factor_set", "value", "status"]


def attack(cells: pd.DataFrame, published: pd.DataFrame, indicators) -> tuple[int, list]:
    """How many values had to be hidden, and those of them that the published ones bound within a tenth."""
    closed = cells[cells["closed"].astype(bool) & cells["value"].notna() & (cells["contributors"] > 0)]
    numbers = [closed[c].to_numpy(dtype=float, na_value=np.nan) for c in ("contributors", "largest_share", "value")]
    targets = closed[list(map(RULES.unsafe, *numbers))]
    keys = list(targets[KEY].astype({"year": "int64"}).itertuples(index=False, name=None))
    # Where some solution shows that a value may be a tenth lower and a tenth higher, no more is asked.
    wide = {k: (0.9 * v, 1.1 * v) for k, v in zip(keys, targets["value"], strict=True)}
    found = bounds(published.astype({"year": "int64"}), {n: i.kind for n, i in indicators.items()}, keys, enough=wide)
    near = [
        (k, found[k], v)
        for k, v in zip(keys, targets["value"], strict=True)
        if v > 0 and found[k][0] > 0.9 * v and found[k][1] < 1.1 * v
    ]
    return len(keys), near


def test_nothing_hidden_is_found_in_the_made_up_city(made_up):
    with tables.Warehouse(Home(made_up.home).warehouse) as w:
        cells, indicators = tables.indicator_cells(w), tables.indicators_about(w)
    with closing(sqlite3.connect(f"file:{made_up.release}/mingzhang.db?mode=ro", uri=True)) as con:
        published = pd.read_sql_query(f"select {', '.join(CLAIMED)} from indicator_values", con)
    tried, near = attack(cells, published, indicators)
    assert tried > 100 and near == []
    # The attack can succeed: without the values that hide others it finds some.
    only = published.merge(cells[[*KEY, "value"]].astype({"year": "int64"}), on=KEY, suffixes=("", "_true"), how="left")
    unsafe = {k for k, *_ in attack_targets(cells)}
    opened = [k not in unsafe for k in only[KEY].itertuples(index=False, name=None)]
    only["value"] = only["value"].where(~np.array(opened) | only["value"].notna(), only["value_true"])
    only["status"] = only["status"].where(only["value"].isna(), "A")
    assert attack(cells, only[CLAIMED], indicators)[1]


def with_register(home, release) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict]:
    """Of a release the closed sums as published and as they would be without the proof over all dimensions, the public
    register, and the institutions' own values of them."""
    with tables.Warehouse(Home(home).warehouse) as w:
        cells, indicators = tables.indicator_cells(w), tables.indicators_about(w)
        own = w.frame("""select p.indicator_id, p.factor_set, p.year, i.org_name, cast(sum(numerator) as double) as v
            from intermediate.int_indicator_parts p join records.institutions i on i.uscc = p.org and i.year = p.year
            where breakdown = '' and matched group by all""")
    sums = {n for n, i in indicators.items() if i.additive}
    closed = cells[cells["closed"].astype(bool) & cells["indicator_id"].isin(sums)]
    with closing(sqlite3.connect(f"file:{release}/mingzhang.db?mode=ro", uri=True)) as con:
        shown = pd.read_sql_query(f"select {', '.join(CLAIMED)} from indicator_values", con)
        register = pd.read_sql_query("select * from institutions", con)
    without = suppress(closed, indicators, RULES).cells[CLAIMED].astype({"year": "int64", "value": float})
    published = shown[shown["indicator_id"].isin(set(closed["indicator_id"]))]
    truth = dict(
        zip(
            own[["indicator_id", "factor_set", "year", "org_name"]].itertuples(index=False, name=None),
            own["v"],
            strict=True,
        )
    )
    return published, without, register, truth


def test_no_institution_follows_from_the_public_register_and_the_table(made_up):
    published, _, register, truth = with_register(made_up.home, made_up.release)
    assert published["value"].notna().sum() > 100 and len(truth) > 1000
    # Of leases the open rows are everybody's, and a cell of them alone may be of few.
    assert subtract(published[~published["indicator_id"].str.startswith("lease_")], register) == []
    one = published[published["indicator_id"].isin(IN_ITS_UNIT)]
    assert follows(one, register) == [] and bounded(one, register, truth) == []


@pytest.fixture(scope="module")
def nested(shared, tmp_path_factory):
    """The city in which a district is all the institutions of a level and one more, gone the whole way."""
    home = tmp_path_factory.mktemp("nested") / "home"
    ran = mingzhang("run", "--home", home, "--inbox", shared / "cases/reports/02_nested_cells", "--as-of", "2025-12-31")
    assert ran.returncode == 0, ran.stderr
    return home


def test_a_district_less_a_level_gives_nobody_away(nested):
    published, without, register, truth = with_register(nested, (nested / "current").resolve())
    left = [f for f in subtract(without, register) if f[0] == "electricity"]
    assert left[0][3:5] == (("district", "430202"), ("level", "乡")) and len(left[0][5]) == 1
    one, open_ = (v[v["indicator_id"].isin(IN_ITS_UNIT)] for v in (published, without))
    assert follows(open_, register) and bounded(open_, register, truth)
    assert subtract(published, register) == [] and follows(published, register) == []
    assert bounded(one, register, truth) == []
    # Two districts are hidden, and the rest stands.
    shown = published[(published["indicator_id"] == "electricity") & (published["dimension"] == "district")]
    assert (shown["status"] == "Q").sum() == 2 and len(shown) > 4


def attack_targets(cells: pd.DataFrame) -> list:
    closed = cells[cells["closed"].astype(bool) & cells["value"].notna()]
    numbers = [closed[c].to_numpy(dtype=float, na_value=np.nan) for c in ("contributors", "largest_share", "value")]
    unsafe = closed[list(map(RULES.unsafe, *numbers))]
    return [(k,) for k in unsafe[KEY].astype({"year": "int64"}).itertuples(index=False, name=None)]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_hidden_is_found_in_a_city_drawn_at_random(made_up, tmp_path, seed):
    """Some of the institutions, each in the district and of the kind of another: every energy figure of such a city."""
    rng = np.random.default_rng(seed)
    with tables.Warehouse(Home(made_up.home).warehouse) as w:
        parts = pd.read_parquet(tables.contributions(w, tmp_path / "parts.parquet"))
        indicators = tables.indicators_about(w)
    parts = parts[parts["indicator_id"].str.contains("energy_kgce|energy_tce|electricity$|water$|people|per_capita$")]
    orgs = rng.permutation(parts["org"].unique())[: int(rng.integers(8, 40))]
    parts = parts[parts["org"].isin(orgs)]
    for column in ("district", "org_type", "admin_level"):
        drawn = dict(zip(orgs, rng.permutation(parts.drop_duplicates("org")[column].tolist()), strict=False))
        parts = parts.assign(**{column: parts["org"].map(drawn)})
    cells = cells_of(parts)
    out = suppress(cells, indicators, RULES)
    tried, near = attack(cells, out.cells[CLAIMED], indicators)
    assert tried > 10 and near == []


def cells_of(parts: pd.DataFrame) -> pd.DataFrame:
    """indicator_values of what institutions contribute: years and, for flows, the years together."""
    with duckdb.connect() as con:
        con.register("parts", parts)
        cells = con.sql("""
            with spread as (
                select *, unnest(case breakdown
                    when '' then [{'d': 'total', 'm': 'all'}, {'d': 'district', 'm': district},
                                  {'d': 'org_type', 'm': org_type}, {'d': 'level', 'm': admin_level}]
                    else [{'d': breakdown, 'm': breakdown_member}] end) as place
                from parts
            ),
            years as (
                select indicator_id, factor_set, year, place.d as dimension, place.m as member, org, numerator, denominator
                from spread
                union all
                select indicator_id, factor_set, 2025, if(place.d = 'total', 'period', 'period/' || place.d),
                       if(place.d = 'total', '2021-2025', '2021-2025/' || place.m), org, numerator, denominator
                from spread where indicator_id in ('energy_kgce', 'energy_tce')
            ),
            per as (
                select indicator_id, factor_set, year, dimension, member, org, sum(numerator) as n, sum(denominator) as d
                from years group by all
            )
            select indicator_id, year, dimension, member, factor_set, round(sum(n) / coalesce(sum(d), 1), 6) as value,
                   'A' as status, count(*) as contributors, greatest(max(n) / nullif(sum(n), 0), max(d) / nullif(sum(d), 0))
                   as largest_share, true as closed, count(*) as records, 1 as files, cast(null as varchar) as note
            from per group by indicator_id, year, dimension, member, factor_set order by all""").df()
    return cells.astype({"year": "Int64", "records": "Int64", "files": "Int64", "contributors": "Int64"})
