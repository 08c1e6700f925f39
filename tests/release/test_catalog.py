"""The two catalogues say what is there, and nothing else."""

from __future__ import annotations

import csv
import hashlib
import json
from urllib.parse import urlsplit


def load(release, name):
    return json.loads((release.path / name).read_text(encoding="utf-8"))


def walk(value):
    yield value
    for v in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(v)


def test_the_data_package_describes_every_csv_file_as_it_is(release):
    package = load(release, "datapackage.json")
    assert package["id"] == package["version"] == release.release_id
    assert package["created"] == "2025-12-31T00:00:00Z"
    assert {r["name"] for r in package["resources"]} == set(release.rows)
    for r in package["resources"]:
        raw = (release.path / r["path"]).read_bytes()
        assert (r["bytes"], r["hash"]) == (len(raw), f"sha256:{hashlib.sha256(raw).hexdigest()}")
        rows = list(csv.reader(raw.decode(r["encoding"]).splitlines(keepends=True), strict=True))
        assert rows[0] == [f["name"] for f in r["schema"]["fields"]]
        assert len(rows) - 1 == r["mingzhang:rows"] == release.rows[r["name"]]
        keys = r["schema"].get("primaryKey", [])
        at = [rows[0].index(k) for k in keys]
        seen = [tuple(row[n] for n in at) for row in rows[1:]]
        assert not keys or (len(set(seen)) == len(seen) and all(all(k) for k in seen))
    with_key = {r["name"] for r in package["resources"] if "primaryKey" in r["schema"]}
    assert {"indicators", "indicator_values", "claims", "institutions", "datasets"} <= with_key


def test_the_catalogue_names_every_dataset_with_the_chinese_fields(release, contracts):
    catalog = load(release, "catalog.jsonld")
    assert catalog["@type"] == "dcat:Catalog" and catalog["dct:identifier"] == release.release_id
    entries = {d["dct:identifier"]: d for d in catalog["dcat:dataset"]}
    assert set(contracts) <= set(entries)
    energy, funds = entries["energy_use"], entries["retrofit_funds"]
    assert energy["mz:openAttribute"] == "有条件开放" and "dcat:distribution" not in energy
    assert funds["mz:openAttribute"] == "无条件开放" and len(funds["dcat:distribution"]) == 3
    assert funds["mz:decidedBy"] and funds["mz:ground"] and funds["mz:rows"] == 3
    period = funds["dct:temporal"]
    assert period["dcat:startDate"]["@value"] == "2024-01-01" and period["dcat:endDate"]["@value"] == "2025-12-31"
    # What is kept inside, or never kept, is not so much as named.
    named = {f["csvw:name"] for d in entries.values() for f in d.get("mz:fields", [])}
    kept = {c.name for x in contracts.values() for c in x.columns if c.access in ("L2", "L3")}
    assert kept and not named & kept


def test_every_address_of_the_catalogue_is_a_file_of_the_release(release):
    catalog = load(release, "catalog.jsonld")
    files = [v for v in walk(catalog) if isinstance(v, dict) and v.get("@type") == "dcat:Distribution"]
    # three of each table; the database, the data package and Croissant; SDMX and its structure
    assert len(files) == 3 * len(release.rows) + 3 + 2
    for f in files:
        address = f["dcat:downloadURL"]["@id"]
        assert not urlsplit(address).scheme
        raw = (release.path / address).read_bytes()
        assert f["dcat:byteSize"]["@value"] == str(len(raw))
        assert f["spdx:checksum"]["spdx:checksumValue"] == hashlib.sha256(raw).hexdigest()


def test_every_prefix_of_the_catalogue_is_declared(release):
    catalog = load(release, "catalog.jsonld")
    for v in walk(catalog):
        for key in v if isinstance(v, dict) else ():
            assert key.startswith("@") or key in catalog["@context"] or key.partition(":")[0] in catalog["@context"], (
                key
            )
