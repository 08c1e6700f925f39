"""Errors that readers report: one file each in HOME/reports, until the bureau closes it.

Belongs here: writing, listing and closing these files, and how many there may be. Not here: the form and what is accepted of it
(report_form.py), the command (pipelines/cli.py: `mingzhang readers`).

A report has no name, address or number of its writer. Nothing in it is published by itself: the bureau reads it, and what it corrects is
a decision of its own (`mingzhang correct`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.core.home import whole_file

MOST_OPEN = 1_000  # reports that wait to be read; then the form says that it is full
CLOSED = "closed"
REPORT_ID = re.compile(r"\d{8}-[0-9a-f]{6}")


class MailboxFull(RuntimeError):
    """As many reports wait as may."""


class NoSuchReport(ValueError):
    """There is no open report of this id. The message says what to do."""

    exit_status = 2


@dataclass(frozen=True)
class ReaderReport:
    """What a reader wrote. `received`: UTC, to the minute; `release_id`: the current release then; `page`: the path it is about, "" where
    none was given; `outcome`: what the bureau did, "" while it is open."""

    report_id: str
    received: str
    release_id: str
    page: str
    says: str
    right: str = ""
    closed: str = ""
    outcome: str = ""


class Mailbox:
    """The folder of the reports of one home."""

    def __init__(self, folder: Path):
        self.folder = folder

    def usable(self) -> bool:
        """Create the folder, readable by its owner and group alone, and return whether files can be written into it."""
        try:
            self.folder.mkdir(mode=0o770, exist_ok=True)
        except OSError:
            return False
        return os.access(self.folder, os.W_OK | os.X_OK)

    def put(self, release_id: str, page: str, says: str, right: str) -> ReaderReport:
        """Write a report. Raises MailboxFull where MOST_OPEN wait, OSError where the disk refuses it."""
        if sum(1 for _ in self.folder.glob("*.json")) >= MOST_OPEN:
            raise MailboxFull
        now = dt.datetime.now(dt.UTC)
        made = ReaderReport(
            f"{now:%Y%m%d}-{secrets.token_hex(3)}", f"{now:%Y-%m-%d %H:%M}", release_id, page, says, right
        )
        self._write(self.folder / f"{made.report_id}.json", made)
        return made

    def waiting(self) -> list[ReaderReport]:
        """Return the open reports, the oldest first; [] where there is no folder."""
        return sorted(map(_read, self.folder.glob("*.json")), key=lambda r: (r.received, r.report_id))

    def close(self, report_id: str, outcome: str) -> ReaderReport:
        """Note what was done and move the report to the closed ones. Raises NoSuchReport."""
        path = self.folder / f"{report_id}.json"
        if not REPORT_ID.fullmatch(report_id) or not path.is_file():
            raise NoSuchReport(f"There is no open report {report_id}; 'mingzhang readers list' has those there are.")
        done = ReaderReport(
            **asdict(_read(path)) | {"closed": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M}", "outcome": outcome}
        )
        (self.folder / CLOSED).mkdir(mode=0o770, exist_ok=True)
        self._write(self.folder / CLOSED / path.name, done)
        path.unlink()
        return done

    @staticmethod
    def _write(path: Path, report: ReaderReport) -> None:
        with whole_file(path, durable=True) as part:
            part.write_text(json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            part.chmod(0o660)


def _read(path: Path) -> ReaderReport:
    return ReaderReport(**json.loads(path.read_text(encoding="utf-8")))
