"""Dagster as an engineer uses it: any asset alone, partitions, what is stale, what each table says of itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from pipelines.assets.place import place_of
from pipelines.assets.sensors import check_of, source_sensor
from pipelines.assets.years import KEY
from pipelines.core.home import Home
from pipelines.core.settings import Settings
from pipelines.dagster_home import use_dagster_home
from pipelines.graph import make_definitions
from tests.conftest import ROOT, mingzhang
from tests.end_to_end.test_running import DAY, City, city, launch, made  # noqa: F401 (fixtures)
from tests.test_alerts import robot

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("running")]


def definitions(city: City) -> dg.Definitions:  # noqa: F811
    asked = Settings().model_copy(update={"home": city.home.root, "inbox": [str(city.inbox)], "as_of": DAY})
    return make_definitions(place_of(asked))


@pytest.fixture(scope="module")
def of_nothing(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The definitions of a new home with an inbox."""
    base = tmp_path_factory.mktemp("nothing")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # what Dagster calls beta may change under an engineer's feet
        return make_definitions(place_of(Settings(home=base / "home", inbox=[str(base / "inbox")])))


def test_every_asset_says_whose_it_is_and_what(of_nothing: dg.Definitions) -> None:
    specs = of_nothing.resolve_all_asset_specs()
    made_here = [s for s in specs if s.key in of_nothing.resolve_asset_graph().materializable_asset_keys]
    assert len(made_here) == len(specs) > 150  # nothing in the graph is a stub
    for spec in specs:
        assert spec.owners and spec.group_name != "default" and spec.kinds and spec.description, spec.key
        assert "dbt model" not in str(spec.description), spec.key
    by_key = {s.key.to_user_string(): s for s in specs}
    energy = by_key["records/energy_use"]
    assert str(energy.description).startswith("能源资源消费状况 Monthly energy and water use")
    assert energy.owners == ["team:government-offices-administration"]
    columns = energy.metadata["dagster/column_schema"].columns
    (electricity,) = [c for c in columns if c.name == "electricity"]
    assert (
        electricity.type == "decimal" and not electricity.constraints.nullable and "用电量" in electricity.description
    )
    late = energy.freshness_policy
    assert (late.fail_window.to_timedelta().days, late.warn_window.to_timedelta().days) == (31 + 90, 31)
    assert (
        by_key["records/disposals"].tags["frequency"] == "event"
        and by_key["records/disposals"].freshness_policy is None
    )


def test_what_must_hold_blocks_what_comes_after_it(of_nothing: dg.Definitions) -> None:
    graph = of_nothing.resolve_asset_graph()
    blocking = {k.name for k in graph.asset_check_keys if graph.get(k).blocking}
    assert {"gates", "account", "indicators_kind_and_better_are_known"} <= blocking
    assert "contract" not in blocking  # a row that breaks a contract is in quarantine already


def test_dagster_finds_nothing_wrong_with_the_definitions(tmp_path: Path) -> None:
    ran = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "/usr/bin:/bin", "MINGZHANG_HOME": str(tmp_path), "MINGZHANG_INBOX": "/nowhere\nsftp://host/a"},
    )
    assert ran.returncode == 0, ran.stderr
    assert "All code locations passed validation" in ran.stderr + ran.stdout
    warned = [line for line in ran.stderr.splitlines() if "Warning" in line]
    # The command's own, about its successor `dg check defs`.
    assert [w for w in warned if "definitions_validate_command" not in w] == [] and "ERROR" not in ran.stderr


def test_dg_finds_nothing_wrong_either(tmp_path: Path) -> None:
    """`dg check`: the project's own table in pyproject.toml, and the definitions it leads to."""
    bin_ = Path(sys.executable).parent
    env = {"PATH": f"{bin_}:/usr/bin:/bin", "VIRTUAL_ENV": str(bin_.parent), "HOME": str(tmp_path)}
    env |= {"MINGZHANG_HOME": str(tmp_path / "home"), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    for what, said in (
        ("toml", "All TOML configuration files are valid"),
        ("defs", "All definitions loaded successfully"),
    ):
        ran = subprocess.run(
            [bin_ / "dg", "check", what], cwd=ROOT, capture_output=True, text=True, timeout=300, env=env
        )
        assert ran.returncode == 0 and said in ran.stdout + ran.stderr, ran.stdout + ran.stderr
        assert "does not match" not in ran.stderr  # of environments: then something else was checked


@pytest.mark.parametrize(
    "asset",
    ["contracts", "city/city", "received", "readings", "records/meetings", "intake/issues", "drift", "intake/tasks"],
)
def test_any_asset_is_made_by_itself(city: City, asset: str) -> None:  # noqa: F811
    before = city.state
    result, errors = launch(city, asset)
    assert result.success, errors
    assert _made(result) == [asset]
    assert city.state == before


def _made(result: dg.ExecuteInProcessResult) -> list[str]:
    """What a run made; the years it tells of besides are left out."""
    keys = [e.asset_key for e in result.get_asset_materialization_events() if e.asset_key]
    return [k.to_user_string() for k in keys if k != KEY]


def test_options_of_a_run_are_set_one_by_one(city: City) -> None:  # noqa: F811
    use_dagster_home(city.home)
    job = definitions(city).resolve_job_def("refresh")
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("readings")],
            run_config={"resources": {"place": {"config": {"full": True}}}},
        )
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["read"].value == city.report["files"]["read"] > 0


