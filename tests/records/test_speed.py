"""A city's five years of energy use, 30,000 files, within the time that one new file among them may take."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import CONTRACTS, file, institution, joined, sheet

from pipelines.home import Home
from pipelines.intake.readings import COLUMNS, FILES, SHEETS, Readings, row_dtypes
from pipelines.records.build import build

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
    print(f"\n{FILE_COUNT} files: {whole:.1f} s of one core, {nothing_new:.1f} s when nothing is new")
    assert first.rows["accepted"] + first.rows["quarantined"] == FILE_COUNT * MONTHS + 5 * FILES_A_YEAR
    assert all(s.kept for s in again.suites) and again.issues == first.issues
    assert whole < 30 and nothing_new < 15
