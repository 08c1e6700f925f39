"""The form: what it asks for, what it forbids, and that one filled in reads back without an issue."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import Contract, Contracts, header_key, load_contracts, read_contract
from pipelines.core.home import Home
from pipelines.feedback.annotate import HEADINGS
from pipelines.feedback.form import (
    HEADER_ROW,
    ID_PROPERTY,
    SHEET_OF_LISTS,
    SHEET_OF_NOTES,
    SUBMITTER_CELL,
    form_columns,
    header_text,
    write_form,
)
from pipelines.intake.file_reader import read_file
from pipelines.intake.readings import from_file_readings
from pipelines.records.build import build
from pipelines.sample.datasets import GENERATORS
from pipelines.sample.make import SHAPE, read_shape
from pipelines.sample.world import World
from tests.feedback import filling

CONTRACTS = load_contracts()
EVERY = [pytest.param(c, id=c.dataset) for c in CONTRACTS.values()]

ODD = """
apiVersion: v3.1.0
kind: DataContract
id: odd
name: Odd
version: 1.0.0
status: active
description: {purpose: 每行一项。}
schema:
- name: odd
  businessName: 杂项登记
  physicalType: table
  properties:
  - {name: odd_id, businessName: 登记号, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true, classification: L0}
  - name: parts
    businessName: 分项
    logicalType: string
    classification: L0
    quality:
    - {metric: invalidValues, arguments: {validValues: [供水, 供电, 供气], several: true}, mustBe: 0}
  - name: rank
    businessName: 职务层级
    logicalType: string
    required: true
    classification: L1
    quality:
    - metric: invalidValues
      arguments:
        validValues: [LONG]
      mustBe: 0
  - name: share
    businessName: 占比
    logicalType: number
    classification: L0
    logicalTypeOptions: {minimum: 0, maximum: 100}
    customProperties:
    - {property: unit, value: "%"}
  - {name: room, businessName: 房号, logicalType: string, classification: L2}
  - {name: keeper, businessName: 保管人, logicalType: string, classification: L3}
  - name: counted
    businessName: 盘点件数
    logicalType: integer
    classification: L0
    logicalTypeOptions: {minimum: 1, maximum: 3}
  - name: half
    businessName: 折扣
    logicalType: number
    classification: L0
    logicalTypeOptions: {exclusiveMinimum: 0, maximum: 1}
  - {name: later, businessName: 后加的列, logicalType: date, classification: L0}
  - {name: gone, businessName: 取消的列, logicalType: date, classification: L0}
customProperties:
- {property: opening, value: open}
- property: versions
  value:
  - {name: "2022", validFrom: '2022-06-01', adds: [later]}
  - {name: "2024", validFrom: '2024-01-01', drops: [gone]}