def _years(instance: dg.DagsterInstance) -> set[str]:
    return {str(k) for k in instance.get_materialized_partitions(KEY)}


@pytest.mark.parametrize("dataset", ["meetings", "institutions"])
def test_each_dataset_and_year_is_a_partition_that_a_backfill_judges_again(city: City, dataset: str) -> None:  # noqa: F811
    files = sorted((city.home.work / "records").glob("*/*.parquet"))
    year = max(p.stem for p in files if p.parent.name == dataset)
    use_dagster_home(city.home)
    before = city.state
    suites = {p.name: p.stat().st_mtime_ns for p in (city.home.work / "suites").iterdir()}
    with dg.DagsterInstance.get() as instance:
        assert _years(instance) == {f"{p.parent.name}|{p.stem}" for p in files}
        result = (
            definitions(city)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                instance=instance,
                asset_selection=[KEY],
                partition_key=dg.MultiPartitionKey({"dataset": dataset, "year": year}),
            )
        )
    event = result.get_asset_materialization_events()[-1]
    assert _made(result) == [] and event.partition == f"{dataset}|{year}"
    rows = pq.read_metadata(city.home.records(dataset) / f"{year}.parquet").num_rows
    assert event.materialization.metadata["dagster/partition_row_count"].value == rows > 0
    after = {p.name: p.stat().st_mtime_ns for p in (city.home.work / "suites").iterdir()}
    of_year = {f"{dataset}-{year}.parquet"} & set(suites) or {n for n in suites if n.startswith(f"{dataset}-")}
    assert {n for n in after if after[n] != suites.get(n)} == of_year
    assert city.state == before


def _events(city: City) -> dict[str, Any]:  # noqa: F811
    use_dagster_home(city.home)
    with dg.DagsterInstance.get() as instance:
        keys = [s.key for s in definitions(city).resolve_all_asset_specs()]
        found = {k.to_user_string(): instance.get_latest_materialization_event(k) for k in keys}
    return {k: e.asset_materialization.metadata for k, e in found.items() if e and e.asset_materialization}


def test_every_table_tells_its_rows(city: City) -> None:  # noqa: F811
    told = _events(city)
    with duckdb.connect(str(city.home.warehouse), read_only=True) as con:
        tables = con.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_schema in ('marts', 'intermediate', 'seeds')"
        ).fetchall()
        assert len(tables) > 40
        for schema, name in tables:
            (rows,) = con.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0]
            key = name if schema == "seeds" else f"{schema}/{name}"
            found = told.get(key, told.get(f"{schema}/{name}", {}))
            assert found["dagster/row_count"].value == rows, name
    meetings = told["records/meetings"]
    files = list(city.home.records("meetings").glob("*.parquet"))
    assert meetings["dagster/row_count"].value == sum(pq.read_metadata(f).num_rows for f in files)
    assert meetings["bytes"].value == sum(f.stat().st_size for f in files)
    assert meetings["files"].value > 0 and isinstance(meetings["issues"].value, dict)
    columns = {c.name: c.type for c in told["staging/stg_meetings"]["dagster/column_schema"].value.columns}
    assert columns["held_on"] == "DATE" and columns["sheet_row"] == "BIGINT"


