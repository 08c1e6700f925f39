"""What a run finds that judges only what changed is what a run finds that judges everything, whatever came in between."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.contract import Contract, load_contracts
from expectations.suite import Checked
from pipelines.core.home import Home
from pipelines.intake.model import FileReading
from pipelines.records import judge
from pipelines.records.build import RecordsSummary, build
from pipelines.records.corrected import CELL, WITHDRAW
from pipelines.sources.decisions import Decision
from pipelines.sources.ledger import Receipt
from tests.records.making import energy, file, institution, joined, sheet, unread, uscc

# The register, datasets of months, years and of no date, and rules that look at other datasets, at rows that are only counted, at
# earlier years, and at the city's tables and limits.
CONTRACTS = load_contracts(
    only=[
        "disposals", "energy_use", "institutions", "office_rooms", "pv_generation", "pv_sites", "real_assets",
        "vehicle_purchases", "vehicles",
    ]
)  # fmt: skip
FEWER = load_contracts(only=["energy_use", "institutions"])
NAMES = [f"市示范局{n:03d}" for n in range(1, 6)]
DAY = dt.date(2026, 3, 1)


class City:
    """A made-up city's files, decisions and folder, to which things happen."""

    def __init__(self, random: random.Random, folder: Path):
        self.random, self.folder = random, folder
        folder.mkdir()
        self.files: list[FileReading] = []
        self.receipts: dict[str, Receipt] = {}
        self.decided: list[Decision] = []
        self.day, self.contracts = DAY, CONTRACTS
        self.renamed = self.limited = self.named = False
        self.write()
        self.came = 0

    def receive(self, reading: FileReading, name: str) -> None:
        self.came += 1
        if all(f.file_id != reading.file_id for f in self.files):
            self.files.append(reading)
        at = f"2026-02-{1 + self.came // 20:02d}T{self.came % 20:02d}:00:00Z"
        self.receipts[reading.file_id] = Receipt(reading.file_id, reading.name, f"file:///inbox/{name}", "", at)

    def write(self) -> None:
        (self.folder / "divisions.csv").write_text(
            "code,name_zh,name_en,parent,level,successor,note\n430200,海城市,,,,,\n430212,新州区,,430200,,,\n"
            + ("430221,新州县,,430200,,430212,\n" if self.renamed else ""),
            encoding="utf-8",
        )
        alias = "市示范局001,示范一局,short\n" if self.named else ""
        (self.folder / "institution_aliases.csv").write_text(f"name,alias,kind\n{alias}", encoding="utf-8")
        (self.folder / "limits.csv").write_text(
            f"name,value,unit,meaning_zh\nreplacement_km,{80_000 if self.limited else 250_000},km,里程\n",
            encoding="utf-8",
        )
        (self.folder / "office_standards.csv").write_text(
            f"level,rank,max_usable_area_m2\n市级,市级正职,{42 if self.limited else 20}\n", encoding="utf-8"
        )

    # --- what may happen

    def a_new_file(self, dataset: str = "") -> None:
        dataset = dataset or self.random.choice(list(CONTRACTS))
        number = len(self.files) + 1
        period = self.random.choice([None, "2021", "2022"])
        who = self.random.choice([None, *NAMES[:2], "示范一局"])
        rows = [ROWS[dataset](self.random) for _ in range(self.random.randint(1, 5))]
        bad = [unread("Sheet1", 4, CONTRACTS[dataset].kept[-1].name, True)] if self.random.random() < 0.2 else []
        made = sheet(dataset, rows, who, period, refused=self.random.randint(0, 1), issues=bad)
        self.receive(file(f"{number:08d}", made), f"{dataset}{self.random.randint(1, 3)}.xlsx")

    def another_register(self) -> None:
        self.a_new_file("institutions")

    def the_oldest_files_again(self) -> None:
        for f in self.files[: len(CONTRACTS)]:
            self.receive(f, "again.xlsx")

    def a_withdrawal(self) -> None:
        if self.files:
            found = self.random.choice(self.files)
            dataset = found.sheets[0].dataset if self.random.random() < 0.5 else None
            self.decide(WITHDRAW, {"files": [found.file_id], "dataset": dataset})

    def a_patch(self) -> None:
        fit = [f for f in self.files if f.sheets[0].dataset == "energy_use"]
        if fit:
            found = self.random.choice(fit)
            until = self.random.choice([None, "2026-03-02"])
            place = {"file": found.file_id, "sheet": "Sheet1", "row": 4, "cell": "C4", "column": "water"}
            self.decide(CELL, place | {"dataset": "energy_use", "value": "7", "until": until})

    def decide(self, kind: str, details: dict[str, Any]) -> None:
        number = f"2026-02-20T00:00:{len(self.decided):02d}Z"
        self.decided.append(Decision(kind, "x", "局", "因", "why", "2026-02-20", number, details))

    def a_decision_undone(self) -> None:
        if self.decided:
            self.decided.remove(self.random.choice(self.decided))

    def another_day(self) -> None:
        self.day += dt.timedelta(days=1)

    def another_list_of_districts(self) -> None:
        self.renamed = not self.renamed
        self.write()

    def other_limits(self) -> None:
        self.limited = not self.limited
        self.write()

    def other_names(self) -> None:
        self.named = not self.named
        self.write()

    def other_rows_to_refer_to(self) -> None:
        for dataset in ("pv_sites", "real_assets", "vehicles"):
            self.a_new_file(dataset)

    def other_contracts(self) -> None:
        self.contracts = FEWER if self.contracts is CONTRACTS else CONTRACTS

    def build(self, home: Home, read_by: str) -> RecordsSummary:
        readings = joined(*(f for f in self.files if self.known(f)), contracts=self.contracts)
        readings.read_by = read_by and f"{read_by} {self.contracts.digest}"
        return build(readings, self.contracts, home, self.folder, self.receipts, self.decided, self.day)

    def known(self, f: FileReading) -> bool:
        return all(s.dataset in self.contracts for s in f.sheets)


