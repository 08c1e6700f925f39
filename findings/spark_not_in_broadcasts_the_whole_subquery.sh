#!/usr/bin/env bash
# pyspark 4.3.0 (Java 17): `a not in (select b from t)` sends every row of t to every executor, duplicates too, also where
# spark.sql.autoBroadcastJoinThreshold is -1, which stands for "never broadcast".
#
# Seen, of a table of a million rows that holds three different texts: the plan of `not in` has a BroadcastExchange above the scan,
# without an aggregate between; `not exists` with the equality written out has no broadcast, and gives the same rows, as nothing is null.
# Why: `not in` must give nothing once the subquery holds a null, which a hash join answers on one copy of the whole side only
# (spark.sql.optimizeNullAwareAntiJoin); the threshold is not asked.
# Why it matters here: two of our models left out the indicators of closed rows by `not in (select indicator_id from parts where closed)`, and
# sent the id of every closed part through the driver where some hundred different ones were meant. tests/spark/test_plans.py looks for such nodes in every plan.
# Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q pyspark==4.3.0
venv/bin/python - 2>spark.log <<'PY'
import sys

from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.catalogImplementation", "in-memory")
    .config("spark.sql.adaptive.enabled", "false")
    .config("spark.sql.autoBroadcastJoinThreshold", "-1")
    .getOrCreate()
)
spark.sql("create table large using parquet as select cast(id % 3 as string) as name from range(1000000)")
spark.sql("create table wanted using parquet as select cast(id as string) as name from range(6)")


def look(condition: str) -> tuple[bool, bool, list[str]]:
    """Whether the plan has a broadcast, whether an aggregate lies below it, and the rows."""
    found = spark.sql(f"select name from wanted where {condition}")
    plan = found._jdf.queryExecution().executedPlan().toString()
    below = plan.partition("BroadcastExchange")[2]
    return "BroadcastExchange" in plan, "Aggregate" in below, sorted(r.name for r in found.collect())


not_in = look("name not in (select name from large)")
not_exists = look("not exists (select 1 from large where large.name = wanted.name)")
print("not in:", *not_in)
print("not exists:", *not_exists)
sys.exit(not (not_in == (True, False, ["3", "4", "5"]) and not_exists == (False, False, ["3", "4", "5"])))
PY
