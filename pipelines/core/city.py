"""One city's own folder: its names, divisions, limits and standards, read and checked by one rule for every stage.

Belongs here: city.yaml and the tables that any stage may look into. Not here: the statements a city has made, which rest on
indicators (pipelines/statistics/city.py), or anything that is true of every city (seeds, contracts).
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml

from pipelines.core.clock import DEFAULT_ZONE

# The files of a city folder that any stage may look into, with DuckDB's names of their types.
FILES: dict[str, dict[str, str]] = {
    "city": {
        "code": "VARCHAR",
        "name_zh": "VARCHAR",
        "name_en": "VARCHAR",
        "publisher_zh": "VARCHAR",
        "publisher_en": "VARCHAR",
        "licence_zh": "VARCHAR",
        "licence_en": "VARCHAR",
        "grid_region": "VARCHAR",
        "time_zone": "VARCHAR",
        "profile": "VARCHAR",
        "languages": "VARCHAR",
        "contact_zh": "VARCHAR",
        "contact_en": "VARCHAR",
        "email": "VARCHAR",
        "telephone": "VARCHAR",
        "next_release": "VARCHAR",
        "licence_name": "VARCHAR",
        "licence_url": "VARCHAR",
    },
    "divisions": {
        "code": "VARCHAR",
        "name_zh": "VARCHAR",
        "name_en": "VARCHAR",
        "parent": "VARCHAR",
        "level": "VARCHAR",
        "successor": "VARCHAR",
        "note": "VARCHAR",
        "own_zh": "VARCHAR",
        "own_en": "VARCHAR",
        "tile_column": "BIGINT",
        "tile_row": "BIGINT",
    },
    "limits": {"name": "VARCHAR", "value": "DOUBLE", "unit": "VARCHAR", "meaning_zh": "VARCHAR"},
    "office_standards": {"level": "VARCHAR", "rank": "VARCHAR", "max_usable_area_m2": "DOUBLE"},
}
# What a city may take over from the project: the contracts of expectations/contracts with the definitions of dbt_project/seeds, or
# nothing, so that all it has is its own folder's.
GOVERNMENT_OFFICES = "government-offices"
PROFILES = (GOVERNMENT_OFFICES, "none")
LANGUAGES = ("zh en", "en zh")  # the language of the site's own addresses comes first
# Lines that city.yaml may lack, and what holds then.
USUAL = {"time_zone": DEFAULT_ZONE, "profile": GOVERNMENT_OFFICES, "languages": LANGUAGES[0]}
# Lines that city.yaml may lack without another in their place: whom to ask, when the next release comes, what the licence is called.
# The site says loudly which of them is missing.
DOORS = ("contact_zh", "contact_en", "email", "telephone", "next_release", "licence_name", "licence_url")
# Lines of the site's own words, which city.yaml may lack: the heading of its first page, and what it says it is. No stage looks at them.
WORDS = ("title_zh", "title_en", "description_zh", "description_en")
# Lines of the bureau's own decisions, 1 or 0: whether institutions that did not report are named in public.
DECISIONS = ("name_missing",)
# The years that the city's statements speak of, period by period: city.yaml's `periods`, a list of these (claims and report may be
# left out, and base_year where nothing is measured from one). `period_id` is made of the years.
PERIOD = {
    "period_id": "VARCHAR",
    "name_zh": "VARCHAR",
    "name_en": "VARCHAR",
    "first_year": "BIGINT",
    "last_year": "BIGINT",
    "base_year": "BIGINT",
    "claims": "VARCHAR",
    "report": "VARCHAR",
}
CLAIMS = "claims.csv"  # where the statements stand of a city of one period
# Three lines of city.yaml that state the only period, without a name, as cities did before there were several; and its names.
ONLY_PERIOD = {"period_start": "first_year", "period_end": "last_year", "base_year": "base_year"}
UNNAMED = ("规划期", "Plan period")
# The names of the sets of factor_sets.csv.
SET_NAMES = {"factor_set": "VARCHAR", "name_zh": "VARCHAR", "name_en": "VARCHAR"}
# Optional columns of divisions.csv: the label of a city's own institutions in a list of its parts (市本级), and the place of a
# division on a map of equal tiles, counted from 1 from the left and from the top.
OWN_NAMES = ("own_zh", "own_en")
TILE = ("tile_column", "tile_row")
MOST_TILES = 16  # in a row and in a column; more would have no room for names
# Who provides a dataset; the columns of providers.csv.
PROVIDERS = {"dataset": "VARCHAR", "provider_zh": "VARCHAR", "provider_en": "VARCHAR"}
# The headings of a report's sections; the columns of sections.csv. `period_id` may be left out where there is one period.
SECTIONS = {"section": "VARCHAR", "title_zh": "VARCHAR", "title_en": "VARCHAR", "period_id": "VARCHAR"}


_LINES = (*FILES["city"], "periods")


class CityError(ValueError):
    """A city folder that cannot be used. The message names the file, the row and what to write instead."""

    exit_status = 2


@dataclass(frozen=True)
class Period:
    """Years that a city plans and reports together, such as those of a five-year plan: calendar years, both ends are in it.

    `period_id` is `2021-2025`; changes are measured from `base_year`, if there is one. `claims` is the file of its statements, if
    it has any, and `report` the report (of reports.csv) that those were printed in which name none."""

    period_id: str
    name_zh: str
    name_en: str
    first_year: int
    last_year: int
    base_year: int | None = None
    claims: str | None = None
    report: str | None = None


@dataclass(frozen=True)
class City:
    """The contents of city.yaml. `code` is what names the city once (of a Chinese one its six-digit division code); `periods` are
    in the order of their years, of which each is in one at most; `time_zone` is a name of the IANA database, `profile` one of PROFILES, `languages` one of LANGUAGES. Those of
    DOORS are "" where the city does not state them; `next_release` is a day (YYYY-MM-DD), `licence_url` begins with https."""

    folder: Path
    code: str
    name_zh: str
    name_en: str
    publisher_zh: str
    publisher_en: str
    licence_zh: str
    licence_en: str
    grid_region: str
    periods: tuple[Period, ...]
    time_zone: str = DEFAULT_ZONE
    profile: str = GOVERNMENT_OFFICES
    languages: str = LANGUAGES[0]
    contact_zh: str = ""
    contact_en: str = ""
    email: str = ""
    telephone: str = ""
    next_release: str = ""
    licence_name: str = ""
    licence_url: str = ""
    title_zh: str = ""
    title_en: str = ""
    description_zh: str = ""
    description_en: str = ""
    name_missing: bool = False

    @property
    def english_first(self) -> bool:
        """Whether the city's first language is English, else it is Chinese."""
        return self.languages.startswith("en")