HAPPENS = [City.a_new_file] * 6 + [
    City.the_oldest_files_again, City.another_register, City.a_withdrawal, City.a_patch, City.a_decision_undone, City.another_day,
    City.another_list_of_districts, City.other_limits, City.other_names, City.other_rows_to_refer_to, City.other_contracts,
]  # fmt: skip


def _energy(r: random.Random) -> dict[str, Any]:
    names = {"org_name": r.choice([*NAMES, "示范一局", "谁"]), "uscc": r.choice([None, uscc(1), "1"])}
    month = f"202{r.randint(1, 3)}-0{r.randint(1, 2)}"
    return energy(1, month, electricity=r.choice([None, -1.0, 10.0, 1000.0, 100000.0])) | names


def _institution(r: random.Random) -> dict[str, Any]:
    n, year = r.randint(1, 5), r.randint(2021, 2023)
    named = {"org_name": NAMES[n - 1] + r.choice(["", "", "甲"]), "division_code": r.choice(["430200", "新州县"])}
    return institution(n, year) | named


def _asset(r: random.Random) -> dict[str, Any]:
    told = {"kind": "房屋", "use_status": "自用", "sweep": "第一次", "found_on": f"202{r.randint(1, 3)}-05-01"}
    return {"asset_id": f"A{r.randint(1, 4)}", "org_name": r.choice(NAMES), **told}


def _disposal(r: random.Random) -> dict[str, Any]:
    told = {"method": "拍卖", "area_kind": "土地", "area": r.choice([-1.0, 50.0]), "status": "已成交"}
    asset = r.choice([None, *(f"A{n}" for n in range(1, 5))])
    return {"disposal_id": f"D{r.randint(1, 4)}", "org_name": r.choice(NAMES), "asset_id": asset, **told}


