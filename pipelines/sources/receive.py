"""Takes in what lies in the inboxes: into the archive, and into the ledger what is news.

Belongs here: the order that loses nothing (bytes first, ledger after). Not here: reading the files (pipelines/intake).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.home import Home
from pipelines.intake.archive import store, where
from pipelines.intake.book import Refusal
from pipelines.intake.unpack import holds_files, members
from pipelines.progress import report
from pipelines.sources.inbox import list_inbox
from pipelines.sources.ledger import Ledger, Receipt, stamp

STAGE = "Receiving"


@dataclass(frozen=True)
class Received:
    """`seen` files lay in the inboxes (members of archives not counted); `new` came into the ledger, members too."""

    seen: int
    new: int


def receive(home: Home, inboxes: list[str]) -> Received:
    """Archives every file of every inbox and writes down what is news. Raises InboxError or ArchiveError.

    A run that dies on the way has archived some files without writing them down: the next one finds them again.
    """
    found = [f for inbox in inboxes for f in list_inbox(inbox)]
    ledger = Ledger(home)
    # One moment for the run: within a run it is the source's own time of change that tells newer from older.
    now = stamp(datetime.now(UTC))
    news: list[Receipt] = []
    for i, f in enumerate(found):
        report(STAGE, i, len(found))
        file_id = store(home, f.read())
        if ledger.is_news(file_id, f.url):
            news += _receipts(home, Receipt(file_id, f.name, f.url, stamp(f.modified), now))
    report(STAGE, len(found), len(found))
    if news:
        # The archive was written without waiting for the disk file by file; the ledger must not be ahead of it.
        os.sync()
        ledger.add(news)
    return Received(len(found), len(news))


def _receipts(home: Home, whole: Receipt) -> Iterator[Receipt]:
    """The receipt of a file; for an archive, those of its members and then its own."""
    path = where(home, whole.file_id)
    if not holds_files(path):
        yield whole
        return
    count, refused = 0, None
    try:
        for name, data in members(path, whole.name):
            count += 1
            yield Receipt(
                store(home, data), name, f"{whole.url}!{name[len(whole.name) :]}", whole.modified, whole.received_at
            )
    except Refusal as e:
        refused = (e.code, e.fields["why"], e.fields["why_en"])
    yield Receipt(whole.file_id, whole.name, whole.url, whole.modified, whole.received_at, count, refused)
