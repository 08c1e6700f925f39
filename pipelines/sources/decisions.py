"""The ledger of the bureau's decisions: acceptances, withdrawals, patches and corrections, each with author, reason and date.

Belongs here: writing decisions down durably and reading them again. Not here: what a decision changes. It cannot be made anew,
so it is only ever added to, and lies with the archive (HOME/archive/decisions.jsonl).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.core import audit
from pipelines.core.home import Home
from pipelines.sources.ledger import stamp

PATH = "decisions.jsonl"
UNDO = "undo"  # its target is the `decided_at` of the decision undone
# What the audit log calls a decision; one of another kind has the name of its kind.
ACTS = {
    "accept": "accepted",
    "figure": "corrected",
    "withdraw": "withdrawn",
    "cell": "patched",
    "final": "declared_final",
    UNDO: "undone",
}


@dataclass(frozen=True)
class Decision:
    """One decision. `kind` is its type (such as accept, figure, withdraw, cell), `target` its subject, in the words
    of that kind; `since` is the date (YYYY-MM-DD) from which it holds, `decided_at` when it was written down (ISO 8601, UTC).
    `details` holds further values of a kind, as JSON."""

    kind: str
    target: str
    by: str
    why_zh: str
    why_en: str
    since: str
    decided_at: str
    details: dict[str, Any] = field(default_factory=dict)


def path(home: Home) -> Path:
    """The ledger's file, which need not be there yet."""
    return home.archive / PATH


def add(
    home: Home,
    kind: str,
    target: str,
    by: str,
    why_zh: str,
    why_en: str = "",
    since: str = "",
    details: dict[str, Any] | None = None,
) -> Decision:
    """Writes one decision down, durably, and gives it back. The caller holds the home (`home.locked()`).

    `why_en` is `why_zh` and `since` today (UTC) where they are not given.
    """
    now = datetime.now(UTC)
    made = Decision(
        kind, target, by, why_zh, why_en or why_zh, since or now.date().isoformat(), stamp(now), details or {}
    )
    ledger = path(home)
    audit.write(
        home,
        ACTS.get(kind, kind),
        target if kind == "accept" else str((details or {}).get("release", "")),
        target=target,
        by=by,
        decided_at=made.decided_at,
    )
    with ledger.open("ab") as f:
        whole, cut = _split(ledger)
        if cut:
            f.truncate(sum(len(line) + 1 for line in whole))  # remove a line that a crash left incomplete
        elif f.tell() and not ledger.read_bytes().endswith(b"\n"):
            f.write(b"\n")
        f.write((json.dumps(asdict(made), ensure_ascii=False) + "\n").encode())
        f.flush()
        os.fsync(f.fileno())
    ledger.chmod(0o600)
    folder = os.open(home.archive, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return made


def read(home: Home, kinds: Iterable[str] = ()) -> list[Decision]:
    """Every decision, the oldest first; with `kinds` those alone. A last line that a crash cut short was never confirmed to
    anybody and is left out; any other line that cannot be read raises DecisionsDamaged."""
    wanted = set(kinds)
    ledger = path(home)
    out = []
    for number, line in enumerate(_split(ledger)[0], 1):
        try:
            out.append(Decision(**json.loads(line)))
        except (ValueError, TypeError) as e:
            raise DecisionsDamaged(
                f"Line {number} of {ledger} is no decision ({e}); restore the file from a backup."
            ) from e
    return [d for d in out if not wanted or d.kind in wanted]


def in_force(home: Home, kinds: Iterable[str]) -> list[Decision]:
    """The decisions of these kinds that were not undone since, the oldest first."""
    undone = {d.target for d in read(home, [UNDO])}
    return [d for d in read(home, kinds) if d.decided_at not in undone]


def _split(ledger: Path) -> tuple[list[bytes], bool]:
    """The lines of the ledger, and whether a last one that a crash cut short was left out of them."""
    if not ledger.exists():
        return [], False
    # Lines end at "\n" alone: a reason may hold U+2028, at which str.splitlines() would cut.
    *whole, last = ledger.read_bytes().split(b"\n")
    if not last:
        return whole, False
    try:
        json.loads(last)
    except ValueError:
        return whole, True
    return [*whole, last], False


class DecisionsDamaged(RuntimeError):
    """The ledger of decisions cannot be read."""

    exit_status = 2
