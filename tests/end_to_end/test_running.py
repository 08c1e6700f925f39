"""Only a whole run publishes; whatever else is launched, interrupted or changed by hand leaves the last release, or is mended."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import psutil
import pytest

from pipelines.assets.place import place_of
from pipelines.core.home import Home
from pipelines.core.settings import Settings
from pipelines.dagster_home import use_dagster_home
from pipelines.graph import make_definitions
from pipelines.run import end_dead_runs
from publish.release import store
from tests.conftest import ROOT, mingzhang

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("running")]

DAY = "2025-12-31"
# Would change what dbt does, or keep it silent, if it reached it.
OF_DBT = {"DBT_QUIET": "1", "DBT_TARGET": "prod", "DBT_LOG_FORMAT": "text", "DBT_SELECT": "nothing"}
OWN_SETTINGS = "telemetry: {enabled: false}\nrun_queue: {max_concurrent_runs: 3}\n"


@dataclass(frozen=True)
class City:
    """A home with a release, the inbox it came from, and what the run reported."""

    home: Home
    inbox: Path
    report: dict[str, Any]

    @property
    def state(self) -> tuple[str, str]:
        """What stands: the bytes of the warehouse and the current release."""
        return hashlib.sha256(self.home.warehouse.read_bytes()).hexdigest(), str(self.home.current.readlink())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Registers and meetings of a made-up city, run once in a folder whose name is awkward, amid settings of dbt."""
    base = tmp_path_factory.mktemp("b{x} it's")
    assert mingzhang("sample", "--out", base / "city", "--orgs", "8").returncode == 0
    inbox = base / "inbox"
    inbox.mkdir()
    for path in (base / "city" / "inbox").glob("*/*"):
        if "名录" in path.name or "会议" in path.name:
            shutil.copy2(path, inbox)
    home = Home(base / "home").create()
    (home.work / "dagster").mkdir()
    (home.work / "dagster" / "dagster.yaml").write_text(OWN_SETTINGS, encoding="utf-8")
    ran = mingzhang("run", "--home", home.root, "--inbox", inbox, "--as-of", DAY, "--json", env=OF_DBT)
    assert ran.returncode == 0, ran.stderr
    return City(home, inbox, json.loads(ran.stdout))


@pytest.fixture
def city(made: City, tmp_path: Path) -> City:
    """The same, of the test's own."""
    shutil.copytree(made.home.root, tmp_path / "home", symlinks=True)
    return City(Home(tmp_path / "home"), made.inbox, made.report)


def launch(city: City, *assets: str, **settings: Any) -> tuple[dg.ExecuteInProcessResult, str]:
    """Launches the job `refresh`, or these assets of it, as Dagster's page does. Returns its result and its errors."""
    asked = Settings().model_copy(update={"home": city.home.root, "inbox": [str(city.inbox)], "as_of": DAY, **settings})
    use_dagster_home(city.home)
    with dg.DagsterInstance.get() as instance:
        result = (
            make_definitions(place_of(asked))
            .resolve_job_def("refresh")
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(a.split("/")) for a in assets] or None,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        )
    errors = [e.step_failure_data.error for e in result.all_events if e.is_step_failure]
    return result, " ".join(str(e.cause.message if e and e.cause else e) for e in errors)


def test_settings_of_dbt_do_not_reach_a_run_nor_do_braces_in_a_path(made: City) -> None:
    assert made.report["release"] == store.current(made.home).name  # type: ignore[union-attr]
    assert made.report["release_state"] == "new"
    with duckdb.connect(str(made.home.warehouse), read_only=True) as con:
        values = con.execute("select count(*) from marts.indicator_values where value is not null").fetchone()
    assert values and values[0] > 0


def test_dagsters_own_settings_are_written_once(made: City) -> None:
    assert (made.home.work / "dagster" / "dagster.yaml").read_text(encoding="utf-8") == OWN_SETTINGS


