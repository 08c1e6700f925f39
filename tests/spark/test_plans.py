"""No model on Spark sends a large table through the driver or into one task, however large it is.

Large is what grows with institutions, files or records: whatever rests on a table of `records` or `intake`, but for the few that
BOUNDED names. Small is what the project and the city's folder state (seeds, catalog, city) and what is computed from these
alone: some hundred rows for a city as for a country. Small ones may be broadcast: each executor then has them, and what is joined with them
stays where it is. Spark broadcasts by itself what is smaller than `spark.sql.autoBroadcastJoinThreshold`, 10 MB; here that is switched
off, so that what is left is broadcast whatever its size (a join without equal columns, `not in`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from pipelines.core.home import Home
from pipelines.statistics.run import target
from tests.conftest import ROOT
from tests.spark.conftest import OnSpark

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
GROWS = ("records/", "intake/")
# Tables that rest on records and do not grow with them, and what each has a row for.
BOUNDED = {"intermediate/int_file_buckets": "what the hash of a file begins with, three digits"}


@pytest.fixture(scope="module")
def manifest(on_spark: OnSpark) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((target(Home(on_spark.home)) / "manifest.json").read_text(encoding="utf-8"))
    return made


@pytest.fixture(scope="module")
def plans(on_spark: OnSpark) -> dict[str, list[tuple[str, list[str]]]]:
    """Model -> what takes rows out of their tasks, and the tables that they come from."""
    command = [sys.executable, "-m", "tests.spark.plans", "--home", str(on_spark.home)]
    command += ["--tables", str(on_spark.tables)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, list[tuple[str, list[str]]]] = json.loads(ran.stdout)
    return found


def _large(manifest: dict[str, Any]) -> set[str]:
    """`schema/table` of what grows."""
    every = manifest["nodes"] | manifest["sources"]
    name = {k: f"{n['schema']}/{n.get('alias') or n['identifier']}" for k, n in every.items()}
    out: set[str] = set()

    def grows(key: str) -> bool:
        if name[key].startswith(GROWS):
            return True
        return name[key] not in BOUNDED and any(map(grows, every[key].get("depends_on", {}).get("nodes", [])))

    for key, node in every.items():
        if node["resource_type"] in ("model", "seed", "source") and grows(key):
            out.add(name[key])
    return out


def test_no_large_table_leaves_its_tasks(
    plans: dict[str, list[tuple[str, list[str]]]], manifest: dict[str, Any]
) -> None:
    assert len(plans) > 60
    large = _large(manifest)
    assert "intermediate/int_facts" in large and "seeds/seed_factors" not in large
    wrong = [
        f"{model}: {kind} of {', '.join(sorted(large.intersection(read)))}"
        for model, found in plans.items()
        for kind, read in found
        if large.intersection(read)
    ]
    assert wrong == []
