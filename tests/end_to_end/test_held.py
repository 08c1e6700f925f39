"""A tenfold slip of one department, the whole way: the command holds the release, says why, and a person's yes publishes it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import MadeUp, mingzhang

pytestmark = pytest.mark.slow
AS_OF = ("--as-of", "2025-12-31")


def numbers(sheet: openpyxl.worksheet.worksheet.Worksheet) -> list[openpyxl.cell.Cell]:
    """The cells of a sheet's column of electricity that hold a number."""
    found = (c for row in sheet.iter_rows(max_row=12) for c in row if "用电量" in str(c.value or ""))
    head = next(found, None)
    below = () if head is None else next(sheet.iter_cols(head.column, head.column, head.row + 1))
    return [c for c in below if isinstance(c.value, int | float)]


def slip(city: Path, inbox: Path) -> None:
    """Sends the largest institution's sheet of 2024 again, with its electricity ten times too high."""
    books = {p.name: openpyxl.load_workbook(p) for p in sorted((city / "2024").glob("*能源资源消费状况*.xlsx"))}
    name, book = max(books.items(), key=lambda x: sum(c.value for c in numbers(x[1].worksheets[0])))
    for cell in numbers(book.worksheets[0]):
        cell.value = cell.value * 10
    inbox.mkdir()
    book.save(inbox / name)


def test_a_tenfold_slip_is_held_and_a_person_may_publish_it(made_up: MadeUp, tmp_path: Path) -> None:
    home, inbox = tmp_path / "home", tmp_path / "inbox"
    shutil.copytree(made_up.home, home, symlinks=True)
    slip(made_up.folder / "inbox", inbox)
    run = ("run", "--home", home, "--inbox", inbox, *AS_OF, "--json")
    done = mingzhang(*run)
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert (report["release"], report["release_state"]) == (made_up.report["release"], "held")
    assert report["files"]["new"] == 1 and report["rows"]["read"] > 0
    assert any(s.startswith("electricity of 2024, the whole city, is ") for s in report["reasons"]), report["reasons"]
    assert all("of 2024" in s for s in report["reasons"])
    held = report["held_release"]
    assert (home / "current").resolve().name == made_up.report["release"] and not (home / "releases" / held).exists()

    listed = mingzhang("releases", "list", "--home", home).stdout
    assert f"Release {held} is held" in listed and report["reasons"][0] in listed
    assert [r["release_id"] for r in json.loads(mingzhang("releases", "list", "--home", home, "--json").stdout)] == [
        made_up.report["release"]
    ]
    accept = ("releases", "accept", held, "--home", home, "--by", "王某")
    assert mingzhang(*accept, "--why", " ").returncode == 2
    said = mingzhang(*accept, "--why", "已电话核实")
    assert said.returncode == 0 and f"The current release is now {held}, accepted by 王某." in said.stdout, said.stderr
    assert mingzhang("releases", "verify", "current", "--home", home).returncode == 0
    again = mingzhang(*run)
    assert again.returncode == 0, again.stderr
    assert [json.loads(again.stdout)[k] for k in ("release", "release_state")] == [held, "unchanged"]
