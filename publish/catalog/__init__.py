"""The release's own description of itself, for machines: a Frictionless data package and a DCAT 3 catalogue.

Belongs here: what both say about a release (`About`, `TableResource`). Not here: the files described (publish/release).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from publish.schema import Table, Type
from publish.wording import MADE_UP_EN, MADE_UP_ZH

if TYPE_CHECKING:  # every process of the site imports this, and none needs a city
    from pipelines.core.city import City


# The names of types in Frictionless' table schema, CSV on the Web ("Metadata Vocabulary for Tabular Data", 5.11.1: a date is yyyy-MM-dd, a
# boolean true or false) and the contract standard (logicalType), which agree in these.
TYPES: dict[Type, str] = {
    "text": "string",
    "integer": "integer",
    "real": "number",
    "boolean": "boolean",
    "date": "date",
}


@dataclass(frozen=True)
class File:
    """A file of a release: its path within it, its size in bytes, the sha256 of its bytes in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableResource:
    """A public table and its files, by format (csv, xlsx, parquet). `blank`: the columns that have empty text, of which an empty cell
    of the CSV file is."""

    table: Table
    rows: int
    blank: frozenset[str] = frozenset()
    files: Mapping[str, File] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What every file of a release says of it. `synthetic`: something in it was computed from made-up records."""

    release_id: str
    as_of: date
    code_version: str
    city: City
    synthetic: bool

    @property
    def title_zh(self) -> str:
        return f"{self.city.name_zh}{'机关事务' if self._of_offices else ''}开放数据"

    @property
    def title_en(self) -> str:
        return f"Open data {'on government offices ' if self._of_offices else ''}of {self.city.name_en}"

    @property
    def _of_offices(self) -> bool:
        return self.city.profile == "government-offices"

    @property
    def notice(self) -> str:
        """The line that every download of made-up data carries; '' where nothing is made-up."""
        return f"{MADE_UP_ZH} {MADE_UP_EN}" if self.synthetic else ""
