"""Joins the blocks of one table: tables of a file with the same keys, each with other columns.

Belongs here: which rows belong together, and the account of both. Not here: finding tables (layout), or rows of several files (records).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from expectations.contract import Contract
from expectations.expression import HALF
from pipelines.intake.model import SheetReading


def join(contract: Contract, sheets: Sequence[SheetReading]) -> None:
    """Move the values of each later block into the rows of an earlier one with the same key; what was moved counts as explained.

    A row whose key no earlier block has, or whose column an earlier block has already, stays a row of its own.
    """
    blocks: list[SheetReading] = []
    for sheet in sheets:
        for block in blocks:
            if not _columns(contract, block) & _columns(contract, sheet) and sheet.period in (None, block.period):
                _move(contract, sheet, block)
        if len(sheet.rows):
            blocks.append(sheet)


def _columns(contract: Contract, sheet: SheetReading) -> set[str]:
    """The columns that a block has, beside the key and what it states once."""
    own = {c.column for c in sheet.columns if c.column}
    return {c.name for c in contract.kept if c.name in own and c.name not in contract.key and c.stated is None}


def _keys(contract: Contract, sheet: SheetReading) -> list[tuple[Any, ...]]:
    return list(zip(*(sheet.values[k] for k in contract.key), strict=True))


def _move(contract: Contract, sheet: SheetReading, block: SheetReading) -> None:
    keys, own = _keys(contract, block), _keys(contract, sheet)
    count, again = Counter(keys), Counter(own)
    where = {key: k for k, key in enumerate(keys) if None not in key and count[key] == 1}
    moved = {k: where[key] for k, key in enumerate(own) if key in where and again[key] == 1}
    if not moved:
        return
    columns = _columns(contract, sheet)
    names = [n for n in sheet.values if n.removesuffix(HALF) in columns]
    for name in names:
        values = list(block.values.get(name, [None] * len(block.rows)))
        for k, at in moved.items():
            values[at] = sheet.values[name][k]
        block.values[name] = values
    stay = [k for k in range(len(sheet.rows)) if k not in moved]
    sheet.values = {n: [v[k] for k in stay] for n, v in sheet.values.items()}
    sheet.rows = [sheet.rows[k] for k in stay]
    sheet.rows_explained += len(moved)
