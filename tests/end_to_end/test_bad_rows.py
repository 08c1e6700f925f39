"""A province's file of which one row in twenty is bad, in every way: no row is lost, and the good ones give the figures."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest

from expectations.uscc import check_character, is_valid_organisation
from tests.conftest import mingzhang

INSTITUTIONS = 1500
MONTHS = [f"2024-{m:02}" for m in range(1, 13)]
HEADER = ["单位名称", "月份", "用电量(千瓦时)", "用水量(立方米)", "天然气用量(立方米)"]
Row = list[str]

# What is wrong with a row, and the code that its issue has.
BAD: dict[str, tuple[Callable[[Row], Row], str]] = {
    "a word for a number": (lambda r: [*r[:2], "未抄表", *r[3:]], "bad_type"),
    "an error of a formula": (lambda r: [*r[:2], "#REF!", *r[3:]], "bad_type"),
    "a date for a number": (lambda r: [*r[:3], "2024/3/1", r[4]], "bad_type"),
    "what a program writes for nothing": (lambda r: [*r[:2], "nan", *r[3:]], "missing_required"),
    "nothing": (lambda r: [*r[:2], "", *r[3:]], "missing_required"),
    "below nought": (lambda r: [*r[:2], "-5", *r[3:]], "out_of_range"),
    "month 13": (lambda r: [r[0], "2024-13", *r[2:]], "bad_type"),
    "a year for a month": (lambda r: [r[0], "2024", *r[2:]], "bad_type"),
    "no month": (lambda r: [r[0], "", *r[2:]], "missing_required"),
    "an institution that nobody knows": (lambda r: ["查无此单位", *r[1:]], "unknown_institution"),
}


def _province(inbox: Path) -> tuple[Decimal, Decimal, int, dict[int, str]]:
    """Writes the register and the energy of 2024; gives the good rows' electricity and water, how many they are, and the code of each bad row."""
    inbox.mkdir()
    names = [f"示例区示范单位{n:04}" for n in range(INSTITUTIONS)]
    with (inbox / "2024_公共机构名录.csv").open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(
            ["统一社会信用代码", "单位名称", "年度", "单位性质", "层级", "行政区划代码", "用能人数", "建筑面积(㎡)"]
        )
        for n, name in enumerate(names):
            organisation = next(c for c in (f"{n:08}{x}" for x in "0123456789X") if is_valid_organisation(c))
            first = f"12430202{organisation}"
            out.writerow(
                [first + str(check_character(first)), name, "2024", "教育", "县", "430202", 100 + n % 7, 2000 + n]
            )
    ways, codes, row = list(BAD.values()), dict[int, str](), 1
    electricity, water, good = Decimal(0), Decimal(0), 0
    with (inbox / "2024_能源资源消费状况.csv").open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(HEADER)
        for n, name in enumerate(names):
            for m, month in enumerate(MONTHS):
                row += 1
                line = [name, month, f"{1000 + (n * 12 + m) % 977}.{m:02}", f"{20 + (n + m) % 31}.5", str(m)]
                if row % 20 == 0:
                    spoil, codes[row] = ways[len(codes) % len(ways)]
                    line = spoil(line)
                else:
                    electricity, water, good = electricity + Decimal(line[2]), water + Decimal(line[3]), good + 1
                out.writerow(line)
                if row % 400 == 7:  # the same again: only the first counts
                    row += 1
                    codes[row] = "duplicate_key"
                    out.writerow([*line[:2], "1", *line[3:]])
    return electricity, water, good, codes


@pytest.mark.slow
def test_no_row_is_lost_and_the_good_ones_give_the_figures(tmp_path: Path) -> None:
    electricity, water, good, codes = _province(tmp_path / "inbox")
    assert len(codes) > 0.05 * (good + len(codes)) and set(codes.values()) == {c for _, c in BAD.values()} | {
        "duplicate_key"
    }
    ran = mingzhang("run", "--home", tmp_path / "home", "--inbox", tmp_path / "inbox", "--as-of", "2025-01-31")
    assert ran.returncode == 0, ran.stderr
    with duckdb.connect(str(tmp_path / "home" / "warehouse.duckdb"), read_only=True) as db:
        account = db.execute(
            "select rows_read, rows_accepted, rows_quarantined, rows_explained from intake.sheets where dataset = 'energy_use'"
        ).fetchall()
        assert account == [(good + len(codes) + 1, good, len(codes), 1)]  # the header is explained
        kept = db.execute("select row, codes from intake.quarantine where dataset = 'energy_use'").fetchall()
        assert dict(kept) == codes
        told = dict(
            db.execute("select row, code from intake.issues where severity = 'error' and row is not null").fetchall()
        )
        assert told == codes
        figures = dict(
            db.execute(
                "select indicator_id, value from marts.indicator_values where year = 2024 and dimension = 'total' and factor_set = 'none'"
            ).fetchall()
        )
    for indicator, added in (("electricity", electricity), ("water", water)):
        assert figures[indicator] == added.quantize(Decimal("0.01"), ROUND_HALF_UP), indicator
