"""A made-up city's warehouse, small and whole, in the shape that records and statistics leave it."""

from __future__ import annotations

import fcntl
import hashlib
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.city import City, Period
from pipelines.core.home import Home
from pipelines.core.settings import MEND_DAYS
from publish.disclosure.contributions import WHO
from publish.release.build import BuiltRelease, build
from publish.release.movement import MovementLimits
from publish.release.warehouse import CASTS
from publish.schema import MARTS
from publish.sources import sources_of
from publish.wording import CLAIM_FACTS
from tests.release.rendered import ACCOUNT, account

AS_OF = date(2025, 12, 31)
YEARS = range(2023, 2026)
ANY_WAY = MovementLimits(rows=1, figure=math.inf, few_records=0)  # how far a figure moves holds nothing
BUYER = "东篱商贸合伙企业"  # stands in an L2 column
Change = Callable[[duckdb.DuckDBPyConnection], None]

KINDS = {"string": "varchar", "enum": "varchar", "month": "varchar", "boolean": "boolean", "integer": "bigint"}
KINDS |= {"year": "bigint", "decimal": "double", "date": "date"}


def file_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@contextmanager
def another_run(home: Home) -> Iterator[None]:
    """Holds a home as another process would: `Home.locked` may be entered twice by one thread."""
    with (home.create().work / "lock").open("a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return load_contracts(only=["institutions", "energy_use", "retrofit_funds", "disposals"])


@pytest.fixture(scope="session")
def city() -> City:
    return City(
        folder=Path("nowhere"),
        code="990100",
        name_zh="虚构市",
        name_en="Nowhere",
        publisher_zh="虚构市机关事务局",
        publisher_en="Nowhere Offices Bureau",
        licence_zh="可自由使用，须注明来源。",
        licence_en="Free to use, naming the source.",
        grid_region="Nowhere",
        periods=(Period("2021-2025", "计划", "Plan", 2021, 2025, 2021),),
    )


@pytest.fixture
def made(tmp_path: Path, contracts: Contracts, city: City) -> Callable[..., BuiltRelease]:
    """made(change=..., where=..., spoil=...): builds a release of a made-up city in a home under tmp_path, after changing what its
    marts are made of, and then the marts themselves."""

    def make(
        change: Change | None = None,
        where: str = "home",
        spoil: Change | None = None,
        due_days: int = MEND_DAYS,
        **how: Any,
    ) -> BuiltRelease:
        home = Home(tmp_path / where).create()
        home.warehouse.unlink(missing_ok=True)
        make_warehouse(home.warehouse, contracts, change, due_days=due_days)
        if spoil is not None:
            with duckdb.connect(str(home.warehouse)) as con:
                spoil(con)
        options = {"as_of": AS_OF, "code_version": "0.1.0+test", "limits": ANY_WAY} | how
        return build(home, contracts, city, **options)

    return make


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, contracts: Contracts, city: City) -> BuiltRelease:
    """A release that stands, to be read and not touched."""
    home = Home(tmp_path_factory.mktemp("standing")).create()
    make_warehouse(home.warehouse, contracts)
    return build(home, contracts, city, AS_OF, "0.1.0+test")


