"""What `make test` gives to other programs: those that install in a minute. The others are in test_catalogues.py and its neighbours."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import urllib.parse
import urllib.robotparser
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from csvw import CSVW
from frictionless import Package

from pipelines.core.home import Home
from publish.release.bag import bag
from tests.conftest import MadeUp
from tests.consumers import page
from tests.consumers.conftest import Site, Taken
from tests.consumers.tools import HERE, LIGHT, OWN, TOOLS
from tests.site.serving import fetch

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("consumers")]  # so that one site is started
SERIES = "indicator_id = 'energy_tce' and dimension = 'total' and factor_set = 'default'"


@pytest.fixture(scope="module")
def totals(release: Path) -> list[tuple[int, float]]:
    """Year and value of the first example of docs/api.md, as the database has them."""
    with closing(sqlite3.connect(release / "mingzhang.db")) as con:
        found = con.execute(f"select year, value from indicator_values where {SERIES} order by year").fetchall()
    assert len(found) == 5
    return found


@pytest.mark.takes("polars")
def test_polars_reads_every_table_and_the_values_by_their_address(
    taken: Taken, site: Site, rows: dict[str, int], totals: list[tuple[int, float]]
) -> None:
    """Its guess of a column's type rests on the first hundred rows; it opens an address in ranges alone."""
    said = taken.run("polars_reads.py", site.release / "csv-plain", f"{site.permanent}/files")
    assert said["rows"] == rows
    assert said["value"] == "Float64" and said["by_csv"] == rows["indicator_values"]
    assert [tuple(t) for t in said["totals"]] == totals
    taken.took("`read_csv` of every file of `csv-plain/`", f"{len(rows)} of {len(rows)} tables, all rows")
    taken.took("`scan_csv` and `scan_parquet` of the indicator values by address", "all rows, values as real numbers")


@pytest.mark.takes("pandas")
def test_pandas_reads_every_table_by_its_address(
    taken: Taken, site: Site, rows: dict[str, int], totals: list[tuple[int, float]]
) -> None:
    package = json.loads((site.release / "datapackage.json").read_text(encoding="utf-8"))
    for r in package["resources"]:
        absent = r["schema"]["missingValues"]
        frame = pd.read_csv(f"{site.permanent}/files/{r['path']}", keep_default_na=False, na_values=absent)
        parquet = pd.read_parquet(f"{site.permanent}/files/parquet/{r['name']}.parquet")
        assert len(frame) == len(parquet) == rows[r["name"]], r["name"]
    values = pd.read_csv(f"{site.permanent}/files/csv-plain/indicator_values.csv").query(SERIES.replace(" = ", " == "))
    assert list(zip(values["year"], values["value"], strict=True)) == totals
    provenance = pd.read_csv(
        f"{site.permanent}/files/csv-plain/provenance.csv", keep_default_na=False, na_values={"sheet": ["\\N"]}
    )
    true = pq.read_table(site.release / "parquet" / "provenance.parquet")["sheet"].to_pylist()
    told = [None if pd.isna(v) else v for v in provenance["sheet"]]
    assert told == true and {None, ""} < set(true)
    taken.took("every table by address, as CSV and as Parquet", f"{len(rows)} of {len(rows)} tables, all rows")
    taken.took("absent and empty text in `csv-plain/provenance.csv`", "told apart, as in Parquet")


@pytest.mark.takes("DuckDB")
def test_duckdb_reads_every_table(
    taken: Taken, release: Path, rows: dict[str, int], totals: list[tuple[int, float]]
) -> None:
    with duckdb.connect() as con:
        for name, count in rows.items():
            for read in (
                f"read_csv('{release}/csv-plain/{name}.csv', nullstr=['', '\\N'])",
                f"'{release}/parquet/{name}.parquet'",
            ):
                assert con.sql(f"select count(*) from {read}").fetchall() == [(count,)], read
        sql = f"select year, value from '{release}/csv-plain/indicator_values.csv' where {SERIES} order by year"
        assert con.sql(sql).fetchall() == totals
    taken.took("every table from disk, as CSV and as Parquet", f"{len(rows)} of {len(rows)} tables, all rows")


