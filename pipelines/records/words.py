"""Issues of the failures of a suite: position, value and message in both languages.

Belongs here: filling the texts of pipelines/intake/messages.py from a contract and a failing row. Not here: the texts, or
which failures there are (judge.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from expectations.contract import Column, Contract, Contracts, unit_key
from expectations.suite import LARGEST, REPEATED
from pipelines.intake.issues import finding
from pipelines.intake.messages import EXPECTED, message_of, position_texts, shown
from pipelines.records import doubts
from pipelines.records.divisions import Divisions
from pipelines.records.institutions import Register
from pipelines.records.judge import Judged

Place = tuple[str | None, str | None, str | None]
FIELDS = [
    "file_id", "table", "sheet", "row", "column", "cell", "code", "severity", "raw_value", "message_zh", "message_en",
    "responsibility", "finding",
]  # fmt: skip


def of_failures(
    judged: Judged, columns: pd.DataFrame, register: Register | None, divisions: Divisions, contracts: Contracts
) -> list[tuple[Any, ...]]:
    """One tuple of `FIELDS` for each failure but those of `told_once`. `columns` is the frame of `Readings`: letter, header and unit of a column."""
    contract, failures, read = judged.contract, judged.failures, judged.read
    failures = failures[~failures["rule"].isin(reported_once(contract))]
    if failures.empty:
        return []
    at = failures["position"].to_numpy()
    files, tables = read["_file"].to_numpy()[at], read["_table"].to_numpy()[at]
    sheets, rows = read["_sheet"].to_numpy()[at], read["_row"].to_numpy()[at]
    where = where_of(columns, set(files))
    firsts = failures["first"].astype("float64").fillna(-1).to_numpy().astype("int64")
    first_rows, first_sheets = read["_row"].to_numpy()[firsts], read["_sheet"].to_numpy()[firsts]
    out = []
    for n, (name, code, severity, rule) in enumerate(
        zip(failures["column"], failures["code"], failures["severity"], failures["rule"], strict=True)
    ):
        c = contract.by_name.get(name) if isinstance(name, str) else None
        letter, header, unit = where.get((files[n], int(tables[n]), name), NOWHERE) if c else NOWHERE
        row = int(rows[n])
        cell = f"{letter}{row}" if letter else None
        value = None if c is None else as_text(in_cell(c, read[c.name].array[at[n]], unit))
        hidden = c is not None and c.access not in ("L0", "L1")
        if rule == "key":
            first, where_first = int(first_rows[n]), str(first_sheets[n])
            spot = position_texts(row, None, None) | {"where_en": f"Row {row}"}
            zh, en = message_of("duplicate_key", first=first, **_keys(contract), **spot)
            if where_first != sheets[n]:
                zh = zh.replace(f"与第 {first} 行", f"与工作表“{where_first}”第 {first} 行", 1)
                en = en.replace(f"repeats row {first}", f"repeats row {first} of sheet '{where_first}'", 1)
        else:
            spot = position_texts(row, header or (c.header_zh if c else None), cell)
            if c is not None and rule == f"{c.name}.reference":
                zh, en = _unknown_reference(contract, c, value, hidden, spot, contracts)
            else:
                number = _number_of(read[c.name].array[at[n]]) if c is not None else None
                zh, en = _message(contract, c, code, rule, value, number, unit, hidden, spot, register, divisions)
        out.append(
            (
                files[n],
                int(tables[n]),
                sheets[n],
                row,
                name if c else None,
                cell,
                code,
                severity,
                None if hidden else value,
                zh,
                en,
                "department",
                finding("rule", rule=rule) if any(r.name == rule for r in contract.rules) else None,
            )
        )
    return out


def reported_once(contract: Contract) -> frozenset[str]:
    """The rules whose failures are told together for each table: see once.py."""
    calculated = {r.name for r in contract.rules if r.calculated}
    return frozenset(calculated | {f"{c.name}{REPEATED}" for c in contract.kept if c.distinct})


def no_register(judged: Judged) -> list[tuple[Any, ...]]:
    """One warning for each sheet whose names nobody could look up, because no register has come yet."""
    c = judged.contract.institution_name
    if c is None or judged.contract.register:
        return []
    zh, en = message_of("unknown_institution", "no_register")
    sheets = judged.read[["_file", "_table", "_sheet"]].drop_duplicates()
    return [
        (f, int(t), s, None, c.name, None, "unknown_institution", "warning", None, zh, en, "bureau", None)
        for f, t, s in sheets.itertuples(index=False)
    ]


def renamed(judged: Judged, columns: pd.DataFrame) -> list[tuple[Any, ...]]:
    """A warning for each row of the register whose name another year's row of the same code has replaced."""
    c = judged.contract.institution_name
    if c is None:
        return []
    read, now = judged.read[c.name], judged.rows[c.name]
    at = np.flatnonzero(judged.accepted & (read.notna() & (read != now)).to_numpy())
    where = where_of(columns, set(judged.read["_file"].to_numpy()[at]))
    out = []
    for n in at:
        f, t, s, row = judged.read[["_file", "_table", "_sheet", "_row"]].iloc[n]
        letter, header, _ = where.get((f, int(t), c.name), NOWHERE)
        cell = f"{letter}{row}" if letter else None
        zh, en = message_of(
            "doubtful",
            message=f"填的是“{shown(read.iloc[n])}”，而同一信用代码在最近一年的名录里是“{shown(now.iloc[n])}”，已按后者归并；如不是同一单位，请更正信用代码。",
            message_en=f"the same credit code is called '{shown(now.iloc[n])}' in the latest register; both were taken as one.",
            **position_texts(int(row), header or c.header_zh, cell),
        )
        out.append(
            (f, int(t), s, int(row), c.name, cell, "doubtful", "warning", read.iloc[n], zh, en, "department", None)
        )
    return out


