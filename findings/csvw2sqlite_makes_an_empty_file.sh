#!/usr/bin/env bash
# csvw 4.1.1: csvw2sqlite, given metadata of one table, makes a file of 0 bytes and exits 0; the same table in a group of one is loaded.
#
# The standard has two forms of metadata for a table: the table itself, found beside a CSV as NAME.csv-metadata.json, and a group.
# Seen (Python 3.11, nothing on standard output or standard error in either case):
#   {"url": "t.csv", "tableSchema": ...}:               exit 0, t.db of 0 bytes; SQLite opens it: a database of no table
#   {"tables": [{"url": "t.csv", "tableSchema": ...}]}: exit 0, table "t.csv" with the two rows
#   csvwvalidate and csvw2json of the same package take both: OK, and two rows
# Why it matters here: each CSV of a release has the first form beside it, as the standard asks. Whoever loads a release with this
# command in a loop gets databases that open and are empty, and a script that saw only success. Readers who want SQLite are given
# the release's own database. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q csvw==4.1.1
cat > forms.py <<'PY'
import json, sqlite3, subprocess, sys
from pathlib import Path

Path("t.csv").write_text("id,n\na,1\nb,2\n")
columns = [{"name": "id", "titles": "id", "datatype": "string"}, {"name": "n", "titles": "n", "datatype": "integer"}]
table = {"url": "t.csv", "tableSchema": {"columns": columns, "primaryKey": ["id"]}}
forms = {"t.csv-metadata.json": table, "group.json": {"tables": [table]}}


def run(command, *arguments):
    done = subprocess.run([f"venv/bin/{command}", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def look(name, metadata):
    Path(name).write_text(json.dumps({"@context": "http://www.w3.org/ns/csvw", **metadata}))
    made = Path(name).with_suffix(".db")
    loaded = run("csvw2sqlite", name, str(made))
    with sqlite3.connect(made) as con:
        tables = [row[0] for row in con.execute("select name from sqlite_master where type = 'table'")]
        rows = con.execute('select * from "t.csv"').fetchall() if tables else []
    valid, converted = run("csvwvalidate", name)[0], json.loads(run("csvw2json", name)[1])
    return loaded, made.stat().st_size > 0, tables, rows, valid, len(converted["tables"][0]["row"])


seen = [look(*form) for form in forms.items()]
print(*seen, sep="\n")
whole = ((0, ""), True, ["t.csv"], [("a", 1), ("b", 2)], 0, 2)
sys.exit(seen != [((0, ""), False, [], [], 0, 2), whole])
PY
venv/bin/python forms.py
