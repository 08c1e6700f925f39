"""The published totals that a doubted figure hides or moves: their list for the bureau.

Belongs here: which open doubt is about the institution that keeps a total from being shown, or moved it. Not here: what is
doubted (the contracts' rules, pipelines/records/doubts.py), or what is hidden (publish/disclosure). The list names institutions
behind hidden values and never leaves the home.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines.core.home import Home, whole_file

if TYPE_CHECKING:  # a run with nothing to do reads the list and nothing else
    import pandas as pd

    from publish.disclosure.suppress import Rules
    from publish.release.warehouse import Warehouse

MOVES = 0.1  # of the total of the year before: a doubted institution that moved it by more is told
HEADINGS = {
    "indicator_id": "指标编号",
    "name_zh": "指标名称",
    "year": "年度",
    "institution": "单位",
    "effect": "影响",  # hidden, moved
    "share": "该单位占比",
    "dataset": "数据集",
    "column": "列",
    "file": "文件",
    "message_zh": "说明",
    "message_en": "Message",
}


def doubted(w: Warehouse, cells: pd.DataFrame, rules: Rules) -> list[dict[str, Any]]:
    """One entry, in the columns of HEADINGS, for each indicator and year whose total is hidden because one institution is most
    of it, or was moved by more than MOVES of the year before, where an open doubt is about that institution's figures.

    `cells` are those of the release, suppressed. Raises GateRefused where the warehouse does not say who contributes what.
    """
    for mart in ("doubts", "parts_of_totals", "datasets_of_totals"):
        w.require("marts", mart)
    doubts = w.con.sql('from marts.doubts order by dataset, org, year, "column"').to_arrow_table().to_pylist()
    if not doubts:
        return []
    totals = cells[(cells["dimension"] == "total") & cells["status"].isin(["A", "E", "P", "Q"])]
    state = {
        (i, int(y), f): s == "Q"
        for i, y, f, s in totals[["indicator_id", "year", "factor_set", "status"]].itertuples(index=False, name=None)
    }
    rests = set(w.con.sql("select indicator_id, year, dataset from marts.datasets_of_totals").fetchall())
    names = dict(w.con.sql("select indicator_id, name_zh from marts.indicators").fetchall())
    english = dict(w.con.sql("select indicator_id, name_en from marts.indicators").fetchall())
    years = {d["year"] - n for d in doubts if d["year"] is not None for n in (0, 1)}
    parts = _parts(w, sorted({d["org"] for d in doubts}), sorted(years))
    out: dict[tuple[Any, ...], dict[str, Any]] = {}
    for indicator, factor_set, year, org, own, before, whole, whole_before in parts:
        hidden = state.get((indicator, year, factor_set))
        if hidden is None or not whole:
            continue
        share = abs(own) / whole
        moved = None if not whole_before or before is None else abs(own - before) / whole_before
        if hidden and share > rules.max_share:
            effect = "hidden"
        elif not hidden and moved is not None and moved > MOVES:
            effect = "moved"
        else:
            continue
        for d in doubts:
            if (d["org"], d["year"]) != (org, year) or (indicator, year, d["dataset"]) not in rests:
                continue
            of_total = d["institution"], year, str(names.get(indicator)), str(english.get(indicator))
            entry = {
                "indicator_id": indicator,
                "name_zh": names.get(indicator),
                "year": year,
                "effect": effect,
                "share": round(share, 4),
                **{k: d[k] for k in ("institution", "dataset", "column", "file")},
                "message_zh": _zh(*of_total, effect, moved) + d["message_zh"],
                "message_en": _en(*of_total, effect, moved) + d["message_en"],
            }
            out.setdefault((indicator, year, org), entry)  # one line, whatever its factor sets
    return [out[k] for k in sorted(out)]


def _parts(w: Warehouse, orgs: list[str], years: list[int]) -> list[tuple[Any, ...]]:
    """(indicator, factor set, year, institution, its part, its part of the year before, all parts, all of the year before);
    sizes, so that parts of both signs do not hide one another. Only `years` are looked at."""
    w.con.execute("create or replace temp table doubted_orgs as select unnest(?) as org", [orgs])
    w.con.execute("create or replace temp table doubted_years as select unnest(cast(? as integer[])) as year", [years])
    return w.con.sql("""
        with parts as (from marts.parts_of_totals where year in (select year from doubted_years)),
        wholes as (select indicator_id, factor_set, year, sum(abs(part)) as whole from parts group by all)
        select p.indicator_id, p.factor_set, p.year, p.org, p.part, b.part, w.whole, wb.whole
        from parts p
        inner join doubted_orgs using (org)
        inner join wholes w on w.indicator_id = p.indicator_id and w.factor_set = p.factor_set and w.year = p.year
        left join parts b
            on b.indicator_id = p.indicator_id and b.factor_set = p.factor_set and b.org = p.org and b.year = p.year - 1
        left join wholes wb
            on wb.indicator_id = p.indicator_id and wb.factor_set = p.factor_set and wb.year = p.year - 1
        where p.part is not null
        order by all""").fetchall()


def _zh(who: str, year: int, name: str, _: str, effect: str, moved: float | None) -> str:
    if effect == "hidden":
        return f"“{name}”{year} 年全市合计因“{who}”的可疑值被隐去（一家占比过大）："
    return f"“{name}”{year} 年全市合计因“{who}”的可疑值变动了上年的 {moved:.0%}："


def _en(who: str, year: int, _: str, name: str, effect: str, moved: float | None) -> str:
    if effect == "hidden":
        return f"The city's total of '{name}' for {year} is hidden because of a doubtful figure of '{who}', which dominates it: "
    return f"A doubtful figure of '{who}' moved the city's total of '{name}' for {year} by {moved:.0%} of the year before: "


def _path(home: Home) -> Any:
    return home.feedback / "_bureau" / "doubted.csv"


def write_doubted(home: Home, entries: Iterable[dict[str, Any]]) -> None:
    """Writes HOME/feedback/_bureau/doubted.csv, for the owner alone; takes an old one away where there is nothing to say."""
    path, rows = _path(home), list(entries)
    if not rows:
        path.unlink(missing_ok=True)
        return
    for folder in (home.feedback, path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    with whole_file(path) as part:
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8-sig", newline="") as f:
            out = csv.writer(f)
            out.writerow(HEADINGS.values())
            out.writerows([r[k] for k in HEADINGS] for r in rows)


def read_doubted(home: Home) -> list[dict[str, str]]:
    """The list as it was last written, by the names of HEADINGS; [] where there is none."""
    path = _path(home)
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as f:
        lines = csv.reader(f)
        next(lines)
        return [dict(zip(HEADINGS, line, strict=True)) for line in lines]
