"""What was printed in an article, and what a script was written against, gives the same answer later: after ten more
releases, after a rollback, and with the next Datasette.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.site.conftest import FIRST, build_release, point_current
from tests.site.serving import FREE, fetch, serving

pytestmark = pytest.mark.slow
SQL = "select+year,+value+from+indicator_values+where+indicator_id='energy_tce'+and+dimension='total'+order+by+year"

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


def switch(home: Path, base: str, release: str) -> None:
    point_current(home, release)
    until = time.monotonic() + 60
    while json.loads(fetch(f"{base}/healthz")[2])["release"] != release:
        assert time.monotonic() < until, f"{release} did not take over"
        time.sleep(0.1)


def answers(base: str, release: str) -> dict[str, bytes]:
    out = {}
    for path in PROMISED:
        status, headers, body, _ = fetch(f"{base}/r/{release}{path}")
        assert status == 200 and headers["x-release"] == release, path
        out[path] = body
    return out


def test_the_same_answer_after_ten_more_releases_and_a_rollback(tmp_path: Path) -> None:
    build_release(tmp_path, FIRST)
    point_current(tmp_path, FIRST)
    with serving(tmp_path, FREE) as (base, _):
        then = answers(base, FIRST)
        current = {p: fetch(base + p)[2] for p in PROMISED if p != "/api/v1/releases"}
        for n in range(10):
            release = f"2026-{n + 1:02d}-28-{n:08x}"
            build_release(tmp_path, release, scale=1 + n / 10)
            switch(tmp_path, base, release)
        assert fetch(base + PROMISED[3])[2] != current[PROMISED[3]]  # something did change
        assert answers(base, FIRST) == then
        switch(tmp_path, base, FIRST)
        assert answers(base, FIRST) == then
        assert {p: fetch(base + p)[2] for p in current} == current
        listed = json.loads(fetch(f"{base}/api/v1/releases")[2])
        assert listed["total"] == 11 and [r["release_id"] for r in listed["releases"] if r["current"]] == [FIRST]
    with serving(tmp_path, FREE) as (base, _):  # and after the server was started anew
        again = answers(base, FIRST)
        differ = [p for p in PROMISED if again[p].replace(base.encode(), b"") != then[p].replace(base.encode(), b"")]
        assert differ == []


# --- the promised shapes, on the Datasette in use and on the next one ---

SERVE = "from datasette.cli import cli; cli()"
NEXT = Path(__file__).with_name("next-datasette.txt")  # renewed by hand: uv pip compile --universal --generate-hashes


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_release(tmp_path_factory.mktemp("home"), FIRST) / "mingzhang.db"


@pytest.fixture(scope="module")
def next_datasette(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment of its own with the alpha of Datasette 1.0 that next-datasette.txt locks."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(NEXT)],
        capture_output=True, text=True, check=False, timeout=400, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )  # fmt: skip
    if done.returncode:
        why = f"the alpha of Datasette 1.0 cannot be installed here: {done.stderr.strip().splitlines()[-1:]}"
        if os.environ.get("CI"):
            pytest.fail(why)  # what is promised for the next Datasette is not to go untried where it counts
        pytest.skip(why)
    return python


@contextmanager
def plain(python: Path, database: Path) -> Iterator[str]:
    """A Datasette as it comes over a database."""
    port = free_port()
    process = subprocess.Popen(
        [str(python), "-c", SERVE, "serve", "-i", str(database), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if fetch(f"{base}/-/versions.json")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


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
        "truncated": (rows["truncated"], query["truncated"]),
        "next": get(f"/mingzhang/claims.json?_shape=objects&_size=2&_next={rows['next']}")["rows"],
        "query": get(f"/mingzhang.json?_shape=array&sql={SQL}"),
        "query rows": query["rows"],
        "bound": get("/mingzhang.json?_shape=array&sql=select+name_zh+from+claims+where+claim_id=:id&id=co2"),
        "csv": get(f"/mingzhang.csv?sql={SQL}"),
    }


def test_the_promised_shapes_are_the_same_in_the_next_datasette(database: Path, next_datasette: Path) -> None:
    found = []
    for python in (Path(sys.executable), next_datasette):
        with plain(python, database) as base:
            version = json.loads(fetch(f"{base}/-/versions.json")[2])["datasette"]["version"]
            found.append((version, shapes(base)))
    assert found[0][0].startswith("0.65") and found[1][0].startswith("1.0")
    assert found[0][1] == found[1][1]
    point_current(database.parents[2], FIRST)
    with serving(database.parents[2], FREE) as (base, _):
        assert shapes(base) == found[0][1]
