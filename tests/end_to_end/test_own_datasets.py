"""Somebody's own dataset is a contract and nothing else: records, checks, a form, a public table and a page.

Three real files whose makers' control totals are known; their contracts are the tests', the data is not.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.conftest import ROOT, mingzhang

pytestmark = [pytest.mark.slow, pytest.mark.realdata]
CONTRACTS = ROOT / "tests" / "intake" / "contracts"
TRUTHS = {
    "provincial_budget": ("cn_budget_2021_xls", {}, 100_000_000),
    "city_electricity": ("cn_xiamen_electricity_xlsx", {}, 1),
    "building_energy": (
        "us_chicago_energy_csv",
        {"Electricity Use (kBtu)": "electricity", "Natural Gas Use (kBtu)": "natural_gas"},
        1,
    ),
}


@pytest.fixture(scope="module")
def home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("own")
    (base / "inbox").mkdir()
    for truth, _, _ in TRUTHS.values():
        shutil.copy2(shared / "realdata" / known(shared, truth)["file"], base / "inbox")
    ran = mingzhang(
        "run", "--home", base / "home", "--inbox", base / "inbox", "--contracts", CONTRACTS, "--as-of", "2025-12-31"
    )
    assert ran.returncode == 0, ran.stderr
    return base / "home"


def known(shared: Path, truth: str) -> dict:
    return json.loads((shared / "realdata" / "truth" / f"{truth}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("dataset", TRUTHS)
def test_the_makers_control_totals_come_out_to_the_last_digit(shared: Path, home: Path, dataset: str) -> None:
    name, columns, factor = TRUTHS[dataset]
    truth = known(shared, name)
    compared = 0
    assert (home / "warehouse.duckdb").stat().st_mode & 0o077 == 0  # closed rows are in it
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        have = {c for (c,) in con.execute(f"select column_name from (describe records.{dataset})").fetchall()}
        for total in truth["control_totals"]:
            column = columns.get(total["column"], total["column"])
            if column not in have:
                continue
            values = con.execute(
                f'select "{column}" from records.{dataset} where _sheet = ? and "{column}" is not null',
                [truth.get("sheet", "")],
            ).fetchall()
            assert len(values) == total["non_null"], column
            # 15 digits, as a spreadsheet keeps and shows them.
            assert sum(Decimal(f"{v:.15g}") for (v,) in values) == Decimal(str(total["sum"])) * factor, column
            compared += 1
    assert compared >= 2


def test_they_are_published_and_checked(home: Path) -> None:
    with closing(sqlite3.connect(home / "current" / "mingzhang.db")) as con:
        for dataset in TRUTHS:
            assert con.execute(f'select count(*) from "{dataset}"').fetchone()[0] > 0
            assert con.execute("select opening from datasets where dataset = ?", [dataset]).fetchone() == ("open",)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        codes = {c for (c,) in con.execute("select distinct code from intake.issues").fetchall()}
    assert "unmapped_column" in codes


def test_each_has_a_form(home: Path, tmp_path: Path) -> None:
    for dataset in TRUTHS:
        form = tmp_path / f"{dataset}.xlsx"
        made = mingzhang("template", dataset, "--contracts", CONTRACTS, "-o", form)
        assert made.returncode == 0 and form.stat().st_size > 3000, made.stderr


def test_each_has_a_page(home: Path) -> None:
    from publish.site.app import create_app

    async def pages() -> list[tuple[int, str]]:
        app = create_app(home, workers=1)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [(r.status_code, r.text) for r in [await client.get(f"/datasets/{d}") for d in TRUTHS]]

    for (status, text), title in zip(
        asyncio.run(pages()), ("地方一般公共预算支出", "全市电力消费情况表", "Building"), strict=True
    ):
        assert status == 200 and title.lower() in text.lower()