def _seen_stale(city: City) -> set[str]:
    """The assets that Dagster's page calls stale, or never made."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
    from dagster._core.loader import LoadingContextForTest

    use_dagster_home(city.home)
    asked = Settings().model_copy(update={"home": city.home.root, "inbox": [str(city.inbox)], "as_of": DAY})
    graph = make_definitions(place_of(asked)).resolve_asset_graph()
    with dg.DagsterInstance.get() as instance:
        seen = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {k.to_user_string() for k in graph.materializable_asset_keys if seen.get_status(k) != StaleStatus.FRESH}


def test_dagster_sees_what_is_stale(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _seen_stale(city) == set()
    from pipelines.assets import records, release

    for module in (records, release):
        monkeypatch.setattr(module, "code", lambda stage: f"another {stage}")
    stale = _seen_stale(city)
    assert {"records/meetings", "intake/files", "release"} <= stale and not stale & {
        "readings",
        "received",
        "contracts",
    }


def test_one_file_more_makes_anew_what_rests_on_it_alone(city: City, tmp_path: Path) -> None:
    """The warehouse and the public rows are those of a run over everything in a new home."""
    inbox = tmp_path / "inbox"
    shutil.copytree(city.inbox, inbox)
    first = next(p for p in sorted(inbox.iterdir()) if "会议" in p.name)
    kept = first.rename(tmp_path / first.name)
    homes = {"step by step": tmp_path / "steps", "at once": tmp_path / "once"}
    run = ("--inbox", inbox, "--as-of", DAY)
    assert mingzhang("run", "--home", homes["step by step"], *run).returncode == 0
    shutil.copy2(kept, inbox / kept.name)
    assert mingzhang("run", "--home", homes["step by step"], *run).returncode == 0
    made = json.loads((homes["step by step"] / "work/dbt/target/run_results.json").read_text(encoding="utf-8"))[
        "results"
    ]
    assert mingzhang("run", "--home", homes["at once"], *run).returncode == 0
    every = json.loads((homes["at once"] / "work/dbt/target/run_results.json").read_text(encoding="utf-8"))["results"]
    models = {r["unique_id"] for r in made if r["unique_id"].startswith("model.")}
    assert "model.mingzhang.int_governance_facts" in models and "model.mingzhang.int_vehicle_facts" not in models
    assert len(made) < len(every) / 2
    released = [sorted((h / "current" / "csv").glob("*.csv")) for h in homes.values()]
    assert len(released[0]) == len(released[1]) > 10
    for one, other in zip(*released, strict=True):
        assert one.name == "releases.csv" or one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.parametrize("asset", ["staging/stg_meetings", "marts/claims"])
def test_a_part_of_the_statistics_is_built_on_a_copy(city: City, asset: str) -> None:
    before = city.state
    result, errors = launch(city, asset)
    assert result.success, errors
    assert [e.asset_key.to_user_string() for e in result.get_asset_materialization_events() if e.asset_key] == [asset]
    assert city.state == before
    with duckdb.connect(str(city.home.work / "trial" / "warehouse.duckdb"), read_only=True) as con:
        schemas = {s for (s,) in con.execute("select distinct table_schema from information_schema.tables").fetchall()}
    assert {"seeds", "staging", "intermediate", "marts", "records", "intake"} <= schemas


def test_one_dataset_alone_changes_nothing_public(city: City) -> None:
    before = city.state
    result, errors = launch(city, "records/meetings")
    assert result.success, errors
    assert city.state == before


def test_a_release_alone_is_made_of_a_whole_warehouse(city: City) -> None:
    before = city.state
    result, errors = launch(city, "release")
    assert result.success, errors
    assert city.state == before


def _gut(home: Home) -> None:
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("drop schema marts cascade")
        con.execute("drop schema intermediate cascade")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_gut, "was changed, or only in part built"),
        (lambda home: home.warehouse.unlink(), "is not there"),
        (lambda home: (home.work / "stages" / "statistics.json").unlink(), "was changed, or only in part built"),
    ],
)
def test_a_release_of_anything_else_is_refused(city: City, change: Callable[[Home], object], sentence: str) -> None:
    released = str(city.home.current.readlink())
    change(city.home)
    result, errors = launch(city, "release")
    assert not result.success and sentence in errors and "the last release stands" in errors
    assert str(city.home.current.readlink()) == released and len(store.listed(city.home)) == 1

    result, errors = launch(city, "marts/claims")
    assert not result.success and "this home has none" in errors


def test_a_release_of_another_day_than_the_warehouse_is_refused(city: City) -> None:
    before = city.state
    result, errors = launch(city, "release", as_of="2026-01-01")
    assert not result.success and f"The warehouse speaks of {DAY} and this run of 2026-01-01" in errors
    assert city.state == before


def test_a_run_mends_what_was_changed_by_hand(city: City) -> None:
    _, released = city.state
    (city.home.releases / "2025-12-31-00000000").mkdir()
    store.switch(city.home, "2025-12-31-00000000")
    _gut(city.home)
    (city.home.root / released / "mingzhang.db").unlink()
    ran = mingzhang("run", "--home", city.home.root, "--inbox", city.inbox, "--as-of", DAY, "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["release"] == Path(released).name
    assert str(city.home.current.readlink()) == released
    assert store.verify(city.home, "current") == []
    with duckdb.connect(str(city.home.warehouse), read_only=True) as con:
        assert con.execute("select count(*) from marts.claims").fetchone() != (0,)


def test_a_new_home_without_a_file_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for inboxes, status, sentence in (
        ((), 2, "No inbox is given, so nothing was published; give --inbox, or set MINGZHANG_INBOX."),
        (
            ("--inbox", tmp_path / "empty"),
            1,
            f"No file lies in the inbox {tmp_path / 'empty'}, so nothing was published",
        ),
    ):
        ran = mingzhang("run", "--home", tmp_path / "home", *inboxes, env={"MINGZHANG_INBOX": ""})
        assert ran.returncode == status
        assert ran.stderr.startswith(f"mingzhang: {sentence}") and ran.stderr.count("\n") == 1
        assert not (tmp_path / "home" / "current").exists()
    nothing = City(Home(tmp_path / "home"), tmp_path / "empty", {})
    result, errors = launch(nothing)
    assert not result.success and "so nothing was published" in errors
    assert list(nothing.home.releases.iterdir()) == []


@pytest.mark.parametrize("day", [DAY, "2026-01-01"])
def test_an_empty_inbox_leaves_the_last_release(city: City, tmp_path: Path, day: str) -> None:
    before = city.state
    (tmp_path / "empty").mkdir()
    ran = mingzhang("run", "--home", city.home.root, "--inbox", tmp_path / "empty", "--as-of", day, "--json")
    assert ran.returncode == 0
    assert ran.stderr.startswith(
        f"mingzhang: No file lies in the inbox {tmp_path / 'empty'}, and files came from there before"
    )
    report = json.loads(ran.stdout)
    assert (report["release"], report["release_state"]) == (city.report["release"], "unchanged")
    assert city.state == before


@pytest.fixture
def running(city: City) -> Iterator[subprocess.Popen[str]]:
    """A run of another day than the release's, so that every stage has work."""
    command = [sys.executable, "-m", "pipelines.cli", "run", "--home", str(city.home.root)]
    with subprocess.Popen(
        [*command, "--inbox", str(city.inbox), "--as-of", "2026-01-01"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    ) as process:
        yield process
        process.kill()


def _dbt(process: psutil.Process) -> bool:
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "dbt" in " ".join(child.cmdline()):
                return True
    return False


STAGES: dict[str, Callable[[Home, psutil.Process], bool]] = {
    "before Dagster": lambda home, process: (home.work / "lock").read_text() == str(process.pid),
    "dbt": lambda home, process: _dbt(process),
    "release": lambda home, process: any(home.releases.glob(".building-*")),
}


def _wait(stage: str, home: Home, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Waits until the run is at this stage; returns the processes it started."""
    known = psutil.Process(process.pid)
    until = time.monotonic() + 400
    while not STAGES[stage](home, known):
        assert process.poll() is None and time.monotonic() < until, f"the run never came to {stage}"
        time.sleep(0.05)
    return known.children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_is_stopped_says_one_sentence(
    city: City, running: subprocess.Popen[str], stage: str, number: signal.Signals
) -> None:
    before = city.state
    children = _wait(stage, city.home, running)
    running.send_signal(number)
    printed, told = running.communicate(timeout=120)
    assert (running.returncode, told) == (1, "mingzhang: Stopped; the last release is untouched.\n")
    assert printed == ""
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not [c for c in alive if c.is_running() and c.status() != psutil.STATUS_ZOMBIE]
    assert str(city.home.current.readlink()) == before[1]
    assert not list(city.home.releases.glob(".building-*"))


def test_a_run_that_was_killed_does_not_stay_started(city: City, running: subprocess.Popen[str]) -> None:
    _wait("dbt", city.home, running)
    use_dagster_home(city.home)
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(limit=1)
        assert run.status == dg.DagsterRunStatus.STARTED
        running.kill()
        running.wait()
        end_dead_runs(city.home)
        again = instance.get_run_by_id(run.run_id)
    assert again is not None and again.status == dg.DagsterRunStatus.FAILURE
