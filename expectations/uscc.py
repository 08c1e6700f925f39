"""The unified social credit code (统一社会信用代码): its two check characters, computed.

Belongs here: pure functions over one code. Not here: who holds a code (pipelines/records/institutions.py).
Source: GB 32100-2015 for the 18th character, GB 11714-1997 for the organisation code inside it (characters 9 to 17).
"""

from __future__ import annotations

import re

from pipelines.core.text import squeeze

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # 31 characters: I, O, S, V and Z are left out
_VALUE = {c: i for i, c in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def fold(text: str) -> str:
    """Fold a code for comparison: full width to half, no white space or hyphens, upper case."""
    return squeeze(text).replace("-", "").upper()


def check_character(first17: str) -> str | None:
    """Compute the 18th character from the first 17; None where one of them is not allowed in a code."""
    if len(first17) != 17 or any(c not in _VALUE for c in first17):
        return None
    return ALPHABET[-sum(_VALUE[c] * w for c, w in zip(first17, _WEIGHTS, strict=True)) % 31]


def is_valid(code: str) -> bool:
    """Whether a code has 18 characters and the right last one."""
    return len(code) == 18 and check_character(code[:17]) == code[17]


def organisation_code(code: str) -> str:
    """The nine characters of the organisation code inside a credit code."""
    return code[8:17]


def is_valid_organisation(code: str) -> bool:
    """Whether a nine-character organisation code has the right last character (modulus 11, X for ten)."""
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code):
        return False
    rest = -sum(int(c, 36) * w for c, w in zip(code[:8], _ORGANISATION_WEIGHTS, strict=True)) % 11
    return code[8] == ("X" if rest == 10 else str(rest))
