"""The bill of materials of a release is CycloneDX, true of what is installed, and the same each time."""

from __future__ import annotations

import json
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from pipelines.core.home import Home
from publish.errors import NoSuchRelease
from publish.release import bill
from tests.conftest import ROOT

FIRST, SECOND = "2025-12-31-0123abcd", "2026-01-01-89abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path).create()
    for name in (FIRST, SECOND):
        (home.releases / name).mkdir()
    return home


def test_it_is_valid_cyclonedx_by_the_schema_of_its_makers() -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(bill.text()) is None
    spoilt = json.loads(bill.text())
    spoilt["components"][0]["type"] = "nonsense"
    assert validator.validate_str(json.dumps(spoilt)) is not None


def test_it_names_what_runs_with_its_version_and_nothing_of_the_tools() -> None:
    found = {c["name"]: c["version"] for c in json.loads(bill.text())["components"]}
    assert found["duckdb"] == version("duckdb") and found["pyarrow"] == version("pyarrow")
    direct = [Requirement(line) for line in requires("mingzhang") or ()]
    ours = {r.name for r in direct if r.marker is None or r.marker.evaluate({"extra": ""})}
    assert len(ours) > 20 and {n.lower() for n in ours} <= set(found)
    assert not {"pytest", "mypy", "cyclonedx-python-lib", "hypothesis"} & set(found)


def test_each_component_is_named_once_and_every_dependency_is_a_component() -> None:
    made = json.loads(bill.text())
    named = [made["metadata"]["component"]["bom-ref"], *(c["bom-ref"] for c in made["components"])]
    assert len(named) == len(set(named))
    assert {d["ref"] for d in made["dependencies"]} == set(named)
    assert {ref for d in made["dependencies"] for ref in d["dependsOn"]} <= set(named)
    (dagster,) = (d for d in made["dependencies"] if d["ref"].startswith("pkg:pypi/dagster@"))
    assert any(ref.startswith("pkg:pypi/sqlalchemy@") for ref in dagster["dependsOn"])


def test_the_same_installation_gives_the_same_bytes_without_a_clock_or_a_path() -> None:
    text = bill.text()
    bill.text.cache_clear()
    assert bill.text() == text
    assert "timestamp" not in text and str(ROOT) not in text


def test_it_lies_beside_its_release_and_goes_with_it(home: Home) -> None:
    for name in (FIRST, SECOND):
        bill.keep(home, name)
    assert bill.read(home, FIRST) == bill.text()
    (home.releases / FIRST).rmdir()
    bill.keep(home, SECOND)
    assert [p.name for p in home.bills.iterdir()] == [f"{SECOND}.cdx.json"]


def test_a_release_from_before_has_none_and_that_is_said(home: Home) -> None:
    with pytest.raises(NoSuchRelease, match=f"no bill of materials of {FIRST}; the version that made it wrote none"):
        bill.read(home, FIRST)
