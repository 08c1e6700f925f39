"""Real spreadsheets as their makers released them: none stops the reader, and known totals come out to the last digit.

They lie in the shared folder (most state no licence) and these tests skip where it is absent.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from pipelines.intake.file_reader import FileReader, read_file
from pipelines.intake.messages import CODES
from pipelines.intake.model import SheetReading
from pipelines.intake.pool import FileJob, ReadingPool

pytestmark = pytest.mark.realdata
OTHERS = Path(__file__).parent / "contracts"


def files(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in (".json", ".md")]


def test_every_real_file_ends_in_rows_or_in_an_issue(shared: Path) -> None:
    folder = shared / "realdata"
    jobs = [
        FileJob(hashlib.sha256(p.read_bytes()).hexdigest(), p, p.relative_to(folder).as_posix()) for p in files(folder)
    ]
    with ReadingPool(load_contracts(), 2) as pool:
        got = {r.name: r for r in pool.read(jobs)}
    assert set(got) == {j.name for j in jobs}
    for r in got.values():
        told = [i.code for i in r.issues] + [i.code for s in r.sheets for i in s.issues]
        assert r.status == "accepted" or (r.reason in CODES and r.reason in told), r.name
        for s in r.sheets:
            assert s.rows_read == len(s.rows) + s.refused + s.rows_explained
    reasons = {Path(n).name: r.reason for n, r in got.items()}
    assert reasons["protected_sha512.xlsx"] == reasons["xor-encryption-abc.xls"] == "encrypted"
    assert reasons["HiddenSheet.xlsx"] == "empty"
    # Encrypted with the password that Excel tries by itself: read, and of a dataset that no contract describes.
    assert reasons["raw-2011-1.xls"] == reasons["raw-2019.xls"] == "unknown_dataset"


def test_the_citys_notice_of_2024(shared: Path) -> None:
    (path,) = files(shared / "realdata" / "zhuzhou")
    r = read_file(path, path.name, load_contracts())
    (s,) = r.sheets
    assert (s.dataset, s.period, len(s.rows), s.refused) == ("retrofit_funds", "2024", 3, 0)
    assert sum(s.values["planned_amount"]) == 400_000.0
    assert not [i for i in s.issues if i.severity == "error"]


def test_text_that_calamine_garbles_is_read_again(shared: Path) -> None:
    from pipelines.intake.formats import open_book

    path = shared / "realdata" / "cn" / "mkng0__Time-Series-Analysis" / "CPI.xls"
    texts = [c for g in open_book(path.read_bytes()).grids for row in g.rows for c in row if isinstance(c, str)]
    assert texts
    assert not [c for c in texts if "\x00" in c]
    assert any("居民消费价格指数" in c for c in texts)


def total(s: SheetReading, column: str) -> Decimal:
    # 15 digits, as a spreadsheet keeps and shows them: a formula's 1.9999999999999998 is a 2.
    return sum((Decimal(f"{v:.15g}") for v in s.values[column] if v is not None), Decimal(0))


@pytest.mark.parametrize(
    ("truth", "dataset", "columns", "factor"),
    [
        ("cn_budget_2021_xls", "provincial_budget", {}, 100_000_000),
        ("cn_budget_2020_xls", "provincial_budget", {}, 100_000_000),
        ("cn_xiamen_electricity_xlsx", "city_electricity", {}, 1),
        (
            "us_chicago_energy_csv",
            "building_energy",
            {
                "Gross Floor Area - Buildings (sq ft)": "floor_area",
                "Electricity Use (kBtu)": "electricity",
                "Natural Gas Use (kBtu)": "natural_gas",
                "Total GHG Emissions (Metric Tons CO2e)": "emissions",
            },
            1,
        ),
    ],
)
def test_control_totals_of_other_peoples_datasets(
    shared: Path, truth: str, dataset: str, columns: dict[str, str], factor: int
) -> None:
    known = json.loads((shared / "realdata" / "truth" / f"{truth}.json").read_text(encoding="utf-8"))
    path = shared / "realdata" / known["file"]
    reader = FileReader(load_contracts(extra=[OTHERS]))
    (s,) = [s for s in reader.read(path.read_bytes(), path.name).sheets if s.sheet == known.get("sheet", "")]
    assert s.dataset == dataset
    assert len(s.rows) == known["data_rows"]
    checked = 0
    for c in known["control_totals"]:
        name = columns.get(c["column"], c["column"])
        if name not in s.values:
            continue
        checked += 1
        assert sum(1 for v in s.values[name] if v is not None) == c["non_null"], name
        assert total(s, name) == Decimal(str(c["sum"])) * factor, name
    assert checked >= 3
