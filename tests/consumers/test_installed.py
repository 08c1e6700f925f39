"""What is given to programs that take minutes to install: `make test-consumers`. Each skips, saying so, where its program is not there."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.consumers.conftest import Site, Taken
from tests.consumers.tools import GIVEN
from tests.site.serving import fetch

pytestmark = [pytest.mark.consumers, pytest.mark.xdist_group("consumers"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def catalogue(release: Path) -> dict[str, Any]:
    """The catalogue on disk."""
    found: dict[str, Any] = json.loads((release / "catalog.jsonld").read_text(encoding="utf-8"))
    return found


def files_of(catalogue: dict[str, Any]) -> set[str]:
    return {f["dct:title"] for d in catalogue["dcat:dataset"] for f in d.get("dcat:distribution", [])}


def answers(urls: set[str]) -> None:
    for url in urls:
        assert fetch(url)[0] == 200, url


# --- catalogues ---


@pytest.mark.takes("CKAN with ckanext-dcat")
def test_ckan_takes_every_dataset_with_what_a_portal_shows(taken: Taken, site: Site, catalogue: dict[str, Any]) -> None:
    kept = taken.run("ckan_harvests.py", f"{site.base}/files/catalog.jsonld")
    count = len(catalogue["dcat:dataset"])
    assert len(kept) == count > 40
    for d in kept:
        assert d["url"].startswith(f"{site.base}/") and d["contact"] and d["spatial"], d["title"]
        assert len(d["tags"]) >= 2 and d["language"] and d["theme"], d["title"]
        for r in d["resources"]:
            assert r["license"] and r["mimetype"] and r["hash"] and r["size"], r
    resources = {r["download_url"] for d in kept for r in d["resources"]}
    assert resources == {f"{site.permanent}/files/{path}" for path in files_of(catalogue)}
    answers({d["url"].partition("#")[0] for d in kept})
    # Whole days, not the day of the harvest.
    periods = {tuple(d["periods"]) for d in kept if d["periods"]}
    true = {
        (d["dct:temporal"]["dcat:startDate"]["@value"], d["dct:temporal"]["dcat:endDate"]["@value"])
        for d in catalogue["dcat:dataset"]
        if "dct:temporal" in d
    }
    assert {tuple(sorted(set(p))) for p in periods} == {tuple(sorted(set(p))) for p in true} and len(true) > 1
    taken.took(
        "the text of `catalog.jsonld` from the site, with no address",
        f"{count} of {count} datasets, {len(resources)} files, each with licence, format, size and checksum; page, contact, tags, place and whole days",
    )


@pytest.mark.takes("udata")
def test_udata_takes_every_dataset(taken: Taken, site: Site, catalogue: dict[str, Any]) -> None:
    said = taken.run("udata_harvests.py", f"{site.base}/files/catalog.jsonld")
    count = len(catalogue["dcat:dataset"])
    assert said["refused"] == [] and said["taken"] == said["tags"] == said["landing"] == count
    assert set(said["urls"]) == {f"{site.permanent}/files/{path}" for path in files_of(catalogue)}
    true = [
        [d["dct:temporal"]["dcat:startDate"]["@value"], d["dct:temporal"]["dcat:endDate"]["@value"]]
        for d in catalogue["dcat:dataset"]
        if "dct:temporal" in d
    ]
    assert sorted(said["periods"]) == sorted(true)
    taken.took(
        "the text of `catalog.jsonld` from the site, with no address",
        f"{count} of {count} datasets valid, with page, tags and the periods as published",
    )


@pytest.mark.takes("jsonld.js")
def test_jsonld_js_drops_no_address(taken: Taken, site: Site, catalogue: dict[str, Any]) -> None:
    said = taken.run("jsonld_expands.mjs", f"{site.base}/files/catalog.jsonld")
    assert set(said["urls"]) == {f"{site.permanent}/files/{path}" for path in files_of(catalogue)}
    assert said["datasets"] == len(catalogue["dcat:dataset"])
    taken.took(
        "the text of `catalog.jsonld` from the site, with no address",
        f"{said['triples']:,} triples, {len(said['urls'])} addresses of files",
    )


# --- tables ---


@pytest.mark.takes("datapackage (JavaScript)")
def test_datapackage_js_reads_every_resource(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    said = taken.run("datapackage_reads.mjs", release / "datapackage.json")
    assert said["errors"] == [] and said["rows"] == rows
    taken.took("`datapackage.json` on disk", f"{len(rows)} of {len(rows)} tables, every row cast")


@pytest.mark.takes("frictionless.js")
def test_frictionless_js_reads_every_resource(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    said = taken.run("frictionless_reads.mjs", release / "datapackage.json")
    package = json.loads((release / "datapackage.json").read_text(encoding="utf-8"))
    for r in package["resources"]:
        assert said[r["name"]] == [[f["name"] for f in r["schema"]["fields"]], rows[r["name"]]], r["name"]
    taken.took("`datapackage.json` on disk", f"{len(rows)} of {len(rows)} tables, all rows, first header as it is")


def reads(taken: Taken, release: Path, rows: dict[str, int], way: str) -> dict[str, Any]:
    """What R says of the tables, held against Parquet: rows, the sum of the values, absent and empty text."""
    said: dict[str, Any] = taken.run("reads_tables.R", release / "csv-plain", way)
    values = pq.read_table(release / "parquet" / "indicator_values.parquet")["value"].to_pylist()
    sheets = pq.read_table(release / "parquet" / "provenance.parquet")["sheet"].to_pylist()
    assert said["rows"] == rows and said["changed"] == []
    assert said["sum"] == pytest.approx(sum(v for v in values if v is not None))
    assert (said["absent"], said["empty"]) == (sheets.count(None), sheets.count("")) and 0 not in (
        said["absent"],
        said["empty"],
    )
    assert (said["types"]["value"], said["types"]["member"]) == ("numeric", "character")
    taken.took(
        "every file of `csv-plain/`", f"{len(rows)} of {len(rows)} tables, all rows; absent and empty text apart"
    )
    return said


@pytest.mark.takes("readr")
def test_readr_reads_every_table(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    assert reads(taken, release, rows, "readr")["types"]["synthetic"] == "logical"


@pytest.mark.takes("data.table")
def test_data_table_reads_every_table(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    assert reads(taken, release, rows, "data.table")["types"]["synthetic"] == "logical"


@pytest.mark.takes("R's read.csv")
def test_read_csv_reads_every_table_as_the_document_says(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    """It leaves true and false text, and names as they are where check.names is FALSE."""
    assert reads(taken, release, rows, "base")["types"]["synthetic"] == "character"


# --- workbooks ---


def texts(release: Path, name: str) -> list[list[str | None]]:
    """The text columns of a table."""
    table = pq.read_table(release / "parquet" / f"{name}.parquet")
    return [c.to_pylist() for c, f in zip(table.columns, table.schema, strict=True) if str(f.type) == "string"]


def no_markup(said: dict[str, Any], rows: dict[str, int]) -> None:
    assert {n: s["rows"] for n, s in said.items()} == rows
    assert sum(s["texts"] for s in said.values()) > 1000 and not any(s["markup"] for s in said.values())


@pytest.mark.takes("openxlsx")
def test_openxlsx_reads_texts_without_markup(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    no_markup(taken.run("reads_workbooks.R", release / "xlsx", "openxlsx"), rows)
    taken.took("the first sheet of every workbook", f"{len(rows)} of {len(rows)}, all rows, texts as they are")


@pytest.mark.takes("readxl")
def test_readxl_reads_texts_without_markup(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    no_markup(taken.run("reads_workbooks.R", release / "xlsx", "readxl"), rows)
    taken.took("the first sheet of every workbook", f"{len(rows)} of {len(rows)}, all rows, texts as they are")


@pytest.mark.takes("SheetJS")
def test_sheetjs_reads_texts_without_markup(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    no_markup(taken.run("sheetjs_reads.mjs", release / "xlsx"), rows)
    taken.took("every workbook", f"{len(rows)} of {len(rows)}, all rows, texts as they are")


@pytest.mark.takes("ExcelJS")
def test_exceljs_reads_texts_without_markup(taken: Taken, release: Path, rows: dict[str, int]) -> None:
    no_markup(taken.run("exceljs_reads.mjs", release / "xlsx"), rows)
    taken.took("every workbook", f"{len(rows)} of {len(rows)}, all rows, texts as they are")


def same_texts(made: Path, release: Path, name: str) -> None:
    """A workbook's rows as another program wrote them as CSV: the texts are those of the table."""
    with made.open(encoding="utf-8-sig", newline="") as f:
        cells = {v for row in list(csv.reader(f))[1:] for v in row}
    wanted = {v for column in texts(release, name) for v in column if v and "\n" not in v}
    assert len(wanted) > 50 and wanted <= cells


