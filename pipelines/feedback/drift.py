"""Header drift: unmapped headers of a dataset's sheets, with the contract's columns that they may be new names of.

Belongs here: comparing headers, and the report with its suggestions. Not here: accepting one, which is an edit of the
contract by a person; the contract's digest is part of the reader's key, so the files affected are read again by themselves.
The report shows headers and counts, never a value.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from expectations.contract import Column, Contract, Contracts, header_key, unit_key
from pipelines.core.home import Home, whole_file
from pipelines.core.letters import column_number
from pipelines.feedback.bounded import Failed, run_each
from pipelines.intake.formats import open_book
from pipelines.intake.layout.headers import Headers
from pipelines.intake.sheets import Refusal
from pipelines.intake.values import Bad, read_column
from pipelines.sources.archive import where

FOLDER = "_drift"
RENAMED_FROM = 0.5  # the score from which a header is taken for a new name of a column
# A person reviews the guess: the name has the greatest weight, and a missing required column is likely to be among the headers.
_WEIGHTS = {"name": 0.5, "values": 0.15, "unit": 0.1, "place": 0.15, "required": 0.1}
_LOOKED_INTO = 3  # files whose cells are read for one header
_UNIT = re.compile(r"[(（\[【]([^()（）\[\]【】]+)[)）\]】]\s*$")

# (file_id, sheet, letter, first_row, last_row) -> the cells below a header
Cells = Callable[[list[tuple[str, str, str, int, int]]], dict[tuple[str, str, str, int, int], list[Any]]]


@dataclass
class NewHeader:
    """An unmapped header, over all sheets of the dataset that have it.

    `suggested` is the column it most likely is under another name, None for a column the contract does not have;
    `score` is 0..1 and `reasons` say what it is made of. `yaml` is what to write into the contract.
    """

    header: str
    files: int
    first_file: str
    letters: list[str]
    suggested: str | None
    score: float
    reasons: list[str]
    others: list[tuple[str, float]]
    yaml: str


@dataclass
class Report:
    """The drift of one dataset. `missing`: columns of the contract that sheets with new headers lack, and in how many;
    `unrecognised`: how many of the files were of no known dataset and only come nearest to this one by their headers."""

    dataset: str
    title_zh: str
    title_en: str
    contract_file: str
    files: int
    unrecognised: int = 0
    headers: list[NewHeader] = field(default_factory=list)
    missing: list[tuple[str, int]] = field(default_factory=list)


def drift(
    files: pd.DataFrame, columns: pd.DataFrame, contracts: Contracts, cells: Cells | None = None
) -> dict[str, Report]:
    """Return one report for each dataset that has an unmapped header, from intake's files and columns in force.

    `cells` gives the cells below some headers, to compare their values with a column's kind; without it, values do not
    count. Without any unknown header the result is empty.
    """
    in_force = set(files.loc[files["status"] != "superseded", "file_id"])
    columns = columns[columns["file_id"].isin(in_force)]
    known = Headers(contracts)
    stray = _nearest(columns[columns["dataset"].isna()], known)
    columns = columns[columns["dataset"].isin(list(contracts))]
    if len(stray):
        columns = pd.concat([columns, stray], ignore_index=True)
    strange = columns[columns["column"].isna() & columns["header"].fillna("").str.strip().ne("")]
    strange = strange[~strange["header"].map(known.is_serial).astype(bool)]  # 序号 is common and holds no data
    names = dict(zip(files["file_id"], files["name"], strict=True))
    found = {str(dataset): (rows, _by_header(rows)) for dataset, rows in strange.groupby("dataset", sort=True)}
    looked = {
        _cells_below(r) for _, groups in found.values() for rows in groups.values() for r in rows[:_LOOKED_INTO]
    }  # of all datasets at once: opening files means starting children
    values = cells(sorted(looked)) if cells is not None and looked else {}
    out = {}
    for dataset, (rows, groups) in found.items():
        whole = columns[(columns["dataset"] == dataset) & columns["file_id"].isin(rows["file_id"])]
        out[dataset] = _report(contracts[dataset], whole, groups, names, values)
        out[dataset].unrecognised = len(set(stray["file_id"]) & set(rows["file_id"]))
    return out


def _by_header(strange: pd.DataFrame) -> dict[str, list[Any]]:
    """The positions of each unmapped header, by its folded text."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for r in strange.sort_values(["file_id", "sheet", "first_row", "letter"]).itertuples(index=False):
        groups[header_key(str(r.header))].append(r)
    return groups


