"""CSV injection: text that a spreadsheet program would evaluate as a formula.

Belongs here: the one list of characters that start a formula, and neutralising a cell that begins with one. Not here: which cells are
text; a number is never changed, however it begins.

Method: OWASP, "CSV Injection": an apostrophe stands before the cell. East Asian editions of Excel take the full-width forms too.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A start of a field of a CSV text that may be a formula: a quick look that spares reading a text that holds none.
_FIELD = re.compile(f'(?:^|[,\n"])[{"".join(map(re.escape, FORMULA_STARTS))}]')


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet program evaluates it."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def may_hold_formula(csv_text: str) -> bool:
    """Whether any field of a CSV text may begin like a formula: false positives are possible, false negatives are not."""
    return _FIELD.search(csv_text) is not None
