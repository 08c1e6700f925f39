"""Measures how far a release moves from the one before, and holds one that moves too far.

Belongs here: the measure of a release, the limits, and the sentences that say what went beyond them. Not here: keeping a release
that is held (hold.py). The measure is taken of the marts before anything is frozen or suppressed, so that a slip is found
though the published value stays as it was; it never leaves the home's work folder, nor do the sentences, which would tell
what secrecy hides.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipelines.core.home import RELEASE_ID, Home, release_folders, whole_file
from pipelines.sources import decisions
from publish.disclosure.corrections import FIGURE
from publish.disclosure.relations import Indicator
from publish.errors import LimitsError

LIMITS = "releases.yaml"  # in the city's folder; without it the limits below hold
# They count what is wrong, or files: fewer is no loss, none is. Corrections come and go with the decisions of the bureau.
MAY_SHRINK = ("data_issues", "findings", "provenance", "submissions", "task_counts")
MAY_BE_EMPTY = ("corrections",)
NAMED = 5  # ids named in one sentence
MOST = 20  # figures of which each has a sentence
PLAIN_SETS = ("default", "none")  # the factor sets of headline figures


@dataclass(frozen=True)
class MovementLimits:
    """What may pass without a person's yes. Shares: 0.1 is 10 %.

    `rows`: so much of a table or dataset may be gone, and always fewer than `few_rows` rows. `figure`: so far a headline figure of a
    settled year may move, in percentage points where its unit is %. A year is settled `settled_months` after its end. A figure
    that rests on fewer than `few_records` records may double or halve.
    """

    rows: float = 0.1
    few_rows: int = 5
    figure: float = 0.1
    few_records: int = 10
    settled_months: int = 6


@dataclass(frozen=True)
class Figure:
    """A headline figure as the marts have it: the value of the whole city under the default factor set."""

    indicator: str
    year: int
    unit: str
    value: float
    records: int


@dataclass(frozen=True)
class Measure:
    """What of a release the next one is held against. `tables` and `datasets`: rows by name, of datasets those that were
    accepted, published or not; `indicators` those with a value; `statements` those with a computed value; `decisions`: how many
    the ledger held, None where that is not known."""

    as_of: date
    tables: dict[str, int] = field(default_factory=dict)
    datasets: dict[str, int] = field(default_factory=dict)
    indicators: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    decisions: int | None = None


@dataclass(frozen=True)
class Decided:
    """What a person has decided since the last release, so that it may move: rows of `datasets`, figures of `indicators`, and single
    `figures` by indicator and year."""

    datasets: frozenset[str] = frozenset()
    indicators: frozenset[str] = frozenset()
    figures: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class Lineage:
    """Where things come from: the datasets that each indicator rests on, and those of which each file has a sheet; `corrected` are the
    rows of the public table corrections."""

    indicators: Mapping[str, set[str]] = field(default_factory=dict)
    files: Mapping[str, set[str]] = field(default_factory=dict)
    corrected: Sequence[Mapping[str, Any]] = ()


def load_limits(city: Path) -> MovementLimits:
    """The limits of a city's folder. Raises LimitsError, naming what to write instead."""
    path = city / LIMITS
    if not path.is_file():
        return MovementLimits()
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise LimitsError(f"{LIMITS} is not readable as YAML ({' '.join(str(e).split())[:120]}); mend the file.") from e
    kinds = {f.name: type(f.default) for f in fields(MovementLimits)}
    if not isinstance(raw, dict):
        raise LimitsError(f"{LIMITS} must be a list of names and numbers; write {', '.join(kinds)}.")
    for name, value in raw.items():
        if name not in kinds:
            raise LimitsError(f"{LIMITS}: '{name}' is not known; use only {', '.join(kinds)}.")
        whole = kinds[name] is int
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not 0 <= value < math.inf
        ):
            raise LimitsError(
                f"{LIMITS}: {name} is {value!r}; write a {'whole number' if whole else 'share such as 0.2'}."
            )
    return replace(MovementLimits(), **raw)


def measure(
    cells: pd.DataFrame,
    indicators: Mapping[str, Indicator],
    data: Mapping[str, pa.Table],
    statements: list[str],
    as_of: date,
    decisions: int,
) -> Measure:
    """The measure of a release that is being made: `cells` of the marts, `data` the public rows, `statements` those of which
    the marts have a computed value."""
    headline = {name for name, indicator in indicators.items() if is_headline(indicator)}
    return Measure(
        as_of,
        {name: t.num_rows for name, t in data.items()},
        _datasets(data["datasets"]),
        _valued(cells),
        sorted(statements),
        _figures(cells[cells["indicator_id"].isin(headline)]),
        decisions,
    )


