"""The invented institutions of a made-up city.

Belongs here: who they are, where, how big, in which years. Not here: what they report (datasets.py).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from expectations.uscc import check_character, is_valid_organisation

STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True)
class Institution:
    """One invented institution. `area` in ㎡; `names` and `heads` (people using energy) by year it was in the register."""

    number: int
    uscc: str
    kind: str
    level: str
    division: str
    place: str
    names: dict[int, str]
    heads: dict[int, int]
    area: int
    traits: dict[str, float] = field(default_factory=dict)  # invented once for all years, by name

    def name(self, year: int) -> str:
        """Its name in a year, or the nearest year it had one."""
        return self.names[min(self.names, key=lambda y: abs(y - year))]

    @property
    def latest(self) -> str:
        return self.names[max(self.names)]


def credit_code(category: int, division: str, number: int) -> str:
    """A credit code with right check characters that no institution can have: its organisation code begins with XN.

    Real organisation codes of institutions are digits, or begin with M; methods of GB 32100-2015 and GB 11714-1997.
    """
    body = f"XN{number:06d}"
    organisation = next(body + c for c in "0123456789X" if is_valid_organisation(body + c))
    first = f"1{category}{division}{organisation}"
    last = check_character(first)
    assert last is not None
    return first + last


def invent(shape: dict[str, Any], orgs: int, years: tuple[int, ...], rng: random.Random) -> list[Institution]:
    """`orgs` institutions; nearly all in every year of `years`, some founded, closed or renamed on the way."""
    kinds = _by_share({k: v["share"] for k, v in shape["kinds"].items()}, orgs)
    levels = _by_share(shape["levels"], orgs)
    rng.shuffle(kinds)
    rng.shuffle(levels)
    own = next(iter(shape["levels"]))  # the first level is the city itself
    districts = list(shape["districts"].items())
    out = []
    for i in range(orgs):
        kind = shape["kinds"][kinds[i]]
        division, place = (
            (shape["city"]["code"], shape["city"]["place"]) if levels[i] == own else districts[i % len(districts)]
        )
        word = STEMS[i % 10] + BRANCHES[(i // 10) % 12] + ("" if i < 120 else str(i // 120))
        noun = rng.choice(kind["nouns"])
        low, high = kind["heads"]
        start = int(low * (high / low) ** rng.random())
        there = list(years)
        if len(years) > 2 and i and i % 19 == 0:
            there = there[2:]
        elif len(years) > 2 and i and i % 23 == 0:
            there = there[:-2]
        renamed = there[len(there) // 2] if i % 29 == 7 else max(years) + 1
        out.append(
            Institution(
                number=i,
                uscc=credit_code(kind["category"], division, i + 1),
                kind=kinds[i],
                level=levels[i],
                division=division,
                place=place,
                names={y: f"{place}示范{word}{'第一' if y >= renamed else ''}{noun}" for y in there},
                heads={
                    y: max(5, round(start * (1 + 0.012 * n + rng.uniform(-0.02, 0.02)))) for n, y in enumerate(there)
                },
                area=max(200, round(start * kind["area"] * rng.uniform(0.7, 1.4), -1)),
                traits={"use": rng.lognormvariate(0, 0.22), "water": rng.lognormvariate(0, 0.25)},
            )
        )
    return out


def _by_share(shares: dict[str, float], n: int) -> list[str]:
    """`n` names in proportion to their shares (largest remainders)."""
    exact = {k: n * v / sum(shares.values()) for k, v in shares.items()}
    counts = {k: int(v) for k, v in exact.items()}
    for k in sorted(exact, key=lambda k: counts[k] - exact[k])[: n - sum(counts.values())]:
        counts[k] += 1
    return [k for k, c in counts.items() for _ in range(c)]
