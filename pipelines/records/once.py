"""Failures reported once for a table: calculated columns that differ from their formula, and repeated values.

Belongs here: counting them, and which of them is named. Not here: what fails (expectations/suite.py), or the failures of which each
is told by itself (words.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Rule
from expectations.expression import compute
from expectations.suite import REPEATED
from pipelines.intake.issues import EACH, finding
from pipelines.intake.messages import message_of, position_texts, shown
from pipelines.records.judge import Judged
from pipelines.records.words import NOWHERE, Place, as_text, in_cell, where_of

Where = dict[Hashable, Place]


def of_failures(judged: Judged, columns: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The issues, as tuples of `words.FIELDS`. `columns` is the frame of `Readings`."""
    contract, failures = judged.contract, judged.failures
    of_rule = dict(iter(failures.groupby("rule", sort=False)))
    calculated = [(r, of_rule[r.name]) for r in contract.rules if r.calculated and r.name in of_rule]
    repeated = [(c, of_rule[n]) for c in contract.kept if (n := f"{c.name}{REPEATED}") in of_rule]
    found = [failed for _, failed in (*calculated, *repeated)]
    if not found:
        return []
    files = judged.read["_file"].to_numpy()
    where = where_of(columns, {str(f) for failed in found for f in files[failed["position"].to_numpy()]})
    out: list[tuple[Any, ...]] = []
    for rule, failed in calculated:
        out += _calculated(judged, rule, failed, where)
    for column, failed in repeated:
        out += _repeated(judged, column, failed, where)
    return out


def _by_table(judged: Judged, failed: pd.DataFrame) -> Iterator[tuple[tuple[str, int], pd.DataFrame]]:
    """((file, table), its failures) of one rule."""
    at = judged.read.loc[failed["position"].to_numpy(), ["_file", "_table"]]
    for (f, t), group in failed.groupby([at["_file"].to_numpy(), at["_table"].to_numpy()], sort=False):
        yield (str(f), int(str(t))), group


def _calculated(judged: Judged, rule: Rule, failed: pd.DataFrame, where: Where) -> Iterator[tuple[Any, ...]]:
    """For each table the figure that is furthest, as a share of it, from what the other columns give, with the count of all."""
    column = judged.contract.column(rule.blamed)
    rows = judged.rows[["_file", "_table", *rule.columns]]
    whole = rows[rows[list(rule.columns)].notna().all(axis=1)]
    compared = whole.groupby(["_file", "_table"]).size()
    for (file, table), group in _by_table(judged, failed):
        at = group["position"].to_numpy()
        stated = judged.rows[column.name].iloc[at].to_numpy(dtype="float64")
        given = compute(str(rule.calculated), judged.rows.iloc[at]).to_numpy(dtype="float64")
        worst = int(np.argmax(_off(stated, given)))
        letter, header, unit = where.get((file, table, column.name), NOWHERE)
        words = {
            "computed": _figure(in_cell(column, float(given[worst]), unit)),
            "count": f"{len(at):,}",
            "of": f"{int(compared.get((file, table), len(at))):,}",
        }
        about = finding(
            "calculated",
            count=len(at),
            of=int(compared.get((file, table), len(at))),
            value=float(stated[worst]),
            other=float(given[worst]) if np.isfinite(given[worst]) else None,
        )
        place = (letter, header, unit)
        yield _issue(judged, column, int(at[worst]), place, "inconsistent", "calculated", words, about)


def _off(stated: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How far stated figures are from those given, as a share of these; infinitely where these are 0 or none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.abs(stated - given) / np.abs(given), nan=np.inf, posinf=np.inf)


def _figure(number: float) -> str:
    return f"{number:.6g}" if np.isfinite(number) else "—"


def _repeated(judged: Judged, column: Column, failed: pd.DataFrame, where: Where) -> Iterator[tuple[Any, ...]]:
    """For each table its values that have come before, each with where; of many only the first, with their count."""
    read = judged.read
    for (file, table), group in _by_table(judged, failed):
        many = len(group) > EACH
        place = where.get((file, table, column.name), NOWHERE)
        for at, first in group[["position", "first"]].head(1 if many else EACH).itertuples(index=False):
            row, sheet = int(read["_row"].iloc[first]), str(read["_sheet"].iloc[first])
            elsewhere = sheet != str(read["_sheet"].iloc[at])
            words = {
                "first": f"工作表“{sheet}”第 {row} 行" if elsewhere else f"第 {row} 行",
                "first_en": f"row {row} of sheet '{sheet}'" if elsewhere else f"row {row}",
                "count": f"{len(group):,}",
            }
            about = finding("repeated", count=len(group) if many else 1)
            variant = "repeated_often" if many else "repeated"
            yield _issue(judged, column, int(at), place, "doubtful", variant, words, about)


def _issue(
    judged: Judged, column: Column, at: int, place: Place, code: str, variant: str, words: dict[str, str], about: str
) -> tuple[Any, ...]:
    """One warning about the cell of a column in the row at a position."""
    file, table, sheet, row = judged.read[["_file", "_table", "_sheet", "_row"]].iloc[at]
    letter, header, unit = place
    cell = f"{letter}{row}" if letter else None
    value = as_text(in_cell(column, judged.read[column.name].iloc[at], unit))
    hidden = column.access not in ("L0", "L1")
    if hidden:
        words = {**words, "computed": "***"}
    zh, en = message_of(
        code,
        variant,
        value="***" if hidden else shown(value or ""),
        **words,
        **position_texts(int(row), header or column.header_zh, cell),
    )
    raw = None if hidden else value
    return (file, int(table), sheet, int(row), column.name, cell, code, "warning", raw, zh, en, "department", about)
