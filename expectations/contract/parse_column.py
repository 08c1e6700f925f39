"""Parses one column of a contract: its type, unit, closed list, bounds and headers.

Belongs here: `schema.properties` of the ODCS file. Not here: what needs several columns (parse.py).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from expectations.contract.contract_file import ContractFile
from expectations.contract.model import Column
from expectations.contract.units import FLOWS, STOCKS, bracketed_units, header_key, unit_key, unit_table

if TYPE_CHECKING:  # half a second to import, and a process that is handed its contracts never reads YAML
    from open_data_contract_standard.model import SchemaProperty

KINDS: dict[str, str] = {  # our kind -> ODCS logicalType
    "string": "string",
    "enum": "string",
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "number",
    "year": "integer",
    "month": "string",
    "date": "date",
}
STATED = ("submitter", "year", "section", "heading")  # the last is written {heading: <label>}
COMPARE = ("flow", "stock", "none")
OF_COLUMN = (
    "titleEn", "aliases", "kind", "unit", "units", "statedOnce", "institution", "check", "codelist", "minimum", "maximum",
    "refuseRowWhenTrue", "compare", "missingValues", "unitColumn",
    "calculated", "descriptionEn",
)  # fmt: skip


def parse_column(file: ContractFile, p: SchemaProperty, missing: tuple[str, ...] = ()) -> Column:
    """Return the column. `missing` are the words that the dataset reads as null. Raises ContractError."""
    if not p.name or not re.fullmatch(r"[a-z][a-z0-9_]*", p.name):
        raise file.error(f"column name {p.name!r} must be lower-case letters, digits and underscores.")
    where = f"column '{p.name}'"
    own = file.properties(p.customProperties, OF_COLUMN, where)
    values, subset, distinct = _quality(file, p, where)
    kind = _kind(file, p, own.get("kind"), bool(values) and not subset, where)
    if p.classification not in ("L0", "L1", "L2", "L3"):
        raise file.error(f"{where}: classification is {p.classification!r}; write L0, L1, L2 or L3.")
    if not p.businessName:
        raise file.error(f"{where} has no businessName; write its Chinese header there.")
    unit = None if own.get("unit") is None else str(own["unit"])
    units = _all_units(file, unit, own.get("units"), where)
    _check_choices(file, own, where)
    number = kind in ("decimal", "integer") and not p.primaryKey
    column = Column(
        name=p.name,
        header_zh=p.businessName,
        title_en=str(own.get("titleEn") or p.name.replace("_", " ")),
        kind=kind,  # type: ignore[arg-type]
        access=p.classification,  # type: ignore[arg-type]
        description=p.description or "",
        description_en=str(own.get("descriptionEn") or ""),
        aliases=_aliases(file, own.get("aliases"), where),
        required=bool(p.required),
        unit=unit,
        units=units,
        values=values,
        missing=(*missing, *file.missing_values(own.get("missingValues"), where)),
        check=own.get("check"),
        **_stated(file, own.get("statedOnce"), kind, where),
        refuse=bool(own.get("refuseRowWhenTrue", False)),
        institution=own.get("institution"),
        subset=subset,
        codelist=own.get("codelist"),
        compare=_compare(file, own, number, unit, where),
        unit_column=own.get("unitColumn"),
        distinct=distinct,
        **_bounds(file, p, own, kind in ("month", "date"), where),
    )
    if number and unit is not None:
        for h in column.headers:
            _check_unit_of(file, h, column, where)
    return column


def _kind(file: ContractFile, p: SchemaProperty, stated: str | None, closed: bool, where: str) -> str:
    kind = stated or ("enum" if closed else {"number": "decimal"}.get(p.logicalType or "", p.logicalType))
    if kind not in KINDS:
        raise file.error(
            f"{where} has logicalType {p.logicalType!r} and kind {stated!r}; use one of {', '.join(KINDS)}."
        )
    if KINDS[kind] != p.logicalType:
        raise file.error(f"{where}: kind '{kind}' goes with logicalType '{KINDS[kind]}', not {p.logicalType!r}.")
    return kind


def _check_choices(file: ContractFile, own: dict[str, Any], where: str) -> None:
    """Refuse a custom property whose value is none of its few."""
    institution = own.get("institution")
    if institution not in (None, "name", "code"):
        raise file.error(f"{where}: institution is {institution!r}; write name or code.")
    if own.get("check") not in (None, "uscc"):
        raise file.error(f"{where}: check is {own.get('check')!r}; the only one known is uscc.")
    if own.get("codelist") not in (None, "divisions"):
        raise file.error(f"{where}: codelist is {own.get('codelist')!r}; the only one known is divisions.")


def _stated(file: ContractFile, raw: Any, kind: str, where: str) -> dict[str, Any]:
    """The fields of Column about a value that the sheet states once."""
    if raw is None or raw in ("submitter", "year"):
        return {"stated": raw}
    labels = raw.get("heading") if isinstance(raw, dict) and set(raw) == {"heading"} else None
    labels = [labels] if isinstance(labels, str) else labels
    named = isinstance(labels, list) and bool(labels) and all(isinstance(w, str) and header_key(w) for w in labels)
    if raw != "section" and not named:
        raise file.error(
            f"{where}: statedOnce is {raw!r}; write submitter, year, section, or {{heading: <label>}} with the words before the "
            "value."
        )
    if kind not in ("string", "enum"):
        raise file.error(f"{where}: statedOnce {raw!r} fills a column of texts, and this is one of kind {kind}.")
    if raw == "section":
        return {"stated": "section"}
    return {"stated": "heading", "stated_labels": tuple(header_key(w).rstrip(":") for w in labels or ())}


def _compare(file: ContractFile, own: dict[str, Any], number: bool, unit: str | None, where: str) -> Any:
    usual = "flow" if number and unit in FLOWS else "stock" if number and unit in STOCKS else "none"
    compare = own.get("compare", usual)
    if compare not in COMPARE or (compare != "none" and not number):
        raise file.error(
            f"{where}: compare is {compare!r}; write flow, stock or none, and the first two of a number only."
        )
    return None if compare == "none" else compare


def _bounds(file: ContractFile, p: SchemaProperty, own: dict[str, Any], textual: bool, where: str) -> dict[str, Any]:
    """The fields of Column that bound its values; `textual`: they are compared as text."""
    options = p.logicalTypeOptions or {}
    pattern = options.get("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as e:
            raise file.error(f"{where}: pattern {pattern!r} is not a regular expression ({e}).") from None
    if textual:
        texts = {f"{bound}_text": str(own[bound]) for bound in ("minimum", "maximum") if bound in own}
        return {"pattern": pattern, **texts}
    return {
        "pattern": pattern,
        "minimum": file.number(options.get("minimum"), where),
        "exclusive_minimum": file.number(options.get("exclusiveMinimum"), where),
        "maximum": file.number(options.get("maximum"), where),
    }


def _check_unit_of(file: ContractFile, header: str, column: Column, where: str) -> None:
    """Refuse a header that contains a unit without a factor: its numbers would be taken unconverted."""
    if column.unit_in(header):
        return
    for inner in bracketed_units(header):
        raise file.error(
            f"{where}: the header '{header}' contains '{inner}', which is no unit that {column.unit} is known to be "
            f"written in; say under 'units' what it is worth, as {{'{inner}': <factor>}} (1 where it changes nothing), "
            "or write the header without it."
        )


def _all_units(file: ContractFile, unit: str | None, raw: Any, where: str) -> dict[str, Decimal]:
    """Every spelling of a column's unit with its factor: those of units.yaml, and the column's own."""
    own = _own_units(file, raw, unit, where)
    if unit is None:
        return own
    table = unit_table()
    if unit not in table:
        if raw is None:
            raise file.error(
                f"{where}: unit '{unit}' is not in expectations/units.yaml; use one of {', '.join(table)}, or say beside it "
                f"how sheets write it, as units: {{'{unit}': 1}}."
            )
        if own.get(unit_key(unit), 1) != 1:
            raise file.error(f"{where}: units gives '{unit}' another factor than 1; it is the column's own unit.")
    return dict(table.get(unit, {unit_key(unit): Decimal(1)})) | own


def _own_units(file: ContractFile, raw: Any, unit: str | None, where: str) -> dict[str, Decimal]:
    """The spellings that only this column has, with their factors."""
    if raw is None:
        return {}
    if not isinstance(raw, dict) or unit is None:
        raise file.error(f"{where}: units is {raw!r}; write {{<spelling>: <factor>, ...}} beside a unit.")
    out = {}
    for spelling, factor in raw.items():
        if not isinstance(spelling, str) or not unit_key(spelling):
            raise file.error(f"{where}: units has the spelling {spelling!r}; write a unit as sheets do, in quotes.")
        number = file.number(factor, f"{where}: unit '{spelling}'")
        if number is None or not number.is_finite() or number <= 0:
            raise file.error(f"{where}: unit '{spelling}' has the factor {factor!r}; write a number above 0.")
        out[unit_key(spelling)] = number
    return out


def _aliases(file: ContractFile, raw: Any, where: str) -> tuple[str, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or any(not header_key(str(a)) for a in raw):
        raise file.error(f"{where}: aliases is {raw!r}; write a list of headers, [<header>, ...].")
    return tuple(str(a) for a in raw)


def _quality(file: ContractFile, p: SchemaProperty, where: str) -> tuple[tuple[str, ...], bool, bool]:
    """The closed list of a column from its check `invalidValues`, whether a cell may hold several of it, and whether its check
    `duplicateValues` wants each value once."""
    values: tuple[str, ...] = ()
    several = distinct = False
    for q in p.quality or []:
        if q.metric == "duplicateValues":
            if q.mustBe != 0 or q.severity == "error" or q.arguments:
                raise file.error(
                    f"{where}: duplicateValues needs mustBe: 0 and severity warning, and no arguments; where the second of two "
                    "rows must not be kept, make the column part of the key."
                )
            distinct = True
            continue
        if q.metric != "invalidValues":
            raise file.error(
                f"{where}: quality metric {q.metric!r} is not known here; use invalidValues, duplicateValues, or a rule of the "
                "table."
            )
        if not (q.arguments or {}).get("validValues"):
            raise file.error(f"{where}: invalidValues needs arguments.validValues, the list of what is allowed.")
        values = tuple(str(v) for v in (q.arguments or {})["validValues"])
        several = bool((q.arguments or {}).get("several", False))
    return values, several, distinct
