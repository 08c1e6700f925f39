"""A number that counts rows names a row inside its own submission and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import Contract, load_contracts
from pipelines.core.home import Home
from pipelines.intake.model import FileReading
from pipelines.records.build import RecordsSummary, build
from pipelines.records.serials import SCOPE, Sent, number
from tests.records.making import file, institution, joined, receipts, sheet

ALL = load_contracts()
COUNTED = {  # dataset -> the column of its key that 序号 is an alias of, or its official header
    "disposals": "disposal_id",
    "inspections": "inspection_id",
    "leases": "lease_id",
    "office_changes": "change_id",
    "policies": "policy_id",
    "pv_revenue": "entry_id",
    "pv_sites": "site_id",
    "retrofit_funds": "seq",
    "trainings": "training_id",
    "utility_separation": "community_id",
    "vehicle_purchases": "purchase_id",
    "vehicles": "vehicle_id",
    "warehouse_moves": "move_id",
}
REGISTER = file("reg", sheet("institutions", [institution(n) for n in range(1, 7)], "机关事务中心", "2021"))


def row(contract: Contract, n: int, org: str, year: int) -> dict[str, Any]:
    """A row that breaks no rule, as far as the columns that must be filled go."""
    out: dict[str, Any] = {}
    for day, c in enumerate(contract.kept, 1):
        if not c.required and c.name not in contract.key:
            continue
        match c.kind:
            case "year":
                out[c.name] = year
            case "month":
                out[c.name] = f"{year}-03"
            case "date":
                out[c.name] = f"{year}-03-{day:02d}"  # a later column is a later day
            case "decimal" | "integer":
                out[c.name] = 10 * n
            case "boolean":
                out[c.name] = True
            case _:
                out[c.name] = org if c.institution else c.values[0] if c.values else f"{c.name}{n}"
    return out


def list_of(
    contract: Contract, column: str, numbers: list[Any], org: str, year: int, header: str | None = "序号", **how: Any
) -> Any:
    """A sheet of one office and year, its rows numbered in `column`."""
    rows = [row(contract, k, org, year) | {column: n} for k, n in enumerate(numbers, 1)]
    made = sheet(contract.dataset, rows, how.pop("submitter", org), how.pop("period", str(year)), **how)
    for c in made.columns:
        if c.column == column and header:
            c.header = header
    return made


def run(tmp_path: Path, dataset: str, *files: FileReading) -> tuple[RecordsSummary, pd.DataFrame, pd.DataFrame]:
    contracts = load_contracts(only=["institutions", dataset])
    home = Home(tmp_path / "home").create()
    every = (REGISTER, *files)
    summary = build(joined(*every, contracts=contracts), contracts, home, None, receipts(*every))
    return summary, pd.read_parquet(home.records(dataset)), pd.read_parquet(home.table("intake", "superseded"))


def text(contract: Contract, column: str, *numbers: int) -> list[Any]:
    return [n if contract.column(column).kind == "integer" else str(n) for n in numbers]


@pytest.mark.parametrize("dataset", COUNTED)
@pytest.mark.parametrize("header", ["序号", "编号"])
def test_rows_that_are_only_counted_replace_no_row_of_another_submission(
    tmp_path: Path, dataset: str, header: str
) -> None:
    contract, column = ALL[dataset], COUNTED[dataset]
    one = text(contract, column, 1, 2, 3)
    offices = [file(f"2023-{n}", list_of(contract, column, one, f"市示范局00{n}", 2023, header)) for n in range(1, 4)]
    later = file("2024-1", list_of(contract, column, one, "市示范局001", 2024, header))
    summary, records, superseded = run(tmp_path, dataset, *offices, later)
    assert (summary.records[dataset], summary.rows["quarantined"], len(superseded)) == (12, 0, 0)
    if contract.column(column).kind == "string":
        assert not records.duplicated(list(contract.key)).any(), "a public row has an address of its own"


@pytest.mark.parametrize("dataset", COUNTED)
def test_a_corrected_list_replaces_the_whole_of_its_own(tmp_path: Path, dataset: str) -> None:
    contract, column = ALL[dataset], COUNTED[dataset]
    old = file("a", list_of(contract, column, text(contract, column, 1, 2, 3), "市示范局001", 2023))
    new = file("b", list_of(contract, column, text(contract, column, 1, 2), "市示范局001", 2023))
    _, records, superseded = run(tmp_path, dataset, old, new)
    assert records["_file"].tolist() == ["b", "b"] and len(superseded) == 3
    if contract.column(column).kind == "string":
        assert records[column].tolist() == ["a-1", "a-2"], "the names of the rows stay"


@pytest.mark.parametrize("dataset", [d for d in COUNTED if d != "retrofit_funds"])
def test_real_identifiers_replace_each_other_across_submissions(tmp_path: Path, dataset: str) -> None:
    contract, column = ALL[dataset], COUNTED[dataset]
    old = file("a", list_of(contract, column, ["K-2023-001", "K-2023-002"], "市示范局001", 2023, header=None))
    new = file("b", list_of(contract, column, ["K-2023-002"], "市示范局002", 2023, header=None))
    _, records, superseded = run(tmp_path, dataset, old, new)
    assert records[column].tolist() == ["K-2023-001", "K-2023-002"]
    assert superseded[["file_id", "superseded_by"]].to_numpy().tolist() == [["a", "b"]]


def test_identifiers_under_the_header_of_a_counter_are_identifiers(tmp_path: Path) -> None:
    contract = ALL["leases"]
    old = file("a", list_of(contract, "lease_id", ["HT-1", "HT-2"], "市示范局001", 2023))
    new = file("b", list_of(contract, "lease_id", ["HT-2"], "市示范局001", 2024))
    _, records, _ = run(tmp_path, "leases", old, new)
    assert records["lease_id"].tolist() == ["HT-1", "HT-2"]


def test_identifiers_that_happen_to_be_numbers_are_identifiers(tmp_path: Path) -> None:
    contract = ALL["leases"]
    old = file("a", list_of(contract, "lease_id", ["4071", "4072", "4073"], "市示范局001", 2023, header="合同编号"))
    new = file("b", list_of(contract, "lease_id", ["4072"], "市示范局001", 2024, header="合同编号"))
    _, records, _ = run(tmp_path, "leases", old, new)
    assert sorted(records["lease_id"]) == ["4071", "4072", "4073"]


@pytest.mark.parametrize(("submitter", "period"), [(None, "2023"), ("市示范局001", None), (None, None)])
def test_where_submitter_or_period_is_not_known_a_number_holds_in_its_file(
    tmp_path: Path, submitter: Any, period: Any
) -> None:
    contract = ALL["disposals"]
    files = [
        file(f, list_of(contract, "disposal_id", ["1", "2"], org, 2023, submitter=submitter, period=period))
        for f, org in (("a", "市示范局001"), ("b", "市示范局002"))
    ]
    summary, _, superseded = run(tmp_path, "disposals", *files)
    assert summary.records["disposals"] == 4 and superseded.empty


def test_a_newer_file_at_the_same_address_corrects_the_rows_it_counts_alike(tmp_path: Path) -> None:
    contract = ALL["disposals"]
    old = list_of(contract, "disposal_id", ["1", "2"], "市示范局001", 2023, submitter=None, period=None)
    new = list_of(contract, "disposal_id", ["1", "2"], "市示范局001", 2023, submitter=None, period=None)
    _, records, superseded = run(
        tmp_path,
        "disposals",
        FileReading("a", "处置.xlsx", "accepted", sheets=[old]),
        FileReading("b", "处置.xlsx", "accepted", sheets=[new]),
    )
    assert records["_file"].tolist() == ["b", "b"] and len(superseded) == 2


def test_each_sheet_of_a_workbook_counts_by_itself(tmp_path: Path) -> None:
    contract = ALL["disposals"]
    sheets = [
        list_of(contract, "disposal_id", ["1", "2"], "市示范局001", 2023, name="土地"),
        list_of(contract, "disposal_id", ["1", "2"], "市示范局001", 2023, name="房屋"),
        list_of(contract, "disposal_id", ["1", "2"], "市示范局002", 2023, name="另一局"),
    ]
    summary, records, _ = run(tmp_path, "disposals", file("a", *sheets))
    assert summary.rows["quarantined"] == 0 and records["disposal_id"].is_unique and len(records) == 6


def test_a_list_that_begins_again_in_its_second_part_holds_no_duplicates(tmp_path: Path) -> None:
    contract = ALL["disposals"]
    made = list_of(contract, "disposal_id", ["1", "2", "1", "2"], "市示范局001", 2023)
    summary, records, _ = run(tmp_path, "disposals", file("a", made))
    assert summary.records["disposals"] == 4 and records["disposal_id"].is_unique


def test_a_row_twice_in_its_list_is_a_duplicate(tmp_path: Path) -> None:
    contract = ALL["disposals"]
    made = list_of(contract, "disposal_id", ["1", "2", "2", "3"], "市示范局001", 2023)
    summary, _, _ = run(tmp_path, "disposals", file("a", made))
    assert (summary.records["disposals"], summary.issues) == (3, {"duplicate_key": 1})


def test_a_counter_with_rows_left_out_is_a_counter() -> None:
    contract = ALL["disposals"]
    made = joined(file("a", list_of(contract, "disposal_id", ["1", "2", "4"], "甲局", 2023, header="编号")))
    rows = made.rows["disposals"].assign(_row=[5, 6, 8])
    counted = number(contract, rows, Sent(rank=pd.Series({"a": 0})), {})
    assert counted["disposal_id"].tolist() == ["a-1", "a-2", "a-4"]
    gaps = number(contract, rows.assign(_row=[5, 6, 7]), Sent(rank=pd.Series({"a": 0})), {})
    assert gaps["disposal_id"].tolist() == ["1", "2", "4"] and set(gaps[SCOPE]) == {""}


def test_numbers_of_canteens_stay_the_same_over_the_months_of_a_year(tmp_path: Path) -> None:
    contract = ALL["canteens"]
    march = [row(contract, 1, "市示范局001", 2023) | {"canteen_id": n, "month": "2023-03"} for n in ("1", "2")]
    april = [r | {"month": "2023-04"} for r in march]
    other = [r | {"org_name": "市示范局002"} for r in march]
    files = [
        file("m", sheet("canteens", march, "市示范局001", "2023-03")),
        file("y", sheet("canteens", [*march, *april], "市示范局001", "2023-03..2023-04")),
        file("o", sheet("canteens", other, "市示范局002", "2023-03")),
    ]
    _, records, superseded = run(tmp_path, "canteens", *files)
    assert sorted(records["canteen_id"].unique()) == ["m-1", "m-2", "o-1", "o-2"]
    assert (len(records), len(superseded)) == (6, 2), "the year's list tells of March again"


def test_a_number_that_refers_to_a_counted_row_leads_to_the_submitters_own(tmp_path: Path) -> None:
    sites, power = ALL["pv_sites"], ALL["pv_generation"]
    files = [
        file(f, list_of(sites, "site_id", ["1", "2"], org, 2023))
        for f, org in (("a", "市示范局001"), ("b", "市示范局002"))
    ]
    for f, org in (("p", "市示范局001"), ("q", "市示范局002")):
        rows = [row(power, 1, org, 2023) | {"site_id": n} for n in ("1", "2")]
        files.append(file(f, sheet("pv_generation", rows, org, "2023-03")))
    contracts = load_contracts(only=["institutions", "pv_sites", "pv_generation"])
    home = Home(tmp_path).create()
    every = (REGISTER, *files)
    summary = build(joined(*every, contracts=contracts), contracts, home, None, receipts(*every))
    records = pd.read_parquet(home.records("pv_generation"))
    assert records[["_file", "site_id"]].to_numpy().tolist() == [["p", "a-1"], ["p", "a-2"], ["q", "b-1"], ["q", "b-2"]]
    assert "doubtful" not in summary.issues or summary.rows["quarantined"] == 0
