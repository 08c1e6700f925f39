"""What contracts say about forms of other administrations: units in columns of their own, paths of headers, examples, English periods."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import ContractError, Contracts, load_contracts, read_contract
from pipelines.intake.file_reader import FileReader, read_file
from pipelines.intake.model import SheetReading
from pipelines.intake.sheets import Book, Grid
from tests.intake.layout.trial import column, contracts, sheet

CITY = Path(__file__).parents[2] / "cities" / "toronto"
FT2 = 0.09290304


def codes(found: SheetReading) -> list[tuple[str, str | None]]:
    return [(i.code, i.cell) for i in found.issues]


def usage(folder: Path, **own: Any) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True),
        column("power", "Electricity Quantity", "number", unit="kWh", unitColumn="power_unit", **own),
        column("power_unit", "Electricity Unit"),
        column("gas", "Natural Gas Quantity", "number", unit="m³", unitColumn="gas_unit"),
        column("gas_unit", "Natural Gas Unit"),
    )


GROUPS = [["Site", "Electricity", "", "Natural Gas", ""], ["", "Quantity", "Unit", "Quantity", "Unit"]]


# ---- a unit in a column of its own


def test_a_number_is_converted_by_the_unit_of_its_row(tmp_path: Path) -> None:
    s = sheet(usage(tmp_path), [*GROUPS, ["A", 2.0, "MWh", 3.0, "m3"], ["B", 5.0, "kWh", "4", "万立方米"]])
    assert s.values["power"] == [2000.0, 5.0]
    assert s.values["gas"] == [3.0, 40_000.0]
    assert s.values["power_unit"] == ["MWh", "kWh"]
    assert [i for i in s.issues if i.severity == "error"] == []
    assert {c.column: c.unit for c in s.columns}["power"] == "MWh、kWh"


@pytest.mark.parametrize("none", ["", "0", 0.0, "N/A", "—"])
def test_a_number_without_a_unit_is_not_taken(tmp_path: Path, none: Any) -> None:
    s = sheet(usage(tmp_path), [*GROUPS, ["A", 7.0, none, 3.0, "m³"], ["B", 5.0, "kWh", "", none]])
    assert s.values["power"] == [None, 5.0]
    assert s.values["gas"] == [3.0, None]
    assert codes(s) == [("bad_type", "B3")]
    assert s.issues[0].severity == "error"
    assert "没有写单位" in s.issues[0].message_zh


def test_a_nought_without_a_unit_is_no_figure_and_is_told(tmp_path: Path) -> None:
    s = sheet(usage(tmp_path), [*GROUPS, ["A", 0.0, "0", 3.0, "m³"], ["B", 0.0, "kWh", 2.0, "m³"]])
    assert s.values["power"] == [None, 0.0]
    assert [(i.code, i.severity, i.cell) for i in s.issues] == [("doubtful", "warning", "B3")]


def test_many_noughts_without_a_unit_are_told_once(tmp_path: Path) -> None:
    rows = [[f"S{n}", 0.0, "0", 3.0 + n * n, "m³"] for n in range(30)]
    s = sheet(usage(tmp_path), [*GROUPS, *rows])
    assert codes(s) == [("doubtful", "B3")]
    assert "30 个 0" in s.issues[0].message_zh


def test_a_unit_of_other_things_is_told_with_its_name(tmp_path: Path) -> None:
    s = sheet(usage(tmp_path), [*GROUPS, ["A", 7.0, "litres", 3.0, "m³"], ["B", 5.0, "kWh", 1.0, "m³"]])
    assert s.values["power"] == [None, 5.0]
    assert codes(s) == [("bad_type", "B3")]
    assert "litres" in s.issues[0].message_zh
    assert "litres" in s.issues[0].message_en


def test_a_required_number_without_a_unit_holds_its_row_back(tmp_path: Path) -> None:
    s = sheet(usage(tmp_path, required=True), [*GROUPS, ["A", 7.0, "", 3.0, "m³"], ["B", 5.0, "kWh", 1.0, "m³"]])
    assert [i.quarantines for i in s.issues] == [True]


def test_without_its_column_of_units_a_number_is_not_taken(tmp_path: Path) -> None:
    s = sheet(
        usage(tmp_path),
        [["Site", "Electricity Quantity", "Natural Gas Quantity (m³)"], ["A", 7.0, 3.0], ["B", 5.0, 1.0]],
    )
    assert s.values["power"] == [None, None]
    assert s.values["gas"] == [3.0, 1.0]  # its header states one
    assert {i.code for i in s.issues} == {"bad_type"}


def test_ditto_marks_and_merged_cells_hold_for_units(tmp_path: Path) -> None:
    rows = [*GROUPS, ["A", 1.0, "MWh", 3.0, "m³"], ["B", 2.0, "", 4.0, "同上"], ["C", 3.0, "kWh", 5.0, "m³"]]
    s = sheet(usage(tmp_path), rows, merges=[(2, 2, 3, 2)])
    assert s.values["power"] == [1000.0, 2000.0, 3.0]
    assert s.values["gas"] == [3.0, 4.0, 5.0]


def test_where_a_row_states_no_unit_its_header_may(tmp_path: Path) -> None:
    header = ["Site", "Electricity Quantity (MWh)", "Electricity Unit"]
    s = sheet(usage(tmp_path), [header, ["A", 1.0, ""], ["B", 2.0, "kWh"], ["C", 0.0, "0"]])
    assert s.values["power"] == [1000.0, 2.0, 0.0]
    assert s.issues == []


def test_a_total_is_compared_in_the_one_unit_of_its_rows(tmp_path: Path) -> None:
    rows = [["A", 1.5, "MWh", 3.0, "m³"], ["B", 2.5, "MWh", 4.0, "m³"]]
    right = sheet(usage(tmp_path), [*GROUPS, *rows, ["Total", 4.0, "MWh", 7.0, "m³"]])
    wrong = sheet(usage(tmp_path), [*GROUPS, *rows, ["Total", 5.0, "MWh", 7.0, "m³"]])
    assert codes(right) == []
    assert codes(wrong) == [("total_mismatch", "B5")]


def test_units_of_a_large_text_file(tmp_path: Path) -> None:
    lines = ["Site,Electricity Quantity,Electricity Unit,Natural Gas Quantity,Natural Gas Unit"]
    lines += [f"S{n},{n}.5,{'MWh' if n % 2 else 'kWh'},{n},m³" for n in range(1, 30_000)]
    found = FileReader(usage(tmp_path)).read("\n".join(lines).encode(), "large.csv")
    (s,) = found.sheets
    assert list(s.values["power"][:3]) == [1500.0, 2.5, 3500.0]
    assert sum(s.values["power"]) == sum((n + 0.5) * (1000 if n % 2 else 1) for n in range(1, 30_000))
    assert s.issues == []


def test_the_kind_of_fuel_says_the_unit(tmp_path: Path) -> None:
    """Its form prints one column of amounts and the unit of each fuel in a note; the contract lists them."""
    found = contracts(
        tmp_path,
        column("fuel", "Fuel", required=True),
        column(
            "used", "Amount", "number", unit="kWh", unitColumn="fuel", units={"Electricity": 1, "Steam": 277.7777778}
        ),
    )
    s = sheet(found, [["Fuel", "Amount"], ["Electricity", 5.0], ["steam", 2.0], ["Propane", 7.0], ["Electricity", 0.0]])
    assert s.values["fuel"] == ["Electricity", "steam", "Propane", "Electricity"]
    assert s.values["used"] == [5.0, 555.5555556, None, 0.0]
    assert codes(s) == [("bad_type", "B4")]
    assert "Propane" in s.issues[0].message_en


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"unit": "kWh", "unitColumn": "nowhere"}, "unitColumn is 'nowhere'"),
        ({"unit": "kWh", "unitColumn": "power"}, "unitColumn is 'power'"),
        ({"unitColumn": "site"}, "write unit"),
    ],
)
def test_a_column_of_units_that_cannot_be_one_is_refused(tmp_path: Path, own: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        contracts(tmp_path, column("site", "Site"), column("power", "Electricity", "number", **own))


@pytest.mark.parametrize(
    "header", [["Unit", "Unit"], ["", ""], ["计量单位", "计量单位"], ["Unit of power", "Unit of gas"]]
)
def test_a_unit_right_of_its_quantity_under_any_header(tmp_path: Path, header: list[str]) -> None:
    found = contracts(
        tmp_path,
        column("site", "Site", required=True),
        column("power", "Power", "number", unit="kWh", unitColumn="beside"),
        column("gas", "Gas", "number", unit="m³", unitColumn="beside"),
        column("note", "Note"),
    )
    top = ["Site", "Power", header[0], "Gas", header[1], "Note"]
    s = sheet(
        found,
        [
            top,
            ["A", 2.0, "MWh", 3.0, "m3", ""],
            ["B", 5.0, "kWh", 4.0, "万立方米", "x"],
            ["C", 6.0, "", 1.0, "litres", ""],
        ],
    )
    assert s.values["power"] == [2000.0, 5.0, None]
    assert s.values["gas"] == [3.0, 40_000.0, None]
    assert codes(s) == [("bad_type", "B4"), ("bad_type", "D4")]
    assert [c.column for c in s.columns] == ["site", "power", "gas", "note"]


def test_without_a_column_right_of_it_a_quantity_has_no_unit(tmp_path: Path) -> None:
    own = {"unit": "kWh", "unitColumn": "beside"}
    found = contracts(
        tmp_path, column("site", "Site", required=True), column("power", "Power", "number", **own), column("n", "Note")
    )
    last = sheet(found, [["Site", "Power"], ["A", 2.0], ["B", 5.0]])
    other = sheet(found, [["Site", "Power", "Note"], ["A", 2.0, "kWh"], ["B", 5.0, "kWh"]])
    header = sheet(found, [["Site", "Power (MWh)", "Note"], ["A", 2.0, "x"], ["B", 5.0, "y"]])
    assert last.values["power"] == other.values["power"] == [None, None]
    assert header.values["power"] == [2000.0, 5000.0]
    assert {i.code for i in (*last.issues, *other.issues)} == {"bad_type"}


# ---- the same word under several groups


def test_columns_are_named_by_their_path_without_merged_cells(tmp_path: Path) -> None:
    top = ["NA", "Energy used", "NA", "NA", "NA"]
    s = sheet(usage(tmp_path), [top, *GROUPS, ["A", 2.0, "MWh", 3.0, "m3"], ["B", 5.0, "kWh", 4.0, "m3"]])
    assert {c.column: c.letter for c in s.columns} == {
        "site": "A", "power": "B", "power_unit": "C", "gas": "D", "gas_unit": "E",
    }  # fmt: skip
    assert s.values["power"] == [2000.0, 5.0]


def test_a_word_that_is_a_name_by_itself_is_still_taken_by_its_path(tmp_path: Path) -> None:
    found = contracts(
        tmp_path,
        column("site", "Site", required=True),
        column("area", "Area", "number", unit="㎡", unitColumn="area_unit"),
        column("area_unit", "Unit"),
        column("power", "Electricity Quantity", "number", unit="kWh", unitColumn="power_unit"),
        column("power_unit", "Electricity Unit"),
    )
    header = [["Site", "Area", "Unit", "Electricity", ""], ["", "", "", "Quantity", "Unit"]]
    s = sheet(found, [*header, ["A", 100.0, "square feet", 2.0, "MWh"], ["B", 10.0, "m2", 3.0, "kWh"]])
    assert s.values["area"] == [100 * FT2, 10.0]
    assert s.values["power"] == [2000.0, 3.0]


# ---- rows and headers of the form that are no data


def example_of(folder: Path) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True),
        column("area", "Area", "number"),
        column("kind", "Kind"),
        column("visits", "Visits", "number"),
        column("remark", "Remark"),
        exampleRows=[{"site": "Example Hall", "remark": "max. 255 characters"}],
    )


HEADER = ["Site", "Area", "Kind", "Visits", "Remark"]


def test_the_row_that_a_contract_describes_is_the_forms_example(tmp_path: Path) -> None:
    shown = ["Example Hall", 99.0, "office", 1.0, "Max. 255  characters"]
    s = sheet(example_of(tmp_path), [HEADER, shown, *[[f"S{n}", n + 7.5, "office", n * n, "kept"] for n in range(9)]])
    assert len(s.rows) == 9
    assert s.rows_read == 11
    assert s.rows_explained == 2  # with the header
    assert "Example Hall" not in s.values["site"]


def test_a_row_with_only_some_of_its_texts_is_data(tmp_path: Path) -> None:
    rows = [
        ["Example Hall", 99.0, "office", 1.0, "ours"],
        ["B", 98.0, "office", 5.0, "max. 255 characters"],
        ["C", 4.0, "x", 2.0, ""],
    ]
    s = sheet(example_of(tmp_path), [HEADER, *rows])
    assert s.values["site"] == ["Example Hall", "B", "C"]


def test_an_example_in_the_midst_of_a_large_text_file(tmp_path: Path) -> None:
    lines = [",".join(HEADER), *[f"S{n},{n}.5,office,{n},kept" for n in range(20_000)]]
    lines.insert(9_000, "Example Hall,99,office,1,max. 255 characters")
    (s,) = FileReader(example_of(tmp_path)).read("\n".join(lines).encode(), "large.csv").sheets
    assert (len(s.rows), s.rows_explained) == (20_000, 2)  # with the header


@pytest.mark.parametrize("rows", ["Example Hall", [{}], [{"nowhere": "x"}], [{"area": "99"}], [{"site": 5}]])
def test_an_example_that_describes_no_row_is_refused(tmp_path: Path, rows: Any) -> None:
    with pytest.raises(ContractError, match="exampleRows"):
        contracts(tmp_path, column("site", "Site"), column("area", "Area", "number"), exampleRows=rows)


def test_headers_that_the_contract_leaves_out_are_not_told(tmp_path: Path) -> None:
    rows = [["Site", "Area", "Renewable?", "Colour"], ["A", 1.0, "No", "red"], ["B", 2.0, "No", "blue"]]
    own = column("site", "Site", required=True), column("area", "Area", "number")
    s = sheet(contracts(tmp_path, *own, unusedHeaders=["Renewable?"]), rows)
    assert codes(s) == [("unmapped_column", "D1")]


# ---- period and organisation in English


@pytest.mark.parametrize(
    ("heading", "year"),
    [
        (["Energy Reporting - for 2015"], 2015),
        (["Period", "Jan/2016 - Dec/2016"], 2016),
        (["January 2014 to December 2014"], 2014),
        (["Reporting Year: 2017"], 2017),
        (["Period", "Apr/2017 - Mar/2018"], None),
        (["Regulation 507/18, established 1998"], None),
        (["for 2015-16"], None),
        (["2018 Annual Return of Sites"], 2018),
        (["Year ended December 31, 2019"], 2019),
        (["2000 Main Street"], None),
        (["Printed March 2020"], None),
    ],
)
def test_a_year_in_an_english_heading(tmp_path: Path, heading: list[str], year: int | None) -> None:
    found = contracts(
        tmp_path,
        column("year", "Year", "year", statedOnce="year"),
        column("body", "Body", statedOnce="submitter"),
        column("site", "Site", required=True),
        column("area", "Area", "number", required=True),
    )
    rows = [
        heading,
        ["Organization Name", "City of Somewhere", "Fill in what is red."],
        ["Site", "Area"],
        ["A", 1.0],
        ["B", 2.0],
    ]
    width = max(map(len, rows))
    grid = Grid("Sheet1", [[*r, *[""] * (width - len(r))] for r in rows])
    (s,) = FileReader(found).read_book(Book([grid]), "return.xlsx", "0").sheets
    assert s.values["year"] == [year, year]
    assert s.period == (str(year) if year else None)
    assert s.submitter == "City of Somewhere"
    assert s.values["body"] == ["City of Somewhere"] * 2


# ---- values stated once: labels in the heading, names of sections


def returned(folder: Path, **own: Any) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True),
        column("region", "Region", required=own.get("required", False), statedOnce=own.get("region", "section")),
        column("sector", "Sector", statedOnce={"heading": ["Sector", "行业"]}),
        column("area", "Area", "number"),
        **{k: v for k, v in own.items() if k not in ("region", "required")},
    )


PLAIN = [["Site", "Area"], ["A", 1.5], ["B", 2.5]]


@pytest.mark.parametrize(
    "heading",
    [
        ["Sector", "Municipality"],
        ["Sector:", "Municipality"],
        ["Sector: Municipality"],
        ["行业：Municipality"],
        ["SECTOR", "", "Municipality"],
    ],
)
def test_what_stands_behind_a_label_in_the_heading_fills_its_column(tmp_path: Path, heading: list[str]) -> None:
    s = sheet(returned(tmp_path), [["Return of sites"], heading, *PLAIN])
    assert s.values["sector"] == ["Municipality"] * 2
    assert s.rows_read == len(s.rows) + s.rows_explained


def test_a_value_of_the_row_goes_before_the_headings(tmp_path: Path) -> None:
    rows = [
        ["Sector", "Municipality"],
        ["Site", "Area", "Sector"],
        ["A", 1.0, "Hospital"],
        ["B", 2.0, ""],
        ["C", 3.0, "N/A"],
    ]
    assert sheet(returned(tmp_path), rows).values["sector"] == ["Hospital", "Municipality", "Municipality"]


def test_without_its_label_a_heading_states_nothing(tmp_path: Path) -> None:
    assert sheet(returned(tmp_path), [["Sub-sector", "Municipality"], *PLAIN]).values["sector"] == [None, None]


SECTIONS = [["Site", "Area"], ["North"], ["A", 1.0], ["B", 2.0], ["（二）South："], ["C", 4.0], ["Total", 7.0]]


def test_the_name_of_its_section_fills_a_rows_column(tmp_path: Path) -> None:
    s = sheet(returned(tmp_path, required=True), SECTIONS)
    assert s.values["region"] == ["North", "North", "South"]
    assert s.values["site"] == ["A", "B", "C"]
    assert s.rows_read == len(s.rows) + s.rows_explained
    assert s.issues == []


def test_without_the_property_a_narrow_lone_text_is_data(tmp_path: Path) -> None:
    found = contracts(tmp_path, column("site", "Site", required=True), column("area", "Area", "number"))
    assert sheet(found, SECTIONS).values["site"][0] == "North"


def test_merged_names_of_sections_and_rows_before_the_first(tmp_path: Path) -> None:
    rows = [["Site", "Area"], ["Z", 9.0], ["North", ""], ["A", 1.0], ["South", ""], ["C", 4.0]]
    s = sheet(returned(tmp_path), rows, merges=[(2, 0, 2, 1), (4, 0, 4, 1)])
    assert s.values["region"] == [None, "North", "South"]


def test_sections_of_a_large_text_file(tmp_path: Path) -> None:
    lines = ["Site,Area"]
    for n in range(40):
        lines += [f"Region {n},", *(f"S{n}-{k},{n * 1000 + k}.5" for k in range(700))]
    (s,) = FileReader(returned(tmp_path)).read("\n".join(lines).encode(), "large.csv").sheets
    assert list(s.values["region"]) == [f"Region {n}" for n in range(40) for _ in range(700)]


@pytest.mark.parametrize("stated", ["somewhere", {"heading": []}, {"heading": " "}, {"label": "Sector"}, ["Sector"], 5])
def test_a_value_that_cannot_be_stated_once_is_refused(tmp_path: Path, stated: Any) -> None:
    with pytest.raises(ContractError, match="statedOnce is"):
        returned(tmp_path, region=stated)


def test_only_one_column_takes_the_names_of_sections(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="only one"):
        contracts(tmp_path, column("a", "A", statedOnce="section"), column("b", "B", statedOnce="section"))
    with pytest.raises(ContractError, match="of kind decimal"):
        contracts(tmp_path, column("a", "A", "number", statedOnce="section"))


# ---- published figures that the rows are held against


COUNT = {"text": "Number of properties: {n}", "of": "rows"}
SUM = {"text": "all sites together {n} kWh", "of": "power"}


def published(folder: Path, *controls: dict[str, str]) -> Contracts:
    site, power = column("site", "Site", required=True), column("power", "Power", "number", unit="kWh")
    return contracts(folder, site, power, controls=list(controls))


USED = [["Site", "Power (MWh)"], *[[f"S{n}", n + 1.5] for n in range(12)]]  # 84 MWh


@pytest.mark.parametrize(
    ("rows", "control", "told"),
    [
        ([["Number of properties: 12"], *USED], COUNT, []),
        ([["Number of properties", 12.0], *USED], COUNT, []),
        ([*USED, [], ["Number of properties:", "12"]], COUNT, []),
        ([["Number of Properties: 1,012"], *USED], COUNT, ["A1"]),
        ([["", "Number of properties", "13"], *USED], COUNT, ["B1"]),
        ([["2020年底（12所）"], *USED], {"text": "（{n}所）", "of": "rows"}, []),
        ([["2020年底（92所）"], *USED], {"text": "（{n}所）", "of": "rows"}, ["A1"]),
        ([*USED, ["Note: all sites together 84,000 kWh"]], SUM, []),
        ([*USED, ["Note: all sites together 84,001 kWh"]], SUM, ["A14"]),
        ([*USED, ["Note: all sites together 84 MWh"]], {**SUM, "text": "all sites together {n} MWh"}, []),
        ([["Number of sites: 99"], *USED], COUNT, []),
    ],
)
def test_rows_are_held_against_a_published_figure(
    tmp_path: Path, rows: list[list[Any]], control: dict[str, str], told: list[str]
) -> None:
    s = sheet(published(tmp_path, control), rows)
    assert len(s.rows) == 12
    assert codes(s) == [("total_mismatch", cell) for cell in told]


def test_a_figure_for_several_tables_of_a_sheet_is_that_of_all(tmp_path: Path) -> None:
    rows = [
        ["Number of properties: 5"],
        ["Site", "Power"],
        ["A", 1.0],
        ["B", 2.5],
        [],
        ["Power", "Site"],
        [3.0, "C"],
        [4.5, "D"],
        [9.0, "E"],
    ]
    width = max(map(len, rows))
    grid = Grid("表", [[*r, *[""] * (width - len(r))] for r in rows])
    read = FileReader(published(tmp_path, COUNT)).read_book(Book([grid]), "x.xlsx", "0")
    assert [len(s.rows) for s in read.sheets] == [2, 3]
    assert [i.code for s in read.sheets for i in s.issues] == []


@pytest.mark.parametrize(
    "control",
    [
        {"text": "Number of sites", "of": "rows"},
        {"text": "{n}", "of": "rows"},
        {"text": "{n} of {n}", "of": "rows"},
        {"text": "Sites: {n}", "of": "site"},
        {"text": "Sites: {n}"},
        "Sites: {n}",
    ],
)
def test_a_control_that_holds_nothing_is_refused(tmp_path: Path, control: Any) -> None:
    with pytest.raises(ContractError, match="controls"):
        published(tmp_path, control)


def test_a_number_that_a_program_hangs_on_repeated_names_is_no_part_of_them(tmp_path: Path) -> None:
    s = sheet(
        usage(tmp_path),
        [["Site", "Electricity Quantity...2", "Electricity Unit...3"], ["A", 1.0, "MWh"], ["B", 2.0, "kWh"]],
    )
    assert s.values["power"] == [1000.0, 2.0]
    assert s.issues == []


@pytest.mark.parametrize("nameless", ["...3", "Unnamed: 2", "Unnamed: 2_level_0", "NA", ""])
def test_a_column_that_a_program_numbered_has_no_header(tmp_path: Path, nameless: str) -> None:
    found = contracts(tmp_path, column("site", "Site", required=True), column("area", "Area", "number"))
    empty = sheet(found, [["Site", "Area", nameless], ["A", 1.0, ""], ["B", 2.0, ""]])
    full = sheet(found, [["Site", "Area", nameless], ["A", 1.0, "x"], ["B", 2.0, "y"]])
    assert codes(empty) == []
    assert codes(full) == [("unmapped_column", "C2")]


# ---- a city's own contracts


def test_a_citys_folder_of_contracts_is_loaded_with_the_city(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    contracts(tmp_path / "contracts", column("site", "Site"), name="sites_here")
    assert "sites_here" in load_contracts(city=tmp_path)
    assert "sites_here" in load_contracts([tmp_path / "contracts"], city=tmp_path)
    assert "sites_here" not in load_contracts()


@pytest.mark.realdata
def test_the_returns_of_toronto_meet_their_control_totals(shared: Path) -> None:
    folder = shared / "realdata" / "toronto"
    truth = json.loads((folder / "truth.json").read_text())
    files = {name: want for name, want in truth.items() if isinstance(want, dict)}
    assert len(files) == 4
    found = Contracts([read_contract(CITY / "contracts" / "site_energy.yaml")])
    for name, want in files.items():
        (s,) = read_file(folder / name, "return", found).sheets  # the year is in the title, not in the name
        assert s.rows_read == len(s.rows) + s.rows_explained
        assert (len(s.rows), s.period, s.submitter) == (want["rows"], str(want["year"]), "City of Toronto")
        assert (total(s, "electricity"), total(s, "natural_gas")) == (want["electricity_kwh"], want["natural_gas_m3"])
        assert total(s, "stated_ghg") == want["ghg_kg"]
        assert total(s, "floor_area", Decimal("0.09290304")) == want["floor_area_sqft"]
        assert None not in s.values["operation_name"]
        assert "Stephenson Building" not in s.values["operation_name"]
        assert {i.code for i in s.issues} <= {"doubtful"}
        assert {i.raw_value for i in s.issues} == {"0"}
        assert [c.header for c in s.columns if c.column is None] in (
            [],
            ["Renewable?", "If Yes, enter Emission Factor"] * 2,
        )


def total(s: SheetReading, name: str, factor: Decimal = Decimal(1)) -> float:
    """The sum of a column in units of `factor`, to three digits behind the point."""
    return float(round(sum(Decimal(f"{v:.17g}") for v in s.values[name] if v is not None) / factor, 3))


# ---- versions of a form


def versions_of(folder: Path, *versions: dict[str, Any], **own: Any) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True),
        column("year", "Year", "year", required=True, statedOnce="year"),
        column("power", "Power", "number", unit="kWh"),
        column("hours", "Hours", "number", **own),
        versions=list(versions),
    )


IN_MWH = {"name": "old", "validFrom": "2010-01-01", "units": {"power": "MWh"}}
IN_KWH = {"name": "new", "validFrom": "2018-07-01", "units": {"power": "kWh"}}


@pytest.mark.parametrize(("year", "power"), [(2009, 2.0), (2010, 2000.0), (2017, 2000.0), (2018, 2.0), (2020, 2.0)])
def test_a_number_is_in_the_unit_of_the_forms_version(tmp_path: Path, year: int, power: float) -> None:
    s = sheet(
        versions_of(tmp_path, IN_KWH, IN_MWH), [[f"Return for {year}"], ["Site", "Power"], ["A", 2.0], ["B", 3.0]]
    )
    assert s.values["power"][0] == power
    assert s.issues == []


def test_rows_of_several_versions_have_each_their_unit(tmp_path: Path) -> None:
    rows = [["Site", "Year", "Power"], ["A", 2016.0, 2.0], ["A", 2018.0, 5.0], ["B", "2017", "3"]]
    assert sheet(versions_of(tmp_path, IN_MWH, IN_KWH), rows).values["power"] == [2000.0, 5.0, 3000.0]


def test_a_unit_that_the_header_states_goes_before_the_versions(tmp_path: Path) -> None:
    rows = [["Return for 2016"], ["Site", "Power (kWh)"], ["A", 2.0], ["B", 3.0]]
    assert sheet(versions_of(tmp_path, IN_MWH, IN_KWH), rows).values["power"] == [2.0, 3.0]


def test_without_a_year_the_version_is_unknown_and_nothing_is_taken(tmp_path: Path) -> None:
    s = sheet(versions_of(tmp_path, IN_MWH, IN_KWH), [["Site", "Power"], ["A", 2.0], ["B", 3.0]])
    assert s.values["power"] == [None, None]
    assert {i.code for i in s.issues} == {"bad_type"}


@pytest.mark.parametrize(
    "version",
    [
        {"name": "x", "validFrom": "soon"},
        {"name": "x", "validFrom": "2018-01-01", "units": {"nowhere": "kWh"}},
        {"name": "x", "validFrom": "2018-01-01", "units": {"power": "litres"}},
        {"name": "x", "validFrom": "2018-01-01", "units": {"site": "kWh"}},
        {"name": "x", "validFrom": "2018-01-01", "units": ["kWh"]},
    ],
)
def test_a_version_that_cannot_be_one_is_refused(tmp_path: Path, version: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="version"):
        versions_of(tmp_path, version)


# ---- the sheets to read


def test_only_the_sheets_that_a_contract_names_are_read(tmp_path: Path) -> None:
    site, area = column("site", "Site", required=True), column("area", "Area", "number")
    found = FileReader(contracts(tmp_path, site, area, sheets=["Data *", "附表1"]))
    grids = [Grid(n, [["Site", "Area"], ["A", 1.0], ["B", 2.0]]) for n in ("Summary", "DATA 2020", "附表 1", "附表10")]
    read = found.read_book(Book(grids), "x.xlsx", "0")
    assert [(s.sheet, s.status, len(s.rows), s.rows_read) for s in read.sheets] == [
        ("Summary", "ignored", 0, 3),
        ("DATA 2020", "accepted", 2, 3),
        ("附表 1", "accepted", 2, 3),
        ("附表10", "ignored", 0, 3),
    ]
    assert read.status == "accepted"
    other = found.read_book(Book(grids[:1]), "x.xlsx", "0")
    assert (other.status, other.reason, [i.code for i in other.issues]) == (
        "rejected",
        "unknown_dataset",
        ["unknown_dataset"],
    )
    text = found.read(b"Site,Area\nA,1\nB,2\n", "x.csv")
    assert [len(s.rows) for s in text.sheets] == [2]


def test_only_the_area_that_a_contract_names_is_read(tmp_path: Path) -> None:
    site, area = column("site", "Site", required=True), column("area", "Area", "number", unit="㎡")
    found = FileReader(contracts(tmp_path, site, area, sheets=["Data!B4:C6"]))
    rows: list[list[Any]] = [
        ["", "Site", "Area"],
        ["", "old", 99.0],
        ["", "", ""],
        ["", "Site", "Area (万㎡)"],
        ["x", "A", 1.0],
        ["y", "B", 2.0],
        ["", "C", 3.0],
    ]
    read = found.read_book(Book([Grid("Data", rows), Grid("Other", rows)]), "x.xlsx", "0")
    assert [(s.sheet, s.status) for s in read.sheets] == [
        ("Data", "accepted"),
        ("Other", "ignored"),
    ]
    s = read.sheets[0]
    assert (s.values["site"], s.values["area"], list(s.rows)) == (["A", "B"], [10_000.0, 20_000.0], [5, 6])
    assert s.rows_read == len(s.rows) + s.rows_explained == 7
    assert s.issues == []
    moved = found.read_book(Book([Grid("data", [r[1:] for r in rows[3:]], top=3, left=1)]), "x.xlsx", "0")
    assert list(moved.sheets[0].rows) == [5, 6]


@pytest.mark.parametrize("named", ["Data!", "Data!B4", "!B4:C6", "Data!C4:B6", "Data!B6:C4", "Data!B0:C4"])
def test_an_area_that_is_none_is_refused(tmp_path: Path, named: str) -> None:
    with pytest.raises(ContractError, match="sheets"):
        contracts(tmp_path, column("site", "Site"), sheets=[named])


# ---- years and months across


def yearly(folder: Path) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True, key=1),
        column("year", "Year", "year", key=2, statedOnce="year"),
        column("power", "Power", "number", required=True, unit="kWh"),
        column("kind", "Kind"),
        across="power",
    )


@pytest.mark.parametrize(
    "years", [[2019.0, 2020.0, 2021.0], ["2019", "2020", "2021"], ["2019年", "2020年", "2021年度"]]
)
def test_columns_headed_by_years_alone_are_records_of_each_year(tmp_path: Path, years: list[Any]) -> None:
    rows = [
        ["Use of power (kWh)"],
        ["Site", *years, "Kind"],
        ["A", 1.0, 2.0, 3.5, "x"],
        ["B", 4.0, "", 6.0, "y"],
        ["Total", 5.0, 2.0, 9.5, ""],
    ]
    found = yearly(tmp_path)
    width = max(map(len, rows))
    read = FileReader(found).read_book(
        Book([Grid("表", [[*r, *[""] * (width - len(r))] for r in rows])]), "x.xlsx", "0"
    )
    got = [dict(zip(s.values, r, strict=True)) for s in read.sheets for r in zip(*s.values.values(), strict=True)]
    assert [(r["site"], r["year"], r["power"], r["kind"]) for r in got] == [
        ("A", 2019, 1.0, "x"), ("B", 2019, 4.0, "y"), ("A", 2020, 2.0, "x"), ("A", 2021, 3.5, "x"), ("B", 2021, 6.0, "y"),
    ]  # fmt: skip
    assert [i.code for s in read.sheets for i in s.issues] == []
    assert [s.period for s in read.sheets] == ["2019", "2020", "2021"]
    assert all(s.rows_read == len(s.rows) + s.rows_explained for s in read.sheets)


def test_twelve_months_across(tmp_path: Path) -> None:
    found = contracts(
        tmp_path,
        column("site", "Site", required=True, key=1),
        column("month", "Month", "month", key=2),
        column("power", "Power", "number", required=True, unit="kWh"),
        across="power",
    )
    for names in (
        [f"{n}月" for n in range(1, 13)],
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"],
        [f"2021-{n:02d}" for n in range(1, 13)],
        [f"2021年{n}月" for n in range(1, 13)],
    ):
        rows = [
            ["2021年用电情况", *[""] * 12],
            ["Site", *names],
            *[[s, *[float(100 * k + n) for n in range(12)]] for k, s in enumerate("ABC")],
        ]
        read = FileReader(found).read_book(Book([Grid("表", rows)]), "x.xlsx", "0")
        got = {
            (s, m): v
            for t in read.sheets
            for s, m, v in zip(*(t.values[c] for c in ("site", "month", "power")), strict=True)
        }
        assert len(got) == 36, names
        assert got[("B", "2021-03")] == 102.0
        assert got[("C", "2021-12")] == 211.0
        assert [i.code for t in read.sheets for i in t.issues] == []


@pytest.mark.parametrize("merged", [True, False])
def test_months_across_under_their_years(tmp_path: Path, merged: bool) -> None:
    found = contracts(
        tmp_path,
        column("site", "Site", required=True, key=1),
        column("month", "Month", "month", key=2),
        column("power", "Power", "number", required=True, unit="kWh"),
        across="power",
    )
    top, months = (
        ["Site", "2020年", *[""] * 11, "2021年", *[""] * 11],
        ["", *[f"{n}月" for n in (*range(1, 13), *range(1, 13))]],
    )
    rows = [top, months, *[[s, *[100.0 * k + n for n in range(24)]] for k, s in enumerate("AB")]]
    merges = [(0, 0, 1, 0), (0, 1, 0, 12), (0, 13, 0, 24)] if merged else None
    read = FileReader(found).read_book(Book([Grid("表", rows, merges=merges)]), "x.xlsx", "0")
    got = [r for s in read.sheets for r in zip(*(s.values[c] for c in ("site", "month", "power")), strict=True)]
    assert len(got) == 48
    assert {("A", "2020-01", 0.0), ("B", "2020-12", 111.0), ("A", "2021-01", 12.0), ("B", "2021-12", 123.0)} <= set(got)
    assert [i.code for s in read.sheets for i in s.issues] == []


def test_years_under_a_name_are_read_as_before_beside_such_a_dataset(tmp_path: Path) -> None:
    other = contracts(
        tmp_path,
        column("org", "单位名称", required=True, key=1),
        column("year", "年度", "year", key=2, statedOnce="year"),
        column("used", "用电量", "number", required=True),
        name="other",
    )
    both = Contracts([*other.values(), *yearly(tmp_path).values()])
    rows = [["单位名称", "用电量", ""], ["", "2020年", "2021年"], ["甲局", 1.0, 2.0], ["乙局", 3.0, 4.5]]
    read = FileReader(both).read_book(Book([Grid("表", rows, merges=[(0, 0, 1, 0), (0, 1, 0, 2)])]), "x.xlsx", "0")
    assert [(s.dataset, s.period, s.values["used"]) for s in read.sheets] == [
        ("other", "2020", [1.0, 3.0]),
        ("other", "2021", [2.0, 4.5]),
    ]


def test_a_dataset_without_the_property_has_no_years_across(tmp_path: Path) -> None:
    found = contracts(
        tmp_path, column("site", "Site", required=True), column("power", "Power", "number", required=True)
    )
    rows = [["Site", 2019.0, 2020.0], ["A", 1.0, 2.0], ["B", 3.0, 4.0]]
    read = FileReader(found).read_book(Book([Grid("表", rows)]), "x.xlsx", "0")
    assert read.status == "rejected"


@pytest.mark.parametrize("named", ["site", "nowhere", ["power"]])
def test_what_stands_across_is_a_column_of_numbers(tmp_path: Path, named: Any) -> None:
    with pytest.raises(ContractError, match="across"):
        contracts(
            tmp_path,
            column("site", "Site"),
            column("power", "Power", "number"),
            column("m", "M", "month"),
            across=named,
        )
    with pytest.raises(ContractError, match="across"):
        contracts(tmp_path, column("site", "Site"), column("power", "Power", "number"), across="power")


# ---- one table in several blocks


def in_blocks(folder: Path, **own: Any) -> Contracts:
    return contracts(
        folder,
        column("site", "Site", required=True, key=1),
        column("power", "Power", "number", required=True, unit="kWh"),
        column("gas", "Gas", "number", required=True, unit="m³"),
        column("note", "Note"),
        **{"inBlocks": True, **own},
    )


def values(s: SheetReading) -> list[tuple[Any, ...]]:
    return list(zip(*(s.values[c] for c in ("site", "power", "gas", "note")), strict=True))


FIRST = [["Site", "Power (MWh)"], ["A", 1.5], ["B", 2.5], ["C", 3.5]]
SECOND = [["Site", "Gas", "Note"], ["C", 30.0, "z"], ["A", 10.0, ""], ["D", 40.0, "w"]]


@pytest.mark.parametrize("below", [True, False])
def test_blocks_of_one_table_are_joined_by_their_key(tmp_path: Path, below: bool) -> None:
    def grid(name: str, rows: list[list[Any]]) -> Grid:
        return Grid(name, [[*r, *[""] * (3 - len(r))] for r in rows])

    grids = [grid("表", [*FIRST, [], ["续表"], *SECOND])] if below else [grid("表一", FIRST), grid("表二", SECOND)]
    read = FileReader(in_blocks(tmp_path)).read_book(Book(grids), "x.xlsx", "0")
    first, second = read.sheets
    assert values(first) == [("A", 1500.0, 10.0, None), ("B", 2500.0, None, None), ("C", 3500.0, 30.0, "z")]
    assert values(second) == [("D", None, 40.0, "w")]
    assert all(s.rows_read == len(s.rows) + s.rows_explained for s in read.sheets)


def test_blocks_with_the_same_columns_are_not_joined(tmp_path: Path) -> None:
    more = [["Site", "Power (MWh)"], ["A", 9.0], ["E", 8.0]]
    read = FileReader(in_blocks(tmp_path)).read_book(Book([Grid("一", FIRST), Grid("二", more)]), "x.xlsx", "0")
    assert [len(s.rows) for s in read.sheets] == [3, 2]


def test_a_key_that_is_twice_in_a_block_is_not_joined(tmp_path: Path) -> None:
    twice = [["Site", "Power"], ["A", 1.0], ["A", 2.0], ["C", 3.5]]
    grids = [Grid("一", twice), Grid("二", SECOND)]
    read = FileReader(in_blocks(tmp_path)).read_book(Book(grids), "x.xlsx", "0")
    assert [s.values["gas"] for s in read.sheets] == [[None, None, 30.0], [10.0, 40.0]]


def test_blocks_need_a_key(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="inBlocks"):
        contracts(tmp_path, column("site", "Site"), column("power", "Power", "number"), inBlocks=True)
    with pytest.raises(ContractError, match="inBlocks"):
        in_blocks(tmp_path, inBlocks="yes")
