"""The results of parsing a cell that are no plain value: bad and doubtful.

Belongs here: the shapes alone. `variant` names the message: `bad_type.<variant>`, `doubtful.<variant>` in messages.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell that cannot be read; the variant '' is the plain message. `said`: the text beside it that is to blame."""

    variant: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class DoubtfulValue:
    """A value that was parsed, with evidence against it."""

    value: Any
    variant: str = "approximate"


BAD = Bad()
PENDING = Bad("pending")
NOUGHT = Bad("nought")  # a date cell that holds 0: a look-up of an empty cell gives that
