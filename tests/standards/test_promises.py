"""What was printed in an article, and what a script was written against, gives the same answer later: after ten more
releases, after a rollback, and with the next Datasette.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.site.conftest import FIRST, build_release, point_current
from tests.site.serving import FREE, LOAD, fetch, serving, stock

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("promises")]  # so that each server is started once
SQL = "select+year,+value+from+indicator_values+where+indicator_id='energy_tce'+and+dimension='total'+order+by+year"
MANY = "with+recursive+c(n)+as+(select+1+union+all+select+n%2B1+from+c+limit+3000)+select+n+from+c"
LONG = "with+recursive+c(n)+as+(select+1+union+all+select+n%2B1+from+c+limit+20000000)+select+sum(n)+from+c"

# What scripts may be written against, below any release's address.
PROMISED = (
    "/api/v1",
    "/api/v1/indicators",
    "/api/v1/indicators?theme=%E8%83%BD%E6%BA%90&limit=1",
    "/api/v1/indicators/energy_tce?dimension=total",
    "/api/v1/claims?check_status=mismatch",
    "/api/v1/claims/co2",
    "/api/v1/datasets?opening=open",
    "/api/v1/datasets/parking_lots",
    "/api/v1/provenance/energy_tce/2024/total/all",
    "/api/v1/releases",
    "/mingzhang/indicators.json?_shape=array",
    "/mingzhang/indicators.json?_shape=array&theme=%E8%83%BD%E6%BA%90",
    "/mingzhang/indicator_values.csv",
    "/mingzhang/claims/co2.json?_shape=array",
    f"/mingzhang.json?_shape=array&sql={SQL}",
    f"/mingzhang.csv?sql={SQL}",
    "/files/csv/parking_lots.csv",
    "/files/SHA256SUMS",
)
# The same rows in every shape, cut or whole, sorted, filtered, bound.
SHAPES = (
    "/mingzhang/claims.json",
    *(f"/mingzhang/claims.json?_shape={s}&_size=2" for s in ("array", "objects", "arrays", "arrayfirst", "object")),
    "/mingzhang/claims.json?_shape=array&_nl=on",
    "/mingzhang/claims/co2.json",
    "/mingzhang/claims/co2.json?_shape=objects",
    "/mingzhang/indicator_values.json?_shape=array&year__gte=2024&indicator_id=energy_tce&_sort=year",
    "/mingzhang/indicator_values.json?_shape=objects&_size=10&_sort_desc=value",
    "/mingzhang/indicator_values.csv?_size=5&_sort=value",
    "/mingzhang/claims.json?_shape=array&_nl=on&_size=2",
    "/mingzhang/indicator_values.json?_size=7&_sort_desc=status&_next=A%2Cenergy_tce%2Cdistrict%2C430203%2C2022%2Cdefault",
    f"/mingzhang.json?sql={SQL}",
    *(f"/mingzhang.json?_shape={s}&sql={SQL}" for s in ("objects", "arrays", "arrayfirst")),
    *(f"/mingzhang.json?_shape={s}&sql={MANY}" for s in ("array", "objects")),
    f"/mingzhang.csv?sql={MANY}",
    "/mingzhang.json?_shape=array&sql=select+name_zh+from+claims+where+claim_id=:id&id=co2",
    "/mingzhang.json?_shape=array&sql=select+:missing+as+a",
    "/mingzhang.json?_shape=array&sql=select+x'ff'+as+b,+1e999+as+i,+null+as+n,+1+as+n",
    "/mingzhang.csv?sql=select+x'ff'+as+b",
    "/en/mingzhang/claims.json?_shape=objects&_size=2",
)
# Links in articles: pages, whose words and links are ours.
PAGES = (
    "/",
    "/indicators/energy_tce",
    "/indicators/energy_tce/2024",
    "/claims/co2",
    "/datasets/parking_lots",
    "/search?q=%E8%83%BD%E8%80%97",
    "/mingzhang",
    "/mingzhang/claims",
    "/mingzhang/claims/co2",
    "/mingzhang/indicator_values?year__in=2024,2025&_sort_desc=value",
    f"/mingzhang?sql={SQL}",
    "/mingzhang?sql=select+name_zh+from+claims+where+claim_id=:id&id=co2",
    "/en/mingzhang/claims?_size=2",
    f"/en/mingzhang?sql={SQL}",
)
# What cannot be answered, and says so in the same words.
ERRORS = (
    *(
        f"/mingzhang{form}?sql={wrong}"
        for form in (".json", ".csv", ".xlsx", "")
        for wrong in ("select+nothing", "delete+from+claims")
    ),
    f"/mingzhang.json?sql={LONG}",
    f"/mingzhang?sql={LONG}",
    "/mingzhang.json?sql=select+sqlite_version()",
    "/mingzhang.json?sql=select+1;select+2",
    "/mingzhang.json?_shape=array&sql=pragma+table_info(claims)",
    "/mingzhang.json?_timelimit=x&sql=select+1",
    "/mingzhang.json",
    "/mingzhang.csv?sql=+",
    *(
        f"/mingzhang/claims.json?{wrong}"
        for wrong in (
            "_sort=nothing",
            "_size=x",
            "_size=5000",
            "_facet=section",
            "_where=nothing",
            "_shape=x",
            "_nocol=x",
            "_extra=count",
            "_search=x",
            "nothing=1",
            "section__nothing=1",
            "check_status=wrong",
        )
    ),
    "/mingzhang.json?_shape=object&sql=select+1",
    "/mingzhang/claims?_sort=nothing",
    "/mingzhang/claims.csv?_stream=on",
    "/mingzhang/nothing.json",
    "/mingzhang/claims/nothing.json",
    "/mingzhang/claims/nothing",
    "/nothing",
)
# Doors that only the next Datasette has: nothing is behind them.
NEW_DOORS = (
    "/mingzhang/-/query?sql=select+1",
    "/mingzhang/-/query.json?sql=select+1",
    "/mingzhang/-/schema.json",
    "/mingzhang/-/queries.json",
    "/mingzhang/-/execute-write",
    "/mingzhang/claims/-/autocomplete?q=x",
    "/mingzhang/claims/-/schema.json",
    "/mingzhang/claims/-/fragment",
    "/mingzhang/claims/co2/-/delete",
    "/-/schema.json",
    "/-/jump.json",
    "/-/api",
    "/-/allowed.json",
    "/__INTERNAL__",
)
SAID = ("content-type", "content-disposition", "link", "x-release", "x-synthetic", "x-truncated", "cache-control")


def switch(home: Path, base: str, release: str) -> None:
    point_current(home, release)
    until = time.monotonic() + 300
    while json.loads(fetch(f"{base}/healthz")[2])["release"] != release:
        assert time.monotonic() < until, f"{release} did not take over"
        threading.Event().wait(0.1)


def answers(base: str, release: str) -> dict[str, bytes]:
    """What is promised, at the address where a release stays."""
    out = {}
    for path in PROMISED:
        status, headers, body, _ = fetch(f"{base}/r/{release}{path}")
        assert status == 200 and headers["x-release"] == release, path
        out[path] = body.replace(base.encode(), b"")
    return out


def wholly(base: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """An answer, less where the server happens to stand. Whoever is told that the machine is busy asks again."""
    for _ in range(20):
        status, headers, body, _ = fetch(base + path, limit=120)
        if status != 503 and (LONG in path or b"too_slow" not in body):
            break
    said = {k: headers[k].replace(base, "") for k in SAID if k in headers}
    return status, said, body.replace(base.encode(), b"").replace(base.removeprefix("http://").encode(), b"")


@pytest.fixture(scope="module")
def aged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A home with one release in force and ten made after it."""
    home = tmp_path_factory.mktemp("aged")
    build_release(home, FIRST)
    later = [f"2026-{n + 1:02d}-28-{n:08x}" for n in range(10)]
    for n, release in enumerate(later):
        build_release(home, release, scale=1 + n / 10)
    point_current(home, FIRST)
    return home, later


