"""Which stages are stale: those made of something else, and those whose files are not as they were made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines import stages as module
from pipelines.core import notes
from pipelines.core.home import Home
from pipelines.sources import decisions
from pipelines.stages import ORDER, Published, Stages
from pipelines.statistics.built import being_built, publish
from publish.release import store

DAY = date(2025, 12, 31)
SOME = load_contracts(only=["parking_lots"])
EVERY = set(ORDER)
AFTER_RECORDS = {"feedback", "statistics", "release"}


def _stages(home: Home, city: Path, contracts: Contracts = SOME, on: date = DAY, due_days: int = 15) -> Stages:
    return Stages(home, contracts, city, on, due_days)


def _made(tmp_path: Path) -> tuple[Home, Path]:
    """A home in which a run has made every stage, and the city's folder."""
    home, city = Home(tmp_path / "home").create(), tmp_path / "city"
    city.mkdir()
    (city / "city.yaml").write_text("a")
    home.table("city", "city").write_text("a")
    (home.archive / "received.jsonl").write_text("{}\n")
    (home.readings / "k.1.files.parquet").write_text("read")
    for schema, name in (("records", "parking_lots"), ("intake", "files"), ("intake", "tasks")):
        home.table(schema, name).write_text(name)
    (home.feedback / "unit").mkdir(parents=True)
    (home.feedback / "unit" / "a.xlsx").write_text("")
    (home.releases / "r").mkdir()
    (home.releases / "r" / "release.json").write_text("{}")
    store.switch(home, "r")
    being_built(home).write_text("warehouse")
    _run(home, city)
    return home, city


def _run(home: Home, city: Path) -> None:
    """Notes every stage, as a run does after making it."""
    s = _stages(home, city)
    for stage in ("city", "readings", "records", "feedback"):
        s.done(stage)
    if not being_built(home).exists():
        home.warehouse.rename(being_built(home))
    publish(home, DAY, s.fingerprint("statistics"), module.code("statistics"), s.sources())
    s.done("release", {"release": "r", "synthetic": True})


def _stale(home: Home, city: Path, **how: object) -> set[str]:
    s = _stages(home, city, **how)  # type: ignore[arg-type]
    return {stage for stage in ORDER if s.fresh(stage) is None}


def test_nothing_is_stale_after_a_run(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    assert _stale(home, city) == set() and _stages(home, city).all_fresh()
    assert Published(home).release_id == "r" and Published(home).report["synthetic"] is True


def test_nothing_is_fresh_before_the_first_run(tmp_path: Path) -> None:
    assert _stale(Home(tmp_path / "home").create(), tmp_path) == EVERY
    assert Published(Home(tmp_path / "home")).release_id is None


@pytest.mark.parametrize(
    ("asked", "stale"),
    [
        # Without a decision nothing of the records depends on the day.
        ({"on": date(2026, 1, 1)}, AFTER_RECORDS),
        ({"due_days": 20}, {"feedback", "release"}),
        ({"contracts": load_contracts(only=["parking_lots", "disposals"])}, EVERY - {"city"}),
    ],
)
def test_what_is_asked_otherwise_makes_stale_what_depends_on_it(
    tmp_path: Path, asked: dict[str, object], stale: set[str]
) -> None:
    home, city = _made(tmp_path)
    assert _stale(home, city, **asked) == stale


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("dbt_project", {"statistics"}),
        ("publish/release", {"release"}),
        ("pipelines/feedback", {"feedback", "release"}),
        ("pipelines/intake", EVERY - {"city", "statistics"}),
        ("publish/site", set()),
        ("pipelines/sample", set()),
    ],
)
def test_changed_code_makes_its_own_stages_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, stale: set[str]
) -> None:
    home, city = _made(tmp_path)
    real, key = module.code_of, module.key.key
    monkeypatch.setattr(module, "code_of", lambda *parts: real(*parts) + ("!" if changed in parts else ""))
    if changed == "pipelines/intake":
        monkeypatch.setattr(module.key, "key", lambda contracts: key(contracts) + "!")
    assert _stale(home, city) == stale


def _later(path: Path) -> None:
    s = path.stat()
    os.utime(path, ns=(s.st_atime_ns, s.st_mtime_ns + 1))


def _other(home: Home) -> None:
    (home.releases / "other").mkdir()
    store.switch(home, "other")


def _decide(home: Home) -> None:
    decisions.add(home, "figure", "x", "bureau", "原因")


