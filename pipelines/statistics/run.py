"""Running dbt over one home: the environment its project reads, the manifest, the build, and its errors in one sentence.

Belongs here: everything about calling dbt. Not here: any SQL (dbt_project/), and loading intake and records into the
warehouse (pipelines/records). Dagster runs the same project through dagster-dbt with `environment` and `manifest` of here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.core.home import Home
from pipelines.core.memory import allowance
from pipelines.core.spark import DUCKDB
from pipelines.core.sql import literal
from pipelines.statistics.built import being_built, built, drop_log, publish, trial

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
# What `dbt build` leaves out where it is not a test of ours: what looks at the project, which is the same in every run, and what
# holds by construction (docs/statistics.md).
BY_CONSTRUCTION = "by_construction"
PRODUCTION = ("--exclude-resource-type", "unit_test", "--exclude", f"tag:{BY_CONSTRUCTION}")
PARTS = ("dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "tests")  # what a manifest depends on
OF_DBT = "DBT_"  # how dbt's own settings begin: they may change, or swallow, what a run says and does


class StatisticsError(RuntimeError):
    """dbt did not finish, or there is no warehouse to work on. The message names the model or test, and the log if there is one."""

    exit_status = 1


@dataclass(frozen=True)
class Statistics:
    """What a build gave: rows of each mart, data tests and unit tests passed."""

    rows: dict[str, int]
    tests: int


def target(home: Home) -> Path:
    """Where dbt writes its account of a run, its log too."""
    return home.work.resolve() / "dbt" / "target"


def environment(home: Home, as_of: date, warehouse: Path | None = None) -> dict[str, str]:
    """The environment variables that dbt_project reads, for a run on `home`.

    `as_of` is the date the figures speak of (which leases are in force, which tasks are overdue). `warehouse` is the file to
    build in, None for the one that will take the place of HOME/warehouse.duckdb.
    """
    # sources.yml has it between quotes in SQL, and dbt-duckdb fills in names in braces.
    work = literal(str(home.work.resolve()))[1:-1].replace("{", "{{").replace("}", "}}")
    return {
        "MINGZHANG_WORK": work,
        "MINGZHANG_WAREHOUSE": str((warehouse or being_built(home)).resolve()),
        "MINGZHANG_AS_OF": as_of.isoformat(),
        "MINGZHANG_MEMORY_LIMIT": f"{allowance()}MB",
        "DBT_TARGET_PATH": str(target(home)),
        "DBT_LOG_PATH": str(target(home)),
        # What a run did and what broke it; the 22,000 lines of its debug log cost more than the SQL of a small city.
        "DBT_LOG_LEVEL_FILE": "info",
        "DBT_POPULATE_CACHE": "false",  # each model takes the place of what is there: see macros/materializations.sql
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def clean(given: dict[str, str]) -> dict[str, str]:
    """This process's environment with `given` in the place of whatever settings of dbt it holds."""
    return {k: v for k, v in os.environ.items() if not k.startswith(OF_DBT)} | given


@contextmanager
def replaced_environment(given: dict[str, str]) -> Iterator[None]:
    """Makes `clean(given)` the environment of this process while the block runs: dagster-dbt hands on nothing else."""
    before = dict(os.environ)
    try:
        now = clean(given)
        for name in set(before) - set(now):
            del os.environ[name]
        os.environ.update(now)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def start_whole(home: Home) -> Path:
    """Clears the place where a whole warehouse is built, and returns it."""
    being_built(home).unlink(missing_ok=True)
    drop_log(being_built(home))
    return being_built(home)


def changed_sources(home: Home, code: str, sources: Mapping[str, str]) -> set[str] | None:
    """The sources (`schema/table`) that changed since the last whole warehouse was built: only what rests on them has to be made anew.
    None where everything has: there is no whole warehouse, Spark built it, or the code, the home's place or the list of sources is another.

    `code` is the fingerprint of the stage's code, `sources` the versions now, by `schema/table`.
    """
    last = built(home)
    if (
        last is None
        or last.engine != DUCKDB
        or last.code != code
        or last.work != str(home.work.resolve())
        or set(last.sources) != set(sources)
    ):
        return None
    return {name for name, version in sources.items() if last.sources[name] != version}


