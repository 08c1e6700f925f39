"""The contracts: that they say what the domain says, that they are ODCS, and that each slip of an author is told."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import open_data_contract_standard
import pytest
import yaml

from expectations.contract import (
    CODES,
    CONTRACTS,
    KINDS,
    OF_COLUMN,
    OF_DATASET,
    OF_RULE,
    ContractError,
    load_contracts,
    read_contract,
)

PATHS = sorted(CONTRACTS.glob("*.yaml"))


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_is_odcs(path: Path) -> None:
    schema = json.loads((Path(open_data_contract_standard.__file__).parent / "schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_is_written_for_readers(path: Path) -> None:
    contract = read_contract(path)
    assert path.stem == contract.dataset
    assert contract.key and contract.grain and contract.frequency and contract.decided_by and contract.ground
    assert "每行一个" not in contract.description, "the purpose is still the generated one"
    for c in contract.columns:
        assert c.title_en[0].isupper(), c.name
        if c.access == "L3" or c.refuse:
            assert c.description, f"{c.name}: say why it is not kept"
    for r in contract.rules:
        assert r.message_zh.endswith("。") and r.message_en.endswith(".")


@pytest.mark.realdata
def test_says_what_the_domain_says(shared: Path) -> None:
    contracts = load_contracts()
    with (shared / "domain" / "columns.csv").open(encoding="utf-8") as f:
        wanted = [row for row in csv.DictReader(f) if row["dataset"] in contracts]
    with (shared / "domain" / "datasets.csv").open(encoding="utf-8") as f:
        datasets = {row["dataset"]: row for row in csv.DictReader(f)}
    for dataset, contract in contracts.items():
        said = datasets[dataset]
        assert (contract.title_zh, contract.title_en, contract.frequency) == (
            said["title_zh"],
            said["title_en"],
            said["frequency"],
        )
        assert list(contract.key) == ["org_name" if k == "org" else k for k in said["primary_key"].split(",")]
        mine = [row for row in wanted if row["dataset"] == dataset]
        assert [c.name for c in contract.columns] == [row["column"] for row in mine]
        for c, row in zip(contract.columns, mine, strict=True):
            where = f"{dataset}.{c.name}"
            assert c.header_zh == row["header_zh"], where
            assert c.aliases == tuple(filter(None, row["aliases"].split("|"))), where
            assert c.kind == row["type"], where
            assert (c.unit or "") == row["unit"], where
            assert c.required == (row["required"] == "1"), where
            assert c.access == row["access"], where
            _assert_rule(c, row["rule"], where)


def _assert_rule(c: Any, rule: str, where: str) -> None:
    if c.kind == "enum":
        assert c.values == tuple(rule.split("|")), where
    if rule.startswith("GB 32100"):
        assert c.check == "uscc" and c.institution == "code", where
    if rule.startswith("resolves to one institution"):
        assert c.institution == "name", where
    if rule.startswith(">=0"):
        assert c.minimum == 0, where
    if rule.startswith(">0") and " for " not in rule:
        assert c.exclusive_minimum == 0, where
    # One plan's years are no bound: its base year lies before it, and others come after it.
    if rule == "2015..2035":
        assert (c.minimum, c.maximum) == (Decimal(2000), Decimal(2099)), where
    if rule == "2021-01..2035-12":
        assert (c.minimum_text, c.maximum_text) == ("2000-01", "2099-12"), where
    if rule.startswith("是 =>"):
        assert c.refuse, where


GOOD: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "id": "trial",
    "name": "Trial",
    "version": "1.0.0",
    "status": "active",
    "schema": [
        {
            "name": "trial",
            "businessName": "试用表",
            "properties": [
                {
                    "name": "trial_id",
                    "businessName": "编号",
                    "logicalType": "string",
                    "primaryKey": True,
                    "required": True,
                    "classification": "L0",
                },
                {
                    "name": "amount",
                    "businessName": "金额",
                    "logicalType": "number",
                    "classification": "L0",
                    "logicalTypeOptions": {"minimum": 0},
                    "customProperties": [{"property": "unit", "value": "元"}],
                },
                {"name": "driver", "businessName": "司机", "logicalType": "string", "classification": "L3"},
            ],
            "quality": [
                {
                    "name": "small",
                    "description": "Too much.",
                    "type": "custom",
                    "engine": "greatExpectations",
                    "severity": "warning",
                    "implementation": {"type": "expect_rows_to_satisfy", "kwargs": {"expression": "amount <= 5"}},
                    "customProperties": [
                        {"property": "code", "value": "doubtful"},
                        {"property": "messageZh", "value": "太多。"},
                    ],
                }
            ],
        }
    ],
    "customProperties": [{"property": "opening", "value": "open"}],
}


def _write(folder: Path, document: Any, name: str = "trial.yaml") -> Path:
    path = folder / name
    path.write_text(
        document if isinstance(document, str) else yaml.safe_dump(document, allow_unicode=True), encoding="utf-8"
    )
    return path


def test_the_trial_contract_is_good(tmp_path: Path) -> None:
    contract = read_contract(_write(tmp_path, GOOD))
    assert contract.key == ("trial_id",)
    assert contract.rules[0].blamed == "amount"
    assert [c.name for c in contract.kept] == ["trial_id", "amount"]


def test_words_for_nothing_are_the_datasets_and_the_columns(tmp_path: Path) -> None:
    document = deepcopy(GOOD)
    _top(document, missingValues=["不掌握"])
    _own(document, missingValues=["0", 0.5])
    contract = read_contract(_write(tmp_path, document))
    assert [c.missing for c in contract.columns][:2] == [("不掌握",), ("不掌握", "0", "0.5")]


def _column(d: Any, n: int = 1) -> Any:
    return d["schema"][0]["properties"][n]


def _own(d: Any, n: int = 1, **more: Any) -> None:
    _column(d, n)["customProperties"] = [{"property": k, "value": v} for k, v in more.items()]


def _rule(d: Any) -> Any:
    return d["schema"][0]["quality"][0]


def _expression(d: Any, text: str) -> None:
    _rule(d)["implementation"]["kwargs"]["expression"] = text


def _top(d: Any, **more: Any) -> None:
    d["customProperties"] += [{"property": k, "value": v} for k, v in more.items()]


def _enum(d: Any, check: dict[str, Any]) -> None:
    _column(d)["quality"] = [check]


SLIPS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "two tables": (lambda d: d["schema"].append(deepcopy(d["schema"][0])), "exactly one table"),
    "no table": (lambda d: d.update(schema=[]), "exactly one table"),
    "not odcs": (lambda d: d.update(version=["1"]), "not as the Open Data Contract Standard wants it"),
    "no opening": (lambda d: d.update(customProperties=[]), "write open, aggregate or closed"),
    "bad opening": (lambda d: d.update(customProperties=[{"property": "opening", "value": "yes"}]), "custom property 'opening' is 'yes'"),
    "open rows not written right": (lambda d: _top(d, openRowsWhere={"column": "amount"}), "must be written {column"),
    "open rows of a column without a list": (lambda d: _top(d, openRowsWhere={"column": "amount", "notIn": ["x"]}), "level L0 that has a closed list"),
    "open rows of no column": (lambda d: _top(d, openRowsWhere={"column": "colour", "notIn": ["x"]}), "level L0 that has a closed list"),
    "open rows of an unknown value": (lambda d: (_enum(d, {"metric": "invalidValues", "arguments": {"validValues": ["甲"]}, "mustBe": 0}), _column(d).update(logicalType="string", logicalTypeOptions=None, customProperties=None), _top(d, openRowsWhere={"column": "amount", "notIn": ["乙"]})), "'乙' is not in the list of 'amount'"),
    "bad dataset name": (lambda d: d["schema"][0].update(name="Trial-1"), "lower-case letters"),
    "no title": (lambda d: d["schema"][0].update(businessName=None), "businessName is missing"),
    "no columns": (lambda d: d["schema"][0].update(properties=[]), "describe at least one column"),
    "twice described": (lambda d: _column(d).update(name="trial_id"), "is described twice"),
    "one header twice": (lambda d: _column(d).update(businessName="编 号"), "stands for both"),
    "bad column name": (lambda d: _column(d).update(name="金额"), "must be lower-case letters"),
    "no kind": (lambda d: _column(d).update(logicalType="array"), "use one of string, enum"),
    "kind and type": (lambda d: _own(d, kind="month"), "goes with logicalType 'string'"),
    "no level": (lambda d: _column(d).update(classification=None), "write L0, L1, L2 or L3"),
    "no header": (lambda d: _column(d).update(businessName=None), "has no businessName"),
    "unit": (lambda d: _own(d, unit="两"), "is not in expectations/units.yaml"),
    "unit factor": (lambda d: _own(d, unit="元", units={"两": "多"}), "is not a number"),
    "unit without a name": (lambda d: _own(d, unit="元", units={"": 0.09}), "units has the spelling ''; write a unit as sheets do"),
    "unit of white space": (lambda d: _own(d, unit="元", units={" \u3000": 0.09}), "write a unit as sheets do"),
    "unit that is a number": (lambda d: _own(d, unit="元", units={5: 0.09}), "units has the spelling 5"),
    "unit of nothing": (lambda d: _own(d, unit="元", units={"两": 0}), "write a number above 0"),
    "unit of no number": (lambda d: _own(d, unit="元", units={"两": "nan"}), "write a number above 0"),
    "unit without a factor": (lambda d: _own(d, unit="元", units={"两": None}), "write a number above 0"),
    "units as a list": (lambda d: _own(d, unit="元", units=["两"]), "write {<spelling>: <factor>, ...} beside a unit"),
    "units beside no unit": (lambda d: _own(d, units={"两": 50}), "beside a unit"),
    "aliases as text": (lambda d: _own(d, aliases="钱"), "write a list of headers"),
    "missing values as text": (lambda d: _own(d, missingValues="无"), "column 'amount': missingValues is '无'; write a list of words"),
    "missing values of the dataset": (lambda d: _top(d, missingValues={"a": 1}), "the dataset: missingValues is {'a': 1}; write a list"),
    "a missing value that YAML took for no": (lambda d: _own(d, missingValues=[False]), "write a list of words, [<word>, ...], in quotes"),
    "alias of nothing": (lambda d: _own(d, aliases=["钱", ""]), "write a list of headers"),
    "stated once": (lambda d: _own(d, statedOnce="month"), "write submitter, year, section"),
    "institution": (lambda d: _own(d, institution="id"), "write name or code"),
    "check": (lambda d: _own(d, check="luhn"), "the only one known is uscc"),
    "codelist": (lambda d: _own(d, codelist="streets"), "the only one known is divisions"),
    "unknown property": (lambda d: _own(d, alias=["钱"]), "custom property 'alias' is not known; use one of titleEn, aliases"),
    "unknown dataset property": (lambda d: _top(d, registry=True), "the dataset: custom property 'registry' is not known"),
    "pattern": (lambda d: _column(d, 0).update(logicalTypeOptions={"pattern": "("}), "is not a regular expression"),
    "bound": (lambda d: _column(d).update(logicalTypeOptions={"minimum": "small"}), "is not a number"),
    "metric": (lambda d: _enum(d, {"metric": "nullValues", "mustBe": 0}), "use invalidValues"),
    "no values": (lambda d: _enum(d, {"metric": "invalidValues", "mustBe": 0}), "needs arguments.validValues"),
    "key never kept": (lambda d: _column(d, 2).update(primaryKey=True), "of level L3, which is never kept"),
    "rule engine": (lambda d: _rule(d).update(engine="soda"), "engine greatExpectations"),
    "rule over nothing": (lambda d: _expression(d, "1 < 2"), "names no column"),
    "rule over a stranger": (lambda d: _expression(d, "amount <= total"), "names no column that is kept: total"),
    "rule over L3": (lambda d: _expression(d, "driver != ''"), "names no column that is kept: driver"),
    "rule not an expression": (lambda d: _expression(d, "amount <= "), "cannot be used"),
    "rule that runs code": (lambda d: _expression(d, "amount.__class__ == 1"), "names no column"),
    "rule by the back door": (lambda d: _expression(d, "amount == amount.__class__"), "leads nowhere"),
    "rule that calls": (lambda d: _expression(d, "eval(amount) > 1"), "the function eval() is not known"),
    "rule that leads nowhere": (lambda d: _expression(d, "amount <= trees.height"), "'trees.height' leads nowhere"),
    "rule over a year before": (lambda d: _expression(d, "amount >= previous.amount"), "'previous.amount' leads nowhere"),
    "relationship": (lambda d: _column(d).update(relationships=[{"to": "trees"}]), "must be written to: <dataset>"),
    "relationship from": (
        lambda d: _column(d).update(relationships=[{"from": "x", "to": "trees.a"}]), "under the column it starts",
    ),
    "relationship over L3": (
        lambda d: _column(d, 2).update(relationships=[{"to": "trees.a"}]), "take its relationship away",
    ),
    "relationships of a name": (
        lambda d: _column(d).update(relationships=[{"to": "trees.a"}, {"to": "city.trees.a"}]), "two relationships",
    ),
    "rule code": (lambda d: _rule(d)["customProperties"][0].update(value="odd"), "use one of not_in_list"),
    "rule severity": (lambda d: _rule(d).update(severity="fatal"), "write error or warning"),
    "rule without words": (lambda d: _rule(d)["customProperties"].pop(), "what the department is told"),
    "rule property": (lambda d: _rule(d)["customProperties"].append({"property": "zh", "value": "x"}), "'zh' is not known"),
    "two rules of a name": (lambda d: d["schema"][0]["quality"].append(_rule(d)), "needs a name of its own"),
    "rule called key": (lambda d: _rule(d).update(name="key"), "'key' is taken"),
    "version without date": (lambda d: _top(d, versions=[{"name": "2022"}]), "needs a name and a validFrom"),
    "version of a stranger": (
        lambda d: _top(d, versions=[{"name": "2022", "validFrom": "2022-01-01", "adds": ["colour"]}]),
        "names columns that are not described: colour",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_in_one_sentence(slip: str, tmp_path: Path) -> None:
    document = deepcopy(GOOD)
    change, sentence = SLIPS[slip]
    change(document)
    with pytest.raises(ContractError) as e:
        read_contract(_write(tmp_path, document))
    text = str(e.value)
    assert text.startswith("trial.yaml") and sentence in text and text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("a: [", "is not readable as YAML"), ("- a", "is not a contract; begin it with"), ("", "is not a contract")],
)
def test_not_even_a_contract(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=sentence):
        read_contract(_write(tmp_path, text))


def test_the_folders_of_contracts(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no folder of contracts"):
        load_contracts([tmp_path / "none"])
    with pytest.raises(ContractError, match="holds no contract"):
        load_contracts([tmp_path])
    _write(tmp_path, GOOD)
    assert "trial" in load_contracts([tmp_path])
    assert list(load_contracts([tmp_path], only=["trial"])) == ["trial"]
    _write(tmp_path, GOOD, "again.yaml")
    with pytest.raises(ContractError, match=r"already described by again\.yaml"):
        load_contracts([tmp_path])


def test_the_guide_shows_a_good_contract_and_every_property(root: Path, tmp_path: Path) -> None:
    text = (root / "docs" / "contracts.md").read_text(encoding="utf-8")
    contract = read_contract(_write(tmp_path, text.split("```yaml\n")[1].split("```")[0], "trees.yaml"))
    assert contract.dataset == "trees" and contract.rules[0].code == "date_order"
    for name in (*OF_COLUMN, *OF_DATASET, *OF_RULE, *CODES, *KINDS.values(), "year", "month"):
        assert f"`{name}`" in text or f"property: {name}," in text, f"docs/contracts.md does not explain {name}"


def test_a_reference_into_a_dataset_that_is_not_there(tmp_path: Path) -> None:
    document = deepcopy(GOOD)
    _column(document)["relationships"] = [{"to": "trees.tree_id"}]
    _write(tmp_path, document)
    with pytest.raises(ContractError, match="refers to dataset 'trees', which no contract describes"):
        load_contracts([tmp_path])
    assert load_contracts([tmp_path], only=["trial"])["trial"].references[0].table == "trees"
    _column(document)["relationships"] = [{"to": "pv_sites.height"}]
    _write(tmp_path, document)
    with pytest.raises(ContractError, match="dataset 'pv_sites' keeps no column 'height'"):
        load_contracts([tmp_path])


def test_only_one_register(tmp_path: Path) -> None:
    assert [c.dataset for c in load_contracts().values() if c.register] == ["institutions"]
    document = deepcopy(GOOD)
    _top(document, register=True)
    _write(tmp_path, document)
    with pytest.raises(ContractError, match="'institutions' is the register of institutions already"):
        load_contracts([tmp_path])
