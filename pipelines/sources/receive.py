"""Takes in what lies in the inboxes: into the archive, and into the ledger what is news.

Belongs here: the order that loses nothing (bytes first, ledger after). Not here: reading the files (pipelines/intake).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.home import Home
from pipelines.intake.archive import store, where
from pipelines.intake.book import Refusal
from pipelines.intake.unpack import holds_files, members
from pipelines.progress import report
from pipelines.sources.inbox import Found, list_inbox
from pipelines.sources.ledger import Ledger, Receipt, stamp
from pipelines.sources.seen import Seen

STAGE = "Receiving"


@dataclass(frozen=True)
class Received:
    """`seen` files lay in the inboxes (members of archives not counted); `new` came into the ledger, members too."""

    seen: int
    new: int


def receive(home: Home, inboxes: list[str], full: bool = False) -> Received:
    """Archives every file of every inbox and writes down what is news; what looks as it did when it was read is not read
    again, unless `full`. Raises InboxError or ArchiveError.

    A run that dies on the way has archived some files without writing them down: the next one finds them again.
    """
    seen, ledger = Seen(home), Ledger(home)
    found = [f for inbox in inboxes for f in list_inbox(inbox)]
    # One moment for the run: within a run it is the source's own time of change that tells newer from older.
    now = stamp(datetime.now(UTC))
    news: list[Receipt] = []
    read = 0
    for i, f in enumerate(found):
        report(STAGE, i, len(found))
        if not full and _is_known(home, f, seen, ledger):
            continue
        read += 1
        file_id = store(home, f.read())
        seen.note(f, file_id)
        if ledger.is_news(file_id, f.url):
            news += _receipts(home, Receipt(file_id, f.name, f.url, stamp(f.modified), now))
    report(STAGE, len(found), len(found))
    if news:
        # The archive was written without waiting for the disk file by file; the ledger must not be ahead of it.
        os.sync()
        ledger.add(news)
    if read:
        seen.write()  # last: what is noted as seen is in the ledger
    return Received(len(found), len(news))


def nothing_new(home: Home, inboxes: list[str]) -> int | None:
    """How many files lie in the inboxes, where none of them is news; None where one is. Only what looks otherwise than when
    it was received is read, up to the first news. Raises InboxError."""
    seen, ledger = Seen(home), Ledger(home)
    found = [f for inbox in inboxes for f in list_inbox(inbox)]
    read = 0
    for f in found:
        if _is_known(home, f, seen, ledger):
            continue
        read += 1
        file_id = hashlib.sha256(f.read()).hexdigest()
        if ledger.is_news(file_id, f.url) or not where(home, file_id).exists():
            break
        seen.note(f, file_id)
    else:
        if read:
            seen.write()
        return len(found)
    return None


def _is_known(home: Home, f: Found, seen: Seen, ledger: Ledger) -> bool:
    file_id = seen.file_at(f)
    return file_id is not None and not ledger.is_news(file_id, f.url) and where(home, file_id).exists()


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