def test_every_column_of_a_model_tells_what_it_is_computed_from(city: City) -> None:  # noqa: F811
    told = _events(city)
    specs = {s.key: s for s in definitions(city).resolve_all_asset_specs()}
    models = [k for k in specs if k.path[0] in ("staging", "intermediate", "marts")]
    assert len(models) > 100
    columns = {
        k: {c.name for c in m["dagster/column_schema"].value.columns}
        for k, m in told.items()
        if "dagster/column_schema" in m
    }
    for key in models:
        found = told[key.to_user_string()]["dagster/column_lineage"].value.deps_by_column
        assert found, key
        for column, sources in found.items():
            for source in sources:
                assert source.asset_key in specs, (key, column, source)
                assert source.asset_key in {d.asset_key for d in specs[key].deps}, (key, column, source)
                known = columns.get(source.asset_key.to_user_string())
                assert known is None or source.column_name in known, (key, column, source)
    value = told["marts/indicator_values"]["dagster/column_lineage"].value.deps_by_column["value"]
    assert dg.TableColumnDep(dg.AssetKey(["intermediate", "int_indicator_values"]), "value") in value


def _requested(city: City, cursor: Any = None) -> tuple[set[str], Any]:  # noqa: F811
    use_dagster_home(city.home)
    with dg.DagsterInstance.get() as instance:
        result = dg.evaluate_automation_conditions(definitions(city), instance, cursor=cursor)
    asked = {r.key.to_user_string() for r in result.results if isinstance(r.key, dg.AssetKey) and r.true_subset.size}
    return asked, result.cursor


