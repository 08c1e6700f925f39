"""The dbt build of a city's five years against the same SQL in one DuckDB connection: `python -m tests.bench statistics [N]`.

Processor's time of each, over N institutions (560, a whole city) that report energy every month and stand in five registers.
The SQL by hand is what dbt compiled, in the order it ran: seeds, views, tables, and the data tests. Aim: 1.5 times; dbt's own
start (loading it, reading the project) is shown apart, for it is the same for any city.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.core.home import Home
from pipelines.records.load import load
from pipelines.statistics.city import load_city
from pipelines.statistics.run import PRODUCTION, PROJECT, being_built, environment, run_dbt
from tests.bench.figures import Measured
from tests.statistics.statistics_home import institution, months, write

YEARS = range(2021, 2026)
BY_HAND = """
import json, sys
from pathlib import Path
import duckdb
target, warehouse = Path(sys.argv[1]), sys.argv[2]
nodes = json.loads((target / "manifest.json").read_text())["nodes"]
ran = json.loads((target / "run_results.json").read_text())["results"]
ran = [r for r in ran if r["unique_id"] in nodes]  # an exposure runs nothing
con = duckdb.connect(warehouse)
con.execute("set threads = 2; set enable_progress_bar = false")
for schema in ("seeds", "staging", "intermediate", "marts"):
    con.execute(f"create schema if not exists {schema}")
for r in sorted(ran, key=lambda r: min(t["started_at"] for t in r["timing"])):
    node = nodes[r["unique_id"]]
    name = f"{node['schema']}.{node['name']}"
    if node["resource_type"] == "seed":
        path, types = Path(node["root_path"]) / node["original_file_path"], node["config"]["column_types"]
        con.execute(f"create table {name} as select * from read_csv('{path}', columns = {types!r}, header = true)")
    elif node["resource_type"] == "test":
        con.execute(r["compiled_code"]).fetchall()
    else:
        kind = "view" if node["config"]["materialized"] == "replaced_view" else "table"
        con.execute(f"create {kind} {name} as ({r['compiled_code']}\\n)")
"""


def main(arguments: list[str]) -> list[Measured]:
    """Measures, prints the seconds, and gives the ratio to its aim."""
    count = int(arguments[0]) if arguments else 560
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write(home, _records(count))
        load_city(PROJECT.parent / "cities" / "zhuzhou", home)
        env = environment(home, date(2025, 12, 31))
        start = _seconds(lambda: run_dbt(["parse"], PROJECT, env))  # the first reads the whole project, once in a home
        start = _seconds(lambda: run_dbt(["parse"], PROJECT, env))
        _fresh(home)
        dbt = _seconds(lambda: run_dbt(["build", *PRODUCTION], PROJECT, env))
        _fresh(home)
        command = [sys.executable, "-c", BY_HAND, env["DBT_TARGET_PATH"], str(being_built(home))]
        hand = _seconds(lambda: subprocess.run(command, check=True))
    print(f"  {count} institutions: dbt build {dbt:.1f} s (its start {start:.1f} s), the same SQL {hand:.1f} s")
    after = (dbt - start) / hand
    return [
        Measured("dbt build, processor's time", f"{dbt / hand:.1f} x the same SQL", "1.5", dbt / hand <= 1.5),
        Measured("dbt build less its start", f"{after:.1f} x the same SQL", "1.5", after <= 1.5),
    ]


def _records(count: int) -> dict[str, list[dict[str, Any]]]:
    districts, kinds = ("430202", "430203", "430204", "430211"), ("党政机关", "教育", "卫生")
    register = [
        institution(n, y, division_code=districts[n % 4], org_type=kinds[n % 3], in_conservation_scope=n % 3 == 0)
        for n in range(count)
        for y in YEARS
    ]
    energy = [
        m
        for n in range(count)
        for y in YEARS
        for m in months(n, y, electricity=900.0 + n, water=20.0, natural_gas=3.0, gasoline=4.0)
    ]
    return {"institutions": register, "energy_use": energy}


def _fresh(home: Home) -> None:
    being_built(home).unlink(missing_ok=True)
    load(home, being_built(home))


def _seconds(work: Any) -> float:
    """Processor's time of the processes that `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
