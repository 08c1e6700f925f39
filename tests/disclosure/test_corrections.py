"""A figure declared wrong is replaced in the open or withdrawn, and neither tells what the error of one institution was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.sources.decisions import Decision
from publish.disclosure.corrections import CELL, REPLACED, WITHDRAWN, WITHDRAWN_ZH, correct
from publish.disclosure.history import FROZEN_ZH, Past, freeze
from publish.disclosure.suppress import suppress
from tests.disclosure.reader import left_over, slips, told
from tests.disclosure.test_history import ABOUT, RULES, at, cells_of, gate_finds, parts_of, people

TEN = 10.0


def decide(release, year=2022, indicator="kgce", releases=1, **cell):
    details = {"indicator_id": indicator, "year": year, "release": release, "releases": releases}
    return Decision(
        "figure", f"{indicator} {year}", "王工", "小数点错位", "A slip of the point", "2026-01-05", "", details | cell
    )


def publish(facts, past, tmp, name, decisions=()):
    """One more release as build.py makes it: what is published, what a correction did, and the past with it."""
    cells, parts = cells_of(facts), parts_of(facts)
    against_past = freeze(cells, parts, past, ABOUT, RULES)
    out = suppress(against_past.cells, ABOUT, RULES, against_past.hidden, against_past.known).cells
    corrected = correct(cells, out, against_past.frozen, decisions, parts, past, ABOUT)
    path = tmp / f"{name}.parquet"
    parts.to_parquet(path, index=False)
    return corrected, [*past, Past(name, path, out)]


def slipped(facts, orgs, year=2022, times=TEN):
    """The facts with the amounts of `orgs` in one year so many times too large."""
    of = facts["org"].isin(orgs) & (facts["year"] == year)
    return facts.assign(v=facts["v"].where(~of, facts["v"] * times))


def false_cells(facts, wrong):
    """The figures that the error makes false."""
    right, false = cells_of(facts), cells_of(wrong)
    return {
        tuple(k)
        for k in right.loc[right["value"] != false["value"], ["indicator_id", "year", "dimension", "member"]].to_numpy()
    }


@pytest.mark.parametrize("times", [0.001, 0.1, 10.0, 100.0])
def test_the_error_of_one_institution_is_withdrawn_wherever_it_stands_and_its_amount_is_not_told(tmp_path, times):
    facts = people(1, 60)
    wrong = slipped(facts, ["o7"], times=times)
    first, past = publish(wrong, [], tmp_path, "a")
    decision = decide("a")
    second, past = publish(facts, past, tmp_path, "b", [decision])
    assert at(second.cells, "kgce", "total", "all")["status"] == "Q"
    assert WITHDRAWN_ZH in at(second.cells, "kgce", "total", "all")["note"]
    assert "王工" in at(second.cells, "kgce", "total", "all")["note"]
    # No figure that holds the error is shown, whichever indicator, sum or ratio it is in; what does not hold it stands.
    for cell in false_cells(facts, wrong):
        assert np.isnan(at(second.cells, *cell[:1], *cell[2:], year=cell[1])["value"]), cell
    same = at(first.cells, "kgce", "total", "all", 2021)["value"]
    assert at(second.cells, "kgce", "total", "all", 2021)["value"] == same
    assert at(second.cells, "people", "total", "all")["revised"] is None
    # Published naively, the difference gives the institution's own value to anybody who guesses a slip of the point.
    naive = [(first.cells, wrong), (cells_of(facts), facts)]
    own = facts[(facts["org"] == "o7") & (facts["year"] == 2022)]["v"].iloc[0]
    assert any(found == pytest.approx(own, rel=1e-6) for found in slips(naive).get(("o7", 2022), []))
    shown = [(first.cells, wrong), (second.cells, facts)]
    assert slips(shown) == {} and told(shown) == [] and left_over(shown) == []
    rows = {(r["indicator_id"], r["dimension"], r["member"], r["year"]): r for r in second.rows}
    row = rows["kgce", "total", "all", 2022]
    assert row["outcome"] == WITHDRAWN and row["new_value"] is None and row["was_in"] == "a"
    assert row["old_value"] == at(first.cells, "kgce", "total", "all")["value"]
    # It stays withdrawn in the releases after, and the gate finds nothing in any of them.
    third, _ = publish(facts, past, tmp_path, "c", [decision])
    pd.testing.assert_frame_equal(third.cells, second.cells)
    assert gate_finds(second.cells, facts, past[:1]) == [] == gate_finds(third.cells, facts, past)


def test_an_error_of_enough_institutions_is_replaced_and_marked(tmp_path):
    facts = people(2, 80)
    some = facts.loc[facts["district"] == "a", "org"].unique()[:12]
    wrong = slipped(facts, some, times=1.3)
    first, past = publish(wrong, [], tmp_path, "a")
    second, past = publish(facts, past, tmp_path, "b", [decide("a")])
    total = at(second.cells, "kgce", "total", "all")
    assert (
        total["value"]
        == at(cells_of(facts), "kgce", "total", "all")["value"]
        != at(first.cells, "kgce", "total", "all")["value"]
    )
    assert total["revised"] == REPLACED and "已更正：小数点错位（王工，2026-01-05）" in total["note"]
    assert "Corrected (2026-01-05): A slip of the point." in total["note"]
    # The mark stays, and a late report that is held afterwards holds the right figure.
    late = facts.assign(v=facts["v"].where(facts["org"] != "o3", facts["v"] * 1.1))
    third, _ = publish(late, past, tmp_path, "c", [decide("a")])
    total = at(third.cells, "kgce", "total", "all")
    assert total["value"] == at(second.cells, "kgce", "total", "all")["value"] and FROZEN_ZH in total["note"]
    assert total["revised"] == REPLACED
    assert told([(first.cells, wrong), (second.cells, facts), (third.cells, late)]) == []


def test_a_withdrawn_figure_comes_back_when_enough_have_moved(tmp_path):
    facts = people(3, 80)
    wrong = slipped(facts, ["o7"], times=1.5)
    first, past = publish(wrong, [], tmp_path, "a")
    second, past = publish(facts, past, tmp_path, "b", [decide("a")])
    assert at(second.cells, "kgce", "total", "all")["revised"] == WITHDRAWN
    later = facts.assign(v=facts["v"].where(~facts["org"].isin([f"o{n}" for n in range(20, 50)]), facts["v"] * 1.2))
    third, _ = publish(later, past, tmp_path, "c", [decide("a")])
    total = at(third.cells, "kgce", "total", "all")
    assert total["value"] == at(cells_of(later), "kgce", "total", "all")["value"] and total["revised"] == REPLACED
    assert told([(first.cells, wrong), (second.cells, facts), (third.cells, later)]) == []


def test_a_late_report_of_another_year_is_held_and_not_withdrawn(tmp_path):
    facts = people(4, 60)
    before = slipped(facts, ["o7"]).pipe(
        lambda f: f.assign(v=f["v"].where((f["org"] != "o9") | (f["year"] != 2021), f["v"] * 1.4))
    )
    first, past = publish(before, [], tmp_path, "a")
    second, _ = publish(facts, past, tmp_path, "b", [decide("a")])
    late = at(second.cells, "kgce", "total", "all", 2021)
    assert late["value"] == at(first.cells, "kgce", "total", "all", 2021)["value"] and FROZEN_ZH in late["note"]
    assert late["revised"] is None and at(second.cells, "kgce", "total", "all")["revised"] == WITHDRAWN


def test_a_figure_declared_wrong_before_anything_is_known_better_is_withdrawn(tmp_path):
    facts = people(5, 60)
    wrong = slipped(facts, ["o7"])
    first, past = publish(wrong, [], tmp_path, "a")
    one = decide("a", dimension="total", member="all")
    second, past = publish(wrong, past, tmp_path, "b", [one])
    assert at(second.cells, "kgce", "total", "all")["status"] == "Q" and len(second.rows) == 1
    assert at(second.cells, "kgce", "district", "a")["revised"] is None
    third, _ = publish(facts, past, tmp_path, "c", [one])
    assert at(third.cells, "kgce", "total", "all")["revised"] == WITHDRAWN
    assert {r["dimension"] for r in third.rows} >= {"total", "district", "org_type", "period", "base"}
    # A decision that was undone changes nothing.
    again, _ = publish(wrong, past, tmp_path, "d", [])
    pd.testing.assert_frame_equal(again.cells.drop(columns="revised"), first.cells.drop(columns="revised"))


def test_where_the_memory_is_gone_every_figure_of_the_year_that_stands_is_withdrawn(tmp_path):
    facts = people(6, 60)
    wrong = slipped(facts, ["o7"])
    _, past = publish(wrong, [], tmp_path, "a")
    past = [Past("a", None, past[0].cells, kept=False)]
    second, _ = publish(facts, past, tmp_path, "b", [decide("a")])
    for cell in false_cells(facts, wrong):
        assert np.isnan(at(second.cells, *cell[:1], *cell[2:], year=cell[1])["value"]), cell


@pytest.mark.parametrize("seed", range(4))
def test_corrections_among_late_reports_tell_about_nobody(tmp_path, seed):
    """Five releases of an invented city: some leave, come or report more, one slips by ten and is corrected in the open."""
    rng = np.random.default_rng(seed)
    facts, past, releases, decisions = people(100 + seed, 50), [], [], []
    for n in range(5):
        some = rng.choice(facts["org"].unique(), int(rng.integers(0, 9)), replace=False)
        if n:
            facts = facts.assign(v=facts["v"].where(~facts["org"].isin(some), facts["v"] * 1.3))
        here = slipped(facts, ["o5"]) if n in (0, 2) else facts
        if n in (1, 3):
            decisions.append(decide(f"r{n - 1}", releases=n))
        shown, past = publish(here, past, tmp_path, f"r{n}", decisions)
        releases.append((shown.cells, here))
        assert gate_finds(shown.cells, here, past[:-1]) == [], n
        if n in (1, 3):
            for cell in false_cells(facts, slipped(facts, ["o5"])):
                row = at(shown.cells, *cell[:1], *cell[2:], year=cell[1])
                assert np.isnan(row["value"]) or FROZEN_ZH not in (row["note"] or "") or row["revised"], cell
    assert told(releases) == [] and left_over(releases) == [] and slips(releases) == {}


def test_the_cells_that_a_decision_may_name_are_those_of_the_key():
    assert set(CELL) == {"dimension", "member", "factor_set"}
