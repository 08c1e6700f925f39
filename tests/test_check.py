"""`mingzhang check` says of a file what a run of the same home would, and keeps nothing."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines import cli
from pipelines.check import CheckReport, check_files
from pipelines.core.home import Home
from pipelines.core.settings import Settings
from pipelines.feedback.form import write_form
from pipelines.records.build import build
from pipelines.sources.ledger import Ledger
from pipelines.sources.read_new import load_readings, read_new
from pipelines.sources.receive import receive
from tests.records.making import uscc

CONTRACTS = load_contracts()
CITY = Settings().city
LOTS = "parking_lots"


def _csv(path: Path, *rows: Sequence[object]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows(rows)
    return path


def _lots(path: Path, *names: str) -> Path:
    header = ("单位名称", "停车场名称", "开放车位数", "是否开放")
    return _csv(path, header, *((name, f"{n}号", 12, "是") for n, name in enumerate(names, 1)))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that received a register of two institutions and one list of car parks."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    header = [CONTRACTS["institutions"].column(n).header_zh for n in (
        "uscc", "org_name", "year", "org_type", "admin_level", "division_code", "energy_population", "floor_area", "classified"
    )]  # fmt: skip
    rows = [(uscc(n), f"市示范{n}局", 2024, "党政机关", "市", "430202", 100, 1000, "否") for n in (1, 2)]
    _csv(inbox / "2024年公共机构名录.csv", header, *rows)
    _lots(inbox / "停车.csv", "市示范1局")
    home = Home(tmp_path / "home").create()
    receive(home, [str(inbox)])
    read_new(home, CONTRACTS, processes=1)
    summary = build(load_readings(home, CONTRACTS), CONTRACTS, home, CITY, Ledger(home).latest)
    assert summary.institutions == 2
    return home


def _codes(report: CheckReport) -> list[tuple[str, str]]:
    return [(i["code"], i["severity"]) for i in report.issues]


def _other_contracts(tmp_path: Path) -> Contracts:
    """The same contracts and one more, under which nothing was read yet."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    text = CONTRACTS["trainings"].path.read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(text.replace("name: trainings", "name: mine"), encoding="utf-8")
    return load_contracts([folder])


@pytest.mark.parametrize("state", ["as the run left it", "other contracts", "no account", "no readings"])
def test_names_are_looked_up_in_the_register_of_the_home(home: Home, tmp_path: Path, state: str) -> None:
    contracts = CONTRACTS
    if state == "other contracts":
        contracts = _other_contracts(tmp_path)
    elif state == "no account":
        shutil.rmtree(home.work / "intake")
    elif state == "no readings":
        shutil.rmtree(home.readings)
    path = _lots(tmp_path / "新停车.csv", "市示范2局", "市示范二局")
    (report,) = check_files([path], contracts, home, CITY)
    assert _codes(report) == [("unknown_institution", "error")]
    assert [(s["rows_accepted"], s["rows_quarantined"]) for s in report.sheets] == [(1, 1)]
    assert "市示范2局" in report.issues[0]["message_zh"]  # the nearest name


def test_a_home_without_a_register_says_so(tmp_path: Path) -> None:
    path = _lots(tmp_path / "停车.csv", "市示范1局")
    (report,) = check_files([path], CONTRACTS, Home(tmp_path / "none"), CITY)
    assert _codes(report) == [("unknown_institution", "warning")] and report.good
    assert not (tmp_path / "none").exists()


def test_a_file_that_the_home_holds_is_judged_again(home: Home, tmp_path: Path) -> None:
    (report,) = check_files([tmp_path / "inbox" / "2024年公共机构名录.csv"], CONTRACTS, home, CITY)
    assert report.sheets[0]["rows_accepted"] == 2 and report.status != "superseded"


def test_a_form_that_nobody_filled_in_is_not_accepted(home: Home, tmp_path: Path) -> None:
    form = tmp_path / "停车.xlsx"
    write_form(CONTRACTS[LOTS], form, None)
    (report,) = check_files([form], CONTRACTS, home, CITY)
    assert _codes(report) == [("empty", "error")] and not report.good
    assert "没有" in report.issues[0]["message_zh"]

    book = openpyxl.load_workbook(form)
    sheet = book.worksheets[0]
    sheet.cell(sheet.max_row + 2, 1, "本期无")
    book.save(form)
    (report,) = check_files([form], CONTRACTS, home, CITY)
    assert ("empty", "error") not in _codes(report)


def test_a_defect_of_ours_is_not_taken_for_an_error_of_the_file(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("canteens")

    monkeypatch.setattr("pipelines.check.check_files", broken)
    path = _lots(tmp_path / "停车.csv", "市示范1局")
    monkeypatch.setattr("sys.argv", ["mingzhang", "check", str(path), "--home", str(home.root)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    told = capsys.readouterr()
    assert "Traceback" in told.err and told.out == ""
    last = told.err.strip().splitlines()[-1]
    assert last.startswith("mingzhang: This is a fault of Mingzhang and not of your files (KeyError: 'canteens')")
