"""What a city's folder decides of its releases: who is named as not having reported, the language of workbooks, whom to ask."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from expectations.contract import Contracts
from pipelines.core.city import City, CityError, read_city
from pipelines.core.home import Home
from publish.release.build import BuiltRelease, build
from tests.release.conftest import AS_OF, make_warehouse
from tests.release.test_build import query


def gone(con: duckdb.DuckDBPyConnection) -> None:
    """Of the two months of 2025 that the others reported, one institution has none, another the first alone."""
    con.execute(
        "create temp table july as select * replace ('2025-07' as month) from records.energy_use where month = '2025-06'"
    )
    con.execute("insert into records.energy_use from july")
    first, second = (
        r[0] for r in con.sql("select distinct org_name from records.energy_use order by 1 limit 2").fetchall()
    )
    con.execute("delete from records.energy_use where org_name = ? and month like '2025%'", [first])
    con.execute("delete from records.energy_use where org_name = ? and month = '2025-07'", [second])


def released(tmp_path: Path, contracts: Contracts, city: City) -> BuiltRelease:
    home = Home(tmp_path / "home").create()
    make_warehouse(home.warehouse, contracts, gone)
    return build(home, contracts, city, AS_OF, "0.1.0+test")


def test_who_did_not_report_is_named_where_the_city_decided_so(
    tmp_path: Path, contracts: Contracts, city: City
) -> None:
    named = released(tmp_path / "a", contracts, replace(city, name_missing=True))
    found = query(named, "select * from not_reported where year = 2025")
    assert [(dataset, missing, periods) for dataset, _, _, missing, periods in found] == [
        ("energy_use", 2, 2),
        ("energy_use", 1, 2),
    ]
    names = {r[0] for r in query(named, "select org_name from institutions")}
    assert {r[2] for r in found} < names, "a name that is public nowhere else"
    assert json.loads((named.path / "release.json").read_text(encoding="utf-8"))["city"]["name_missing"] is True
    unnamed = released(tmp_path / "b", contracts, city)
    assert query(unnamed, "select count(*) from not_reported") == [(0,)]
    assert unnamed.release_id != named.release_id


def test_the_decision_is_read_and_a_wrong_one_refused(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(root / "cities" / "zhuzhou", folder)
    text = (folder / "city.yaml").read_text(encoding="utf-8")
    for line, said in (("", False), ("name_missing: 1\n", True), ("name_missing: 0\n", False)):
        (folder / "city.yaml").write_text(text + line, encoding="utf-8")
        assert read_city(folder / "city.yaml")["name_missing"] is said
    (folder / "city.yaml").write_text(text + "name_missing: perhaps\n", encoding="utf-8")
    with pytest.raises(CityError, match="name_missing is 'perhaps'; write 0 or 1"):
        read_city(folder / "city.yaml")


def test_an_english_first_city_has_english_workbooks_and_its_own_door(
    tmp_path: Path, contracts: Contracts, city: City
) -> None:
    city = replace(
        city, languages="en zh", contact_en="Open data desk", contact_zh="数据开放科", email="open@nowhere.example",
        telephone="(0731) 2868 0000", licence_name="CC BY 4.0", licence_url="https://creativecommons.org/licenses/by/4.0/",
    )  # fmt: skip
    release = released(tmp_path, contracts, city)
    book = CalamineWorkbook.from_path(str(release.path / "xlsx" / "retrofit_funds.xlsx"))
    assert book.sheet_names == ["Data", "Notes"]
    header = book.get_sheet_by_name("Data").to_python()[0]
    assert "Institution" in header and "Planned amount" in header and not any("单位" in str(h) for h in header)
    meanings = book.get_sheet_by_name("Notes").to_python()
    assert any("What was really paid; at most what was planned." in str(row) for row in meanings)
    plain = (release.path / "csv-plain" / "retrofit_funds.csv").read_text(encoding="utf-8")
    assert plain.splitlines()[0].startswith("seq,"), "files for programs have the names of columns, whatever the city"
    catalog = json.loads((release.path / "catalog.jsonld").read_text(encoding="utf-8"))
    contact, licence = catalog["dcat:contactPoint"], catalog["dct:license"]
    assert contact["vcard:fn"] == "Open data desk"
    assert contact["vcard:hasTelephone"] == {"@id": "tel:0731-2868-0000"}
    assert (licence["@id"], licence["dct:title"]) == (city.licence_url, "CC BY 4.0")
