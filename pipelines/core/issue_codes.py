"""The issue codes with their names and severities, from issue_codes.toml.

Belongs here: that list, for every stage, the files sent back and the site. Not here: the sentences (pipelines/intake/messages.py).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """A short name in Chinese and English, and the severity unless a contract's rule states another. `rule`: a contract's rule may name
    the code; `quarantines`: it puts the row in quarantine even where its column is optional."""

    zh: str
    en: str
    severity: Literal["error", "warning"]
    rule: bool = False
    quarantines: bool = False


ISSUE_CODES: dict[str, Code] = {
    name: Code(**fields)
    for name, fields in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
