"""The bureau's decisions survive a crash, in the order they were made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.sources import decisions


def test_decisions_survive_in_order_whatever_their_words_hold(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    first = decisions.add(
        home, "figure", "energy_tce 2023", "统计科 王工", "原表多写一个零\u2028已更正\nx", "One zero too many"
    )
    second = decisions.add(
        home, "accept", "2025-12-31-0123abcd", "李科长", "已核实", since="2026-01-05", details={"n": 1}
    )
    assert decisions.read(home) == [first, second]
    assert decisions.read(home, ["accept"]) == [second] and decisions.read(home, ["withdraw"]) == []
    assert first.since == first.decided_at[:10] and second.since == "2026-01-05" and second.why_en == "已核实"
    assert decisions.path(home).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_by_a_crash_is_left_out_and_the_next_one_stands(tmp_path: Path, cut: int) -> None:
    home = Home(tmp_path).create()
    first = decisions.add(home, "accept", "a", "甲", "一")
    decisions.add(home, "accept", "b", "甲", "二二二")
    whole = decisions.path(home).read_bytes()
    decisions.path(home).write_bytes(whole[: -1 - cut])
    assert decisions.read(home) == [first]
    third = decisions.add(home, "accept", "c", "甲", "三")
    assert decisions.read(home) == [first, third]


def test_a_damaged_line_is_one_sentence_and_never_left_out(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    decisions.add(home, "accept", "a", "甲", "一")
    decisions.path(home).write_bytes(b'{"kind": "accept"}\n' + decisions.path(home).read_bytes())
    with pytest.raises(decisions.DecisionsDamaged, match="Line 1 of .* is no decision"):
        decisions.read(home)
