"""docs/consumers.md: which program took what, written by the tests that gave it.

`make test-consumers CONSUMERS=write` writes it anew. Rows of programs that are not installed here stay as they were.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.consumers.tools import PLACE, ROOT, TOOLS, Tool

PAGE = ROOT / "docs" / "consumers.md"
NOTES = PLACE / "account"
BEGIN, END = "<!-- made by tests/consumers -->", "<!-- end -->"
HEAD = ("program", "version", "what it was given", "result", "faults")
Row = tuple[str, str, str, str, str]


def note(tool: Tool, version: str, given: str, result: str) -> None:
    """Keep a row until the page is written; one file each, for several processes write them."""
    NOTES.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "_" for c in f"{tool.name} {given}")[:120]
    row: Row = (tool.name, version, given, result, ", ".join(tool.faults))
    (NOTES / f"{name}.json").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")


def read() -> list[Row]:
    """The rows of the page."""
    text = PAGE.read_text(encoding="utf-8")
    lines = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    return [tuple(c.strip() for c in line.strip("|").split("|")) for line in lines]  # type: ignore[misc]


def write() -> None:
    """Put the rows noted in place of those of the same program and input."""
    noted: list[Row] = [tuple(json.loads(p.read_text(encoding="utf-8"))) for p in sorted(NOTES.glob("*.json"))]
    ran = {row[0] for row in noted}
    kept = [row for row in read() if row[0] not in ran and row[0] in TOOLS]
    order = list(TOOLS)
    rows = sorted({(r[0], r[2]): r for r in [*kept, *noted]}.values(), key=lambda r: (order.index(r[0]), r[2]))
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD), *("| " + " | ".join(r) + " |" for r in rows)]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after, encoding="utf-8")


def pinned(tool: Tool, folder: Path) -> str | None:
    """The version that a lock file of `folder` (tests/consumers) pins; None where Debian or the project's own files decide."""
    if tool.place == "node":
        lock = json.loads((folder / "node" / "package.json").read_text(encoding="utf-8"))
        return lock["dependencies"][tool.package]
    path = folder / "requirements" / f"{tool.place}.in"
    if not path.is_file():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if name.partition("[")[0].lower() == tool.package.lower():
            return version
    raise AssertionError(f"{path.name} does not pin {tool.package}")