def _site(r: random.Random) -> dict[str, Any]:
    told = {"roof_area": 900.0, "capacity_kw": r.choice([0.1, 100.0]), "status": "已并网", "design_annual_kwh": 9e4}
    return {"site_id": str(r.randint(1, 3)), "org_name": r.choice(NAMES), **told}


def _generation(r: random.Random) -> dict[str, Any]:
    month = f"202{r.randint(1, 2)}-0{r.randint(1, 2)}"
    return {"site_id": str(r.randint(1, 4)), "month": month, "generation_kwh": r.choice([100.0, 1000.0])}


def _rooms(r: random.Random) -> dict[str, Any]:
    told = {"building": "一号楼", "rank": "市级正职", "headcount": 1, "used_area": r.choice([30.0, 60.0])}
    return {"org_name": r.choice(NAMES), "year": r.randint(2021, 2022), **told}


def _vehicle(r: random.Random) -> dict[str, Any]:
    told = {
        "use_class": "应急保障",
        "power": "燃油",
        "first_registered_on": "2012-03-01",
        "status": r.choice(["在用", "已更新", "已更新"]),
    }
    driven = r.choice([90_000, 300_000])
    return {
        "vehicle_id": f"V{r.randint(1, 3)}",
        "year": r.randint(2021, 2023),
        "org_name": r.choice(NAMES),
        "odometer_km": driven,
        **told,
    }


def _purchase(r: random.Random) -> dict[str, Any]:
    told = {
        "power": "纯电",
        "price": 150_000.0,
        "purchased_on": "2022-03-01",
        "replaces_vehicle_id": f"V{r.randint(1, 4)}",
    }
    return {"purchase_id": f"P{r.randint(1, 3)}", "org_name": r.choice(NAMES), "year": r.randint(2021, 2022), **told}


ROWS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "energy_use": _energy, "institutions": _institution, "real_assets": _asset, "disposals": _disposal,
    "pv_sites": _site, "pv_generation": _generation, "office_rooms": _rooms,
    "vehicles": _vehicle, "vehicle_purchases": _purchase,
}  # fmt: skip


def _bytes(home: Home) -> dict[str, bytes]:
    folders = (home.work / "records", home.work / "intake")
    return {str(p.relative_to(home.work)): p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file()}


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a suite over the same rows once in a test: which suites run again is tried elsewhere (test_build.py)."""
    known: dict[tuple[Any, ...], Checked] = {}
    real = judge.suites.check

    def check(contract: Contract, rows: pd.DataFrame, lists: Mapping[str, Collection[str]]) -> Checked:
        of_rows = pd.util.hash_pandas_object(rows).to_numpy().tobytes()
        key = (contract.digest, *rows.columns, of_rows, *(frozenset(v) for _, v in sorted(lists.items())))
        if key not in known:
            known[key] = real(contract, rows, lists)
        return known[key]

    monkeypatch.setattr(judge.suites, "check", check)


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize(("seed", "read_by"), [(1, "key"), (2, "key"), (3, "")])
def test_a_run_finds_what_a_run_over_everything_finds(seed: int, read_by: str, tmp_path: Path) -> None:
    city, home = City(random.Random(seed), tmp_path / "city"), Home(tmp_path / "home").create()
    for dataset in [*CONTRACTS, "energy_use", "institutions", "pv_sites"]:
        city.a_new_file(dataset)
    kept = 0
    order = city.random.sample(HAPPENS, len(HAPPENS))  # each of them happens once, and alone: what is forgotten shows
    for n in range(1 + len(order)):
        what = order[n - 1 : n] if n else []
        for happens in what:
            happens(city)
        again = city.build(home, read_by)
        new = Home(tmp_path / "new").create()
        told = f"seed {seed}, step {n}: {', '.join(w.__name__ for w in what)}"
        assert city.build(new, read_by) == again, told
        assert _bytes(home) == _bytes(new), told
        shutil.rmtree(new.root)
        kept += sum(s.kept for s in again.suites)
    assert kept, "nothing was ever the same"
