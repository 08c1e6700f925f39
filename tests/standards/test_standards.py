"""Each file of a release held against its standard by a tool that is not ours, and each tool shown to find a fault."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from csvw import CSVW
from frictionless import Package, system
from open_data_contract_standard.model import OpenDataContractStandard
from pyshacl import validate
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

from expectations.contract import load_contracts
from publish.catalog.dcat import first_day, last_day, with_base

HERE = Path(__file__).parent
THIRD = {f"{DCAT}version"}  # came with DCAT 3 (6.7.4), which rdflib's list is older than
pytestmark = pytest.mark.slow
Load = Callable[[str], Any]


# --- Frictionless ---


def check_package(folder: Path) -> list[str]:
    with system.use_context(trusted=True):
        report = Package(str(folder / "datapackage.json")).validate()
    return [e.message for t in report.tasks for e in t.errors] + [e.message for e in report.errors]


def test_the_data_package_and_every_row_of_it_are_valid(release: Path, load: Load) -> None:
    assert len(load("datapackage.json")["resources"]) > 20
    assert check_package(release) == []


def test_frictionless_finds_a_wrong_cell_a_changed_file_and_a_wrong_type(
    release: Path, tmp_path: Path, load: Load
) -> None:
    package = load("datapackage.json")
    package["resources"] = [r for r in package["resources"] if r["name"] == "indicators"]
    (tmp_path / "csv-plain").mkdir()
    shutil.copy(release / "csv-plain/indicators.csv", tmp_path / "csv-plain/indicators.csv")
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert check_package(tmp_path) == []
    for f in package["resources"][0]["schema"]["fields"]:
        if f["name"] == "name_zh":
            f["type"] = "date"
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert any("name_zh" in e for e in check_package(tmp_path))
    path = tmp_path / "csv-plain/indicators.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x,y\r\n")
    assert len(check_package(tmp_path)) > 2


# --- DCAT ---


def catalogue(text: str) -> Graph:
    """As a harvester reads it that keeps the text alone: nothing tells it where the text came from."""
    return Graph().parse(data=with_base(text, "https://data.example/files/"), format="json-ld")


def check_catalogue(graph: Graph) -> tuple[bool, str]:
    conforms, _, words = validate(graph, shacl_graph=str(HERE / "dcat.ttl"), shacl_graph_format="turtle")
    return conforms, words


def test_the_catalogue_keeps_the_shapes_of_dcat(release: Path) -> None:
    graph = catalogue((release / "catalog.jsonld").read_text(encoding="utf-8"))
    assert len(list(graph.subjects(RDF.type, DCAT.Dataset))) > 30
    conforms, words = check_catalogue(graph)
    assert conforms, words


def test_every_term_of_the_catalogue_is_one_that_dcat_and_dublin_core_have(release: Path) -> None:
    """rdflib carries both vocabularies, closed: a name that is not in them cannot be had from it."""
    graph = catalogue((release / "catalog.jsonld").read_text(encoding="utf-8"))
    used = {str(p) for p in graph.predicates()} | {str(o) for o in graph.objects(None, RDF.type)}
    for namespace in (DCAT, DCTERMS):
        base = str(namespace)
        assert {t for t in used if t.startswith(base) and URIRef(t) not in namespace} <= THIRD
    assert str(DCAT.byteSize) in used and URIRef(f"{DCAT}byteSizes") not in DCAT


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('"dcat:byteSize"', '"dcat:byteSizes"', "byteSize"),
        ('"mz:openAttribute": "无条件开放"', '"mz:openAttribute": "开放"', "openAttribute"),
        ('"dct:accessRights"', '"dct:rights"', "accessRights"),
        ('"dcat:landingPage"', '"dcat:page"', "landingPage"),
        ('"spdx:checksumValue": "', '"spdx:checksumValue": "0x', "checksumValue"),
        ('"@type": "foaf:Organization"', '"@type": "foaf:Person"', "publisher"),
    ],
)
def test_the_validator_finds_a_fault(release: Path, before: str, after: str, complaint: str) -> None:
    text = (release / "catalog.jsonld").read_text(encoding="utf-8")
    assert before in text
    conforms, words = check_catalogue(catalogue(text.replace(before, after)))
    assert not conforms and complaint in words


def test_every_address_of_the_catalogue_is_a_file_or_a_page_of_the_release(release: Path) -> None:
    graph = catalogue((release / "catalog.jsonld").read_text(encoding="utf-8"))
    files = {str(o).removeprefix("https://data.example/files/") for o in graph.objects(None, DCAT.downloadURL)}
    assert len(files) > 60 and not [f for f in files if not (release / f).is_file()]
    assert {f.partition("/")[0] for f in files} == {
        "csv-plain", "xlsx", "parquet", "sdmx", "mingzhang.db", "datapackage.json", "croissant.json",
    }  # fmt: skip
    pages = {str(o) for o in graph.objects(None, DCAT.landingPage)}
    assert {p.removeprefix("https://data.example/").partition("/")[0] for p in pages} == {
        "datasets",
        "mingzhang",
        "about#files",
    }


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2021", "2021-01-01", "2021-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-08-13", "2025-08-13", "2025-08-13"),
    ],
)
def test_a_period_is_given_as_whole_days(period: str, first: str, last: str) -> None:
    """A harvester makes of 2023-02 the day of that month on which it runs."""
    assert (first_day(period), last_day(period)) == (first, last)


# --- CSV on the Web ---


def test_what_stands_beside_each_csv_file_describes_it(release: Path) -> None:
    names = sorted((release / "csv-plain").glob("*.csv"))
    assert len(names) > 20
    for path in names:
        if path.stat().st_size > 3_000_000:
            continue  # the tool takes half a minute a megabyte; the types are the same
        described = CSVW(str(path), validate=True)
        assert described.is_valid, (path.name, [str(w.message) for w in described.warnings][:3])
        assert not described.no_metadata, path.name


@pytest.mark.filterwarnings("always:Invalid column value")  # csvw catches its own warnings to tell what is valid
def test_csvw_finds_a_column_that_is_not_as_described(release: Path, tmp_path: Path) -> None:
    for name in ("factors.csv", "factors.csv-metadata.json"):
        shutil.copy(release / "csv-plain" / name, tmp_path / name)
        (tmp_path / name).chmod(0o644)
    assert CSVW(str(tmp_path / "factors.csv"), validate=True).is_valid
    about = tmp_path / "factors.csv-metadata.json"
    said = json.loads(about.read_text(encoding="utf-8"))
    next(c for c in said["tableSchema"]["columns"] if c["name"] == "carrier")["datatype"] = "integer"
    about.write_text(json.dumps(said), encoding="utf-8")
    assert not CSVW(str(tmp_path / "factors.csv"), validate=True).is_valid


# --- contracts ---


def test_every_contract_of_a_release_is_one_of_the_standard(release: Path) -> None:
    found = sorted((release / "contracts").glob("*.odcs.yaml"))
    assert len(found) >= 30
    for path in found:
        contract = OpenDataContractStandard.from_string(path.read_text(encoding="utf-8"))
        assert contract.apiVersion == "v3.1.0" and contract.version == release.resolve().name, path.name
    with pytest.raises(ValueError, match=r"(?s)schema"):  # the models find a fault
        OpenDataContractStandard.from_string("apiVersion: v3.1.0\nkind: DataContract\nschema: [{properties: 3}]\n")


def test_a_contract_names_what_the_release_holds_and_nothing_else(release: Path) -> None:
    """That of a submission would name columns that are kept inside, and fail against the files."""
    withheld = 0
    for source in load_contracts().values():
        text = (release / "contracts" / f"{source.dataset}.odcs.yaml").read_text(encoding="utf-8")
        contract = OpenDataContractStandard.from_string(text)
        names = [p.name for p in contract.schema_[0].properties] if contract.schema_ else []
        path = release / "csv-plain" / f"{source.dataset}.csv"
        header = path.read_bytes().decode().partition("\r\n")[0].split(",") if path.is_file() else []
        assert names == header, source.dataset
        inside = {c.header_zh for c in source.columns if c.access != "L0"} - {c.header_zh for c in source.public}
        withheld += len(inside)
        assert not [title for title in inside if f"businessName: {title}\n" in text]
    assert withheld > 50