def start_part(home: Home, code: str, sources: Mapping[str, str]) -> set[str] | None:
    """The `changed_sources`, once the last whole warehouse is copied to where the next one is built; None, and no copy, where everything
    has to be made anew."""
    changed = changed_sources(home, code, sources)
    if changed is not None:
        shutil.copyfile(home.warehouse, start_whole(home))
    return changed


def start_trial(home: Home) -> Path:
    """Copies the last whole warehouse to where a part of it is built anew, and returns the copy.

    Raises StatisticsError where there is no whole warehouse, or Spark built it.
    """
    last = built(home)
    if last is None or last.engine != DUCKDB:
        raise StatisticsError(
            "A part of the statistics is built on a copy of the last whole warehouse that DuckDB built, and this home has none; "
            "launch the job 'refresh' (or 'mingzhang run') once, then materialize the part again."
        )
    trial(home).parent.mkdir(mode=0o700, exist_ok=True)
    drop_log(trial(home))
    shutil.copyfile(home.warehouse, trial(home))
    trial(home).chmod(0o600)
    return trial(home)


def require_whole(home: Home, as_of: date) -> None:
    """Raises StatisticsError where the warehouse is not one that a whole run built, or speaks of another date than the run does."""
    found = built(home)
    if found is None:
        what = "was changed, or only in part built, since a run made it" if home.warehouse.exists() else "is not there"
        raise StatisticsError(
            f"A release is made of a whole warehouse, and {home.warehouse} {what}; "
            "launch the job 'refresh' (or 'mingzhang run'): the last release stands."
        )
    if found.as_of != as_of:
        raise StatisticsError(
            f"The warehouse speaks of {found.as_of} and this run of {as_of}; "
            "launch the job 'refresh' (or 'mingzhang run'): the last release stands."
        )


def build_statistics(home: Home, as_of: date, unit_tests: bool = False) -> Statistics:
    """Builds and tests every model in work/warehouse.duckdb, then puts it in the place of HOME/warehouse.duckdb.

    Data tests look at this city's figures in every run. Unit tests look at the project, which is the same in every run: they
    are for our own tests.

    Wants the Parquet files of work/{intake,records,city} as the other stages leave them. Raises StatisticsError; the
    warehouse of the last run is then untouched.
    """
    run_dbt(["build", *([] if unit_tests else PRODUCTION)], PROJECT, environment(home, as_of))
    result = collect(home)
    publish(home, as_of, "")
    return result


def collect(home: Home) -> Statistics:
    """What the last dbt run on this home did, from its own account of itself."""
    import duckdb

    results = json.loads((target(home) / "run_results.json").read_text(encoding="utf-8"))["results"]
    tests = sum(r["status"] == "pass" for r in results)
    with duckdb.connect(str(being_built(home)), read_only=True) as con:
        names = con.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
        ).fetchall()
        rows = {n: con.execute(f'select count(*) from marts."{n}"').fetchall()[0][0] for (n,) in names}
    return Statistics(rows, tests)


def compiled_models(home: Home) -> dict[str, Path]:
    """`schema/table` of each model -> its SQL as dbt last compiled it in the home; of those that it compiled there."""
    folder = target(home) / "compiled"
    nodes = json.loads((target(home) / "manifest.json").read_text(encoding="utf-8"))["nodes"].values()
    models = {
        f"{n['schema']}/{n['alias']}": folder / n["package_name"] / n["original_file_path"]
        for n in nodes
        if n["resource_type"] == "model"
    }
    return {name: path for name, path in models.items() if path.is_file()}


