"""Workbooks for measuring: what a department sends, 12 rows of 12 columns, and the register that knows its institutions.

Belongs here: making them. Not here: measuring. Five years of an institution are five workbooks; one workbook in ten has a
row that must go back, so that what is measured is a city and not a list of its mistakes.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import xlsxwriter

from tests.records.making import uscc

_HEADERS = [
    "单位名称", "统一社会信用代码", "月份", "用电量（千瓦时）", "用水量（立方米）", "天然气用量（立方米）",
    "汽油用量（升）", "柴油用量（升）", "热力用量（GJ）", "光伏发电量（千瓦时）", "电费（万元）", "水费（元）",
]  # fmt: skip


YEARS = 5
WRONG_EVERY = 10  # one workbook in so many lacks a figure that must be there


def register(folder: Path, count: int) -> Path:
    """Writes the register of the institutions of `count` workbooks: without it every row would be an issue, and a run
    would mostly write those down."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "公共机构名录.csv"
    with path.open("w", encoding="utf-8") as f:
        f.write("单位名称,统一社会信用代码,年度,单位性质,行政层级,行政区划代码,用能人数,建筑面积（㎡）,是否涉密单位\n")
        for n in range(count):
            who, year = n // YEARS, 2021 + n % YEARS
            f.write(f"示范单位{who:05d},{uscc(who + 1)},{year},党政机关,市,430200,100,5000,否\n")
    return path


def make(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """Writes `count` monthly energy sheets (title, unit line, header, 12 months, total) and returns their paths."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(count):
        path = folder / f"能源资源消费状况_{n:05d}.xlsx"
        who, year = n // YEARS, 2021 + n % YEARS
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet("Sheet1")
            date = book.add_format({"num_format": "yyyy-mm"})
            sheet.merge_range(0, 0, 0, 11, f"{year}年度能源资源消费状况表")
            sheet.write(1, 0, f"填报单位：示范单位{who:05d}")
            sheet.write(1, 3, f"填报日期：{year}年12月20日")
            sheet.write_row(2, 0, _HEADERS)
            sums = [0.0] * 9
            for m in range(12):
                row = 3 + m
                sheet.write(row, 0, f"示范单位{who:05d}")
                sheet.write(row, 1, uscc(who + 1))
                if m % 3:
                    sheet.write(row, 2, f"{year}年{m + 1}月")
                else:
                    sheet.write_datetime(row, 2, dt.datetime(year, m + 1, 1), date)
                wrong = n % WRONG_EVERY == WRONG_EVERY - 1 and m == n % 12
                for k, value in enumerate(_month(rng)):
                    if (wrong and k == 0) or (2 <= k <= 6 and rng.random() < 0.05):
                        sheet.write(row, 3 + k, "—")
                        continue
                    sums[k] += value
                    sheet.write(row, 3 + k, f"{value:,}" if rng.random() < 0.05 else value)
            sheet.write(15, 0, "合计")
            for k in range(9):
                sheet.write(15, 3 + k, round(sums[k], 4))
            sheet.write(16, 0, "填表人：")
        paths.append(path)
    return paths


def _month(rng: random.Random) -> list[float]:
    """Electricity, water, gas, petrol, diesel, heat, solar power, and what the first two cost (in 万元 and 元)."""
    electricity, water = round(rng.uniform(500, 90000), 2), round(rng.uniform(10, 3000), 2)
    rest = [round(rng.uniform(10, 9000), 2) for _ in range(5)]
    return [
        electricity,
        water,
        *rest,
        round(electricity * rng.uniform(0.6, 0.9) / 10000, 4),
        round(water * rng.uniform(2, 5), 2),
    ]
