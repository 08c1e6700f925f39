"""A header that a contract names with its unit: the unit converts, and one that nobody knows is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import ContractError, read_contract
from pipelines.feedback.form import header_text
from tests.intake.layout.trial import column, contracts, sheet


def value_of(folder: Path, header: str, cell: Any, **own: Any) -> Any:
    """What a cell under `header` is in canonical units, where the column is described by `own` and may be called that."""
    found = contracts(folder, column("place", "地点", key=1), column("amount", "数额", "number", **own))
    return sheet(found, [["地点", header], ["甲", cell], ["乙", cell]]).values["amount"][0]


@pytest.mark.parametrize(
    ("alias", "unit", "header", "want"),
    [
        ("年养护费（万元）", "元", "年养护费（万元）", 30_000),
        ("年养护费(万元)", "元", "年 养护费\n（ 万元 ）", 30_000),
        ("年养护费（单位：万元）", "元", "年养护费（单位：万元）", 30_000),
        ("年养护费万元", "元", "年养护费万元", 30_000),
        ("年养护费/万元", "元", "年养护费/万元", 30_000),
        ("年养护费，万元", "元", "年养护费，万元", 30_000),
        ("年养护费（万元，含税）", "元", "年养护费（万元，含税）", 30_000),
        ("年养护费（万元）", "元", "年养护费（万元）（必填）", 30_000),
        ("年养护费（万元）", "元", "1.年养护费（万元）*", 30_000),
        ("年养护费（万元）", "元", "年养护费（千元）", 3_000),
        ("年养护费（万元）", "元", "年养护费", 3),
        ("年养护费（元）", "元", "年养护费（元）", 3),
        ("年养护费", "元", "年养护费（百万）", 3_000_000),
        ("年养护费", "元", "年养护费（单位：千）", 3_000),
        ("年养护费", "元", "年养护费（W）", 30_000),
        ("年养护费", "元", "年养护费（人民币万元）", 30_000),
        ("年养护费", "元", "年养护费(万元人民币)", 30_000),
        ("Floor area (square feet)", "㎡", "Floor area (square feet)", 3 * 0.09290304),
        ("PropertyGFA sq ft", "㎡", "PropertyGFA sq ft", 3 * 0.09290304),
        ("SiteEnergyUse(kBtu)", "GJ", "SiteEnergyUse(kBtu)", 3 * 0.00105505585262),
        ("Electricity Use (kBtu) - Grid", "GJ", "Electricity Use (kBtu) - Grid", 3 * 0.00105505585262),
        ("District Steam Use kBtu", "GJ", "District Steam Use kBtu", 3 * 0.00105505585262),
        ("面积（平方米）", "㎡", "面积（平方米）", 3),
    ],
)
def test_an_alias_that_contains_its_unit_is_converted(
    alias: str, unit: str, header: str, want: float, tmp_path: Path
) -> None:
    assert value_of(tmp_path, header, 3.0, unit=unit, aliases=[alias]) == pytest.approx(want, rel=1e-12)


def test_an_official_header_that_contains_its_unit_is_converted_and_asked_for_in_it(tmp_path: Path) -> None:
    found = contracts(tmp_path, column("place", "地点", key=1), column("cost", "养护费（万元）", "number", unit="元"))
    assert sheet(found, [["地点", "养护费（万元）"], ["甲", 3.0]]).values["cost"] == [30_000]
    assert sheet(found, [["地点", "养护费"], ["甲", 3.0]]).values["cost"] == [3]
    assert header_text(found["trial"].column("cost")) == "养护费（万元）"


def test_a_unit_that_is_part_of_the_name_is_none(tmp_path: Path) -> None:
    found = contracts(tmp_path, column("place", "地点", key=1), column("meals", "就餐人次", "integer", unit="人次"))
    rows = [["单位：万人次", ""], ["地点", "就餐人次"], ["甲", 3.0]]
    assert sheet(found, rows).values["meals"] == [30_000]


def test_a_header_with_another_unit_behind_the_one_it_contains_means_nothing(tmp_path: Path) -> None:
    found = contracts(
        tmp_path, column("place", "地点", key=1), column("cost", "费", "number", unit="元", aliases=["养护费（万元）"])
    )
    rows = [["地点", "费", "养护费（万元）（元）"], ["甲", 3.0, 4.0]]
    assert [i.code for i in sheet(found, rows).issues] == ["unmapped_column"]


def test_what_is_left_of_two_headers_is_neither(tmp_path: Path) -> None:
    power = column("power", "Electricity (kWh)", "number", unit="kWh")
    heat = column("heat", "Electricity (GJ)", "number", unit="GJ")
    found = contracts(tmp_path, column("place", "Place", key=1), power, heat)
    read = sheet(found, [["Place", "Electricity (MWh)", "Electricity (GJ)"], ["A", 1.0, 2.0]])
    assert (read.values["power"], read.values["heat"]) == ([None], [2.0])


@pytest.mark.parametrize("alias", ["能耗（kBtu/sf）", "能耗（吨标准煤）", "Energy (short tons)", "Cost ($)"])
def test_an_alias_with_a_unit_that_nobody_knows_is_refused(alias: str, tmp_path: Path) -> None:
    own = column("amount", "数额", "number", unit="GJ", aliases=[alias])
    with pytest.raises(ContractError, match=r"^trial\.yaml: column 'amount': the header '.*' contains '.*units.*\.$"):
        contracts(tmp_path, column("place", "地点", key=1), own)


def test_a_contract_says_what_its_own_unit_is_worth(tmp_path: Path) -> None:
    own = {"unit": "GJ", "aliases": ["能耗（大卡）", "能耗（Gcal）"], "units": {"Gcal": 4.1868}}
    assert value_of(tmp_path, "能耗（Gcal）", 2.0, **own) == pytest.approx(8.3736)


def test_a_contract_has_a_unit_that_no_other_has(tmp_path: Path) -> None:
    own = {"unit": "$", "units": {"thousand $": 1000}, "aliases": ["Cost ($)", "Cost (thousand $)"]}
    assert value_of(tmp_path, "Cost ($)", 2.0, **own) == 2
    assert value_of(tmp_path, "Cost (thousand $)", 2.0, **own) == 2000
    with pytest.raises(ContractError, match="another factor than 1"):
        value_of(tmp_path, "Cost", 2.0, unit="$", units={"$": 7})
    with pytest.raises(ContractError, match=r"is not in expectations/units\.yaml.*or say beside it"):
        value_of(tmp_path, "Cost", 2.0, unit="$")


@pytest.mark.parametrize("spelling", ["", " ", "\u3000"])
def test_a_unit_without_a_name_is_refused_in_a_sentence(spelling: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="write a unit as sheets do"):
        value_of(tmp_path, "数额", 1.0, unit="元", units={spelling: 0.09})


def test_the_example_of_the_guide_converts_an_alias_with_a_unit(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "contracts.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    assert "年养护费（万元）" in text
    path = tmp_path / "trees.yaml"
    path.write_text(text, encoding="utf-8")
    from expectations.contract import Contracts

    read = sheet(Contracts([read_contract(path)]), [["树木编号", "单位名称", "年养护费（万元）"], ["A-1", "甲局", 3.0]])
    assert read.values["care_cost"] == [30_000]


@pytest.mark.parametrize("length", [79, 81, 200, 400])
def test_a_long_header_matches_word_for_word(length: int, tmp_path: Path) -> None:
    long = ("Total annual cost of care of all trees on the grounds of every office " * 9)[:length].strip()
    found = contracts(tmp_path, column("place", "Place", key=1), column("cost", "Cost", "number", aliases=[long]))
    assert sheet(found, [["Place", long], ["A", 3.0]]).values["cost"] == [3.0]


@pytest.mark.parametrize(
    ("header", "want"),
    [
        ("用电量\r\nElectricity\r\nconsumed", 3),
        ("用电量\nElectricity consumed", 3),
        ("用电量\r\nElectricity of 12 months, in 2021", 3),
        ("用电量（万千瓦时）\r\nElectricity (10 000 kWh)", 30_000),
        ("用电量（万千瓦时）\r\nElectricity (10 MWh)", 30_000),  # the Chinese says it
        ("用电量\nElectricity (MWh)", 3_000),
        ("用电量\nElectricity (10 000 kWh)", 30_000),
        ("用电量\nElectricity, MWh", 3_000),
    ],
)
def test_a_header_in_two_languages_is_its_name_and_its_unit(header: str, want: float, tmp_path: Path) -> None:
    found = contracts(tmp_path, column("place", "地点", key=1), column("power", "用电量", "number", unit="kWh"))
    assert sheet(found, [["地点\r\nPlace", header], ["甲", 3.0]]).values["power"] == [want]


def test_a_thousand_yuan_in_english_converts(tmp_path: Path) -> None:
    found = contracts(tmp_path, column("place", "地区", key=1), column("cost", "经费支出", "number", unit="元"))
    read = sheet(found, [["地区\r\nRegion", "经费支出\r\nExpenditure\r\n(1000 yuan)"], ["甲", 3.0]])
    assert read.values["cost"] == [3_000]


@pytest.mark.parametrize("english", ["Electricity (tce)", "Electricity (1000 toe)"])
def test_a_translation_with_another_unit_is_not_taken_as_the_canonical_one(english: str, tmp_path: Path) -> None:
    power = column("power", "用电量", "number", unit="kWh")
    water = column("water", "用水量", "number", unit="m³")
    found = contracts(tmp_path, column("place", "地点", key=1), column("kind", "类别"), power, water)
    read = sheet(found, [["地点", "类别", "用电量\n" + english, "用水量"], ["甲", "乙", 3.0, 1.0]])
    assert read.values["power"] == [None]
    assert [i.code for i in read.issues] == ["unmapped_column"]
