"""A release that is held: kept beside the releases, whole and sealed, until a person accepts it or other inputs take its place.

Belongs here: putting it into HOME/held and publishing it from there. Not here: what holds a release (movement.py), or finding the
one that is held (store.py).

HOME/held/<release_id> is the release as it would be published. What the home must remember of it lies apart in
HOME/work/held/<release_id>, because it is no part of a release. A crash at any point leaves it held, or published, or not there.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from expectations.contract import Contracts
from pipelines.core import audit
from pipelines.core.home import Home, sync, whole_file
from pipelines.sources import decisions
from publish.disclosure import past_releases
from publish.errors import NoSuchRelease, ReleaseError
from publish.files import CODINGS
from publish.release import movement, store, tables
from publish.release.compress import compress

KIND = "accept"
MEASURE, CELLS, PARTS = "measure.json", "cells.parquet", "parts.parquet"
REWRITTEN = ("release.json", "changes.json", store.SUMS)
CODED = tuple(name + suffix for name in REWRITTEN for suffix in CODINGS.values())  # copies of what is written anew


def hold(
    home: Home,
    folder: Path,
    release_id: str,
    previous: str,
    reasons: list[str],
    cells: pd.DataFrame,
    parts: Path | None,
    taken: movement.Measure,
) -> None:
    """Moves the sealed release in `folder` to HOME/held, in place of one that was held before. `cells` and `parts` as for
    past_releases.remember."""
    store.drop_held(home)
    inside = home.work / "held" / release_id
    for made in (inside, home.held):
        made.mkdir(mode=0o700, parents=True)
    cells.to_parquet(inside / CELLS, index=False)
    if parts is not None:
        shutil.copyfile(parts, inside / PARTS)
    for made in inside.iterdir():
        sync(made)
    movement.write(inside / MEASURE, taken)
    with whole_file(inside / store.NOTE, durable=True) as part:
        part.write_text(json.dumps({"previous": previous, "reasons": reasons}, ensure_ascii=False), encoding="utf-8")
    folder.rename(home.held / release_id)
    sync(home.held)


def accepted(home: Home, release_id: str) -> dict[str, str] | None:
    """Who accepted a release, why and since when, as release.json says it; None where nobody did."""
    found = [d for d in decisions.read(home, [KIND]) if d.target == release_id]
    if not found:
        return None
    d = found[-1]
    return {"by": d.by, "why_zh": d.why_zh, "why_en": d.why_en, "on": d.since}


def accept(home: Home, contracts: Contracts, release_id: str, by: str, why_zh: str, why_en: str) -> Path:
    """Publishes the release that is held, and writes down who wanted it and why. Gives its folder.

    Who and why are published, so they are looked through like every other text of a release. Raises NoSuchRelease, ReleaseError, HomeBusy; the last release is then untouched.
    """
    with home.locked():
        found = store.held(home)
        if found is None or found.release_id != release_id:
            what = f"; the one that is held is {found.release_id}" if found else ""
            raise NoSuchRelease(f"{home.root} holds no release {release_id}{what}: 'mingzhang releases list' shows it.")
        now = store.current(home)
        if now is None or now.name not in (found.previous, release_id):
            raise ReleaseError(
                f"Release {release_id} was held against {found.previous}, which is not current any more; run again to hold it "
                "against the one that is."
            )
        if wrong := store.wrong_files(found.path):
            raise ReleaseError(
                f"Release {release_id} is damaged and was not published: {wrong[0]} Run again to make it anew."
            )
        with tables.Warehouse(home.warehouse) as w:
            opened = {c.dataset: found.path / "parquet" / f"{c.dataset}.parquet" for c in contracts.values()}
            read = {name: pq.read_table(path) for name, path in opened.items() if path.is_file()}
            scanner = tables.scanner(w, contracts, read)
        for text in (by, why_zh, why_en):
            if broken := scanner.text(text):
                raise ReleaseError(
                    f"Who accepts and why is published, and this text may not be ({broken}); write it otherwise."
                )
        if accepted(home, release_id) is None:
            decisions.add(home, KIND, release_id, by, why_zh, why_en)
        return _publish(home, found)


def _publish(home: Home, found: store.HeldRelease) -> Path:
    final = home.releases / found.release_id
    if not final.is_dir():
        folder = home.releases / f"{store.BUILDING}{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            shutil.copytree(
                found.path, folder, copy_function=os.link, ignore=shutil.ignore_patterns(*REWRITTEN, *CODED)
            )
            for name in ("release.json", "changes.json"):
                record = json.loads((found.path / name).read_text(encoding="utf-8"))
                write_json(folder / name, record | {"accepted": accepted(home, found.release_id)})
            compress(folder, found.path)
            store.seal(folder)
            folder.rename(final)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sync(home.releases)
    parts = found.inside / PARTS
    past_releases.remember(
        home, found.release_id, pd.read_parquet(found.inside / CELLS), parts if parts.is_file() else None
    )
    taken = movement.read(found.inside / MEASURE)
    if taken is not None:
        movement.keep(home, found.release_id, taken)
    audit.write(home, "released", found.release_id, instead_of=found.previous)
    store.switch(home, found.release_id)
    store.drop_held(home)
    return final


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Writes one of a release's own notes."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")
