#!/usr/bin/env bash
# dbt-spark 1.11.0 with dbt-core 1.11.16, method `session`, pyspark 4.3.0 (Java 17): `dbt seed` puts the text None where a CSV has an
# empty cell, and cannot load an apostrophe.
#
# Seen, of seeds/cells.csv with the columns name and note (string) and the rows `one,` and `two,text`: dbt says success, and the
# table has (one, None) with the four letters None and (two, text); `note is null` counts 0 rows. Of a seed with the cell it's:
# PARSE_SYNTAX_ERROR in the SQL that dbt-spark wrote.
# Why: the session method has no parameters of its own; it writes Python's values into the text of the statement, between
# apostrophes and as they are, None too (dbt/adapters/spark/session.py, _fix_binding).
# Why it matters here: factors, benchmarks and indicators are seeds with empty cells. `is null` of a denominator was false for every
# indicator that has none, and a ratio of nothing. dbt_project writes the rows itself on Spark (macros/engines.sql).
# Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dbt-core==1.11.16 dbt-adapters==1.24.5 dbt-common==1.39.0 dbt-spark==1.11.0 pyspark==4.3.0
mkdir -p project/seeds project/profile
cat > project/dbt_project.yml <<'YML'
name: made_up
version: "1.0"
config-version: 2
profile: made_up
seeds:
  made_up:
    cells: {+column_types: {name: string, note: string}}
    apostrophe: {+column_types: {name: string}}
YML
cat > project/profile/profiles.yml <<'YML'
made_up:
  target: session
  outputs:
    session: {type: spark, method: session, host: none, schema: made_up}
YML
printf 'name,note\none,\ntwo,text\n' > project/seeds/cells.csv
printf "name\nit's\n" > project/seeds/apostrophe.csv
export DBT_SEND_ANONYMOUS_USAGE_STATS=false
cd project
../venv/bin/python - 2>../spark.log <<'PY'
import sys

from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.catalogImplementation", "in-memory")
    .getOrCreate()
)
options = ["--project-dir", ".", "--profiles-dir", "profile", "--quiet", "--log-level", "none"]
ok = dbtRunner().invoke(["seed", "--select", "cells", *options]).success
rows = [tuple(map(str, row)) for row in spark.sql("select * from made_up.cells order by name").collect()]
nulls = spark.sql("select count(*) as n from made_up.cells where note is null").first().n
print("seed with an empty cell:", "success" if ok else "failed", rows, "null notes:", nulls)
apostrophe = dbtRunner().invoke(["seed", "--select", "apostrophe", *options])
print("seed with an apostrophe:", "success" if apostrophe.success else "an error of the SQL" if "PARSE_SYNTAX_ERROR" in apostrophe.result.results[0].message else apostrophe.result)
expected = [("one", "None"), ("two", "text")]
sys.exit(not (ok and rows == expected and nulls == 0 and not apostrophe.success))
PY