def test_the_same_answer_after_ten_more_releases_and_a_rollback(aged: tuple[Path, list[str]]) -> None:
    home, later = aged
    with serving(home, FREE) as (base, _):
        then = answers(base, FIRST)
        current = {p: fetch(base + p)[2] for p in PROMISED if p != "/api/v1/releases"}
        for release in (later[0], later[4], later[-1]):
            switch(home, base, release)
        assert fetch(base + PROMISED[3])[2] != current[PROMISED[3]]  # something did change
        assert answers(base, FIRST) == then
        switch(home, base, FIRST)
        assert answers(base, FIRST) == then
        assert {p: fetch(base + p)[2] for p in current} == current
        listed = json.loads(fetch(f"{base}/api/v1/releases")[2])
        assert listed["total"] == 11 and [r["release_id"] for r in listed["releases"] if r["current"]] == [FIRST]
    with serving(home, FREE) as (base, _):  # and after the server was started anew
        assert answers(base, FIRST) == then


# --- on the Datasette in use and on the next one ---

NEXT = Path(__file__).with_name("next-datasette.txt")  # renewed by hand: uv pip compile --universal --generate-hashes


@pytest.fixture(scope="module")
def next_datasette(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment of its own with the alpha of Datasette 1.0 and all it needs as next-datasette.txt locks
    them; what else the site needs comes from the environment in use, which stands behind."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=300)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(NEXT)],
        capture_output=True, text=True, check=False, timeout=600, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    if done.returncode:
        why = f"the alpha of Datasette 1.0 cannot be installed here: {done.stderr.strip().splitlines()[-1:]}"
        if os.environ.get("CI"):
            pytest.fail(why)  # what is promised for the next Datasette is not to go untried where it counts
        pytest.skip(why)
    behind = next(folder.glob("lib/python*/site-packages")) / "behind.pth"
    behind.write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return python


@pytest.fixture(scope="module")
def both(aged: tuple[Path, list[str]], next_datasette: Path) -> Iterator[tuple[str, str]]:
    """Our site on the Datasette in use, and on the next one."""
    home, _ = aged
    point_current(home, FIRST)
    with serving(home, FREE) as (now, _), serving(home, FREE, next_datasette) as (later, _):
        yield now, later


def test_one_of_them_is_the_next(both: tuple[str, str]) -> None:
    versions = [json.loads(fetch(f"{base}/-/versions.json")[2])["datasette"] for base in both]
    assert versions[0].startswith("0.65") and versions[1].startswith("1.0")


@pytest.mark.parametrize("path", [*PROMISED, *SHAPES, *PAGES])
def test_our_site_answers_on_the_next_datasette_as_on_this(both: tuple[str, str], path: str) -> None:
    """Byte for byte, whether of the release in force or at the address where it stays."""
    for place in ("", f"/r/{FIRST}"):
        now, later = (wholly(base, place + path) for base in both)
        assert now[0] == 200 and now[2]
        assert later == now


@pytest.mark.parametrize("path", ERRORS)
def test_an_error_is_the_same_on_the_next_datasette(both: tuple[str, str], path: str) -> None:
    now, later = (wholly(base, path) for base in both)
    assert 400 <= now[0] < 500
    assert later == now


@pytest.mark.parametrize("path", NEW_DOORS)
def test_what_the_next_datasette_brings_along_is_no_door(both: tuple[str, str], path: str) -> None:
    assert [fetch(base + path)[0] for base in both] == [404, 404]


def test_the_guard_holds_on_the_next_datasette(both: tuple[str, str], aged: Any) -> None:
    def of(path: str) -> tuple[int, bytes]:
        status, _, body, _ = fetch(both[1] + path, limit=120)
        return status, body

    with ThreadPoolExecutor(8) as pool:
        for path, (status, body) in zip(LOAD, pool.map(of, LOAD), strict=True):
            assert status in (200, 400, 403, 404, 414, 503), path
            assert len(body) < 5_000_000 and str(aged[0]).encode() not in body, path
    assert fetch(f"{both[1]}/mingzhang.json?_shape=array&sql=select+42+as+x")[2] == b'[{"x": 42}]'


@pytest.mark.parametrize("name", ["sqlite_version()", "sqlite_source_id()", "fts3_tokenizer('simple')"])
def test_a_function_that_is_not_open_is_refused_on_both(both: tuple[str, str], name: str) -> None:
    for base in both:
        status, _, body, _ = fetch(f"{base}/mingzhang.json?_shape=array&sql=select+{name}")
        assert status == 400 and json.loads(body)["code"] == "bad_sql"


def test_ten_releases_and_a_rollback_on_the_next_datasette(both: tuple[str, str], aged: tuple[Path, list[str]]) -> None:
    """Both servers follow the same home; the links of the first release go on, on both alike."""
    home, later = aged
    then = answers(both[0], FIRST)
    for release in (later[0], later[-1], FIRST):
        for base in both:
            switch(home, base, release)
        assert answers(both[0], FIRST) == answers(both[1], FIRST)
        assert answers(both[1], FIRST) | {"/api/v1/releases": b""} == then | {"/api/v1/releases": b""}
        assert fetch(f"{both[1]}/r/{release}/api/v1/indicators/energy_tce")[0] == 200


def test_the_promised_shapes_are_those_of_stock_datasette(aged: tuple[Path, list[str]], next_datasette: Path) -> None:
    """What a script does against Datasette as it comes, of either version, it does against ours."""
    home, _ = aged
    point_current(home, FIRST)
    database = home / "releases" / FIRST / "mingzhang.db"
    with stock(database) as (now, _), stock(database, next_datasette) as (later, _), serving(home, FREE) as (ours, _):
        found = [shapes(base) for base in (now, later, ours)]
    assert found[0] == found[1] == found[2]


def shapes(base: str) -> dict[str, Any]:
    """What the promise says of Datasette's own addresses."""

    def get(path: str) -> Any:
        status, _, body, _ = fetch(base + path)
        assert status == 200, path
        return json.loads(body) if ".json" in path else body.decode("utf-8-sig").replace("\r\n", "\n")

    rows = get("/mingzhang/claims.json?_shape=objects&_size=2")
    query = get(f"/mingzhang.json?_shape=objects&sql={SQL}")
    return {
        "array": get("/mingzhang/claims.json?_shape=array"),
        "filtered": get(
            "/mingzhang/indicator_values.json?_shape=array&year__gte=2024&indicator_id=energy_tce&_sort=year"
        ),
        "rows": rows["rows"],
        "truncated": query["truncated"],  # of a table Datasette says so only in next_url
        "next": get(f"/mingzhang/claims.json?_shape=objects&_size=2&_next={rows['next']}")["rows"],
        "query": get(f"/mingzhang.json?_shape=array&sql={SQL}"),
        "query rows": query["rows"],
        "bound": get("/mingzhang.json?_shape=array&sql=select+name_zh+from+claims+where+claim_id=:id&id=co2"),
        "csv": get(f"/mingzhang.csv?sql={SQL}"),
    }