def make_warehouse(
    path: Path, contracts: Contracts, change: Change | None = None, orgs: int = 30, due_days: int = MEND_DAYS
) -> None:
    """30 invented institutions, three years: records of four datasets, the account of intake, and marts over them."""
    rng = np.random.default_rng(7)
    names = [f"虚构第{n}中心" for n in range(orgs)]
    districts = rng.choice(["990102", "990103", "990104"], orgs, p=[0.6, 0.3, 0.1])
    types = rng.choice(["党政机关", "教育", "卫生"], orgs, p=[0.7, 0.2, 0.1])
    with duckdb.connect(str(path)) as con:
        for schema in ("records", "intake", "marts", "intermediate"):
            con.execute(f"create schema {schema}")
        for c in contracts.values():
            columns = [f'"{x.name}" {KINDS[x.kind]}' for x in c.kept]
            con.execute(
                f"create table records.{c.dataset} ({', '.join(columns)}, _file varchar, _sheet varchar, _row bigint)"
            )
        register = pd.DataFrame(
            {
                "uscc": [f"1143{n:014d}" for n in range(orgs)] * len(YEARS),
                "org_name": names * len(YEARS),
                "year": np.repeat(list(YEARS), orgs),
                "org_type": list(types) * len(YEARS),
                "admin_level": "市",
                "division_code": list(districts) * len(YEARS),
                "energy_population": list(rng.integers(20, 900, orgs)) * len(YEARS),
                "floor_area": 1000.0,
                "in_conservation_scope": True,
                "_file": file_id("register"),
                "_sheet": "名录",
                "_row": range(3, 3 + orgs * len(YEARS)),
            }
        )
        put(con, "institutions", register)
        energy = pd.DataFrame(
            {
                "org_name": names * len(YEARS),
                "month": [f"{y}-06" for y in YEARS for _ in names],
                "electricity": np.exp(rng.normal(10, 1, orgs * len(YEARS))).round(1),
                "coal": [5000.0 if n % 19 == 0 else None for _ in YEARS for n in range(orgs)],
                "_file": file_id("energy"),
                "_sheet": "联系人张三的表",
                "_row": range(4, 4 + orgs * len(YEARS)),
            }
        )
        put(con, "energy_use", energy)
        put(
            con,
            "retrofit_funds",
            pd.DataFrame(
                {
                    "seq": [1, 2, 1],
                    "org_name": names[:3],
                    "project_name": ["=照明改造", "空调\n改造", "+1"],
                    "planned_amount": [150000.0, 150000.0, 100000.5],
                    "fiscal_year": [2024, 2024, 2025],
                    "remark": "13812345678",
                    "_file": file_id("funds"),
                    "_sheet": "附件1",
                    "_row": [5, 6, 7],
                }
            ),
        )
        put(
            con,
            "disposals",
            pd.DataFrame(
                {
                    "disposal_id": ["a", "b"],
                    "org_name": names[:2],
                    "method": ["拍卖", "拍卖"],
                    "area_kind": ["土地", "房屋"],
                    "area": [1200.5, 300.0],
                    "sold_on": [date(2024, 3, 1), None],
                    "deal_amount": [-5.0, 1e6],
                    "buyer": [BUYER, names[1]],
                    "status": ["已成交", "已成交"],
                    "_file": file_id("disposals"),
                    "_sheet": "处置",
                    "_row": [2, 3],
                }
            ),
        )
        files = pd.DataFrame(
            [(file_id(n), f"{n}.xlsx", "accepted", n != "funds") for n in ("register", "energy", "funds", "disposals")],
            columns=["file_id", "name", "status", "synthetic"],
        )
        con.register("files", files)
        con.execute('create table intake.superseded (file_id varchar, sheet varchar, "row" bigint, dataset varchar)')
        con.execute("""
            create table intake.files as select *, cast(null as varchar) as superseded_by, timestamp '2025-12-20 08:00' as received_at,
                'inbox/' || name as source_url from files""")
        sheets = pd.DataFrame(
            [
                (file_id("register"), "名录", "institutions", "虚构市编办", "2021..2025", "accepted", 210, 200, 5, 5),
                (file_id("energy"), "联系人张三的表", "energy_use", names[3], "2021..2025", "accepted", 203, 200, 0, 3),
                (file_id("funds"), "附件1", "retrofit_funds", names[0], "2024", "partial", 6, 3, 1, 2),
                (file_id("disposals"), "处置", "disposals", "虚构特勤处", "2024", "accepted", 3, 2, 0, 1),
            ],
            columns=[
                *("file_id", "sheet", "dataset", "submitter", "period", "status"),
                *("rows_read", "rows_accepted", "rows_quarantined", "rows_explained"),
            ],
        )
        con.register("sheets", sheets)
        con.execute("create table intake.sheets as select * from sheets")
        con.execute(
            f"""create table intake.columns as select * from (values
            ('{file_id("funds")}', '附件1', 'planned_amount', 'D'), ('{file_id("funds")}', '附件1', 'remark', 'F'),
            ('{file_id("energy")}', '联系人张三的表', 'electricity', 'C')) t(file_id, sheet, "column", letter)"""
        )
        con.execute(
            f"""create table intake.issues as select * from (values
            ('1', '{file_id("funds")}', '附件1', 7, 'planned_amount', 'D7', 'bad_type', 'error', 'department', '张三', '读不懂', 'open', null),
            ('2', '{file_id("funds")}', '附件1', 9, 'planned_amount', 'D9', 'bad_type', 'error', 'department', '李四', '读不懂', 'open', null),
            ('3', '{file_id("disposals")}', null, null, null, null, 'unmapped_column', 'warning', 'department', null, '', 'closed',
             timestamp '2025-12-20 08:00'))
            t(issue_id, file_id, sheet, row, "column", cell, code, severity, responsibility, raw_value, message_zh, status, closed_at)"""
        )
        con.execute("""
            create table intake.findings (file_id varchar, sheet varchar, dataset varchar, period varchar, "row" bigint, "column" varchar,
                kind varchar, facts varchar)""")
        make_marts(con)
        if change is not None:
            change(con)
        account(con, contracts, AS_OF, due_days)


