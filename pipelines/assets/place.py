"""The Dagster resource that every asset takes: the home, the inboxes and the options of a run.

Belongs here: turning configuration into a home, contracts, a city and a date. Not here: any work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr, create_model

from expectations.contract import Contracts, load_contracts
from pipelines.core.clock import today
from pipelines.core.home import Home
from pipelines.core.memory import allow
from pipelines.core.notes import Note
from pipelines.core.settings import MEND_DAYS, Settings, absolute
from pipelines.core.spark import DUCKDB, LOCAL
from pipelines.sources.source import Source, sources_of
from pipelines.stages import Stages


class Place(dg.ConfigurableResource):
    """The home, the inboxes, a file of sources with settings of their own, extra folders of contracts, the city's folder, the as-of date ('' for today), and whether
    everything is read again (`full`). `processes` is the number of reading processes, 0 for one per core; `memory` what DuckDB may take in MB, 0 for a quarter of the machine's;
    `due_days` is how long a department has to mend an error before its task is overdue. `engine` computes the statistics, duckdb or spark; `master`
    is Spark's."""

    home: str
    inbox: list[str] = []
    sources_file: str = ""
    contracts: list[str] = []
    city: str
    as_of: str = ""
    full: bool = False
    processes: int = 0
    memory: int = 0
    due_days: int = MEND_DAYS
    engine: str = DUCKDB
    master: str = LOCAL

    _date: date | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Place]:
        """Holds the home for the whole run, so that a second run ends at once with one sentence (HomeBusy), and fixes the date
        that all of its stages speak of, should midnight pass between them."""
        with self.home_folder.locked():
            self._date = self.date
            allow(self.memory)
            yield self

    @property
    def home_folder(self) -> Home:
        return Home(Path(self.home)).create()

    def sources(self) -> list[Source]:
        """The sources, those of `sources_file` first. Raises SourceError."""
        return sources_of(self.inbox, Path(self.sources_file) if self.sources_file else None)

    @property
    def addresses(self) -> list[str]:
        """The addresses of the sources."""
        return [s.address for s in self.sources()]

    @property
    def city_folder(self) -> Path:
        return Path(self.city)

    @property
    def date(self) -> date:
        """The date the run speaks of: `as_of`, else today in the city's time zone, asked for once."""
        if self._date is not None:
            return self._date
        return date.fromisoformat(self.as_of) if self.as_of else today(self.city_folder)

    def load_contracts(self) -> Contracts:
        return load_contracts((Path(c) for c in self.contracts), city=self.city_folder)

    def stages(self, contracts: Contracts) -> Stages:
        """What decides which stages are stale."""
        return Stages(self.home_folder, contracts, self.city_folder, self.date, self.due_days)

    def fresh(self, stages: Stages, stage: str) -> Note | None:
        """The note of a stage that this run leaves as it is."""
        return None if self.full else stages.fresh(stage)


def place_of(settings: Settings) -> Place:
    """The place that settings name, which is also the default of each of its fields: a run launched with some of them given
    takes the others from here."""
    values: dict[str, Any] = {
        "home": str(settings.home.resolve()),
        "inbox": [absolute(i) for i in settings.inbox],
        "sources_file": str(settings.sources.resolve()) if settings.sources else "",
        "contracts": [str(c.resolve()) for c in settings.contracts],
        "city": str(settings.city.resolve()),
        "as_of": settings.as_of,
        "full": settings.full,
        "processes": settings.processes,
        "memory": settings.memory,
        "due_days": settings.due_days,
        "engine": settings.engine,
        "master": settings.master,
    }
    # Dagster takes the values of a resource for the defaults of its configuration only as a whole.
    fields: dict[str, Any] = {k: (Place.model_fields[k].annotation, v) for k, v in values.items()}
    return create_model("Place", __base__=Place, __doc__=Place.__doc__, **fields)(**values)
