"""The store of past releases, which later ones are compared with: HOME/work/disclosure, never in a release.

Belongs here: what is kept of a release, and reading it back. Not here: what follows from it (history.py).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipelines.core.digests import file_sha256
from pipelines.core.home import Home, release_folders, whole_file
from publish.disclosure.contributions import Parts
from publish.disclosure.hiding import COUNTS, KEY
from publish.disclosure.kept import ResultCache

SHOWN = ["value", "status", *COUNTS, "factor_set", "synthetic", "note"]


@dataclass(frozen=True)
class Past:
    """A release that was made. `parts`: what each institution contributed then, None where that is not known any more;
    `cells`: its figures as published, with the contributors and largest share of each."""

    release_id: str
    parts: Path | None
    cells: pd.DataFrame
    kept: bool = True  # False: the memory is gone, and only what was published is known


def remember(home: Home, release_id: str, cells: pd.DataFrame, parts: Parts | None) -> None:
    """Keeps what the next release must be held against. `cells` as published; `parts` in the columns PARTS."""
    folder = _folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named = "none"
    if isinstance(parts, Path):
        named = file_sha256(parts)[:16]
        with whole_file(folder / f"parts-{named}.parquet", durable=True) as part:
            shutil.copyfile(parts, part)
    elif parts is not None:
        named = hashlib.sha256(pd.util.hash_pandas_object(parts, index=False).to_numpy().tobytes()).hexdigest()[:16]
        with whole_file(folder / f"parts-{named}.parquet", durable=True) as part:
            parts.to_parquet(part, index=False)
    number = max((int(p.name[:6]) for p in folder.glob("??????-*.parquet")), default=0) + 1
    for old in folder.glob(f"??????-{release_id}-*.parquet"):
        old.unlink()
    with whole_file(folder / f"{number:06d}-{release_id}-{named}.parquet", durable=True) as part:
        kept = [*KEY, *(c for c in SHOWN if c not in KEY), "unit", "contributors", "largest_share", "closed"]
        cells.reindex(columns=kept).to_parquet(part, index=False)


def recall(home: Home) -> list[Past]:
    """Every release made in this home, the oldest first. Of one whose memory was thrown away with `work`, what it
    published is read again from its folder; what stood behind it is then not known."""
    out = []
    for path in sorted(_folder(home).glob("??????-*.parquet")):
        release_id, _, named = path.stem[7:].rpartition("-")
        parts = _folder(home) / f"parts-{named}.parquet"
        out.append(Past(release_id, parts if parts.is_file() else None, pd.read_parquet(path)))
    remembered = {p.release_id for p in out}
    forgotten = []
    for folder in release_folders(home.releases):
        path = folder / "parquet" / "indicator_values.parquet"
        if folder.name not in remembered and path.is_file():
            cells = pd.read_parquet(path).assign(contributors=None, largest_share=None)
            forgotten.append((path.stat().st_mtime_ns, Past(folder.name, None, cells, kept=False)))
    return [p for _, p in sorted(forgotten, key=lambda x: (x[0], x[1].release_id))] + out


def unsaved(home: Home) -> Path:
    """Where the parts of a release lie while it is made; its folder is there."""
    _folder(home).mkdir(mode=0o700, parents=True, exist_ok=True)
    return _folder(home) / ".parts.parquet"


def solved(home: Home) -> ResultCache:
    """What was worked out for past releases of this home."""
    return ResultCache(_folder(home) / "solved")


def _folder(home: Home) -> Path:
    return home.work / "disclosure"
