"""One look over a finished release: what the gates hold it against, and the hits found so far.

Belongs here: what every gate shares. Not here: any rule (gate_files.py, gate_values.py, gate_statements.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from expectations.contract import Contracts
from publish.disclosure.contributions import Parts
from publish.disclosure.history import Past
from publish.disclosure.kept import ResultCache
from publish.disclosure.relations import Indicator
from publish.disclosure.scan import Scanner
from publish.disclosure.suppress import Rules
from publish.disclosure.wholes import Wholes
from publish.schema import Table

DATABASE = "mingzhang.db"
MOST_HITS = 50


@dataclass(frozen=True)
class Known:
    """What the gate holds the files against.

    `tables`: the public tables by name. `cells`: marts.indicator_values before anything was hidden, with contributors,
    largest_share and closed. `indicators`: what each is made of. `scanner` knows this run's secrets. `parts`: what each
    institution contributes to them; `past`: the releases before this one; `wholes`: which figures must add up to which. `kept`: what
    was worked out before from the same values and contributions; which values those are is read from the files. `english_first`:
    the city's first language, in which workbooks have their headers.
    """

    contracts: Contracts
    tables: Mapping[str, Table]
    cells: pd.DataFrame
    indicators: dict[str, Indicator]
    scanner: Scanner
    rules: Rules
    parts: Parts | None = None
    past: tuple[Past, ...] = ()
    wholes: Wholes | None = None
    kept: ResultCache = field(default_factory=ResultCache)
    english_first: bool = False


@dataclass
class Inspection:
    """One look over a release: what was found, and how much was looked at."""

    folder: Path
    known: Known
    hits: list[str] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # table -> format -> rows
    cells: int = 0
    clean: set[str] = field(default_factory=set)

    def hit(self, where: str, rule: str) -> None:
        if len(self.hits) < MOST_HITS:
            self.hits.append(f"{where}: {rule}")

    def scan(self, text: str) -> str | None:
        """The rule that a text breaks, or None. A text seen before is not looked at twice."""
        if text in self.clean:
            return None
        rule = self.known.scanner.text(text)
        if rule is None:
            self.clean.add(text)
        return rule


def open_database(look: Inspection) -> sqlite3.Connection:
    path = (look.folder / DATABASE).absolute()
    return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
