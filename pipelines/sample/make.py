"""Puts a made-up city on disk: OUT/inbox with its spreadsheets and OUT/truth.json with what a right reading gives.

Belongs here: which drafts become which files, dates of files, the truth, workbooks for measuring. Not here: values
(datasets.py), their spelling (layout.py), files that are wrong as a whole (wrong.py).
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Contracts, load_contracts
from pipelines.core.city import CityError, read_divisions
from pipelines.sample import MARK
from pipelines.sample.datasets import GENERATORS, SETTLERS
from pipelines.sample.formats import FORMATS, ONE_SHEET, Sheet, xlsx
from pipelines.sample.layout import lay_out
from pipelines.sample.plant import spoil
from pipelines.sample.world import Draft, World
from pipelines.sample.wrong import wrong_files

SHAPE = Path(__file__).parents[2] / "cities" / "zhuzhou" / "sample.yaml"
CHANCES = {"xlsx": 44, "csv-utf8": 12, "csv-gbk": 12, "csv-utf16": 6, "xls-html": 8, "xls-xml": 8, "ods": 10}
MAKER = "mingzhang sample"


class SampleError(ValueError):
    """A city that cannot be made. The message says what to change."""

    exit_status = 2


@dataclass(frozen=True)
class Manifest:
    """What was written: how many files, where, every file in order of age, and the right records by dataset."""

    files: int
    inbox: Path
    truth: Path
    paths: tuple[Path, ...]
    rows: dict[str, int]


def make_city(
    out: Path,
    seed: int = 1,
    orgs: int = 40,
    years: Iterable[int] | None = None,
    datasets: Iterable[str] | None = None,
    contracts: Contracts | None = None,
    shape: Path = SHAPE,
) -> Manifest:
    """Writes a made-up city of `orgs` institutions and the `years` (by default those that its shape names) into `out`; the same
    arguments give the same bytes.

    `datasets` limits what is sent (the register of institutions is always made, as the others lean on it); a dataset
    without a contract is left out. An earlier city of ours in `out` is replaced; any other file there stops it.
    Raises SampleError with one sentence.
    """
    whole = read_shape(shape)
    chosen = tuple(sorted(set(usual_years(whole) if years is None else years)))
    if orgs < 5 or not chosen:
        raise SampleError("A city needs at least 5 institutions and one year; raise --orgs or name --years.")
    wanted = set(GENERATORS if datasets is None else datasets)
    if unknown := wanted - set(GENERATORS):
        raise SampleError(f"Nothing makes rows for {', '.join(sorted(unknown))}; choose among {', '.join(GENERATORS)}.")
    contracts = contracts or load_contracts()
    world = World(contracts, whole, seed, orgs, chosen)
    city = _CityFiles(world, _cleared(out))
    for dataset in GENERATORS:
        if dataset in contracts and (dataset in wanted or contracts[dataset].register):
            city.send(drafts_of(world, dataset))
    for path, code, data in wrong_files(world):
        city.put(path, data, dt.date(chosen[-1], 12, 31))
        city.rejected.append({"path": path, "code": code})
    city.date_files()
    truth = out / "truth.json"
    truth.write_text(json.dumps(city.truth(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    rows = {d: t["rows"] for d, t in city.totals().items()}
    paths = tuple(city.inbox / p for p in city.in_order())
    return Manifest(len(paths), city.inbox, truth, paths, rows)


def drafts_of(world: World, dataset: str) -> list[Draft]:
    """Everything that is sent of one dataset, some of it spoiled, in the order it is made."""
    drafts, turn = list(GENERATORS[dataset](world)), 0
    few = len(drafts) < 20
    for n, draft in enumerate(drafts):
        r = world.chance("spoil", dataset, n)
        if draft.may_spoil and (few or r.random() < 0.3):
            turn += spoil(draft, world.contracts[dataset], turn, 2 if few else 1, r)
        draft.rows = [x for x in draft.rows if x.bad or not x.extra]
    if dataset in SETTLERS:
        SETTLERS[dataset](world, drafts)
    return drafts


def make_workbooks(out: Path, n: int, seed: int = 1, contracts: Contracts | None = None) -> list[Path]:
    """Writes `n` workbooks of twelve months by twelve columns of energy use into the folder `out`, for measuring."""
    contracts = contracts or load_contracts()
    out.mkdir(parents=True, exist_ok=True)
    orgs = max(5, n // 3 + 1)  # every institution is there in three years at least
    shape = read_shape(SHAPE)
    world = World(contracts, shape, seed, orgs, usual_years(shape))
    columns = contracts["energy_use"].columns[:12]
    paths: list[Path] = []
    for draft in GENERATORS["energy_use"](world):
        if len(paths) == n:
            break
        body = [[_bare(x.values.get(c.name)) for c in columns] for x in draft.rows]
        head: list[list[Any]] = [[MARK], [c.header_zh for c in columns]]
        paths.append(out / f"{len(paths):05d}.xlsx")
        paths[-1].write_bytes(xlsx([Sheet("Sheet1", head + body)]))
    return paths


def read_shape(path: Path) -> dict[str, Any]:
    """A city's shape, with the names of its districts from divisions.csv beside it. Raises SampleError."""
    try:
        shape: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = {row["code"]: row["name_zh"] for row in read_divisions(path.parent)}
        shape["districts"] = {code: names[code] for code in shape["districts"]}
    except (OSError, yaml.YAMLError, KeyError, CityError) as e:
        raise SampleError(f"The made-up city needs {path} and divisions.csv beside it ({e}); mend them.") from None
    return shape


