"""The check characters, with two real codes, the well-known wrong example, and every single slip of the pen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations import uscc


@pytest.mark.parametrize("code", ["11332500MB1601924J", "11500000009276871K"])
def test_real_codes_hold(code: str) -> None:
    assert uscc.is_valid(code)
    assert uscc.is_valid_organisation(uscc.organisation_code(code))


def test_the_example_that_circulates_does_not_hold() -> None:
    assert not uscc.is_valid("91350100M000100Y4Z")
    assert uscc.check_character("91350100M000100Y4") == "3"


@pytest.mark.parametrize("code", ["", "1133250", "11332500MB1601924J1", "I1332500MB1601924J", "11332500mb1601924j"])
def test_what_is_not_a_code(code: str) -> None:
    assert not uscc.is_valid(code)


def test_fold() -> None:
    assert uscc.fold(" １１３３２５００-mb1601924j ") == "11332500MB1601924J"


@given(st.text(uscc.ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(uscc.ALPHABET))
def test_one_wrong_character_is_always_seen(first: str, at: int, other: str) -> None:
    code = first + str(uscc.check_character(first))
    assert uscc.is_valid(code)
    if code[at] != other:
        assert not uscc.is_valid(code[:at] + other + code[at + 1 :])


def test_a_wrong_organisation_code_is_seen() -> None:
    assert uscc.is_valid_organisation("MB1601924")
    assert not uscc.is_valid_organisation("MB1601925")
    assert not uscc.is_valid_organisation("mb160192")
