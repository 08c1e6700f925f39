"""One line of what was measured, and many of them as a table.

Belongs here: how figures are shown. Not here: measuring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A figure and its aim, both as text: '1.9 times calamine alone' and '2.0'. `holds`: whether the aim is met."""

    what: str
    figure: str
    aim: str
    holds: bool


def table(rows: Iterable[Measured]) -> str:
    """The rows as aligned columns."""
    found = list(rows)
    if not found:
        return "Nothing was measured."
    wide = max(len(r.what) for r in found), max(len(r.figure) for r in found), max(len(r.aim) for r in found)
    return "\n".join(
        f"  {r.what:<{wide[0]}}  {r.figure:>{wide[1]}}  aim {r.aim:<{wide[2]}}  {'ok' if r.holds else 'NOT MET'}"
        for r in found
    )