def read_city(path: Path) -> dict[str, Any]:
    """Return the contents of city.yaml, typed and checked; `periods` is a tuple of Period. Raises CityError."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CityError(f"{path.parent} has no city.yaml; write one with {', '.join(_LINES)}.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise CityError(f"city.yaml is not readable as YAML ({' '.join(str(e).split())[:120]}); mend the file.") from e
    if not isinstance(raw, dict):
        raise CityError(f"city.yaml must be a list of names and values; write {', '.join(_LINES)}.")
    unknown = [k for k in raw if k not in (*_LINES, *ONLY_PERIOD, *WORDS, *DECISIONS)]
    if unknown:
        raise CityError(f"city.yaml: '{unknown[0]}' is not known; use only {', '.join((*_LINES, *WORDS, *DECISIONS))}.")
    out = {c: _typed(raw.get(c), t, f"city.yaml: {c}") for c, t in FILES["city"].items()}
    out |= {c: out[c] or usual for c, usual in USUAL.items()} | {c: out[c] or "" for c in DOORS}
    for c, known in (("profile", PROFILES), ("languages", LANGUAGES)):
        if out[c] not in known:
            raise CityError(f"city.yaml: {c} '{out[c]}' is not known; use one of: {', '.join(known)}.")
    if out["time_zone"] not in available_timezones():
        raise CityError(f"city.yaml: time_zone '{out['time_zone']}' is no time zone; write one such as {DEFAULT_ZONE}.")
    for c, v in out.items():
        if v is None:
            raise CityError(f"city.yaml: '{c}' is missing; write it.")
    _doors(out)
    out |= {c: _typed(raw.get(c) or "", "VARCHAR", f"city.yaml: {c}") for c in WORDS}
    out |= {c: _typed(raw.get(c) or 0, "BOOLEAN", f"city.yaml: {c}") for c in DECISIONS}
    for what in ("title", "description"):
        if bool(out[f"{what}_zh"]) != bool(out[f"{what}_en"]):
            raise CityError(f"city.yaml: {what}_zh and {what}_en belong together; write both or neither.")
    return out | {"periods": _periods(raw, path.parent)}


def _periods(raw: Mapping[str, Any], folder: Path) -> tuple[Period, ...]:
    """The periods that city.yaml lists, or the only one that its three lines state. Raises CityError."""
    stated = [c for c in ONLY_PERIOD if raw.get(c) is not None]
    if "periods" not in raw:
        if missing := [c for c in ONLY_PERIOD if c not in stated]:
            what = "periods" if not stated else missing[0]
            raise CityError(f"city.yaml: '{what}' is missing; write it.")
        only = {ours: _typed(raw[line], "BIGINT", f"city.yaml: {line}") for line, ours in ONLY_PERIOD.items()}
        years = f"{only['first_year']}-{only['last_year']}"
        if not (only["first_year"] <= only["last_year"] and only["base_year"] <= only["last_year"]):
            raise CityError(
                "city.yaml: neither period_start nor base_year may come after period_end; mend one of the three."
            )
        return (Period(years, *UNNAMED, **only, claims=CLAIMS),)
    if stated:
        raise CityError(f"city.yaml: {stated[0]} stands beside periods; write the years in periods alone.")
    listed = raw["periods"]
    if not isinstance(listed, list) or not listed or not all(isinstance(p, dict) for p in listed):
        raise CityError("city.yaml: periods must be a list; begin each with '- name_zh:', and write its first_year.")
    found = [_period(p, n, folder) for n, p in enumerate(listed, 1)]
    for before, after in pairwise(found):
        if after.first_year <= before.last_year:
            raise CityError(
                f"city.yaml: periods: {after.period_id} begins before {before.period_id} is over; write the periods in order, "
                "each year in one of them."
            )
    if len(found) == 1 and found[0].claims is None:
        found = [replace(found[0], claims=CLAIMS)]
    files = [p.claims for p in found if p.claims]
    twice = next((f for f in files if files.count(f) > 1), None)
    if twice:
        raise CityError(f"city.yaml: periods: {twice} stands at two periods; give each its own file.")
    if (folder / CLAIMS).is_file() and CLAIMS not in files:
        raise CityError(
            f"city.yaml: no period has the statements of {CLAIMS}; write claims: {CLAIMS} at the one they are of."
        )
    return tuple(found)


def _period(raw: Mapping[str, Any], n: int, folder: Path) -> Period:
    """One item of `periods`, the n-th. Raises CityError."""
    where = f"city.yaml: periods, number {n}"
    lines = [c for c in PERIOD if c != "period_id"]
    if unknown := [str(c) for c in raw if c not in lines]:
        raise CityError(f"{where}: '{unknown[0]}' is not known; use only {', '.join(lines)}.")
    out: dict[str, Any] = {c: _typed(raw.get(c), PERIOD[c], f"{where}: {c}") or None for c in lines}
    for c in ("name_zh", "name_en", "first_year", "last_year"):
        if out[c] is None:
            raise CityError(f"{where}: '{c}' is missing; write it.")
    if out["first_year"] > out["last_year"] or (out["base_year"] or out["last_year"]) > out["last_year"]:
        raise CityError(f"{where}: neither first_year nor base_year may come after last_year; mend one of the three.")
    name = out["claims"]
    if name is not None and (not re.fullmatch(r"[\w-]+\.csv", name) or not (folder / name).is_file()):
        raise CityError(f"{where}: there is no file '{name}' beside city.yaml; write it, or mend the name.")
    return Period(period_id=f"{out['first_year']}-{out['last_year']}", **out)


def _doors(city: Mapping[str, Any]) -> None:
    """Check the lines of DOORS that are given. Raises CityError."""
    address, day = city["email"], city["next_release"]
    if address and not re.fullmatch(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"']+", address):
        raise CityError(f"city.yaml: email '{address}' is no address; write one such as open@city.gov.cn.")
    if re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", re.sub(r"[\s-]", "", city["telephone"])):
        raise CityError("city.yaml: telephone is a mobile number, which is personal; write that of the office.")
    if city["licence_url"] and not re.fullmatch(r"https?://[^\s<>\"']+", city["licence_url"]):
        raise CityError(f"city.yaml: licence_url '{city['licence_url']}' is no address; begin it with https://.")
    if city["licence_url"] and not city["licence_name"]:
        raise CityError("city.yaml: licence_url has no licence_name; write what the licence is called.")
    if day:
        check_day(day, "city.yaml: next_release")


def check_day(text: str, where: str) -> None:
    """Raise CityError where a text is no day."""
    try:
        if dt.date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise CityError(f"{where} is '{text}'; write a day such as 2026-04-30.")


def profile_of(folder: Path | None) -> str:
    """Return the profile that a city's folder names; the usual one without a folder, or for a folder without city.yaml.

    Raises CityError.
    """
    if folder is None or not (folder / "city.yaml").is_file():
        return GOVERNMENT_OFFICES
    return str(read_city(folder / "city.yaml")["profile"])


def read_divisions(folder: Path) -> list[dict[str, Any]]:
    """Read the rows of divisions.csv; none where there is no such file. Raises CityError."""
    path = folder / "divisions.csv"
    rows = read_csv(path, FILES["divisions"], "code", (*OWN_NAMES, *TILE))
    _tiles(rows)
    codes = {r["code"] for r in rows}
    for n, r in enumerate(rows, 2):
        if not re.fullmatch(r"\d{6}", r["code"]):
            raise CityError(f"divisions.csv row {n}: code '{r['code']}' is not six digits; write the GB/T 2260 code.")
        if not r["name_zh"]:
            raise CityError(f"divisions.csv row {n}: name_zh is empty; write the division's name.")
        for c in ("parent", "successor"):
            if r[c] and r[c] not in codes:
                raise CityError(
                    f"divisions.csv row {n}: {c} '{r[c]}' is no code of this table; add it or mend the row."
                )
    return rows


def _tiles(rows: list[dict[str, Any]]) -> None:
    """Check the places on the map of tiles: both numbers or none, and each place once. Raises CityError."""
    seen: dict[tuple[int, int], str] = {}
    for n, r in enumerate(rows, 2):
        column, row = (r[c] for c in TILE)
        if column is None and row is None:
            continue
        if column is None or row is None or not (1 <= column <= MOST_TILES and 1 <= row <= MOST_TILES):
            raise CityError(
                f"divisions.csv row {n}: write both tile_column and tile_row, from 1 to {MOST_TILES}, or neither."
            )
        if (column, row) in seen:
            raise CityError(
                f"divisions.csv row {n}: {r['code']} has the tile of {seen[column, row]}; give it another place."
            )
        seen[column, row] = r["code"]


def read_providers(folder: Path) -> dict[str, dict[str, str]]:
    """Read the optional providers.csv: by dataset the department that provides it, as provider_zh and provider_en.

    Raises CityError.
    """
    rows = read_csv(folder / "providers.csv", PROVIDERS, "dataset")
    for n, r in enumerate(rows, 2):
        if not r["provider_zh"]:
            raise CityError(f"providers.csv row {n}: provider_zh is empty; write the department's name.")
    return {r["dataset"]: {c: r[c] or "" for c in ("provider_zh", "provider_en")} for r in rows}


def read_sections(folder: Path) -> list[dict[str, str]]:
    """Read the optional sections.csv: section, title_zh, title_en and period_id ('' for every period) of each heading of the reports.

    Raises CityError.
    """
    rows = read_csv(folder / "sections.csv", SECTIONS, "section", ("period_id",), once=False)
    seen: set[tuple[str, str]] = set()
    for n, r in enumerate(rows, 2):
        if not r["title_zh"]:
            raise CityError(f"sections.csv row {n}: title_zh is empty; write the heading of the section.")
        at = (r["period_id"] or "", r["section"])
        if at in seen:
            raise CityError(f"sections.csv row {n}: section '{r['section']}' stands there twice; take one away.")
        seen.add(at)
    return [{c: r[c] or "" for c in SECTIONS} for r in rows]


def read_limits(folder: Path) -> list[dict[str, Any]]:
    """Read the rows of limits.csv, each with a value; none where there is no such file. Raises CityError."""
    rows = read_csv(folder / "limits.csv", FILES["limits"], "name")
    for n, r in enumerate(rows, 2):
        if r["value"] is None:
            raise CityError(f"limits.csv row {n}: value is empty; write the number.")
    return rows


def read_standards(folder: Path) -> list[dict[str, Any]]:
    """Read the rows of office_standards.csv; none where there is no such file. Raises CityError."""
    return read_csv(folder / "office_standards.csv", FILES["office_standards"], "rank")


def read_set_names(folder: Path) -> dict[str, tuple[str, str]]:
    """Read the optional factor_set_names.csv: the Chinese and English name of each set of factors. Raises CityError."""
    rows = read_csv(folder / "factor_set_names.csv", SET_NAMES, "factor_set")
    for n, r in enumerate(rows, 2):
        empty = [c for c in SET_NAMES if r[c] is None]
        if empty:
            raise CityError(f"factor_set_names.csv row {n}: {empty[0]} is empty; write it.")
    return {r["factor_set"]: (r["name_zh"], r["name_en"]) for r in rows}


def read_aliases(folder: Path) -> list[dict[str, str]]:
    """Read the optional institution_aliases.csv: the columns name, alias and kind, the last of which may be empty or left out.

    Raises CityError.
    """
    path = folder / "institution_aliases.csv"
    out = []
    for n, r in enumerate(_plain(path)[1], 2):
        row = {c: r.get(c, "") for c in ("name", "alias", "kind")}
        if not row["name"] or not row["alias"]:
            raise CityError(f"{path}: line {n} needs a name and an alias; fill in both or delete the line.")
        out.append(row)
    return out


def read_own(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read the rows of a table `<name>.csv` that rules of a city's own contracts refer to.

    A column of which every cell is a number, or empty, holds numbers; an empty cell is None. Raises CityError.
    """
    if name == "office_standards":
        return read_standards(folder)
    header, rows = _plain(folder / f"{name}.csv")
    columns = {c: _numbers([r[c] for r in rows]) for c in header}
    return [{c: columns[c][i] for c in header} for i in range(len(rows))]