@pytest.mark.takes("pysdmx")
def test_pysdmx_reads_the_indicator_values_with_their_structure(
    taken: Taken, release: Path, rows: dict[str, int]
) -> None:
    said = taken.run("pysdmx_reads.py", release / "sdmx")
    true = pq.read_table(release / "parquet" / "indicator_values.parquet").to_pandas()
    assert said["rows"] == rows["indicator_values"] == len(true)
    assert sorted(said["columns"]) == said["components"]
    assert said["dimensions"] == ["INDICATOR", "DIMENSION", "MEMBER", "FACTOR_SET", "TIME_PERIOD"]
    assert len(said["indicators"]) == rows["indicators"] and said["unknown"] == []
    # The letters are those of the list that is named: O is a missing value, Q a suppressed one.
    assert said["list"] == "SDMX:CL_OBS_STATUS" and said["statuses"] == true["status"].value_counts().to_dict()
    assert set(said["without"]) == set(true.loc[true["value"].isna(), "status"]) <= {"O", "Q"}
    assert said["sum"] == pytest.approx(float(true["value"].sum()))
    taken.took(
        "`sdmx/indicator_values.csv` with `sdmx/structure.json`, both validated",
        "all rows, typed; statuses of CL_OBS_STATUS",
    )


@pytest.mark.takes("mlcroissant")
@pytest.mark.parametrize("where", ["disk", "site"])
def test_mlcroissant_loads_every_record(taken: Taken, site: Site, rows: dict[str, int], where: str) -> None:
    at = str(site.release / "croissant.json") if where == "disk" else f"{site.base}/files/croissant.json"
    said = taken.run("croissant_loads.py", at)
    assert said["errors"] == said["warnings"] == []
    assert said["rows"] == rows
    kinds = said["kinds"]
    assert (kinds["indicator_values/year"], kinds["indicator_values/value"]) == ("int", "float")
    assert (kinds["indicator_values/synthetic"], kinds["indicator_values/member"]) == ("bool", "bytes")
    if where == "site":
        assert all(u.startswith(f"{site.permanent}/files/csv-plain/") for u in said["urls"])
    given = {"disk": "`croissant.json` on disk", "site": "`croissant.json` by address"}[where]
    taken.took(given, f"no error, no warning; all rows of {len(rows)} tables")


@pytest.mark.takes("rocrate")
def test_rocrate_finds_every_file_that_the_crate_names(taken: Taken, release: Path) -> None:
    said = taken.run("crate_opens.py", release)
    coded = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.suffix in (".gz", ".zst")}
    there = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file()}
    assert said["wrong"] == [] and set(said["files"]) == there - coded - {"ro-crate-metadata.json"}
    taken.took("a release as a crate", "every file named, none with another size or checksum")


@pytest.mark.takes("roc-validator")
def test_the_crate_is_valid(taken: Taken, release: Path) -> None:
    """A city's settings have no address of the publisher, which is all that the profile would like beside."""
    said = taken.run("crate_valid.py", release)
    assert said["checks"] > 40 and said["issues"] == ["RECOMMENDED: The organization SHOULD have a URL."]
    taken.took("a release against the profile RO-Crate 1.1", f"{said['checks']} checks, nothing required is missing")


@pytest.mark.takes("bagit")
def test_the_bag_is_valid(taken: Taken, made_up: MadeUp) -> None:
    made = bag(Home(made_up.home), "current", taken.folder / "bag")
    said = taken.run("bag_valid.py", made)
    assert said["version"] == "1.0" and said["info"]["External-Identifier"] == made_up.release.name
    assert said["payload"] == len([p for p in made_up.release.rglob("*") if p.is_file()])
    victim = made / "data" / "csv" / "README.txt"
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(AssertionError, match="README"):
        taken.run("bag_valid.py", made)
    taken.took("the bag of `mingzhang releases bag`", "valid, every checksum")


@pytest.mark.takes("openapi-python-client")
def test_a_client_made_by_openapi_python_client_calls_every_operation(taken: Taken, site: Site) -> None:
    said = taken.run("client_made.py", site.base, taken.folder)
    assert said["warnings"] == [] and said["empty"] == [] and len(said["called"]) >= 17
    assert said["rows"] > 0 and said["sql"] == [{"n": said["indicators"]}]
    assert said["filtered"] == [2025] and said["refused"] == "bad_argument"
    taken.took(
        "`/openapi.json`: a client generated, and every operation called",
        f"{len(said['called'])} of {len(said['called'])} give typed answers with their rows",
    )


@pytest.mark.takes("urllib.robotparser")
def test_every_address_of_the_structured_data_may_be_fetched(taken: Taken, site: Site) -> None:
    robots = urllib.robotparser.RobotFileParser(f"{site.base}/robots.txt")
    robots.read()
    sitemap = fetch(f"{site.base}/sitemap.xml")[2].decode()
    pages = re.findall(r"<loc>(.*?)</loc>", sitemap)
    chosen = [p for p in pages if p.count("/") < 5][:6] + [p for p in pages if "/indicators/" in p][:3]
    chosen += [p for p in pages if "/datasets/" in p][:3] + [p for p in pages if "/claims/" in p][:2]
    addresses = set()
    for address in chosen:
        at = urllib.parse.urlsplit(address)
        html = fetch(f"{site.base}{at.path}")[2].decode()
        for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S):
            addresses |= set(_addresses(json.loads(block)))
    own = {a for a in addresses if a.startswith(site.base)}
    assert len(own) > 15
    for agent in ("Googlebot", "Bingbot", "Baiduspider"):
        assert [a for a in sorted(own) if not robots.can_fetch(agent, a)] == []
    taken.took("robots.txt and each address in the JSON-LD of fourteen pages", "every address may be fetched")


