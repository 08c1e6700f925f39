"""Files as a department might send them, of which each code of the platform comes once at least."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import msoffcrypto.format.ooxml as ooxml
import pandas as pd
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.intake import file_reader as reader
from pipelines.intake.file_reader import read_file
from pipelines.intake.messages import CODES
from pipelines.intake.readings import from_file_readings
from pipelines.records.build import build
from tests.intake.cases import CASES
from tests.intake.make import xml2003
from tests.records.making import uscc

REGISTER = f"""单位名称,统一社会信用代码,年度,单位性质,行政层级,行政区划代码,用能人数,建筑面积（㎡）,是否涉密单位
市示范局001,{uscc(1)},2021,党政机关,市,430200,100,5000,否
市示范局002,{uscc(2)},2021,党政机关,市,430200,100,5000,否
市示范局003,91350100M000100Y4Z,2021,党政机关,市,430200,100,5000,否
市示范局004,{uscc(4)},2021,党政机关,市,430200,100,5000,是
"""
ENERGY = """单位名称,月份,用电量（千瓦时）,用水量（立方米）,电费（元）,食堂桌数
市示范局001,2021-01,1000,20,600,3
市示范局001,2021-02,两个,20,600,3
市示范局001,2021-03,1000,,600,3
市示范局001,2021-04,-5,20,600,3
市示范局001,2021-05,约1000,20,600,3
市示范局001,2021-05,1100,20,600,3
无此示范局,2021-06,1000,20,600,3
合计,,1000,999,600,
"""
DISPOSALS = """处置编号,单位名称,处置方式,面积类别,面积（㎡）,批准日期,挂牌日期,成交价（元）,上缴国库（元）,状态
D1,市示范局001,送人,土地,100,2021-01-05,2021-02-05,10,5,已成交
D2,市示范局001,拍卖,土地,100,2021-03-05,2021-02-05,10,5,已成交
D3,市示范局001,拍卖,土地,100,2021-01-05,2021-02-05,10,50,已成交
"""
PARKING = "单位名称,停车场名称,车位数,是否开放\n市示范局001,东院,10,是\n"
LOCKED = io.BytesIO()
ooxml.OOXMLFile(io.BytesIO(CASES["plain"]())).encrypt("secret", LOCKED)
SENT: dict[str, bytes] = {
    "名录.csv": REGISTER.encode(),
    "能源.csv": ENERGY.encode(),
    "处置.csv": DISPOSALS.encode(),
    "车场.csv": PARKING.encode(),
    "缺列.csv": "能源资源消费状况\n单位名称,月份,用电量,电费\n市示范局001,2021-01,1,2\n".encode(),
    "别的.csv": "甲,乙,丙\n1,2,3\n".encode(),
    "坏的.xlsx": b"PK\x03\x04" + b"?" * 100,
    "锁着.xlsx": LOCKED.getvalue(),
    "文档类型.xls": xml2003("a", [["1"]], "<!DOCTYPE x [<!ELEMENT x ANY>]>"),
    "空的.csv": b"",
    "太大.csv": b"a,b\n" * 20_000,
}


def test_each_code_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = load_contracts(only=["disposals", "energy_use", "institutions", "parking_lots"])
    twin = replace(some["parking_lots"], dataset="parking_twins", title_zh="另一种表")
    contracts = Contracts([*some.values(), twin])
    monkeypatch.setattr(reader, "LARGEST_FILE", 50_000)
    readings = []
    for name, data in SENT.items():
        path = tmp_path / name
        path.write_bytes(data)
        readings.append(read_file(path, name, contracts, hashlib.sha256(data).hexdigest()))
    home = Home(tmp_path / "home").create()
    build(from_file_readings(readings, contracts), contracts, home)
    found = pd.read_parquet(home.table("intake", "issues"))
    assert sorted(set(CODES) - set(found["code"])) == []
    assert found["message_zh"].str.len().min() > 5