def _numbers(texts: list[str]) -> list[Any]:
    try:
        return [float(t) if t else None for t in texts]
    except ValueError:
        return [t or None for t in texts]


def read_csv(
    path: Path, types: Mapping[str, str], key: str, optional: Collection[str] = (), once: bool = True
) -> list[dict[str, Any]]:
    """Read the rows of one CSV file with the given `types`, an empty cell as None; none where there is no file.

    Every column must be there but the `optional` ones, and `key` must be filled in and, where it does so `once`, name one row
    alone. Raises CityError.
    """
    header, raw = _plain(path)
    if not header and not path.is_file():
        return []
    odd = [h for h in header if h not in types]
    missing = [c for c in types if c not in header and c not in optional]
    if odd or missing:
        what = f"column '{odd[0]}' is not known" if odd else f"column '{missing[0]}' is missing"
        raise CityError(f"{path.name}: {what}; its columns are {', '.join(types)}.")
    out: list[dict[str, Any]] = []
    seen: set[str] = set()
    for n, r in enumerate(raw, 2):
        row = {c: _typed(r.get(c) or None, t, f"{path.name} row {n}: {c}") for c, t in types.items()}
        if row[key] is None:
            raise CityError(f"{path.name} row {n}: {key} is empty; write it.")
        if once and row[key] in seen:
            raise CityError(f"{path.name} row {n}: {key} '{row[key]}' stands there twice; take one away.")
        seen.add(row[key])
        out.append(row)
    return out


