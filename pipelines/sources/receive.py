"""Receives the files of the inboxes: archives them, and writes new receipts to the ledger.

Belongs here: the order that loses nothing (bytes first, ledger after). Not here: reading the files (pipelines/intake).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipelines.core.home import Home
from pipelines.core.progress import report
from pipelines.intake.sheets import Refusal
from pipelines.sources.archive import store, where
from pipelines.sources.inbox import InboxError, InboxFile, SourceDown, list_patiently
from pipelines.sources.ledger import Ledger, Receipt, stamp
from pipelines.sources.seen import InboxCache
from pipelines.sources.settled import is_changing, is_cut, wait_for
from pipelines.sources.source import Source, as_source
from pipelines.sources.unpack import holds_files, members

STAGE = "Receiving"


class NothingReceived(RuntimeError):
    """There is nothing to publish: nothing lies in the inboxes, and nothing ever did."""

    exit_status = 1


@dataclass(frozen=True)
class Received:
    """What taking in found: `seen` files lay in the inboxes (members of archives not counted); `new` came into the ledger,
    members too; `left` names those still being written, which the next run takes; `down` has a sentence for each inbox that
    did not answer while others did, by its address; `refused` has a sentence for each file that is not taken, such as a stranger's mail;
    `bytes` were read."""

    seen: int
    new: int
    left: tuple[str, ...] = ()
    down: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    bytes: int = field(default=0, compare=False)


def empty(inboxes: list[str]) -> str:
    """The beginning of a sentence about inboxes in which no file lies."""
    return f"No file lies in the {'inbox' if len(inboxes) == 1 else 'inboxes'} {', '.join(inboxes)}"


def require_something(home: Home, inboxes: list[str], r: Received) -> None:
    """Refuses to make a release of nothing: InboxError where no inbox is given, NothingReceived where nothing lies in any, and
    nothing was received before either."""
    if Ledger(home).latest:
        return
    if not inboxes:
        raise InboxError("No inbox is given, so nothing was published; give --inbox, or set MINGZHANG_INBOX.")
    if r.left:
        raise NothingReceived(
            "Every file is still being written, so nothing was published; run again when they are whole."
        )
    raise NothingReceived(f"{empty(inboxes)}, so nothing was published; if it is a share, see that it is mounted.")


def receive(home: Home, inboxes: Sequence[str | Source], full: bool = False) -> Received:
    """Archives every file of every inbox and writes down what is news; what looks as it did when it was read is not read
    again, unless `full`. Raises InboxError where no inbox answers or one is wrongly named, ArchiveError.

    A run that dies on the way has archived some files without writing them down: the next one finds them again.
    """
    seen, ledger = InboxCache(home), Ledger(home)
    sources = _Sources(inboxes)
    # One moment for the run: within a run it is the source's own time of change that tells newer from older.
    now = stamp(datetime.now(UTC))
    news: list[Receipt] = []
    unread = [f for f in sources.files if full or not _is_known(home, f, seen, ledger)]
    for f, data in sources.read(home, ledger, unread):
        file_id = store(home, data)
        seen.note(f, file_id)
        if ledger.is_news(file_id, f.url):
            news += _receipts(home, Receipt(file_id, f.name, f.url, stamp(f.modified), now))
    if news:
        # The archive was written without waiting for the disk file by file; the ledger must not be ahead of it.
        os.sync()
        ledger.add(news)
    if unread:
        seen.write()  # last: what is noted as seen is in the ledger
    return sources.received(len(news))


def nothing_new(home: Home, inboxes: Sequence[str | Source]) -> Received | None:
    """Return the result of `receive` where no file of the inboxes is new; None where one is. Only what looks
    otherwise than when it was received is read, up to the first news. Raises InboxError."""
    seen, ledger = InboxCache(home), Ledger(home)
    sources = _Sources(inboxes)
    unread = [f for f in sources.files if not _is_known(home, f, seen, ledger)]
    for f, data in sources.read(home, ledger, unread):
        file_id = hashlib.sha256(data).hexdigest()
        if ledger.is_news(file_id, f.url) or not where(home, file_id).exists():
            return None
        seen.note(f, file_id)
    if unread:
        seen.write()
    return sources.received(0)


class _Sources:
    """The inboxes of a run: their files, in order, and which inboxes stopped answering.

    One inbox that is down must not keep back what came in the others. Raises SourceDown once all are.
    """

    def __init__(self, inboxes: Sequence[str | Source]):
        self.files: list[InboxFile] = []
        self._of: dict[InboxFile, str] = {}
        sources = {s.address: s for s in map(as_source, inboxes)}
        self._many = len(sources)
        self._refused: list[str] = []
        self._down: dict[str, str] = {}
        self._left: list[str] = []
        self._bytes = 0
        for inbox, source in sources.items():
            try:
                listed = list_patiently(source)
            except SourceDown as e:
                self._fail(inbox, e)
                continue
            self._refused += [f"{f.url}: {f.refused}." for f in listed if f.refused]
            found = [f for f in listed if not f.refused]
            self.files += found
            self._of |= dict.fromkeys(found, inbox)

    def _fail(self, inbox: str, error: SourceDown) -> None:
        self._down[inbox] = str(error)
        if len(self._down) == self._many:
            error.down = dict(self._down)
            raise error

    def read(self, home: Home, ledger: Ledger, files: list[InboxFile]) -> Iterator[tuple[InboxFile, bytes]]:
        """These files and their bytes, but for those still being written and those of an inbox that stopped answering."""
        wait_for(files)
        for i, f in enumerate(files):
            report(STAGE, i, len(files))
            inbox = self._of[f]
            if inbox in self._down:
                continue
            try:
                data = f.read()
                unfinished = _is_unfinished(home, f, data, ledger)
            except SourceDown as e:
                self._fail(inbox, e)
                continue
            if unfinished:
                self._left.append(f.name)
            else:
                self._bytes += len(data)
                yield f, data
        report(STAGE, len(files), len(files))

    def received(self, new: int) -> Received:
        """The part of the run's report about the inboxes."""
        return Received(len(self.files), new, tuple(self._left), dict(self._down), tuple(self._refused), self._bytes)


def _is_unfinished(home: Home, f: InboxFile, data: bytes, ledger: Ledger) -> bool:
    """Whether a file is still being written. What ends in the middle is taken in a home that never received anything:
    there is no release that it could spoil, and no run before which it could have been whole."""
    if is_changing(f):
        return True
    if not ledger.latest:
        return False
    last = ledger.last_at(f.url)
    kept = where(home, last) if last else None
    return is_cut(f, data, kept.read_bytes() if kept and kept.exists() else None)


def _is_known(home: Home, f: InboxFile, seen: InboxCache, ledger: Ledger) -> bool:
    file_id = seen.file_at(f)
    return file_id is not None and not ledger.is_news(file_id, f.url) and where(home, file_id).exists()


def _receipts(home: Home, whole: Receipt) -> Iterator[Receipt]:
    """The receipt of a file; for an archive, those of its members and then its own."""
    path = where(home, whole.file_id)
    if not holds_files(path, whole.name):
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
