"""The words a department is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from pipelines.intake import messages
from pipelines.intake.file_reader import FileReader
from pipelines.intake.messages import CODES, EXPECTED, message_of, position_texts, shown
from tests.intake.layout.trial import column, contracts, sheet
from tests.intake.make import xls


def test_every_code_has_its_words_and_no_other_has() -> None:
    assert {k.partition(".")[0] for k in messages._TEXTS} == set(CODES)


@pytest.mark.parametrize("key", messages._TEXTS)
def test_every_text_can_be_said_in_both_languages(key: str) -> None:
    zh, en = messages._TEXTS[key]
    fields = {f: f"<{f}>" for f in re.findall(r"{(\w+)}", zh + en)} | {
        "message": "开工早于批准",
        "message_en": "begun early",
    }
    code, _, variant = key.partition(".")
    said_zh, said_en = message_of(code, variant or None, **fields)
    assert "{" not in said_zh + said_en
    assert re.search("[\u4e00-\u9fff]", said_zh)
    assert said_en.isascii() or "“" in said_en


def test_a_missing_field_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(KeyError):
        message_of("missing_required")


def test_places() -> None:
    assert position_texts(7, "用电量\n（度）", "C7") == {
        "where": "第 7 行“用电量（度）”（C7 单元格）",
        "where_en": "'用电量（度）' in C7",
    }
    assert position_texts(None, None, None)["where"] == "本表"


def test_long_values_are_cut() -> None:
    assert shown("x" * 100) == "x" * 59 + "…"
    assert set(EXPECTED) >= {"decimal", "integer", "year", "month", "date", "boolean", "string", "enum"}


def test_a_file_of_another_office_program_is_told_what_to_save_as() -> None:
    broken = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)  # an .et that no library opens
    got = FileReader(load_contracts(only=["parking_lots"])).read(broken, "停车场.et")
    assert got.reason == "unreadable"
    assert "另存为 .xlsx" in got.issues[0].message_zh


def test_a_file_of_another_office_program_that_is_an_xls_inside_is_read() -> None:
    rows = [["单位名称", "停车场名称", "开放车位数", "是否开放"], ["甲示范局", "东院", 5, "是"]]
    got = FileReader(load_contracts(only=["parking_lots"])).read(xls(("表", rows)), "停车场.et")
    assert (got.status, got.sheets[0].values["spaces"]) == ("accepted", [5])


def test_an_english_header_keeps_its_spaces(tmp_path: Path) -> None:
    own = column("place", "Property", key=1), column("steam", "District Steam Use", "number", unit="kWh")
    rows = [["Property", "District Steam  Use (kWh)"], ["a", "x y"], ["b", 5.0]]
    (told,) = sheet(contracts(tmp_path, *own), rows).issues
    assert told.message_en.startswith("'District Steam Use (kWh)' in B2 holds 'x y'")
