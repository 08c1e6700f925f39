"""The ledger of receipts: each file with its time, address and name.

It cannot be made again, so lines are only ever appended, and it lies with the archive.

Not here: the files' bytes (pipelines/sources/archive.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.core.home import Home


@dataclass(frozen=True)
class Receipt:
    """One receipt. Times are ISO 8601 in UTC; `modified` is the source's own time of change, '' where unknown.

    An archive has `members`, how many files were taken out of it (None for any other file); where it was refused, whole
    or from some member on, `refused` is (code, why in Chinese, why in English). `order` is the number of the run that wrote
    it, counted from 1 by the ledger's own lines and never written; 0 for a receipt that is in no ledger.
    """

    file_id: str
    name: str
    url: str
    modified: str
    received_at: str
    members: int | None = None
    refused: tuple[str, str, str] | None = None
    order: int = 0

    @property
    def age(self) -> tuple[int, str, str, str]:
        """Sorts older before newer: received later is newer; within one run the source's time, then the name.

        Later is a later line of the ledger: a clock that was put back must not make a correction older than what it corrects.
        """
        return (self.order, self.received_at, self.modified, self.name)


class Ledger:
    """All receipts of a home. A file counts as received again only where its address held something else in between."""

    def __init__(self, home: Home):
        self.path: Path = home.archive / "received.jsonl"
        self.latest: dict[str, Receipt] = {}  # by file
        self._at: dict[str, str] = {}  # address -> file it last held
        self._all: list[Receipt] = []
        self._order, self._moment = 0, ""  # of the last line
        if self.path.exists():
            # Lines end with \n alone: a name may hold other characters that Unicode calls line breaks.
            with self.path.open(encoding="utf-8", newline="\n") as f:
                for line in f:
                    # A run killed while writing leaves at most one cut line, whose file will be received again.
                    if line.rstrip("\n").endswith("}"):
                        self._take(_receipt(json.loads(line)))

    def _take(self, r: Receipt) -> None:
        if r.received_at != self._moment:  # all receipts of a run have one moment
            self._order, self._moment = self._order + 1, r.received_at
        self.latest[r.file_id] = replace(r, order=self._order)
        self._all.append(self.latest[r.file_id])
        self._at[r.url] = r.file_id

    def last_at(self, url: str) -> str | None:
        """The file_id that an address last held; None for an address that is new."""
        return self._at.get(url)

    @property
    def runs(self) -> int:
        """How many runs have received something: the `order` of the last one's receipts."""
        return self._order

    def late(self, runs: int) -> set[str]:
        """The files that arrived after the first so many runs. One that its address held then and holds again is not among them."""
        then = {r.url: r.file_id for r in self._all if r.order <= runs}
        return {f for f, r in self.latest.items() if r.order > runs and then.get(r.url) != f}

    def is_news(self, file_id: str, url: str) -> bool:
        """Whether finding this file at this address is a receipt that the ledger does not have yet."""
        return file_id not in self.latest or (url in self._at and self._at[url] != file_id)

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Append the receipts durably, before any file is processed."""
        new = list(receipts)
        if not new:
            return
        cut = self.path.exists() and self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as f:
            f.write("\n" if cut else "")
            f.writelines(_line(r) for r in new)
            f.flush()
            os.fsync(f.fileno())
        self.path.chmod(0o600)
        for r in new:
            self._take(r)


def _line(r: Receipt) -> str:
    written = asdict(r)
    del written["order"]
    return json.dumps(written, ensure_ascii=False) + "\n"


def _receipt(raw: dict[str, Any]) -> Receipt:
    raw["refused"] = tuple(raw["refused"]) if raw.get("refused") else None
    return Receipt(**raw)


def stamp(moment: datetime | None) -> str:
    """A moment as the ledger writes it, '' for None; sorts as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else ""
