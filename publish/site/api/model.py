"""The shape of the API: resources, arguments, refusals.

Belongs here: types and limits shared by the modules of this package. Not here: the resources themselves (resources.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from publish.schema import MARTS, OWN, RELEASES, Table
from publish.site.facts import Facts
from publish.sources import SOURCES

VERSION = "1"
ROOT = "/api/v1"
LIMIT = 1000
OFFSET = 1_000_000
TEXT = 200  # characters of an argument
TABLES: dict[str, Table] = {t.name: t for t in (*MARTS, *OWN, RELEASES, SOURCES)}

Row = dict[str, Any]


class Release(Protocol):
    """The part of an instance that the API reads."""

    facts: Facts
    base_url: str
    db: Any
    ds: Any


class Refused(Exception):
    """A refused request: status, code, and a sentence in each language with what is wrong and what to do."""

    def __init__(self, status: int, code: str, zh: str, en: str):
        super().__init__(en)
        self.status, self.code, self.zh, self.en = status, code, zh, en


@dataclass(frozen=True)
class Argument:
    """An argument of the query string. `kind`: string or integer; `least`, `most`: bounds of an integer; `allowed`: a closed list of
    values; `of`: the table whose column of the same name holds the closed list of a release."""

    name: str
    zh: str
    en: str
    kind: str = "string"
    least: int = 0
    most: int = 0
    allowed: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True)
class Resource:
    """A path below /api/v1, with {names} of path values.

    `rows`: (key of the answer, public table) of a list; `one`: the same of a single row; `answer(release, path values,
    arguments)` returns the keys of the answer that are its own.
    """

    path: str
    zh: str
    en: str
    answer: Callable[[Release, Row, Row], Awaitable[Row]]
    rows: tuple[str, str] | None = None
    one: tuple[str, str] | None = None
    arguments: tuple[Argument, ...] = ()

    @property
    def paged(self) -> bool:
        return self.rows is not None

    @property
    def known(self) -> tuple[Argument, ...]:
        return self.arguments + (PAGING if self.paged else ())

    @property
    def pattern(self) -> tuple[str, ...]:
        return tuple(self.path.strip("/").split("/")) if self.path else ()


PAGING = (
    Argument("limit", f"最多返回几行，1 至 {LIMIT}", f"The most rows to give, 1 to {LIMIT}", "integer", 1, LIMIT),
    Argument("offset", "跳过前面几行", "How many rows to leave out first", "integer", 0, OFFSET),
)
