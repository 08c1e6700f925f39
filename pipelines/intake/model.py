"""The result of reading one file, as plain data: it passes from a child process to the parent and into the cache.

Belongs here: the shapes and their few invariants. Not here: how they are made (reader.py) or kept (cache.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

FileStatus = Literal["accepted", "partial", "rejected"]
SheetStatus = Literal["accepted", "partial", "rejected", "ignored"]
Severity = Literal["error", "warning"]
Responsibility = Literal["department", "bureau"]


@dataclass(slots=True)
class Issue:
    """One issue. `row` is 1-based as a spreadsheet shows it, `cell` like `C7`; both None for a whole file.

    `raw_value` is what stood in the cell, and None where the column is of level L2 or L3. `quarantines`: the row does
    not become a record. `finding`: what it says about the figures of a table, for those who read them (`issues.finding`).
    """

    sheet: str
    row: int | None
    column: str | None
    cell: str | None
    code: str
    severity: Severity
    raw_value: str | None
    message_zh: str
    message_en: str
    responsibility: Responsibility = "department"
    quarantines: bool = False
    finding: str | None = None


@dataclass(slots=True)
class MappedColumn:
    """The position of a contract's column in a sheet. `letter` like `C`; rows are 1-based and inclusive.

    `column` is None for a header nobody mapped. `unit` is as the sheet writes it, None where it writes none.
    """

    column: str | None
    header: str
    letter: str
    unit: str | None
    first_row: int
    last_row: int


@dataclass(slots=True)
class SheetReading:
    """One sheet (or one table of a sheet) and the values of its data rows, column by column.

    `values[column][i]` belongs to spreadsheet row `rows[i]`; every column of the contract that may be kept is there, with
    None where a cell is empty or was not readable. Types: str, int, float, bool, datetime.date; a month is 'YYYY-MM'. Of a large
    table columns are `Packed`, and `rows` a range.
    `period` is '2021', '2021-03', '2021-03..2021-05', '2021..2023' or None. Rows that were refused are counted but are not in `rows`.
    `rows_read == len(rows) + refused + rows_explained`.
    """

    sheet: str
    dataset: str | None = None
    submitter: str | None = None
    period: str | None = None
    status: SheetStatus = "accepted"
    reason: str | None = None
    rows_read: int = 0
    rows_explained: int = 0
    refused: int = 0
    rows: Sequence[int] = field(default_factory=list)
    values: dict[str, Sequence[Any]] = field(default_factory=dict)
    columns: list[MappedColumn] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@dataclass(slots=True)
class FileReading:
    """The reading of one file. `reason` is an issue code where nothing was accepted; `synthetic`: the file is marked as made-up."""

    file_id: str
    name: str
    status: FileStatus
    reason: str | None = None
    synthetic: bool = False
    sheets: list[SheetReading] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)  # those of the whole file
