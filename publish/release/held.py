"""The bureau's list of frozen values: as last published, while the records give another.

Belongs here: why each of them is held, and the file in HOME/feedback/_bureau. Not here: which are held
(publish/disclosure/history.py). The list holds closed values and never leaves the home.
"""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.core.home import Home, whole_file
from publish.disclosure.corrections import Corrected
from publish.disclosure.hiding import KEY
from publish.disclosure.history import FrozenCells, Past
from publish.disclosure.suppress import Rules
from publish.wording import frozen_because

HEADINGS = {
    "indicator_id": "指标编号",
    "name_zh": "指标名称",
    "year": "年度",
    "dimension": "分组",
    "member": "组别",
    "factor_set": "系数组",
    "published": "已公布数值",
    "by_records": "按现有记录计算",
    "unit": "计量单位",
    "since": "公布值出自版本",
    "changed": "此后变动的单位数",
    "why": "沿用原因",
    "withdrawn": "是否已撤回",
}


def held(
    cells: pd.DataFrame, corrected: Corrected, frozen: FrozenCells, past: list[Past], rules: Rules
) -> pd.DataFrame:
    """One row per figure that stands as last published, or is withdrawn for being wrong, in the columns of HEADINGS but the name.

    `cells` are those of the records, in the same order. `since` is the release whose state the figure shows, `changed` how many
    institutions have moved it since.
    """
    at = np.flatnonzero(frozen.frozen)
    since = np.full(len(cells), "", dtype=object)
    changed, share = np.zeros(len(cells)), np.zeros(len(cells))
    for v in frozen.past_versions:
        since[v.current] = v.release_id
        changed, share = np.where(v.current, v.changed, changed), np.where(v.current, v.share, share)
    out = cells.iloc[at][KEY].assign(
        published=frozen.cells["value"].iloc[at],
        by_records=cells["value"].iloc[at],
        unit=cells["unit"].iloc[at],
        since=since[at],
        changed=changed[at].astype(int),
        why=[_why(n, s, rules) for n, s in zip(changed[at], share[at], strict=True)],
        withdrawn=np.where(corrected.withdrawn[at], "是", "否"),
    )
    return out.reset_index(drop=True)


def _why(changed: float, share: float, rules: Rules) -> str:
    if 0 < changed < rules.min_contributors:
        return frozen_because("few_changed", least=rules.min_contributors)
    if share > rules.max_share:
        return frozen_because("one_dominates", share=f"{rules.max_share:.0%}")
    return frozen_because("others_follow")


def write_held(home: Home, waiting: pd.DataFrame, indicators: pa.Table) -> None:
    """Writes the list to HOME/feedback/_bureau/held.csv, for the owner alone; takes an old one away where nothing is held."""
    path = home.feedback / "_bureau" / "held.csv"
    if waiting.empty:
        path.unlink(missing_ok=True)
        return
    home.feedback.mkdir(mode=0o700, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    names = dict(zip(*(indicators[c].to_pylist() for c in ("indicator_id", "name_zh")), strict=True))
    rows = waiting.assign(name_zh=waiting["indicator_id"].map(names))[list(HEADINGS)]
    with whole_file(path) as part:
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8-sig", newline="") as f:
            out = csv.writer(f)
            out.writerow(HEADINGS.values())
            out.writerows(rows.itertuples(index=False, name=None))
