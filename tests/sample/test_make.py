"""The made-up city: the same every time, marked, and true to its own truth and to the city's totals."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import time
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from expectations.contract import load_contracts
from expectations.uscc import is_valid, is_valid_organisation, organisation_code
from pipelines.sample import MARK
from pipelines.sample.datasets import GENERATORS
from pipelines.sample.formats import FORMATS, Sheet
from pipelines.sample.make import SHAPE, SampleError, drafts_of, make_city, make_workbooks, read_shape, usual_years
from pipelines.sample.world import World

WITH_A_PROPERTY = {"xlsx", "xls-html", "xls-xml", "ods"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("city")
    make_city(out)
    return out


@pytest.fixture(scope="module")
def truth(city: Path) -> dict[str, Any]:
    return json.loads((city / "truth.json").read_text(encoding="utf-8"))


def prints(out: Path) -> dict[str, tuple[str, float]]:
    files = [p for p in sorted(out.rglob("*")) if p.is_file()]
    return {
        str(p.relative_to(out)): (
            hashlib.sha256(p.read_bytes()).hexdigest(),
            p.stat().st_mtime if p.parent != out else 0,
        )
        for p in files
    }


def grid(city: Path, entry: dict[str, Any]) -> list[list[Any]]:
    """The cells of one sheet, read by nothing of ours."""
    path, fmt = city / "inbox" / entry["path"], entry["format"]
    if fmt.startswith("csv"):
        encoding = {"csv-utf8": "utf-8-sig", "csv-gbk": "gb18030", "csv-utf16": "utf-16"}[fmt]
        return list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline="")))
    if fmt in ("xlsx", "ods"):
        book = python_calamine.CalamineWorkbook.from_path(path)
        return book.get_sheet_by_name(entry["sheet"]).to_python(skip_empty_area=False)
    row, cell = (
        ("<tr>(.*?)</tr>", "<td[^>]*>(.*?)</td>")
        if fmt == "xls-html"
        else ("<Row>(.*?)</Row>", "<Data[^>]*>(.*?)</Data>")
    )
    text = path.read_text(encoding="utf-8")
    if fmt == "xls-xml":
        text = text[text.index(f'<Worksheet ss:Name="{entry["sheet"]}">') :]
    return [re.findall(cell, x, re.S) for x in re.findall(row, text, re.S)]


def test_same_arguments_same_bytes_and_times(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_city(tmp_path / name, seed=7, orgs=12, years=(2023, 2024))
    make_city(tmp_path / "c", seed=8, orgs=12, years=(2023, 2024))
    assert prints(tmp_path / "a") == prints(tmp_path / "b")
    assert prints(tmp_path / "a") != prints(tmp_path / "c")


def test_made_twice_in_one_place_leaves_only_the_second(tmp_path: Path) -> None:
    make_city(tmp_path / "a", seed=1, orgs=9, years=(2023,))
    make_city(tmp_path / "a", seed=2, orgs=8, years=(2022,))
    make_city(tmp_path / "b", seed=2, orgs=8, years=(2022,))
    assert prints(tmp_path / "a") == prints(tmp_path / "b")


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "own.xlsx").write_bytes(b"x")
    with pytest.raises(SampleError, match=r"own\.xlsx is none of ours"):
        make_city(tmp_path, orgs=5, years=(2021,))
    assert (tmp_path / "inbox" / "own.xlsx").read_bytes() == b"x"


def test_age_of_files_is_their_order(city: Path, truth: dict[str, Any]) -> None:
    times = [(city / "inbox" / p).stat().st_mtime for p in truth["paths"]]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


def test_every_format_is_there_and_carries_the_mark(city: Path, truth: dict[str, Any]) -> None:
    assert {f["format"] for f in truth["files"]} == set(FORMATS)
    for entry in truth["files"]:
        rows = grid(city, entry)
        first = min((b["row"] for b in entry["bad"]), default=8)
        assert any(MARK in [str(c) for c in row] for row in rows[: first - 1]), entry["path"]


def test_mark_is_a_document_property_where_there_is_one(city: Path, truth: dict[str, Any]) -> None:
    seen = set()
    for entry in truth["files"]:
        data = (city / "inbox" / entry["path"]).read_bytes()
        if entry["format"] in ("xlsx", "ods"):
            part = "docProps/core.xml" if entry["format"] == "xlsx" else "meta.xml"
            assert MARK in zipfile.ZipFile(io.BytesIO(data)).read(part).decode(), entry["path"]
        elif entry["format"] in WITH_A_PROPERTY:
            assert MARK in data.decode()[:900], entry["path"]
        else:
            continue
        seen.add(entry["format"])
    assert seen == WITH_A_PROPERTY


def test_bad_rows_stand_where_the_truth_says(city: Path, truth: dict[str, Any]) -> None:
    seen = 0
    for entry in truth["files"]:
        rows = grid(city, entry)
        for bad in entry["bad"]:
            row = [str(c) for c in rows[bad["row"] - 1]]
            if bad["code"] == "out_of_range":
                assert {"-7", "-7.0"} & set(row), (entry["path"], bad)
            elif bad["code"] == "not_in_list":
                assert "其他情形甲" in row, (entry["path"], bad)
            elif bad["code"] == "classified_refused":
                assert set(truth["refused"]) & set(row), (entry["path"], bad)
            elif bad["code"] == "bad_type":
                # calamine shows an error of a sheet as an empty cell
                assert {"待核实", "约数不详", "见附件", "#REF!", ""} & set(row), (entry["path"], bad)
            else:
                continue
            seen += 1
    assert seen > 40


def test_rows_of_the_truth_are_in_the_file(city: Path, truth: dict[str, Any]) -> None:
    """Rows that hold what a header row does not: at least as many as the truth counts and calls bad."""
    for entry in truth["files"]:
        filled = [
            row for row in grid(city, entry) if sum(1 for c in row if str(c).strip()) >= min(4, len(entry["columns"]))
        ]
        # A row that lacks a cell, or whose wrong cell shows as empty, may hold too little to be counted.
        told = entry["rows"] + len([b for b in entry["bad"] if b["code"] not in ("bad_type", "missing_required")])
        assert len(filled) > told - 1, entry["path"]


def test_every_code_of_rows_comes_up(truth: dict[str, Any]) -> None:
    codes = {b["code"] for f in truth["files"] for b in f["bad"]}
    assert codes == {
        "missing_required", "bad_type", "out_of_range", "not_in_list", "bad_check_digit", "unknown_institution",
        "duplicate_key", "classified_refused", "date_order", "inconsistent",
    }  # fmt: skip
    assert {b["code"] for f in truth["files"] for b in f["warned"]} == {"doubtful"}
    assert {r["code"] for r in truth["rejected"]} == {
        "unknown_dataset", "missing_column", "ambiguous_dataset", "unreadable", "empty", "unsafe",
    }  # fmt: skip


def test_a_file_is_replaced_and_rows_of_another(truth: dict[str, Any]) -> None:
    replaced = [f for f in truth["files"] if f.get("superseded_by")]
    assert len(replaced) == 1
    assert replaced[0]["rows"] == 0
    assert any(f["path"] == replaced[0]["superseded_by"] and f["rows"] == 12 for f in truth["files"])


def test_no_list_of_car_parks_replaces_another_whole() -> None:
    contracts, shape = load_contracts(), read_shape(SHAPE)
    for seed, orgs in [(1, 60), *((s, n) for s in range(6) for n in (5, 17, 40))]:
        drafts = drafts_of(World(contracts, shape, seed, orgs, usual_years(shape)), "parking_lots")
        whole = [(d.submitter, d.year) for d in drafts]
        assert len(set(whole)) == len(whole) > 1, (seed, orgs)


def test_totals_are_the_sums_of_the_files(truth: dict[str, Any]) -> None:
    for dataset, total in truth["totals"].items():
        files = [f for f in truth["files"] if f["dataset"] == dataset]
        assert total["rows"] == sum(f["rows"] for f in files)
        for column, value in total["sums"].items():
            assert value == pytest.approx(sum(f["sums"].get(column, 0) for f in files))


def test_the_citys_totals_come_out(truth: dict[str, Any]) -> None:
    totals, shape = truth["totals"], read_shape(SHAPE)
    funds = totals["retrofit_funds"]["sums"]["planned_amount"]
    planned = shape["retrofit_funds"]["planned"]
    assert funds == sum(sum(planned[y]) for y in usual_years(shape)) * 10000 == 4_380_000
    year = {f["year"]: f["sums"]["planned_amount"] for f in truth["files"] if f["dataset"] == "retrofit_funds"}
    assert year[2024] == 400_000


def test_use_a_head_falls_as_stated(truth: dict[str, Any]) -> None:
    shape = read_shape(SHAPE)["energy_use"]
    a_head: dict[str, dict[int, float]] = {"energy": {}, "water": {}}
    for year in (2021, 2022, 2023, 2024, 2025):
        files = [f for f in truth["files"] if f["year"] == year]
        people = sum(f["sums"].get("energy_population", 0) for f in files if f["dataset"] == "institutions")
        use = [f["sums"] for f in files if f["dataset"] == "energy_use"]
        a_head["energy"][year] = sum(s.get(c, 0) * k for s in use for c, k in shape["kgce"].items()) / people
        a_head["water"][year] = sum(s["water"] for s in use if s) / people
    for what, years in a_head.items():
        for year, value in years.items():
            assert (value / years[2021] - 1) * 100 == pytest.approx(shape[f"{what}_change"][year], abs=0.004)
    assert 200 < a_head["energy"][2021] < 400  # plausible beside the national 329.56 kgce a head
    assert 15 < a_head["water"][2021] < 70


def test_scaling_weights_are_those_of_the_factors(root: Path) -> None:
    with (root / "dbt_project" / "seeds" / "seed_factors.csv").open(encoding="utf-8-sig") as f:
        factors = {r["factor_id"]: Decimal(r["value"]) for r in csv.DictReader(f)}
    kgce = {k: Decimal(str(v)) for k, v in read_shape(SHAPE)["energy_use"]["kgce"].items()}
    assert kgce == {
        "electricity": factors["tce-electricity-equivalent"],
        "natural_gas": factors["tce-natural-gas"],
        "gasoline": factors["tce-gasoline"] * factors["density-gasoline"],
        "diesel": factors["tce-diesel"] * factors["density-diesel"],
        "coal": factors["tce-coal"] * 1000,
        "lpg": factors["tce-lpg"],
        "heat": factors["tce-heat"] * 1000,
        "other_energy": Decimal(1000),
    }


def test_credit_codes_are_right_and_nobodys(city: Path, truth: dict[str, Any]) -> None:
    codes = set()
    for entry in truth["files"]:
        if entry["dataset"] == "institutions":
            wrong = {b["row"] for b in entry["bad"] if b["code"] == "bad_check_digit"}
            for n, row in enumerate(grid(city, entry), 1):
                found = [str(c) for c in row if re.fullmatch(r"1[0-9]{7}\w{10}", str(c))]
                assert all(is_valid(c) is (n not in wrong) for c in found), (entry["path"], n)
                codes |= set(found)
    assert len(codes) >= 40
    assert all(organisation_code(c).startswith("XN") for c in codes)
    assert all(is_valid_organisation(organisation_code(c)) for c in codes)


def test_secrets_are_planted_and_listed(city: Path, truth: dict[str, Any]) -> None:
    contracts = load_contracts()
    assert truth["canaries"]
    for where in set(truth["canaries"].values()):
        dataset, column = where.split(".")
        assert contracts[dataset].column(column).access in ("L2", "L3")
    text = "".join(str(c) for f in truth["files"] for row in grid(city, f) for c in row)
    assert sum(v in text for v in truth["canaries"]) > 200


def test_a_dataset_without_a_contract_is_left_out(tmp_path: Path) -> None:
    only = load_contracts(only=["institutions", "parking_lots"])
    made = make_city(tmp_path, orgs=10, years=(2024, 2025), contracts=only)
    assert set(made.rows) == {"institutions", "parking_lots"}


def test_chosen_datasets_bring_the_register_with_them(tmp_path: Path) -> None:
    made = make_city(tmp_path, orgs=10, years=(2024,), datasets=["disposals"])
    assert set(made.rows) == {"institutions", "disposals"}
    with pytest.raises(SampleError, match="Nothing makes rows for weather"):
        make_city(tmp_path, datasets=["weather"])


@pytest.mark.parametrize("fault", [{"orgs": 3}, {"years": ()}])
def test_a_city_too_small_is_refused(tmp_path: Path, fault: dict[str, Any]) -> None:
    with pytest.raises(SampleError, match="at least 5 institutions and one year"):
        make_city(tmp_path, **fault)


def test_a_shape_without_its_divisions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sample.yaml").write_text("districts: ['1']\n", encoding="utf-8")
    with pytest.raises(SampleError, match=r"divisions\.csv"):
        read_shape(tmp_path / "sample.yaml")


def test_workbooks_for_measuring(tmp_path: Path) -> None:
    paths = make_workbooks(tmp_path, 23)
    assert len(paths) == len(set(paths)) == 23
    rows = python_calamine.CalamineWorkbook.from_path(paths[-1]).get_sheet_by_index(0).to_python()
    assert len(rows) == 14
    assert {len(r) for r in rows} == {12}
    assert rows[0][0] == MARK


def test_forty_institutions_take_seconds(tmp_path: Path) -> None:
    start = time.perf_counter()
    make_city(tmp_path)
    assert time.perf_counter() - start < 15  # 1 to 3 s alone; the limit allows for a busy machine


@pytest.mark.parametrize("fmt", sorted(FORMATS))
def test_a_writer_gives_the_same_bytes_twice(fmt: str) -> None:
    sheets = [Sheet("表", [["甲", 1.5, None], ["乙\n丙", -7, ""]], [(0, 0, 0, 1)])]
    write = FORMATS[fmt][1]
    assert write(sheets) == write(sheets)


def test_generators_are_for_datasets_only() -> None:
    assert {"institutions", "energy_use", "retrofit_funds", "parking_lots", "disposals"} <= set(GENERATORS)