def put(con: duckdb.DuckDBPyConnection, dataset: str, frame: pd.DataFrame) -> None:
    con.register("frame", frame)
    con.execute(f"insert into records.{dataset} by name select * from frame")


def sources(release: BuiltRelease, where: str) -> list[dict[str, Any]]:
    """What stands behind the values of a release for which `where` holds, by the published query."""
    with closing(sqlite3.connect(f"file:{release.path}/mingzhang.db?mode=ro", uri=True)) as con:
        con.row_factory = sqlite3.Row
        columns = [r["name"] for r in con.execute("pragma table_info(provenance)")]
        return [dict(r) for r in con.execute(sources_of(where, columns))]


def make_marts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        create table marts.indicators as select * from (values
        ('energy_kgce', '能源', '综合能耗', 'Energy use', 'kgce', '定义', 'definition', 'sum', 'flow', 'down', 2, 'energy', null, 1, null, null, true, 2, null),
        ('energy_tce', '能源', '综合能耗(吨)', 'Energy use, t', 'tce', '定义', 'definition', 'sum/1000', 'flow', 'down', 5, 'energy', null, 0.001, null, null, true, 1, 2),
        ('people', '基础', '用能人数', 'People', '人', '定义', 'definition', 'sum', 'stock', 'none', 0, 'people', null, 1, null, null, false, null, null),
        ('per_head', '能源', '人均能耗', 'Per head', 'kgce/人', '定义', 'definition', 'sum/sum', 'ratio', 'down', 2, 'energy', 'people', 1, null, null, false, null, 1),
        ('funds', '能源', '节能资金', 'Funds', '元', '定义', 'definition', 'sum', 'flow', 'up', 2, 'funds', null, 1, null, null, true, null, null))
        t(indicator_id, theme, name_zh, name_en, unit, definition_zh, definition_en, formula, kind, better, decimals, numerator,
          denominator, multiplier, change_of, change_kind, adds_over_years, home_order, topic_order)""")
    con.execute("create table marts.wholes (whole varchar, part varchar, relation varchar)")
    con.execute("""
        create table marts.facts as
        with e as (
            select cast(left(e.month, 4) as bigint) as year, e.org_name, i.division_code as district, i.org_type,
                   e.electricity * 0.1229 as electricity, coalesce(e.coal, 0) * 0.7143 as coal
            from records.energy_use e join records.institutions i
                on i.org_name = e.org_name and i.year = cast(left(e.month, 4) as bigint)),
        long as (
            select year, org_name, district, org_type, 'electricity' as carrier, electricity as v from e
            union all select year, org_name, district, org_type, 'coal', coal from e where coal > 0)
        select year, 'total' as dimension, 'all' as member, org_name, v from long
        union all select year, 'district', district, org_name, v from long
        union all select year, 'org_type', org_type, org_name, v from long
        union all select year, 'carrier', carrier, org_name, v from long""")
    con.execute("""
        create table marts.indicator_values as
        with per as (select year, dimension, member, org_name, sum(v) as v from marts.facts group by all),
        sums as (select year, dimension, member, sum(v) as v, count(*) as n, max(v) / sum(v) as share from per group by all)
        select 'energy_kgce' as indicator_id, year, dimension, member, cast(round(v, 2) as decimal(28, 6)) as value,
               'kgce' as unit, 'A' as status, n as records, 1 as files, 'default' as factor_set, true as synthetic,
               cast(null as varchar) as note, n as reporting, n + 1 as population, n as contributors, round(share, 6) as largest_share, true as closed from sums
        union all
        select 'energy_tce', year, dimension, member, cast(round(v / 1000, 5) as decimal(28, 6)), 'tce', 'A', n, 1, 'default',
               true, null, n, n + 1, n, round(share, 6), true from sums
        union all
        select 'funds', fiscal_year, 'total', 'all', cast(sum(planned_amount) as decimal(28, 6)), '元', 'A', count(*), 1,
               'none', false, null, count(distinct org_name), count(distinct org_name), count(distinct org_name), 1.0, false
        from records.retrofit_funds group by fiscal_year""")
    con.execute("""
        insert into marts.indicator_values
        with per as (
            select f.year, f.org_name, sum(f.v) as v, any_value(i.energy_population) as people
            from marts.facts f join records.institutions i on i.org_name = f.org_name and i.year = f.year
            where f.dimension = 'total' group by all)
        select 'people', year, 'total', 'all', sum(people), '人', 'A', count(*), 1, 'none', true, null, count(*), count(*), count(*),
            round(max(people) / sum(people), 6), true from per group by year
        union all
        select 'per_head', year, 'total', 'all', round(sum(v) / sum(people), 2), 'kgce/人', 'A', count(*), 1, 'default', true, null,
            count(*), count(*), count(*), round(max(v) / sum(v), 6), true from per group by year""")
    con.execute("""
        create table intermediate.int_indicator_parts as
        with one as (
            select f.year, f.org_name as org, f.dimension, f.member, i.division_code as district, i.org_type, f.v
            from marts.facts f join records.institutions i on i.org_name = f.org_name and i.year = f.year
            where f.dimension in ('total', 'carrier')),
        parts as (
            select year, org, if(dimension = 'total', '', dimension) as breakdown, if(dimension = 'total', '', member) as breakdown_member,
                   district, org_type, '市' as admin_level, sum(v) as v from one group by all)
        select n.indicator_id, 'default' as factor_set, parts.* exclude (v), v / n.per as numerator,
               cast(null as double) as denominator, true as matched, true as closed
        from parts, (values ('energy_kgce', 1), ('energy_tce', 1000)) n(indicator_id, per)
        union all by name
        select 'per_head' as indicator_id, 'default' as factor_set, parts.* exclude (v), v as numerator,
               i.energy_population as denominator, true as matched, true as closed
        from parts join records.institutions i on i.org_name = parts.org and i.year = parts.year where breakdown = ''
        union all by name
        select 'people' as indicator_id, 'none' as factor_set, parts.* exclude (v), i.energy_population as numerator,
               cast(null as double) as denominator, true as matched, true as closed
        from parts join records.institutions i on i.org_name = parts.org and i.year = parts.year where breakdown = ''""")
    con.execute(f"""
        create view marts.contributions as
        select {", ".join(WHO)}, cast(sum(numerator) as double) as numerator, cast(sum(denominator) as double) as denominator,
               cast(sum(numerator) as double) as closed_numerator, cast(sum(denominator) as double) as closed_denominator,
               '' as comparable_as
        from intermediate.int_indicator_parts where matched and indicator_id in (
            select indicator_id from intermediate.int_indicator_parts where closed)
        group by {", ".join(WHO)}""")
    con.execute("""
        create table marts.savings_statement as select * from (values
        ('1', 'once', '用煤', 'Coal', 2024, false, 11.0, 'tce', 'energy_tce', 'carrier', 'coal', 'default', '说明', 'why', true, true),
        ('2', 'yearly', '资金', 'Funds', 2024, false, 300000.0, '元', 'funds', 'total', 'all', 'none', '说明', 'why', false, false))
        t(line, nature, name_zh, name_en, year, whole_period, value, unit, indicator_id, dimension, member, factor_set,
          explanation_zh, explanation_en, synthetic, closed)""")
    con.execute("""
        create table marts.benchmark_distances as select *, cast(null as varchar) as note_zh, cast(null as varchar) as note_en from (values
        ('coal_plan', 'target', 2024, 'energy_tce', 'carrier', 'coal', 'default', 10.7145, 10.0, 2025, 'tce', 0.7145, null, false,
         null, true, true),
        ('funds_mean', 'average', 2024, 'funds', 'total', 'all', 'none', 300000.0, 200000.0, 2023, '元', 100000.0, 50.0, null,
         'average_of:2023', false, false))
        t(benchmark_id, comparison, year, indicator_id, dimension, member, factor_set, value, benchmark_value, benchmark_year, unit,
          difference, percent, reached, note_codes, synthetic, closed)""")
    con.execute("""
        create table marts.periods as select * from (values ('2021-2025', '计划', 'Plan', 2021, 2025, 2021, '2021-2025', true))
        t(period_id, name_zh, name_en, first_year, last_year, base_year, member, is_over)""")
    con.execute("""
        create table marts.claims as select *, cast(null as varchar) as explanation_zh, cast(null as varchar) as explanation_en from (values
        ('funds_2024', '三', '2024年资金', 'Funds 2024', '30万元', 30.0, '万元', 'exact', '2024', 30.0, 0.0, 'match', 'records',
         '一致。', 'They agree.', 'select sum(planned_amount) / 10000 from retrofit_funds where fiscal_year = 2024',
         'funds', 2024, 'total', 'all', 'none', 1),
        ('coal_2024', '三', '2024年用煤', 'Coal 2024', '11吨', 11.0, 'tce', 'approx', '2024', 10.7145, -0.2855, 'match', 'records',
         '算得 10.7145。', 'It gives 10.7145.',
         'select value from indicator_values where indicator_id = ''energy_tce'' and year = 2024 and member = ''coal''',
         'energy_tce', 2024, 'carrier', 'coal', 'default', 2))
        t(claim_id, section, name_zh, name_en, value_text, value, unit, qualifier, period, computed_value, difference,
          check_status, evidence, note_zh, note_en, sql, indicator_id, year, dimension, member, factor_set, position)""")
    numbers = {
        "target": "decimal(28, 6)",
        "year_on_year": "decimal(28, 2)",
        "no_period": "boolean",
        "synthetic": "boolean",
    }
    numbers |= dict.fromkeys(
        ("records", "files", "basis_count", "basis_match", "compared_year", "years_known", "years_match",
         "stated_from", "stated_to", "first_record", "last_record"), "integer"
    )  # fmt: skip
    for c in CLAIM_FACTS:
        con.execute(f"alter table marts.claims add column if not exists {c} {numbers.get(c, 'varchar')}")
    con.execute("alter table marts.indicator_values add column note_codes varchar")
    con.execute(f"""
        create table marts.provenance as
        with of_sheets as (
            select case when closed then 'energy_use' else 'retrofit_funds' end as dataset, year, records,
                case dimension when 'total' then indicator_id else indicator_id || '/' || dimension || '/' || member end as name
            from marts.indicator_values)
        select dataset, case dataset when 'energy_use' then '{file_id("energy")}' else '{file_id("funds")}' end as file_id,
            case dataset when 'energy_use' then '联系人张三的表' else '附件1' end as sheet, cast(year as integer) as year,
            '430202' as district, '行政' as org_type, '市' as level, max(records) as records,
            case when dataset = 'energy_use' or year = 2024 then '[[5,6]]' else '[[7,7]]' end as sheet_rows,
            cast(to_json(map_from_entries(list(struct_pack(k := name, v := cast(records as bigint)) order by name))) as varchar) as indicators
        from of_sheets group by all""")
    con.execute('create table marts.doubts (dataset varchar, org varchar, year integer, "column" varchar)')
    con.execute("create table marts.parts_of_totals (org varchar)")
    con.execute("create table marts.datasets_of_totals (indicator_id varchar)")
    for t in (t for t in MARTS if t.name not in ACCOUNT):  # those that this city has no row of
        columns = ", ".join(f'"{f.name}" {CASTS[f.type]}' for f in t.fields)
        con.execute(f"create table if not exists marts.{t.name} ({columns})")
