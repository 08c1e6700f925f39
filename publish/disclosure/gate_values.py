"""Gates over the published values: none, alone or with others and past releases, discloses what few institutions have.

Belongs here: primary suppression, provenance, ratios beside sums, differences of releases, recovery, membership, and sums that must add
up, each over the finished database. Not here: hiding anything (suppress.py), or the attacks themselves (audit.py).
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pandas as pd

from publish.disclosure.audit import Key, bounds, exposed, traced
from publish.disclosure.hiding import KEY, OF_CLOSED
from publish.disclosure.history import FROZEN_ZH, states, versions
from publish.disclosure.inspection import DATABASE, Inspection, open_database
from publish.disclosure.membership import State, families
from publish.disclosure.ties import ties
from publish.disclosure.wholes import hold, shown_values
from publish.schema import is_open
from publish.sources import disclosing_rows
from publish.wording import LANGUAGES, phrase

NARROWEST = 0.1  # bounds on a hidden value nearer to it than this share of it have found it


def _published(look: Inspection) -> pd.DataFrame:
    if "indicator_values" not in look.counts:
        return pd.DataFrame(columns=[*KEY, "value", "status", "note"])
    with closing(open_database(look)) as con:
        return pd.read_sql_query(f"select {', '.join(KEY)}, value, status, note from indicator_values", con)


def _closed(look: Inspection) -> pd.DataFrame:
    cells = look.known.cells
    columns = [*KEY, "value", "contributors", "largest_share", OF_CLOSED]
    closed = cells[cells["closed"].astype("boolean").fillna(True)].reindex(columns=columns)
    return closed.astype({"year": "int64"})


def _unsafe(look: Inspection, frame: pd.DataFrame, value: str) -> np.ndarray:
    columns = (frame[c].to_numpy(dtype=float, na_value=float("nan")) for c in ("contributors", "largest_share", value))
    return np.array(list(map(look.known.rules.unsafe, *columns)), dtype=bool)


def contributors(look: Inspection) -> int:
    """No published value that comes from closed rows has too few institutions behind it, or one too large."""
    both = _closed(look).merge(_published(look), on=KEY, how="inner", suffixes=("_true", ""))
    shown = both[both["value"].notna()]
    for row in shown[_unsafe(look, shown, "value_true")][KEY].itertuples(index=False):
        look.hit(
            f"{DATABASE} indicator_values {'/'.join(map(str, row))}", "too few institutions contribute to this value"
        )
    marked = both[(both["status"] == "Q") & both["value"].notna()]
    for row in marked[KEY].itertuples(index=False):
        look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, row))}", "a suppressed value is there")
    beside = (
        ("claims", "claim_id", "c.computed_value is not null or c.difference is not null"),
        ("claims", "claim_id", "c.explanation_zh <> :zh or c.explanation_en <> :en"),
        ("claims", "claim_id", "coalesce(c.basis, c.wording_zh) is not null"),
        ("savings_statement", "line", "c.value is not null"),
        ("benchmark_distances", "benchmark_id", "coalesce(c.value, c.difference, c.percent, c.reached) is not null"),
    )
    for table, name, disclosing in beside:
        if table in look.counts:
            keys = " and ".join(f"c.{k} = v.{k}" for k in KEY if k != "year" or table != "claims")
            if table == "claims":  # one about several years rests on each of them
                keys += " and v.year between coalesce(c.first_year, c.year) and c.year"
            sql = f"select c.{name} from {table} c join indicator_values v on {keys} where v.status = 'Q' and ({disclosing})"
            with closing(open_database(look)) as con:
                for (row,) in con.execute(
                    sql, {str(at): phrase("suppressed", "claim", at) for at in LANGUAGES} if ":zh" in sql else {}
                ):
                    look.hit(f"{DATABASE} {table} {row}", "it shows a value that is suppressed")
    return len(both)


def sources(look: Inspection) -> int:
    """Provenance discloses no suppressed value, and no place in a dataset that is not open in rows."""
    if "provenance" not in look.counts:
        return 0
    with closing(open_database(look)) as con:
        placed = """select dataset, min(rowid) from provenance
            where coalesce(sheet, sheet_rows, district, org_type, level, letter) is not null group by dataset order by dataset"""
        for dataset, row in con.execute(placed):
            contract = look.known.contracts.get(dataset)
            if contract is None or not is_open(contract):
                look.hit(
                    f"{DATABASE} provenance row {row}", f"it names a place in {dataset}, which is not open in rows"
                )
        for row, *key in con.execute(disclosing_rows()):
            look.hit(
                f"{DATABASE} provenance row {row}",
                f"it names a source of the suppressed value {'/'.join(map(str, key))}",
            )
        return int(con.execute("select count(*) from provenance").fetchone()[0])


def ratios_beside_sums(look: Inspection) -> int:
    """No published ratio or comparison lets a reader recover the value of a small or dominated group by differencing with sums."""
    shown = _published(look)
    shown = shown[shown["value"].notna()].astype({"year": "int64"})
    cells = look.known.cells.astype({"year": "int64"})
    counted = shown.merge(cells[[*KEY, "contributors", "closed"]], on=KEY)
    secret = counted["closed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
    frozen = counted["note"].fillna("").str.contains(FROZEN_ZH, regex=False).to_numpy(dtype=bool)
    known = look.known
    between = ties(counted, known.indicators, known.parts, frozen, known.kept, cells)
    found = [t for t in between if secret[t.tie]]
    for n in sorted({t.tie for t in found if t.unsafe(look.known.rules)}):
        look.hit(
            f"{DATABASE} indicator_values {'/'.join(map(str, counted[KEY].iloc[n]))}",
            "with published sums it gives what a few institutions have that it leaves out",
        )
    return len(found)


def differences(look: Inspection) -> int:
    """Each movement since a past release is that of enough institutions, and no frozen value's new state can be derived."""
    shown = _published(look)
    if shown.empty or not look.known.past:
        return 0
    shown = shown.astype({"year": "int64"}).merge(_closed(look)[[*KEY, "value"]], on=KEY, suffixes=("", "_true"))
    frozen = shown["note"].fillna("").str.contains(FROZEN_ZH, regex=False).to_numpy(dtype=bool)
    known = shown["value"].notna().to_numpy(dtype=bool) & ~frozen
    true = shown.assign(value=shown["value_true"])
    seen = versions(true, look.known.parts, list(look.known.past), look.known.indicators, look.known.rules)
    public = np.any([v.current & v.same for v in seen], axis=0)
    rows: list[Key] = [tuple(r) for r in shown[KEY].itertuples(index=False)]
    kinds = {name: i.kind for name, i in look.known.indicators.items()}
    for v in seen:
        for n in traced(rows, kinds, known, public, v.current, v.same, v.few):
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, rows[n]))}",
                f"its difference from release {v.release_id} is that of too few institutions",
            )
    return len(rows) * len(seen)


