#!/usr/bin/env bash
# csvkit 2.2.0: two rows of a plain CSV melt into one, with exit status 0, where cells begin and one cell ends with an apostrophe.
#
# Seen (Python 3.11): three rows, no quoting anywhere.
#   id,text,value        csvjson: {"id": "a", "text": "-,1\nb,-", "value": 2.0}, {"id": "c", "text": "5'", "value": 3.0}
#   a,'-,1               csvsql --query "select sum(value) from t": 5 (true: 6)
#   b,'-,2               csvstat --count: 3, csvcut and csvgrep: all three rows
#   c,5',3               csvjson -y 0, csvjson -q '"', Python's csv and DuckDB 2.0.0: all three rows
# Why: csvjson, csvsql, csvsort and csvjoin guess a file's dialect first, which takes ' for the quote character here; the others
# do not guess, so one toolkit counts three rows and adds up two. Only -y 0, or a quote character by hand, prevents it.
# Why it matters here: a leading apostrophe is the usual guard against formulas in published CSV, "-" the usual mark for "none",
# and 5' a length or a minute of arc; a journalist's sum leaves records out and nothing tells. A guard against formulas in CSV has
# to be told to readers, with the dialect. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q csvkit==2.2.0 duckdb==2.0.0
printf '%s\n' "id,text,value" "a,'-,1" "b,'-,2" "c,5',3" > t.csv
cat > seen.py <<'PY'
import json, subprocess, sys

import duckdb


def run(command, *options):
    done = subprocess.run([f"venv/bin/{command}", *options, "t.csv"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def rows(*options):
    return [(row["id"], row["text"], row["value"]) for row in json.loads(run("csvjson", *options))]


guessed, total, counted = rows(), run("csvsql", "--query", "select sum(value) from t"), run("csvstat", "--count")
whole = [("a", "'-", 1), ("b", "'-", 2), ("c", "5'", 3)]
others = [rows("-y", "0"), rows("-q", '"'), duckdb.sql("from 't.csv'").fetchall()]
print(guessed, total.split(), counted, *others, sep="\n")
sys.exit(
    guessed != [("a", "-,1\nb,-", 2), ("c", "5'", 3)]
    or (total.split()[-1], counted) != ("5.0", "3")
    or others != [whole] * 3
)
PY
venv/bin/python seen.py
