"""Published wholes against their parts: what must agree is refused where it does not, by half a unit of the last digit."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from publish.disclosure.history import FROZEN_ZH
from publish.disclosure.wholes import Cell, Definition, Wholes, hold, shown_values, wholes_of

WHOLES = Wholes(
    {
        "bill": Definition(2, "bill", adds_over_years=True),
        "power": Definition(2, "power", adds_over_years=True),
        "water": Definition(2, "water", adds_over_years=True),
        "people": Definition(0, "people"),
        "bill_per_head": Definition(4, "bill", "people"),
        "bill_per_head_change": Definition(4, times=Fraction(100), change_of="bill_per_head", change="full"),
        "bill_saved": Definition(2, change_of="bill", change="saved"),
        "bill_t": Definition(3, "bill", times=Fraction(1, 1000), adds_over_years=True),
        "part": Definition(0, "part"),
        "first_year": Definition(0, "first_year", index=True),
    },
    {"bill": ("power", "water")},
    (("part", "people"),),
)
Row = tuple[float | None, str | None, int | None, int | None]
# (value, note, reporting, population) by address: a city of two districts in two years, where everything agrees.
RIGHT: dict[Cell, Row] = {
    ("bill", 2021, "total", "all", "none"): (300.0, None, 4, 4),
    ("power", 2021, "total", "all", "none"): (200.0, None, 4, 4),
    ("water", 2021, "total", "all", "none"): (100.0, None, 4, 4),
    ("bill", 2021, "district", "a", "none"): (180.01, None, 2, 2),
    ("bill", 2021, "district", "b", "none"): (119.99, None, 2, 2),
    ("bill", 2022, "total", "all", "none"): (270.0, None, 4, 4),
    ("bill", 2022, "period", "2021-2022", "none"): (570.0, None, 4, 4),
    ("bill_t", 2022, "total", "all", "none"): (0.27, None, 4, 4),
    ("people", 2021, "total", "all", "none"): (7.0, None, 4, 4),  # a count is known to half a one, as any figure
    ("people", 2022, "total", "all", "none"): (7.0, None, 4, 4),
    ("part", 2022, "total", "all", "none"): (7.0, None, 4, 4),
    ("bill_per_head", 2021, "total", "all", "none"): (42.8571, None, 4, 4),
    ("bill_per_head", 2022, "total", "all", "none"): (38.5714, None, 4, 4),
    ("bill_per_head_change", 2022, "base", "2021", "none"): (-10.0, None, 4, 4),
    ("bill_saved", 2022, "base", "2021", "none"): (30.0, None, 4, 4),
}


def broken(changed: dict[Cell, Row]) -> list[str]:
    found = hold(shown_values((*cell, *row) for cell, row in (RIGHT | changed).items()), WHOLES)
    assert found.looked_at > 5
    return [f"{'/'.join(map(str, cell))}: {wrong}" for cell, wrong in found.broken]


def test_figures_that_agree_pass() -> None:
    assert broken({}) == []


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        (("power", 2021, "total", "all", "none"), 200.02, "bill/2021/total/all/none: it is 300, but its parts add up to 300.02 of power and water"),
        (("bill", 2021, "district", "a", "none"), 180.03, "bill/2021/total/all/none: it is 300, but its parts add up to 300.02 over district"),
        (("bill", 2022, "period", "2021-2022", "none"), 570.02, "bill/2022/period/2021-2022/none: it is 570.02, but its parts add up to 570 over its years"),
        (("bill_t", 2022, "total", "all", "none"), 0.271, "bill/2022/total/all/none: it is 270, but bill_t is 0.271"),
        (("bill_per_head", 2022, "total", "all", "none"), 42.0, "bill_per_head/2022/total/all/none: it is 42, but its numerator over its denominator is 38.5714"),
        (("bill_per_head_change", 2022, "base", "2021", "none"), -10.001, "it is -10.001, but the two years give -10"),
        (("bill_saved", 2022, "base", "2021", "none"), 30.02, "bill_saved/2022/base/2021/none: it is 30.02, but the two years differ by 30"),
        (("part", 2022, "total", "all", "none"), 9.0, "part/2022/total/all/none: it is more than people, of which it is a part"),
    ],
)  # fmt: skip
def test_a_figure_that_does_not_agree_is_named(cell: Cell, value: float, said: str) -> None:
    assert any(said in b for b in broken({cell: (value, *RIGHT[cell][1:])})), broken({cell: (value, *RIGHT[cell][1:])})


@pytest.mark.parametrize(
    "changed",
    [
        # a hidden member, and one that stands as last published: nothing can be said of their sum
        {("bill", 2021, "district", "a", "none"): (None, None, None, None)},
        {("bill", 2021, "district", "a", "none"): (500.0, FROZEN_ZH, 2, 2)},
        # a ratio, and a saving, of fewer institutions than stand in the sums beside it
        {("bill_per_head", 2022, "total", "all", "none"): (12.0, None, 3, 4), ("bill_per_head_change", 2022, "base", "2021", "none"): (None, None, None, None)},
        {("bill_saved", 2022, "base", "2021", "none"): (-5.0, None, 3, 4)},
        # the year of the first contract, of the city and of each level
        {("first_year", 2021, "total", "all", "none"): (2021.0, None, None, None), ("first_year", 2021, "level", "市", "none"): (2021.0, None, None, None),
         ("first_year", 2021, "level", "县", "none"): (2022.0, None, None, None)},
    ],
)  # fmt: skip
def test_what_need_not_agree_is_let_be(changed: dict[Cell, Row]) -> None:
    assert broken(changed) == []


def test_the_seeds_name_indicators_that_exist(root: Path) -> None:
    seeds = root / "dbt_project" / "seeds"
    with (seeds / "seed_indicators.csv").open(encoding="utf-8", newline="") as f:
        indicators = [{k: v or None for k, v in r.items()} for r in csv.DictReader(f)]
    with (seeds / "seed_wholes.csv").open(encoding="utf-8", newline="") as f:
        rows = [(r["whole"], r["part"], r["relation"]) for r in csv.DictReader(f)]
    assert {relation for _, _, relation in rows} == {"sum", "within"}
    wholes = wholes_of([r | {"adds_over_years": r["adds_over_years"] == "true"} for r in indicators], rows)
    assert {name for w, p, _ in rows for name in (w, p)} <= set(wholes.indicators)
    assert wholes.sums["utility_cost_saved"] == ("electricity_cost_saved", "water_cost_saved")
    assert wholes.indicators["timeshare_hours_per_vehicle"].times == Fraction(1, 60)