""".replace("LONG", ", ".join(f"第{n}职务层级的正职或者相当于正职的人员" for n in range(1, 31)))


@pytest.fixture
def odd(tmp_path: Path) -> Contract:
    """A contract with what the committed five do not have: versions, several of a list, a list over 255 characters."""
    path = tmp_path / "odd.yaml"
    path.write_text(ODD, encoding="utf-8")
    return read_contract(path)


@pytest.mark.parametrize("contract", EVERY)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_form_filled_in_reads_back_without_an_issue(contract: Contract, data: st.DataObject, tmp_path: Path) -> None:
    rows = data.draw(filling.rows(contract))
    year = data.draw(st.sampled_from([None, filling.YEAR]))
    _reads_back(contract, rows, year, tmp_path / "报送.xlsx", CONTRACTS)


def test_thirty_forms_filled_in_pass_every_check(tmp_path: Path, root: Path) -> None:
    world = World(CONTRACTS, read_shape(SHAPE), 1, 8, (filling.YEAR,))
    referred = {"institutions", *(r.table for c in CONTRACTS.values() for r in c.references)}
    readings = []
    for dataset, contract in CONTRACTS.items():
        drafts = [d for d in GENERATORS[dataset](world) if d.year == filling.YEAR]
        rows = [x.values for d in drafts for x in d.rows if not (x.bad or x.extra or x.warned)]
        if contract.key:
            rows = list({tuple(r.get(k) for k in contract.key): r for r in rows}.values())
        if dataset not in referred:
            rows = rows[:5]
        if dataset == "vehicles":  # too many are renewed in one year, which a reason explains
            rows = [r | {"exception_reason": "经批准更新"} for r in rows]
        assert rows, dataset
        path = tmp_path / f"{dataset}.xlsx"
        write_form(contract, path, filling.YEAR)
        filling.fill(path, contract, [_written(contract, r) for r in rows])
        readings.append(read_file(path, path.name, CONTRACTS))
    home = Home(tmp_path / "home").create()
    summary = build(from_file_readings(readings, CONTRACTS), CONTRACTS, home, root / "cities" / "zhuzhou")
    issues = pd.read_parquet(home.table("intake", "issues"))
    assert issues[["file_id", "row", "column", "code", "message_zh"]].to_numpy().tolist() == []
    assert min(summary.records.values()) > 0 and summary.rows["quarantined"] == 0


def _written(contract: Contract, values: dict[str, Any]) -> dict[str, Any]:
    """A row as a clerk writes it into the form."""
    out: dict[str, Any] = {}
    for c in form_columns(contract, filling.YEAR):
        v = values.get(c.name)
        out[c.name] = ("是" if v else "否") if isinstance(v, bool) else float(v) if isinstance(v, Decimal) else v
    return out


def test_the_odd_form_reads_back_as_well(odd: Contract, tmp_path: Path) -> None:
    row = {
        "odd_id": "甲-01", "parts": "供水、供气", "rank": odd.column("rank").values[-1], "share": 7.5, "room": "A座301",
        "counted": 3, "half": 0.5, "later": None, "gone": None,
    }  # fmt: skip
    _reads_back(odd, [row], filling.YEAR, tmp_path / "报送.xlsx", Contracts([*CONTRACTS.values(), odd]))


def _reads_back(
    contract: Contract, rows: list[dict[str, object]], year: int | None, path: Path, contracts: Contracts
) -> None:
    write_form(contract, path, year)
    filling.fill(path, contract, rows)
    got = read_file(path, path.name, contracts)
    assert got.issues == [] and [i for s in got.sheets for i in s.issues] == []
    assert got.status == "accepted"
    [sheet] = [s for s in got.sheets if s.dataset is not None]
    assert (sheet.dataset, sheet.submitter, len(sheet.rows)) == (contract.dataset, filling.ORGANISATION, len(rows))
    for c in form_columns(contract, filling.YEAR):
        for want, have in zip((r[c.name] for r in rows), sheet.values[c.name], strict=True):
            if want is None and c.stated:
                continue  # what the heading states stands for an empty cell
            assert have == ((want == "是") if c.kind == "boolean" and want is not None else want), c.name


def test_a_form_filled_in_badly_does_give_an_issue(tmp_path: Path) -> None:
    contract = CONTRACTS["parking_lots"]
    path = tmp_path / "报送.xlsx"
    write_form(contract, path)
    row = dict.fromkeys((c.name for c in form_columns(contract)), None)
    filling.fill(path, contract, [row | {"org_name": "甲", "lot_name": "乙", "spaces": "很多", "open": "是"}])
    got = read_file(path, path.name, CONTRACTS)
    assert [i.code for s in got.sheets for i in s.issues] == ["bad_type"]


@pytest.mark.parametrize("contract", EVERY)
def test_the_form_of_every_contract_has_what_a_clerk_needs(contract: Contract, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(contract, path, 2025)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = form_columns(contract, 2025)
    headers = [c.value for c in sheet[HEADER_ROW]][: len(columns)]
    assert headers == [header_text(c) for c in columns]
    assert not any(c.access == "L3" for c in columns)
    assert not any(c.header_zh in str(h) for c in contract.columns if c.access == "L3" for h in headers)
    assert all(f"（{c.unit}）" in h for c, h in zip(columns, headers, strict=True) if c.unit)
    assert sheet["A2"].value == "填报单位：" and sheet["C2"].value == "年度：" and sheet["D2"].value == 2025
    assert sheet.freeze_panes == f"A{HEADER_ROW + 1}"
    # The headers cannot be written over, the cells below them can.
    assert sheet.protection.sheet
    assert all(sheet.cell(HEADER_ROW, i + 1).protection.locked for i in range(len(columns)))
    assert all(not sheet.column_dimensions[chr(65 + i)].protection.locked for i in range(min(len(columns), 26)))
    assert not sheet[SUBMITTER_CELL].protection.locked
    rules = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}
    for i, c in enumerate(columns):
        rule = rules[f"{openpyxl.utils.get_column_letter(i + 1)}{HEADER_ROW + 1}"]
        assert rule.prompt and len(rule.prompt) <= 255 and len(rule.promptTitle) <= 32
        assert sheet.cell(HEADER_ROW, i + 1).comment.text.startswith("必填" if c.required else "选填")
        if rule.type is not None:
            assert rule.error and len(rule.error) <= 255
        if c.kind == "boolean" or (c.values and not c.subset):
            assert rule.type == "list"
            options = [x[0].value for x in book[SHEET_OF_LISTS][rule.formula1.split("!")[1].replace("$", "")]]
            assert tuple(options) == (("是", "否") if c.kind == "boolean" else c.values)
        if c.kind in ("decimal", "integer", "year", "date", "month"):
            assert rule.type == {"decimal": "decimal", "date": "date", "month": "custom"}.get(c.kind, "whole")
    assert SHEET_OF_NOTES in book.sheetnames


def test_the_id_of_the_dataset_is_hidden_in_three_places(tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(CONTRACTS["disposals"], path)
    book = openpyxl.load_workbook(path)
    assert {p.name: p.value for p in book.custom_doc_props.props} == {ID_PROPERTY: "disposals"}
    assert book.defined_names[ID_PROPERTY].attr_text == f"'{SHEET_OF_LISTS}'!$A$1"
    assert book[SHEET_OF_LISTS]["A1"].value == "disposals"
    assert book[SHEET_OF_LISTS].sheet_state == "veryHidden"


def test_a_form_has_the_columns_of_its_year(odd: Contract) -> None:
    def names(year: int | None) -> set[str]:
        return {c.name for c in form_columns(odd, year)} & {"later", "gone"}

    assert names(2021) == {"gone"}
    assert names(2022) == {"gone", "later"}
    assert names(2024) == {"later"}
    assert names(None) == {"later"}


def test_the_energy_form_of_each_year_is_its_version() -> None:
    energy = load_contracts(only=["energy_use"])["energy_use"]
    assert [(v.name, v.valid_from) for v in energy.versions] == [("2022-09", "2022-09-01"), ("2025-11", "2025-11-10")]
    late = {"pv_generation", "uscc"}
    assert {y: late & {c.name for c in form_columns(energy, y)} for y in (2021, 2022, 2026)} == {
        2021: set(),
        2022: late,
        2026: late,
    }


def test_bounds_become_rules_of_the_cells(odd: Contract, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    write_form(odd, path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    by_header = {sheet.cell(HEADER_ROW, i).value: i for i in range(1, 20)}
    rules = {str(v.sqref).split(":")[0]: v for v in sheet.data_validations.dataValidation}

    def rule(header: str) -> tuple[object, ...]:
        v = rules[f"{openpyxl.utils.get_column_letter(by_header[header])}{HEADER_ROW + 1}"]
        return (v.type, v.operator or "between", v.formula1, v.formula2)

    assert rule("占比（%）") == ("decimal", "between", "0", "100")
    assert rule("盘点件数") == ("whole", "between", "1", "3")
    assert rule("折扣") == ("decimal", "between", "0", "1")
    assert rule("分项")[0] is None  # a drop-down would allow one only


def test_our_own_headings_are_no_header_of_any_dataset() -> None:
    known = {header_key(h) for c in CONTRACTS.values() for col in c.columns for h in col.headers}
    ours = {header_key(h) for h in (*HEADINGS, "表头写作", "填不填", "怎么填", "样子")}
    assert "单位名称" in known
    assert not ours & known


def test_the_same_contract_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_form(CONTRACTS["energy_use"], tmp_path / name, 2025)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_form(CONTRACTS["energy_use"], tmp_path / "none" / "form.xlsx")
