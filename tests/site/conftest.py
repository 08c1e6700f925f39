# ruff: noqa: C408
"""A small made-up home for the site: two releases with the public tables as publish/release writes them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import load_contracts
from publish.catalog.dcat import BASE
from publish.files import CATALOGUE
from publish.release.compress import compress
from publish.release.search_index import build_index
from publish.schema import Table, is_open, public_tables

YEARS = (2021, 2022, 2023, 2024, 2025)
SQL_TYPES = {"text": "text", "integer": "integer", "real": "real", "boolean": "integer", "date": "text"}
FIRST = "2025-12-31-0a1b2c3d"
SECOND = "2026-01-31-4e5f6a7b"

INDICATORS = [
    (
        "energy_tce",
        "能源",
        "综合能耗",
        "Energy use",
        "tce",
        "flow",
        "down",
        3,
        [6310.5, 6190.2, 6044.9, 5951.0, 5822.6],
    ),
    (
        "energy_per_capita",
        "能源",
        "人均综合能耗",
        "Energy use per head",
        "kgce/人",
        "ratio",
        "down",
        4,
        [152.31, 149.2, 146.05, 144.9, 141.77],
    ),
    (
        "disposal_amount",
        "资产",
        "资产处置成交金额",
        "Proceeds of disposals closed",
        "元",
        "flow",
        "up",
        2,
        [None, 1.2e7, 3.4e7, 2.6e7, 4.1e7],
    ),
    (
        "parking_spaces",
        "车辆",
        "错时开放停车位数",
        "Parking spaces opened",
        "个",
        "stock",
        "up",
        0,
        [0, 120, 460, 980, 1210],
    ),
]
CLAIMS = [
    (
        "parking_spaces_opened",
        "五",
        "错时开放停车位",
        "Parking spaces opened",
        "1200余个",
        1200.0,
        "个",
        "more_than",
        1210.0,
        "within_qualifier",
    ),
    ("energy_fall", "四", "人均能耗下降", "Fall of energy per head", "6.9%", 6.9, "%", "exact", 6.92, "match"),
    ("co2", "四", "减排二氧化碳", "CO2 avoided", "18817吨", 18817.0, "t", "exact", 9246.0, "mismatch"),
    ("leading", "一", "率先建成", "First to build", "率先", None, "", "none", None, "not_verifiable"),
    ("canteens", "六", "机关食堂数", "Canteens", "12家", 12.0, "家", "exact", None, "no_data"),
]


def _rows(table: Table, release_id: str, synthetic: bool, scale: float) -> list[dict[str, Any]]:
    if table.name == "indicators":
        return [
            dict(indicator_id=i, theme=t, name_zh=zh, name_en=en, unit=u, kind=k, better=b, decimals=d,
                 home_order={"energy_per_capita": 1, "energy_tce": 2, "disposal_amount": 1}.get(i),
                 definition_zh=f"{zh}：各机构之和。", definition_en=f"{en}: sum over institutions.", formula=f"sum({i})")
            for i, t, zh, en, u, k, b, d, _ in INDICATORS
        ]  # fmt: skip
    if table.name == "indicator_values":
        out = []
        for i, _, _, _, unit, _, _, _, values in INDICATORS:
            for year, value in zip(YEARS, values, strict=True):
                base = dict(
                    indicator_id=i,
                    year=year,
                    unit=unit,
                    synthetic=synthetic,
                    factor_set="default" if "energy" in i else "none",
                    note="",
                )
                scaled = None if value is None else value * scale
                out.append(
                    base
                    | dict(
                        dimension="total",
                        member="all",
                        value=scaled,
                        status="A" if value is not None else "O",
                        records=600,
                        files=120,
                        reporting=46,
                        population=76,
                    )
                )
                for member, share in (("430202", 0.6), ("430203", 0.4)):
                    hidden = member == "430203" and year == 2023
                    out.append(
                        base
                        | dict(
                            dimension="district",
                            member=member,
                            value=None if hidden or value is None else value * share,
                            status="Q" if hidden else "A",
                            records=300,
                            files=60,
                            reporting=None if hidden else 20,
                            population=None if hidden else 30,
                        )
                    )
        return out
    if table.name == "indicators_main":
        names = {i: (zh, en, theme) for i, theme, zh, en, *_ in INDICATORS}
        values = _rows(next(t for t in public_tables({}) if t.name == "indicator_values"), release_id, synthetic, scale)
        return [
            v | dict(zip(("name_zh", "name_en", "theme"), names[v["indicator_id"]], strict=True), dimension_zh="合计", dimension_en="Total",
                     member_zh="合计", member_en="Total") for v in values
        ]  # fmt: skip
    if table.name == "claims":
        return [
            dict(claim_id=c, section=s, name_zh=zh, name_en=en, value_text=text, value=v, unit=u, qualifier=q, period="2021-2025",
                 computed_value=got, difference=None if got is None or v is None else got - v, check_status=status,
                 evidence="synthetic" if synthetic else "records", explanation_zh=f"{zh}按明细核算。", explanation_en="Computed from records.",
                 sql="select value from indicator_values where indicator_id = 'parking_spaces' and year = 2025 and dimension = 'total'")
            for c, s, zh, en, text, v, u, q, got, status in CLAIMS
        ]  # fmt: skip
    if table.name == "releases":
        return [dict(release_id=release_id, as_of=release_id[:10], code_version="0.1.0", synthetic=synthetic, publisher="示例市机关事务管理局",
                     license="注明来源即可免费使用")]  # fmt: skip
    if table.name == "datasets":
        return [dict(dataset=c.dataset, title_zh=c.title_zh, title_en=c.title_en, theme=c.theme, grain=c.grain, frequency=c.frequency,
                     opening=c.opening, description=c.description, description_en=c.description_en, rows=40, published=is_open(c)) for c in load_contracts().values()]  # fmt: skip
    if table.name == "dataset_columns":
        return [dict(dataset=c.dataset, position=n, column=f.name, header_zh=f.header_zh, title_en=f.title_en, type=f.kind, unit=f.unit,
                     access=f.access, description=f.description, description_en=f.description_en, allowed="|".join(f.values)) for c in load_contracts().values() for n, f in enumerate(c.columns)]  # fmt: skip
    if table.name == "divisions":
        return [
            dict(code="430202", name_zh="荷塘区", tile_column=2, tile_row=1),
            dict(code="430203", name_zh="芦淞区", tile_column=1, tile_row=1),
        ]
    if table.name == "factors":
        return [dict(factor_id="tce-electricity-equivalent", carrier="electricity", metric="kgce", value=0.1229, per_unit="kWh",
                     source="GB/T 2589-2020", source_zh="GB/T 2589-2020 附录A", confidence="high")]  # fmt: skip
    if table.name == "provenance":
        return [dict(kind="sheet", dataset="energy_use", file=hashlib.sha256(str(y).encode()).hexdigest(), year=y,
                     indicators='{"energy_tce":600}') for y in YEARS] + [
                dict(kind="sheet", dataset="parking_lots", file="示例0", sheet="示例0", year=y, records=1, sheet_rows="[[2020,2020]]",
                     indicators='{"parking_spaces":1}') for y in YEARS] + [
                dict(dataset="parking_lots", file="示例0", sheet="示例0", column="spaces", letter="D", kind="column")]  # fmt: skip
    if table.name == "benchmarks":
        return [dict(benchmark_id="cn", name_zh="全国人均综合能耗", name_en="Energy per head, country", year=2020, value=329.56, unit="kgce/人",
                     source="national plan", source_zh="全国规划", indicator_id="energy_per_capita", comparison="average", dimension="total", member="all")]  # fmt: skip
    if table.name == "coverage":
        return [
            dict(dataset="energy_use", period=f"{y}-{m:02}", institutions=20 + m, expected=40)
            for y in YEARS
            for m in range(1, 13)
        ]
    if table.name == "savings_statement":
        return [
            dict(line="1", nature="once", name_zh="资产处置成交金额", name_en="Sale proceeds", year=y, whole_period=False, value=v, unit="元", status=s,
                 indicator_id="disposal_amount", dimension="total", member="all", factor_set="none", explanation_zh="卖出的价款。",
                 explanation_en="The price of what was sold.", synthetic=synthetic) for y, v, s in ((2024, 2.6e7, "A"), (2025, None, "Q"))
        ]  # fmt: skip
    if table.name == "benchmark_distances":
        return [
            dict(benchmark_id="cn", comparison="average", year=y, indicator_id="energy_per_capita", dimension="total", member="all",
                 factor_set="default", value=v, benchmark_value=329.56, benchmark_year=2020, unit="kgce/人", difference=round(v - 329.56, 4),
                 percent=round((v / 329.56 - 1) * 100, 2), status="A", synthetic=synthetic) for y, v in ((2024, 320.0), (2025, 310.0))
        ]  # fmt: skip
    if table.name == "punctuality":
        return [
            dict(dataset="energy_use", period=f"2025-{m:02}", due_on=f"2025-{m + 1:02}-28", submissions=40, on_time=36)
            for m in (1, 2)
        ]
    if table.name == "task_counts":
        return [
            dict(dataset="energy_use", month="2025-12", state=s, tasks=n)
            for s, n in (("交办", 3), ("反馈", 2), ("督办", 1), ("销号", 9))
        ]
    if table.name == "data_issues":
        return [dict(dataset="energy_use", code=c, severity="error", responsibility="department", status="open", issues=n, files=1, synthetic=synthetic)
                for c, n in (("missing_required", 7), ("out_of_range", 2))]  # fmt: skip
    if table.name == "findings":
        return [dict(dataset="parking_lots", period="2025", kind="slips", column="spaces", findings=2, file="示例0", sheet="示例0", sheet_row=2020,
                     synthetic=synthetic, sentence_zh="有 2 个车位约为自己其他年份的十倍或更多。",
                     sentence_en="Figures of spaces that are some ten times those of other years: 2.")]  # fmt: skip
    if table.name == "submissions":
        return [dict(dataset="energy_use", period="2025", submitter=None, status=s, files=9, rows_read=99, rows_accepted=90, rows_quarantined=3,
                     rows_explained=6, synthetic=synthetic) for s in ("accepted", "partial")]  # fmt: skip
    if table.dataset:
        made = {"text": "示例{n}", "integer": 2020, "real": 12.5, "boolean": 0, "date": "2024-05-06"}
        return [
            {f.name: (made[f.type].format(n=n) if f.type == "text" else made[f.type] + (n if f.type in ("integer", "real") else 0)
                      if f.type != "date" else made[f.type]) for f in table.fields}
            for n in range(40)
        ]  # fmt: skip
    return []


def build_release(
    home: Path, release_id: str, synthetic: bool = True, scale: float = 1.0, city: dict[str, Any] | None = None
) -> Path:
    """A release folder in `home` with every public table; `scale` changes the yearly totals, `city` is what release.json
    says of it. `current` is left alone."""
    folder = home / "releases" / release_id
    for name in ("csv", "csv-plain"):
        (folder / name).mkdir(parents=True)
    conn = sqlite3.connect(folder / "mingzhang.db")
    for t in public_tables(load_contracts()):
        columns = ", ".join(f'"{f.name}" {SQL_TYPES[f.type]}' for f in t.fields)
        key = f", primary key ({', '.join(t.key)})" if t.key else ""
        conn.execute(f'create table "{t.name}" ({columns}{key})')
        names = ", ".join(f'"{f.name}"' for f in t.fields)
        for row in _rows(t, release_id, synthetic, scale):
            marks = ", ".join("?" for _ in t.fields)
            conn.execute(f'insert into "{t.name}" ({names}) values ({marks})', [row.get(f.name) for f in t.fields])
    conn.commit()
    conn.close()
    build_index(folder / "mingzhang.db", folder / "search.db")
    (folder / "changes.json").write_text(
        json.dumps(
            {"previous": None, "tables": {}, "indicator_values_changed": 0, "indicator_values": [], "claims": []}
        ),
        encoding="utf-8",
    )
    (folder / "csv" / "parking_lots.csv").write_text("﻿停车场,车位\n示例,12\n", encoding="utf-8")
    rows = "".join(f"示例{n},12.0\r\n" for n in range(2000))
    (folder / "csv-plain" / "parking_lots.csv").write_bytes(f"lot,spaces\r\n{rows}".encode())
    context = {"@base": BASE, "dcat": "http://www.w3.org/ns/dcat#"}
    catalogue = {"@context": context, "@id": "urn:x", "dcat:downloadURL": {"@id": "csv-plain/parking_lots.csv"}}
    (folder / CATALOGUE).write_text(json.dumps(catalogue), encoding="utf-8")
    about: dict[str, Any] = {"code_version": "0.1.0", "inputs": []}
    about |= {"city": city} if city else {}
    (folder / "release.json").write_text(json.dumps(about), encoding="utf-8")
    compress(folder, None)
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    sums = "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder)}\n" for p in files)
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return folder


def point_current(home: Path, release_id: str) -> None:
    """Switches `current` as publish/release does: a link beside it, then a rename."""
    part = home / ".current.part"
    part.unlink(missing_ok=True)
    part.symlink_to(Path("releases") / release_id)
    part.replace(home / "current")


@pytest.fixture(scope="session")
def make_release() -> Callable[..., Path]:
    return build_release


@pytest.fixture(scope="session")
def switch() -> Callable[[Path, str], None]:
    return point_current


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one made-up release in force. Shared: a test that switches makes its own."""
    home = tmp_path_factory.mktemp("home")
    build_release(home, FIRST)
    point_current(home, FIRST)
    return home
