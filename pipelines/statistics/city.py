"""A city's folder as the tables of the warehouse, with its statements and the arithmetic between them.

Belongs here: checking what a person wrote about indicators, and handing the folder to the warehouse. Not here: what any stage
may look into (pipelines/core/city.py), or what the statements come to (dbt_project/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.core.city import (
    FILES,
    GOVERNMENT_OFFICES,
    City,
    CityError,
    Period,
    check_day,
    profile_of,
    read_city,
    read_csv,
    read_divisions,
    read_limits,
    read_providers,
    read_sections,
    read_set_names,
    read_standards,
)
from pipelines.core.home import Home, whole_file
from pipelines.statistics.city_tables import TABLES
from pipelines.statistics.definitions import check_measures, read_definitions, seeds_of

if TYPE_CHECKING:  # the stage `city` rests on no contract
    from expectations.contract import Contracts

TESTS = (
    "=",
    ">=",
    ">",
    "<=",
    "<",
)  # how what the records give must stand to `target`, where words say more than a number
QUALIFIERS = ("exact", "approx", "near_below", "over", "at_least", "planned", "none")

# Columns of the report that a statement was printed in, and what reports.csv calls them; claims.csv names it in the column `report`.
REPORT = {"report_title": "title", "report_by": "publisher", "report_date": "date", "report_url": "url"}
REPORTS = dict.fromkeys(("report", *REPORT.values()), "VARCHAR")
MADE = ("position", "computed", "period_id", *REPORT)  # columns nobody writes
# Columns claims.csv may lack: the word of a statement that says more than its number; the level of the institutions that a
# statement is about; the sentence that it was printed in, and the report.
OPTIONAL = ("word", "level", "quotation", "report")
# In the SQL of a statement about one level: {level of disposals.org_name in substr(disposals.sold_on, 1, 4)} stands for the
# condition that the institution of that name was of the level in that year (dbt's int_claims writes it out).
OF_LEVEL = re.compile(r"\{level of [\w.]+ in [^{}]+\}")

_ARROW = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}


def load_city(folder: Path, home: Home) -> City:
    """Reads and checks `folder` and writes work/city/<table>.parquet for each of TABLES.

    city.yaml must be there, and divisions.csv where the profile's contracts ask for divisions; a city without claims.csv or
    arithmetic.csv has made no statements yet, one without limits.csv or office_standards.csv has no such rules.
    Raises CityError with one sentence for the first mistake; then nothing is written.
    """
    tables = read_tables(folder)
    (home.work / "city").mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        types = TABLES[name]
        schema = pa.schema([(c, _ARROW[t]) for c, t in types.items()])
        table = pa.Table.from_pylist([{c: r.get(c) for c in types} for r in rows], schema=schema)
        with whole_file(home.table("city", name)) as path:
            pq.write_table(table, path, compression="zstd")
    return City(folder=folder, **tables["city"][0])


def check_against(contracts: Contracts, folder: Path) -> None:
    """Refuse what a city's folder defines over datasets, columns or factors that are not there. Raises CityError."""
    profile = profile_of(folder)
    defined = read_definitions(folder, profile)
    check_measures(defined["measures"], [*seeds_of("factor_sets", profile), *defined["factor_sets"]], contracts)