def usual_years(shape: dict[str, Any]) -> tuple[int, ...]:
    """The years that a city is made of where nobody names others: from the first to the last that its shape says."""
    first, last = shape["years"]
    return tuple(range(first, last + 1))


def _bare(value: Any) -> Any:
    return value if value is None or isinstance(value, str | dt.date) else float(value)


def _cleared(out: Path) -> Path:
    """The inbox below `out`, without the files of an earlier city of ours."""
    inbox, truth = out / "inbox", out / "truth.json"
    try:
        old = json.loads(truth.read_text(encoding="utf-8"))
    except FileNotFoundError:
        old = {}
    except (OSError, ValueError):
        raise SampleError(f"{truth} is not a truth of ours; name another folder with --out.") from None
    if old.get("maker") == MAKER:
        for path in old["paths"]:
            (inbox / path).unlink(missing_ok=True)
    if inbox.is_dir() and (left := next((p for p in inbox.rglob("*") if p.is_file()), None)):
        raise SampleError(f"{left} is none of ours; name an empty folder with --out.")
    try:
        inbox.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise SampleError(f"{inbox} cannot be made ({e.strerror}); name another folder with --out.") from None
    return inbox


class _CityFiles:
    """The files of a city on their way to disk, and what is known of each."""

    def __init__(self, world: World, inbox: Path):
        self.world, self.inbox = world, inbox
        self.entries: list[dict[str, Any]] = []
        self.rejected: list[dict[str, str]] = []
        self.sent: dict[str, tuple[dt.date, int]] = {}

    def send(self, drafts: list[Draft]) -> None:
        """Lays out and writes the drafts of one dataset."""
        paths = {}
        for n, draft in enumerate(drafts):
            contract = self.world.contracts[draft.dataset]
            r = self.world.chance("file", draft.dataset, n)
            draft.wrong_total = n % 11 == 4
            draft.unmapped = "核对情况" if n % 13 == 6 else None
            fmt = r.choices(list(CHANCES), list(CHANCES.values()))[0]
            sheet, entry = lay_out(draft, contract, r, r.choice(["Sheet1", contract.title_zh]))
            sheets = [sheet]
            if fmt in ONE_SHEET:
                entry["sheet"] = ""
            else:
                if r.random() < 0.25:
                    sheets.insert(0, Sheet("填表说明", [["填表说明"], ["1.请勿修改表头"], ["2.金额单位见表"], [MARK]]))
                if r.random() < 0.1:
                    sheets.append(Sheet("选项", [["是"], ["否"]], hidden=True))
            extension, write = FORMATS[fmt]
            stem = draft.name if r.random() < 0.85 else f"附件{len(self.sent) + 1:03d}"
            path = f"{draft.year}/{stem}.{extension}"
            self.put(path, write(sheets), draft.sent)
            paths[id(draft)] = path
            if draft.replaces is not None:
                old = next(e for e in self.entries if e["path"] == paths[id(draft.replaces)])
                old["superseded_by"] = path
            self.entries.append({"path": path, "format": fmt} | entry)

    def put(self, path: str, data: bytes, sent: dt.date) -> None:
        """Writes one file of the inbox."""
        if path in self.sent:
            raise AssertionError(f"two files are called {path}")
        self.sent[path] = (sent, len(self.sent))
        target = self.inbox / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def in_order(self) -> list[str]:
        """Paths, oldest first."""
        return sorted(self.sent, key=lambda p: self.sent[p])

    def date_files(self) -> None:
        """Gives every file its day as time of change, each a second after the one before: newer is never chance."""
        for n, path in enumerate(self.in_order()):
            on = self.sent[path][0]
            moment = dt.datetime(on.year, on.month, on.day, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=n)
            os.utime(self.inbox / path, (moment.timestamp(), moment.timestamp()))

    def totals(self) -> dict[str, dict[str, Any]]:
        """Right records and sums by dataset."""
        out: dict[str, dict[str, Any]] = {}
        for e in self.entries:
            t = out.setdefault(e["dataset"], {"rows": 0, "sums": defaultdict(float)})
            t["rows"] += e["rows"]
            for c, v in e["sums"].items():
                t["sums"][c] = round(t["sums"][c] + v, 6)
        return out

    def truth(self) -> dict[str, Any]:
        """What truth.json says: files as they are to be read, files to be rejected, totals, secrets, refused names."""
        return {
            "maker": MAKER,
            "seed": self.world.seed,
            "files": self.entries,
            "rejected": self.rejected,
            "totals": self.totals(),
            "canaries": self.world.canaries,
            "refused": self.world.refused,
            "paths": self.in_order(),
        }
