"""No code names what is one city's: names, codes, columns, units, factors, limits and words of either city's folder."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from expectations.contract.parse import read_contract
from tests.conftest import ROOT

CITIES = sorted(p.parent for p in (ROOT / "cities").glob("*/city.yaml"))
# Where no word of a city may be. The made-up city (pipelines/sample) is one of the profile's and has lists of its own.
CODE = sorted(
    p
    for pattern in (
        "pipelines/**/*.py",
        "pipelines/**/*.toml",
        "expectations/**/*.py",
        "publish/**/*.py",
        "publish/**/*.toml",
        "publish/**/*.html",
        "dbt_project/macros/*.sql",
    )
    for p in ROOT.glob(pattern)
    if "sample" not in p.parts
)
NAMES = ("code", "name_zh", "name_en", "publisher_zh", "publisher_en", "grid_region")
# Which column of each table holds names that only the city gives.
OF_TABLES = {"divisions": ("code", "name_zh", "name_en"), "limits": ("name",), "factors": ("factor_id",)}
# English and SQL that are nobody's own: a column of this name is no word of the city.
COMMON = {
    "year", "address", "place", "comments", "identifier", "City", "Unit", "Address", "Comments", "coal", "wood", "electricity",
    "natural_gas", "floor_area", "organisation",  # also columns of the profile's contracts, which carriers and headlines are called by
}  # fmt: skip
DEFAULT_CITY = {
    "pipelines/options.py",
    "pipelines/core/settings.py",
}  # say which folder is the city where none is named


def rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as f:
        return list(csv.DictReader(f))


def vocabulary(city: Path) -> set[str]:
    found = {str(yaml.safe_load((city / "city.yaml").read_text(encoding="utf-8")).get(n, "")) for n in NAMES}
    for table, columns in OF_TABLES.items():
        found |= {r[c] for r in rows(city / f"{table}.csv") for c in columns}
    for path in (city / "contracts").glob("*.yaml"):
        contract = read_contract(path)
        found |= {contract.dataset}
        for c in contract.columns:
            found |= {c.name, *c.aliases, *c.values}
    found |= {v for r in rows(city / "measures.csv") for v in r["only_values"].split("|")}
    return {w for w in found if w and len(w) > 2} - COMMON


@pytest.mark.parametrize("city", CITIES, ids=lambda p: p.name)
def test_no_code_names_what_is_one_city_s(city: Path) -> None:
    words = vocabulary(city) | {city.name}
    assert len(words) > 20
    told = []
    wanted = re.compile("|".join(rf"(?<![\w]){re.escape(w)}(?![\w])" for w in sorted(words, key=len, reverse=True)))
    for path in CODE:
        name = path.relative_to(ROOT).as_posix()
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            told += [f"{name}:{n}: {m}" for m in wanted.findall(line) if not (name in DEFAULT_CITY and m == city.name)]
    assert told == []
