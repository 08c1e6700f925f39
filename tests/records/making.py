"""Makes readings by hand, as reading a department's file would give them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from expectations.contract import Column, Contracts, load_contracts
from expectations.uscc import check_character
from pipelines.core.home import Home
from pipelines.intake.model import FileReading, Issue, MappedColumn, SheetReading
from pipelines.intake.readings import Readings, from_file_readings
from pipelines.records.build import build
from pipelines.sources.ledger import Receipt

CONTRACTS: Contracts = load_contracts()


def uscc(n: int) -> str:
    """A credit code with a right last character, of an institution that does not exist."""
    first = f"11430200{n:08d}"
    rest = -sum(int(c) * w for c, w in zip(f"{n:08d}", (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    first += "X" if rest == 10 else str(rest)
    last = check_character(first)
    assert last is not None
    return first + last


def sheet(
    dataset: str,
    rows: Sequence[dict[str, Any]],
    submitter: str | None = None,
    period: str | None = None,
    name: str = "Sheet1",
    first: int = 4,
    explained: int = 3,
    refused: int = 0,
    issues: Sequence[Issue] = (),
) -> SheetReading:
    """One table whose data begins in spreadsheet row `first`; every column that a row names stands in the sheet."""
    contract = CONTRACTS[dataset]
    there = [c for c in contract.columns if any(c.name in r for r in rows)]
    last = first + max(len(rows) - 1, 0)
    return SheetReading(
        sheet=name,
        dataset=dataset,
        submitter=submitter,
        period=period,
        rows_read=len(rows) + explained + refused,
        rows_explained=explained,
        refused=refused,
        rows=list(range(first, first + len(rows))),
        values={c.name: [_value(c, r.get(c.name)) for r in rows] for c in contract.kept},
        columns=[MappedColumn(c.name, c.header_zh, chr(65 + n), None, first, last) for n, c in enumerate(there)],
        issues=list(issues),
    )


def _value(column: Column, value: Any) -> Any:
    """A date may be written as text here; reading gives dates."""
    return dt.date.fromisoformat(value) if column.kind == "date" and isinstance(value, str) else value


def file(file_id: str, *sheets: SheetReading, status: Any = "accepted", **more: Any) -> FileReading:
    return FileReading(file_id, f"{file_id}.xlsx", status, sheets=list(sheets), **more)


def joined(*files: FileReading, contracts: Contracts = CONTRACTS) -> Readings:
    return from_file_readings(files, contracts)


def receipts(*files: FileReading) -> dict[str, Receipt]:
    """Receipts a day apart, in the order given."""
    return {
        f.file_id: Receipt(
            f.file_id, f.name, f"file:///inbox/{f.name}", f"2026-01-{n:02d}T00:00:00Z", f"2026-02-{n:02d}T08:00:00Z"
        )
        for n, f in enumerate(files, 1)
    }


def unread(sheet_name: str, row: int, column: str, quarantines: bool) -> Issue:
    return Issue(
        sheet_name, row, column, None, "bad_type", "error", "两个", "读不成", "unreadable", quarantines=quarantines
    )


def institution(n: int, year: int = 2021, **more: Any) -> dict[str, Any]:
    return {
        "uscc": uscc(n),
        "org_name": f"市示范局{n:03d}",
        "year": year,
        "org_type": "党政机关",
        "admin_level": "市",
        "division_code": "430200",
        "energy_population": 100,
        "floor_area": 5000.0,
    } | more


def energy(n: int, month: str, **more: Any) -> dict[str, Any]:
    return {"org_name": f"市示范局{n:03d}", "month": month, "electricity": 1000.0, "water": 50.0} | more


def intake(home: Home, name: str) -> pd.DataFrame:
    return pd.read_parquet(home.table("intake", name))


def assert_every_row_is_accounted_for(home: Home) -> None:
    account = intake(home, "sheets")
    parts = account["rows_accepted"] + account["rows_quarantined"] + account["rows_explained"]
    assert (account["rows_read"] == parts).all()


def issues_of(folder: Path, found: Contracts, *files: FileReading) -> pd.DataFrame:
    """The issues of records built from these files in the home `folder`/home."""
    home = Home(folder / "home").create()
    build(joined(*files, contracts=found), found, home, None, receipts(*files))
    return pd.read_parquet(home.table("intake", "issues"))
