"""The terminal of the command: sentences, progress, and lines of JSON for the log of a service.

Belongs here: the two consoles and the forms of what is said on them. Not here: any command (cli.py).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines.core import progress

# A sentence is one line, however narrow the terminal; where nobody looks on, a table is as wide as it is.
out, err = (
    Console(stderr=e, soft_wrap=True, width=None if f.isatty() else 400)
    for e, f in ((False, sys.stdout), (True, sys.stderr))
)


class _Lines:
    """Whether what is said on standard error is lines of JSON, and how one is written."""

    json = False

    def write(self, level: str, **said: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"at": at, "level": level, **said}, ensure_ascii=False), file=sys.stderr, flush=True)


LINES = _Lines()


def say(sentence: str, style: str = "yellow") -> None:
    if LINES.json:
        LINES.write("error" if style == "bold red" else "warning", message=sentence)
        return
    err.print(f"mingzhang: {sentence}", style=style, highlight=False, markup=False)


@contextmanager
def drawn(quiet: bool = False) -> Iterator[None]:
    """Draws progress on a terminal, nothing when piped."""
    if quiet or not err.is_terminal:
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def draw(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for t in tasks.values():
                    bars.stop_task(t)
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        with progress.listening(draw):
            yield


@contextmanager
def logged() -> Iterator[None]:
    """Writes a line of JSON for each stage, when it ended."""
    begun: list[tuple[str, float]] = []

    def end() -> None:
        if begun:
            stage, at = begun.pop()
            LINES.write("info", stage=stage, seconds=round(time.monotonic() - at, 3))

    def note(stage: str, done: int, total: int | None) -> None:
        if not begun or begun[-1][0] != stage:
            end()
            begun.append((stage, time.monotonic()))

    with progress.listening(note):
        yield
    end()


def print_check(r: Any) -> None:
    out.print(f"{r.name}: {r.status}" + (f" ({r.reason})" if r.reason else ""), highlight=False)
    for s in r.sheets:
        out.print(
            f"  {s['sheet'] or '-'}: {s['dataset'] or 'no dataset'}, {s['rows_accepted']} rows would be accepted, "
            f"{s['rows_quarantined']} not, {s['rows_explained']} explained",
            highlight=False,
        )
    for i in r.issues[:200]:
        where = " ".join(str(x) for x in (i["sheet"], i["cell"] or (f"row {i['row']}" if i["row"] else "")) if x)
        out.print(f"  {i['severity']} {i['code']} {where}: {i['message_zh']} / {i['message_en']}", highlight=False)
    if len(r.issues) > 200:
        out.print(f"  ... and {len(r.issues) - 200} more; --json lists them all")


def print_held(release_id: str, reasons: list[str]) -> None:
    out.print(f"Release {release_id} is held, because it moves far from the last release:", highlight=False)
    for sentence in reasons:
        out.print(f"  {sentence}", highlight=False, markup=False, soft_wrap=True)
    out.print(
        "Send mended files and run again; or, where this is right, publish it with "
        f"'mingzhang releases accept {release_id} --by NAME --why REASON'.",
        highlight=False,
        soft_wrap=True,
    )
