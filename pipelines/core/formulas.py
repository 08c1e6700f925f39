"""Text that a spreadsheet program would run as a formula.

Belongs here: the one list of what starts a formula, and how a cell that begins so is neutralised. Not here: which cells are
text; a number is never changed, however it begins.

Method: OWASP, "CSV Injection": an apostrophe stands before the cell. East Asian editions of Excel take the full-width forms too.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A start of a field of a CSV text that may be a formula: a quick look that spares reading a text that holds none.
_FIELD = re.compile(f'(?:^|[,\n"])[{"".join(map(re.escape, FORMULA_STARTS))}]')


def neutral(text: str) -> str:
    """The text as no spreadsheet program takes it for a formula."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def may_hold_formula(csv_text: str) -> bool:
    """Whether any field of a CSV text begins like a formula; it may say yes where none does, never no where one does."""
    return _FIELD.search(csv_text) is not None
