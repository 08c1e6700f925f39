"""Numbers in the spellings of people and programs: read as what was meant, or said to be unreadable; two are never made one.

The oracle is the number that each text was made of, never the reader. `MUST` are spellings that have to be read, `MAY` may be
refused, `NEVER` hold no one number.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import unit_table
from pipelines.intake.values import Bad, DoubtfulValue, read_number

YUAN = unit_table()["元"]
Spell = Callable[[Decimal], str]
WIDE = str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")


def plain(n: Decimal) -> str:
    return f"{n:f}"


def grouped(n: Decimal) -> str:
    return f"{n:,f}"


MUST: dict[str, Spell] = {
    "plain": plain,
    "thousands": grouped,
    "full width": lambda n: grouped(n).translate(WIDE),
    "blanks around": lambda n: f" \u3000{grouped(n)}\u00a0",
    "apostrophe": lambda n: f"'{plain(n)}",
    "minus sign": lambda n: plain(n).replace("-", "−"),
    "plus": lambda n: plain(n) if n < 0 else f"+{plain(n)}",
    "in brackets": lambda n: f"（{grouped(-n)}）" if n < 0 else grouped(n),
    "exponent": lambda n: f"{n:E}",
    "unit": lambda n: f"{grouped(n)} 元",
    "ten thousands": lambda n: f"{plain(n / 10_000)}万元",
    "multiple alone": lambda n: f"{plain(n / 10_000)} 万",
    "thousands of": lambda n: f"{plain(n / 1000)}千元",
    "sign": lambda n: f"¥{grouped(n)}",
    "line end": lambda n: f"{plain(n)}\r\n",
    "unseen": lambda n: f"\u202a{plain(n)}\u202c\u200b",
    "left by a program": lambda n: f"{plain(n)}&nbsp;",
    "zeros": lambda n: f"{n:.9f}",
}
MAY: dict[str, Spell] = {
    "blanks between thousands": lambda n: grouped(n).replace(",", " "),
    "commas of a Chinese keyboard": lambda n: grouped(n).replace(",", "，"),
    "points between thousands": lambda n: grouped(n).translate(str.maketrans(",.", ".,")),
    "Swiss": lambda n: grouped(n).replace(",", "’"),
    "minus behind": lambda n: f"{plain(abs(n))}-" if n < 0 else plain(n),
    "triangle": lambda n: f"△{plain(-n)}" if n < 0 else plain(n),
    "in quotation marks": lambda n: f"“{plain(n)}”",
    "in words": lambda n: f"{plain(n / 10_000)}万整",
    "Indian": lambda n: f"{grouped(n)[:-4]},{plain(n)[-2:]}",
    "estimated": lambda n: f"{plain(n)}（预计）",
}
NEVER: dict[str, Callable[[int, int], str]] = {
    "line break": lambda a, b: f"{a}\n{b}",
    "semicolon": lambda a, b: f"{a}；{b}",
    "slash": lambda a, b: f"{a}/{b}",
    "list": lambda a, b: f"{a}、{b}",
    "range": lambda a, b: f"{a}～{b}",
    "from to": lambda a, b: f"{a}-{b}",
    "sum": lambda a, b: f"{a}+{b}",
    "and": lambda a, b: f"{a}和{b}",
    "of which": lambda a, b: f"{a}（其中{b}）",
    "footnote": lambda a, b: f"{a}[{b}]",
    "note": lambda a, b: f"{a}（注{b}）",
    "product": lambda a, b: f"{a}×{b}",
    "ratio": lambda a, b: f"{a}:{b}",
    "old and new": lambda a, b: f"{a}→{b}",
    "two units": lambda a, b: f"{a}万{b}千",
    "circled": lambda a, b: f"{a}{'①②③④⑤⑥⑦⑧⑨'[b % 9]}",
    "raised": lambda a, b: f"{a}{'¹²³⁴⁵⁶⁷⁸⁹'[b % 9]}",
    "at least": lambda a, b: f"{a}以上",
    "comparison": lambda a, b: f"{'<>≤≥'[b % 4]}{a}",
    "other money": lambda a, b: f"{'$€£'[b % 3]}{a}",
    "share": lambda a, b: f"{a}{'%‰'[b % 2]}",
    "hexadecimal": lambda a, b: f"0x{a:X}{b:X}",
    "letters": lambda a, b: f"{a}{'abOlx'[b % 5]}",
}
AMOUNTS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False, allow_infinity=False)


def yuan(text: str) -> Any:
    return read_number(text, YUAN, None, "元")


@pytest.mark.parametrize("name", MUST)
@given(n=AMOUNTS)
def test_an_amount_is_read_as_it_was_meant(name: str, n: Decimal) -> None:
    assert yuan(MUST[name](n)) == float(n)


@pytest.mark.parametrize("name", MAY)
@given(n=AMOUNTS)
def test_an_amount_that_may_be_refused_is_never_another(name: str, n: Decimal) -> None:
    got = yuan(MAY[name](n))
    assert isinstance(got, Bad) or got == float(n)


@pytest.mark.parametrize("name", NEVER)
@given(a=st.integers(1, 10**7), b=st.integers(1, 10**7))
def test_what_is_no_one_number_is_never_one(name: str, a: int, b: int) -> None:
    assert isinstance(yuan(NEVER[name](a, b)), Bad)


@given(n=AMOUNTS, word=st.sampled_from(["约{}", "{}左右", "近{}", "{}余", "大约{}元", "{}元上下"]))
def test_an_approximate_amount_is_doubted(n: Decimal, word: str) -> None:
    assert yuan(word.format(plain(abs(n)))) == DoubtfulValue(float(abs(n)))


@given(n=AMOUNTS, unit=st.sampled_from(["元", "万元", "亿元", "千元", "万", "百万元"]))
def test_a_unit_in_the_cell_beside_another_in_the_header_is_refused(n: Decimal, unit: str) -> None:
    got = read_number(f"{plain(n)}{unit}", YUAN, Decimal(10_000), "元")
    assert got == Bad("unit")