def recovery(look: Inspection) -> int:
    """No hidden value that had to be hidden can be had back from the published ones by linear programming."""
    closed = _closed(look)
    closed = closed[closed["value"].notna() & (closed["contributors"].fillna(1) > 0)]
    targets = closed[_unsafe(look, closed, "value")]
    for past in look.known.past:  # what a release showed under weaker rules is known, whatever this one shows
        then = past.cells[[*KEY, "value"]].astype({"year": "int64"}).rename(columns={"value": "then"})
        targets = targets.merge(then, on=KEY, how="left")
        targets = targets[targets["value"] != targets["then"]].drop(columns="then")
    keys = [tuple(r) for r in targets[KEY].itertuples(index=False)]
    # Of a sum of open and closed rows a reader knows the open part, and the secret is the rest.
    secret = targets[OF_CLOSED].fillna(targets["value"]).abs()
    wide = {k: (v - NARROWEST * s, v + NARROWEST * s) for k, v, s in zip(keys, targets["value"], secret, strict=True)}
    all_keys = map(tuple, closed[KEY].to_numpy())
    floor = {
        k: f for k, f in zip(all_keys, closed["value"] - closed[OF_CLOSED].fillna(closed["value"]), strict=True) if f
    }
    kinds = {name: i.kind for name, i in look.known.indicators.items()}
    found = bounds(_published(look), kinds, keys, enough=wide, floor=floor, kept=look.known.kept)
    for key, true, of_closed in zip(keys, targets["value"], secret, strict=True):
        low, high = found[key]
        near = NARROWEST * of_closed
        if low > true - near and true > 0 and high < true + near:
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, key))}",
                "this hidden value can be computed from others",
            )
    return len(keys)


def wholes(look: Inspection) -> int:
    """Wholes are the sum of their parts, ratios the quotient and changes the difference of the published figures."""
    if "indicator_values" not in look.counts or look.known.wholes is None:
        return 0
    with closing(open_database(look)) as con:
        have = {r[1] for r in con.execute("pragma table_info(indicator_values)")}
        counts = [c if c in have else f"null as {c}" for c in ("reporting", "population")]
        rows = con.execute(
            f"select {', '.join(KEY)}, value, note, {', '.join(counts)} from indicator_values"
        ).fetchall()
    found = hold(shown_values(rows), look.known.wholes)
    for cell, wrong in found.broken:
        look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, cell))}", wrong)
    return found.looked_at


def institutions(look: Inspection) -> int:
    """Nothing of one institution, or of two, follows from all published values together, and no sum over few; the number of
    values that take part."""
    if look.known.parts is None:
        return 0
    shown = _published(look).astype({"year": "int64"}).merge(_closed(look)[KEY], on=KEY)
    own = ~shown["note"].fillna("").str.contains(FROZEN_ZH, regex=False) & shown["value"].notna()
    disclosing = np.zeros(len(shown), dtype=bool)
    for past in look.known.past:
        if past.parts is None:
            then = past.cells[[*KEY, "value"]].astype({"year": "int64"}).rename(columns={"value": "then"})
            disclosing |= (shown.merge(then, on=KEY, how="left")["then"] == shown["value"]).to_numpy(dtype=bool)
    now = State(shown, own.to_numpy(dtype=bool), look.known.parts, disclosing)
    found = families([*states(list(look.known.past)), now], look.known.indicators, look.known.kept)
    for family in found:
        for n, rule in exposed(family, look.known.rules):
            look.hit(f"{DATABASE} indicator_values {'/'.join(map(str, shown[KEY].iloc[n]))}", rule)
    covered = {n for family in found for cells in family.cells for n in cells}
    for n in map(int, np.flatnonzero(now.shown)):
        if n not in covered:
            look.hit(
                f"{DATABASE} indicator_values {'/'.join(map(str, shown[KEY].iloc[n]))}",
                "it is not known which institutions contribute to it",
            )
    return len(covered)
