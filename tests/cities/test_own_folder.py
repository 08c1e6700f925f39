"""A city whose contracts and definitions are all its own: its figures, and one sentence for each mistake in its folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from pipelines.core.city import GOVERNMENT_OFFICES, CityError
from pipelines.core.home import Home
from pipelines.statistics.city import check_against, load_city
from pipelines.statistics.definitions import KEPT, check_multiplier, seeds_of
from tests.cities.making import CITY, TABLES, city_folder, inbox
from tests.conftest import mingzhang

MEASURES, INDICATORS, FACTOR_SETS = TABLES["measures"], TABLES["indicators"], TABLES["factor_sets"]
UNITS = "claim_unit,indicator_unit,multiplier\n"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("sampleport")
    city, files = city_folder(top / "city"), inbox(top / "inbox")
    done = mingzhang("run", "--city", city, "--inbox", files, "--home", top / "home", "--as-of", "2019-12-31", "--json")
    assert done.returncode == 0, done.stderr
    return (top / "home" / "current").resolve()


@pytest.fixture
def con(released: Path) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(f"file:{released / 'mingzhang.db'}?mode=ro", uri=True) as found:
        yield found
    found.close()


def value(con: sqlite3.Connection, indicator: str, year: int, member: str = "all", factor_set: str = "none") -> Decimal:
    ((found,),) = con.execute(
        "select value from indicator_values where indicator_id = ? and year = ? and member = ? and factor_set = ? and dimension not like 'period%'",
        (indicator, year, member, factor_set),
    ).fetchall()
    return Decimal(str(found))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("indicator", "year", "member", "factor_set", "is_"),
    [
        ("sites", 2015, "all", "none", "4"),
        ("sites", 2015, "Storage", "none", "2"),
        ("electricity", 2015, "all", "none", "2240.5"),
        ("energy", 2015, "all", "default", "2540.5"),  # + 30 m³ x 10
        ("energy", 2016, "all", "default", "2430"),  # + 30 m³ x 11: the factor of the year
        ("energy", 2016, "all", "flat", "2400"),
        ("energy_per_area", 2015, "all", "default", "15.63"),  # 2500.5 / 160: who states no area counts in neither
        ("energy_per_area", 2015, "Storage", "default", "10"),
        ("energy_per_area_change", 2016, "2015", "default", "-2.82"),  # 2430/160 over 2500.5/160
        ("energy_saved", 2016, "2015", "default", "70.5"),  # of the three sites of both years: 2500.5 - 2430
        ("pumping_share", 2016, "all", "default", "33.33"),  # 810 / 2430
        ("pumping_share", 2016, "all", "flat", "33.33"),  # 800 / 2400
    ],
)
def test_what_the_city_declares_is_counted(
    con: sqlite3.Connection, indicator: str, year: int, member: str, factor_set: str, is_: str
) -> None:
    assert value(con, indicator, year, member, factor_set) == Decimal(is_)


@pytest.mark.slow
def test_its_statements_are_judged(con: sqlite3.Connection) -> None:
    found = dict(con.execute("select claim_id, check_status from claims").fetchall())
    outside = {"pumps_before": "not_verifiable", "pumps_after": "not_verifiable"}
    assert found == {"pumps": "within_qualifier", "costs": "not_verifiable"} | outside


@pytest.mark.slow
def test_a_statement_about_years_without_records_is_not_held_against_another_year(con: sqlite3.Connection) -> None:
    columns = "computed_value, evidence, sql, explanation_en, explanation_zh"
    rows = con.execute(
        f"select {columns} from claims where claim_id like 'pumps\\_%' escape '\\' order by 1"
    ).fetchall()
    assert [r[:3] for r in rows] == [(None, None, None)] * 2
    said = " ".join(r[3] for r in rows)
    assert "speaks of 2011–2012 and there are records of 2015–2016 alone" in said and "speaks of 2030 and" in said
    assert any("说的是 2011—2012 年，而记录只有 2015—2016 年的" in r[4] for r in rows)


@pytest.mark.slow
def test_nothing_of_the_profile_is_in_its_release(con: sqlite3.Connection, released: Path) -> None:
    for table, column in (("datasets", "dataset"), ("indicators", "indicator_id"), ("factors", "factor_id")):
        names = {name for (name,) in con.execute(f'select "{column}" from {table}').fetchall()}
        assert names, table
        assert names <= {"site_energy"} | {line.split(",")[0] for t in TABLES.values() for line in t.splitlines()}
    assert con.execute("select count(*) from benchmarks").fetchone() == (0,)
    assert con.execute("select count(*) from divisions").fetchone() == (0,)
    assert json.loads((released / "release.json").read_text())["city"]["languages"] == "en zh"


@pytest.mark.slow
def test_nothing_of_another_city_is_in_its_files(released: Path) -> None:
    """Pages, search, feeds and catalogues are made of these files alone."""
    others = [
        w.encode() for w in ("株洲", "Zhuzhou", "430200", "政府机关事务", "government offices", "energy_use", "多伦多")
    ]
    files = [p for p in released.rglob("*") if p.suffix in (".db", ".csv", ".json", ".jsonld", ".yaml", ".txt")]
    assert len(files) > 10
    found = [(p.name, w.decode()) for p in files for w in others if w in p.read_bytes()]
    assert found == []


@pytest.mark.slow
def test_it_has_no_districts_and_its_sites_are_no_institutions(con: sqlite3.Connection) -> None:
    dimensions = {d for (d,) in con.execute("select distinct dimension from indicator_values").fetchall()}
    assert dimensions <= {"total", "operation_type", "period", "period/operation_type", "base", "base/operation_type"}
    notes = " ".join(n for (n,) in con.execute("select note from indicator_values where note is not null").fetchall())
    assert "nstitution" not in notes and "机构" not in notes, notes


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"city": CITY.replace("profile: none", "profile: own")}, "profile 'own' is not known; use one of"),
        ({"city": CITY.replace("en zh", "fr")}, "languages 'fr' is not known"),
        ({"city": CITY + "title_en: Sampleport\n"}, "title_zh and title_en belong together"),
        ({"factor_set_names": "factor_set,name_zh,name_en\ndefault,,Samples\n"}, "factor_set_names.csv row 2: name_zh is empty"),
        ({"factor_set_names": "factor_set,name_zh,name_en\nother,样例,Samples\n"}, "there is no set 'other' in factor_sets.csv"),
        ({"indicators": INDICATORS.replace(",sum,flow,down,3,electricity,", ",sum,flow,down,3,power,")}, "numerator 'power' is no measure"),
        ({"indicators": INDICATORS.replace("energy_per_area,full", "nothing,full")}, "change_of 'nothing' is no indicator"),
        ({"indicators": INDICATORS + INDICATORS.splitlines()[1] + "\n"}, "'sites' stands there twice"),
        ({"indicators": INDICATORS.replace("sites,基础", "Sites!,基础")}, "'Sites!' is no name"),
        ({"units": UNITS + "a,b,1.5\n"}, "units.csv row 2 (a, b): multiplier 1.5 is neither a whole number"),
        ({"units": UNITS + "a,b,0.7\n"}, "multiplier 0.7 is neither"),
        ({"units": UNITS + "a,b,0.00000000001\n"}, "multiplier 0.00000000001 is neither"),
        ({"units": UNITS + "a,b,1000000000\n"}, "below 100000000"),
        ({"units": UNITS + "a,b,0\n"}, "multiplier 0.0 is neither"),
        ({"units": UNITS + "a,b,-1\n"}, "multiplier -1.0 is neither"),
        ({"units": "claim_unit,indicator_unit,multiplier,multiplier\n"}, "units.csv: column 'multiplier' stands there twice"),
        ({"factor_sets": FACTOR_SETS.replace("sampled", "guessed")}, "no factor of natural_gas has the basis 'guessed'"),
        ({"factor_sets": FACTOR_SETS.replace("gas-2015", "gas-1815")}, "there is no factor 'gas-1815'"),
        ({"measures": MEASURES.replace("Pumping|Treatment", "")}, "only_column and only_values belong together"),
        ({"measures": MEASURES.replace("sites,site_energy", "sites,trees")}, "there is no dataset 'trees'"),
        ({"measures": MEASURES.replace("floor_area,site_energy,floor_area", "floor_area,site_energy,area")}, "keeps no column 'area'"),
        ({"measures": MEASURES.replace("site_energy,floor_area,", "site_energy,operation_type,")}, "is no column of numbers"),
        ({"measures": MEASURES.replace("electricity|natural_gas", "electricity|floor_area")}, "converts no 'floor_area' to ekWh"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(tmp_path: Path, files: dict[str, str], says: str) -> None:
    folder = city_folder(tmp_path / "city", **files)
    with pytest.raises(CityError) as e:
        load_city(folder, Home(tmp_path / "home").create())
        check_against(load_contracts(city=folder), folder)
    assert says in str(e.value)


@pytest.mark.parametrize("multiplier", ["1", "10000", "1e-06", "0.25", "0.0166666667", "0.0002777778"])
def test_a_multiplier_is_a_whole_number_or_one_over_one(tmp_path: Path, multiplier: str) -> None:
    folder = city_folder(tmp_path / "city", units=UNITS + f"a,b,{multiplier}\n")
    load_city(folder, Home(tmp_path / "home").create())


def test_the_multipliers_that_come_with_the_project_can_be_kept_whole() -> None:
    for table, kept in KEPT.items():
        rows = seeds_of(table, GOVERNMENT_OFFICES)
        assert rows
        for r in rows:
            check_multiplier(float(r["multiplier"]), table, *kept)


def test_what_the_profile_defines_is_not_defined_again(tmp_path: Path) -> None:
    taken = CITY.replace("profile: none", "profile: government-offices")
    folder = city_folder(tmp_path / "city", city=taken)
    with pytest.raises(CityError, match="defined already"):
        check_against(load_contracts(city=folder), folder)


def test_the_contracts_in_force_are_the_profile_s_and_the_city_s(tmp_path: Path) -> None:
    folder = city_folder(tmp_path / "city")
    assert set(load_contracts(city=folder)) == {"site_energy"}
    (folder / "city.yaml").write_text(CITY.replace("profile: none\n", ""), encoding="utf-8")
    both = load_contracts(city=folder)
    assert {"site_energy", "energy_use", "institutions"} <= set(both)
