"""The codes of what may be wrong: which there are and what each is called, from issue_codes.toml.

Belongs here: that list, for every stage, the files sent back and the site. Not here: what a department is told (intake/messages.py).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Code:
    """A short name in Chinese and English; `rule`: a contract's rule may name it."""

    zh: str
    en: str
    rule: bool = False


ISSUE_CODES: dict[str, Code] = {
    name: Code(**fields)
    for name, fields in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
