"""A release stands only where nothing that it was made of looks otherwise, and all that came of it is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.standing import Standing
from pipelines.statistics.built import being_built, publish
from publish.release import store

DAY = date(2025, 12, 31)
SOME = load_contracts(only=["parking_lots"])


def _made(tmp_path: Path) -> tuple[Home, Path]:
    """A home in which a run has published a release, and the city's folder."""
    home, city = Home(tmp_path / "home").create(), tmp_path / "city"
    city.mkdir()
    (city / "city.yaml").write_text("a")
    for schema, name in (("records", "parking_lots"), ("intake", "files")):
        home.table(schema, name).write_text(name)
    (home.archive / "received.jsonl").write_text("{}\n")
    (home.releases / "r").mkdir()
    (home.releases / "r" / "release.json").write_text("{}")
    store.switch(home, "r")
    (home.feedback / "unit").mkdir(parents=True)
    (home.feedback / "unit" / "a.xlsx").write_text("")
    (home.feedback / ".manifest.json").write_text('{"unit/a.xlsx": "key"}')
    standing = Standing(home)
    made_of = standing.made_of(city, SOME, DAY)
    being_built(home).write_text("warehouse")
    publish(home, DAY, made_of)
    report = {"release": "r", "synthetic": True}
    standing.write(city, SOME, made_of, "r", standing.looks_of(city, SOME, DAY, 15), report)
    return home, city


def _stands(home: Home, city: Path, contracts: Contracts = SOME, on: date = DAY, due_days: int = 15) -> bool:
    standing = Standing(home)
    return standing.looks_so(standing.looks_of(city, contracts, on, due_days))


def test_what_looks_as_it_did_stands(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    assert _stands(home, city)
    standing = Standing(home)
    assert standing.holds(standing.made_of(city, SOME, DAY))
    assert (standing.release_id, standing.report["synthetic"]) == ("r", True)


def test_what_is_asked_otherwise_does_not(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    assert not _stands(home, city, on=date(2026, 1, 1))
    assert not _stands(home, city, due_days=20)
    assert not _stands(home, city, contracts=load_contracts(only=["parking_lots", "disposals"]))


def _later(path: Path) -> None:
    s = path.stat()
    os.utime(path, ns=(s.st_atime_ns, s.st_mtime_ns + 1))


def _other(home: Home) -> None:
    (home.releases / "other").mkdir()
    store.switch(home, "other")


CHANGES: dict[str, Callable[[Home, Path], object]] = {
    "a table written again": lambda home, city: _later(home.table("records", "parking_lots")),
    "a table more": lambda home, city: home.table("intake", "tasks").write_text(""),
    "a receipt more": lambda home, city: (home.archive / "received.jsonl").write_text("{}\n{}\n"),
    "no ledger": lambda home, city: (home.archive / "received.jsonl").unlink(),
    "the city's folder": lambda home, city: (city / "city.yaml").write_text("b"),
    "a feedback file gone": lambda home, city: (home.feedback / "unit" / "a.xlsx").unlink(),
    "the release gone": lambda home, city: shutil.rmtree(home.releases / "r"),
    "a file of the release gone": lambda home, city: (home.releases / "r" / "release.json").unlink(),
    "a file of the release changed": lambda home, city: _later(home.releases / "r" / "release.json"),
    "no current release": lambda home, city: home.current.unlink(),
    "another release made current by hand": lambda home, city: _other(home),
    "the warehouse gone": lambda home, city: home.warehouse.unlink(),
    "the warehouse changed": lambda home, city: home.warehouse.write_text("ware"),
    "the warehouse built by part of a run": lambda home, city: (home.work / "warehouse.json").unlink(),
    "half a note": lambda home, city: (home.work / "standing.json").write_bytes(b'{"made_of": "\xe5'),
    "a note of zeros": lambda home, city: (home.work / "standing.json").write_bytes(bytes(64)),
    "a note of another kind": lambda home, city: (home.work / "standing.json").write_text("[]"),
    "no note of it": lambda home, city: (home.work / "standing.json").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_does_not(tmp_path: Path, change: str) -> None:
    home, city = _made(tmp_path)
    CHANGES[change](home, city)
    assert not _stands(home, city)


def test_a_release_that_was_rolled_back_from_stands(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    _other(home)
    (home.releases / store.WITHDRAWN).write_text("r\n")
    assert _stands(home, city)


def test_a_note_that_a_power_cut_left_in_half_is_no_note(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    note = home.work / "standing.json"
    note.write_text(note.read_text()[:20])
    assert not _stands(home, city)


def test_only_the_date_is_another(tmp_path: Path) -> None:
    home, city = _made(tmp_path)
    assert Standing(home).asks_the_same(city, SOME)
    (city / "city.yaml").write_text("b")
    assert not Standing(home).asks_the_same(city, SOME)


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
    Standing(home).mend_current()
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
