"""Of all published figures together no institution's value follows, in one release or in several: attacked with code of its own."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from publish.disclosure.audit import exposed
from publish.disclosure.contributions import PARTS
from publish.disclosure.history import FROZEN_ZH, Past, freeze, states
from publish.disclosure.membership import Family, State, families
from publish.disclosure.relations import Indicator
from publish.disclosure.rules import Rules
from publish.disclosure.suppress import Knowledge, suppress
from publish.disclosure.unions import _Exact, _Single
from tests.disclosure.attacker import bounded, determined, follows, subtract

ABOUT = {
    "kgce": Indicator("flow", "energy"),
    "tce": Indicator("flow", "energy"),
    "people": Indicator("stock", "people"),
    "per_head": Indicator("ratio", "energy", "people"),
    "change": Indicator("ratio", "energy", "people", change_of="per_head"),
    "saved": Indicator("flow", compares="kgce"),
}
RULES = Rules()
BY = {"district": "district", "org_type": "org_type", "level": "admin_level"}
FINAL = {
    "unit": "",
    "status": "A",
    "records": 9,
    "files": 1,
    "factor_set": "f",
    "synthetic": True,
    "note": None,
    "closed": True,
}


def city(seed: int, orgs: int | None = None) -> pd.DataFrame:
    """Invented institutions of a year, every tenth city of two: small districts are mostly of one level, so that cells lie within
    one another."""
    rng = np.random.default_rng(seed)
    orgs = orgs or int(rng.integers(25, 70))
    district = rng.choice(list("abcd"), orgs, p=[0.4, 0.3, 0.2, 0.1])
    level = np.where(
        rng.random(orgs) < 0.85, np.where(district == "d", "乡", np.where(district == "a", "市", "县")), "县"
    )
    who = pd.DataFrame({"org": [f"o{n}" for n in range(orgs)], "district": district, "admin_level": level})
    who["org_type"] = rng.choice(list("XYZ"), orgs, p=[0.6, 0.25, 0.15])
    years = [
        who.assign(year=y, v=np.exp(rng.normal(8, 0.8, orgs)).round(1), n=rng.integers(5, 90, orgs).astype(float))[
            rng.random(orgs) < 0.97
        ]
        for y in ((2023, 2024) if seed % 10 == 0 else (2024,))
    ]
    return pd.concat(years, ignore_index=True)


def nested() -> pd.DataFrame:
    """One year of 40 institutions: district b is the ten of level 乡 and one more."""
    rng = np.random.default_rng(0)
    who = pd.DataFrame({"org": [f"o{n}" for n in range(40)], "year": 2024})
    who["district"] = ["a"] * 15 + ["b"] * 11 + ["c"] * 14
    who["admin_level"] = ["市"] * 8 + ["县"] * 7 + ["乡"] * 10 + ["县"] * 8 + ["市"] * 7
    who["org_type"] = ["X", "Y"] * 20
    return who.assign(v=rng.uniform(900, 1100, 40).round(1), n=rng.integers(20, 30, 40).astype(float))


def parts_of(facts: pd.DataFrame) -> pd.DataFrame:
    base = facts.assign(breakdown="", breakdown_member="", factor_set="f")
    made = [
        base.assign(
            indicator_id=i,
            numerator=facts["n" if i == "people" else "v"],
            denominator=facts["n"] if i == "per_head" else np.nan,
        )
        for i in ("kgce", "tce", "people", "per_head")
    ]
    return pd.concat(made)[PARTS].reset_index(drop=True)


def cells_of(facts: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for year, of_year in facts.groupby("year"):
        groups = [("total", "all", of_year)]
        groups += [(d, m, g) for d, column in BY.items() for m, g in of_year.groupby(column)]
        for dimension, member, g in groups:
            for indicator in ("kgce", "tce", "people", "per_head"):
                top = g["n" if indicator == "people" else "v"]
                value = top.sum() / (g["n"].sum() if indicator == "per_head" else 1000 if indicator == "tce" else 1)
                share = max(top.max() / top.sum(), g["n"].max() / g["n"].sum() if indicator == "per_head" else 0)
                rows.append((indicator, year, dimension, member, value, len(g), share))
    if facts["year"].nunique() == 2:
        both = facts.pivot_table(index="org", columns="year", values="v").dropna()
        saved = both[2023].sum() - both[2024].sum()
        rows.append(("saved", 2024, "base", "2023", saved, len(both), float((both.max() / both.sum()).max())))
        rows.append(("kgce", 2024, "period", "2023-2024", facts["v"].sum(), facts["org"].nunique(), 0.2))
        for dimension, column in (("base", None), ("base/district", "district")):
            for member, g in facts.groupby(column) if column else [("", facts)]:
                of = [g[g["year"] == y][["v", "n"]].sum() for y in (2023, 2024)]
                change = of[1]["v"] / of[1]["n"] / (of[0]["v"] / of[0]["n"]) - 1
                people = int(g.groupby("year")["org"].nunique().min())
                rows.append(("change", 2024, dimension, f"2023/{member}".rstrip("/"), change, people, 0.2))
    columns = ["indicator_id", "year", "dimension", "member", "value", "contributors", "largest_share"]
    out = pd.DataFrame(rows, columns=columns).round({"value": 6}).assign(**FINAL)
    return out.astype({"year": "Int64", "records": "Int64", "files": "Int64", "contributors": "Int64"})


def register(facts: pd.DataFrame) -> pd.DataFrame:
    return facts.rename(columns={"org": "org_name", "district": "division_code"})[
        ["org_name", "year", "division_code", "org_type", "admin_level"]
    ]


def truth(facts: pd.DataFrame) -> dict:
    by = {"kgce": facts["v"], "tce": facts["v"] / 1000, "people": facts["n"]}
    return {
        (i, "f", int(y), o): float(v)
        for i, values in by.items()
        for y, o, v in zip(facts["year"], facts["org"], values, strict=True)
    }


def publish(facts: pd.DataFrame, past: list[Past], tmp, protected: bool = True):
    """One more release of a home: what is published, and the past with it."""
    cells, parts = cells_of(facts), parts_of(facts)
    against_past = freeze(cells, parts, past, ABOUT, RULES)
    reader = Knowledge(parts, states(past), against_past.frozen) if protected else None
    out = suppress(against_past.cells, ABOUT, RULES, against_past.hidden, against_past.known, reader=reader).cells
    path = tmp / f"{len(past)}.parquet"
    parts.to_parquet(path, index=False)
    return out, [*past, Past(str(len(past)), path, out)]


def attack(published: pd.DataFrame, facts: pd.DataFrame) -> list:
    values = published.astype({"value": float})
    who = register(facts)
    return [*subtract(values, who), *follows(values, who), *bounded(values, who, truth(facts))]


def test_a_cell_within_another_gives_nobody_away():
    facts = nested()
    cells = cells_of(facts)
    open_ = suppress(cells, ABOUT, RULES).cells
    found = attack(open_, facts)
    assert ("kgce", "f", 2024, ("district", "b"), ("level", "乡"), ["o25"]) in found
    closed = suppress(cells, ABOUT, RULES, reader=Knowledge(parts_of(facts)))
    assert attack(closed.cells, facts) == []
    # Two cells of one dimension are enough, in every unit and ratio of them.
    kgce = closed.cells[(closed.cells["indicator_id"] == "kgce") & closed.secondary]
    assert len(kgce) == 2 and kgce["dimension"].nunique() == 1


def test_the_proof_finds_what_is_left_open_and_nothing_of_what_is_closed():
    facts = nested()
    parts = parts_of(facts)

    def proof(cells):
        shown = cells["value"].notna().to_numpy()
        return [rule for f in families([State(cells, shown, parts)], ABOUT) for _, rule in exposed(f, RULES)]

    rules = set(proof(suppress(cells_of(facts), ABOUT, RULES).cells))
    assert len(rules) == 3 and all("other published value" in r or "another published value" in r for r in rules)
    assert proof(suppress(cells_of(facts), ABOUT, RULES, reader=Knowledge(parts)).cells) == []


@pytest.mark.parametrize("block", range(10))
def test_a_hundred_cities_of_three_releases_each(block, tmp_path):
    """Ten cities in each block. In the second release few institutions are corrected, in the third many; some leave or move."""
    leaky = 0
    for seed in range(10 * block, 10 * block + 10):
        rng = np.random.default_rng(1000 + seed)
        facts, past, seen = city(seed), [], []
        folder = tmp_path / str(seed)
        folder.mkdir()
        for release in range(3):
            if release:
                changed = rng.choice(
                    facts["org"].unique(),
                    int(rng.integers(1, 6) if release == 1 else rng.integers(8, 20)),
                    replace=False,
                )
                facts = facts.copy()
                moves = facts["org"].isin(changed) & (facts["year"] == 2024)
                facts.loc[moves, "v"] = (facts.loc[moves, "v"] * rng.uniform(0.7, 1.5, moves.sum())).round(1)
                if release == 2:
                    facts.loc[facts["org"] == changed[0], "district"] = "c"
                    facts = facts[~((facts["org"] == changed[1]) & (facts["year"] == 2024))].reset_index(drop=True)
            published, past = publish(facts, past, folder)
            seen.append((published, facts))
            held = published["note"].fillna("").str.contains(FROZEN_ZH, regex=False)
            assert attack(published[~held], facts) == [], (seed, release)
        assert together(seen) == [], seed
        leaky += bool(attack(suppress(cells_of(seen[0][1]), ABOUT, RULES).cells, seen[0][1]))
    assert leaky, "without the protection the attack finds something"


def together(releases: list[tuple[pd.DataFrame, pd.DataFrame]]) -> list:
    """What follows of one or two institutions from the yearly sums of all releases; a value that did not change is one unknown."""
    out = []
    for indicator, amount in (("kgce", "v"), ("people", "n")):
        for year in (2023, 2024):
            unknown: dict[tuple[str, float], int] = {}
            lines = []
            for published, facts in releases:
                of_year = facts[facts["year"] == year]
                held = published["note"].fillna("").str.contains(FROZEN_ZH, regex=False)
                shown = published[
                    (published["indicator_id"] == indicator)
                    & (published["year"] == year)
                    & published["value"].notna()
                    & ~held
                ]
                for dimension, member in zip(shown["dimension"], shown["member"], strict=True):
                    if dimension in ("total", *BY):
                        mine = of_year if dimension == "total" else of_year[of_year[BY[dimension]] == member]
                        lines.append(
                            [unknown.setdefault(k, len(unknown)) for k in zip(mine["org"], mine[amount], strict=True)]
                        )
            matrix = np.zeros((len(lines), len(unknown)))
            for n, line in enumerate(lines):
                matrix[n, line] = 1.0
            if not len(lines):
                continue
            names = {o: n for n, o in enumerate(dict.fromkeys(o for o, _ in unknown))}
            owner = np.array([names[o] for o, _ in unknown])
            out += [(indicator, year, f) for f in determined(matrix, owner)]
    return out


def test_rows_known_before_that_give_nothing_hide_no_leak() -> None:
    """Of several known rows that depend on one another only the rounding of the arithmetic is left of one institution."""
    known = np.random.default_rng(1).uniform(0.5, 1.5, (6, 4)) @ np.random.default_rng(2).uniform(0.5, 1.5, (4, 9))
    matrix = np.vstack([known / known.max(), known[0] / known.max()])
    matrix[-1, 2] += 1.0  # a new figure, which is a known one and once more the third institution
    leak = _Exact(np.arange(7), matrix, np.arange(9) == 2, np.arange(7) < 6)
    assert leak.present and leak.ends((6,))
    assert not _Exact(np.arange(6), matrix[:6], np.arange(9) == 2, np.ones(6, dtype=bool)).present


def single(seed: int, institutions: int, sums: int) -> _Single:
    """Figures of one quantity over single institutions: each over a random tenth of them, the last over all."""
    rng = np.random.default_rng(seed)
    matrix = (rng.random((sums, institutions)) < 0.1).astype(float)
    matrix[-1] = 1
    value = np.exp(rng.normal(0, 1.5, institutions))
    n = np.arange(institutions)
    family = Family(
        matrix=csr_array(matrix),
        basis=csr_array(np.eye(institutions)),
        cells=tuple((i,) for i in range(sums)),
        known=np.zeros(sums, dtype=bool),
        unit=n,
        size=np.ones(institutions, dtype=int),
        quantity=np.zeros(institutions, dtype=int),
        current=np.ones(institutions, dtype=bool),
        value=value,
        largest=value,
        least=value,
        basis_unit=n,
    )
    return _Single(family, Rules(), np.arange(sums), n)


@pytest.mark.parametrize("seed", range(8))
def test_a_pair_passed_over_is_not_narrow(seed: int) -> None:
    found = single(seed, 24, 6 + 2 * seed)
    mine = np.ones(len(found.rows), dtype=bool)
    every = [(j,) for j in range(24)] + list(itertools.combinations(range(24), 2))
    assert found._narrow(mine) == found._narrow(mine, every)


def test_thousands_of_single_institutions_fit_in_memory() -> None:
    """Their pairs are millions: all of them at once took 418 GiB."""
    found = single(1, 4000, 40)
    mine = np.ones(len(found.rows), dtype=bool)
    tracemalloc.start()
    try:
        assert found._narrow(mine) == []
        assert tracemalloc.get_traced_memory()[1] < 500e6
    finally:
        tracemalloc.stop()
