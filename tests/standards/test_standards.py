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
    (tmp_path / "csv").mkdir()
    shutil.copy(release / "csv/indicators.csv", tmp_path / "csv/indicators.csv")
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert check_package(tmp_path) == []
    for f in package["resources"][0]["schema"]["fields"]:
        if f["name"] == "name_zh":
            f["type"] = "date"
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    assert any("name_zh" in e for e in check_package(tmp_path))
    path = tmp_path / "csv/indicators.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x,y\r\n")
    assert len(check_package(tmp_path)) > 2


# --- DCAT ---


def catalogue(text: str) -> Graph:
    return Graph().parse(data=text, format="json-ld", publicID="https://data.example/files/")


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
        ('"@type": "foaf:Organization"', '"@type": "foaf:Person"', "publisher"),
    ],
)
def test_the_validator_finds_a_fault(release: Path, before: str, after: str, complaint: str) -> None:
    text = (release / "catalog.jsonld").read_text(encoding="utf-8")
    assert before in text
    conforms, words = check_catalogue(catalogue(text.replace(before, after)))
    assert not conforms and complaint in words


# --- CSV on the Web ---


def test_what_stands_beside_each_csv_file_describes_it(release: Path) -> None:
    names = sorted((release / "csv").glob("*.csv"))
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
        shutil.copy(release / "csv" / name, tmp_path / name)
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
        assert contract.apiVersion == "v3.1.0" and contract.schema_, path.name
    with pytest.raises(ValueError, match=r"(?s)schema"):
        OpenDataContractStandard.from_string("apiVersion: v3.1.0\nkind: DataContract\nschema: [{properties: 3}]\n")