def manifest(project: Path = PROJECT) -> Path:
    """The project's target/manifest.json, made by `dbt parse` where it is missing or older than the project's files.

    Dagster reads the project's models from it, before any home is known. Raises StatisticsError.
    """
    folder = project / "target"
    out, stamp = folder / "manifest.json", folder / "manifest.sha256"
    digest = _digest(project)
    if out.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return out
    folder.mkdir(exist_ok=True)
    # Parsed beside and renamed, so that two processes starting at once do not read half a file.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".parse-") as scratch:
        # No date and no home matter to a manifest: it says which models there are.
        env = environment(Home(Path(scratch)), date(1970, 1, 1))
        env |= {"DBT_TARGET_PATH": scratch, "DBT_LOG_PATH": str(project / "logs")}
        run_dbt(["parse"], project, env)
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


def run_dbt(command: list[str], project: Path, env: dict[str, str]) -> None:
    """Runs dbt in a process of its own, which gives back the warehouse's lock and dbt's memory when it ends."""
    results = Path(env["DBT_TARGET_PATH"]) / "run_results.json"
    results.unlink(missing_ok=True)
    forget_other_project(results.parent, project)
    arguments = ["--project-dir", str(project), "--profiles-dir", str(project)]
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *command, *arguments],
        env=clean(env),
        cwd=project,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise _failure(command[0], Path(env["DBT_TARGET_PATH"]), Path(env["DBT_LOG_PATH"]), done.stdout or done.stderr)


def forget_other_project(folder: Path, project: Path) -> None:
    """Drops what dbt parsed into the target `folder` from another folder than `project`: it names files in the folder it was parsed
    from, which an upgrade may have taken away."""
    note = folder / "parsed_from"
    if not note.is_file() or note.read_text(encoding="utf-8") != str(project):
        (folder / "partial_parse.msgpack").unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(str(project), encoding="utf-8")


def failure(home: Home, reason: Sequence[str] = ()) -> StatisticsError:
    """The one sentence about a `dbt build` of this home that failed elsewhere (in Dagster), from dbt's own account; `said` are
    the errors it printed."""
    return _failure("build", target(home), target(home), " ".join(reason))


def _failure(command: str, folder: Path, logs: Path, output: str) -> StatisticsError:
    log = logs / "dbt.log"
    more_in = f"; read {log}" if log.is_file() else ""
    failed = _failures(folder / "run_results.json")
    if failed:
        first = failed[0]
        kind, _, *names = first["unique_id"].split(".")
        name = names[-1] if kind == "unit_test" else names[0]  # a data test's last part is a hash
        reason = " ".join(str(first.get("message") or "").split())[:200]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        if "Out of Memory" in str(first.get("message")):
            return StatisticsError(
                f"dbt's {kind.replace('_', ' ')} {name}{more} needs more memory than the {allowance()} MB it may take; give more with "
                f"the setting MINGZHANG_MEMORY, in MB, on a machine that has it{more_in}."
            )
        if "No space left" in reason:
            return StatisticsError(
                f"The disk is full: dbt's {kind.replace('_', ' ')} {name}{more} could not write; free some space, then run again: "
                f"the last release stands{more_in}."
            )
        return StatisticsError(f"dbt's {kind.replace('_', ' ')} {name}{more} failed: {reason}{more_in}.")
    if "No space left" in output:
        return StatisticsError("The disk is full; free some space, then run again: the last release stands.")
    reason = re.sub(r"\x1b\[[0-9;]*m|\d\d:\d\d:\d\d\s+|Encountered an error:", "", output)
    reason = " ".join(reason.split())[:300].rstrip(".") or "it left no account of itself"
    return StatisticsError(f"dbt {command} did not finish: {reason}{more_in}.")


def _failures(results: Path) -> list[dict[str, Any]]:
    if not results.is_file():
        return []
    found = json.loads(results.read_text(encoding="utf-8"))["results"]
    # A model that broke says more than the tests that were skipped or failed for it.
    bad = [r for r in found if r["status"] in ("error", "fail", "runtime error")]
    return sorted(bad, key=lambda r: r["status"] == "fail")
