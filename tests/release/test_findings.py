"""What is found in the figures is published in words where the rows it rests on are public, and nowhere else."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.contract import Contracts
from expectations.contract.model import OpenRows
from publish.release.build import BuiltRelease
from publish.wording import LANGUAGES, TEMPLATES, finding
from tests.release.conftest import file_id, make_warehouse

SECRET = 987654.25
PUBLIC = [("retrofit_funds", "slips", "planned_amount", 3, 5), ("retrofit_funds", "sums", "planned_amount", 1, None)]


def _told(con: duckdb.DuckDBPyConnection) -> None:
    sums = {"value": 600000.0, "other": 100000.0, "other_year": 2023}
    for file, sheet, dataset, row, column, kind, facts in (
        ("funds", "附件1", "retrofit_funds", 5, "planned_amount", "slips", {}),
        ("funds", "附件1", "retrofit_funds", 6, "planned_amount", "slips", {"count": 2}),
        ("funds", "附件1", "retrofit_funds", None, "planned_amount", "sums", sums),
        # The row is no record; the column is not public; columns that are not public may be behind it.
        ("funds", "附件1", "retrofit_funds", 9, "planned_amount", "slips", {}),
        ("funds", "附件1", "retrofit_funds", 5, "remark", "repeated", {}),
        (
            "funds",
            "附件1",
            "retrofit_funds",
            5,
            "planned_amount",
            "calculated",
            {"of": 3, "value": SECRET, "other": 1.0},
        ),
        ("funds", "附件1", "retrofit_funds", 5, "planned_amount", "rule", {"rule": "paid_within_plan"}),
        # The rows are not public.
        ("energy", "联系人张三的表", "energy_use", None, "electricity", "sums", sums | {"value": SECRET}),
    ):
        con.execute(
            "insert into intake.findings values (?, ?, ?, '2024', ?, ?, ?, ?)",
            [file_id(file), sheet, dataset, row, column, kind, json.dumps(facts)],
        )


def query(release: BuiltRelease, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{release.path}/mingzhang.db?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def test_a_finding_is_public_where_its_rows_and_columns_are(made: Callable[..., BuiltRelease]) -> None:
    release = made(_told)
    assert query(release, 'select dataset, kind, "column", findings, sheet_row from findings order by kind') == PUBLIC
    said = query(release, "select sentence_zh, sentence_en from findings order by kind")
    assert "有 3 个" in said[0][0] and said[0][1].endswith(": 3.")
    assert "600,000 元" in said[1][0] and "6.0 times that of 2023 (100,000 元)" in said[1][1]
    files = [p for p in release.path.rglob("*") if p.suffix in (".csv", ".db", ".json")]
    assert files and not any(str(SECRET).encode() in p.read_bytes() for p in files)


def test_a_row_that_is_not_public_keeps_the_findings_of_its_dataset_inside(
    contracts: Contracts, tmp_path: Path
) -> None:
    """A sum over all rows tells what the rows that are not public come to."""
    only = OpenRows("org_name", ("虚构第0中心",))
    partly = Contracts(
        dataclasses.replace(c, open_rows=only) if c.dataset == "retrofit_funds" else c for c in contracts.values()
    )
    for name, of, count in (("whole", contracts, len(PUBLIC)), ("partly", partly, 0)):
        make_warehouse(tmp_path / name, of, _told)
        with duckdb.connect(str(tmp_path / name), read_only=True) as con:
            assert con.execute("select count(*) from marts.findings").fetchall() == [(count,)]


FOUND: dict[str, Any] = {"period": "2018", "rule": None, "column": "planned_amount", "columns": None, "findings": 1,
    "compared": 9, "value": 6.0, "other_value": None, "other_period": "2017"}  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["repeats", "sums_of_one", "slips", "calculated", "repeated", "nought_without_unit", "rule"]
)
def test_every_kind_has_its_sentence_in_both_languages(contracts: Contracts, kind: str) -> None:
    contract = contracts["retrofit_funds"]
    rule = contract.rules[0].name
    found = FOUND | {
        "kind": kind,
        "rule": rule if kind == "rule" else None,
        "columns": "planned_amount:7/9" if kind == "repeats" else None,
    }
    zh, en = (finding(found, contract, lang) for lang in LANGUAGES)
    assert zh != en and "{" not in zh + en and "None" not in zh + en


def test_a_kind_without_a_sentence_is_told(contracts: Contracts) -> None:
    assert "nosuch" not in TEMPLATES["finding"]
    with pytest.raises(ValueError, match="'nosuch' has no whole sentence in wording.toml"):
        finding(FOUND | {"kind": "nosuch"}, contracts["retrofit_funds"], "en")