@pytest.mark.takes("Gnumeric")
def test_gnumeric_writes_the_texts_it_read(taken: Taken, release: Path) -> None:
    for name in ("institutions", "claims"):
        made = taken.folder / f"{name}.csv"
        source = release / "xlsx" / f"{name}.xlsx"
        subprocess.run(
            ["ssconvert", "-S", "-T", "Gnumeric_stf:stf_csv", str(source), f"{made}.%n"],
            check=True,
            capture_output=True,
            timeout=120,
        )
        same_texts(Path(f"{made}.0"), release, name)
    taken.took("workbooks to CSV (`ssconvert`)", "every text as it is")


@pytest.mark.takes("LibreOffice")
def test_libreoffice_writes_the_texts_it_read(taken: Taken, release: Path) -> None:
    home = f"-env:UserInstallation=file://{taken.folder}/office"
    for name in ("institutions", "claims"):
        command = [
            "soffice",
            home,
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1",
            "--outdir",
        ]
        source = release / "xlsx" / f"{name}.xlsx"
        subprocess.run([*command, str(taken.folder), str(source)], check=True, capture_output=True, timeout=240)
        same_texts(taken.folder / f"{name}.csv", release, name)
    taken.took("workbooks to CSV", "every text as it is")


# --- contracts ---


