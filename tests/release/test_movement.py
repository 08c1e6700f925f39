"""What holds a release: every limit has a movement beyond it and one within, and growth is no movement."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.sources import decisions
from publish.disclosure.relations import Indicator
from publish.errors import LimitsError
from publish.release import movement
from publish.release.movement import (
    Decided,
    Figure,
    Lineage,
    Measure,
    MovementLimits,
    is_headline,
    is_settled,
    load_limits,
    reasons,
)

LAST = "2026-03-31-00000000"
ENERGY = Figure("energy_tce", 2024, "tce", 1000.0, 900)
THEN = Measure(
    date(2026, 3, 31),
    tables={
        "energy": 1000,
        "retrofit_funds": 40,
        "indicator_values": 500,
        "data_issues": 90,
        "task_counts": 30,
        "claims": 2,
        "corrections": 1,
    },
    datasets={"energy_use": 1000, "retrofit_funds": 40, "leases": 3},
    indicators=["energy_tce", "people"],
    statements=["a", "b"],
    figures=[ENERGY],
    decisions=0,
)


NOBODY, USUAL = Decided(), MovementLimits()


def held(now: Measure, decided: Decided = NOBODY, limits: MovementLimits = USUAL, then: Measure = THEN) -> list[str]:
    return reasons(then, now, LAST, limits, decided)


def with_rows(**rows: int) -> Measure:
    tables = {k: v for k, v in (THEN.tables | rows).items() if k in THEN.tables}
    datasets = {k: v for k, v in (THEN.datasets | rows).items() if k in THEN.datasets}
    return replace(THEN, tables=tables, datasets=datasets)


def moved(now: Figure, then: Figure = ENERGY, decided: Decided = NOBODY, limits: MovementLimits = USUAL) -> list[str]:
    return held(replace(THEN, figures=[now]), decided, limits, replace(THEN, figures=[then]))


def test_the_same_again_holds_nothing() -> None:
    assert held(THEN) == []


def test_growth_holds_nothing() -> None:
    grown = with_rows(energy=2000, energy_use=2000, leases=300)
    new = [Figure("energy_tce", 2025, "tce", 50.0, 4), Figure("leases", 2024, "处", 900.0, 300)]
    assert (
        held(
            replace(
                grown,
                datasets=grown.datasets | {"meetings": 800},
                tables=grown.tables | {"meetings": 800},
                indicators=["energy_tce", "leases", "people"],
                statements=["a", "b", "c"],
                figures=[ENERGY, *new],
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"indicator_values": 449}, "Table indicator_values has 449 rows, 10.2 % fewer than the 500 of release"),
        ({"energy_use": 800}, "Dataset energy_use has 800 rows, 20 % fewer than the 1,000"),
        # The table of a dataset that is open has the same rows, which are counted once.
        ({"retrofit_funds": 30}, "Dataset retrofit_funds has 30 rows, 25 % fewer than the 40"),
        ({"leases": 0}, "Dataset leases has no rows; release 2026-03-31-00000000 has 3."),
        ({"data_issues": 0}, "Table data_issues has no rows"),
        ({"claims": 0}, "Table claims has no rows"),
    ],
)
def test_lost_rows_hold(rows: dict[str, int], sentence: str) -> None:
    (found,) = held(with_rows(**rows))
    assert found.startswith(sentence), found


@pytest.mark.parametrize(
    "rows",
    [
        {"indicator_values": 450},
        {"energy_use": 901},
        {"retrofit_funds": 36},
        {"leases": 1},
        {"data_issues": 2},
        {"corrections": 0},
    ],
)
def test_a_few_lost_rows_and_fewer_issues_hold_nothing(rows: dict[str, int]) -> None:
    assert held(with_rows(**rows)) == []


def test_a_dataset_or_table_that_is_gone_holds() -> None:
    gone = replace(THEN, datasets={k: v for k, v in THEN.datasets.items() if k != "leases"})
    assert held(gone) == [f"Dataset leases of release {LAST} is gone."]
    gone = replace(THEN, tables={k: v for k, v in THEN.tables.items() if k != "claims"})
    assert held(gone) == [f"Table claims of release {LAST} is gone."]


def test_indicators_and_statements_that_have_no_value_any_more_hold() -> None:
    assert held(replace(THEN, indicators=["energy_tce"])) == [
        f"1 indicator(s) with a value in release {LAST} have none now: people."
    ]
    many = replace(THEN, statements=[f"s{n}" for n in range(9)])
    assert held(replace(THEN, statements=[]), then=many) == [
        f"9 statement(s) with a computed value in release {LAST} have none now: s0, s1, s2, s3, s4 and 4 more."
    ]


@pytest.mark.parametrize("value", [1201.0, 799.0, 10_000.0, 100.0, 0.0, -1000.0])
@pytest.mark.parametrize("records", [900, 890, 950])
def test_a_headline_figure_of_a_settled_year_that_moves_too_far_holds(value: float, records: int) -> None:
    (sentence,) = moved(replace(ENERGY, value=value, records=records))
    assert (
        sentence.startswith("energy_tce of 2024, the whole city, is ") and f"it was 1,000 in release {LAST}" in sentence
    )


def test_the_sentence_says_how_far_a_figure_moved() -> None:
    assert moved(replace(ENERGY, value=10_000.0)) == [
        "energy_tce of 2024, the whole city, is 10,000 tce; it was 1,000 in release 2026-03-31-00000000 (10.0 times, limit 10 %)."
    ]
    assert "(+25.0 %, limit 10 %)" in moved(replace(ENERGY, value=1250.0))[0]


@pytest.mark.parametrize("value", [1100.0, 900.0, 1000.0])
def test_a_headline_figure_that_moves_less_holds_nothing(value: float) -> None:
    assert moved(replace(ENERGY, value=value)) == []


def test_late_months_of_a_year_that_is_not_settled_are_no_movement() -> None:
    then = replace(ENERGY, year=2026, records=120)
    assert moved(replace(then, value=5000.0, records=600), then) == []
    # The same records that say something else are: like is compared with like.
    assert len(moved(replace(then, value=5000.0), then)) == 1
    assert len(moved(replace(then, value=500.0, records=60), then)) == 1


def test_a_figure_of_few_records_may_double_or_halve() -> None:
    few = Figure("disposal_amount", 2024, "元", 1000.0, 3)
    assert moved(replace(few, value=1990.0), few) == [] == moved(replace(few, value=510.0), few)
    assert moved(replace(few, value=9000.0, records=4), few) == []  # one more of three may be the largest
    (sentence,) = moved(replace(few, value=2800.0), few)
    assert "2.8 times, limit twice or half" in sentence
    assert len(moved(replace(few, value=400.0), few)) == 1


def test_percentages_are_compared_in_points() -> None:
    rate = Figure("canteen_coverage", 2024, "%", 5.0, 60)
    assert moved(replace(rate, value=14.9), rate) == []
    (sentence,) = moved(replace(rate, value=50.0), rate)
    assert "(+45.0 points, limit 10 points)" in sentence


def test_a_figure_that_was_nothing_and_is_something_holds() -> None:
    nothing = replace(ENERGY, value=0.0)
    assert "(from nothing, limit 10 %)" in moved(ENERGY, nothing)[0]


def test_more_than_twenty_figures_are_counted() -> None:
    many = [replace(ENERGY, indicator=f"i{n:02}") for n in range(25)]
    then = replace(THEN, figures=many)
    found = held(replace(THEN, figures=[replace(f, value=1.0) for f in many]), then=then)
    assert len(found) == 21 and found[-1] == "5 more headline figures moved beyond the limit."


def test_what_the_bureau_decided_holds_nothing() -> None:
    less = replace(
        with_rows(energy_use=100), figures=[replace(ENERGY, value=1.0)], statements=["a"], indicators=["people"]
    )
    assert len(held(less)) == 4
    assert held(less, Decided(frozenset({"energy_use"}), frozenset({"energy_tce"}))) == []


@pytest.mark.parametrize(
    ("year", "as_of", "settled"),
    [
        (2025, date(2025, 12, 31), False),
        (2025, date(2026, 6, 30), False),
        (2025, date(2026, 7, 1), True),
        (2024, date(2025, 12, 31), True),
        (2026, date(2026, 11, 27), False),
        (2030, date(2027, 1, 31), False),
    ],
)
def test_a_year_is_settled_half_a_year_after_its_end(year: int, as_of: date, settled: bool) -> None:
    assert is_settled(year, as_of, MovementLimits().settled_months) is settled


def test_headline_figures_are_quantities_and_ratios_of_them() -> None:
    assert is_headline(Indicator("flow", "energy")) and is_headline(Indicator("ratio", "energy", "people"))
    assert not is_headline(Indicator("ratio", change_of="energy_per_capita"))
    assert not is_headline(Indicator("flow", compares="energy_kgce")) and not is_headline(Indicator("index", "since"))


def test_a_city_sets_its_own_limits(tmp_path: Path) -> None:
    assert load_limits(tmp_path) == MovementLimits()
    (tmp_path / "releases.yaml").write_text("rows: 0.5\nfigure: 1\nsettled_months: 0\n")
    assert load_limits(tmp_path) == MovementLimits(rows=0.5, figure=1, settled_months=0)
    assert moved(replace(ENERGY, value=1900.0), limits=load_limits(tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rowz: 0.1", "'rowz' is not known; use only rows, few_rows, figure"),
        ("rows: ten", "rows is 'ten'; write a share such as 0.2"),
        ("rows: -0.1", "rows is -0.1; write a share"),
        ("rows: .inf", "rows is inf; write a share"),
        ("few_rows: 1.5", "few_rows is 1.5; write a whole number"),
        ("- rows", "must be a list of names and numbers"),
        ("rows: [", "is not readable as YAML"),
    ],
)
def test_wrong_limits_end_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "releases.yaml").write_text(text)
    with pytest.raises(LimitsError) as e:
        load_limits(tmp_path)
    assert says in str(e.value) and e.value.exit_status == 2 and "\n" not in str(e.value)


def test_a_measure_is_written_and_read_back(tmp_path: Path) -> None:
    movement.write(tmp_path / "m.json", THEN)
    assert movement.read(tmp_path / "m.json") == THEN
    (tmp_path / "m.json").write_text('{"as_of": "2026-0')
    assert movement.read(tmp_path / "m.json") is None and movement.read(tmp_path / "none.json") is None


def test_decisions_since_the_last_release_count_as_a_yes(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    folder = home.releases / LAST
    folder.mkdir()
    movement.keep(home, LAST, THEN)
    now = replace(with_rows(energy_use=100), figures=[replace(ENERGY, value=1.0)])
    lineage = Lineage({"energy_tce": {"energy_use", "institutions"}}, {"f": {"energy_use"}, "g": {"leases"}})
    assert len(movement.beyond(home, folder, now, MovementLimits(), lineage)) == 2
    decisions.add(home, "withdraw", "g", "甲", "报错", details={"files": ["g"]})
    assert len(movement.beyond(home, folder, now, MovementLimits(), lineage)) == 2
    made = decisions.add(home, "withdraw", "f", "甲", "报错", details={"files": ["f"]})
    assert movement.beyond(home, folder, now, MovementLimits(), lineage) == []
    # Once a release was made after it, it is no decision about the next one; undoing it is one again.
    movement.keep(home, LAST, replace(THEN, decisions=2))
    assert len(movement.beyond(home, folder, now, MovementLimits(), lineage)) == 2
    decisions.add(home, decisions.UNDO, made.decided_at, "甲", "撤回")
    assert movement.beyond(home, folder, now, MovementLimits(), lineage) == []
    movement.keep(home, LAST, replace(THEN, decisions=3))
    decisions.add(home, "cell", "f A!B3", "甲", "报错", details={"file": "f", "dataset": "energy_use"})
    assert movement.beyond(home, folder, now, MovementLimits(), lineage) == []


def test_a_corrected_figure_is_no_movement_and_another_year_of_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    folder = home.releases / LAST
    folder.mkdir()
    movement.keep(home, LAST, THEN)
    now = replace(THEN, figures=[replace(ENERGY, value=1.0)])
    figure = {"indicator_id": "energy_tce", "year": 2024}
    decisions.add(home, "figure", "energy_tce/2024", "甲", "报错", details=figure)
    assert movement.beyond(home, folder, now, MovementLimits(), Lineage(corrected=[figure])) == []
    assert len(movement.beyond(home, folder, now, MovementLimits(), Lineage(corrected=[figure | {"year": 2023}]))) == 1
