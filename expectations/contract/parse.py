"""Parses one contract: an ODCS file in YAML to a `Contract`, or one sentence about the mistake in it.

Belongs here: the file and the properties of the dataset. Not here: a column (parse_column.py), a rule (parse_rule.py), or anything
that looks at data. No other package reads the YAML.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.contract.contract_file import ContractFile
from expectations.contract.model import (
    BESIDE,
    Column,
    Contract,
    ContractError,
    Control,
    OpenRows,
    Rule,
    SheetPart,
    Version,
)
from expectations.contract.parse_column import parse_column
from expectations.contract.parse_rule import parse_calculated, parse_references, parse_rule, prefixes
from expectations.contract.units import header_key, unit_key
from expectations.contract.words import OF_WORDS, check_words, first_line
from pipelines.core.letters import column_number

if TYPE_CHECKING:  # half a second to import, and a process that is handed its contracts never reads YAML
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

OF_DATASET = (
    "opening", "openingNote", "openRowsWhere", "openingAttribute", "openingDecidedBy", "openingDecidedOn", "openingGround",
    "theme", "descriptionEn", "register", "versions", "missingValues", "period", "totalRows", "exampleRows",
    "controls", "sheets", "across", "inBlocks",     "unusedHeaders", "words",
)  # fmt: skip


def read_contract(path: Path) -> Contract:
    """Read one ODCS file that describes one dataset. Raises ContractError with one sentence."""
    import yaml
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        # The parser in C, where PyYAML has it, takes a tenth of the time: nothing else of a short run took as long.
        raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise ContractError(f"{path.name} is not readable as YAML ({first_line(e)}); mend the file.") from e
    if not isinstance(raw, dict):
        raise ContractError(
            f"{path.name} is not a contract; begin it with 'apiVersion: v3.1.0' and 'kind: DataContract'."
        )
    try:
        odcs = OpenDataContractStandard(**raw)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ContractError(
            f"{path.name}: '{where}' is not as the Open Data Contract Standard wants it ({first['msg']})."
        ) from e
    return _contract(ContractFile(path), odcs, hashlib.sha256(text.encode()).hexdigest())


def _contract(file: ContractFile, odcs: OpenDataContractStandard, digest: str) -> Contract:
    if not odcs.schema_ or len(odcs.schema_) != 1:
        raise file.error("'schema' must describe exactly one table; write one contract for each dataset.")
    table = odcs.schema_[0]
    top = file.properties(odcs.customProperties, OF_DATASET, "the dataset")
    opening = top.get("opening")
    if opening not in ("open", "aggregate", "closed"):
        raise file.error(f"custom property 'opening' is {opening!r}; write open, aggregate or closed.")
    if not table.name or not re.fullmatch(r"[a-z][a-z0-9_]*", table.name):
        raise file.error(f"schema name {table.name!r} must be lower-case letters, digits and underscores.")
    if not table.businessName:
        raise file.error("schema.businessName is missing; write the dataset's Chinese title there.")
    missing = file.missing_values(top.get("missingValues"), "the dataset")
    columns = tuple(parse_column(file, p, missing) for p in table.properties or [])
    _check_columns(file, columns)
    kept = {c.name for c in columns if c.kept}
    key = _key(file, table, kept)
    references = tuple(r for p in table.properties or [] for r in parse_references(file, p, kept))
    joined = prefixes(file, key, columns, references)
    by_name = {c.name: c for c in columns}
    rules = tuple(parse_rule(file, q, kept, joined) for q in table.quality or [])
    rules += tuple(r for p in table.properties or [] if (r := parse_calculated(file, p, by_name)))
    _check_rule_names(file, rules)
    return Contract(
        dataset=table.name,
        title_zh=table.businessName,
        opening=opening,
        columns=columns,
        key=key,
        rules=rules,
        references=references,
        path=file.path,
        digest=digest,
        **_descriptive(odcs, table, top),
        **_checked(file, odcs, top, columns),
        in_blocks=_in_blocks(file, top.get("inBlocks", False), key),
    )


def _descriptive(odcs: OpenDataContractStandard, table: SchemaObject, top: dict[str, Any]) -> dict[str, Any]:
    """The fields of Contract that are texts for readers."""
    sla = {p.property: p.value for p in odcs.slaProperties or []}
    return {
        "title_en": odcs.name or table.name,
        "grain": table.dataGranularityDescription or "",
        "description": (odcs.description.purpose if odcs.description else None) or "",
        "description_en": str(top.get("descriptionEn") or ""),
        "frequency": str(sla.get("frequency") or ""),
        "opening_note": str(top.get("openingNote") or ""),
        "opening_attribute": str(top.get("openingAttribute") or ""),
        "decided_by": str(top.get("openingDecidedBy") or ""),
        "decided_on": str(top.get("openingDecidedOn") or ""),
        "ground": str(top.get("openingGround") or ""),
        "theme": str(top.get("theme") or odcs.domain or ""),
        "owner": str(getattr(odcs.team, "name", None) or odcs.domain or ""),
    }


def _checked(
    file: ContractFile, odcs: OpenDataContractStandard, top: dict[str, Any], columns: tuple[Column, ...]
) -> dict[str, Any]:
    """The fields of Contract from properties of the dataset that have rules of their own."""
    sla = {p.property: p.value for p in odcs.slaProperties or []}
    return {
        "due_days": _due_days(file, sla.get("latency")),
        "open_rows": _open_rows(file, top["openRowsWhere"], columns) if "openRowsWhere" in top else None,
        "versions": _versions(file, top, columns),
        "register": bool(top.get("register", False)),
        "dated_by": _dated_by(file, top.get("period"), columns),
        "total_rows": _labels(file, top, "totalRows", "[全国, 东部地区]"),
        "sheets": tuple(_sheet_part(file, text) for text in sorted(_labels(file, top, "sheets", "[Table 1, 附表*]"))),
        "across": _across(file, top.get("across"), columns),
        "controls": tuple(_control(file, c, columns) for c in _list(file, top, "controls")),
        "unused": _labels(file, top, "unusedHeaders", "['Renewable?', 备查]"),
        "example_rows": _example_rows(file, top.get("exampleRows"), columns),
        "words": check_words(top.get("words", {}), OF_WORDS, f"{file.path.name}: custom property 'words'"),
        "undated": "period" in top and top["period"] is None,
    }


def _check_columns(file: ContractFile, columns: tuple[Column, ...]) -> None:
    if not columns:
        raise file.error("schema.properties is empty; describe at least one column.")
    by_header: dict[str, str] = {}
    names: set[str] = set()
    sections = [c.name for c in columns if c.stated == "section"]
    if len(sections) > 1:
        raise file.error(f"columns {', '.join(sections)}: only one takes the names of sections (statedOnce: section).")
    for c in columns:
        if c.name in names:
            raise file.error(f"column '{c.name}' is described twice; take one away.")
        names.add(c.name)
        for h in c.headers:
            other = by_header.setdefault(header_key(h), c.name)
            if other != c.name:
                raise file.error(f"header '{h}' stands for both '{other}' and '{c.name}'; take it from one of them.")
    _check_unit_columns(file, {c.name: c for c in columns})


def _check_unit_columns(file: ContractFile, by_name: dict[str, Column]) -> None:
    """Refuse a `unitColumn` that cannot say what unit a number is in."""
    for c in by_name.values():
        if c.unit_column is None:
            continue
        if c.kind not in ("decimal", "integer") or not c.units:
            raise file.error(
                f"column '{c.name}': unitColumn stands beside the unit of a column of numbers; write unit."
            )
        if c.unit_column == BESIDE:
            continue
        referenced = by_name.get(c.unit_column)
        if referenced is None or referenced.kind not in ("string", "enum") or not referenced.kept:
            raise file.error(
                f"column '{c.name}': unitColumn is {c.unit_column!r}; name the column of texts, of level L0 to L2, that "
                "states the unit of each row, or write beside for the one right of it."
            )


def _key(file: ContractFile, table: SchemaObject, kept: set[str]) -> tuple[str, ...]:
    keyed = sorted((p.primaryKeyPosition or 0, p.name or "") for p in table.properties or [] if p.primaryKey)
    key = tuple(name for _, name in keyed)
    if lost := [k for k in key if k not in kept]:
        raise file.error(
            f"column '{lost[0]}' is part of the key but of level L3, which is never kept; take it out of the key."
        )
    return key


def _check_rule_names(file: ContractFile, rules: tuple[Rule, ...]) -> None:
    called = [r.name for r in rules]
    if again := [n for n in called if called.count(n) > 1 or n == "key"]:
        raise file.error(f"rule '{again[0]}' needs a name of its own, and 'key' is taken; call it something else.")


def _dated_by(file: ContractFile, named: Any, columns: tuple[Column, ...]) -> str | None:
    """The column that custom property `period` names."""
    if named is None:
        return None
    fit = [c.name for c in columns if c.kind in ("year", "month", "date") and c.kept]
    if named not in fit:
        raise file.error(
            f"custom property 'period' is {named!r}; name a column of kind year, month or date"
            f"{' (' + ', '.join(fit) + ')' if fit else ''}, or write null where none of them is the period."
        )
    return str(named)


def _labels(file: ContractFile, top: dict[str, Any], name: str, such_as: str) -> frozenset[str]:
    """The texts of the custom property `name`, folded as headers are."""
    raw = top.get(name)
    if raw is not None and (not isinstance(raw, list) or not all(isinstance(n, str) and header_key(n) for n in raw)):
        raise file.error(f"custom property '{name}' is {raw!r}; write a list of texts, {such_as}.")
    return frozenset(header_key(n) for n in raw or ())


def _list(file: ContractFile, top: dict[str, Any], name: str) -> list[Any]:
    raw = top.get(name) or []
    if not isinstance(raw, list):
        raise file.error(f"custom property '{name}' is {raw!r}; write a list, [...].")
    return raw


def _control(file: ContractFile, raw: Any, columns: tuple[Column, ...]) -> Control:
    """One of the custom property `controls`: {text: 'Number of sites: {n}', of: rows}."""
    text = raw.get("text") if isinstance(raw, dict) and set(raw) == {"text", "of"} else None
    if not isinstance(text, str) or text.count("{n}") != 1 or not header_key(text.replace("{n}", "")):
        raise file.error(
            f"custom property 'controls': {raw!r} must be written {{text: 'Number of sites: {{n}}', of: rows}}, with {{n}} for "
            "the figure."
        )
    before, after = (header_key(part).replace(":", "") for part in text.split("{n}"))
    if raw["of"] == "rows":
        return Control(before, after)
    column = next((c for c in columns if c.name == raw["of"] and c.kept and c.kind in ("decimal", "integer")), None)
    if column is None:
        raise file.error(f"custom property 'controls' is of {raw['of']!r}; write rows, or a column of numbers.")
    return Control(before, after, column.name, column.units.get(after, Decimal(1)))


def _example_rows(file: ContractFile, raw: Any, columns: tuple[Column, ...]) -> tuple[dict[str, str], ...]:
    """The rows that custom property `exampleRows` describes, each by the texts of some of its columns."""
    texts = {c.name for c in columns if c.kind in ("string", "enum")}
    if raw is not None and (not isinstance(raw, list) or not all(isinstance(row, dict) and row for row in raw)):
        raise file.error(
            f"custom property 'exampleRows' is {raw!r}; write a list of rows, [{{<column>: <text>}}, ...]."
        )
    for name, text in (cell for row in raw or () for cell in row.items()):
        if name not in texts or not isinstance(text, str) or not header_key(text):
            raise file.error(
                f"custom property 'exampleRows': {{{name}: {text!r}}} is not a column of texts with what its cell holds, "
                "in quotes."
            )
    return tuple({name: header_key(text) for name, text in row.items()} for row in raw or ())


def _due_days(file: ContractFile, stated: Any) -> int | None:
    """The sla property `latency`, in days."""
    if stated is None:
        return None
    if not str(stated).isdigit():
        raise file.error(f"sla property 'latency' is {stated!r}; write a whole number of days.")
    return int(stated)


def _open_rows(file: ContractFile, raw: Any, columns: tuple[Column, ...]) -> OpenRows:
    """The rows that are open. Their column must be of level L0, so that readers see which rows are left out and the gate can check."""
    left_out = raw.get("notIn") if isinstance(raw, dict) and set(raw) == {"column", "notIn"} else None
    if not isinstance(left_out, list) or not left_out:
        raise file.error("custom property 'openRowsWhere' must be written {column: <column>, notIn: [<value>, ...]}.")
    column = next((c for c in columns if c.name == raw["column"]), None)
    if column is None or column.access != "L0" or not column.values:
        raise file.error(
            f"custom property 'openRowsWhere' names {raw['column']!r}; name a column of level L0 that has a closed list."
        )
    if unknown := [str(v) for v in left_out if str(v) not in column.values]:
        raise file.error(
            f"custom property 'openRowsWhere': '{unknown[0]}' is not in the list of '{column.name}'; "
            f"use {', '.join(column.values)}."
        )
    return OpenRows(column.name, tuple(map(str, left_out)))


def _sheet_part(file: ContractFile, text: str) -> SheetPart:
    """One of the custom property `sheets`, folded: data*, data!b5:h200."""
    name, mark, area = text.partition("!")
    found = re.fullmatch(r"([a-z]{1,3})([1-9]\d{0,6}):([a-z]{1,3})([1-9]\d{0,6})", area)
    if not mark:
        return SheetPart(name)
    if not name or not found:
        raise file.error(
            f"custom property 'sheets' has {text!r}; write the name of a sheet, with a part of it as Data!B5:H200."
        )
    first, last = ((int(found[n + 1]) - 1, column_number(found[n])) for n in (1, 3))
    if first > last or first[1] > last[1]:
        raise file.error(f"custom property 'sheets' has {text!r}, which ends before it begins; write Data!B5:H200.")
    return SheetPart(name, (*first, *last))


def _in_blocks(file: ContractFile, stated: Any, key: tuple[str, ...]) -> bool:
    if stated not in (True, False) or (stated and not key):
        raise file.error(
            f"custom property 'inBlocks' is {stated!r}; write true where one table is sent in several blocks, and give it a key."
        )
    return bool(stated)


def _across(file: ContractFile, named: Any, columns: tuple[Column, ...]) -> str | None:
    """The column of numbers that custom property `across` names; the year or month in its header fills another."""
    if named is None:
        return None
    fit = [c.name for c in columns if c.kept and c.kind in ("decimal", "integer")]
    if named not in fit:
        raise file.error(f"custom property 'across' is {named!r}; name a column of numbers ({', '.join(fit)}).")
    if not any(c.kind == "month" or (c.kind == "year" and c.stated == "year") for c in columns):
        raise file.error(
            "custom property 'across' needs a column of kind year with statedOnce: year, or one of kind month."
        )
    return str(named)


def _versions(file: ContractFile, top: dict[str, Any], columns: tuple[Column, ...]) -> tuple[Version, ...]:
    found = sorted((_version(file, v, columns) for v in _list(file, top, "versions")), key=lambda v: v.valid_from)
    required = {c.name for c in columns if c.required}
    dated = any(c.kind in ("year", "month", "date") and c.required for c in columns) or top.get("period")
    changing = [n for v in found for n in (*v.adds, *v.drops) if n in required]
    if changing and not dated:
        raise file.error(
            f"column '{changing[0]}' is required and only some versions of the form have it; that needs a column that dates "
            "the rows (custom property 'period'), or an optional column."
        )
    return tuple(found)


def _version(file: ContractFile, raw: Any, columns: tuple[Column, ...]) -> Version:
    by_name = {c.name: c for c in columns}
    try:
        day = dt.date.fromisoformat(str(raw["validFrom"])).isoformat()
        adds, drops = (tuple(raw.get(n) or ()) for n in ("adds", "drops"))
        units = {str(n): str(u) for n, u in dict(raw.get("units") or {}).items()}
        v = Version(str(raw["name"]), day, adds, drops, units)
    except (TypeError, KeyError, ValueError):
        raise file.error("each of 'versions' needs a name and a validFrom (a date, 2018-01-01).") from None
    unknown = (set(v.adds) | set(v.drops) | set(v.units)) - set(by_name)
    if unknown:
        raise file.error(f"version '{v.name}' names columns that are not described: {', '.join(sorted(unknown))}.")
    for name, unit in v.units.items():
        if unit_key(unit) not in by_name[name].units:
            raise file.error(
                f"version '{v.name}' has '{name}' in {unit!r}, which is none of its units; add it to 'units'."
            )
        if by_name[name].unit_column:
            raise file.error(f"version '{v.name}' has a unit for '{name}', whose unit another column states.")
    return v
