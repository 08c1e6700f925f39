"""One refresh from the command line: runs the same Dagster job that the schedule and the UI run, in this process.

Belongs here: starting the job and collecting what its assets said of themselves. Not here: drawing it (cli.py), or any
stage's work.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import load_contracts
from pipelines.home import Home
from pipelines.sources.receive import Received, nothing_new
from pipelines.standing import Standing

FIRST = ("received", "readings", "records", "intake", "feedback", "drift")  # the assets before statistics


@dataclass
class RunReport:
    """What a run did. Counts are of files and rows in force after the run; `seconds` is by stage."""

    release: str | None = None
    release_state: str = "none"  # new, unchanged, none
    synthetic: bool = False
    files: dict[str, int] = field(default_factory=dict)  # seen, new, read, accepted, partial, rejected, superseded
    rows: dict[str, int] = field(default_factory=dict)  # read, accepted, quarantined, explained, superseded
    records: dict[str, int] = field(default_factory=dict)  # by dataset
    superseded: dict[str, int] = field(default_factory=dict)  # rows that a newer file replaced, by dataset
    issues: dict[str, int] = field(default_factory=dict)  # open issues by code
    left: list[str] = field(default_factory=list)  # names of files still being written, which the next run takes
    down: list[str] = field(default_factory=list)  # a sentence for each inbox that did not answer
    held: int = 0  # figures that stand as last published while the records give another
    corrected: int = 0  # figures that a decision of the bureau replaced or withdrew
    unused: list[str] = field(default_factory=list)  # a sentence for each decision that changed nothing
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def refresh(
    home: Path,
    inbox: list[str],
    contracts: list[Path],
    city: Path,
    as_of: str = "",
    full: bool = False,
    processes: int = 0,
    due_days: int = 15,
) -> RunReport:
    """Runs the job `refresh` on `home` and waits for it. Raises what a stage raised; the last release is then untouched.

    The job runs in two parts. Where the first, up to the records, changes nothing that a release is made of, the second
    is left out: the release stands. Where everything looks as it did when that release was made, there is no job at all,
    and Dagster is not even imported.
    """
    place = Home(home).create()
    found = load_contracts(contracts)
    on = date.fromisoformat(as_of) if as_of else date.today()
    if not full:
        begin = time.perf_counter()
        with place.locked():
            standing = Standing(place)
            if standing.looks_so(standing.looks_of(city, found, on, due_days)):
                looked = nothing_new(place, inbox)
                if looked is not None:
                    return _again(standing, looked, time.perf_counter() - begin)
    use_dagster_home(place)
    import dagster as dg

    from pipelines.assets.place import Place
    from pipelines.graph import make_definitions

    resource = Place(
        home=str(home.resolve()),
        inbox=inbox,
        contracts=[str(c.resolve()) for c in contracts],
        city=str(city.resolve()),
        as_of=as_of,
        full=full,
        processes=processes,
        due_days=due_days,
    )
    job = make_definitions(resource).resolve_job_def("refresh")
    everything = set(job.asset_layer.executable_asset_keys)
    first = {k for k in everything if k.path[0] in FIRST}
    report = RunReport()
    # dbt's words, which Dagster repeats on standard output, go to a file: only the report belongs there.
    log = place.work / "run.log"
    with (
        _not_waiting_for_the_disk(),
        dg.DagsterInstance.get() as instance,
        log.open("w", encoding="utf-8") as f,
        redirect_stdout(f),
    ):
        for part in (first, everything - first):
            result = job.execute_in_process(
                instance=instance,
                asset_selection=sorted(part),
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags={"mingzhang/from": "command line"},
            )
            stats = instance.get_run_step_stats(result.run_id)
            _note(report, result.get_asset_materialization_events(), stats)
            if part is first:
                standing = Standing(place)
                made_of = standing.made_of(city, found, on)
                if standing.holds(made_of):
                    report.release, report.release_state = standing.release_id, "unchanged"
                    report.synthetic = bool(standing.report.get("synthetic"))
                    break
    standing.write(made_of, standing.looks_of(city, found, on, due_days), report.as_json())
    return report


def _again(standing: Standing, found: Received, seconds: float) -> RunReport:
    """What the run reported that made the release which stands, of which nothing has changed."""
    out = RunReport(**standing.report)
    out.release_state, out.seconds = "unchanged", {"looking": round(seconds, 2)}
    out.files |= {"seen": found.seen, "new": 0, "read": 0, "left": len(found.left)}
    out.left, out.down = list(found.left), list(found.down)
    return out


@contextmanager
def _not_waiting_for_the_disk() -> Iterator[None]:
    """Dagster notes each of a run's thousand events in SQLite over a connection of its own, and each would wait for the disk
    several times. Should the power fail, notes of a run may be lost; what the run makes is none of SQLite's."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def ease(connection: Any, _: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", ease)
    try:
        yield
    finally:
        event.remove(Engine, "connect", ease)


def use_dagster_home(home: Home) -> None:
    """Makes Dagster keep its runs in this home, and tell nobody about them."""
    folder = home.work / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\nnux:\n  enabled: false\n", encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder.resolve())
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


def _note(out: RunReport, events: Sequence[Any], stats: Sequence[Any]) -> None:
    """Adds what the assets of one run said of themselves, and how long its steps took."""
    for event in events:
        made = event.materialization
        path = list(made.asset_key.path)
        said = {k: v.value for k, v in made.metadata.items()}
        if path[0] == "records":
            out.records[path[1]] = int(said["rows"])
        out.files |= said.get("report_files", {})
        out.left += said.get("left", ())
        out.down += said.get("down", ())
        out.unused += said.get("unused", ())
        out.rows |= said.get("report_rows", {})
        out.issues |= said.get("report_issues", {})
        out.superseded |= said.get("report_superseded", {})
        if path == ["release"]:
            out.release, out.release_state = said["release_id"], said["state"]
            out.synthetic = bool(said["synthetic"])
            out.held, out.corrected = int(said["held"]), int(said["corrected"])
    for s in stats:
        if s.start_time and s.end_time:
            out.seconds[s.step_key] = round(s.end_time - s.start_time, 2)
