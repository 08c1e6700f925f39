"""Headers to columns, and header rows to datasets."""

from __future__ import annotations

import random

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.intake.layout.headers import Headers


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


@pytest.fixture(scope="module")
def headers(contracts: Contracts) -> Headers:
    return Headers(contracts)


def meaning(headers: Headers, text: str, dataset: str = "energy_use") -> tuple[str, str | None, str | None] | None:
    for m in headers.resolve(text):
        if m.dataset == dataset:
            return m.column, m.unit, None if m.factor is None else str(m.factor)
    return None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("用电量", ("electricity", None, None)),
        ("电（千瓦时）", ("electricity", "千瓦时", "1")),
        ("用 电　量\n(万千瓦时)", ("electricity", "万千瓦时", "10000")),
        ("用电量/度", ("electricity", "度", "1")),
        ("用电量kWh", ("electricity", "kWh", "1")),
        ("*用电量", ("electricity", None, None)),
        ("1.用电量", ("electricity", None, None)),
        ("④用电量", ("electricity", None, None)),
        ("电费，单位：万元", ("electricity_cost", "万元", "10000")),
        ("电费（单位：万元，保留两位小数）", ("electricity_cost", "万元", "10000")),
        ("电费［元］", ("electricity_cost", "元", "1")),
        ("用水量（吨）", ("water", "吨", "1")),
        ("单位名称（盖章）", ("org_name", None, None)),
        ("月份（年-月）", ("month", None, None)),
        ("用电量（必填）", ("electricity", None, None)),
        ("用水量（中水）", None),  # a note that changes what the number is
        ("用电量（万元）", None),  # a unit of something else
        ("书名", None),
    ],
)
def test_what_a_header_means(headers: Headers, text: str, want: object) -> None:
    assert meaning(headers, text) == want


def test_every_header_of_every_contract_finds_its_dataset_whatever_is_left_out(
    contracts: Contracts, headers: Headers
) -> None:
    rng = random.Random(1)
    for name, contract in contracts.items():
        for _ in range(50):
            columns = [c for c in contract.columns if c.required or rng.random() < 0.5]
            rng.shuffle(columns)
            choices = headers.choices([rng.choice(c.headers) for c in columns])
            assert choices[0].dataset == name
            assert choices[0].fits
            assert [m.column.name for m in choices[0].mapped] == [c.name for c in columns]


def test_the_official_name_wins_over_an_alias_that_stands_before_it(headers: Headers) -> None:
    row = ["序号", "处置编号", "单位", "方式", "面积类别", "面积", "状态"]
    best = next(c for c in headers.choices(row) if c.dataset == "disposals")
    assert next(m.place for m in best.mapped if m.column.name == "disposal_id") == 1
    assert best.unmapped == ((0, "序号"),)
    assert headers.is_serial("序号")


def test_the_nearest_column_is_offered_unless_it_is_there_already(headers: Headers) -> None:
    near = headers.nearest("天燃气用量", "energy_use", [])
    assert near is not None
    assert near.name == "natural_gas"
    assert headers.nearest("天燃气用量", "energy_use", ["natural_gas"]) is not near
    assert headers.nearest("zzz", "energy_use", []) is None
