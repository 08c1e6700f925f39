#!/usr/bin/env bash
# Spark SQL 4.3.0 (pyspark, Java 17): `from v where (false)` filters nothing where v has one column: `where` becomes the name of
# the table, and `(false)` the list of its columns' names.
#
# Seen, over a view v of one column with the rows 1 and 2, all settings as they come (ANSI mode is on):
#   select * from v where false                      no rows
#   select * from v where (false)                    2 rows, of a column called `false`
#   select count(*) as n from v where (false)        2
#   select * from v as t where (false)               no rows
#   select * from w where (flag), w of two columns   error ASSIGNMENT_ARITY_MISMATCH: 1 name, 2 columns
#   select count(*) as n from f where (flag), f of one column `flag` with the rows true and false: 2, not 1
#   the first of them with spark.sql.ansi.enforceReservedKeywords=true     no rows
# Why: keywords are not reserved unless that setting is on, not even `where`, `true` and `false`; a table's alias may list columns.
# Why it matters here: conditions from a contract are put between parentheses by the models, `where (true)` among them. On DuckDB
# that is a filter; on Spark it renamed the columns, and with one column would have published what is not open in rows. Exits 1
# where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q pyspark==4.3.0
venv/bin/python - 2>spark.log <<'PY'
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sql("create temporary view v as select * from values (1), (2) as t(a)")
spark.sql("create temporary view w as select * from values (1, true), (2, false) as t(a, flag)")
spark.sql("create temporary view f as select * from values (true), (false) as t(flag)")


def seen(query):
    try:
        rows = spark.sql(query).collect()
    except Exception as e:
        return e.getCondition()
    return [row.asDict() for row in rows]


asked = {
    "select * from v where false": [],
    "select * from v where (false)": [{"false": 1}, {"false": 2}],
    "select count(*) as n from v where (false)": [{"n": 2}],
    "select * from v as t where (false)": [],
    "select * from w where (flag)": "ASSIGNMENT_ARITY_MISMATCH",
    "select count(*) as n from f where (flag)": [{"n": 2}],
}
changed = False
for query, expected in asked.items():
    found = seen(query)
    print(f"{query:44} {found}")
    changed |= found != expected
spark.conf.set("spark.sql.ansi.enforceReservedKeywords", "true")
found = seen("select * from v where (false)")
print(f"{'the second with reserved keywords':44} {found}")
sys.exit(changed or found != [])
PY
