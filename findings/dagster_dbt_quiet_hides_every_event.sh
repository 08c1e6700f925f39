#!/usr/bin/env bash
# dagster-dbt 0.29.27 with dbt-core 1.11.16: with DBT_QUIET=1 in the environment a run succeeds and reports nothing.
#
# Seen (dagster 1.13.27, dbt-duckdb 1.11.1, Python 3.11): a project of one model with a data test of severity warn that fails.
#   plain:        run SUCCESS, 1 materialization, 1 check evaluation, which did not pass
#   DBT_QUIET=1:  run SUCCESS, 0 materializations, 0 check evaluations; the table is built all the same
# Why: the asset events are read from dbt's log on standard output, of which DBT_QUIET leaves errors alone. DBT_QUIET is an
# ordinary setting of dbt that an engineer may have exported for a shell.
# Why it matters here: an asset check that blocks is not failed but absent, so what it should hold back goes on, and everything
# is green. The pipeline hands dbt an environment without the caller's DBT_* variables. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dagster==1.13.27 dagster-dbt==0.29.27 dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==2.0.0
export PATH="$work/venv/bin:$PATH" DAGSTER_DISABLE_TELEMETRY=yes DBT_SEND_ANONYMOUS_USAGE_STATS=false
unset DBT_QUIET
mkdir -p project/models
printf 'name: p\nversion: "1.0"\nprofile: p\n' > project/dbt_project.yml
printf 'p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: w.duckdb}\n' > project/profiles.yml
printf 'select cast(null as integer) as x\n' > project/models/a.sql
printf 'models:\n  - name: a\n    columns:\n      - name: x\n        data_tests: [{not_null: {config: {severity: warn}}}]\n' > project/models/schema.yml
cat > run.py <<'PY'
import os, sys
from pathlib import Path

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

here = Path("project").resolve()
project = DbtProject(project_dir=here, profiles_dir=here)
project.preparer.prepare(project)


@dbt_assets(manifest=project.manifest_path)
def models(context, dbt: DbtCliResource):
    yield from dbt.cli(["build"], context=context).stream()


def seen():
    Path(here / "w.duckdb").unlink(missing_ok=True)
    result = dg.materialize([models], resources={"dbt": DbtCliResource(project_dir=project)}, raise_on_error=False)
    kinds = [e.event_type_value for e in result.all_events]
    passed = [e.event_specific_data.passed for e in result.all_events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    with duckdb.connect(str(here / "w.duckdb")) as con:
        built = con.execute("select count(*) from a").fetchone()[0]
    return result.success, kinds.count("ASSET_MATERIALIZATION"), passed, built


plain = seen()
os.environ["DBT_QUIET"] = "1"
quiet = seen()
print("success, materializations, checks passed, rows built")
print("plain      ", plain)
print("DBT_QUIET=1", quiet)
sys.exit((plain, quiet) != ((True, 1, [False], 1), (True, 0, [], 1)))
PY
venv/bin/python run.py 2> log || { tail -20 log; exit 1; }