NOTE = "statistics"
CHANGES: dict[str, tuple[Callable[[Home, Path], object], set[str]]] = {
    "a table written again": (lambda home, city: _later(home.table("records", "parking_lots")), {"records"}),
    "a table more": (lambda home, city: home.table("intake", "other").write_text(""), {"records"}),
    "the tasks gone": (lambda home, city: home.table("intake", "tasks").unlink(), {"feedback"}),
    "a receipt more": (
        lambda home, city: (home.archive / "received.jsonl").write_text("{}\n{}\n"),
        {"readings", "records"},
    ),
    "no ledger": (lambda home, city: (home.archive / "received.jsonl").unlink(), {"readings", "records"}),
    "a reading gone": (lambda home, city: (home.readings / "k.1.files.parquet").unlink(), {"readings"}),
    "a decision": (lambda home, city: _decide(home), {"records", "release"}),
    "the city's folder": (lambda home, city: (city / "city.yaml").write_text("b"), {"city", "records", "release"}),
    "a feedback file gone": (lambda home, city: (home.feedback / "unit" / "a.xlsx").unlink(), {"feedback"}),
    "a file of another beside the feedback": (
        lambda home, city: (home.feedback / "unit" / "~$a.xlsx").write_text(""),
        set(),
    ),
    "the release gone": (lambda home, city: shutil.rmtree(home.releases / "r"), {"release"}),
    "a file of the release gone": (lambda home, city: (home.releases / "r" / "release.json").unlink(), {"release"}),
    "a file of the release changed": (lambda home, city: _later(home.releases / "r" / "release.json"), {"release"}),
    "no current release": (lambda home, city: home.current.unlink(), {"release"}),
    "another release made current by hand": (lambda home, city: _other(home), {"release"}),
    "the warehouse gone": (lambda home, city: home.warehouse.unlink(), {"statistics", "release"}),
    "the warehouse changed": (lambda home, city: home.warehouse.write_text("ware"), {"statistics", "release"}),
    "half a note": (
        lambda home, city: (home.work / "stages" / "statistics.json").write_bytes(b'{"fingerprint": "\xe5'),
        {"statistics", "release"},
    ),
    "a note of zeros": (
        lambda home, city: (home.work / "stages" / "feedback.json").write_bytes(bytes(64)),
        {"feedback", "statistics"},
    ),
    "a note of another kind": (
        lambda home, city: (home.work / "stages" / "release.json").write_text("[]"),
        {"release"},
    ),
    "no note of it": (lambda home, city: (home.work / "stages" / "release.json").unlink(), {"release"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_stale(tmp_path: Path, change: str) -> None:
    home, city = _made(tmp_path)
    make, stale = CHANGES[change]
    make(home, city)
    assert _stale(home, city) == stale
    assert not _stages(home, city).all_fresh() or not stale


def test_a_stage_made_again_with_the_same_result_leaves_what_follows_fresh(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    (home.archive / "received.jsonl").write_text("{}\n{}\n")
    table = home.table("records", "parking_lots")
    table.write_bytes(table.read_bytes())
    for stage in ("readings", "records"):
        _stages(home, city).done(stage)
    assert _stale(home, city) == set()

    table.write_text("another row")
    _stages(home, city).done("records")
    assert _stale(home, city) == {"feedback", "statistics"}  # the release, once the warehouse is another


def test_only_the_date_is_of_the_city_beside_its_folder(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    one, two = _stages(home, city).sources(), _stages(home, city, on=date(2026, 1, 1)).sources()
    assert {name for name in one if one[name] != two[name]} == {"city/city"}
    read = {"city/city", "records/parking_lots", "intake/files", "intake/tasks"}
    assert set(one) == read | {"catalog/contracts", "catalog/columns"}


def test_a_table_in_several_files_has_one_version(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    folder = home.work / "records" / "disposals"
    folder.mkdir()
    (folder / "2024.parquet").write_text("a")
    note = _stages(home, city).done("records")
    (folder / "2025.parquet").write_text("b")
    again = _stages(home, city).done("records")
    before, after = module.tables_of(note), module.tables_of(again)
    assert {n for n in after if before.get(n) != after[n]} == {"records/disposals"}


def test_a_file_that_looks_the_same_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, city = _made(tmp_path)
    read: list[str] = []
    real = notes.sha256
    monkeypatch.setattr(notes, "sha256", lambda path: [read.append(path.name), real(path)][1])
    _later(home.table("intake", "files"))
    _stages(home, city).done("records")
    assert [name for name in read if name.endswith(".parquet")] == ["files.parquet"]


def test_a_full_run_keeps_nothing_that_can_be_made_anew(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    for name in ("parts/x", "suites", "disclosure/solved"):
        (home.work / name).mkdir(parents=True)
        (home.work / name / "kept").write_text("")
    (home.work / "disclosure" / "past.parquet").write_text("memory of past releases")
    _stages(home, city).forget()
    assert _stale(home, city) == EVERY and Published(home).release_id == "r"
    assert not list(home.work.rglob("kept")) and (home.work / "disclosure" / "past.parquet").is_file()


def test_a_release_that_was_rolled_back_from_is_fresh(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    _other(home)
    (home.releases / store.WITHDRAWN).write_text("r\n")
    assert _stale(home, city) == set()


@pytest.mark.parametrize(("has_sums", "seconds", "mended"), [(False, 9, True), (True, -9, True), (True, 9, False)])
def test_current_is_mended_unless_a_newer_release_was_put_there(
    tmp_path: Path, has_sums: bool, seconds: int, mended: bool
) -> None:
    """A newer one is a release that a person accepted."""
    home, _ = _made(tmp_path)
    _other(home)
    if has_sums:
        (home.releases / "other" / store.SUMS).write_text("")
    at = (home.releases / "r").stat().st_mtime_ns + seconds * 1_000_000_000
    os.utime(home.releases / "other", ns=(at, at))
    Published(home).mend_current()
    now = store.current(home)
    assert now is not None and now.name == ("r" if mended else "other")


def test_the_home_is_held_for_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first look to the last note nobody else gets in; the log of a run that is refused stays the other's."""
    import subprocess
    import sys

    from pipelines import run
    from pipelines.core.settings import Settings

    tried = []

    def another(*_: object) -> run.RunReport | None:
        code = "import sys; from pathlib import Path; from pipelines.core.home import Home\nwith Home(Path(sys.argv[1])).locked(): pass"
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(run.__file__).parents[1],
        )
        tried.append("HomeBusy" in done.stderr)
        return run.RunReport("r", "new") if len(tried) == 2 else None

    monkeypatch.setattr(run, "_nothing_to_do", another)
    monkeypatch.setattr(run, "_run", another)
    assert run.refresh(Settings(home=tmp_path, as_of="2025-12-31")).release == "r"
    assert tried == [True, True]
