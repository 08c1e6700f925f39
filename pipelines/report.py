"""The report of the last run, as a page that a person can mail, and what of it somebody has to be told.

Belongs here: the words of the page, keeping it in HOME/work, and which alerts follow from a run. Not here: sending them (alerts.py), or what
a run counts (run.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines import compared
from pipelines.alerts import Alert
from pipelines.compared import table
from pipelines.core.home import Home, whole_file
from pipelines.core.issue_codes import ISSUE_CODES

MOST = 20  # lines of a list; a page is to be read
SUPERVISED = "督办"  # the state of a task that is over its term (pipelines/feedback/tasks.py)
STATES = {"new": "新版 new", "unchanged": "未变 unchanged", "held": "未变，新版待确认 unchanged, a new one is held"}


class NoReport(RuntimeError):
    """No run of this home has left a report."""

    exit_status = 1


def path(home: Home) -> Path:
    """Where the last report is kept, as JSON."""
    return home.work / "report.json"


def last(home: Home) -> dict[str, Any]:
    """The last report. Raises NoReport."""
    try:
        return dict(json.loads(path(home).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise NoReport(f"No run of {home.root} has left a report yet; type 'mingzhang run' first.") from None


def keep(home: Home, report: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps the report of a run with who is late, and returns it; `newly_late` names the units with more overdue tasks than before."""
    try:
        before = last(home).get("late", {})
    except NoReport:
        before = {}
    # An unchanged run looked at the same tasks on the same day, and ends before DuckDB is needed.
    late = before if report["release_state"] == "unchanged" and path(home).is_file() else overdue(home)
    kept = {**report, "late": late, "newly_late": [u for u, n in late.items() if n > before.get(u, 0)]}
    with whole_file(path(home)) as part:
        part.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    compared.keep(home, report)
    return kept


def overdue(home: Home) -> dict[str, int]:
    """Tasks over their term, by the unit that has to mend them, most first; '' where no unit is known."""
    tasks = home.table("intake", "tasks")
    if not tasks.is_file():
        return {}
    from pipelines.core.duck import scratch

    with scratch() as con:
        con.read_parquet(str(tasks)).create_view("tasks")
        found = con.execute(
            "select coalesce(submitter, ''), count(*) from tasks where state = ? group by 1 order by 2 desc, 1",
            [SUPERVISED],
        ).fetchall()
    return dict(found)


def alerts_of(report: Mapping[str, Any], home: Home) -> Iterator[Alert]:
    """What somebody has to be told after a run that ended."""
    where = str(home.root.resolve())
    if report["held_release"]:
        # The reasons stay here: they tell what secrecy may hide, and a robot is another company's.
        yield Alert(
            "held",
            f"{report['held_release']} 待确认，原因见 waits for a yes; read why with: mingzhang releases list",
            where,
        )
    if report["down"]:
        yield Alert("down", " ".join(report["down"]), where)
    if report["newly_late"]:
        units = ", ".join(f"{u or '?'} ({report['late'][u]})" for u in report["newly_late"][:MOST])
        yield Alert("late", f"整改任务逾期的单位 Units with overdue tasks: {units}.", where)


def markdown(report: Mapping[str, Any], home: Home) -> str:
    """The page."""
    r = report
    files, rows = r["files"], r["rows"]
    parts = [
        f"# 运行报告 Run report: {r['release'] or '没有发布版 no release'}",
        "内部使用 Not for the public: it tells what secrecy may hide.",
        f"发布版 Release: {r['release']} ({STATES.get(r['release_state'], r['release_state'])})",
    ]
    if r["synthetic"]:
        parts.append("**合成示例数据 computed from made-up data**")
    parts.append(
        table(
            ("文件 Files", ""),
            [(k, files.get(k, 0)) for k in ("seen", "new", "read", "accepted", "partial", "rejected", "superseded")],
        )
    )
    parts.append(
        table(
            ("行 Rows", ""),
            [(k, rows.get(k, 0)) for k in ("read", "accepted", "quarantined", "explained", "superseded")],
        )
    )
    parts += _needed(r, home)
    parts.append(
        table(
            ("未解决的问题 Open issues", "", ""),
            [(c, _named(c), n) for c, n in sorted(r["issues"].items(), key=lambda i: -i[1])],
        )
    )
    parts.append(table(("记录 Records", ""), sorted((d, n) for d, n in r["records"].items() if n)))
    parts.append(table(("步骤 Step", "秒 seconds"), list(r["seconds"].items())))
    return "\n\n".join(p for p in parts if p) + "\n"


def _needed(r: Mapping[str, Any], home: Home) -> Iterator[str]:
    """What a person has to look at; nothing where there is nothing."""
    listed = [
        ("新版待确认 A release is held", r["reasons"]),
        ("来源不可用 Sources that did not answer", r["down"]),
        ("留到下次 Left for the next run, still being written", r["left"]),
        ("请注意 To be looked at", r["notes"]),
        ("没有起作用的决定 Decisions that changed nothing", r["unused"]),
        (
            "定案年度迟到的数据 Rows that arrived after their year was declared final",
            [f"{year}: {rows:,} 行 rows" for year, rows in sorted(r.get("waiting", {}).items())],
        ),
        ("可疑的合计 Doubted totals", [d["message_zh"] for d in r["doubted"]]),
        ("整改逾期 Overdue tasks", [f"{u or '单位不明 no unit known'}: {n}" for u, n in r.get("late", {}).items()]),
    ]
    for title, lines in listed:
        if lines:
            more = [f"- 另有 and {len(lines) - MOST:,} more"] if len(lines) > MOST else []
            yield "\n".join([f"## {title}", "", *(f"- {' '.join(str(x).split())}" for x in lines[:MOST]), *more])
    counts = [
        ("更正的数字 Figures corrected", r["corrected"]),
        ("沿用上一版的数字 Figures as last published", r["held"]),
    ]
    if any(n for _, n in counts):
        yield table(("数字 Figures", ""), [(t, n) for t, n in counts if n])
    if r["issues"]:
        yield f"退回件 Files with their errors marked: `{home.feedback}`"


def _named(code: str) -> str:
    known = ISSUE_CODES.get(code)
    return f"{known.zh} {known.en}" if known else ""
