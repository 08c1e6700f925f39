"""Spoils some rows on purpose, each with the code a right reading gives it.

Belongs here: one wrong value a row, found from the contract alone. Not here: rows that totals need (they are not spare),
files that are wrong as a whole (make.py).
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from expectations.contract import Column, Contract
from pipelines.sample.formats import BROKEN
from pipelines.sample.world import Draft, Row

UNREADABLE = ("约数不详", "见附件", BROKEN)
UNSETTLED = "待核实"  # as good as empty in a column that may be empty
NOBODY = ("市示范临时筹备处", "原示范联络站", "示范筹建办公室")
ELSEWHERE = "其他情形甲"


def spoil(draft: Draft, contract: Contract, turn: int, most: int, r: random.Random) -> int:
    """Spoils up to `most` spare rows of a draft and doubles one row; gives how many kinds of wrong it went through.

    `turn` picks the kind: callers count it up, so that every kind a contract allows comes up in time.
    """
    ways = _mixed(_ways(contract, draft.org is not None))
    spare = [x for x in draft.rows if (x.spare or x.extra) and x.bad is None]
    done = 0
    for row in r.sample(spare, min(len(spare), most)):
        for _ in ways:
            column, code = ways[(turn + done) % len(ways)]
            done += 1
            if _apply(row, contract, column, code, r):
                break
    draft.rows = [x for x in draft.rows if x.bad or not x.extra]
    sound = [i for i, x in enumerate(draft.rows) if x.bad is None and x.counts]
    if sound and contract.key and r.random() < 0.3:
        at = r.choice(sound)
        twin = Row(dict(draft.rows[at].values), bad=("*", "duplicate_key"), counts=False)
        draft.rows.insert(at + 1, twin)
    return done


def _mixed(ways: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The ways with each code in turn, so that a few rows show many codes."""
    rounds: dict[str, int] = defaultdict(int)
    ranked = []
    for way in ways:
        rounds[way[1]] += 1
        ranked.append((rounds[way[1]], way))
    return [way for _, way in sorted(ranked, key=lambda x: x[0])]


def _ways(contract: Contract, alone: bool) -> Iterator[tuple[str, str]]:
    """Every (column or rule, code) that can go wrong in a row of a contract, required columns before optional ones.

    `alone`: the sheet is about one institution, whose name it may state once.
    """
    for c in sorted(contract.columns, key=lambda c: not c.required):
        number = c.kind in ("integer", "decimal")
        if c.required and c.stated is None and not c.institution:
            yield c.name, "missing_required"
        if number or c.kind in ("date", "month"):
            yield c.name, "bad_type"
        if number and ((c.minimum is not None and c.minimum >= 0) or c.exclusive_minimum is not None):
            yield c.name, "out_of_range"
        if c.values and not c.subset:
            yield c.name, "not_in_list"
        if c.check and c.required:
            yield c.name, "bad_check_digit"
        if c.institution == "name" and not contract.register and not alone:
            yield c.name, "unknown_institution"
    for rule in contract.rules:
        if rule.severity == "error" and _compared(rule.expression):
            yield rule.expression, rule.code


def _apply(row: Row, contract: Contract, column: str, code: str, r: random.Random) -> bool:
    """Makes one wrong. False where the row has nothing to spoil there."""
    if code in ("date_order", "inconsistent"):
        return _contradict(row, column, code)
    c = contract.column(column)
    if row.values.get(column) is None or (row.extra and _stays(c, code)):
        return False
    match code:
        case "missing_required":
            row.values[column] = None
        case "bad_type":
            row.spelled[column] = r.choice((*UNREADABLE, UNSETTLED) if c.required else UNREADABLE)
        case "out_of_range":
            row.spelled[column] = -7
        case "not_in_list":
            row.spelled[column] = ELSEWHERE
        case "bad_check_digit":
            text = str(row.values[column])
            row.values[column] = text[:-1] + ("1" if text[-1] != "1" else "2")
        case "unknown_institution":
            row.values[column] = r.choice(NOBODY)
    row.bad, row.counts = (column, code), _stays(c, code)
    if row.counts:
        row.values[column] = None  # the cell is lost, the row is not
    return True


def _stays(c: Column, code: str) -> bool:
    """Whether the row becomes a record without the cell: an optional column that cannot be read or is out of bounds."""
    return not c.required and code in ("bad_type", "out_of_range", "not_in_list")


def _compared(expression: str) -> tuple[str, str, str] | None:
    m = re.fullmatch(r"(\w+) (>=|<=|>) (\w+)", expression)
    return (m[1], m[2], m[3]) if m else None


def _contradict(row: Row, expression: str, code: str) -> bool:
    """Turns `a >= b` or `a <= b` over two columns round, by moving a."""
    found = _compared(expression)
    assert found is not None
    a, sign, b = found
    x, y = row.values.get(a), row.values.get(b)
    up = sign == "<="
    if isinstance(x, dt.date) and isinstance(y, dt.date):
        row.values[a] = y + dt.timedelta(days=30 if up else -30)
    elif isinstance(x, int | Decimal) and isinstance(y, int | Decimal) and y > 0:
        row.values[a] = y * 2 if up else y // 2
    else:
        return False
    row.bad, row.counts = (a, code), False
    return True
