#!/usr/bin/env bash
# DuckDB 2.0.0: // is division without a remainder for integers, and of a DECIMAL it keeps the fraction.
#
# Seen (Python 3.11):
#   select 202411 // 100                          2024
#   select cast(202411 as decimal(28, 6)) // 100  2024.11
#   select cast(202411 as double) // 100          2024.11
#   select floor(cast(202411 as decimal(28, 6)) / 100)   2024
# Why: // of anything but integers is the same as /, without a word.
# Why it matters here: months kept as 202411 are split into year and month by // 100 and % 100. Once the column became a DECIMAL, as dbt
# contracts make it, the year was 2024.11 and two months were said to be apart by a number of months that they are not. Exits 1 where
# the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q duckdb==2.0.0
venv/bin/python - <<'PY'
import sys

import duckdb

asked = (
    "202411 // 100",
    "cast(202411 as decimal(28, 6)) // 100",
    "cast(202411 as double) // 100",
    "floor(cast(202411 as decimal(28, 6)) / 100)",
)
seen = [float(duckdb.sql(f"select {expression}").fetchall()[0][0]) for expression in asked]
for expression, value in zip(asked, seen, strict=True):
    print(f"{expression:48} {value}")
sys.exit(seen != [2024.0, 2024.11, 2024.11, 2024.0])
PY
