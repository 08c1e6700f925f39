"""The definitions of a city's own folder: indicators, measures, factors, units and benchmarks.

Belongs here: reading and checking those files of a city's folder, alone and against the contracts in force. Not here: its
statements (city.py), or what the figures come to (dbt_project/models/intermediate/base/int_declared_facts.sql).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.city import GOVERNMENT_OFFICES, CityError, read_csv
from pipelines.statistics.city_tables import TABLES

if TYPE_CHECKING:  # the stage `city` rests on no contract
    from expectations.contract import Contracts

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
Rows = list[dict[str, Any]]

# Each table a city may write: the columns that name a row once, and those it may lack.
KEYS: dict[str, tuple[str, ...]] = {
    "indicators": ("indicator_id",),
    "measures": ("measure",),
    "factors": ("factor_id",),
    "factor_sets": ("factor_set", "metric", "carrier"),
    "units": ("claim_unit", "indicator_unit"),
    "wholes": ("whole", "part"),
    "benchmarks": ("benchmark_id",),
}
OPTIONAL: dict[str, tuple[str, ...]] = {
    "indicators": (
        "change_of",
        "change_kind",
        "period_of_total_alone",
        "by_breakdown",
        "monthly_dataset",
        "factor_metric",
        "home_order",
        "topic_order",
    ),
    "measures": ("columns", "metric", "only_column", "only_values", "subject", "breakdowns"),
    "factors": ("confidence", "use"),
    "factor_sets": ("factor_id", "basis", "region", "newest", "density_id", "multiplier"),
    "benchmarks": ("base_year",),
}
NEEDED: dict[str, tuple[str, ...]] = {
    "indicators": ("theme", "name_zh", "name_en", "unit", "definition_zh", "definition_en", "formula", "kind", "better",
                   "decimals", "multiplier", "adds_over_years"),
    "measures": ("dataset",),
    "factors": ("carrier", "metric", "value", "per_unit", "region", "source", "source_zh"),
    "units": ("multiplier",),
    "wholes": ("relation",),
    "benchmarks": ("name_zh", "name_en", "year", "value", "unit", "source", "source_zh", "comparison"),
}  # fmt: skip
# The decimals and the digits before them that the staging models keep of a multiplier.
KEPT = {"indicators": (12, 6), "units": (10, 8)}
NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_definitions(folder: Path, profile: str) -> dict[str, Rows]:
    """Read each table of KEYS; no rows of one that the folder lacks. What its profile defines may not be defined again.

    Raises CityError for the first mistake that can be seen without the contracts.
    """
    found = {t: _read(folder / f"{t}.csv", t, profile) for t in KEYS}
    known = {t: [*seeds_of(t, profile), *rows] for t, rows in found.items()}
    _check_indicators(found, known, profile)
    _check_sets(found["factor_sets"], known["factors"])
    return found


def seeds_of(table: str, profile: str) -> list[Mapping[str, Any]]:
    """Return the rows of a table that the profile has; none without a profile, or where it has no such table."""
    path = SEEDS / f"seed_{table}.csv"
    if profile != GOVERNMENT_OFFICES or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as f:
        return [{c: v or None for c, v in r.items()} for r in csv.DictReader(f)]


def split(text: str | None) -> list[str]:
    """Return the parts of a cell that lists several, separated by |."""
    return [part.strip() for part in (text or "").split("|") if part.strip()]


def check_measures(
    measures: Iterable[Mapping[str, Any]], factor_sets: Iterable[Mapping[str, Any]], contracts: Contracts
) -> None:
    """Refuse a measure over a dataset or column that the contracts in force do not have, or that no factor converts.

    Raises CityError.
    """
    converted = {(r["metric"], r["carrier"]) for r in factor_sets if r["factor_set"] == "default"}
    for n, r in enumerate(measures, 2):
        where = f"measures.csv row {n} ({r['measure']})"
        contract = contracts.get(r["dataset"])
        if contract is None:
            raise CityError(f"{where}: there is no dataset '{r['dataset']}'; use one of {', '.join(contracts)}.")
        if contract.period is None:
            raise CityError(f"{where}: no column of {r['dataset']} dates a row; name one as the contract's period.")
        kept = {c.name: c for c in contract.columns if c.kept}
        asked = [*split(r["columns"]), *split(r["subject"]), *split(r["breakdowns"]), *split(r["only_column"])]
        odd = [c for c in asked if c not in kept]
        if odd:
            raise CityError(f"{where}: {r['dataset']} keeps no column '{odd[0]}'; use those of {', '.join(kept)}.")
        words = [c for c in split(r["columns"]) if kept[c].kind not in ("integer", "decimal")]
        if words:
            raise CityError(f"{where}: '{words[0]}' is no column of numbers; name others, or none to count rows.")
        secret = [c for c in split(r["columns"]) if kept[c].access not in ("L0", "L1")]
        secret += [c for c in split(r["breakdowns"]) if kept[c].access != "L0" and not kept[c].values]
        if secret:
            raise CityError(
                f"{where}: the values of '{secret[0]}' stay inside ({kept[secret[0]].access}); leave it out."
            )
        bare = [c for c in split(r["columns"]) if r["metric"] and (r["metric"], c) not in converted]
        if bare:
            raise CityError(
                f"{where}: set 'default' of factor_sets.csv converts no '{bare[0]}' to {r['metric']}; add that row."
            )


def _read(path: Path, table: str, profile: str) -> Rows:
    rows = read_csv(path, TABLES[table], KEYS[table][0], OPTIONAL.get(table, ()), once=len(KEYS[table]) == 1)
    seen = {tuple(r[c] for c in KEYS[table]) for r in seeds_of(table, profile)}
    for n, r in enumerate(rows, 2):
        key = tuple(r[c] for c in KEYS[table])
        where = f"{path.name} row {n} ({', '.join(str(k) for k in key)})"
        if key in seen:
            raise CityError(f"{where} is defined already; give it another name, or take it away.")
        seen.add(key)
        empty = [c for c in (*KEYS[table], *NEEDED.get(table, ())) if r[c] is None]
        if empty:
            raise CityError(f"{where}: {empty[0]} is empty; write it.")
        if table in KEPT:
            check_multiplier(r["multiplier"], where, *KEPT[table])
        if table in ("indicators", "measures") and not NAME.fullmatch(key[0]):
            raise CityError(f"{where}: '{key[0]}' is no name; use lower-case letters, digits and underscores.")
        if table == "measures" and (r["only_column"] is None) != (r["only_values"] is None):
            raise CityError(f"{where}: only_column and only_values belong together; write both or neither.")
    return rows


def check_multiplier(multiplier: float, where: str, decimals: int, digits: int) -> None:
    """A multiplier is used as a fraction of whole numbers (dbt_project/macros/rounding.sql), so it must be one or its inverse.

    Raises CityError for one that is neither, or that keeps too few digits in `decimals` places to tell its inverse.
    """
    exact = Decimal(repr(multiplier))
    if exact >= 1 and exact == exact.to_integral_value() and exact < 10**digits:
        return
    kept = exact.quantize(Decimal(1).scaleb(-decimals)) if 0 < exact < 1 else Decimal(0)
    whole = (1 / kept).to_integral_value() if kept else Decimal(0)
    # the inverse of a rounded inverse is off by less than one in two hundred of the whole number
    if (
        whole
        and abs(exact * whole - 1) <= whole * Decimal(1).scaleb(-decimals)
        and abs(1 / exact - whole) < Decimal("0.005")
    ):
        return
    raise CityError(
        f"{where}: multiplier {exact:f} is neither a whole number below {10**digits} nor one over a whole number with up to "
        f"{decimals} decimals; write one of these, 1000 or 0.001, or choose another unit."
    )


def _check_indicators(found: Mapping[str, Rows], known: Mapping[str, list[Mapping[str, Any]]], profile: str) -> None:
    """An indicator is made of measures, or is a change of another. Which measures the profile has is told by its indicators."""
    measures = {r["measure"] for r in known["measures"]}
    measures |= {r[c] for r in seeds_of("indicators", profile) for c in ("numerator", "denominator")}
    names = {r["indicator_id"] for r in known["indicators"]}
    for n, r in enumerate(found["indicators"], 2):
        where = f"indicators.csv row {n} ({r['indicator_id']})"
        if (r["numerator"] is None) == (r["change_of"] is None):
            raise CityError(f"{where}: write a numerator, or change_of with change_kind, and not both.")
        for c in ("numerator", "denominator"):
            if r[c] is not None and r[c] not in measures:
                raise CityError(f"{where}: {c} '{r[c]}' is no measure; add it to measures.csv, or mend the name.")
        if r["change_of"] is not None and r["change_of"] not in names:
            raise CityError(f"{where}: change_of '{r['change_of']}' is no indicator; mend the name.")
    for n, r in enumerate(found["wholes"], 2):
        odd = [r[c] for c in ("whole", "part") if r[c] not in names]
        if odd:
            raise CityError(f"wholes.csv row {n}: '{odd[0]}' is no indicator; mend the name.")


def _check_sets(sets: Rows, factors: list[Mapping[str, Any]]) -> None:
    """A set that names a factor, or a kind of factor, must find one: without any a unit would count as one."""
    ids = {f["factor_id"] for f in factors}
    kinds = {(f["metric"], f["carrier"], f["basis"]) for f in factors}
    for n, r in enumerate(sets, 2):
        where = f"factor_sets.csv row {n} ({r['factor_set']})"
        odd = [r[c] for c in ("factor_id", "density_id") if r[c] is not None and r[c] not in ids]
        if odd:
            raise CityError(f"{where}: there is no factor '{odd[0]}'; add it to factors.csv, or mend the name.")
        if r["basis"] is not None and (r["metric"], r["carrier"], r["basis"]) not in kinds:
            raise CityError(
                f"{where}: no factor of {r['carrier']} has the basis '{r['basis']}'; add one to factors.csv."
            )
        if r["basis"] is not None and r["region"] is None:
            raise CityError(f"{where}: region is empty; write whose factor is meant, or city for the city's own grid.")