@pytest.mark.takes("datacontract-cli")
def test_every_contract_holds_of_the_files(taken: Taken, release: Path) -> None:
    said = taken.run("contracts_hold.py", release, seconds=800)
    tested = {n: r for n, r in said.items() if r["test"]}
    assert len(said) >= 30 and len(tested) >= 20
    assert {
        n: r for n, r in said.items() if r["lint"] != "passed" or r["test"] not in (None, "passed") or r["failed"]
    } == {}
    taken.took("`lint` of every contract of a release", f"{len(said)} of {len(said)} valid")
    checks = sum(r["checks"] for r in tested.values())
    taken.took(
        "`test` of every open dataset against `csv-plain/`", f"{len(tested)} of {len(tested)} pass, {checks} checks"
    )


# --- the API ---


@pytest.mark.takes("openapi-generator")
def test_a_client_made_by_openapi_generator_calls_every_operation(taken: Taken, site: Site) -> None:
    made = taken.run("generator_made.py", site.base, taken.folder)
    assert made == {"status": 0, "errors": []}
    done = subprocess.run(
        [sys.executable, str(GIVEN / "generator_called.py"), site.base, str(taken.folder / "made")],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["empty"] == [] and len(said["called"]) >= 17
    assert said["rows"] > 0 and said["sql"] == [{"n": said["indicators"]}] and said["filtered"] == [2025]
    taken.took(
        "`/openapi.json`: a client in Python generated, and every operation called",
        f"{len(said['called'])} of {len(said['called'])} give their rows",
    )


@pytest.mark.takes("openapi-typescript")
def test_a_program_over_types_made_by_openapi_typescript_compiles_strictly_and_runs(taken: Taken, site: Site) -> None:
    said = taken.run("client_typed.mjs", site.base, taken.folder, GIVEN / "program.ts")
    assert said["wrong"] == ""
    assert said["years"] == [2021, 2022, 2023, 2024, 2025] and set(said["labels"]) == {"合计"}
    assert said["kept"] == 5 and said["counted"][0]["n"] > 100 and said["claims"] == 1 and said["code"] == "not_found"
    taken.took(
        "`/openapi.json`: types generated; a program with openapi-fetch",
        "compiles under `--strict` and gets its rows, filtered",
    )


@pytest.mark.takes("Redocly")
def test_redocly_finds_nothing(taken: Taken, site: Site) -> None:
    assert taken.run("description_linted.mjs", site.base, taken.folder, "redocly") == []
    taken.took("`/openapi.json`, recommended rules", "0 errors, 0 warnings")


@pytest.mark.takes("Spectral")
def test_spectral_finds_nothing(taken: Taken, site: Site) -> None:
    assert taken.run("description_linted.mjs", site.base, taken.folder, "spectral") == []
    taken.took("`/openapi.json`, rules `spectral:oas`", "0 errors, 0 warnings")