def two_institutions(judged: Judged, columns: pd.DataFrame, register: Register) -> list[tuple[Any, ...]]:
    """A warning for each accepted row whose name and credit code are those of two institutions; it counts for the name's."""
    name, code = judged.contract.institution_name, judged.contract.institution_code
    if name is None or code is None or judged.contract.register:
        return []
    # Both are few beside the rows: each pair is looked at once.
    pairs = judged.rows[[name.name, code.name]]
    (of_name, names), (of_code, codes) = (pd.factorize(pairs[n]) for n in (name.name, code.name))
    several, at = np.unique((of_name + 1) * (len(codes) + 1) + of_code + 1, return_inverse=True)
    other: list[str | None] = []
    for n, c in zip(*divmod(several, len(codes) + 1), strict=True):
        known = n > 0 and c > 0 and names[n - 1] in register.names
        found = register.name_of(str(codes[c - 1])) if known else None
        other.append(found if found is not None and found != names[n - 1] else None)
    odd = np.array([o is not None for o in other], dtype=bool)
    where_odd = np.flatnonzero(judged.accepted & odd[at]) if len(several) else np.array([], dtype="int64")
    where = where_of(columns, set(judged.read["_file"].to_numpy()[where_odd]))
    out = []
    for i in where_odd:
        f, t, s, row = judged.read[["_file", "_table", "_sheet", "_row"]].iloc[i]
        letter, header, _ = where.get((f, int(t), code.name), NOWHERE)
        cell = f"{letter}{row}" if letter else None
        value, mine, its = str(judged.read[code.name].iloc[i]), str(pairs[name.name].iloc[i]), str(other[at[i]])
        zh, en = message_of(
            "doubtful",
            message=f"填的是“{shown(value)}”，在名录里是“{shown(its)}”的代码，而这一行的单位是“{shown(mine)}”；已按单位名称计入，请核对名称和代码。",
            message_en=f"'{shown(value)}' is the code of '{shown(its)}' while the row names '{shown(mine)}'; it was counted for the name, check both.",
            **position_texts(int(row), header or code.header_zh, cell),
        )
        raw = value if code.access in ("L0", "L1") else None
        out.append((f, int(t), s, int(row), code.name, cell, "doubtful", "warning", raw, zh, en, "department", None))
    return out


def of_doubts(
    contract: Contract, records: pd.DataFrame, columns: pd.DataFrame, names: pd.Series
) -> list[tuple[Any, ...]]:
    """A warning for each thing that a person would doubt beside other years. `records` are those in force, `names` the files'."""
    where = where_of(columns, set(records["_file"]))
    return [
        (
            d.file, d.table, d.sheet, d.row, d.column, d.cell, "doubtful", "warning",
            as_text(in_cell(contract.column(d.column), d.value, where.get((d.file, d.table, d.column), NOWHERE)[2])),
            d.message_zh, d.message_en, "department", d.finding,
        )
        for d in doubts.find(contract, records.reset_index(drop=True), {str(f): str(n) for f, n in names.items()}, where)
    ]  # fmt: skip


NOWHERE: Place = (None, None, None)


def where_of(columns: pd.DataFrame, files: set[str]) -> dict[Hashable, Place]:
    """(file, table, column) -> (letter, header, unit that the header gives)."""
    mine = columns[columns["file_id"].isin(files) & columns["column"].notna() & columns["table"].notna()]
    return {
        (f, int(t), c): (letter, header, unit if isinstance(unit, str) else None)
        for f, t, c, letter, header, unit in mine[
            ["file_id", "table", "column", "letter", "header", "unit"]
        ].itertuples(index=False)
    }


def in_cell(c: Column, value: Any, unit: str | None) -> Any:
    """A number as the cell has it, where its header gives a unit other than the contract's: -5 万kWh, not -50000 kWh."""
    factor = c.units.get(unit_key(unit)) if unit else None
    number = _number_of(value)
    if number is None or not factor or factor == 1:
        return value
    return float((Decimal(repr(number)) / factor).normalize())


