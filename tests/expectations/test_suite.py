"""Suites: each fact of a contract has an expectation, and each expectation has a row that makes it fail."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from expectations.contract import Contract, ContractError, Rule, read_contract
from expectations.suite import SuiteError, check, plan
from pipelines.intake.readings import row_dtypes

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: trial
name: Trial
version: 1.0.0
status: active
schema:
- name: trial
  businessName: 试用表
  properties:
  - {name: trial_id, businessName: 编号, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true, classification: L0}
  - {name: year, businessName: 年度, logicalType: integer, primaryKey: true, primaryKeyPosition: 2, classification: L0,
     logicalTypeOptions: {minimum: 2015, maximum: 2035}, customProperties: [{property: kind, value: year}]}
  - {name: org_name, businessName: 单位, logicalType: string, classification: L0, customProperties: [{property: institution, value: name}]}
  - {name: uscc, businessName: 代码, logicalType: string, classification: L0, customProperties: [{property: check, value: uscc}]}
  - {name: month, businessName: 月份, logicalType: string, classification: L0,
     customProperties: [{property: kind, value: month}, {property: minimum, value: 2021-01}, {property: maximum, value: 2021-12}]}
  - {name: start_on, businessName: 开始, logicalType: date, classification: L0, customProperties: [{property: minimum, value: '2000-01-01'}]}
  - {name: end_on, businessName: 结束, logicalType: date, classification: L0}
  - {name: amount, businessName: 金额, logicalType: number, classification: L0, logicalTypeOptions: {exclusiveMinimum: 0, maximum: 100}}
  - {name: kind, businessName: 种类, logicalType: string, classification: L0,
     quality: [{metric: invalidValues, arguments: {validValues: [甲, 乙]}, mustBe: 0}]}
  - {name: items, businessName: 项目, logicalType: string, classification: L0,
     quality: [{metric: invalidValues, arguments: {validValues: [供水, 供电, 供气], several: true}, mustBe: 0}]}
  - {name: division, businessName: 区划, logicalType: string, classification: L0, customProperties: [{property: codelist, value: divisions}]}
  - {name: plate, businessName: 号码, logicalType: string, classification: L2, logicalTypeOptions: {pattern: '[A-Z]{2}\\d{3}'}}
  - {name: size, businessName: 大小, logicalType: number, classification: L0}
  - {name: tree, businessName: 树, logicalType: string, classification: L0, relationships: [{type: foreignKey, to: trees.tree_id}]}
  - {name: open, businessName: 开放, logicalType: boolean, classification: L0}
  quality:
  - name: ends_after_start
    description: It ends before it starts.
    type: custom
    engine: greatExpectations
    severity: error
    implementation: {type: expect_rows_to_satisfy, kwargs: {expression: end_on >= start_on}}
    customProperties: [{property: code, value: date_order}, {property: messageZh, value: 结束早于开始。}]
  - name: small_unless_open
    description: Much.
    type: custom
    engine: greatExpectations
    severity: warning
    implementation: {type: expect_rows_to_satisfy, kwargs: {expression: "amount <= 50 or open == 1 or kind == '乙'"}}
    customProperties: [{property: code, value: doubtful}, {property: messageZh, value: 太多。}]
  - name: lower_than_its_tree
    description: Higher than its tree.
    type: custom
    engine: greatExpectations
    severity: warning
    implementation: {type: expect_rows_to_satisfy, kwargs: {expression: size <= trees.height}}
    customProperties: [{property: code, value: doubtful}, {property: messageZh, value: 太高。}]
customProperties:
- {property: opening, value: open}
"""

GOOD: dict[str, Any] = {
    "trial_id": "a",
    "year": 2021,
    "org_name": "市甲局",
    "uscc": "11332500MB1601924J",
    "month": "2021-03",
    "start_on": "2021-01-01",
    "end_on": "2021-01-01",
    "amount": 10.0,
    "kind": "甲",
    "items": "供水、供电",
    "division": "430211",
    "plate": "AB123",
    "open": True,
    "size": 5.0,
    "tree": "t",
    "tree.known": 1.0,
    "trees.height": 9.0,
    "_file": "f",
}
KNOWN = {"institutions": {"市甲局"}, "divisions": {"430211"}}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    path = tmp_path_factory.mktemp("contract") / "trial.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return read_contract(path)


def frame(contract: Contract, *rows: dict[str, Any]) -> pd.DataFrame:
    data = {}
    for name, dtype in row_dtypes(contract).items():
        values = [r.get(name) for r in rows]
        data[name] = (
            pd.Series(np.array(values, dtype="datetime64[s]"))
            if dtype.startswith("datetime")
            else pd.Series(values, dtype=dtype)
        )
    for name in ("tree.known", "trees.height"):
        data[name] = pd.Series([r.get(name) for r in rows], dtype="float64")
    return pd.DataFrame(data)


