"""Dagster on PostgreSQL, a run from its queue, and two workers: the release of one process, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import dagster as dg
import httpx
import pytest
import yaml

from pipelines.assets.described import POOL
from pipelines.core.home import Home
from pipelines.dagster_home import DATABASE, DagsterHomeError, use_dagster_home
from tests.conftest import ROOT, mingzhang
from tests.deploy.postgres import postgres
from tests.ports import free_ports
from tests.sources.servers import running

DAY = "2025-12-31"
BIN = Path(sys.executable).parent
RUNS = "{ runsOrError { ... on Runs { results { id status } } } }"
needs_driver = pytest.mark.skipif(
    find_spec("dagster_postgres") is None,
    reason="no dagster-postgres; type: make postgres",
)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Registers and meetings of a made-up city, and enough small files beside that there are several chunks."""
    assert mingzhang("sample", "--out", tmp_path / "city", "--orgs", "5").returncode == 0
    folder = tmp_path / "inbox"
    folder.mkdir()
    for path in (tmp_path / "city" / "inbox").glob("*/*"):
        if "名录" in path.name or "会议" in path.name:
            shutil.copy2(path, folder)
    for n in range(300):
        head = "机构名称,会议名称,会议类别,召开日期,会期（天）,参会人数,会议费（元）\n"
        (folder / f"会议{n}.csv").write_text(f"{head}市某局{n},会,三类,2024-03-01,1,{20 + n},1000\n", encoding="utf-8")
    return folder