def _number_of(value: Any) -> float | None:
    known = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool) and value == value
    return float(value) if known else None


def _unknown_reference(
    contract: Contract, c: Column, value: str | None, hidden: bool, spot: dict[str, str], contracts: Contracts
) -> tuple[str, str]:
    """A value that refers to a row which the other dataset does not have."""
    other = contracts[next(r.table for r in contract.references if r.column == c.name)]
    value_shown = "***" if hidden else shown(value or "")
    return message_of(
        "doubtful",
        message=f"填的是“{value_shown}”，而“{other.title_zh}”里没有这个编号；请核对编号，或先报送“{other.title_zh}”。",
        message_en=f"'{value_shown}' is not in '{other.title_en}'; check the number, or send that dataset first.",
        **spot,
    )


def _keys(contract: Contract) -> dict[str, str]:
    named = [contract.column(k) for k in contract.key]
    return {
        "keys": "、".join(c.header_zh for c in named),
        "keys_en": ", ".join(c.title_en.lower() for c in named),
    }


def _message(
    contract: Contract,
    c: Column | None,
    code: str,
    rule: str,
    value: str | None,
    number: float | None,
    unit: str | None,
    hidden: bool,
    spot: dict[str, str],
    register: Register | None,
    divisions: Divisions,
) -> tuple[str, str]:
    fields: dict[str, Any] = {**spot, "value": "***" if hidden else shown(value if value is not None else "")}
    row_rule = next((r for r in contract.rules if r.name == rule), None)
    if row_rule is not None:
        # A rule may bear a code whose own text is about one cell; its author's sentence stands in any case.
        return message_of("inconsistent", message="：" + row_rule.message_zh, message_en=row_rule.message_en, **fields)
    assert c is not None  # every expectation that is neither a rule nor the key is over one column
    variant = "hidden" if hidden else None
    if code == "not_in_list":
        allowed = list(c.values) or [divisions.names[code] for code in sorted(divisions.codes)]
        return message_of(code, variant, allowed="、".join(allowed), **fields)
    if code == "out_of_range":
        zh, en = _range(c, number)
        if number is not None and value is not None and not hidden and c.unit:
            # Read in the contract's unit: said, where the sheet writes another, or may have stated another once.
            fields["value"] = _in_units(c, value, number, unit)
        return message_of(code, variant, allowed=zh, **fields)[0], message_of(code, variant, allowed=en, **fields)[1]
    if code == "unknown_institution":
        near = register.nearest(value) if register is not None and value else []
        return message_of(
            code,
            nearest=f"（相近的有：{'、'.join(near)}）" if near else "",
            nearest_en=f" (nearest: {', '.join(near)})" if near else "",
            **fields,
        )
    if rule.endswith(".organisation_check"):
        return message_of("bad_check_digit", "inner", **fields)
    if code == "bad_type":
        expected, expected_en, example = EXPECTED[c.kind]
        return message_of(code, variant, expected=expected, expected_en=expected_en, example=example, **fields)
    return message_of(code, **fields)


def _in_units(c: Column, value: str, number: float, unit: str | None) -> str:
    factor = c.units.get(unit_key(unit)) if unit else None
    if factor is None or factor == 1:
        return f"{value} {c.unit}"
    return f"{value} {unit}（{as_text(number)} {c.unit}）"


def _range(c: Column, number: float | None) -> tuple[str, str]:
    """The range of a column in words, e.g. '不小于 0 kWh'."""
    unit = f" {c.unit}" if c.unit else ""
    low = _number(c.minimum) or c.minimum_text
    high = _number(c.maximum) or c.maximum_text
    if number is not None and abs(number) > LARGEST and (high is None if number > 0 else low is None):
        most = _number(LARGEST if number > 0 else -LARGEST)
        return (
            (f"不大于 {most}{unit}", f"at most {most}{unit}")
            if number > 0
            else (f"不小于 {most}{unit}", f"at least {most}{unit}")
        )
    if c.exclusive_minimum is not None:
        least = _number(c.exclusive_minimum)
        if high is not None:
            return f"大于 {least}、不大于 {high}{unit}", f"above {least}, at most {high}{unit}"
        return f"大于 {least}{unit}", f"above {least}{unit}"
    if low is not None and high is not None:
        return f"{low} 至 {high}{unit}", f"{low} to {high}{unit}"
    if low is not None:
        return f"不小于 {low}{unit}", f"at least {low}{unit}"
    return f"不大于 {high}{unit}", f"at most {high}{unit}"


def _number(value: Any) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def as_text(value: Any) -> str | None:
    """A value as it was read, as text; None where the cell was empty."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, bool | np.bool_):
        return "是" if value else "否"
    if isinstance(value, float | np.floating):
        return np.format_float_positional(value, trim="-")
    if isinstance(value, pd.Timestamp | dt.datetime):
        return f"{value:%Y-%m-%d}"
    return str(value)
