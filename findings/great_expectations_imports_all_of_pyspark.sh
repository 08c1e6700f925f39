#!/usr/bin/env bash
# great_expectations 1.24.1 with pyspark 4.3.0 and pandas 3.1.1 beside it: a program that checks data frames of pandas imports all of
# Spark's Python and warns about Spark on standard error.
#
# Seen (Python 3.11): `import great_expectations`, and nothing else, imports pyspark.sql and pyspark.ml, tries pyspark.sql.connect, and prints
# "FutureWarning: PySpark does not fully support pandas >= 3.0.0 ..."; where warnings are errors it raises instead. With pyspark hidden
# (sys.modules["pyspark"] = None) the same import says nothing.
# Why: great_expectations/compatibility/pyspark.py tries to import each of the names that a run on Spark would need, whether or not there
# is one, and expects an ImportError alone; pyspark.sql.connect looks at the versions beside it when it is imported.
# Why it matters here: installing Spark for statistics changed what a run on one machine says and costs, and turned tests of suites red
# that have nothing of Spark. expectations/suite.py hides pyspark while it imports Great Expectations. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q great_expectations==1.24.1 pyspark==4.3.0 pandas==3.1.1 pyarrow==26.0.1
cat > imports.py <<'PY'
import sys
import warnings

hidden = sys.argv[1:] == ["hidden"]
if hidden:
    sys.modules["pyspark"] = None
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import great_expectations  # noqa: F401
spark = [m for m in ("pyspark.ml.feature", "pyspark.sql.dataframe") if sys.modules.get(m)]
about = sorted({w.category.__name__ for w in said if "PySpark" in str(w.message)})
print("hidden" if hidden else "installed", spark, about)
wanted = ([], []) if hidden else (["pyspark.ml.feature", "pyspark.sql.dataframe"], ["FutureWarning"])
sys.exit((spark, about) != wanted)
PY
venv/bin/python imports.py
venv/bin/python imports.py hidden
