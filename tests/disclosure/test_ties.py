"""A ratio beside its sums, and a comparison beside the figures of all, must not tell what those left out have together."""

from __future__ import annotations

import numpy as np
import pytest

from publish.disclosure.history import movements
from publish.disclosure.suppress import suppress
from publish.disclosure.ties import ties
from tests.disclosure.test_history import ABOUT, RULES, cells_of, parts_of, people


def published(cells, parts=None):
    near = [(t.tie, t.whole) for t in ties(cells, ABOUT, parts) if t.unsafe(RULES)]
    return suppress(cells, ABOUT, RULES, near=near).cells


@pytest.mark.parametrize(("more", "hidden"), [(0, False), (1, True), (4, True), (5, False)])
def test_a_ratio_that_leaves_out_few_does_not_stand_beside_its_sums(more, hidden):
    cells = cells_of(people(9, 40))
    ratio = (cells["indicator_id"] == "per_head") & (cells["year"] == 2022) & (cells["dimension"] == "total")
    cells.loc[ratio, "contributors"] -= more
    out = published(cells)
    assert (out.loc[ratio, "status"] == "Q").tolist() == [hidden]
    assert out.loc[out["indicator_id"] == "same", "status"].tolist() == ["A"]
    assert (out["status"] == "Q").sum() - int(hidden) == (published(cells_of(people(9, 40)))["status"] == "Q").sum()


@pytest.mark.parametrize(("more", "hidden"), [(0, False), (2, True), (6, False)])
def test_a_comparison_that_leaves_out_few_does_not_stand_beside_the_full_set(more, hidden):
    cells = cells_of(people(10, 40))
    same = cells["indicator_id"] == "same"
    cells.loc[same, "contributors"] -= more
    assert (published(cells).loc[same, "status"] == "Q").tolist() == [hidden]


@pytest.mark.parametrize(("left_out", "large", "hidden"), [(6, False, False), (6, True, True), (3, False, True)])
def test_of_whom_a_ratio_leaves_out_none_may_be_most(left_out, large, hidden):
    """Some report energy and no people. The ratio is over the others; the sum of energy is over all."""
    facts = people(9, 40)
    gone = facts["org"].isin([f"o{n}" for n in range(left_out)])
    facts["v"] = np.where(gone, 5000.0, facts["v"])
    if large:
        facts["v"] = np.where(facts["org"] == "o0", 5e6, facts["v"])
    cells, parts = cells_of(facts), parts_of(facts)
    rest = facts[~gone]
    cells.loc[cells["indicator_id"] != "kgce"] = (
        cells_of(rest).loc[lambda c: c["indicator_id"] != "kgce"].reindex(cells.index[cells["indicator_id"] != "kgce"])
    )
    parts = parts[(parts["indicator_id"] == "kgce") | ~parts["org"].isin(facts.loc[gone, "org"])]
    found = [t for t in ties(cells, ABOUT, parts) if cells["indicator_id"].iloc[t.tie] == "per_head"]
    of_city = [
        t for t in found if cells["dimension"].iloc[t.tie] == "total" and cells["indicator_id"].iloc[t.whole] == "kgce"
    ]
    assert [t.left_out for t in of_city] == [left_out] * 2
    assert all((t.share > 0.85) == large for t in of_city)
    ratio = (cells["indicator_id"] == "per_head") & (cells["dimension"] == "total")
    assert (published(cells, parts).loc[ratio, "status"] == "Q").tolist() == [hidden] * 2


def test_a_comparison_leaves_out_who_is_in_one_year_alone():
    facts = people(10, 40)
    facts = facts[~((facts["year"] == 2022) & facts["org"].isin([f"o{n}" for n in range(7)]))]
    cells, parts = cells_of(facts), parts_of(facts)
    found = [t for t in ties(cells, ABOUT, parts) if cells["indicator_id"].iloc[t.tie] == "same"]
    assert {(int(cells["year"].iloc[t.whole]), t.left_out) for t in found} == {(2021, 7.0), (2022, 0.0)}
    facts["v"] = np.where(facts["org"] == "o0", 5e6, facts["v"])
    found = [t for t in ties(cells, ABOUT, parts_of(facts)) if cells["indicator_id"].iloc[t.tie] == "same"]
    assert [t.unsafe(RULES) for t in found] == [False, True]


def test_what_stands_ties_what_it_tied_when_it_was_published():
    facts = people(9, 40)
    cells = cells_of(facts)
    parts = parts_of(facts)
    parts = parts[(parts["indicator_id"] != "per_head") | (parts["org"] != "o3")]
    stands = (cells["dimension"] == "total").to_numpy()
    found = ties(cells, ABOUT, parts, stands)
    assert {t.left_out for t in found if stands[t.tie] and cells["indicator_id"].iloc[t.tie] == "per_head"} == {0.0}
    assert 1.0 in {t.left_out for t in found if not stands[t.tie]}


def test_parts_in_a_file_say_the_same_as_parts_in_memory(tmp_path):
    """A large city's are never whole in memory."""
    facts = people(9, 40)
    cells, parts, path = cells_of(facts), parts_of(facts), tmp_path / "parts.parquet"
    parts = parts[(parts["indicator_id"] == "kgce") | (parts["org"] != "o3")]
    parts.sort_values(parts.columns.tolist()).to_parquet(path, row_group_size=50)
    assert (found := ties(cells, ABOUT, parts)) == ties(cells, ABOUT, path)
    assert any(t.left_out for t in found)
    other = parts_of(people(8, 40))
    for now, then in ((parts, other), (path, other), (other, path)):
        count, share = movements(cells, ABOUT, now, then)
        assert count.any() and count.tolist() == movements(cells, ABOUT, parts, other)[0].tolist()
        assert np.allclose(share, movements(cells, ABOUT, parts, other)[1])
