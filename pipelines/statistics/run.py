"""Running dbt over one home: the environment its project reads, the manifest, the build, and its errors in one sentence.

Belongs here: everything about calling dbt. Not here: any SQL (dbt_project/), and loading intake and records into the
warehouse (pipelines/records). Dagster runs the same project through dagster-dbt with `environment` and `manifest` of here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.home import Home

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
PRODUCTION = ("--exclude-resource-type", "unit_test")  # what `dbt build` leaves out where it is not a test of ours
PARTS = ("dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "tests")  # what a manifest depends on


class StatisticsError(RuntimeError):
    """dbt did not finish. The message names the model or test and where the log is."""

    exit_status = 1


@dataclass(frozen=True)
class Statistics:
    """What a build gave: rows of each mart, data tests and unit tests passed."""

    rows: dict[str, int]
    tests: int


def being_built(home: Home) -> Path:
    """Where the warehouse lies until it is whole. It has the name it will have: views in it say which catalogue they mean."""
    return home.work / home.warehouse.name


def environment(home: Home, as_of: date | None = None) -> dict[str, str]:
    """The environment variables that dbt_project reads, for a run on `home`.

    `as_of` is the date the figures speak of (which leases are in force, which tasks are overdue); None for today.
    """
    dbt = home.work.resolve() / "dbt"
    return {
        "MINGZHANG_WORK": str(home.work.resolve()).replace("'", "''"),  # stands between quotes in SQL
        "MINGZHANG_WAREHOUSE": str(being_built(home).resolve()),
        "MINGZHANG_AS_OF": (as_of or date.today()).isoformat(),
        "DBT_TARGET_PATH": str(dbt / "target"),
        "DBT_LOG_PATH": str(dbt / "logs"),
        # What a run did and what broke it; the 22,000 lines of its debug log cost more than the SQL of a small city.
        "DBT_LOG_LEVEL_FILE": "info",
        "DBT_POPULATE_CACHE": "false",  # nothing stands in the warehouse before it: see macros/materializations.sql
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def build_statistics(home: Home, as_of: date | None = None, unit_tests: bool = False) -> Statistics:
    """Builds and tests every model in work/warehouse.duckdb, then puts it in the place of HOME/warehouse.duckdb.

    Data tests look at this city's figures in every run. Unit tests look at the project, which is the same in every run: they
    are for our own tests.

    Wants the Parquet files of work/{intake,records,city} as the other stages leave them. Raises StatisticsError; the
    warehouse of the last run is then untouched.
    """
    _dbt(["build", *([] if unit_tests else PRODUCTION)], PROJECT, environment(home, as_of))
    result = collect(home)
    publish(home)
    return result


def collect(home: Home) -> Statistics:
    """What the last dbt run on this home did, from its own account of itself."""
    import duckdb

    target = Path(environment(home)["DBT_TARGET_PATH"])
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    tests = sum(r["status"] == "pass" for r in results)
    with duckdb.connect(str(being_built(home)), read_only=True) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
        ).fetchall()
        rows = {n: con.execute(f'select count(*) from marts."{n}"').fetchall()[0][0] for (n,) in names}
    return Statistics(rows, tests)


def publish(home: Home) -> None:
    """Puts the finished warehouse in the place of the last one, at once; it holds closed rows and is its owner's alone."""
    being_built(home).chmod(0o600)
    being_built(home).replace(home.warehouse)


def manifest(project: Path = PROJECT) -> Path:
    """The project's target/manifest.json, made by `dbt parse` where it is missing or older than the project's files.

    Dagster reads the project's models from it, before any home is known. Raises StatisticsError.
    """
    target = project / "target"
    out, stamp = target / "manifest.json", target / "manifest.sha256"
    digest = _digest(project)
    if out.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return out
    target.mkdir(exist_ok=True)
    # Parsed beside and renamed, so that two processes starting at once do not read half a file.
    with tempfile.TemporaryDirectory(dir=target, prefix=".parse-") as scratch:
        env = environment(Home(Path(scratch))) | {"DBT_TARGET_PATH": scratch, "DBT_LOG_PATH": str(project / "logs")}
        _dbt(["parse"], project, env)
        (Path(scratch) / "manifest.json").replace(out)
        stamp.write_text(digest)
    return out


def _digest(project: Path) -> str:
    h = hashlib.sha256(version("dbt-core").encode())  # another dbt writes another shape
    for part in PARTS:
        for path in sorted([project / part, *(project / part).rglob("*")]):
            if path.is_file():
                h.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()


def _dbt(command: list[str], project: Path, env: dict[str, str]) -> None:
    """Runs dbt in a process of its own, which gives back the warehouse's lock and dbt's memory when it ends."""
    results = Path(env["DBT_TARGET_PATH"]) / "run_results.json"
    results.unlink(missing_ok=True)
    arguments = ["--project-dir", str(project), "--profiles-dir", str(project)]
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *command, *arguments],
        env=os.environ | env,
        cwd=project,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise _failure(command[0], env, done.stdout or done.stderr)


def failure(home: Home) -> StatisticsError:
    """The one sentence about a `dbt build` of this home that failed elsewhere (in Dagster), from dbt's own account."""
    return _failure("build", environment(home), "")


def _failure(command: str, env: dict[str, str], output: str) -> StatisticsError:
    log = Path(env["DBT_LOG_PATH"]) / "dbt.log"
    failed = _failures(Path(env["DBT_TARGET_PATH"]) / "run_results.json")
    if failed:
        first = failed[0]
        kind, _, *names = first["unique_id"].split(".")
        name = names[-1] if kind == "unit_test" else names[0]  # a data test's last part is a hash
        said = " ".join(str(first.get("message") or "").split())[:200]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return StatisticsError(f"dbt's {kind.replace('_', ' ')} {name}{more} failed: {said}; read {log}.")
    said = re.sub(r"\d\d:\d\d:\d\d\s+(Encountered an error:)?", "", output)
    said = " ".join(said.split())[:300] or "it left no account of itself"
    return StatisticsError(f"dbt {command} did not finish: {said}; read {log}.")


def _failures(results: Path) -> list[dict[str, Any]]:
    if not results.is_file():
        return []
    found = json.loads(results.read_text(encoding="utf-8"))["results"]
    # A model that broke says more than the tests that were skipped or failed for it.
    bad = [r for r in found if r["status"] in ("error", "fail", "runtime error")]
    return sorted(bad, key=lambda r: r["status"] == "fail")
