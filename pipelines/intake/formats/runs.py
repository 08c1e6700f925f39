"""Rich text runs: text that is struck out, or superscript behind a digit, and makes a cell unreliable.

Belongs here: judging the runs of a text, whatever format they came from. Not here: how a format writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.intake.sheets import Fault

Run = tuple[str, bool, bool]  # the text, whether it is struck out, whether it is a superscript or subscript


def joined(runs: Sequence[Run]) -> str | Fault:
    """The text of a cell, or a Fault where a part of it is struck out, or is superscript or subscript next to a digit.

    A cell that is struck out as a whole is its text. The 2 of m² is an exponent, which stands at a letter; behind 12500 or 2021年
    it may be the number of a footnote.
    """
    if len(runs) == 1:
        return runs[0][0]
    text = "".join([t for t, _, _ in runs])
    struck = [struck for t, struck, _ in runs if t.strip()]
    if any(struck) and not all(struck):
        return Fault("struck", text)
    at = 0
    for part, _, raised in runs:
        before, after = text[:at].rstrip()[-1:], text[at + len(part) :].lstrip()[:1]
        if raised and part.strip() and (before.isdigit() or before in tuple("年月日") or after.isdigit()):
            return Fault("marked", text)
        at += len(part)
    return text