def published(folder: Path, as_of: date) -> Measure:
    """The same of a release of which only what was published is known: its own measure was thrown away with `work`."""
    tables = {
        p.stem: pq.read_metadata(p).num_rows for p in (folder / "parquet").glob("*.parquet") if p.stem != "releases"
    }
    cells = pd.read_parquet(folder / "parquet" / "indicator_values.parquet")
    claims = pd.read_parquet(folder / "parquet" / "claims.parquet")
    return Measure(
        as_of,
        tables,
        _datasets(pq.read_table(folder / "parquet" / "datasets.parquet")),
        _valued(cells),
        sorted(claims.loc[claims["computed_value"].notna(), "claim_id"]),
        _figures(cells),
    )


def _datasets(table: pa.Table) -> dict[str, int]:
    return {r["dataset"]: r["rows"] or 0 for r in table.select(["dataset", "rows"]).to_pylist()}


def _valued(cells: pd.DataFrame) -> list[str]:
    return sorted(cells.loc[cells["value"].notna(), "indicator_id"].unique())


def _figures(cells: pd.DataFrame) -> list[Figure]:
    total = (cells["dimension"] == "total") & (cells["member"] == "all") & cells["factor_set"].isin(PLAIN_SETS)
    of = cells[total & cells["value"].notna()]
    taken = of[["indicator_id", "year", "unit", "value", "records"]].fillna({"records": 0})
    return [Figure(i, int(y), str(u), float(v), int(n)) for i, y, u, v, n in taken.itertuples(index=False)]


def is_headline(indicator: Indicator) -> bool:
    """Whether the city's totals of an indicator are headline figures: quantities and ratios of quantities. What compares years (a
    change, a saving) is made of these and would move several times as far; an index is no quantity."""
    return indicator.kind != "index" and not indicator.change_of and not indicator.compares


def reasons(then: Measure, now: Measure, last: str, limits: MovementLimits, decided: Decided) -> list[str]:
    """One sentence for each way in which a release goes beyond the limits, held against the release `last`; [] is well."""
    return [
        *_lost_rows(then, now, last, limits, decided),
        *_lost("indicator", "a value", then.indicators, set(now.indicators) | decided.indicators, last),
        *(
            []
            if decided.datasets
            else _lost("statement", "a computed value", then.statements, set(now.statements), last)
        ),
        *_moved(then, now, last, limits, decided),
    ]


def _lost_rows(then: Measure, now: Measure, last: str, limits: MovementLimits, decided: Decided) -> Iterator[str]:
    for what, before, after in (("Dataset", then.datasets, now.datasets), ("Table", then.tables, now.tables)):
        for name, old in sorted(before.items()):
            if name in decided.datasets or (what == "Table" and name in then.datasets):
                continue  # the rows of a dataset are counted once
            new = after.get(name)
            if new is None:
                yield f"{what} {name} of release {last} is gone."
            elif name in MAY_BE_EMPTY:
                continue
            elif old > 0 and new == 0:
                yield f"{what} {name} has no rows; release {last} has {old:,}."
            elif name not in MAY_SHRINK and old - new >= limits.few_rows and old - new > limits.rows * old:
                yield (
                    f"{what} {name} has {new:,} rows, {_percent((old - new) / old)} fewer than the {old:,} of release {last} "
                    f"(limit {_percent(limits.rows)})."
                )


def _lost(what: str, lacks: str, before: list[str], after: set[str], last: str) -> Iterator[str]:
    gone = [name for name in before if name not in after]
    if gone:
        more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
        yield f"{len(gone)} {what}(s) with {lacks} in release {last} have none now: {', '.join(gone[:NAMED])}{more}."


def _moved(then: Measure, now: Measure, last: str, limits: MovementLimits, decided: Decided) -> Iterator[str]:
    before = {(f.indicator, f.year): f for f in then.figures}
    found = []
    for new in now.figures:
        old = before.get((new.indicator, new.year))
        asked = new.indicator in decided.indicators or (new.indicator, new.year) in decided.figures
        if old is None or asked or not _beyond(old, new, then.as_of, limits):
            continue
        found.append(
            f"{new.indicator} of {new.year}, the whole city, is {new.value:,.6g} {new.unit}; it was {old.value:,.6g} in release "
            f"{last} ({_change(old, new)}, limit {_limit(old, limits)})."
        )
    yield from found[:MOST]
    if len(found) > MOST:
        yield f"{len(found) - MOST} more headline figures moved beyond the limit."