@pytest.mark.filterwarnings("ignore:Parameter `include_sources`")  # Dagster's evaluation warns of its own call
def test_only_what_is_stale_is_asked_for(city: City, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    asked, cursor = _requested(city)
    assert asked == set()
    from pipelines.assets import feedback, records

    monkeypatch.setattr(records, "code", lambda stage: f"another {stage}")
    asked, cursor = _requested(city, cursor)
    assert {"records/meetings", "staging/stg_meetings", "marts/claims", "release", "drift"} <= asked
    assert not asked & {"received", "readings", "contracts", "seeds/seed_units", KEY.to_user_string()}
    assert feedback.code("feedback")  # its own code is the same


@pytest.mark.timeout(1800)  # two runs
def test_a_part_that_has_all_that_rests_on_what_changed_is_a_whole_run(city: City, tmp_path: Path) -> None:  # noqa: F811
    inbox = tmp_path / "inbox"
    shutil.copytree(city.inbox, inbox)
    more = City(city.home, inbox, city.report)
    result, errors = launch(more, full=True)  # a copy of a home is made anew in its own folder
    assert result.success, errors
    sheet = next(p for p in sorted(inbox.iterdir()) if "会议" in p.name and p.suffix == ".xlsx")
    book = openpyxl.load_workbook(sheet)
    book.worksheets[0].delete_rows(book.worksheets[0].max_row - 2)
    book.save(sheet)
    released = str(city.home.current.readlink())
    before = city.state[0]
    result, errors = launch(more, "received", "readings", "records/meetings", "intake/files", "intake/sheets")
    assert result.success, errors
    stale = sorted(
        s.key.to_user_string()
        for s in definitions(more).resolve_all_asset_specs()
        if s.group_name in ("staging", "intermediate", "marts")
    )
    worst = next(p for p in (more.home.feedback).rglob("*.xlsx"))
    worst.unlink()  # marked anew, and told of
    result, errors = launch(more, "feedback", "drift", "intake/tasks", *stale)
    assert result.success, errors
    [told] = [m for m in result.asset_materializations_for_node("feedback") if m.asset_key.path == ["feedback"]]
    marked = [r.data["path"] for r in told.metadata["marked_files"].records]  # type: ignore[union-attr]
    assert str(worst) in marked and all(Path(p).is_file() for p in marked)
    assert city.state[0] != before and str(city.home.current.readlink()) == released
    result, errors = launch(more, "release")
    assert result.success or "held" in errors, errors


def test_a_sensor_waits_until_files_stand_still_and_asks_once(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_text("a", encoding="utf-8")
    refresh = dg.define_asset_job("refresh")
    with dg.DagsterInstance.ephemeral() as instance:
        sensor, cursor = source_sensor(str(inbox), refresh), None

        def look() -> tuple[list[Any], str | None]:
            nonlocal cursor
            with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
                found = sensor.evaluate_tick(context)
            cursor = found.cursor
            return list(found.run_requests or []), found.skip_message

        assert look()[0] == []
        (inbox / "a.csv").write_text("a whole file", encoding="utf-8")  # it is still being copied
        requests, said = look()
        assert requests == [] and "until they stand still" in str(said)
        (request,) = look()[0]
        assert request.run_key
        assert "Nothing new among 1 files" in str(look()[1])
        (inbox / "b.csv").write_text("b", encoding="utf-8")
        assert look()[0] == []
        (again,) = look()[0]
        assert again.run_key != request.run_key


def test_a_source_that_is_down_fails_its_tick_and_its_check(tmp_path: Path) -> None:
    inbox = f"sftp://127.0.0.1:1{tmp_path}"
    key = dg.AssetCheckKey(dg.AssetKey("received"), check_of(inbox))
    with dg.DagsterInstance.ephemeral() as instance:
        with dg.build_sensor_context(instance=instance) as context, pytest.raises(Exception, match="cannot be"):
            source_sensor(inbox, dg.define_asset_job("refresh")).evaluate_tick(context)
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert record.event is not None
        evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
        assert not evaluation.passed and "cannot be reached" in evaluation.metadata["why"].value


def test_a_source_that_is_down_fails_its_check_in_a_run(city: City, tmp_path: Path) -> None:  # noqa: F811
    down = f"sftp://127.0.0.1:1{tmp_path}"
    result, errors = launch(city, "received", inbox=[str(city.inbox), down])
    assert result.success, errors
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert checks[check_of(str(city.inbox))].passed
    assert not checks[check_of(down)].passed and "cannot be reached" in str(
        checks[check_of(down)].metadata["why"].value
    )
    result, errors = launch(city, "received", inbox=[down])
    assert not result.success and "cannot be reached" in errors
    (failed,) = [c for c in result.get_asset_check_evaluations() if c.check_name == check_of(down)]
    assert not failed.passed


def test_dagster_keeps_one_run_at_a_time(tmp_path: Path) -> None:
    """What the second of two runs does: it waits in Dagster's queue, and does not fail at the lock."""
    home = Home(tmp_path).create()
    use_dagster_home(home)
    with dg.DagsterInstance.get() as instance:
        pools = instance.get_concurrency_config().pool_config
        assert (pools.default_pool_limit, str(pools.pool_granularity)) == (1, "PoolGranularity.RUN")
        assert instance.run_retries_enabled
    graph = make_definitions(place_of(Settings(home=tmp_path))).resolve_asset_graph()
    assert {tuple(graph.get(k).pools or ()) for k in graph.materializable_asset_keys} == {("home",)}


def test_the_last_report_is_a_page(city: City) -> None:  # noqa: F811
    printed = mingzhang("report", "--home", city.home.root)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith(f"# 运行报告 Run report: {city.report['release']}")
    assert f"| accepted | {city.report['rows']['accepted']:,} |" in printed.stdout
    for code, count in city.report["issues"].items():
        assert f"| {code} |" in printed.stdout and f" {count:,} |" in printed.stdout
    assert "computed from made-up data" in printed.stdout
    none = mingzhang("report", "--home", city.home.root / "none")
    assert none.returncode == 1 and none.stderr.startswith("mingzhang: No run of ")


def test_a_service_gets_its_log_as_lines_of_json(city: City, tmp_path: Path) -> None:  # noqa: F811
    down = f"sftp://127.0.0.1:1{tmp_path}"
    run = ("run", "--home", city.home.root, "--inbox", city.inbox, "--inbox", down, "--as-of", DAY)
    ran = mingzhang(*run, env={"MINGZHANG_LOG": "json"})
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert ran.returncode == 1 and all(line["at"].endswith("+00:00") for line in lines)
    assert next(line["message"] for line in lines if line["level"] == "warning").startswith(f"The inbox {down}")
    ran = mingzhang("run", "--home", tmp_path / "new", env={"MINGZHANG_LOG": "json", "MINGZHANG_INBOX": ""})
    (line,) = [json.loads(line) for line in ran.stderr.splitlines()]
    assert ran.returncode == 2 and line["level"] == "error" and line["message"].startswith("No inbox is given")


def test_a_run_that_fails_sends_an_alert(tmp_path: Path) -> None:
    with robot() as (address, got):
        env = {"MINGZHANG_ALERT_WEBHOOK": address, "MINGZHANG_ALERT_FORM": "wecom", "MINGZHANG_INBOX": ""}
        ran = mingzhang("run", "--home", tmp_path / "home", env=env)
    assert ran.returncode == 2 and ran.stderr.count("\n") == 1
    ((_, posted),) = got
    assert "运行失败" in posted["markdown"]["content"] and "No inbox is given" in posted["markdown"]["content"]
    ran = mingzhang(
        "run", "--home", tmp_path / "home", env={**env, "MINGZHANG_ALERT_WEBHOOK": "http://127.0.0.1:1/x?key=k7"}
    )
    assert ran.returncode == 2 and "could not be sent by the webhook" in ran.stderr and "k7" not in ran.stderr
