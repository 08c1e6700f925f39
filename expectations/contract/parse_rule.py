"""Parses the rules of a contract and the references they may follow.

Belongs here: `relationships` and `quality` of the ODCS file. Not here: the language of a rule (expectations/expression.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from expectations.contract.contract_file import ContractFile
from expectations.contract.model import Column, Reference, Rule
from expectations.expression import Parsed, parse
from pipelines.core.issue_codes import ISSUE_CODES

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, SchemaProperty

OF_RULE = ("code", "messageZh")
CODES = tuple(name for name, code in ISSUE_CODES.items() if code.rule)  # those that a rule may name
# Prefix of a joined column in a rule -> the columns behind it; None where only another contract or the city lists them.
Prefixes = Mapping[str, set[str] | None]


def parse_references(file: ContractFile, p: SchemaProperty, kept: set[str]) -> Iterator[Reference]:
    """Yield the references that start at one column; `kept` are the names of the columns a record has."""
    for r in p.relationships or []:
        to = r.to if isinstance(r.to, str) else ""
        table, _, target = to.rpartition(".")
        if r.from_ is not None or not re.fullmatch(r"(?:city\.)?[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", to):
            raise file.error(
                f"column '{p.name}': relationship to {r.to!r} must be written to: <dataset>.<column>, "
                "or to: city.<table>.<column>, under the column it starts from."
            )
        if p.name not in kept:
            raise file.error(f"column '{p.name}' is of level L3 and never kept; take its relationship away.")
        yield Reference(str(p.name), table, target)


def prefixes(
    file: ContractFile, key: tuple[str, ...], columns: tuple[Column, ...], references: tuple[Reference, ...]
) -> Prefixes:
    """The prefixes that rules of this contract may use. Raises ContractError where two references share one."""
    out: dict[str, set[str] | None] = {"city": None}
    named = [r.name for r in references]
    if twice := [n for n in named if named.count(n) > 1 or n in ("previous", "city")]:
        raise file.error(f"two relationships lead to '{twice[0]}', or its name is taken; keep one.")
    out |= dict.fromkeys(named)
    kinds = {c.name: c.kind for c in columns}
    if len(key) > 1 and any(kinds[k] in ("year", "month") for k in key):
        out["previous"] = {c.name for c in columns if c.kept}
    return out


def parse_rule(file: ContractFile, q: DataQuality, kept: set[str], joined: Prefixes) -> Rule:
    """Return the rule; `kept` are the names of the columns a record has. Raises ContractError."""
    where = f"rule '{q.name}'"
    own = file.properties(q.customProperties, OF_RULE, where)
    impl = q.implementation if isinstance(q.implementation, dict) else {}
    if q.type != "custom" or q.engine != "greatExpectations" or impl.get("type") != "expect_rows_to_satisfy":
        raise file.error(
            f"{where} must be of type custom, engine greatExpectations, implementation.type expect_rows_to_satisfy."
        )
    expression = str((impl.get("kwargs") or {}).get("expression") or "")
    parsed = _expression(file, expression, kept, joined, where)
    code = str(own.get("code") or "")
    if code not in CODES:
        raise file.error(f"{where}: custom property code is {code!r}; use one of {', '.join(CODES)}.")
    if q.severity not in ("error", "warning"):
        raise file.error(f"{where}: severity is {q.severity!r}; write error or warning.")
    if not q.name or not own.get("messageZh"):
        raise file.error(f"{where}: a rule needs a name and a messageZh, what the department is told.")
    return Rule(
        name=q.name,
        expression=expression,
        columns=parsed.own,
        code=code,
        severity=q.severity,  # type: ignore[arg-type]
        message_zh=str(own["messageZh"]),
        message_en=q.description or q.name,
    )


def parse_calculated(file: ContractFile, p: SchemaProperty, columns: dict[str, Column]) -> Rule | None:
    """Return the rule that holds a calculated column against what the others give; None where it is not calculated.

    It is written `calculated: {as: <expression over other columns>, tolerance: <share of the stated value>}`. Raises ContractError.
    """
    raw = next((c.value for c in p.customProperties or [] if c.property == "calculated"), None)
    if raw is None:
        return None
    where, name = f"column '{p.name}'", str(p.name)
    if not isinstance(raw, dict) or set(raw) - {"as", "tolerance"} or not isinstance(raw.get("as"), str):
        raise file.error(
            f"{where}: calculated is {raw!r}; write {{as: <expression>, tolerance: <share, such as 0.01>}}."
        )
    column, tolerance = columns[name], file.number(raw.get("tolerance", 0), f"{where}: tolerance")
    if tolerance is None or not 0 <= tolerance < 1 or not column.kept or column.kind not in ("decimal", "integer"):
        raise file.error(
            f"{where}: calculated needs a column of numbers that is kept, and a tolerance from 0 to below 1."
        )
    whole = f"follows({name}, {raw['as']}, {tolerance} * abs({name}))"
    numbers = {c.name for c in columns.values() if c.kept and c.kind in ("decimal", "integer")}
    used = _expression(file, whole, numbers, {}, where)
    if used.own.count(name) != 1 or name in parse(raw["as"]).own:
        raise file.error(f"{where}: calculated names the column itself; write it over the others.")
    return Rule(
        name=f"{name}.calculated",
        expression=whole,
        columns=used.own,
        code="inconsistent",
        severity="warning",
        message_zh=f"“{column.header_zh}”应与由其他各列算出的数一致。",
        message_en=f"'{column.title_en}' should be what the other columns give.",
        calculated=raw["as"],
    )


def _expression(file: ContractFile, expression: str, kept: set[str], joined: Prefixes, where: str) -> Parsed:
    try:
        parsed = parse(expression)
    except SyntaxError as e:
        raise file.error(
            f"{where}: expression {expression!r} cannot be used ({e.msg}); compare columns, e.g. end_on >= start_on."
        ) from None
    unknown = sorted(set(parsed.own) - kept)
    if not parsed.own or unknown:
        what = f"names no column that is kept: {', '.join(unknown)}" if unknown else "names no column"
        raise file.error(f"{where}: expression {expression!r} {what}; use columns of level L0, L1 or L2.")
    for name in parsed.referenced:
        prefix, _, column = name.partition(".")
        if prefix not in joined or column not in (joined[prefix] or {column}):
            raise file.error(
                f"{where}: '{name}' leads nowhere; write previous.<column> (where the key holds a year or a month), "
                "city.<limit>, or <dataset>.<column> with a relationship to that dataset."
            )
    return parsed