def read_tables(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each of TABLES, typed and checked. Raises CityError."""
    if not folder.is_dir():
        raise CityError(f"There is no city folder at {folder}; name one that holds city.yaml and divisions.csv.")
    city = read_city(folder / "city.yaml")
    divisions = read_divisions(folder)
    one_level = city["profile"] != GOVERNMENT_OFFICES and not divisions
    if not (folder / "divisions.csv").is_file() and not one_level:
        raise CityError(f"{folder} has no divisions.csv; write one with the columns {', '.join(FILES['divisions'])}.")
    if city["code"] not in {r["code"] for r in divisions} and not one_level:
        raise CityError(f"divisions.csv has no row for the city's own code {city['code']}; add it.")
    defined = read_definitions(folder, city["profile"])
    read_providers(folder)  # read by the release; a mistake in it is told before anything is computed
    known = {t: [*seeds_of(t, city["profile"]), *rows] for t, rows in defined.items()}
    _check_names(folder, known["factor_sets"])
    claims = _statements(folder, city["periods"], known)
    _check_sections(folder, city["periods"], claims)
    arithmetic = _arithmetic(folder / "arithmetic.csv", claims, known["factors"])
    return {
        "city": [city],
        "periods": [vars(p) for p in city["periods"]],
        "profile": [{"profile": city["profile"]}],
        **defined,
        "divisions": divisions,
        "limits": read_limits(folder),
        "office_standards": read_standards(folder),
        "claims": claims,
        "arithmetic": arithmetic,
    }


def _check_names(folder: Path, sets: Iterable[Mapping[str, Any]]) -> None:
    there = {r["factor_set"] for r in sets}
    odd = [name for name in read_set_names(folder) if name not in there]
    if odd:
        raise CityError(f"factor_set_names.csv: there is no set '{odd[0]}' in factor_sets.csv; mend the name.")


def _check_sections(folder: Path, periods: Iterable[Period], claims: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a heading of a period that is not there, or of a section that no statement is in. Raises CityError."""
    known, used = {p.period_id for p in periods}, {(c["period_id"], c["section"]) for c in claims}
    for n, r in enumerate(read_sections(folder), 2):
        if r["period_id"] and r["period_id"] not in known:
            raise CityError(
                f"sections.csv row {n}: there is no period '{r['period_id']}' in city.yaml; mend the period_id."
            )
        if not any(section == r["section"] and r["period_id"] in ("", period) for period, section in used):
            raise CityError(
                f"sections.csv row {n}: no statement is in section '{r['section']}'; mend the section or take the row away."
            )


def _statements(folder: Path, periods: Iterable[Period], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of each period, from its own file, with the period and the report they were printed in. Raises CityError."""
    out: list[dict[str, Any]] = []
    for p in periods:
        if p.claims is None:
            continue
        mine = _printed(_claims(folder / p.claims, known), folder / "reports.csv", p)
        there = {c["claim_id"] for c in out}
        for n, c in enumerate(mine, 2):
            if c["claim_id"] in there:
                raise CityError(
                    f"{p.claims} row {n}: claim_id '{c['claim_id']}' stands in another period's file too; name it anew."
                )
        out += [c | {"position": len(out) + c["position"], "period_id": p.period_id} for c in mine]
    return out


def _claims(path: Path, known: Mapping[str, list[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    rows = _numbered(path, "claims", "claim_id")
    indicators = {r["indicator_id"]: r for r in known["indicators"]}
    units = {(r["claim_unit"], r["indicator_unit"]) for r in known["units"]}
    for n, r in enumerate(rows, 2):
        where = f"{path.name} row {n} ({r['claim_id']})"
        for c in ("section", "name_zh", "name_en", "value_text", "qualifier", "verifiable"):
            if r[c] is None:
                raise CityError(f"{where}: {c} is empty; write it.")
        if r["qualifier"] not in QUALIFIERS:
            raise CityError(f"{where}: qualifier '{r['qualifier']}' is not known; use one of {', '.join(QUALIFIERS)}.")
        if r["value"] is None and r["qualifier"] not in ("none", "planned"):
            raise CityError(
                f"{where}: a statement with qualifier '{r['qualifier']}' needs a value; write it, or use none."
            )
        if r["value"] is not None:
            _step(r["value"], r["step"], r["unit"], where)
        if not r["verifiable"] and not (r["note_zh"] and r["note_en"]):
            raise CityError(f"{where}: what cannot be verified must say why in note_zh and note_en.")
        if (r["test"] is None) != (r["target"] is None) or r["test"] not in (None, *TESTS):
            raise CityError(
                f"{where}: test is '{r['test'] or ''}'; write one of {', '.join(TESTS)} together with a target, or leave both empty."
            )
        address = ("indicator_id", "year", "dimension", "member", "factor_set")
        given = [c for c in address if r[c] is not None]
        if given and len(given) < len(address):
            missing = next(c for c in address if r[c] is None)
            raise CityError(
                f"{where}: {missing} is empty; a statement held against an indicator needs {', '.join(address)}."
            )
        _level(r, where)
        if not given:
            if r["sql"] or r["test"] or r["first_year"]:
                raise CityError(
                    f"{where}: sql, test and first_year need the indicator they are about; write its address."
                )
            continue
        indicator = indicators.get(r["indicator_id"])
        if indicator is None:
            raise CityError(
                f"{where}: there is no indicator '{r['indicator_id']}'; use one of {', '.join(sorted(indicators))}."
            )
        # Things are counted in many words (处, 家, 个, 辆): a count needs no conversion.
        comparable = r["unit"] == indicator["unit"] or (r["unit"], indicator["unit"]) in units
        if not comparable and int(indicator["decimals"]) and r["test"] is None:
            raise CityError(
                f"{where}: unit '{r['unit']}' cannot be compared with '{indicator['unit']}' of {r['indicator_id']}; "
                "write that unit, or add the pair to units.csv of the city's folder."
            )
        if r["value"] is None and r["target"] is None:
            raise CityError(
                f"{where}: a statement held against an indicator needs a value, or a test and target; write it."
            )
        _period(r, where)
        if r["first_year"] is not None:
            if r["first_year"] >= r["year"] or r["dimension"].startswith(("period", "base")):
                raise CityError(f"{where}: first_year must come before year, of a dimension by year; mend one of them.")
            if str(indicator["adds_over_years"]).lower() != "true" or indicator["denominator"]:
                raise CityError(f"{where}: the years of {r['indicator_id']} do not add up; leave first_year empty.")
        if r["sql"] is not None:
            _select(r["sql"], where)
    return rows


def _printed(claims: list[dict[str, Any]], path: Path, period: Period) -> list[dict[str, Any]]:
    """Add to each statement of a period the report that it names, else that of the period, else the only one there is; a report's
    title, publisher, day and address are null where nobody wrote them. Raises CityError."""
    reports = {r["report"]: r for r in read_csv(path, REPORTS, "report", ("publisher", "date", "url"))}
    for n, r in enumerate(reports.values(), 2):
        if r["title"] is None:
            raise CityError(f"reports.csv row {n}: title is empty; write the report's title.")
        if r["date"]:
            check_day(r["date"], f"reports.csv row {n}: date")
        if r["url"] and not re.fullmatch(r"https?://[^\s<>\"']+", r["url"]):
            raise CityError(f"reports.csv row {n}: url '{r['url']}' is no address; begin it with http:// or https://.")
    if period.report and period.report not in reports:
        raise CityError(
            f"city.yaml: periods: {period.period_id}: there is no report '{period.report}'; add it to reports.csv or mend the name."
        )
    only = next(iter(reports.values())) if len(reports) == 1 else {}
    out = []
    for n, c in enumerate(claims, 2):
        named = c.pop("report") or period.report
        if named and named not in reports:
            raise CityError(
                f"{period.claims} row {n} ({c['claim_id']}): there is no report '{named}'; add it to reports.csv or mend the row."
            )
        found = reports[named] if named else only
        out.append(c | {column: found.get(name) for column, name in REPORT.items()})
    return out


def _period(r: Mapping[str, Any], where: str) -> None:
    """A statement that names its years is held against figures of these and no others."""
    first, last = r["period_start"] or r["period_end"], r["period_end"] or r["period_start"]
    if first is not None and not (r["first_year"] or r["year"]) <= last >= first <= r["year"]:
        raise CityError(
            f"{where}: it speaks of {first} to {last} and year is {r['year']}; write a year that it speaks of."
        )


def _level(r: Mapping[str, Any], where: str) -> None:
    """A statement about one level counts that level alone, in its address and in its SQL."""
    asked = OF_LEVEL.search(r["sql"] or "")
    if asked and r["level"] is None:
        raise CityError(
            f"{where}: sql asks for a level; write which in the column level, or take {{level of ...}} out."
        )
    if r["level"] is None:
        return
    if r["sql"] and not asked:
        raise CityError(
            f"{where}: sql counts every level, but level is '{r['level']}'; add {{level of <table>.org_name in <year>}} "
            "to its conditions, or leave sql empty."
        )
    if (r["dimension"] or "").rpartition("/")[2] in ("level", "district", "org_type"):
        raise CityError(f"{where}: dimension '{r['dimension']}' cannot be crossed with a level; leave one of them out.")


def _arithmetic(path: Path, claims: list[dict[str, Any]], factors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The checks between statements, each with what its SQL comes to.

    The SQL is written for the public database's tables `claims` and `factors`, so that a reader can run it there; here the
    same columns of the city folder and of the factor registry stand in for them.
    """
    rows = _numbered(path, "arithmetic", "check_id")
    if not rows:
        return rows
    with duckdb.connect() as con:
        con.execute("create table claims (claim_id varchar, value double)")
        con.executemany(
            "insert into claims values (?, ?)", [(c["claim_id"], c["value"]) for c in claims] or [(None, None)]
        )
        con.execute("create table factors (factor_id varchar, value double)")
        stated = [(f["factor_id"], float(f["value"])) for f in factors]
        if stated:  # DuckDB refuses to insert none
            con.executemany("insert into factors values (?, ?)", stated)
        # What a city writes is data: it may read these two tables and nothing of this machine.
        con.execute("set enable_external_access = false")
        for n, r in enumerate(rows, 2):
            where = f"arithmetic.csv row {n} ({r['check_id']})"
            for c in ("expected", "step", "sql", "reading_zh", "reading_en"):
                if r[c] is None:
                    raise CityError(f"{where}: {c} is empty; write it.")
            _select(r["sql"], where)
            try:
                found = con.execute(r["sql"]).fetchone()
            except duckdb.Error as e:
                raise CityError(f"{where}: its sql does not run ({' '.join(str(e).split())[:160]}); mend it.") from e
            if not found or len(found) != 1 or not isinstance(found[0], int | float | Decimal):
                raise CityError(f"{where}: its sql gives no number; name statements and factors that are there.")
            r["computed"] = round(float(found[0]), 6)
            if abs(r["computed"] - r["expected"]) > r["step"] / 2 + 1e-6:
                raise CityError(
                    f"{where}: expected is {r['expected']:g} but its sql gives {r['computed']:g}; mend one of them."
                )
    return rows


def _numbered(path: Path, table: str, key: str) -> list[dict[str, Any]]:
    """The rows of one file of TABLES, with their position in it, counted from 1."""
    types = {c: t for c, t in TABLES[table].items() if c not in MADE}
    if table == "claims":
        types["report"] = "VARCHAR"
    return [r | {"position": n} for n, r in enumerate(read_csv(path, types, key, OPTIONAL), 1)]


def _step(value: float, step: float | None, unit: str | None, where: str) -> None:
    if unit is None:
        raise CityError(f"{where}: unit is empty; write the unit of the value.")
    if step is None or step <= 0:
        raise CityError(f"{where}: step must be what one more in the last printed digit is worth, e.g. 0.01 for 7.89.")
    if Decimal(repr(value)) % Decimal(repr(step)):
        raise CityError(f"{where}: value {value:g} is not a multiple of step {step:g}; mend one of them.")


def _select(sql: str, where: str) -> None:
    if not re.match(r"(select|with)\b", sql, re.IGNORECASE) or ";" in sql:
        raise CityError(f"{where}: sql must be one SELECT without a semicolon.")
