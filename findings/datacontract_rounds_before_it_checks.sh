#!/usr/bin/env bash
# datacontract-cli 1.2.8: `test` rounds the fractions of an integer column of a CSV or Parquet file first, and checks what it made.
#
# Seen (Python 3.11, DuckDB 1.5.6): a column `persons` of logicalType integer, 0 to 100, with 12, 100.4 and 0.5; three servers.
#   csv:      passed, with all four checks (both columns present, minimum, maximum) and no warning
#   parquet:  of doubles: a warning ("Checking types in parquet files is not supported yet"), nothing failed
#   json:     failed: "data.persons must be integer or null", for two rows; the maximum passed all the same
#   csv with logicalType number: failed, the maximum, on 100.4
#   csv with a required primary key of integers and the keys 0.6 and 1.4: failed, "no duplicate values": both became 1
# Why: the file is loaded into a table of the contract's types, and DuckDB rounds text and doubles cast to integers. Its reader of
# Excel files takes care that no fraction is hidden so; those of CSV and Parquet do not.
# Why it matters here: our contracts are published for others to test our files with this tool. It calls a head count with a
# fraction, above its maximum, valid; so a green test says nothing about whole numbers. Our gate reads the values as they are.
# Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q "datacontract-cli[csv,duckdb,parquet]==1.2.8" duckdb==1.5.6
cat > rounded.py <<'PY'
import json, logging, sys

import duckdb
from datacontract.data_contract import DataContract

logging.disable(logging.CRITICAL)
PERSONS = {"name": "persons", "logicalTypeOptions": {"minimum": 0, "maximum": 100}}
KEY = {"name": "id", "logicalType": "integer", "required": True, "primaryKey": True}


def test(name, *properties):
    contract = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "t", "name": "t", "version": "1.0.0", "status": "active",
        "servers": [{"server": "s", "type": "local", "path": name, "format": name.rpartition(".")[2]}],
        "schema": [{"name": "d", "physicalName": "d", "logicalType": "object", "properties": properties}],
    }  # fmt: skip
    run = DataContract(data_contract_str=json.dumps(contract)).test()
    failed = [(check.type, check.reason) for check in run.checks if check.result.value == "failed"]
    return run.result.value, len(run.checks), failed


rows = "(values ('a', 12.0::double), ('b', 100.4), ('c', 0.5)) t(id, persons)"
duckdb.sql(f"copy (from {rows}) to 'd.csv'")
duckdb.sql(f"copy (from {rows}) to 'd.parquet'")
duckdb.sql(f"copy (from {rows}) to 'd.json' (array true)")
duckdb.sql("copy (from (values (0.6), (1.4)) t(id)) to 'keys.csv'")
name, whole, number = {"name": "id", "logicalType": "string"}, {**PERSONS, "logicalType": "integer"}, {**PERSONS, "logicalType": "number"}
seen = [test(f"d.{form}", name, whole) for form in ("csv", "parquet", "json")]
seen += [test("d.csv", name, number), test("keys.csv", KEY)]
print(*seen, sep="\n")
not_whole = ("schema", "data.persons must be integer or null")
sys.exit(
    seen
    != [
        ("passed", 4, []),
        ("warning", 6, []),
        ("failed", 4, [not_whole] * 2),
        ("failed", 4, [("field_maximum", "Actual invalid_count(persons) was 1, expected = 0")]),
        ("failed", 3, [("field_primary_key_unique", "Actual duplicate_count(id) was 1, expected = 0")]),
    ]
)
PY
venv/bin/python rounded.py 2> log || { tail -20 log; exit 1; }
