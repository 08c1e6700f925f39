"""One refresh from the command line: runs the job that the schedule and the UI run, in this process.

Belongs here: starting the job, collecting what its assets reported, and leaving it out where a release stands already. Not
here: drawing it (cli.py), or any stage's work.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

from expectations.contract import load_contracts
from pipelines.core import run_logs
from pipelines.core.clock import today
from pipelines.core.home import Home, HomeBusy
from pipelines.core.settings import Settings
from pipelines.core.spark import SPARK, require_spark
from pipelines.dagster_home import use_dagster_home
from pipelines.sources.inbox import InboxError
from pipelines.sources.receive import nothing_new
from pipelines.sources.source import sources_of
from pipelines.stages import Published, Stages
from publish.errors import GateHeld, chain
from publish.release.doubted import read_doubted
from publish.release.store import drop_held

OLD_NOTES = ("standing.json", "warehouse.json")  # of homes made before each stage had its own
FROM = {"mingzhang/from": "command line"}  # the tag of our own runs in Dagster's record (assets/sensors.py knows it)


class NoRelease(RuntimeError):
    """A run ended and no release stands. The message says where to read why."""

    exit_status = 1


@dataclass
class RunReport:
    """What a run did. Counts are of files and rows in force after the run; `seconds` is by stage."""

    release: str | None = None
    release_state: str = "none"  # new, unchanged, held, none
    notes: list[str] = field(default_factory=list)  # what a person should look at, such as an empty inbox
    synthetic: bool = False
    files: dict[str, int] = field(default_factory=dict)  # seen, new, read, accepted, partial, rejected, superseded
    rows: dict[str, int] = field(default_factory=dict)  # read, accepted, quarantined, explained, superseded
    records: dict[str, int] = field(default_factory=dict)  # by dataset
    superseded: dict[str, int] = field(default_factory=dict)  # rows that a newer file replaced, by dataset
    issues: dict[str, int] = field(default_factory=dict)  # open issues by code
    doubted: list[dict[str, str]] = field(
        default_factory=list
    )  # totals that a doubtful figure hides or moves; inside only
    left: list[str] = field(default_factory=list)  # names of files still being written, which the next run takes
    down: list[str] = field(default_factory=list)  # a sentence for each inbox that did not answer
    held: int = 0  # figures that stand as last published while the records give another
    corrected: int = 0  # figures that a decision of the bureau replaced or withdrew
    unused: list[str] = field(default_factory=list)  # a sentence for each decision that changed nothing
    waiting: dict[str, int] = field(
        default_factory=dict
    )  # rows that arrived after their year was declared final, by year
    seconds: dict[str, float] = field(default_factory=dict)
    held_release: str | None = None  # a release that moves too far from the last one and waits for a person's yes
    reasons: list[str] = field(default_factory=list)  # one sentence each why; for the operator alone

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def refresh(settings: Settings, stopped: Callable[[], bool] = lambda: False) -> RunReport:
    """Runs the job `refresh` and waits for it. Raises what a stage raised; the last release is then untouched.

    `stopped` says whether somebody asked to stop: what is imported before the job may swallow the KeyboardInterrupt that said so.

    The home is held from the first look to the last note. Where every stage is fresh and nothing came, there is no job, and
    Dagster is not even imported.
    """
    if settings.engine == SPARK:
        require_spark()  # before any work
    home = Home(settings.home).create()
    contracts = load_contracts(settings.contracts, city=settings.city)
    on = date.fromisoformat(settings.as_of) if settings.as_of else today(settings.city)
    settings = settings.model_copy(update={"as_of": on.isoformat()})  # one date, should midnight pass on the way
    with home.locked():
        for name in OLD_NOTES:
            (home.work / name).unlink(missing_ok=True)
        Published(home).mend_current()
        stages = Stages(home, contracts, settings.city, on, settings.due_days)
        report = None if settings.full else _nothing_to_do(stages, settings)
        report = report or _run(stages, settings, stopped)
        report.doubted = read_doubted(home)
        return report


def _nothing_to_do(stages: Stages, settings: Settings) -> RunReport | None:
    """The report of a run that need not be; None where the job has to look."""
    begin, sources = time.perf_counter(), sources_of(settings.inbox, settings.sources)
    if not stages.all_fresh():
        return None
    try:
        looked = nothing_new(stages.home, sources)
    except InboxError:
        return None  # the job tells it
    if looked is None or (sources and not looked.seen):
        return None
    drop_held(stages.home)
    out = _as_reported(Published(stages.home))
    out.seconds = {"looking": round(time.perf_counter() - begin, 2)}
    out.files |= {"seen": looked.seen, "new": 0, "read": 0, "left": len(looked.left)}
    out.left, out.down, out.notes = list(looked.left), list(looked.down.values()), list(looked.refused)
    return out


def _as_reported(published: Published) -> RunReport:
    """What the run reported that made the release which stands, now unchanged."""
    known = {f.name for f in fields(RunReport)} - {"left", "down", "notes"}
    out = RunReport(**{k: v for k, v in published.report.items() if k in known})
    out.release, out.release_state = published.release_id, "unchanged"
    return out


def _run(stages: Stages, settings: Settings, stopped: Callable[[], bool]) -> RunReport:
    home = stages.home
    use_dagster_home(home)
    import dagster as dg

    from pipelines.assets.place import place_of
    from pipelines.graph import make_definitions

    job = make_definitions(place_of(settings)).resolve_job_def("refresh")
    report = RunReport()
    # dbt's words, which Dagster repeats on standard output, go to a file: only the report belongs there.
    with (
        _not_waiting_for_the_disk(),
        dg.DagsterInstance.get() as instance,
        run_logs.opened(home) as log,
        redirect_stdout(log),
    ):
        _end_dead_runs(instance)
        # Where the job ends early, Dagster warns of each check behind that end that nobody asked it for.
        logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
        if stopped():
            raise KeyboardInterrupt
        try:
            result = job.execute_in_process(
                instance=instance,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                tags=FROM,
            )
        except Exception as e:
            held = _held_in(e)
            if held is None:
                raise
            return _as_held(report, held, Published(home), instance)
        checks = [c.metadata for c in result.get_asset_check_evaluations()]
        _note(report, result.get_asset_materialization_events(), checks, instance.get_run_step_stats(result.run_id))
    published = Published(home)
    if report.release is None:
        if not report.notes or not published.is_published:
            raise NoRelease(f"The run ended and made no release; read {log.name}, the last release is untouched.")
        # It ended early, because the inboxes are empty.
        unchanged = _as_reported(published)
        unchanged.files |= report.files
        unchanged.notes, unchanged.seconds = report.notes, report.seconds
        return unchanged
    stages.done("release", published.report | report.as_json())
    return report


def _held_in(error: BaseException) -> GateHeld | None:
    """The hold that made a run fail, None where something else did."""
    return next((e for e in chain(error) if isinstance(e, GateHeld)), None)


def _as_held(report: RunReport, held: GateHeld, published: Published, instance: Any) -> RunReport:
    """The report of a run whose release is held: what its stages reported before, and why it is held."""
    import dagster as dg

    run_id = instance.get_runs(dg.RunsFilter(tags=FROM), limit=1)[0].run_id
    made, looked = (
        [entry.dagster_event for entry in instance.all_logs(run_id, of_type=kind)]
        for kind in (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    )
    checks = [e.asset_check_evaluation_data.metadata for e in looked]
    _note(report, made, checks, instance.get_run_step_stats(run_id))
    report.release, report.release_state = held.last, "held"
    report.synthetic = bool(published.report.get("synthetic"))
    report.held_release, report.reasons = held.release_id, held.reasons
    return report


def _end_dead_runs(instance: Any) -> None:
    """Marks as failed the runs of the command line that a dead process left as started: this one holds the home, so that none
    of them can be at work."""
    import dagster as dg

    alive = [s for s in dg.DagsterRunStatus if s not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)]
    alive.remove(dg.DagsterRunStatus.CANCELED)
    for run in instance.get_runs(dg.RunsFilter(tags=FROM, statuses=alive)):
        instance.report_run_failed(run, "The process of this run ended before the run did; the next run found it so.")


def end_dead_runs(home: Home) -> None:
    """Marks dead runs of the command line as failed, unless a run is at work."""
    import dagster as dg

    try:
        with home.locked(), dg.DagsterInstance.get() as instance:
            _end_dead_runs(instance)
    except HomeBusy:
        return


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


def _note(out: RunReport, events: Sequence[Any], checks: Sequence[Any], stats: Sequence[Any]) -> None:
    """Adds what the assets and checks of a run reported, and how long its steps took."""
    for found in checks:
        reported = {k: v.value for k, v in found.items()}
        out.files |= reported.get("report_files", {})
        out.left += reported.get("left", ())
        out.down += reported.get("down", ())
        out.notes += reported.get("notes", ())
    for event in events:
        made = event.materialization
        path = list(made.asset_key.path)
        reported = {k: v.value for k, v in made.metadata.items()}
        if path[0] == "records":
            out.records[path[1]] = int(reported["rows"])
        out.files |= reported.get("report_files", {})
        out.rows |= reported.get("report_rows", {})
        out.issues |= reported.get("report_issues", {})
        out.unused += reported.get("unused", ())
        out.waiting |= reported.get("report_waiting", {})
        out.superseded |= reported.get("report_superseded", {})
        if path == ["release"]:
            out.release, out.release_state = reported["release_id"], reported["state"]
            out.synthetic = bool(reported["synthetic"])
            out.held, out.corrected = int(reported["held"]), int(reported["corrected"])
    for s in stats:
        if s.start_time and s.end_time:
            out.seconds[s.step_key] = round(s.end_time - s.start_time, 2)