def failing(contract: Contract, *rows: dict[str, Any], known: Any = KNOWN) -> list[tuple[int, str, str, str]]:
    found = check(contract, frame(contract, *rows), known).failures
    return [(int(p), c, s, r) for p, c, s, r in found[["position", "code", "severity", "rule"]].itertuples(index=False)]


def test_a_good_row_passes_and_so_does_an_empty_one(contract: Contract) -> None:
    assert failing(contract, GOOD, {"trial_id": "b", "_file": "f"}) == []


@pytest.mark.parametrize(
    ("change", "code", "severity", "rule"),
    [
        ({"trial_id": None}, "missing_required", "error", "trial_id.required"),
        ({"year": 2014}, "out_of_range", "error", "year.range"),
        ({"year": 2036}, "out_of_range", "error", "year.range"),
        ({"org_name": "市乙局"}, "unknown_institution", "error", "org_name.institution"),
        ({"uscc": "11332500MB1601924K"}, "bad_check_digit", "error", "uscc.check"),
        ({"uscc": "123"}, "bad_check_digit", "error", "uscc.check"),
        ({"uscc": "11332500MB1601925M"}, "doubtful", "warning", "uscc.organisation_check"),
        ({"month": "2020-12"}, "out_of_range", "error", "month.range"),
        ({"month": "2022-01"}, "out_of_range", "error", "month.range"),
        ({"start_on": "1999-12-31"}, "out_of_range", "error", "start_on.range"),
        ({"end_on": "2020-12-31"}, "date_order", "error", "ends_after_start"),
        ({"amount": 0.0}, "out_of_range", "error", "amount.range"),
        ({"amount": 100.5}, "out_of_range", "error", "amount.range"),
        ({"amount": 60.0, "open": False}, "doubtful", "warning", "small_unless_open"),
        ({"kind": "丙"}, "not_in_list", "error", "kind.values"),
        ({"items": "供水、供暖"}, "not_in_list", "error", "items.values"),
        ({"division": "999999"}, "not_in_list", "error", "division.values"),
        ({"size": 2e15, "trees.height": None}, "out_of_range", "error", "size.range"),  # larger than anything is
        ({"size": -2e15}, "out_of_range", "error", "size.range"),
        ({"tree.known": 0.0}, "doubtful", "warning", "tree.reference"),
        ({"size": 9.5}, "doubtful", "warning", "lower_than_its_tree"),
        ({"plate": "A123"}, "bad_type", "error", "plate.pattern"),
        ({"plate": "AB1234"}, "bad_type", "error", "plate.pattern"),
    ],
)
def test_each_expectation_can_fail(
    contract: Contract, change: dict[str, Any], code: str, severity: str, rule: str
) -> None:
    assert failing(contract, GOOD, GOOD | {"trial_id": "b"} | change) == [(1, code, severity, rule)]


def test_every_planned_expectation_is_one_of_those(contract: Contract) -> None:
    tried = {p.args[1][n][3] for p in test_each_expectation_can_fail.pytestmark for n in range(len(p.args[1]))}
    assert {p.rule for p in plan(contract, KNOWN)} == tried | {"key"}


def test_edges_pass(contract: Contract) -> None:
    rows = [
        GOOD
        | {
            "trial_id": "b",
            "year": 2015,
            "month": "2021-01",
            "start_on": "2000-01-01",
            "amount": 100.0,
            "items": "供气",
        },
        GOOD | {"trial_id": "c", "year": 2035, "month": "2021-12", "amount": 0.001, "items": "供水 供电;供气"},
        GOOD | {"trial_id": "d", "amount": 60.0, "open": False, "kind": "乙"},
    ]
    assert failing(contract, *rows) == []


def test_a_key_twice_is_a_key_twice_in_one_file(contract: Contract) -> None:
    rows = [GOOD, GOOD | {"_file": "g"}, GOOD | {"amount": 5.0}, GOOD | {"year": None}, GOOD | {"year": None}]
    assert failing(contract, *rows) == [(0, "duplicate_key", "error", "key"), (2, "duplicate_key", "error", "key")]


def test_without_a_list_nothing_is_held_against_it(contract: Contract) -> None:
    row = GOOD | {"org_name": "谁", "division": "哪"}
    assert failing(contract, row, known={}) == []
    assert failing(replace(contract, register=True), GOOD | {"org_name": "谁"}) == []