def _nearest(columns: pd.DataFrame, headers: Headers) -> pd.DataFrame:
    """The headers of sheets of no dataset, assigned to the dataset they come nearest to; without those near none."""
    out = []
    for _, sheet in columns.groupby(["file_id", "sheet"], dropna=False, sort=True):
        choices = headers.choices([str(h) for h in sheet["header"]])
        if choices:
            known = {m.place: m.column.name for m in choices[0].mapped}
            names = pd.Series([known.get(n) for n in range(len(sheet))], index=sheet.index, dtype="str")
            out.append(sheet.assign(dataset=choices[0].dataset, column=names))
    return pd.concat(out, ignore_index=True) if out else columns.iloc[:0]


def write_drift(home: Home, contracts: Contracts) -> list[str]:
    """Write HOME/feedback/_drift/<dataset>.md and .json for each dataset with drift, and remove those of others.

    Returns the datasets with drift, sorted. The originals are opened in child processes with limits.
    """
    files, columns = (pd.read_parquet(home.table("intake", t)) for t in ("files", "columns"))

    def cells(places: list[tuple[str, str, str, int, int]]) -> dict[tuple[str, str, str, int, int], list[Any]]:
        by_file: dict[str, list[tuple[str, str, str, int, int]]] = defaultdict(list)
        for p in places:
            by_file[p[0]].append(p)
        jobs = [(str(where(home, f)), wanted) for f, wanted in by_file.items() if where(home, f).is_file()]
        out: dict[tuple[str, str, str, int, int], list[Any]] = {}
        for _, found in run_each(_read_cells, jobs):
            if not isinstance(found, Failed):  # a file that cannot be opened again gives no values, only its headers
                out |= found
        return out

    found = drift(files, columns, contracts, cells)
    folder = home.feedback / FOLDER
    if found:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for dataset, report in found.items():
        for name, text in (
            (f"{dataset}.md", markdown(report, contracts[dataset])),
            (f"{dataset}.json", json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n"),
        ):
            with whole_file(folder / name) as part:
                part.write_text(text, encoding="utf-8")
    for old in [*folder.glob("*.md"), *folder.glob("*.json")]:
        if old.stem not in found:
            old.unlink()
    return sorted(found)


def _read_cells(
    job: tuple[str, list[tuple[str, str, str, int, int]]],
) -> dict[tuple[str, str, str, int, int], list[Any]]:
    """Runs in a child: the cells of some columns of one file."""
    from pathlib import Path

    path, wanted = job
    try:
        grids = {g.name: g for g in open_book(Path(path).read_bytes()).grids}
    except Refusal:
        return {}
    out = {}
    for place in wanted:
        _, sheet, letter, first, last = place
        g = grids.get(sheet)
        if g is not None:
            j = column_number(letter) - g.left
            rows = g.rows[max(0, first - 1 - g.top) : max(0, last - g.top)]
            out[place] = [r[j] if 0 <= j < len(r) else "" for r in rows][:200]
    return out


def _report(
    contract: Contract,
    whole: pd.DataFrame,
    groups: dict[str, list[Any]],
    names: dict[str, str],
    values: dict[tuple[str, str, str, int, int], list[Any]],
) -> Report:
    sheets: dict[Any, pd.DataFrame] = dict(list(whole.groupby(["file_id", "sheet"], dropna=False)))
    files = {r.file_id for rows in groups.values() for r in rows}
    report = Report(contract.dataset, contract.title_zh, contract.title_en, contract.path.name, len(files))
    scored = []
    for key, rows in groups.items():
        shown = Counter(" ".join(str(r.header).split()) for r in rows).most_common(1)[0][0]
        candidates = sorted(
            (_score(c, shown, rows, sheets, contract, values) for c in contract.columns), key=lambda s: -s[1]
        )
        scored.append((key, shown, rows, candidates))
    taken: dict[str, str] = {}  # a column that fits two headers is assigned to the likelier one
    for key, _, _, candidates in sorted(scored, key=lambda s: -s[3][0][1]):
        best = next((c for c, score, _ in candidates if score >= RENAMED_FROM and c.name not in taken), None)
        if best is not None:
            taken[best.name] = key
    for key, shown, rows, candidates in scored:
        best, score, reasons = next(
            ((c, s, why) for c, s, why in candidates if taken.get(c.name) == key), (None, candidates[0][1], [])
        )
        report.headers.append(
            NewHeader(
                shown,
                len({r.file_id for r in rows}),
                names.get(rows[0].file_id, rows[0].file_id),
                sorted({r.letter for r in rows}),
                best.name if best else None,
                round(score, 2),
                reasons,
                [(c.name, round(s, 2)) for c, s, _ in candidates[:3] if s > 0.2],
                _alias_line(best, shown) if best else _new_column(contract, shown, rows),
            )
        )
    report.headers.sort(key=lambda h: (h.suggested is None, -h.files, h.header))
    gone = Counter(
        c.name for g in sheets.values() for c in contract.columns if c.kept and c.name not in set(g["column"].dropna())
    )
    report.missing = [(c.name, gone[c.name]) for c in contract.columns if gone[c.name]]
    return report


def _score(
    c: Column,
    shown: str,
    rows: list[Any],
    sheets: dict[Any, pd.DataFrame],
    contract: Contract,
    values: dict[Any, list[Any]],
) -> tuple[Column, float, list[str]]:
    """The score of a header as column `c`; 0 where every sheet with the header already has the column."""
    here = [sheets[r.file_id, r.sheet] for r in rows]
    if all(c.name in set(g["column"].dropna()) for g in here):
        return c, 0.0, []
    parts, reasons = {}, []
    bare, unit = _split_unit(shown)
    parts["name"], alias = max((_likeness(bare, h), h) for h in c.headers)
    if parts["name"] >= 0.3:
        reasons.append(f"与“{alias}”相似 {parts['name']:.0%} / like '{alias}'")
    unit = next((str(r.unit) for r in rows if isinstance(r.unit, str)), unit)
    parts["unit"] = 0.0
    if unit and c.units:
        parts["unit"] = 1.0 if unit_key(unit) in c.units else 0.0
        reasons.append(f"单位“{unit}”" + ("相合 / its unit fits" if parts["unit"] else "不合 / its unit does not fit"))
    elif not unit and not c.units:
        parts["unit"] = 0.5
    at = [_between(c, r, g, contract) for r, g in zip(rows, here, strict=True)]
    parts["place"] = sum(at) / len(at)
    if parts["place"] > 0.5:
        reasons.append("位置相合 / it stands where the column stood")
    fits = [_fits(c, values[_cells_below(r)]) for r in rows if _cells_below(r) in values]
    known = [f for f in fits if f is not None]
    parts["values"] = sum(known) / len(known) if known else 0.0
    if parts["values"] > 0.9:
        reasons.append("内容读得成这一列 / its cells read as this column")
    if c.kind in ("integer", "decimal"):
        parts["values"] /= 2  # any number parses as any numeric column
    parts["required"] = float(c.required)
    if c.required:
        reasons.append("这一列必填而表里没有 / the column is required and missing")
    score = sum(_WEIGHTS[k] * v for k, v in parts.items())
    if not known:
        score /= 1 - _WEIGHTS["values"]
    if unit and c.units and not parts["unit"]:
        score *= 0.6  # kWh under a header that matches a column of ㎡
    return c, score, reasons


def _likeness(a: str, b: str) -> float:
    """Similarity 0..1; at least 0.7 where one header contains the other."""
    a, b = header_key(a), header_key(b)
    ratio = difflib.SequenceMatcher(None, a, b).ratio()
    inside = min(len(a), len(b)) >= 2 and (a in b or b in a)
    return max(ratio, 0.7) if inside else ratio


def _between(column: Column, row: Any, sheet: pd.DataFrame, contract: Contract) -> float:
    """1 where the columns to the left and right in the sheet are the column's neighbours in the contract, 0.5 for one."""
    order = {col.name: i for i, col in enumerate(contract.columns)}
    at = {column_number(x): order[c] for x, c in zip(sheet["letter"], sheet["column"], strict=True) if c in order}
    mine, me = column_number(row.letter), order[column.name]
    left = max((n for n in at if n < mine), default=None)
    right = min((n for n in at if n > mine), default=None)
    known = set(at.values())
    before = max((i for i in known if i < me), default=None)
    after = min((i for i in known if i > me), default=None)
    good = (at[left] if left is not None else None) == before
    return (good + ((at[right] if right is not None else None) == after)) / 2


def _fits(c: Column, cells: list[Any]) -> float | None:
    """The share of cells that parse as this column; None where there are none to judge by."""
    filled = [v for v in cells if v not in ("", None)]
    if not filled:
        return None
    if c.kind == "string":
        # Any cell parses as text, which is weak evidence; numbers are evidence against it.
        return 0.6 * sum(isinstance(v, str) and not _is_number(v) for v in filled) / len(filled)
    read, odd = read_column(filled, c, None)
    bad = {i for i, o in odd if isinstance(o, Bad)}
    if c.values:
        bad |= {i for i, v in enumerate(read) if v not in c.values}
    return 1 - len(bad | {i for i, v in enumerate(read) if v is None}) / len(filled)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[\d.,\s%-]+", text) is not None


def _split_unit(header: str) -> tuple[str, str | None]:
    m = _UNIT.search(header)
    return (header[: m.start()], m[1].strip()) if m else (header, None)


def _cells_below(r: Any) -> tuple[str, str, str, int, int]:
    return (r.file_id, r.sheet if isinstance(r.sheet, str) else "", r.letter, int(r.first_row), int(r.last_row))


def _alias_line(c: Column, shown: str) -> str:
    """The corrected line of the column's customProperties; the unit is no part of an alias."""
    aliases = [*c.aliases, _split_unit(shown)[0] if c.units else shown]
    return f"- {{property: aliases, value: [{', '.join(map(_quoted, aliases))}]}}"


def _new_column(contract: Contract, shown: str, rows: list[Any]) -> str:
    bare, unit = _split_unit(shown)
    unit = next((str(r.unit) for r in rows if isinstance(r.unit, str)), unit)
    number = unit is not None
    lines = [
        "- name: new_column        # 起一个英文名 / give it an English name",
        f"  businessName: {_quoted(bare)}",
        f"  logicalType: {'number' if number else 'string'}",
        "  classification: L2      # 未定级之前不外传 / kept inside until somebody decides",
    ]
    if number:
        lines += ["  customProperties:", f"  - {{property: unit, value: {_quoted(str(unit))}}}"]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A YAML scalar inside a flow list."""
    plain = re.fullmatch(r"[\w\u3400-\u9fff（）／㎡³·]+", text) and not re.fullmatch(
        r"[\d_.]+|true|false|null|yes|no|on|off|~", text, re.I
    )
    return text if plain else json.dumps(text, ensure_ascii=False)


def markdown(report: Report, contract: Contract) -> str:
    """The report for a person: three tables side by side, and the lines to add."""
    renamed = [h for h in report.headers if h.suggested]
    new = [h for h in report.headers if not h.suggested]
    lines = [
        f"# {report.title_zh}：表头变动 / Header drift in {report.dataset}",
        "",
        f"{report.files} 个文件里有 `{report.contract_file}` 不认识的表头。确认后在该契约里照下面修改一处即可；契约一变，有关文件会自动重新读取。",
        "",
        f"{report.files} file(s) have headers that `{report.contract_file}` does not know. To accept one, edit that contract as shown; "
        "a changed contract makes the files affected be read again by itself.",
        "",
        *(
            [
                f"其中 {report.unrecognised} 个文件没有认出是哪张报表，只是表头最接近这一张 / {report.unrecognised} of them were not "
                "recognised; their headers come nearest to this dataset.",
                "",
            ]
            if report.unrecognised
            else []
        ),
        "| 改名 renamed | 新增 new | 缺少 missing |",
        "|---|---|---|",
    ]
    sides = (
        [
            f"{_cell(h.header)} → {_cell(contract.column(h.suggested or '').header_zh)} (`{h.suggested}`, {h.score:.0%})"
            for h in renamed
        ],
        [f"{_cell(h.header)}" for h in new],
        [
            f"{_cell(contract.column(c).header_zh)} (`{c}`{', 必填 required' if contract.column(c).required else ''}) × {n}"
            for c, n in report.missing
        ],
    )
    for i in range(max(map(len, sides))):
        lines.append("| " + " | ".join(s[i] if i < len(s) else "" for s in sides) + " |")
    for h in report.headers:
        lines += [
            "",
            f"## {_cell(h.header)}",
            "",
            f"{h.files} 个文件，列 {', '.join(h.letters)}，例如 {_cell(h.first_file)} / in {h.files} file(s).",
        ]
        if h.suggested:
            lines += [
                "",
                f"可能就是 `{h.suggested}`：{'；'.join(h.reasons)}。在该列的 customProperties 里把 aliases 改为 / it is likely this column; its aliases should read:",
            ]
        else:
            near = "、".join(f"`{c}` {s:.0%}" for c, s in h.others) or "没有 / none"
            lines += [
                "",
                f"没有相近的列（最接近的：{near}）。如要接收，在 properties 里加 / no column is near; to take it in, add to properties:",
            ]
        lines += ["", "```yaml", h.yaml, "```"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text of a sheet inside Markdown: no table bars, no markup."""
    return re.sub(r"([|\\`*_<>\[\]#])", r"\\\1", " ".join(text.split()))
