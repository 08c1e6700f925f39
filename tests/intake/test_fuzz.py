"""Whatever comes, the result is rows or an issue, and every row is accounted for."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader
from pipelines.intake.messages import CODES
from pipelines.intake.model import FileReading
from tests.intake.cases import CASES, HEAD, TWO
from tests.intake.make import text, xlsx

CONTRACTS = load_contracts()
READER = FileReader(CONTRACTS)  # what it read before changes nothing: test_golden.py
HEADERS = sorted({h for c in CONTRACTS.values() for col in c.columns for h in col.headers})
WORDS = [
    *HEADERS, "合计", "小计", "总 计", "其中：", "注：见附件", "填表人：", "续表", "一、市直", "单位：万元", "填报单位：甲示范局", "2021年度",
    "万元", "同上", "〃", "—", "是", "否", "2021-01", "1月", "约5", "3万", "甲示范局", "拍卖", "房屋", "合成示例数据", "12.5", "\x00", "=1+1",
]  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.just(""),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-100, 50000),
    st.booleans(),
    st.dates(dt.date(1905, 1, 1), dt.date(2100, 1, 1)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6),
)
ROWS = st.lists(st.lists(CELLS, max_size=9), max_size=12)


def check(r: FileReading) -> None:
    assert r.status in ("accepted", "partial", "rejected")
    issues = r.issues + [i for s in r.sheets for i in s.issues]
    assert {i.code for i in issues} <= set(CODES)
    if r.status == "rejected":
        assert r.reason in CODES
        assert any(i.code == r.reason for i in issues), "a rejected file says why"
    for s in r.sheets:
        assert s.rows_read == len(s.rows) + s.refused + s.rows_explained
        assert s.rows_explained >= 0
        assert s.rows == sorted(set(s.rows))
        for name, values in s.values.items():
            assert len(values) == len(s.rows), name
        for i in s.issues:
            assert i.message_zh
            assert "{" not in i.message_zh + i.message_en or "{" in (i.raw_value or "") + i.message_zh
        if s.dataset and s.status != "rejected":
            contract = CONTRACTS[s.dataset]
            assert set(s.values) == {c.name for c in contract.kept}
            for c in contract.kept:
                kinds = {"decimal": float, "integer": int, "year": int, "boolean": bool, "date": dt.date}
                want = kinds.get(c.kind, str)
                assert all(v is None or type(v) is want for v in s.values[c.name]), (c.name, s.values[c.name])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.booleans())
def test_any_rows_at_all(rows: list[list[Any]], under_a_header: bool) -> None:
    whole = [*([HEAD] if under_a_header else []), *rows]
    check(READER.read(xlsx(("Sheet1", whole)), "x.xlsx"))
    check(READER.read(text(whole), "x.csv"))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.integers(0, 2**32))
def test_damaged_files(name: str, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(CASES[name]())
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randrange(1, 200)]
            case 2:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 50)))
            case 3:
                data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"PK\x05\x06", b"\n\n\n\n"])
        if not data:
            break
    # An .xls may make calamine allocate without end, which only a child process outlives (test_pool.py).
    if data[:4] != b"\xd0\xcf\x11\xe0":
        check(READER.read(bytes(data), "x"))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"<html><table>", b"<?xml version='1.0'?>", b"\xff\xfe", b"\xef\xbb\xbf"]),
)
def test_any_bytes_at_all(data: bytes, start: bytes) -> None:
    check(READER.read(start + data, "x"))


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(range(5)),
    st.lists(st.sampled_from(["合计", "小 计", "注：无", "", "填表人：某某", "其中：一部"]), max_size=3),
    st.integers(0, 3),
    st.sampled_from(["{}", " {} ", "*{}", "{}\n", "1.{}", "{}　"]),
)
def test_order_of_columns_totals_and_dressing_change_nothing(
    order: list[int], extra: list[str], lead: int, dress: str
) -> None:
    rows: list[list[Any]] = [[] for _ in range(lead)]
    rows.append([dress.format(HEAD[k]) for k in order])
    rows += [[r[k] for k in order] for r in TWO]
    rows += [[e, "", "", "", ""] for e in extra]
    (s,) = READER.read(xlsx(("Sheet1", rows)), "x").sheets
    (plain,) = READER.read(CASES["plain"](), "x").sheets
    assert s.values == plain.values
    assert s.rows == [lead + 2, lead + 3]
