"""Where a run works and on what: the one resource every asset takes.

Belongs here: turning configuration into a home, contracts, a city and a date. Not here: any work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg

from expectations.contract import Contracts, load_contracts
from pipelines.home import Home


class Place(dg.ConfigurableResource):
    """The home, the inboxes, extra folders of contracts, the city's folder, the as-of date ('' for today), and whether
    everything is read again (`full`). `processes` is the number of reading processes, 0 for one per core;
    `due_days` is how long a department has to mend an error before its task is overdue."""

    home: str
    inbox: list[str] = []
    contracts: list[str] = []
    city: str
    as_of: str = ""
    full: bool = False
    processes: int = 0
    due_days: int = 15

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Place]:
        """Holds the home for the whole run, so that a second run ends at once with one sentence (HomeBusy)."""
        with self.home_folder.locked():
            yield self

    @property
    def home_folder(self) -> Home:
        return Home(Path(self.home)).create()

    @property
    def city_folder(self) -> Path:
        return Path(self.city)

    @property
    def date(self) -> date:
        return date.fromisoformat(self.as_of) if self.as_of else date.today()

    def load_contracts(self) -> Contracts:
        return load_contracts(Path(c) for c in self.contracts)