def _plain(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The header and the rows of a CSV file as stripped texts; nothing where there is no file. Raises CityError."""
    if not path.is_file():
        return [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.DictReader(f, strict=True)
            raw = list(reader)
            header = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise CityError(f"{path.name} is not readable as CSV in UTF-8 ({e}); save it so.") from e
    if twice := next((h for n, h in enumerate(header) if h in header[:n]), None):
        raise CityError(f"{path.name}: column '{twice}' stands there twice; take one away.")
    for n, r in enumerate(raw, 2):
        if None in r or None in r.values():
            raise CityError(
                f"{path.name} row {n} has not as many cells as the header; put text with a comma in quotes."
            )
    return header, [{c: text.strip() for c, text in r.items()} for r in raw]


def _typed(value: Any, kind: str, where: str) -> Any:
    if value is None:
        return None
    text = str(value).strip()
    if kind == "VARCHAR":
        return text
    if kind == "BOOLEAN":
        if text not in ("0", "1"):
            raise CityError(f"{where} is '{text}'; write 0 or 1.")
        return text == "1"
    try:
        number = Decimal(text)
        if not number.is_finite() or (kind == "BIGINT" and number != int(number)):
            raise InvalidOperation
    except InvalidOperation:
        raise CityError(f"{where} is '{text}'; write {'a whole number' if kind == 'BIGINT' else 'a number'}.") from None
    return int(number) if kind == "BIGINT" else float(number)
