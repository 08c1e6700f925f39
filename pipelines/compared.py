"""Two runs of a home held against each other: what differs in files, rows, records, issues and time, as a page in Markdown.

Belongs here: keeping what each run reported, and the comparison. Not here: the report of one run (report.py), or the published values
(publish/release/changes.py, `mingzhang releases diff`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.core.fingerprint import code_version
from pipelines.core.home import Home, whole_file
from pipelines.core.issue_codes import ISSUE_CODES

KEPT = 60  # as many as logs (core/run_logs.py)
COUNTED = {
    "files": "文件 Files",
    "rows": "行 Rows",
    "records": "记录 Records",
    "superseded": "被替代的行 Rows replaced",
    "issues": "未解决的问题 Open issues",
    "waiting": "定案年度迟到的行 Rows of final years that wait",
}
SECONDS = "秒 Seconds"


class NoEarlierRun(RuntimeError):
    """There are not that many runs to compare with."""

    exit_status = 1


def keep(home: Home, report: Mapping[str, Any]) -> None:
    """Keeps what a run reported, for the home's owner alone; a run that found nothing to do is not kept. The oldest go."""
    if report["release_state"] == "unchanged":
        return
    folder = _folder(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    kept = {**report, "ended": now.isoformat(timespec="seconds"), "code": code_version()}
    path = folder / f"{now:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.json"
    with whole_file(path) as part:
        part.touch(mode=0o600)
        part.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.unlink(missing_ok=True)


def two(home: Home, back: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the run reported that is `back` runs before the last one, and what the last one did. Raises NoEarlierRun."""
    paths = sorted(_folder(home).glob("*.json"))
    if not 1 <= back < len(paths):
        there = f"; --against may be 1 to {len(paths) - 1}" if len(paths) > 1 else ""
        raise NoEarlierRun(
            f"{home.root} keeps {len(paths)} runs that had something to do, so none is {back} before the last{there}."
        )
    before, after = (json.loads(p.read_text(encoding="utf-8")) for p in (paths[-1 - back], paths[-1]))
    return before, after


def markdown(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The page: what is the same in both is left out."""
    parts = [
        "# 两次运行的比较 Two runs compared",
        "内部使用 Not for the public: it tells what secrecy may hide.",
        table(
            ("", "先 before", "后 after"),
            [
                ("结束 Ended (UTC)", before["ended"], after["ended"]),
                ("程序 Code", before["code"], after["code"]),
                ("发布版 Release", before["release"] or "-", after["release"] or "-"),
                ("待确认 Held", before["held_release"] or "-", after["held_release"] or "-"),
            ],
        ),
    ]
    same = []
    for field, title in COUNTED.items():
        rows = list(_differences(before.get(field, {}), after.get(field, {}), field))
        parts.append(table((title, "先 before", "后 after", "差 change"), rows))
        same += [] if rows else [title]
    if same:
        parts.append(f"相同 The same in both: {'; '.join(same)}.")
    steps = [s for s in before["seconds"] | after["seconds"] if max(_of(before, s), _of(after, s)) >= 1]
    seconds = [(s, f"{_of(before, s):.1f}", f"{_of(after, s):.1f}") for s in steps]
    parts.append(table((SECONDS, "先 before", "后 after"), seconds))
    parts += _sentences(before, after)
    if before["release"] and after["release"] and before["release"] != after["release"]:
        parts.append(
            f"公布的数字 The published figures: `mingzhang releases diff {before['release']} {after['release']}`"
        )
    return "\n\n".join(p for p in parts if p) + "\n"


def _folder(home: Home) -> Path:
    return home.work / "reports"


def _of(report: Mapping[str, Any], step: str) -> float:
    return float(report["seconds"].get(step, 0))


def _differences(
    before: Mapping[str, int], after: Mapping[str, int], field: str
) -> Iterator[tuple[str, int, int, str]]:
    for name in {**before, **after}:
        old, new = before.get(name, 0), after.get(name, 0)
        if old != new:
            code = ISSUE_CODES.get(name) if field == "issues" else None
            yield (f"{name} {code.zh} {code.en}" if code else name), old, new, f"{new - old:+,}"


def _sentences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What only one of the two had to say."""
    for title, one, other in (("只在后一次 Only after", after, before), ("只在前一次 Only before", before, after)):
        lines = [x for f in ("reasons", "down", "notes", "unused") for x in one[f] if x not in other[f]]
        if lines:
            yield "\n".join([f"## {title}", "", *(f"- {' '.join(x.split())}" for x in lines)])


def table(header: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> str:
    """A Markdown table, '' of no row; whole numbers have marks."""
    if not rows:
        return ""
    lines = [header, tuple("---" if n == 0 else "--:" for n in range(len(header)))]
    lines += [tuple(f"{c:,}" if isinstance(c, int) else str(c) for c in row) for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
