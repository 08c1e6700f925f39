"""Builds the issues of a sheet: message, names of cells and columns, and values as displayed.

Belongs here: the shape of one issue. Not here: the texts of messages (messages.py), or when there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.intake.messages import message_of, shown
from pipelines.intake.model import Issue, Severity
from pipelines.intake.sheets import Fault

EACH = 10  # more things of one kind in one column of a sheet are told as one


def issue(
    sheet: str,
    code: str,
    severity: Severity,
    variant: str | None = None,
    words: Mapping[str, str] | None = None,
    *,
    row: int | None = None,
    column: str | None = None,
    cell: str | None = None,
    raw: str | None = None,
    quarantines: bool = False,
    finding: str | None = None,
) -> Issue:
    zh, en = message_of(code, variant, **{"row": row, "cell": cell or "", **(words or {})})
    return Issue(sheet, row, column, cell, code, severity, raw, zh, en, "department", quarantines, finding)


def finding(kind: str, **facts: str | float | None) -> str:
    """What an issue says about the figures of a table, as JSON: its `kind`, and numbers in the contract's units.

    `count`: how many cells or rows it is about, 1 where it is not given; `of`: how many were looked at. The sentence of a
    kind is in publish/wording.toml.
    """
    return json.dumps({"kind": kind, **facts}, sort_keys=True, ensure_ascii=False)


def as_shown(value: Any) -> str:
    """The text of a cell: a whole number without the .0 of the file format."""
    if type(value) is float:
        return f"{value:.15g}" if abs(value) < 1e15 else f"{value:.0f}"
    if type(value) is Fault:
        return shown(value.text, 200)
    return shown(value, 200)


def ranges(numbers: Iterable[int]) -> str:
    """3—5、8: row numbers as a message shows them."""
    out: list[list[int]] = []
    for n in sorted(numbers):
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return "、".join(str(a) if a == b else f"{a}—{b}" for a, b in out[:20])