@contextmanager
def service(log: Path, *command: str | Path, env: dict[str, str], says: str) -> Iterator[None]:
    """A process until the block is left; the block is entered when its log says this."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(c) for c in command], cwd=ROOT, env=os.environ | env, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + 300
        while says not in log.read_text(errors="replace"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(errors="replace")[-2000:]
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=30)


@dg.op(pool=POOL)
def work() -> None: ...


@dg.job
def lost() -> None:
    work()


def _lost_run(instance: dg.DagsterInstance) -> str:
    """A run that began and whose machine is gone, so that nobody ends it: its identifier. It may take one second."""
    instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)  # as after the first run of a home
    run = instance.create_run_for_job(lost, tags={"dagster/max_runtime": "1", "dagster/max_retries": "0"})
    began = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, lost.name)
    instance.report_dagster_event(began, run.run_id)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
    return run.run_id


@pytest.mark.slow
@pytest.mark.timeout(1800)  # two releases, of a minute each where nothing else runs
@needs_driver
def test_two_workers_and_a_queue_in_postgres_make_the_release_of_one_process(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The services of deploy/compose.yaml, as processes: a code server, the daemon, the page, two workers."""
    home, (port, page) = Home(tmp_path / "home").create(), free_ports(2)
    workspace = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))
    workspace["load_from"][0]["grpc_server"] |= {"host": "127.0.0.1", "port": port}
    (tmp_path / "workspace.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")
    with postgres() as url, ExitStack() as services:
        for name, value in {
            "MINGZHANG_HOME": str(home.root),
            "MINGZHANG_INBOX": str(inbox),
            "MINGZHANG_AS_OF": DAY,
            "MINGZHANG_PROCESSES": "1",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "300",  # a run's process starts slowly on a busy machine
            DATABASE: url,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DAGSTER_HOME", str(home.work / "dagster"))
        made = subprocess.run([sys.executable, "-m", "pipelines.dagster_home"], cwd=ROOT, check=False)
        assert made.returncode == 0
        for n in range(2):
            command = [sys.executable, "-u", "-m", "pipelines.cli", "worker"]
            services.enter_context(
                service(
                    tmp_path / f"worker{n}.log", *command, env={DATABASE: "", "MINGZHANG_INBOX": ""}, says="Waiting"
                )
            )
        code = [str(BIN / "dagster"), "code-server", "start", "-h", "127.0.0.1", "-p", str(port)]
        services.enter_context(running([*code, "-m", "pipelines.definitions"], port, tmp_path / "code.log", 300))
        with dg.DagsterInstance.get() as instance:
            gone = _lost_run(instance)
            launched = subprocess.run(
                [BIN / "dagster", "job", "launch", "-w", tmp_path / "workspace.yaml", "-j", "refresh"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert launched.returncode == 0, launched.stderr
            (run,) = instance.get_runs(dg.RunsFilter(job_name="refresh"))
            assert run.status == dg.DagsterRunStatus.QUEUED
            daemon = [BIN / "dagster-daemon", "run", "-w", tmp_path / "workspace.yaml"]
            services.enter_context(
                service(
                    tmp_path / "daemon.log", *daemon, env={"MINGZHANG_HOME": "/nowhere"}, says="Instance is configured"
                )
            )
            webserver = [str(BIN / "dagster-webserver"), "-h", "127.0.0.1", "-p", str(page)]
            services.enter_context(
                running([*webserver, "-w", str(tmp_path / "workspace.yaml")], page, tmp_path / "page.log", 300)
            )
            run = _ended(instance, run.run_id, 1200)
            said = instance.get_latest_materialization_event(dg.AssetKey("readings"))
            assert run.is_success, _errors(instance, run.run_id)
            assert _ended(instance, gone, 1).status == dg.DagsterRunStatus.FAILURE
            waited, held = (instance.get_run_record_by_id(i) for i in (run.run_id, gone))
            assert waited and held and waited.start_time and held.end_time and waited.start_time >= held.end_time
        runs = httpx.post(f"http://127.0.0.1:{page}/graphql", json={"query": RUNS}, timeout=60).json()["data"]
        assert {r["id"]: r["status"] for r in runs["runsOrError"]["results"]} == {
            run.run_id: "SUCCESS",
            gone: "FAILURE",
        }
        assert said and said.asset_materialization
        read_by = said.asset_materialization.metadata["read_by"].value
        assert isinstance(read_by, dict) and len(read_by) >= 2, read_by  # a worker had a share
        assert not list((home.work / "dagster").rglob("runs.db"))  # the runs are in PostgreSQL
    monkeypatch.delenv(DATABASE)
    alone = mingzhang("run", "--home", tmp_path / "alone", "--inbox", inbox, "--as-of", DAY, "--json")
    assert alone.returncode == 0, alone.stderr
    sums = [h / "current" / "SHA256SUMS" for h in (tmp_path / "alone", home.root)]
    assert sums[0].read_bytes() == sums[1].read_bytes()
    shutil.rmtree(tmp_path, ignore_errors=True)


def _ended(instance: dg.DagsterInstance, run_id: str, seconds: float) -> dg.DagsterRun:
    until = time.monotonic() + seconds
    while True:
        run = instance.get_run_by_id(run_id)
        assert run
        if run.is_finished:
            return run
        assert time.monotonic() < until, f"{run.status}"
        time.sleep(0.5)


def _errors(instance: dg.DagsterInstance, run_id: str) -> str:
    return "\n".join(e.user_message for e in instance.all_logs(run_id))[-3000:]


def test_settings_that_keep_runs_elsewhere_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path).create()
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv(DATABASE, raising=False)
    use_dagster_home(home)
    settings = home.work / "dagster" / "dagster.yaml"
    assert "storage:" not in settings.read_text(encoding="utf-8")
    monkeypatch.setenv(DATABASE, "postgresql://user:word@host/name")
    with pytest.raises(DagsterHomeError, match=r"must begin with postgresql\+psycopg2://") as refused:
        use_dagster_home(home)
    assert "word" not in str(refused.value)
    monkeypatch.setenv(DATABASE, "postgresql+psycopg2://user:word@host/name")
    with pytest.raises(DagsterHomeError, match="keeps Dagster's runs elsewhere"):
        use_dagster_home(home)
    settings.unlink()
    use_dagster_home(home)
    assert yaml.safe_load(settings.read_text(encoding="utf-8"))["storage"] == {
        "postgres": {"postgres_url": {"env": DATABASE}}
    }
    assert "word" not in settings.read_text(encoding="utf-8")
    monkeypatch.delenv(DATABASE)
    with pytest.raises(DagsterHomeError, match=f"{DATABASE} is not set"):
        use_dagster_home(home)


def test_the_documentation_has_what_is_written_into_new_settings() -> None:
    from pipelines.dagster_home import IN_POSTGRES

    for page in ("docs/dagster.md", "docs/zh/dagster.md"):
        assert IN_POSTGRES in (ROOT / page).read_text(encoding="utf-8")