def _addresses(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [v for k, v in value.items() if k in ("url", "@id", "contentUrl") and isinstance(v, str)]
        return found + [a for v in value.values() for a in _addresses(v)]
    return [a for v in value for a in _addresses(v)] if isinstance(value, list) else []


@pytest.mark.takes("frictionless")
def test_frictionless_validates_the_package_by_its_address(taken: Taken, site: Site, rows: dict[str, int]) -> None:
    report = Package(f"{site.permanent}/files/datapackage.json").validate()
    assert report.valid, report.to_summary()
    assert {t.name: t.stats.get("rows", 0) for t in report.tasks} == rows
    taken.took("`datapackage.json` by address: every row of every table", f"{len(rows)} of {len(rows)} valid")


@pytest.mark.takes("csvw")
def test_csvw_validates_a_table_from_disk_and_by_its_address(taken: Taken, site: Site) -> None:
    """A byte order mark at the beginning it takes away from a file on disk alone."""
    names = ("factors", "indicators", "institutions", "divisions")
    for name in names:
        for at in (str(site.release / "csv-plain" / f"{name}.csv"), f"{site.permanent}/files/csv-plain/{name}.csv"):
            described = CSVW(at, validate=True)
            assert described.is_valid and not described.no_metadata, (
                at,
                [str(w.message) for w in described.warnings][:3],
            )
    taken.took("four tables with their descriptions, from disk and by address", "valid either way")


@pytest.mark.takes("curl")
def test_curl_gets_ranges_codings_and_media_types(taken: Taken, site: Site) -> None:
    def get(path: str, *options: str) -> tuple[int, str, bytes]:
        body = taken.folder / "body"
        written = "%{http_code} %{content_type}"
        command = ["curl", "-sS", "-o", str(body), "-w", written, *options, f"{site.base}/files/{path}"]
        status, _, media = subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition(" ")
        return int(status), media, body.read_bytes()

    whole = (site.release / "csv-plain" / "indicator_values.csv").read_bytes()
    assert get("csv-plain/indicator_values.csv", "-r", "10-19")[::2] == (206, whole[10:20])
    part = taken.folder / "part"
    part.write_bytes(whole[:1000])
    resumed = ["curl", "-sS", "-C", "-", "-o", str(part), f"{site.base}/files/csv-plain/indicator_values.csv"]
    subprocess.run(resumed, check=True)
    assert part.read_bytes() == whole
    assert get("csv-plain/indicator_values.csv", "--compressed")[2] == whole
    assert len(get("csv-plain/indicator_values.csv", "-H", "Accept-Encoding: gzip")[2]) < len(whole) / 3
    assert get("mingzhang.db")[1] == "application/vnd.sqlite3"
    assert get("SHA256SUMS")[1] == "text/plain; charset=utf-8"
    assert get("sdmx/structure.json")[1] == "application/vnd.sdmx.structure+json; version=2.0.0"
    taken.took(
        "a range, a download resumed, `--compressed`, media types",
        "206, the whole file, the same bytes, those of the catalogue",
    )


# --- docs/consumers.md ---


def test_the_page_has_a_row_of_each_program_at_the_version_that_is_pinned() -> None:
    rows = page.read()
    assert {r[0] for r in rows} == set(TOOLS)
    for name, version, given, result, faults in rows:
        assert given and result and faults == ", ".join(TOOLS[name].faults), name
        pinned = page.pinned(TOOLS[name], HERE)
        assert version == pinned if pinned else re.fullmatch(r"\d+(\.\d+)+.*", version), name


def test_each_fault_that_a_program_showed_is_held_by_one() -> None:
    held = {f for tool in TOOLS.values() for f in tool.faults}
    assert {f"A{n}" for n in range(1, 15)} <= held


def test_each_program_has_a_test() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in sorted(HERE.glob("test_*.py")))
    tested = set(re.findall(r'@pytest\.mark\.takes\("([^"]+)"\)', source))
    assert tested == set(TOOLS)
    # Those that `make test` installs are all in this file.
    here = set(re.findall(r'@pytest\.mark\.takes\("([^"]+)"\)', Path(__file__).read_text(encoding="utf-8")))
    assert {t.name for t in TOOLS.values() if t.place == LIGHT} <= here
    assert {t.place for t in TOOLS.values() if t.name in here} <= {LIGHT, OWN, "system"}
