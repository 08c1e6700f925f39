"""A city's five years of energy use, 30,000 files, within the time that one new file among them may take."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from expectations.contract import Contract
from expectations.suite import check
from pipelines.core.home import Home
from pipelines.intake.readings import COLUMNS, FILES, SHEETS, Readings, row_dtypes
from pipelines.records.build import build
from tests.records.making import CONTRACTS, file, institution, joined, sheet

FILE_COUNT, MONTHS, FILES_A_YEAR = 30_000, 12, 6_000


def _readings() -> Readings:
    """One file per institution and year, each with twelve months; a few values are wrong."""
    register = [
        file(f"reg{y}", sheet("institutions", [institution(n, y) for n in range(FILES_A_YEAR)], "局", str(y)))
        for y in range(2021, 2026)
    ]
    out = joined(*register)
    contract = CONTRACTS["energy_use"]
    random = np.random.default_rng(1)
    count = FILE_COUNT * MONTHS
    of_file, month = np.divmod(np.arange(count), MONTHS)
    year = 2021 + np.arange(FILE_COUNT) // FILES_A_YEAR
    names = np.array([f"市示范局{n % FILES_A_YEAR:03d}" for n in range(FILE_COUNT)], dtype=object)
    ids = np.array([f"{n:064x}" for n in range(FILE_COUNT)], dtype=object)
    electricity = np.where(random.random(count) < 0.002, -1.0, random.uniform(500, 2000, count))
    known = {
        "org_name": names[of_file],
        "month": [f"{y}-{m + 1:02d}" for y, m in zip(year[of_file], month, strict=True)],
        "electricity": electricity,
        "water": random.uniform(10, 90, count),
        "electricity_cost": electricity * 0.8,
        "_file": ids[of_file],
        "_table": 0,
        "_sheet": "Sheet1",
        "_row": month + 4,
    }
    out.rows["energy_use"] = pd.DataFrame(
        {n: pd.Series(known.get(n), index=range(count), dtype=t) for n, t in row_dtypes(contract).items()}
    )

    def more(old: pd.DataFrame, dtypes: dict[str, str], size: int, **values: object) -> pd.DataFrame:
        new = {n: pd.Series(values.get(n), index=range(size), dtype=t) for n, t in dtypes.items()}
        return pd.concat([old, pd.DataFrame(new)], ignore_index=True)

    out.files = more(out.files, FILES, FILE_COUNT, file_id=ids, name=ids, status="accepted", synthetic=False)
    out.sheets = more(
        out.sheets,
        SHEETS,
        FILE_COUNT,
        file_id=ids,
        table=0,
        sheet="Sheet1",
        dataset="energy_use",
        submitter=names,
        period=year.astype(str),
        status="accepted",
        rows_read=MONTHS + 3,
        rows_explained=3,
        refused=0,
    )
    headers = ["org_name", "month", "electricity", "water", "electricity_cost"]
    out.columns = more(
        out.columns,
        COLUMNS,
        FILE_COUNT * len(headers),
        file_id=np.repeat(ids, len(headers)),
        table=0,
        sheet="Sheet1",
        column=np.tile(headers, FILE_COUNT),
        header="表头",
        letter=np.tile(list("ABCDE"), FILE_COUNT),
        first_row=4,
        last_row=MONTHS + 3,
    )
    return out


@pytest.mark.slow
def test_thirty_thousand_files(tmp_path: Path) -> None:
    readings, home = _readings(), Home(tmp_path).create()
    started = time.process_time()
    first = build(readings, CONTRACTS, home)
    whole = time.process_time() - started
    started = time.process_time()
    again = build(readings, CONTRACTS, home)
    nothing_new = time.process_time() - started
    readings.rows["energy_use"].loc[FILE_COUNT * MONTHS - 3, "electricity"] = 123.0
    started = time.process_time()
    third = build(readings, CONTRACTS, home)
    one_new = time.process_time() - started
    print(
        f"\n{FILE_COUNT} files: {whole:.1f} s of one core, {nothing_new:.1f} s when nothing is new, {one_new:.1f} s for one"
    )
    assert [(s.dataset, s.year) for s in third.suites if not s.kept] == [("energy_use", 2025)]
    assert first.rows["accepted"] + first.rows["quarantined"] == FILE_COUNT * MONTHS + 5 * FILES_A_YEAR
    assert all(s.kept for s in again.suites) and again.issues == first.issues


@pytest.mark.slow
def test_the_suites_of_thirty_datasets_over_five_years() -> None:
    """Few rows each, so this is what Great Expectations costs however small the city is."""
    frames = [(c, _frame(c, year)) for c in CONTRACTS.values() for year in range(2021, 2026)]
    check(*frames[0])  # imports Great Expectations
    started = time.process_time()
    found = sum(len(check(c, frame, {"institutions": {"x1", "x2"}}).failures) for c, frame in frames)
    spent = time.process_time() - started
    print(f"\n{len(frames)} suites over 200 rows each: {spent:.1f} s of one core")
    assert found > len(frames) and spent < 15


def _frame(contract: Contract, year: int, rows: int = 200) -> pd.DataFrame:
    """Rows as reading gives them, most of them wrong somewhere."""
    out = {}
    for n, (name, dtype) in enumerate(row_dtypes(contract).items()):
        c = contract.by_name.get(name)
        values: list[object] = [f"x{i}" for i in range(rows)]
        if dtype in ("float64", "Int64"):
            values = [year if c is not None and c.kind == "year" else i * 7 % 50 for i in range(rows)]
        elif dtype == "boolean":
            values = [i % 2 == 0 for i in range(rows)]
        elif dtype.startswith("datetime"):
            values = list(np.datetime64(f"{year}-01-01") + np.arange(rows))
        elif c is not None and c.kind == "month":
            values = [f"{year}-{1 + i % 12:02d}" for i in range(rows)]
        elif c is not None and c.values:
            values = [c.values[i % len(c.values)] for i in range(rows)]
        column = pd.Series(np.array(values) if dtype.startswith("datetime") else values).astype(dtype)
        out[name] = column.mask(np.arange(rows) % 5 == 4) if n % 3 == 2 and c is not None else column
    return pd.DataFrame(out)
