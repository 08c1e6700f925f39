#!/usr/bin/env bash
# dagster-dbt 0.29.27: in an asset, dbt.cli(["build", "--select", "a"], context=context) builds all models; --select can only add.
#
# Seen (dagster 1.13.27, dbt-core 1.11.16, dbt-duckdb 1.11.1, Python 3.11): three models a, b and c (c reads a).
#   arguments      run of                  handed to dbt                       outcome
#   --select a     all                     --select a --select fqn:*           success, a, b and c built
#   --exclude b    all                     --exclude b --select fqn:*          success, a and c built
#   --select a     b alone                 --select a --select p.b             a is built, the run fails: "a" is not selected, and
#                                                                              b, the only one asked for, is not materialized
# Why: with a context the resource puts its own --select behind the caller's, and dbt takes the union of several.
# Why it matters here: a run that should compute only what depends on changed sources computed all of it, with success. The pipeline
# starts dbt without a context where it selects, and gives the context to what it started. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dagster==1.13.27 dagster-dbt==0.29.27 dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==2.0.0
export PATH="$work/venv/bin:$PATH" DAGSTER_DISABLE_TELEMETRY=yes DBT_SEND_ANONYMOUS_USAGE_STATS=false
mkdir -p project/models
printf 'name: p\nversion: "1.0"\nprofile: p\n' > project/dbt_project.yml
printf 'p:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: w.duckdb}\n' > project/profiles.yml
printf 'select 1 as x\n' | tee project/models/a.sql > project/models/b.sql
printf "select * from {{ ref('a') }}\n" > project/models/c.sql
cat > run.py <<'PY'
import sys
from pathlib import Path

import dagster as dg
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

here = Path("project").resolve()
project = DbtProject(project_dir=here, profiles_dir=here)
project.preparer.prepare(project)


def build(arguments, selection=None):
    handed = []

    @dbt_assets(manifest=project.manifest_path)
    def models(context, dbt: DbtCliResource):
        started = dbt.cli(["build", *arguments], context=context)
        handed.extend(started.process.args[2:])
        yield from started.stream()

    resource = DbtCliResource(project_dir=project)
    result = dg.materialize([models], resources={"dbt": resource}, raise_on_error=False, selection=selection)
    built = [e.asset_key.to_user_string() for e in result.all_events if e.event_type_value == "ASSET_MATERIALIZATION"]
    failed = [e.event_specific_data.error.message for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return result.success, " ".join(handed), built, ["not selected" in message for message in failed]


seen = [build(["--select", "a"]), build(["--exclude", "b"]), build(["--select", "a"], [dg.AssetKey("b")])]
print(*seen, sep="\n", file=sys.stderr)
expected = [
    (True, "--select a --select fqn:*", ["a", "b", "c"], []),
    (True, "--exclude b --select fqn:*", ["a", "c"], []),
    (False, "--select a --select p.b", [], [True]),
]
sys.exit(seen != expected)
PY
venv/bin/python run.py > /dev/null 2> log || { tail -20 log; exit 1; }
grep '^[(]' log