def _beyond(old: Figure, new: Figure, as_of: date, limits: MovementLimits) -> bool:
    """Whether a figure moved too far. In a year that is not settled, and where few records stand behind it, another record is no
    slip: there only a figure of the same records, or fewer, is compared."""
    few = old.records < limits.few_records
    if new.records > old.records and (few or not is_settled(old.year, as_of, limits.settled_months)):
        return False
    if new.unit == "%":
        return abs(new.value - old.value) > 100 * (1 if few else limits.figure)
    if few:
        return abs(new.value) > 2 * abs(old.value) or abs(new.value) < abs(old.value) / 2
    return abs(new.value - old.value) > limits.figure * abs(old.value)


def is_settled(year: int, as_of: date, months: int) -> bool:
    """Whether a year ended at least so many months before a date: late submissions of it are then in."""
    return (as_of.year - year - 1) * 12 + as_of.month - 1 >= months


def _change(old: Figure, new: Figure) -> str:
    if new.unit == "%":
        return f"{new.value - old.value:+.1f} points"
    if old.value == 0:
        return "from nothing"
    factor = new.value / old.value
    return f"{factor:.1f} times" if factor >= 2 else f"{100 * (factor - 1):+.1f} %"


def _limit(old: Figure, limits: MovementLimits) -> str:
    if old.unit == "%":
        return f"{100 * (1 if old.records < limits.few_records else limits.figure):.3g} points"
    return "twice or half" if old.records < limits.few_records else _percent(limits.figure)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def keep(home: Home, release_id: str, taken: Measure) -> None:
    """Notes the measure of a release that stands, and forgets those of releases that are not kept any more."""
    folder = home.work / "measures"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(folder / f"{release_id}.json", taken)
    kept = {p.name for p in release_folders(home.releases)}
    for old in folder.glob("*.json"):
        if RELEASE_ID.fullmatch(old.stem) and old.stem not in kept:
            old.unlink()


def write(path: Path, taken: Measure) -> None:
    with whole_file(path, durable=True) as part:
        part.write_text(
            json.dumps(asdict(taken) | {"as_of": taken.as_of.isoformat()}, ensure_ascii=False), encoding="utf-8"
        )


def read(path: Path) -> Measure | None:
    """A measure that was written; None where there is none that can be read."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        figures = [Figure(**f) for f in raw.pop("figures")]
        return Measure(date.fromisoformat(raw.pop("as_of")), figures=figures, **raw)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def last(home: Home, folder: Path) -> Measure:
    """The measure of the release in `folder`."""
    return read(home.work / "measures" / f"{folder.name}.json") or published(
        folder, date.fromisoformat(folder.name[:10])
    )


def beyond(home: Home, folder: Path, now: Measure, limits: MovementLimits, lineage: Lineage) -> list[str]:
    """Why a release measured as `now` may not follow the one in `folder` without a person's yes."""
    then = last(home, folder)
    return reasons(then, now, folder.name, limits, _decided(decisions.read(home), then.decisions, lineage))


def _decided(every: list[decisions.Decision], known: int | None, lineage: Lineage) -> Decided:
    """What new decisions of the bureau have moved on purpose: a submission withdrawn, a cell patched, a figure corrected, or one of
    these undone. `known` of `every` were made before the last release."""
    if known is None:
        return Decided()
    by_time = {d.decided_at: d for d in every}
    made = [by_time.get(d.target, d) if d.kind == decisions.UNDO else d for d in every[known:]]
    datasets: set[str] = set()
    for d in made:
        if isinstance(d.details.get("dataset"), str):
            datasets.add(d.details["dataset"])
        else:
            datasets |= {name for file in d.details.get("files", ()) for name in lineage.files.get(file, ())}
    figures: set[tuple[str, int]] = set()
    if any(d.kind == FIGURE for d in made):
        figures = {(r["indicator_id"], int(r["year"])) for r in lineage.corrected}
    moved = {i for i, of in lineage.indicators.items() if of & datasets}
    return Decided(frozenset(datasets), frozenset(moved), frozenset(figures))
