"""Records: every code has a row that makes it appear, every row is accounted for, newer stands for older."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import load_contracts
from pipelines.core.home import Home
from pipelines.intake.model import FileReading, Issue
from pipelines.records import judge, tables
from pipelines.records.build import RecordsSummary, build
from pipelines.records.load import load
from tests.records.making import energy, file, institution, joined, receipts, sheet, unread, uscc

# Five datasets stand for all: what is tried here is the same for each.
CONTRACTS = load_contracts(only=["disposals", "energy_use", "institutions", "parking_lots", "retrofit_funds"])
REGISTER = file("reg", sheet("institutions", [institution(n) for n in range(1, 7)], "机关事务中心", "2021"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).create()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    (folder / "divisions.csv").write_text(
        "code,name_zh,name_en,parent,level,successor,note\n"
        "430200,海城市,,,,,\n430212,新州区,,430200,,,\n430221,新州县,,430200,,430212,\n",
        encoding="utf-8",
    )
    return folder


def run(home: Home, *files: FileReading, city: Path | None = None) -> RecordsSummary:
    """Builds from files that came in this order, and checks the account of every sheet."""
    summary = build(joined(*files, contracts=CONTRACTS), CONTRACTS, home, city, receipts(*files))
    account = intake(home, "sheets")
    parts = account["rows_accepted"] + account["rows_quarantined"] + account["rows_explained"]
    assert (account["rows_read"] == parts).all()
    assert (account[["rows_accepted", "rows_quarantined"]] >= 0).all().all()
    in_force = sum(summary.records.values())
    assert summary.rows["accepted"] == in_force + summary.rows["superseded"]
    assert len(intake(home, "superseded")) == summary.rows["superseded"]
    assert set(account["status"]) <= {"accepted", "partial", "rejected", "superseded", "ignored"}
    return summary


def intake(home: Home, name: str) -> pd.DataFrame:
    return pd.read_parquet(home.table("intake", name))


def records(home: Home, dataset: str) -> pd.DataFrame:
    return pd.read_parquet(home.records(dataset))


def issues(home: Home, *codes: str) -> list[tuple[Any, ...]]:
    found = intake(home, "issues")
    if codes:
        found = found[found["code"].isin(codes)]
    out = found[["file_id", "row", "column", "cell", "code", "severity", "status"]].astype("object")
    return list(out.where(out.notna(), None).itertuples(index=False, name=None))


def of(*rows: dict[str, Any], dataset: str = "energy_use", file_id: str = "e", **more: Any) -> FileReading:
    return file(file_id, sheet(dataset, rows, **more))


# --- each code

DISPOSAL = {
    "disposal_id": "D1", "org_name": "市示范局001", "method": "拍卖", "area_kind": "土地", "area": 100.0, "status": "已成交",
}  # fmt: skip
FUND = {"seq": 1, "org_name": "市示范局001", "project_name": "改造", "planned_amount": 100.0, "fiscal_year": 2024}


@pytest.mark.parametrize(
    ("dataset", "row", "column", "code"),
    [
        ("energy_use", energy(1, "2021-01", water=None), "water", "missing_required"),
        ("energy_use", energy(1, "2021-01", electricity=-5.0), "electricity", "out_of_range"),
        ("energy_use", energy(1, "1999-12"), "month", "out_of_range"),
        ("energy_use", energy(1, "2021-01", uscc="91350100M000100Y4Z"), "uscc", "bad_check_digit"),
        ("energy_use", energy(99, "2021-01"), "org_name", "unknown_institution"),
        ("disposals", DISPOSAL | {"method": "送人"}, "method", "not_in_list"),
        ("disposals", DISPOSAL | {"area": 0.0}, "area", "out_of_range"),
        ("disposals", DISPOSAL | {"approved_on": "2021-02-01", "listed_on": "2021-01-01"}, "listed_on", "date_order"),
        ("disposals", DISPOSAL | {"deal_amount": 5.0, "treasury_amount": 6.0}, "treasury_amount", "inconsistent"),
        ("retrofit_funds", FUND | {"paid_amount": 101.0}, "paid_amount", "inconsistent"),
        (
            "parking_lots",
            {"org_name": "市示范局001", "lot_name": "甲", "spaces": 0, "open": True},
            "spaces",
            "out_of_range",
        ),
    ],
)
def test_what_puts_a_row_in_quarantine(home: Home, dataset: str, row: dict[str, Any], column: str, code: str) -> None:
    summary = run(home, REGISTER, of(row, dataset=dataset))
    [(file_id, at, where, cell, found, severity, status)] = issues(home)
    assert (file_id, at, where, found, severity, status) == ("e", 4, column, code, "error", "open")
    assert cell is None or cell.endswith("4")
    assert summary.records[dataset] == 0
    [held] = intake(home, "quarantine").to_dict("records")
    assert (held["codes"], held["dataset"], held["row"]) == (code, dataset, 4)
    [sent] = [f for f in intake(home, "files").to_dict("records") if f["file_id"] == "e"]
    assert (sent["status"], sent["reason"]) == ("rejected", "no_row_accepted")


@pytest.mark.parametrize(
    ("dataset", "row", "column", "code"),
    [
        ("energy_use", energy(1, "2021-01", natural_gas=-1.0), "natural_gas", "out_of_range"),
        ("disposals", DISPOSAL | {"appraised_value": 0.0}, "appraised_value", "out_of_range"),
    ],
)
def test_an_optional_cell_is_lost_and_its_row_kept(
    home: Home, dataset: str, row: dict[str, Any], column: str, code: str
) -> None:
    summary = run(home, REGISTER, of(row, dataset=dataset))
    assert [i[2:6] for i in issues(home)] == [(column, issues(home)[0][3], code, "error")]
    assert summary.records[dataset] == 1
    assert records(home, dataset)[column].isna().all()
    assert intake(home, "quarantine").empty
    assert {f["status"] for f in intake(home, "files").to_dict("records")} == {"accepted"}


def test_not_in_list_of_an_optional_column(home: Home) -> None:
    # None of the five datasets has an optional list; the division of the register is a required one.
    bad = file("bad", sheet("institutions", [institution(9, division_code="火星")], "局", "2022"))
    assert run(home, REGISTER, bad).rows["quarantined"] == 0, "no list of divisions, nothing held against it"


def test_a_doubtful_row_is_kept_with_a_warning(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01", electricity_cost=90000.0)))
    assert [(i[2], i[4], i[5]) for i in issues(home)] == [("electricity_cost", "doubtful", "warning")]
    assert len(records(home, "energy_use")) == 1


def test_a_rule_is_not_held_against_a_value_that_is_itself_wrong(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01", electricity_cost=-3.0)))
    assert [(i[2], i[4]) for i in issues(home)] == [("electricity_cost", "out_of_range")]


def test_what_reading_could_not_read_is_not_called_empty(home: Home) -> None:
    bad = [unread("Sheet1", 4, "water", True), unread("Sheet1", 5, "natural_gas", False)]
    run(home, REGISTER, of(energy(1, "2021-01", water=None, electricity=None), energy(1, "2021-02"), issues=bad))
    assert [(i[1], i[2], i[4]) for i in issues(home)] == [
        (4, "electricity", "missing_required"),
        (4, "water", "bad_type"),
        (5, "natural_gas", "bad_type"),
    ]
    assert intake(home, "quarantine")["codes"].tolist() == ["bad_type,missing_required"]
    assert records(home, "energy_use")["_row"].tolist() == [5]


def test_refused_rows_are_counted_and_nothing_else(home: Home) -> None:
    run(home, file("reg", sheet("institutions", [institution(1)], "局", "2021", refused=2)))
    [account] = intake(home, "sheets").to_dict("records")
    assert (account["rows_read"], account["rows_accepted"], account["rows_quarantined"]) == (6, 1, 2)
    assert intake(home, "quarantine").empty


# --- keys within one file


def test_the_first_of_a_key_stays(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01"), energy(1, "2021-02"), energy(1, "2021-01"), energy(1, "2021-01")))
    assert [(i[1], i[4]) for i in issues(home)] == [(6, "duplicate_key"), (7, "duplicate_key")]
    assert records(home, "energy_use")["_row"].tolist() == [4, 5]
    assert "第 4 行" in intake(home, "issues")["message_zh"][0]


def test_a_row_in_quarantine_is_neither_first_nor_a_duplicate(home: Home) -> None:
    rows = [
        energy(1, "2021-01", electricity=-1.0),
        energy(1, "2021-01"),
        energy(1, "2021-01", water=-1.0),
        energy(1, "2021-01"),
    ]
    bad = [unread("Sheet1", 8, "water", True)]
    run(home, REGISTER, of(*rows, energy(1, "2021-01", water=None), issues=bad))
    assert [(i[1], i[4]) for i in issues(home)] == [
        (4, "out_of_range"),
        (6, "out_of_range"),
        (7, "duplicate_key"),
        (8, "bad_type"),
    ]
    assert records(home, "energy_use")["_row"].tolist() == [5]


def test_a_key_is_compared_by_the_names_of_the_register(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01"), energy(1, "2021-01", org_name="市示范局 001（盖章）")))
    assert [(i[1], i[4]) for i in issues(home)] == [(5, "duplicate_key")]


def test_a_key_with_a_part_missing_is_no_key(home: Home) -> None:
    rows = [FUND | {"fiscal_year": None}, FUND | {"fiscal_year": None}]
    assert run(home, REGISTER, of(*rows, dataset="retrofit_funds")).records["retrofit_funds"] == 2


def test_a_key_twice_in_two_sheets_of_a_file(home: Home) -> None:
    two = file(
        "e",
        sheet("energy_use", [energy(1, "2021-01")], name="甲"),
        sheet("energy_use", [energy(1, "2021-01")], name="乙"),
    )
    run(home, REGISTER, two)
    assert "与工作表“甲”第 4 行的" in intake(home, "issues")["message_zh"][0]
    assert records(home, "energy_use")["_sheet"].tolist() == ["甲"]


def test_a_key_twice_across_the_years_of_a_file(home: Home) -> None:
    two = file(
        "d",
        sheet("disposals", [DISPOSAL | {"sold_on": "2021-05-01"}], name="2021", period="2021"),
        sheet("disposals", [DISPOSAL | {"sold_on": "2022-05-01"}], name="2022", period="2022"),
    )
    summary = run(home, REGISTER, two)
    assert [i[4] for i in issues(home)] == ["duplicate_key"]
    assert [s.year for s in summary.suites if s.dataset == "disposals"] == [2022]


def test_two_tables_side_by_side(home: Home) -> None:
    left, right = sheet("energy_use", [energy(1, "2021-01")]), sheet("energy_use", [energy(2, "2021-01", water=-1.0)])
    run(home, REGISTER, file("e", left, right))
    assert records(home, "energy_use")["org_name"].tolist() == ["市示范局001"]
    [line] = [s for s in intake(home, "sheets").to_dict("records") if s["file_id"] == "e"]
    assert (line["rows_read"], line["rows_accepted"], line["rows_quarantined"], line["status"]) == (8, 1, 1, "partial")


# --- institutions


def test_without_a_register_names_stay_with_one_warning_a_sheet(home: Home) -> None:
    run(home, of(energy(1, "2021-01"), energy(2, "2021-01")), of(FUND, dataset="retrofit_funds", file_id="f"))
    assert [(i[0], i[1], i[4], i[5]) for i in issues(home)] == [
        ("e", None, "unknown_institution", "warning"),
        ("f", None, "unknown_institution", "warning"),
    ]
    assert records(home, "energy_use")["org_name"].tolist() == ["市示范局001", "市示范局002"]


def test_with_a_register_the_nearest_names_are_offered(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01", org_name="市示范局01")))
    [text] = intake(home, "issues")["message_zh"]
    assert "相近的有：市示范局001" in text


def test_a_register_row_in_quarantine_names_nobody_but_another_years_does(home: Home) -> None:
    bad = file("reg", sheet("institutions", [institution(1), institution(2, uscc="91350100M000100Y4Z")], "局", "2021"))
    assert run(home, bad, of(energy(2, "2021-01"))).records["energy_use"] == 0
    good = file("reg2", sheet("institutions", [institution(2, 2022)], "局", "2022"))
    assert run(home, bad, of(energy(2, "2021-01")), good).records["energy_use"] == 1


def test_a_code_stands_in_for_a_name(home: Home) -> None:
    rows = [
        energy(1, "2021-01", org_name=None, uscc=uscc(1).lower()),
        energy(1, "2021-02", org_name=None, uscc=uscc(1)[8:17]),
    ]
    run(home, REGISTER, of(*rows, energy(1, "2021-03", org_name=None, uscc=uscc(98))))
    assert records(home, "energy_use")[["org_name", "uscc"]].to_numpy().tolist() == [["市示范局001", uscc(1)]] * 2
    assert [i[4] for i in issues(home)] == ["missing_required"]


def test_a_name_and_a_code_of_two_institutions_are_told(home: Home) -> None:
    rows = [energy(1, "2021-01", uscc=uscc(1)), energy(1, "2021-02", uscc=uscc(2)), energy(1, "2021-03", uscc=uscc(98))]
    run(home, REGISTER, of(*rows))
    assert records(home, "energy_use")["org_name"].tolist() == ["市示范局001"] * 3
    [(file_id, row, column, _, code, severity, _)] = issues(home)
    assert (file_id, row, column, code, severity) == ("e", 5, "uscc", "doubtful", "warning")
    [text] = intake(home, "issues")["message_zh"]
    assert "“市示范局002”的代码" in text and "“市示范局001”" in text


def test_a_renamed_institution_is_one_institution(home: Home) -> None:
    later = file("reg2", sheet("institutions", [institution(1, 2022, org_name="市新示范局")], "局", "2022"))
    run(home, REGISTER, later, of(energy(1, "2021-01")))
    assert records(home, "energy_use")["org_name"].tolist() == ["市新示范局"]
    mine = records(home, "institutions")
    assert set(mine.loc[mine["uscc"] == uscc(1), "org_name"]) == {"市新示范局"}
    [(file_id, row, column, _, code, severity, _)] = issues(home)
    assert (file_id, row, column, code, severity) == ("reg", 4, "org_name", "doubtful", "warning")


def test_divisions_become_codes(home: Home, city: Path) -> None:
    names = ["新州县", "海城市新州区", "430221", "430200", "火星"]
    rows = [institution(n, division_code=d) for n, d in enumerate(names, 1)]
    run(home, file("reg", sheet("institutions", rows, "局", "2021")), city=city)
    assert records(home, "institutions")["division_code"].tolist() == ["430212", "430212", "430212", "430200"]
    [(_, row, column, _, code, _, _)] = issues(home)
    assert (row, column, code) == (8, "division_code", "not_in_list")
    assert "海城市、新州区" in intake(home, "issues")["message_zh"][0]


def test_aliases_of_the_city(home: Home, tmp_path: Path) -> None:
    (tmp_path / "institution_aliases.csv").write_text("name,alias,kind\n市示范局001,一局,short\n", encoding="utf-8")
    run(home, REGISTER, of(energy(1, "2021-01", org_name="一局")), city=tmp_path)
    assert records(home, "energy_use")["org_name"].tolist() == ["市示范局001"]


# --- newer for older


def test_a_newer_submission_replaces_the_older_whole_and_closes_its_issues(home: Home) -> None:
    old = of(
        energy(1, "2021-01"),
        energy(1, "2021-02"),
        energy(1, "2021-03", water=-1.0),
        submitter="市示范局001",
        period="2021",
    )
    new = of(energy(1, "2021-01", water=60.0), submitter="市示范局001（盖章）", period="2021", file_id="n")
    run(home, REGISTER, old, new)
    mine = records(home, "energy_use")
    assert mine[["_file", "month", "water"]].to_numpy().tolist() == [["n", "2021-01", 60.0]]
    state = intake(home, "files").set_index("file_id")
    assert state.loc["e", ["status", "superseded_by"]].tolist() == ["superseded", "n"]
    [issue] = intake(home, "issues").to_dict("records")
    assert (issue["status"], issue["closed_at"]) == ("closed", state.loc["n", "received_at"])
    account = intake(home, "sheets").set_index("file_id")
    assert account.loc["e", ["status", "rows_accepted", "rows_quarantined"]].tolist() == ["superseded", 2, 1]


@pytest.mark.parametrize(
    ("submitter", "period"), [(None, "2021"), ("市示范局001", None), ("市示范局002", "2021"), ("市示范局001", "2022")]
)
def test_nothing_is_replaced_whole_without_the_same_submitter_and_period(
    home: Home, submitter: Any, period: Any
) -> None:
    old = of(energy(1, "2021-01"), energy(1, "2021-02"), submitter="市示范局001", period="2021")
    new = of(energy(1, "2021-01", water=60.0), submitter=submitter, period=period, file_id="n")
    run(home, REGISTER, old, new)
    mine = records(home, "energy_use")
    assert mine[["_file", "month", "water"]].to_numpy().tolist() == [["e", "2021-02", 50.0], ["n", "2021-01", 60.0]]
    assert intake(home, "superseded").to_dict("records") == [
        {"file_id": "e", "sheet": "Sheet1", "row": 4, "dataset": "energy_use", "superseded_by": "n"}
    ]
    assert issues(home) == []
    assert set(intake(home, "files")["status"]) == {"accepted"}


def test_an_older_file_that_comes_in_the_same_run_does_not_win(home: Home) -> None:
    new, old = of(energy(1, "2021-01", water=60.0), file_id="a"), of(energy(1, "2021-01"), file_id="z")
    build(joined(new, old, contracts=CONTRACTS), CONTRACTS, home, None, receipts(old, new))
    assert records(home, "energy_use")["_file"].tolist() == ["a"]


def test_a_row_in_quarantine_replaces_nothing(home: Home) -> None:
    run(home, REGISTER, of(energy(1, "2021-01")), of(energy(1, "2021-01", water=-1.0), file_id="n"))
    assert records(home, "energy_use")["_file"].tolist() == ["e"]
    assert [i[6] for i in issues(home)] == ["open"]


def test_a_right_row_in_a_newer_file_closes_the_issue_of_the_wrong_one(home: Home) -> None:
    run(
        home,
        REGISTER,
        of(energy(1, "2021-01", water=-1.0), energy(2, "2021-01", water=-1.0)),
        of(energy(1, "2021-01"), file_id="n"),
    )
    assert [(i[1], i[6]) for i in issues(home)] == [(4, "closed"), (5, "open")]


def test_an_empty_sheet_is_no_submission(home: Home) -> None:
    old = of(energy(1, "2021-01"), submitter="市示范局001", period="2021")
    run(home, REGISTER, old, of(submitter="市示范局001", period="2021", file_id="n"))
    assert records(home, "energy_use")["_file"].tolist() == ["e"]


def test_one_sheet_of_a_file_replaced(home: Home) -> None:
    old = file(
        "e",
        sheet("energy_use", [energy(1, "2021-01")], "市示范局001", "2021", name="2021"),
        sheet("energy_use", [energy(1, "2022-01")], "市示范局001", "2022", name="2022"),
    )
    run(home, REGISTER, old, of(energy(1, "2022-02"), submitter="市示范局001", period="2022", file_id="n"))
    assert records(home, "energy_use")[["_file", "month"]].to_numpy().tolist() == [["e", "2021-01"], ["n", "2022-02"]]
    state = intake(home, "files").set_index("file_id")
    assert state.loc["e", "status"] == "accepted"


def test_a_file_of_which_nothing_was_taken_is_answered_at_its_address(home: Home) -> None:
    why = Issue("", None, None, None, "unreadable", "error", None, "打不开", "cannot be opened")
    bad = FileReading("bad", "a.xlsx", "rejected", "unreadable", issues=[why])
    good = FileReading("good", "a.xlsx", "accepted", sheets=[sheet("energy_use", [energy(1, "2021-01")])])
    run(home, bad)
    assert issues(home)[0][6] == "open"
    run(home, bad, good)
    assert [(i[0], i[4], i[6]) for i in issues(home, "unreadable")] == [("bad", "unreadable", "closed")]
    state = intake(home, "files").set_index("file_id")
    assert state.loc["bad", ["status", "superseded_by", "reason"]].tolist() == ["superseded", "good", "unreadable"]


def test_a_newer_register_replaces_the_older(home: Home) -> None:
    newer = file("reg2", sheet("institutions", [institution(n) for n in range(2, 7)], "机关事务中心", "2021"))
    assert run(home, REGISTER, newer, of(energy(1, "2021-01"))).records["energy_use"] == 0


# --- secrets


def test_nothing_of_level_l2_or_l3_is_written_outside_records(home: Home) -> None:
    rows = [DISPOSAL | {"buyer": "秘密甲", "area": -1.0}, DISPOSAL | {"disposal_id": "D2", "buyer": "秘密乙"}]
    people = [institution(n) | {"contact": f"秘密{n}"} for n in range(1, 3)]
    run(home, file("reg", sheet("institutions", people, "局", "2021")), of(*rows, dataset="disposals"))
    assert records(home, "disposals")["buyer"].tolist() == ["秘密乙"]
    assert "contact" not in records(home, "institutions").columns
    for path in sorted(home.work.rglob("*.parquet")):
        if not path.is_relative_to(home.work / "records"):
            assert "秘密" not in pd.read_parquet(path).to_json(force_ascii=False, date_format="iso"), path.name
    [held] = intake(home, "quarantine")["values"]
    assert json.loads(held) == DISPOSAL | {"area": -1.0}


# --- what is written


def test_tables_and_types(home: Home) -> None:
    run(home, REGISTER, of(DISPOSAL | {"sold_on": "2021-05-06"}, dataset="disposals"))
    loaded = load(home, home.warehouse)
    assert loaded == {f"records.{d}" for d in CONTRACTS} | {f"intake.{t}" for t in tables.INTAKE}
    import duckdb

    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        types = dict(
            con.execute(
                "select column_name, data_type from information_schema.columns where table_name = 'disposals'"
            ).fetchall()
        )
        seen = dict(
            con.execute(
                "select column_name, data_type from information_schema.columns where table_name = 'institutions'"
            ).fetchall()
        )
        at = con.execute("select sold_on from records.disposals").fetchone()
        none = con.execute("select count(*) from records.energy_use").fetchone()
    assert (types["sold_on"], types["area"], types["method"], types["_row"]) == ("DATE", "DOUBLE", "VARCHAR", "BIGINT")
    assert (seen["year"], seen["in_conservation_scope"]) == ("BIGINT", "BOOLEAN")
    assert str(at) == "(datetime.date(2021, 5, 6),)" and none == (0,)


def test_the_same_readings_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    files = [
        REGISTER,
        of(energy(1, "2021-01"), energy(1, "2021-02", water=-1.0)),
        of(energy(2, "2021-01"), file_id="f"),
    ]
    digests = []
    for n, order in enumerate((files, files[::-1])):
        home = Home(tmp_path / str(n)).create()
        build(joined(*order, contracts=CONTRACTS), CONTRACTS, home, None, receipts(*files))
        written = sorted(p for folder in ("records", "intake") for p in (home.work / folder).rglob("*.parquet"))
        digests.append({str(p.relative_to(home.work)): hashlib.sha256(p.read_bytes()).hexdigest() for p in written})
    assert digests[0] == digests[1] and len(digests[0]) == len(CONTRACTS) + len(tables.INTAKE)


def test_records_of_a_dataset_without_a_contract_go(home: Home) -> None:
    home.records("gone").mkdir()
    (home.records("gone") / "2021.parquet").write_bytes(b"")
    run(home, REGISTER)
    assert not home.records("gone").exists()


def test_an_old_home_of_one_file_for_each_dataset_is_taken_over(home: Home) -> None:
    for dataset in ("energy_use", "disposals"):
        (home.work / "records" / f"{dataset}.parquet").write_bytes(b"what the code before kept")
    run(home, REGISTER, of(energy(1, "2021-01")))
    assert sorted(p.name for p in (home.work / "records").iterdir()) == sorted(CONTRACTS)
    assert len(records(home, "energy_use")) == 1


def test_records_lie_in_a_file_for_each_year_and_only_those_that_changed_are_written(home: Home) -> None:
    old = of(energy(1, "2021-01"), energy(1, "2022-01"), energy(2, "2022-01"))
    run(home, REGISTER, old)
    before = {p.name: p.stat().st_ino for p in home.records("energy_use").iterdir()}
    assert set(before) == {"2021.parquet", "2022.parquet"}
    run(home, REGISTER, old, of(energy(1, "2022-01", water=7.0), file_id="f"))
    after = {p.name: p.stat().st_ino for p in home.records("energy_use").iterdir()}
    assert after["2021.parquet"] == before["2021.parquet"] and after["2022.parquet"] != before["2022.parquet"]
    versions = {s: tables.version(files) for s, files in tables.sources(home).items() if s.startswith("records")}
    run(home, REGISTER, old, of(energy(1, "2023-01"), file_id="g"))
    assert {s for s, v in versions.items() if v != tables.version(tables.sources(home)[s])} == {"records.energy_use"}
    assert {p.name for p in home.records("energy_use").iterdir()} == {"2021.parquet", "2022.parquet", "2023.parquet"}


def test_a_share_of_which_something_is_gone_is_made_again(home: Home) -> None:
    files = (REGISTER, of(energy(1, "2021-01"), energy(1, "2022-01", water=-1.0)))
    run(home, *files)
    wanted = {p: p.read_bytes() for f in ("records", "intake") for p in sorted((home.work / f).rglob("*.parquet"))}
    year = home.records("energy_use") / "2021.parquet"
    part = home.work / "parts" / "energy_use"
    for spoil in (
        year.unlink,
        lambda: year.write_bytes(b"half"),
        (part / "issues.parquet").unlink,
        lambda: (part / "part.json").write_bytes(b"{"),
        (home.table("intake", "issues")).unlink,
    ):
        spoil()
        run(home, *files)
        assert {p: p.read_bytes() for p in wanted} == wanted


def test_a_warehouse_takes_only_what_changed(home: Home) -> None:
    import duckdb

    def rows(table: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(home.warehouse), read_only=True) as con:
            return con.execute(f"from {table}").fetchall()

    one = of(energy(1, "2021-01"), energy(1, "2022-01"))
    run(home, REGISTER, one)
    load(home, home.warehouse)
    assert load(home, home.warehouse) == set()
    run(home, REGISTER, one, of(energy(1, "2022-01", water=45.0), file_id="f"))
    assert load(home, home.warehouse) == {
        "records.energy_use", "intake.files", "intake.sheets", "intake.columns", "intake.superseded",
    }  # fmt: skip
    assert (
        rows("(select month from records.energy_use)") == [("2021-01",), ("2022-01",)]
        and len(rows("intake.files")) == 3
    )
    home.table("intake", "quarantine").unlink()
    assert load(home, home.warehouse) == {"intake.quarantine"}
    assert "quarantine" not in {r[2] for r in rows("(select * from information_schema.tables)")}


def test_a_suite_runs_again_only_where_something_changed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = of(energy(1, "2021-01", water=-1.0)), of(energy(1, "2022-01"), file_id="f")
    first = run(home, REGISTER, one, two)
    before = issues(home)
    assert not any(s.kept for s in first.suites)
    ran: list[int] = []
    real = judge.suites.check
    monkeypatch.setattr(judge.suites, "check", lambda c, rows, known: ran.append(len(rows)) or real(c, rows, known))
    again = run(home, REGISTER, one, two)
    assert ran == [] and all(s.kept for s in again.suites) and issues(home) == before
    assert [s.outcomes for s in again.suites] == [s.outcomes for s in first.suites]
    third = run(home, REGISTER, one, two, of(energy(2, "2022-01"), file_id="g"))
    assert ran == [2] and [(s.dataset, s.year) for s in third.suites if not s.kept] == [("energy_use", 2022)]
    other = file("reg2", sheet("institutions", [institution(7, 2022)], "局", "2022"))
    run(home, REGISTER, one, two, other)
    assert sorted(ran[1:]) == [1, 1, 1], "another register: its own new year and both years of energy"


def test_an_empty_home(home: Home) -> None:
    summary = run(home)
    assert set(summary.records.values()) == {0} and summary.files == {} and summary.institutions is None


def test_no_issue_shares_its_id(home: Home) -> None:
    two = [Issue("Sheet1", 4, None, None, "total_mismatch", "warning", None, "一", "one")] * 2
    run(home, REGISTER, of(energy(1, "2021-01", water=None, electricity=None), issues=two))
    found = intake(home, "issues")
    assert len(found) == 4 and found["issue_id"].is_unique


# --- every row is accounted for, whatever comes

values = st.sampled_from([None, -1.0, 0.0, 10.0])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "org_name": st.sampled_from([None, "市示范局001", "市示范局 002", "谁"]),
            "month": st.sampled_from([None, "2021-01", "2021-02", "2020-01"]),
            "electricity": values,
            "water": values,
            "coal": values,
            "electricity_cost": values,
            "uscc": st.sampled_from([None, uscc(1), "1"]),
        }
    ),
    max_size=5,
)
whoever = st.sampled_from([None, "市示范局001", "市示范局002"])


@st.composite
def city_files(draw: st.DrawFn) -> list[FileReading]:
    files = [REGISTER] if draw(st.booleans()) else []
    for n in range(draw(st.integers(0, 3))):
        sheets = []
        for name in draw(st.sampled_from([["A"], ["A", "B"], ["A", "A"]])):
            found = draw(rows)
            bad = [
                unread(name, 4 + r, c, c == "water")
                for r in range(len(found))
                if draw(st.integers(0, 4)) == 0
                for c in [draw(st.sampled_from(["water", "coal"]))]
            ]
            for i in bad:
                found[i.row - 4] = found[i.row - 4] | {str(i.column): None}  # type: ignore[operator]
            period = draw(st.sampled_from([None, "2021"]))
            sheets.append(
                sheet("energy_use", found, draw(whoever), period, name, refused=draw(st.integers(0, 1)), issues=bad)
            )
        files.append(file(f"f{n}", *sheets))
    return files


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=city_files())
def test_every_row_is_accounted_for(files: list[FileReading], tmp_path_factory: pytest.TempPathFactory) -> None:
    # One home for all: the register's suite is kept from one example to the next.
    home = Home(tmp_path_factory.getbasetemp() / "every_row").create()
    summary = run(home, *files)
    mine = records(home, "energy_use")
    assert not mine.duplicated(["org_name", "month"]).any(), "one record for each key"
    assert mine[["org_name", "month", "electricity", "water"]].notna().all().all()
    held, found = intake(home, "quarantine"), intake(home, "issues")
    errors = found[found["severity"] == "error"]
    assert len(held) + sum(s.refused for f in files for s in f.sheets) == summary.rows["quarantined"]
    told = set(zip(errors["file_id"], errors["sheet"], errors["row"], strict=True))
    assert {(f, s, r) for f, s, r in zip(held["file_id"], held["sheet"], held["row"], strict=True)} <= told
    state = intake(home, "files").set_index("file_id")["status"]
    for f in files:
        data = sum(len(s.rows) + s.refused for s in f.sheets)
        if data == 0:
            assert state[f.file_id] == "accepted"
