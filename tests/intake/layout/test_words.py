"""Words that a city or a contract adds to those of pipelines/intake/vocabulary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import OF_CITY_WORDS, OF_WORDS, ContractError, Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.layout.words import RowWords, Says
from pipelines.intake.model import FileReading, SheetReading
from tests.intake.layout.trial import column, contracts, sheet

HEAD = ["单位名称", "月份", "用电量", "用水量"]
ROWS: list[list[Any]] = [["甲局", "2021-01", 10.0, 1.0], ["甲局", "2021-02", 20.0, 2.0]]


def city(tmp_path: Path, text: str) -> Contracts:
    (tmp_path / "words.toml").write_text(text, encoding="utf-8")
    return load_contracts(only=["energy_use"], city=tmp_path)


def taken(read: SheetReading) -> list[Any]:
    return list(zip(read.values["month"], read.values["electricity"], strict=True))


@pytest.mark.parametrize(
    ("says", "word", "row"),
    [
        ("total", "拢共", ["全年拢共", "", 30.0, 3.0]),
        ("note", "编者按", ["编者按：初步数", "", 1.0, ""]),
        ("signature", "造册人", ["造册人：", "王某", "", ""]),
        ("among", "内含", ["内含：食堂", "2021-01", 5.0, ""]),
        ("section", "市里的", ["市里的", "", "", ""]),
        ("continued", "下表接续", ["下表接续", "2021-03", "", ""]),
    ],
)
def test_a_citys_word_takes_a_row_out_of_the_data(says: str, word: str, row: list[Any], tmp_path: Path) -> None:
    rows = [HEAD, ROWS[0], row, ROWS[1]]
    read = sheet(city(tmp_path, f'{says} = ["{word}"]'), rows)
    assert taken(read) == [("2021-01", 10.0), ("2021-02", 20.0)]
    assert read.rows_explained == 2


@pytest.mark.parametrize("says", OF_WORDS)
def test_each_kind_of_word_can_be_added(says: str) -> None:
    plain, more = RowWords(lambda text: False), RowWords(lambda text: False, [{says: ["甲乙丙丁"]}])
    text = "甲乙丙丁：" if says in ("note", "signature", "among") else "甲乙丙丁"
    assert plain.says(text) is Says.NOTHING
    assert more.says(text) is Says[says.upper()]


def test_a_citys_words_for_nothing_and_for_who_sends_a_sheet_in(tmp_path: Path) -> None:
    found = city(tmp_path, 'nothing = ["没有表"]\nsubmitter = ["呈报机关"]')
    read = sheet(found, [["呈报机关：丙局"], HEAD, ["", "2021-01", 10.0, "没有表"], ["", "2021-02", 20.0, 2.0]])
    assert read.submitter == "丙局"
    assert read.values["water"] == [None, 2.0] and read.issues == []


def test_a_word_of_a_contract_holds_in_its_sheets(tmp_path: Path) -> None:
    own = column("place", "地区", key=1), column("amount", "数额", "number", unit="元")
    rows = [["地区", "数额"], ["甲", 1.0], ["拢共", 3.0], ["乙", 2.0]]
    assert sheet(contracts(tmp_path, *own, words={"total": ["拢共"]}), rows).values["amount"] == [1.0, 2.0]
    assert sheet(contracts(tmp_path, *own), rows).values["amount"] == [1.0, 3.0, 2.0]


def test_what_was_read_without_a_citys_words_is_read_again(tmp_path: Path) -> None:
    home, plain = Home(tmp_path / "home").create(), load_contracts(only=["energy_use"], city=tmp_path)
    cache.append(home, plain, [FileReading("0", "a.xlsx", "rejected", "empty")])
    assert cache.known(home, plain) == {"0"}
    assert cache.known(home, city(tmp_path, 'total = ["拢共"]')) == set()


@pytest.mark.parametrize(
    ("text", "said"), [('totals = ["拢共"]', "totals"), ('total = "拢共"', "list of words"), ("total = [", "TOML")]
)
def test_a_slip_in_a_citys_words_is_told_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=said) as told:
        city(tmp_path, text)
    assert str(told.value).startswith("words.toml")


def test_what_may_be_added_is_in_the_guide(root: Path) -> None:
    guide = (root / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert all(f"`{says}`" in guide for says in OF_CITY_WORDS)
