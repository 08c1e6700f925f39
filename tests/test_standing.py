"""A release stands only where nothing that it was made of looks otherwise, and all that came of it is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.home import Home
from pipelines.standing import Standing

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
    (home.feedback / "unit").mkdir(parents=True)
    (home.feedback / "unit" / "a.xlsx").write_text("")
    (home.feedback / ".manifest.json").write_text('{"unit/a.xlsx": "key"}')
    standing = Standing(home)
    report = {"release": "r", "synthetic": True}
    standing.write(standing.made_of(city, SOME, DAY), standing.looks_of(city, SOME, DAY, 15), report)
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


CHANGES: dict[str, Callable[[Home, Path], object]] = {
    "a table written again": lambda home, city: _later(home.table("records", "parking_lots")),
    "a table more": lambda home, city: home.table("intake", "tasks").write_text(""),
    "a receipt more": lambda home, city: (home.archive / "received.jsonl").write_text("{}\n{}\n"),
    "no ledger": lambda home, city: (home.archive / "received.jsonl").unlink(),
    "the city's folder": lambda home, city: (city / "city.yaml").write_text("b"),
    "a feedback file gone": lambda home, city: (home.feedback / "unit" / "a.xlsx").unlink(),
    "the release gone": lambda home, city: (home.releases / "r").rmdir(),
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