def test_counts_of_each_expectation(contract: Contract) -> None:
    done = check(contract, frame(contract, GOOD, GOOD | {"trial_id": "b", "amount": -1.0}), KNOWN)
    by_rule = {o.rule: o for o in done.outcomes}
    assert len(by_rule) == len(done.outcomes)
    assert (by_rule["amount.range"].checked, by_rule["amount.range"].failed, by_rule["amount.range"].success) == (
        2,
        1,
        False,
    )
    assert by_rule["key"].success


def test_no_rows_and_no_key(contract: Contract) -> None:
    empty = check(contract, frame(contract), KNOWN)
    assert empty.failures.empty and {o.checked for o in empty.outcomes} == {0}
    assert "key" not in {p.rule for p in plan(replace(contract, key=()), KNOWN)}


def test_rows_of_two_tables_side_by_side_are_told_apart(contract: Contract) -> None:
    rows = frame(contract, GOOD | {"_row": 5, "amount": -1.0}, GOOD | {"_row": 5, "trial_id": "b"}).set_index(
        "_row", drop=False
    )
    assert check(contract, rows, KNOWN).failures["position"].tolist() == [0]


@pytest.mark.parametrize(
    "expression",
    ["end_on >= amount", "kind > 5", "abs(kind) > 1", "amount + month > 5", "start_on + end_on > start_on"],
)
def test_a_rule_that_does_not_fit_its_columns(contract: Contract, expression: str) -> None:
    names = tuple(sorted(c.name for c in contract.columns if c.name in expression))
    bad = replace(contract, rules=(Rule("odd", expression, names, "doubtful", "warning", "x", "x"),))
    with pytest.raises(ContractError, match=r"trial\.yaml: rule 'odd': .* cannot be computed over its columns"):
        check(bad, frame(contract, GOOD), KNOWN)


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("kind in ['甲', '丙']", True),
        ("kind not in ['甲']", False),
        ("not amount > 5 or open == 1", True),
        ("start_on >= '2021-06-01'", False),
        ("abs(amount - 12) <= 2", True),
        ("1 < amount < 10", False),
        ("kind == '甲' and amount / 2 < 6", True),
        ("month == '2021-03'", True),
        ("-amount < -20", False),
    ],
)
def test_what_a_rule_may_say(contract: Contract, expression: str, holds: bool) -> None:
    names = tuple(sorted(c.name for c in contract.columns if c.name in expression))
    asked = replace(contract, rules=(Rule("asked", expression, names, "doubtful", "warning", "x", "x"),))
    assert failing(asked, GOOD) == ([] if holds else [(0, "doubtful", "warning", "asked")])


def test_what_great_expectations_catches_is_raised(contract: Contract) -> None:
    with pytest.raises(SuiteError, match=r"Rule '.*' could not be computed"):
        check(contract, frame(contract, GOOD).assign(amount="viel"), KNOWN)


def _exits_well(code: str) -> bool:
    return subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_great_expectations_is_imported_late() -> None:
    assert _exits_well("import sys, expectations.suite; sys.exit('great_expectations' in sys.modules)")


def test_great_expectations_leaves_an_installed_spark_alone(tmp_path: Path) -> None:
    (tmp_path / "pyspark.py").write_text("raise SystemExit('pyspark was imported')")
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from expectations.suite import ephemeral_context; ephemeral_context()"
    assert _exits_well(f"{script}; sys.exit('pyspark' in sys.modules)")


def test_great_expectations_reports_to_nobody() -> None:
    assert _exits_well(
        "import os, sys; from expectations.suite import _batches; _batches();"
        "sys.exit(os.environ['GX_ANALYTICS_ENABLED'] != 'False' or 'posthog' in sys.modules)"
    )


def test_the_documentation_names_the_largest_number_there_may_be(root: Path) -> None:
    from expectations.suite import LARGEST

    assert f"nothing above {LARGEST:,} " in (root / "docs" / "contracts.md").read_text(encoding="utf-8")


def test_a_pattern_with_a_group_in_it_checks_without_a_word(
    contract: Contract, recwarn: pytest.WarningsRecorder
) -> None:
    grouped = tuple(replace(c, pattern=r"([A-Z]{2})(\d{3})") if c.name == "plate" else c for c in contract.columns)
    rows = frame(contract, GOOD, GOOD | {"trial_id": "b", "plate": "A123"})
    found = check(replace(contract, columns=grouped), rows, KNOWN).failures
    assert found[["position", "column", "code"]].to_numpy().tolist() == [[1, "plate", "bad_type"]]
    assert [w for w in recwarn.list if "match groups" in str(w.message)] == []
