"""Which code makes releases. Belongs here: that one question."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("pipelines", "expectations", "dbt_project", "publish")
# They show a release, or make up what one is computed from: a stylesheet changes no figure, and makes no new release.
BESIDE = ("publish/site", "pipelines/sample")
KINDS = {".py", ".yaml", ".yml", ".sql", ".csv", ".toml"}
OURS_ONLY = {"target", "logs", "__pycache__"}


@lru_cache
def code_version() -> str:
    """The version and eight digits of the code's own hash, e.g. `0.1.0+1a2b3c4d`: it changes when what is computed may.

    A commit's hash would not do: an installed copy has none, and a changed comment in a test would alter every release.
    """
    h = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if counts(path) and path.is_file():
                h.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('mingzhang')}+{h.hexdigest()[:8]}"


def counts(path: Path) -> bool:
    """Whether what a file of the project says may change a release."""
    name = path.relative_to(ROOT)
    beside = any(name.is_relative_to(b) for b in BESIDE)
    return path.suffix in KINDS and not beside and not OURS_ONLY & set(name.parts)
