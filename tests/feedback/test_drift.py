"""The report of headers that no alias knows."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from expectations.contract import Contracts, load_contracts, read_contract
from pipelines.core.home import Home
from pipelines.feedback.drift import NewHeader, drift, write_drift
from pipelines.intake.file_reader import read_file
from pipelines.intake.readings import from_file_readings
from pipelines.records.build import build
from pipelines.records.tables import INTAKE, write
from pipelines.sources.archive import store

CONTRACTS = load_contracts(only=["energy_use", "parking_lots"])
DRIFTED = """能源资源消费状况
填报单位：甲局
单位名称,月份,用电总量（万千瓦时）,用水量（吨）,充电桩数,联络微信
甲局,2025-01,1.2,30,4,secret-one
甲局,2025-02,1.3,31,4,secret-two
"""
PLAIN = """能源资源消费状况
单位名称,月份,用电量（kWh）,用水量（吨）
乙局,2025-01,12,30
"""


def city(root: Path, contracts: Contracts, **files: str) -> Home:
    home = Home(root).create()
    readings = []
    for name, text in files.items():
        data = text.encode()
        file_id = store(home, data)
        path = home.archive / file_id[:2] / file_id
        readings.append(read_file(path, f"{name}.csv", contracts, file_id))
    build(from_file_readings(readings, contracts), contracts, home)
    return home


def table(home: Home, name: str) -> pd.DataFrame:
    return pd.read_parquet(home.table("intake", name))


def headers(home: Home) -> dict[str, NewHeader]:
    found = drift(table(home, "files"), table(home, "columns"), CONTRACTS)
    return {h.header: h for r in found.values() for h in r.headers}


def test_new_headers_are_set_beside_what_is_missing(tmp_path: Path) -> None:
    home = city(tmp_path, CONTRACTS, drifted=DRIFTED, plain=PLAIN)
    assert write_drift(home, CONTRACTS) == ["energy_use"]
    report = json.loads((home.feedback / "_drift/energy_use.json").read_text(encoding="utf-8"))
    by_header = {h["header"]: h for h in report["headers"]}
    assert by_header["用电总量（万千瓦时）"]["suggested"] == "electricity"
    assert by_header["用电总量（万千瓦时）"]["yaml"].endswith("用电总量]}")
    assert by_header["充电桩数"]["suggested"] is None and "businessName: 充电桩数" in by_header["充电桩数"]["yaml"]
    assert ["electricity", 1] in report["missing"] and not any(c == "water" for c, _ in report["missing"])
    assert report["files"] == 1
    text = (home.feedback / "_drift/energy_use.md").read_text(encoding="utf-8")
    assert "| 用电总量（万千瓦时） → 用电量 (`electricity`" in text and "充电桩数 |" in text
    assert "用电量 (`electricity`, 必填 required) × 1" in text
    assert "secret" not in text and "secret" not in json.dumps(report)


STRANGE = """某统计表
填报部门名,所属期,电用了多少（度）,水用了多少,用水量（吨）,用电费用
甲局,2025-01,12,30,4,7
"""


def test_a_file_of_no_dataset_is_in_the_report_of_the_nearest(tmp_path: Path) -> None:
    home = city(tmp_path, CONTRACTS, strange=STRANGE)
    assert table(home, "files")["reason"].tolist() == ["unknown_dataset"]
    [told] = table(home, "issues")["message_zh"]
    assert "最接近“能源资源消费状况”" in told and "“用电量”" in told
    assert write_drift(home, CONTRACTS) == ["energy_use"]
    report = json.loads((home.feedback / "_drift/energy_use.json").read_text(encoding="utf-8"))
    assert report["unrecognised"] == 1
    assert {h["header"] for h in report["headers"]} == {"填报部门名", "电用了多少（度）", "水用了多少"}
    assert {h["header"]: h["suggested"] for h in report["headers"]}["电用了多少（度）"] == "electricity"
    assert "没有认出" in (home.feedback / "_drift/energy_use.md").read_text(encoding="utf-8")


def test_accepting_a_suggestion_is_one_line_of_the_contract(tmp_path: Path) -> None:
    home = city(tmp_path / "home", CONTRACTS, drifted=DRIFTED)
    line = headers(home)["用电总量（万千瓦时）"].yaml
    text = CONTRACTS["energy_use"].path.read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    column = next(p for p in raw["schema"][0]["properties"] if p["name"] == "electricity")
    [new] = yaml.safe_load(line)
    column["customProperties"] = [p for p in column["customProperties"] if p["property"] != "aliases"] + [new]
    path = tmp_path / "energy_use.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    accepted = Contracts([read_contract(path)])
    assert accepted.digest != Contracts([CONTRACTS["energy_use"]]).digest  # so the files are read again
    source = tmp_path / "again.csv"
    source.write_text(DRIFTED, encoding="utf-8")
    [sheet] = read_file(source, "again.csv", accepted).sheets
    assert sheet.values["electricity"] == [12000.0, 13000.0]


def test_a_settled_report_is_taken_away(tmp_path: Path) -> None:
    home = city(tmp_path, CONTRACTS, drifted=DRIFTED)
    write_drift(home, CONTRACTS)
    files = table(home, "files")
    files["status"] = "superseded"
    write(home.table("intake", "files"), files, INTAKE["files"])
    assert write_drift(home, CONTRACTS) == []
    assert list((home.feedback / "_drift").iterdir()) == []


def test_without_a_new_header_there_is_no_report(tmp_path: Path) -> None:
    home = city(tmp_path, CONTRACTS, plain=PLAIN)
    assert write_drift(home, CONTRACTS) == []
    assert not (home.feedback / "_drift").exists()


COLUMNS = ["file_id", "sheet", "dataset", "column", "header", "letter", "unit", "first_row", "last_row"]
KNOWN = [("org_name", "单位名称", "A"), ("lot_name", "停车场名称", "B"), ("open", "是否开放", "D")]


def made(header: str, letter: str, unit: str | None = None) -> pd.DataFrame:
    rows = [("f", "S", "parking_lots", c, h, x, None, 2, 4) for c, h, x in KNOWN]
    return pd.DataFrame([*rows, ("f", "S", "parking_lots", None, header, letter, unit, 2, 4)], columns=COLUMNS)


FILES = pd.DataFrame({"file_id": ["f"], "name": ["停车.xlsx"], "status": ["partial"]})


@pytest.mark.parametrize(
    ("header", "cells", "suggested"),
    [
        ("可停车位数", [12, 30], "spaces"),  # by its name
        ("可停车位数（㎡）", [12, 30], None),  # a unit that the column does not know
        ("节假日是否开放", ["是", "否"], "weekend"),  # the likelier of two
        ("备注", ["甲", "乙"], None),
        ("泊位", [12, 30], "spaces"),  # no letter alike: the place and the values say so
    ],
)
def test_name_unit_place_and_values_count(header: str, cells: list[object], suggested: str | None) -> None:
    [report] = drift(FILES, made(header, "C"), CONTRACTS, lambda places: dict.fromkeys(places, cells)).values()
    assert report.headers[0].suggested == suggested, report.headers[0]


def test_a_column_that_the_sheet_has_is_never_suggested() -> None:
    [report] = drift(FILES, made("停车场名", "E"), CONTRACTS).values()
    assert report.headers[0].suggested is None


def test_a_header_cannot_break_out_of_the_report(tmp_path: Path) -> None:
    evil = "a|b<script>`x`\n# y"
    [report] = drift(FILES, made(evil, "C"), CONTRACTS).values()
    from pipelines.feedback.drift import markdown

    text = markdown(report, CONTRACTS["parking_lots"])
    assert "<script>" not in text.split("```yaml")[0] and "\n# y" not in text
    assert yaml.safe_load(report.headers[0].yaml)[0]["businessName"] == "a|b<script>`x` # y"


def test_a_counter_is_no_news(tmp_path: Path) -> None:
    counted = PLAIN.replace("单位名称,", "序号,单位名称,").replace("乙局,", "1,乙局,")
    assert write_drift(city(tmp_path, CONTRACTS, counted=counted), CONTRACTS) == []


def test_the_cells_of_all_datasets_are_asked_for_at_once(tmp_path: Path) -> None:
    lots = "停车场开放情况\n单位名称,停车场名称,开放车位数,是否开放,闸机品牌\n甲局,东院,5,是,某牌\n"
    home = city(tmp_path, CONTRACTS, drifted=DRIFTED, lots=lots)
    asked: list[int] = []

    def cells(places: list[tuple[str, str, str, int, int]]) -> dict[tuple[str, str, str, int, int], list[object]]:
        asked.append(len(places))
        return {}

    found = drift(table(home, "files"), table(home, "columns"), CONTRACTS, cells)
    assert sorted(found) == ["energy_use", "parking_lots"]
    assert asked == [4]
