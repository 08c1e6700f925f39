"""The public rows of the statements, with their sentences, as far as suppressed and frozen values allow.

Belongs here: what a statement shows that rests on a suppressed or frozen value. Not here: its result and its judgement (dbt), or the
templates of its sentences (publish/wording.toml).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.core.sql import identifier as _id
from publish.errors import ReleaseError
from publish.release.warehouse import MART, Warehouse, from_rows
from publish.wording import CLAIM_FACTS, LANGUAGES, Language, explanation, phrase, verdict, wording

# What a statement's row says beyond its number, from values beside the one it rests on.
VERDICT = (
    "verdict", "verdict_zh", "verdict_en", "wording_status", "wording_zh", "wording_en", "basis", "basis_count", "basis_match",
)  # fmt: skip
VERDICTS = {"match": "holds", "within_qualifier": "holds", "mismatch": "differs"}


def uses_other_values(claim: Mapping[str, Any]) -> bool:
    """Whether a statement's verdict rests on other years or other factor sets too (dbt's macro wording_rule)."""
    return claim["basis"] is not None or claim["word"] in ("同比", "每年")


def claims(w: Warehouse, cells: pd.DataFrame, held: np.ndarray, last: Path | None) -> pa.Table:
    """The statements. One that rests on a suppressed value shows no value, no difference and no explanation that names it;
    one that rests on a value that stands as in the `last` release (`held`) stands as it did there. One about several years
    rests on each of them, and says nothing where some of them stand and others moved. What is said of its wording and of other
    factor sets looks at values beside its own; where any of those is suppressed or stands, it is left out."""
    t = MART["claims"]
    rows = w.take("marts", "claims", t).to_pylist()
    sentences = claim_sentences(w)
    rows = [r | sentences[r["claim_id"]] for r in rows]
    key = ["indicator_id", "year", "dimension", "member", "factor_set"]
    hidden = {tuple(k) for k in cells.loc[cells["status"] == "Q", key].itertuples(index=False)}
    kept = {tuple(k) for k in cells.loc[held, key].itertuples(index=False)}
    before = {r["claim_id"]: r for r in pq.read_table(last).to_pylist()} if kept and last is not None else {}
    result = ("computed_value", "difference", "check_status", "evidence", "explanation_zh", "explanation_en", *VERDICT)
    beside = {(i, d, m) for i, _, d, m, _ in hidden | kept}
    moved: set[tuple[Any, ...]] = set()
    if before and last is not None:
        shown = pq.read_table(last.with_name("indicator_values.parquet"), columns=[*key, "value"]).to_pylist()
        then = {tuple(r[k] for k in key): r["value"] for r in shown}
        now = zip(cells[key].itertuples(index=False, name=None), cells["value"], strict=True)
        moved = {k for k, v in now if then.get(k) != (None if pd.isna(v) else v)}
    for r in rows:
        old = before.get(r["claim_id"])
        first = r["year"] if r["first_year"] is None else r["first_year"]
        years = range(first, r["year"] + 1) if r["year"] is not None else ()
        places = {(r["indicator_id"], y, *(r[k] for k in key[2:])) for y in years}
        same = old is not None and all(old.get(c) == r[c] for c in (*key, "value", "unit", "qualifier", "sql"))
        if places & kept and not places & (hidden | moved) and old is not None and same:
            r |= {c: old.get(c) for c in result}
        elif places & (hidden | kept):
            r |= {"computed_value": None, "difference": None, "evidence": None, "check_status": "no_data"}
            r |= (
                {f"explanation_{lang}": phrase("suppressed", "claim", lang) for lang in LANGUAGES}
                | dict.fromkeys(VERDICT)
                | {"verdict": "no_data"}
            )
        elif uses_other_values(r) and (r["indicator_id"], r["dimension"], r["member"]) in beside:
            r |= dict.fromkeys(VERDICT) | {"verdict": VERDICTS.get(r["check_status"], r["check_status"])}
    return from_rows(rows, t)


def claim_sentences(w: Warehouse) -> dict[str, dict[str, str | None]]:
    """The public columns of each statement that are sentences, by claim_id. Raises ReleaseError where one has no explanation."""
    w.require("marts", "claims", *CLAIM_FACTS)
    w.require("marts", "datasets")
    titles: dict[str, dict[Language, str | None]] = {
        name: {"zh": zh, "en": en}
        for name, zh, en in w.con.sql("select dataset, title_zh, title_en from marts.datasets").fetchall()
    }
    facts = w.arrow(f"select claim_id, {', '.join(map(_id, CLAIM_FACTS))} from marts.claims")
    out: dict[str, dict[str, str | None]] = {}
    for claim in facts.to_pylist():
        found = out[claim["claim_id"]] = {}
        for lang in LANGUAGES:
            found[f"explanation_{lang}"] = explanation(claim, titles, lang)
            found[f"verdict_{lang}"], found[f"wording_{lang}"] = verdict(claim, lang), wording(claim, lang)
            if found[f"explanation_{lang}"] is None:
                raise ReleaseError(
                    f"The statement {claim['claim_id']} is {claim['check_status']} without a sentence that says why; complete its "
                    "row in claims.csv of the city's folder."
                )
    return out


def computed_claims(w: Warehouse) -> list[str]:
    """The statements of which the marts have a computed value, whether or not it may be shown."""
    found = w.con.sql("select claim_id from marts.claims where computed_value is not null order by 1").fetchall()
    return [name for (name,) in found]
