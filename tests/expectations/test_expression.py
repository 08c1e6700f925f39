"""The language of rules: what it computes, what it lets pass, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from expectations.expression import evaluate, parse

FRAME = pd.DataFrame(
    {
        "a": [1.0, 5.0, None, 3.0],
        "b": [2.0, 2.0, 2.0, None],
        "kind": pd.Series(["甲", "乙", "甲", None], dtype="str"),
        "start_on": np.array(["2016-02-29", "2016-03-01", "2010-01-01", "NaT"], dtype="datetime64[s]"),
        "end_on": np.array(["2024-02-28", "2024-03-01", "2024-01-01", "2024-01-01"], dtype="datetime64[s]"),
        "previous.a": [0.0, 9.0, 1.0, 1.0],
        "_live": [True, True, True, False],
    }
)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("a <= b", [True, False, True, True]),
        ("not a <= b", [False, True, True, True]),
        ("a + 1 == b or kind == '乙'", [True, True, True, True]),
        ("1 <= a < 5", [True, False, True, True]),
        ("abs(a - b) * 2 / 2 <= 1", [True, False, True, True]),
        ("-a < 0 and kind in ['甲']", [True, False, True, True]),
        ("kind not in ['甲']", [False, True, False, True]),
        ("end_on >= '2024-02-28'", [True, True, False, False]),
        ("years(end_on, start_on) >= 8", [False, True, True, True]),  # 29 February: not yet eight years
        ("given(a)", [True, True, False, True]),
        ("given(a) or b > 5", [True, True, False, True]),  # a null of b passes, a null of a does not
        ("a >= previous.a", [True, False, True, True]),
        ("share(a > 2, kind) <= 0.5", [True, False, True, True]),
        ("share(b > 1, kind) == 1", [True, True, True, True]),
    ],
)
def test_what_an_expression_says(expression: str, holds: list[bool]) -> None:
    assert evaluate(expression, FRAME).tolist() == holds
    assert evaluate(expression, FRAME.iloc[:0]).tolist() == []


def test_rows_that_are_not_in_force_are_not_counted() -> None:
    rows = pd.DataFrame({"org": ["x"] * 4, "hit": [1.0, 0.0, 1.0, 1.0], "_live": [True, True, False, False]})
    assert evaluate("share(hit == 1, org) == 0.5", rows).all()
    assert evaluate("share(hit == 1, org) == 0", rows.assign(_live=False)).all(), "nobody is in force"


def test_columns_in_the_order_they_are_written() -> None:
    p = parse("given(c) or b != 'x' or share(b == 'x', org) <= city.limit and a > trees.height")
    assert p.own == ("c", "b", "org", "a") and p.referenced == ("city.limit", "trees.height")
    assert p.must == ("b", "org", "city.limit", "a", "trees.height") and p.needs[-1] == "_live"


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("a <=", "invalid syntax"),
        ("open('x')", r"the function open\(\) is not known"),
        ("a.b.c > 1", "Attribute of an attribute"),
        ("a.b() > 1", r"the function a\.b\(\) is not known"),
        ("[x for x in a]", "ListComp may not stand"),
        ("a if b else 1", "IfExp may not stand"),
        ("lambda: a", "Lambda may not stand"),
        ("given(a + 1)", r"given\(\) takes the names of columns"),
        ("share(a > 1, b + 1) > 1", r"share\(\) takes the names of columns"),
        ("share(a > 1) > 1", r"share\(\) takes 2 or more columns"),
        ("years(a) > 1", r"years\(\) takes 2 columns"),
        ("abs(x=a) > 1", r"abs\(\) takes 1 columns"),
        ("a ** b > 1", "Pow may not stand"),
    ],
)
def test_what_may_not_stand_in_it(expression: str, sentence: str) -> None:
    with pytest.raises(SyntaxError, match=sentence):
        parse(expression)
