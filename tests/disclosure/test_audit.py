"""The attacker finds what badly hidden tables give away: else its failure would prove nothing."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from publish.disclosure import audit
from publish.disclosure.audit import NARROW, _Alternatives, _Quantity, bounds, determined, traced
from publish.disclosure.rules import Rules

KINDS = {"e": "flow", "s": "stock", "r": "ratio"}


def published(*rows):
    columns = ["indicator_id", "year", "dimension", "member", "value", "status", "factor_set"]
    return pd.DataFrame([(*r, "Q" if r[-1] is None else "A", "f") for r in rows], columns=columns).astype(
        {"value": float}
    )


def test_a_lone_hidden_member_is_found_to_the_rounding():
    table = published(("e", 2024, "total", "all", 100.0), ("e", 2024, "d", "a", 70.0), ("e", 2024, "d", "b", None))
    low, high = bounds(table, KINDS, [("e", 2024, "d", "b", "f")])["e", 2024, "d", "b", "f"]
    assert abs(low - 30) < 1e-5 and abs(high - 30) < 1e-5


def test_two_hidden_members_are_bounded_by_their_sum():
    table = published(("e", 2024, "total", "all", 100.0), ("e", 2024, "d", "a", None), ("e", 2024, "d", "b", None))
    low, high = bounds(table, KINDS, [("e", 2024, "d", "b", "f")])["e", 2024, "d", "b", "f"]
    assert low == 0 and abs(high - 100) < 1e-5


def test_two_dimensions_together_give_away_what_neither_does_alone():
    # The total is hidden, but another dimension shows all its members, and so the total.
    table = published(
        ("e", 2024, "total", "all", None), ("e", 2024, "d", "a", 70.0), ("e", 2024, "d", "b", None),
        ("e", 2024, "t", "x", 60.0), ("e", 2024, "t", "y", 40.0),
    )  # fmt: skip
    low, high = bounds(table, KINDS, [("e", 2024, "d", "b", "f")])["e", 2024, "d", "b", "f"]
    assert abs(low - 30) < 1e-5 and abs(high - 30) < 1e-5


def test_a_period_gives_away_its_one_hidden_year():
    rows = [("e", y, "total", "all", None if y == 2023 else 10.0) for y in range(2021, 2026)]
    rows += [("e", y, "d", "a", None if y == 2023 else 4.0) for y in range(2021, 2026)]
    rows += [("e", y, "d", "b", None if y == 2023 else 6.0) for y in range(2021, 2026)]
    rows += [("e", 2025, "period", "2021-2025", 55.0), ("e", 2025, "period/d", "2021-2025/a", 23.0)]
    keys = [("e", 2023, "total", "all", "f"), ("e", 2023, "d", "a", "f")]
    found = bounds(published(*rows), KINDS, keys)
    assert np.allclose(found[keys[0]], 15, atol=1e-4) and np.allclose(found[keys[1]], 7, atol=1e-4)


def test_figures_that_do_not_add_up_prove_nothing():
    table = published(("e", 2024, "total", "all", 50.0), ("e", 2024, "d", "a", 70.0), ("e", 2024, "d", "b", None))
    assert bounds(table, KINDS, [("e", 2024, "d", "b", "f")])["e", 2024, "d", "b", "f"] == (0.0, np.inf)


def test_ratios_and_cells_that_are_not_there_have_no_bound():
    table = published(("r", 2024, "total", "all", 5.0), ("r", 2024, "d", "b", None))
    keys = [("r", 2024, "d", "b", "f"), ("e", 2024, "d", "nobody", "f")]
    assert list(bounds(table, KINDS, keys).values()) == [(0.0, np.inf)] * 2


def test_what_adding_and_subtracting_gives_is_determined_whatever_its_sign():
    keys = [
        ("e", 2024, d, m, "f")
        for d, m in (("total", "all"), ("d", "a"), ("d", "b"), ("d", "c"), ("t", "x"), ("t", "y"))
    ]
    alone = np.array([False, False, True, False, False, False])
    assert determined(keys, alone, KINDS, [2]) == [2]
    two = np.array([False, False, True, True, False, False])
    assert determined(keys, two, KINDS, [2, 3]) == []
    # The total stands too, but the other dimension gives it, and with it the one member left.
    total = np.array([True, False, True, False, False, False])
    assert sorted(determined(keys, total, KINDS, [0, 2])) == [0, 2]
    assert determined([("r", 2024, "d", "a", "f")], np.array([True]), KINDS, [0]) == []


def test_a_movement_by_few_is_traced_three_ways():
    keys = [("e", 2024, d, m, "f") for d, m in (("total", "all"), ("d", "a"), ("d", "b"), ("d", "c"))]
    no, yes = np.zeros(4, dtype=bool), np.ones(4, dtype=bool)

    def told(known, known_then=yes, same=no, public=no, few=(2,)):
        marks = [
            np.isin(range(4), list(m)) if isinstance(m, tuple) else m for m in (known, public, known_then, same, few)
        ]
        return traced(keys, KINDS, *marks)

    # Shown in both releases.
    assert told(known=(2,)) == [2]
    # The total and the other members show their new state, and with them that of the one that stands.
    assert told(known=(0, 1, 3)) == [2] and told(known=(0, 1)) == []
    # One of them is known to stand for nothing that changed.
    assert told(known=(0, 1), same=(3,)) == [2]
    # It did not show its state of then: what follows is its state now, and of the movement nothing.
    assert told(known=(0, 1, 3), known_then=(0, 1, 3)) == [2]
    assert told(known=(0, 1, 3), known_then=(0, 1)) == []
    # What was public before, and what such a reader knows anyway, is no news.
    assert told(known=(2,), public=(2,)) == []
    assert told(known=no, same=(0, 1, 3)) == []


def test_what_comes_near_to_a_value_is_not_what_gives_it() -> None:
    from scipy.sparse import csr_array

    from publish.disclosure.audit import _followed

    # One institution's value and those of four others in two years; the second row is a sum over the others alone.
    whose, size = np.repeat(np.arange(5), 2), np.ones(5)
    both = np.tile([1.0, 0.0], 5)
    later = np.tile([0.0, 1.0], 5)
    others = np.concatenate([[0.0, 0.0], np.tile([-0.9995, 1.0], 4)])
    family = SimpleNamespace(basis_unit=whose, size=size)
    near = csr_array(np.array([later - 0.9995 * both, later - 0.9994 * both, others]))
    assert _followed(near[[0, 2]], family) == {(0,)}  # type: ignore[arg-type]
    assert _followed(near[[1, 2]], family) == set()  # type: ignore[arg-type]


RULES = Rules()


def quantity(matrix: np.ndarray, value: np.ndarray) -> _Quantity:
    """One quantity of single institutions with these values, whose sums over the rows of `matrix` are published."""
    count = len(value)
    family = SimpleNamespace(
        size=np.ones(count, dtype=int), unit=np.arange(count), value=value, largest=value, least=value
    )
    return _Quantity(matrix, family, np.arange(count))  # type: ignore[arg-type]


def narrow_by_programmes(matrix: np.ndarray, value: np.ndarray) -> set[frozenset[int]]:
    """What the definition says, by two linear programmes for every institution and every pair."""
    x = value / value.max()

    def ends(columns: tuple[int, ...]) -> tuple[float, float]:
        cost = np.zeros(len(x))
        cost[list(columns)] = 1.0
        both = [
            linprog(sign * cost, A_eq=matrix, b_eq=matrix @ x, bounds=(0, None), method="highs").fun for sign in (1, -1)
        ]
        return both[0], -both[1]

    out = set()
    for i in range(len(x)):
        low, high = ends((i,))
        if not (low <= (1 - RULES.protection) * x[i] + 1e-7 and high >= x[i] / RULES.max_share - 1e-7):
            out.add(frozenset({i}))
    for i, j in itertools.combinations(range(len(x)), 2):
        (low, high), true = ends((i, j)), x[i] + x[j]
        if low > (1 - NARROW) * true + 1e-7 and high < (1 + NARROW) * true - 1e-7:
            out.add(frozenset({i, j}))
    return out


def drawn(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums over all, over parts of two dimensions and over some drawn at random, of values of very different size."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(0, 4, count), rng.integers(0, 3, count)
    rows = [np.ones(count), *(one == k for k in range(4)), *(two == k for k in range(3))]
    rows += [rng.random(count) < 0.5 for _ in range(int(rng.integers(0, count // 2)))]
    return np.array(rows, dtype=float), np.exp(rng.normal(6, 1.5, count)).round(2)


def test_what_is_too_narrow_is_what_linear_programmes_say_of_every_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "AT_ONCE", 5)  # so that some alternatives are forgotten
    sizes = []
    for seed in range(12):
        matrix, value = drawn(seed, 14)
        found = quantity(matrix, value).too_narrow(np.ones(len(matrix), dtype=bool), RULES)
        assert found == narrow_by_programmes(matrix, value), seed
        sizes += [len(f) for f in found]
    assert sizes.count(1) > 10 and sizes.count(2) > 3


def test_thousands_of_single_institutions_are_proved_without_millions_of_pairs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    matrix, value = drawn(3, 3000)
    asked: list[list[int]] = []
    wide = _Alternatives.wide
    monkeypatch.setattr(
        _Alternatives, "wide", lambda self, columns, *rest: asked.append(columns) or wide(self, columns, *rest)
    )
    assert quantity(matrix[:8], value).too_narrow(np.ones(8, dtype=bool), RULES) == set()
    assert 3000 <= len(asked) < 20_000  # 4.5 million pairs
