"""Fingerprints of code: the files that each stage's output depends on, and their digest.

Belongs here: the one list of the stages' files. Not here: a stage's inputs, or whether it is stale (pipelines/stages.py).

A commit's hash would not do: an installed copy has none, and a changed comment in a test would make every stage stale.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = frozenset({".py", ".yaml", ".yml", ".sql", ".csv", ".toml"})
OURS_ONLY = frozenset({"target", "logs", "__pycache__"})  # written by tools into folders of code

CORE = ("pipelines/core",)
CONTRACTS = ("expectations",)
# The files that each stage's output depends on, besides its inputs. The site (publish/site) and the made-up city (pipelines/sample) are
# in none: a stylesheet makes no new release.
STAGES: dict[str, tuple[str, ...]] = {
    "city": (*CORE, "pipelines/statistics", "dbt_project/seeds"),
    "received": (*CORE, "pipelines/sources", "pipelines/intake"),
    "readings": (*CORE, *CONTRACTS, "pipelines/intake", "pipelines/sources"),
    "records": (*CORE, *CONTRACTS, "pipelines/records", "pipelines/intake", "pipelines/sources"),
    "feedback": (*CORE, *CONTRACTS, "pipelines/feedback", "pipelines/records", "pipelines/intake", "pipelines/sources"),
    "statistics": (*CORE, *CONTRACTS, "pipelines/statistics", "pipelines/records", "dbt_project"),
    "release": (
        *CORE,
        *CONTRACTS,
        "pipelines/statistics",
        "pipelines/records",
        "pipelines/intake",
        "pipelines/sources",
        "pipelines/feedback",
        "publish/catalog",
        "publish/disclosure",
        "publish/release",
        "publish/errors.py",
        "publish/files.py",
        "publish/names.py",
        "publish/names.toml",
        "publish/schema.py",
        "publish/sources.py",
        "publish/wording.py",
        "publish/wording.toml",
        "dbt_project/models/marts",  # the schema of the public tables
        "dbt_project/models/marts/marts.yml",  # what publish/schema.py reads
    ),
}


@lru_cache
def code_of(*parts: str) -> str:
    """Digest the files of these folders and files of the project, named from its root; 16 hexadecimal digits.

    Only files whose kind can change a result count (KINDS). Raises FileNotFoundError where a part does not exist: a part that is
    misspelt would never change.
    """
    h = hashlib.sha256()
    for path in files_of(*parts):
        h.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()[:16]


def files_of(*parts: str) -> list[Path]:
    """The files that `code_of` reads, each once, in order."""
    out: set[Path] = set()
    for part in parts:
        whole = ROOT / part
        if not whole.exists():
            raise FileNotFoundError(f"The project has no {part}, of which a fingerprint was asked.")
        found = [whole] if whole.is_file() else whole.rglob("*")
        out |= {
            p for p in found if p.suffix in KINDS and p.is_file() and not OURS_ONLY & set(p.relative_to(ROOT).parts)
        }
    return sorted(out)


def code_version() -> str:
    """The version of the package and eight digits over the code of every stage, e.g. `0.1.0+1a2b3c4d`."""
    every = "".join(f"{name} {code_of(*parts)}\n" for name, parts in STAGES.items())
    return f"{version('mingzhang')}+{hashlib.sha256(every.encode()).hexdigest()[:8]}"
