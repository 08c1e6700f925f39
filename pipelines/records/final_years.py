"""Applies the bureau's decisions that a year is final: what arrives later about that year waits in quarantine and replaces nothing.

Belongs here: which rows such a decision keeps waiting, and which earlier rows it keeps in force. Not here: the ledger
(pipelines/sources/decisions.py), the command (pipelines/correct.py), or how newer is put for older otherwise (settle.py). Patches and
withdrawals hold in a final year as in any other: they are decisions too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from expectations.contract import Contract
from pipelines.sources.decisions import Decision
from pipelines.sources.ledger import Ledger

FINAL = "final"  # the kind of the decision


@dataclass(frozen=True)
class FinalYear:
    """One decision as a build needs it: the year, and the files that arrived after it."""

    year: int
    late: frozenset[str]
    decision: Decision


def with_late_files(decided: Sequence[Decision], ledger: Ledger) -> list[Decision]:
    """The decisions, those about a final year with `late` among their details: the files that arrived since."""
    return [
        replace(d, details=d.details | {"late": sorted(ledger.late(d.details["received"]))}) if d.kind == FINAL else d
        for d in decided
    ]


def final_years(decided: Sequence[Decision]) -> list[FinalYear]:
    """What was decided, by year; of two decisions about one year the earlier holds."""
    found: dict[int, FinalYear] = {}
    for d in decided:
        if d.kind == FINAL:
            year = int(d.details["year"])
            found.setdefault(year, FinalYear(year, frozenset(d.details["late"]), d))
    return [found[year] for year in sorted(found)]


def years_of_rows(contract: Contract, rows: pd.DataFrame, sheets: pd.DataFrame) -> np.ndarray:
    """The year that each row speaks of: by the contract's period column, else by the period its sheet states; 0 for none."""
    stated = _years_of_sheets(sheets[sheets["dataset"] == contract.dataset])
    if len(stated):
        at = pd.MultiIndex.from_frame(rows[["_file", "_table"]].astype({"_table": "int64"}))
        of_sheet = stated.reindex(at).fillna(0).to_numpy().astype("int64")
    else:
        of_sheet = np.zeros(len(rows), dtype="int64")
    column = None if contract.undated else contract.period
    if column is None or not len(rows):
        return of_sheet
    values = rows[column.name]
    if column.kind == "month":
        years = pd.to_numeric(values.str.slice(0, 4), errors="coerce")
    else:
        years = values.dt.year if column.kind == "date" else values
    of_row = years.astype("float64").fillna(0).to_numpy().astype("int64")
    return np.where(of_row > 0, of_row, of_sheet)


def _years_of_sheets(sheets: pd.DataFrame) -> pd.Series:
    """The year of the period that each sheet states, by (file, table); sheets that state none are not in it."""
    known = sheets[sheets["period"].notna() & sheets["table"].notna()]
    years = pd.to_numeric(known["period"].str.slice(0, 4), errors="coerce")
    index = pd.MultiIndex.from_arrays([known["file_id"], known["table"].astype("int64")])
    found = pd.Series(years.to_numpy(), index=index).dropna()
    return found[~found.index.duplicated()]


def submissions(sheets: pd.DataFrame, final: Sequence[FinalYear]) -> pd.DataFrame:
    """The sheets without those that state a final year and arrived after it: they are no newer submission."""
    years = pd.to_numeric(sheets["period"].str.slice(0, 4), errors="coerce")
    late = np.zeros(len(sheets), dtype=bool)
    for f in final:
        late |= ((years == f.year) & sheets["file_id"].isin(f.late)).fillna(False).to_numpy().astype(bool)
    return sheets[~late]


def waiting(
    rows: pd.DataFrame, years: np.ndarray, final: Sequence[FinalYear], issues: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """An issue, with the columns of `issues`, for each row that a final year keeps waiting, and how many there are by year."""
    found, how_many = [], {}
    for f in final:
        at = rows.loc[(years == f.year) & rows["_file"].isin(f.late).to_numpy(), ["_file", "_table", "_sheet", "_row"]]
        if at.empty:
            continue
        d, how_many[str(f.year)] = f.decision, len(at)
        zh = f"{f.year} 年的数据已由管理局定案（{d.why_zh}；{d.by}，自 {d.since}），这一行在定案后收到，暂不计入；确需更正，请联系管理局。"
        en = (
            f"The bureau has declared {f.year} final ({d.why_en}; {d.by}, since {d.since}); this row arrived later and does not "
            "count. Where it must, ask the bureau."
        )
        found.append(
            pd.DataFrame(
                {"file_id": at["_file"], "table": at["_table"], "sheet": at["_sheet"], "row": at["_row"]}
            ).assign(
                code="doubtful",
                severity="error",
                message_zh=zh,
                message_en=en,
                responsibility="bureau",
                quarantines=True,
            )
        )
    if not found:
        return issues.iloc[:0], {}
    return pd.concat(found, ignore_index=True).reindex(columns=issues.columns).astype(issues.dtypes.to_dict()), how_many
