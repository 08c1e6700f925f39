"""The merged cells of a grid."""

from __future__ import annotations

from pipelines.intake.layout.merges import Merges
from pipelines.intake.sheets import Grid

ROWS = [["能耗", "", "", "面积"], ["电", "水", "", ""], ["甲", 1.0, "", 5.0], ["", 2.0, "", ""], ["", 3.0, "", ""]]


def merges(*found: tuple[int, int, int, int]) -> Merges:
    """Of a grid that begins in B3: rows and columns are absolute there and relative here."""
    return Merges(Grid("表", [list(r) for r in ROWS], top=2, left=1, merges=list(found)))


def test_a_wide_merge_stands_over_its_columns_with_its_text() -> None:
    m = merges((2, 1, 2, 3), (3, 2, 3, 3))
    assert [m.over(0, j) for j in range(4)] == ["", "能耗", "能耗", ""]
    assert [m.over(1, j) for j in range(4)] == ["", "", "水", ""]
    assert m.wide_rows(0, 1) == [1, 0] and m.wide_rows(2, 4) == []
    assert m.is_wide(0, 0) and not m.is_wide(0, 1) and not m.is_wide(2, 0)
    assert m.under(0, 0) == {0, 1, 2} and m.under(1, 4) == {1, 2}


def test_a_tall_merge_ends_where_it_ends_and_covers_the_rows_below_its_first() -> None:
    m = merges((4, 1, 6, 1), (2, 4, 3, 4))
    assert (m.end(2, 0), m.end(0, 3), m.end(3, 0)) == (4, 1, 3)
    assert m.tall(0) == [(2, 4)] and m.tall(1) == []
    assert m.covered({0}) == {3, 4} and m.covered({1, 2}) == set()


def test_a_grid_without_merges_answers_too() -> None:
    m = merges()
    assert not m and not m.any_tall
    assert (m.over(0, 1), m.end(1, 1), m.tall(0), m.covered({0}), m.under(0, 4)) == ("", 1, [], set(), set())
