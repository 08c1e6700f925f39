"""What was worked out before is taken again only for the very same inputs, and never changes a result."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from publish.disclosure import classes
from publish.disclosure.contributions import Contributions, StateWords, differences
from publish.disclosure.history import Past, freeze, states
from publish.disclosure.kept import ResultCache
from publish.disclosure.membership import State, families
from publish.disclosure.suppress import Knowledge, suppress
from tests.disclosure.test_unions import ABOUT, RULES, cells_of, city, parts_of


def test_a_result_is_worked_out_once_for_the_same_inputs(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    def asked(kept: ResultCache, *read: object) -> int:
        return kept.of("count", read, make)

    kept = ResultCache(tmp_path / "solved")
    assert [asked(kept, 1), asked(kept, 1), asked(kept, 2)] == [1, 1, 2]
    again = ResultCache(tmp_path / "solved")
    assert [asked(again, 2), asked(again, 1), again.of("other", (1,), make)] == [2, 1, 3]
    assert asked(ResultCache(), 1) == 4  # in memory alone


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        (("ab", "c"), ("a", "bc")),
        ((), None),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([[1, 2]]), np.array([[1], [2]])),
        (np.array([0.1 + 0.2]), np.array([0.3])),
        (np.array(["a", None], dtype=object), np.array(["a", "None"], dtype=object)),
        ({"a": 1}, {"a": 2}),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (replace(RULES, max_share=0.8), RULES),
    ],
)
def test_inputs_that_differ_in_anything_are_others(a: object, b: object) -> None:
    kept = ResultCache()
    assert kept.of("it", a, lambda: "a") == "a"
    assert kept.of("it", b, lambda: "b") == "b"
    assert kept.of("it", a, lambda: "c") == "a"


def test_a_file_is_its_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"1")
    kept = ResultCache()
    assert [kept.of("it", one, lambda: "old"), kept.of("it", other, lambda: "new")] == ["old", "old"]
    other.write_bytes(b"2")
    assert kept.of("it", other, lambda: "new") == "new"


def test_what_has_no_digest_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no digest"):
        ResultCache().of("it", object(), lambda: 1)


@pytest.mark.parametrize("damage", [b"", b"{", b'0\n{"a": 1}'])
def test_a_damaged_file_is_no_result(tmp_path: Path, damage: bytes) -> None:
    ResultCache(tmp_path).of("it", 1, lambda: "right")
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert ResultCache(tmp_path).of("it", 1, lambda: "right") == "right"
    cut = path.read_bytes()
    path.write_bytes(cut[:-1])
    assert ResultCache(tmp_path).of("it", 1, lambda: "made anew") == "made anew"


def test_what_nobody_asks_for_is_forgotten_and_the_rest_is_the_owners(tmp_path: Path) -> None:
    first = ResultCache(tmp_path / "solved")
    for n in (1, 2):
        first.of("it", n, lambda: 0)
    second = ResultCache(tmp_path / "solved")
    second.of("it", 2, lambda: 1)
    second.prune()
    (path,) = (tmp_path / "solved").iterdir()
    assert ResultCache(tmp_path / "solved").of("it", 2, lambda: 1) == 0
    assert path.is_file() and stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _released(
    facts: pd.DataFrame, past: list[Past], kept: ResultCache | None, folder: Path
) -> tuple[pd.DataFrame, Path]:
    cells, parts = cells_of(facts), folder / f"{len(past)}.parquet"
    parts_of(facts).to_parquet(parts, index=False)
    s = freeze(cells, parts, past, ABOUT, RULES)
    reader = Knowledge(parts, states(past), s.frozen)
    return suppress(s.cells, ABOUT, RULES, s.hidden, s.known, reader=reader, kept=kept).cells, parts


@pytest.mark.parametrize("seed", range(3))
def test_releases_one_after_the_other_are_those_made_from_nothing(tmp_path: Path, seed: int) -> None:
    """Random changes of a city, some of them nothing or back to what was: kept results give what none give."""
    rng = np.random.default_rng(seed)
    facts, past = city(seed, 30), []
    before = facts
    for number in range(4):
        made, parts = _released(facts, past, ResultCache(tmp_path / "solved"), tmp_path)
        alone, _ = _released(facts, past, None, tmp_path)
        pd.testing.assert_frame_equal(made, alone)
        past.append(Past(str(number), parts, made))
        change = rng.integers(3)
        if change == 0:
            facts, before = before, facts
        elif change == 1:
            before, facts = facts, facts.copy()
            some = rng.choice(len(facts), 8, replace=False)
            facts.iloc[some, facts.columns.get_loc("v")] *= 1.5


def test_states_of_the_same_contributions_are_one(tmp_path: Path) -> None:
    """A release that changed nothing makes no equations of its own, and works nothing out again."""
    facts = city(1, 30)
    cells, parts = cells_of(facts), tmp_path / "now.parquet"
    parts_of(facts).to_parquet(parts, index=False)
    (copy := tmp_path / "then.parquet").write_bytes(parts.read_bytes())
    shown, kept = np.ones(len(cells), dtype=bool), ResultCache()
    once = families([State(cells, shown, parts)], ABOUT, kept)
    twice = families([State(cells, shown, copy), State(cells, shown, parts)], ABOUT, kept)
    assert [f.matrix.toarray().tolist() for f in once] == [f.matrix.toarray().tolist() for f in twice]
    assert [f.cells for f in once] == [f.cells for f in twice]
    assert not any(f.known.any() for f in once) and all(f.known.all() for f in twice)


def test_what_stands_behind_comes_back_as_it_was(tmp_path: Path) -> None:
    parts = tmp_path / "parts.parquet"
    parts_of(city(10, 40)).to_parquet(parts, index=False)
    fresh, again = (classes.class_contributions([parts], ABOUT, ResultCache(tmp_path / "solved")) for _ in range(2))
    assert (fresh.representative, fresh.same, fresh.sums) == (again.representative, again.same, again.sums)
    for a, b in zip(fresh.groups, again.groups, strict=True):
        pd.testing.assert_frame_equal(a, b)


def test_contributions_do_not_depend_on_how_they_are_stored(tmp_path: Path) -> None:
    """A frame, a file of small groups of rows, and one in another order say the same."""
    frame = parts_of(city(2, 40))
    frame.loc[3, "numerator"] = None
    frame.to_parquet(tmp_path / "small.parquet", index=False, row_group_size=7)
    shuffled = frame.sample(frac=1, random_state=1)
    words = StateWords()
    read = [Contributions(p, words) for p in (frame, tmp_path / "small.parquet", shuffled)]
    assert read[0].kinds == read[1].kinds == read[2].kinds and len(read[0].kinds) == 4
    for kind in read[0].kinds:
        said = [
            sorted(zip(r.key.tolist(), np.nan_to_num(r.numerator, nan=-1.0).tolist(), strict=True))
            for r in (c.rows(kind) for c in read)
        ]
        assert said[0] == said[1] == said[2] and len(said[0]) == (frame["indicator_id"] == kind[0]).sum()


def test_differences_are_the_rows_that_changed_came_or_went() -> None:
    then = parts_of(city(3, 30))
    now = then[then["org"] != "o3"].copy()
    now.loc[now["org"] == "o5", "numerator"] += 2.0
    found = differences(now, then, [("kgce", "f"), ("per_head", "f"), ("nothing", "f")]).to_pandas()
    gone = then[then["indicator_id"].isin(["kgce", "per_head"]) & (then["org"] == "o3")]
    assert set(found["org"]) == {"o3", "o5"} and set(found["indicator_id"]) == {"kgce", "per_head"}
    assert sorted(found.loc[found["org"] == "o3", "numerator"]) == sorted(-gone["numerator"])
    assert found.loc[found["org"] == "o5", "numerator"].tolist() == pytest.approx([2.0] * (found["org"] == "o5").sum())
    assert not len(differences(then, then, [("kgce", "f")]))
