"""What a close reader would notice in a city's returns stands in words on the page of quality: on made-up returns in a real form."""

from __future__ import annotations

import asyncio
import csv
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from publish.site.instance import Instance
from tests.conftest import ROOT, mingzhang

pytestmark = pytest.mark.slow
KINDS = "Energy Type and Amount Purchased and Consumed in Natural Units"
FUELS = ("Electricity", "Natural Gas")
GROUPS = [*("Operation Name", "Operation Type", "Address", "City", "Postal Code", "Total Floor Area", "Unit", "Avg hrs/wk"),
    "Annual Flow (Mega Litres)", KINDS, "", "", "", "Total (calculated in webform)", "", "", "", ""]  # fmt: skip
TOTALS = ["GHG Emissions (Kg)", "Energy Intensity (ekWh/sqft)", "Energy Intensity (ekWh/Mega Litre)",
    "Building / Operation Identifier", "Comments"]  # fmt: skip
GAS = 10.6  # kWh in a cubic metre, as the form has it


def site(n: int, area: float, used: float, gas: float, **more: Any) -> dict[str, Any]:
    of = {"name": f"Hall {n}", "area": area, "used": used, "unit": "kWh", "gas": gas, "code": f"C{n}"} | more
    return of | {"ratio": more.get("ratio", (used + GAS * gas) / area if area else "")}


def form(path: Path, year: int, sites: list[dict[str, Any]]) -> None:
    """Write a return in the form of Ontario, a CSV file; the form's rows of help and its groups of headers among it."""
    top = [
        [
            "Press TAB to move to input areas.",
            f"Energy Consumption and Greenhouse Gas Emissions Reporting - for {year}",
        ],
        ["Confirm consecutive 12-mth period (mth-yr to mth-yr)", f"Jan/{year} - Dec/{year}"],
        ["Organization Name", "Town of Sampleport"],
        GROUPS,
        ["", *[""] * 8, "Electricity", "", "Natural Gas", "", *TOTALS],
        ["", *[""] * 8, *["Quantity", "Unit"] * 2],
    ]
    rows = [
        [s["name"], "Other", f"{s['code']} High St", "Sampleport", "M1M 1M1", s["area"], "Square feet", 70, "", s["used"], s["unit"],
         s["gas"], "Cubic meter", year - 2010, s["ratio"], "", s["code"], ""] for s in sites
    ]  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([[*r, *[""] * (len(GROUPS) - len(r))] for r in [*top, *rows]])


def returns(folder: Path) -> Path:
    """Four years: 2017 with a park's land in its area and 2018 the same again, each with a slip of its own kind."""
    folder.mkdir()
    halls = [(n, 100.0 * n, 1000.0 + 37 * n, 50.0 + 3 * n) for n in range(1, 9)]
    form(folder / "2015.csv", 2015, [site(n, a, u * 0.9, g * 0.9) for n, a, u, g in halls])
    first = [site(n, a, u, g) for n, a, u, g in halls]
    second = [site(n, a, u * 1.1, g * 1.2) for n, a, u, g in halls]
    park = {"name": "Park", "code": "P"}
    form(
        folder / "2016.csv",
        2016,
        [*first, site(20, 0, 300, 0, **park), site(21, 50, 0, 10, name="Flame", unit="0", ratio="")],
    )
    late = [*second, site(20, 20_000, 310, 0, **park), site(22, 10, 20, 0, code="C3"), site(23, 10, 40, 0, ratio=99)]
    form(
        folder / "2017.csv",
        2017,
        [*late, {"name": "Nothing", "code": "N", "area": "", "used": "", "unit": "kWh", "gas": "", "ratio": ""}],
    )
    form(folder / "2018.csv", 2018, late)
    return folder


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("findings")
    files = returns(top / "inbox")
    toronto = ROOT / "cities" / "toronto"
    done = mingzhang("run", "--city", toronto, "--inbox", files, "--home", top / "home", "--as-of", "2020-12-31")
    assert done.returncode == 0, done.stdout + done.stderr
    return (top / "home" / "current").resolve()


def found(release: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The findings by year, kind, and column."""
    with sqlite3.connect(f"file:{release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        con.row_factory = sqlite3.Row
        return {(r["period"], r["kind"], r["column"]): dict(r) for r in con.execute("select * from findings")}


def test_each_slip_is_found_and_counted(released: Path) -> None:
    told = found(released)
    same = told["2018", "repeats", "electricity"]
    assert same["columns"] == "floor_area:11/11|electricity:11/11|natural_gas:8/8" and same["other_period"] == "2017"
    area = told["2017", "sums", "floor_area"]
    assert area["value"] / area["other_value"] == pytest.approx(23_620 / 3_650)
    ratio = told["2017", "calculated", "stated_intensity"]
    assert (ratio["findings"], ratio["compared"], ratio["value"], ratio["other_value"]) == (1, 11, 99, pytest.approx(4))
    assert told["2016", "nought_without_unit", "electricity"]["findings"] == 1
    assert told["2017", "repeated", "identifier"]["findings"] == 1
    assert (told["2017", "rule", "operation_name"]["rule"], told["2017", "rule", "operation_name"]["findings"]) == (
        "no_figures",
        1,
    )
    assert ("2018", "rule", "operation_name") not in told and ("2018", "sums", "floor_area") not in told


def test_they_stand_in_words_on_the_page_of_quality_with_links_to_their_rows(released: Path) -> None:
    async def pages() -> dict[str, str]:
        instance = Instance(released)
        await instance.start()
        got = {}
        for spoken, ds in instance.speaking.items():
            got[spoken] = (await ds.client.get("/quality")).text
        for link in set(re.findall(r'href="(/mingzhang/site_energy\?_file__exact=[^"]*)"', got["en"])):
            got[link] = (
                await instance.ds.client.get(link.replace("&amp;", "&").replace("?", ".json?_shape=array&", 1))
            ).text
        instance.close()
        return got

    got = asyncio.run(pages())
    en, zh = (re.sub(r"<[^>]*>", "", got.pop(spoken)) for spoken in ("en", "zh"))
    for words in ("exactly those of 2017: 11 of 11 of floor area, 11 of 11 of electricity", "floor area adds up to", "6.5 times that of 2016",
                  "1 of 11 figures of stated energy per area do not follow", "hold 0 with no unit", "The site states no area and no energy",
                  "one thing twice or two under one name: 1"):  # fmt: skip
        assert words in en, words
    for words in (
        "与 2017 年完全相同",
        "建筑面积 11 个中有 11 个",
        "的 6.5 倍",
        "只有名称，没有面积",
        "没有当作 0 收下",
    ):
        assert words in zh, words
    assert got and all(rows.startswith("[{") for rows in got.values()), "each link has rows"
