#!/usr/bin/env bash
# great_expectations 1.24.1: a check whose type is misspelt leaves a stored suite without a word in the result, and the run succeeds.
#
# Seen (Python 3.11, pandas): the suite on disk has two checks, the second of which the data breaks (-5 is under 0).
#   second type spelt right:              success False, evaluated 2
#   "expect_column_values_to_be_betwen":  success True,  evaluated 1; the loaded suite has one check
#   both types misspelt:                  success True,  evaluated 0, success_percent None
#   suite.save() after loading:           the misspelt check is gone from the file too
# An error goes to the log and nowhere else. add_expectation_configuration() with the same type raises.
# Why it matters here: rules are files that people edit, and an upgrade may take a type away; a gate that holds a release
# back would then open, and its report would show full marks. The pipeline builds each check from its class and counts the
# results with those planned. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q great_expectations==1.24.1
cat > drop.py <<'PY'
import json, sys
from pathlib import Path

import great_expectations as gx
import pandas as pd

RIGHT, WRONG = "expect_column_values_to_be_between", "expect_column_values_to_be_betwen"
stored = Path("gx/expectations/s.json")
gx.get_context(mode="file", project_root_dir=".").suites.add(gx.ExpectationSuite(name="s"))
empty = json.loads(stored.read_text())


def run(*types):
    limits = {"column": "x", "min_value": 0}
    checks = [{"type": types[0], "kwargs": {**limits, "max_value": 9, "mostly": 0.5}}, {"type": types[1], "kwargs": limits}]
    stored.write_text(json.dumps({**empty, "expectations": checks}))
    context = gx.get_context(mode="file", project_root_dir=".")
    context.variables.progress_bars = {"globally": False}
    suite = context.suites.get("s")
    batch = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = batch.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": pd.DataFrame({"x": [-5, 1]})})
    result = batch.validate(suite)
    suite.save()
    kept = [check["type"] for check in json.loads(stored.read_text())["expectations"]]
    return result.success, result.statistics["evaluated_expectations"], result.statistics["success_percent"], kept


seen = [run(RIGHT, RIGHT), run(RIGHT, WRONG), run(WRONG, WRONG)]
print(*seen, sep="\n")
sys.exit(seen != [(False, 2, 50.0, [RIGHT] * 2), (True, 1, 100.0, [RIGHT]), (True, 0, None, [])])
PY
export GX_ANALYTICS_ENABLED=false
venv/bin/python drop.py 2> log || { tail -20 log; exit 1; }
grep -q "expect_column_values_to_be_betwen not found" log
