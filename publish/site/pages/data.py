"""The catalogue of datasets, the page of one (dictionary, coverage, issues), and the page of data quality."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from datasette.utils.asgi import NotFound, Response

from publish.site.facts import DB
from publish.site.pages.base import has, page, rows
from publish.site.pages.citing import cite
from publish.site.pages.topics import theme_order
from publish.site.vocabulary import CODES
from publish.sources import resting

FIRST_ROWS, FIRST_COLUMNS = 5, 8  # of a dataset, to see what it looks like
MOST_ABSENT = 300  # institutions named on the page of a dataset; the table has all
STEPS = 5  # shades of the heat map
SHARES = (
    0.5,
    0.8,
    0.95,
    1.0,
)  # of the institutions expected, where the shade changes: a few missing ones are visible


async def datasets(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    themes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for d in sorted(facts.datasets, key=lambda d: theme_order(d["theme"])):
        themes[d["theme"] or ""].append(d)
    own = [t for t in facts.tables if t not in {d["dataset"] for d in facts.datasets} and t in facts.labels]
    return await page(datasette, request, "datasets.html", themes=dict(themes), own=own)


async def dataset(datasette: Any, request: Any) -> Response:
    facts = datasette.facts
    name = request.url_vars["dataset"]
    found = next((d for d in facts.datasets if d["dataset"] == name), None)
    if found is None:
        raise NotFound("no such dataset")
    columns = await rows(datasette, "select * from dataset_columns where dataset = :d order by position", d=name)
    files = sorted(f for f in facts.files if f.split("/")[-1].rsplit(".", 1)[0] == name)
    shown_columns = [c for c in columns if c["access"] == "L0"][:FIRST_COLUMNS]
    return await page(
        datasette,
        request,
        "dataset.html",
        shown_columns=shown_columns,
        first_rows=await _first_rows(datasette, name, [c["column"] for c in shown_columns]),
        script=True,
        cited=cite(datasette, request, found["title_zh"], found["title_en"], f"datasets/{name}"),
        dataset=found,
        columns=columns,
        files={f: (facts.folder / f).stat().st_size for f in files if (facts.folder / f).is_file()},
        coverage=await _coverage(datasette, name),
        absent=await _absent(datasette, name),
        sent=await _sent(datasette, name),
        issues=await _issues(datasette, name),
        used=await _used(datasette, name),
    )


async def _first_rows(datasette: Any, dataset: str, columns: list[str]) -> list[dict[str, Any]]:
    """Return the last rows of a dataset whose rows are published, in these columns; none of another."""
    if dataset not in datasette.facts.tables or not columns:
        return []
    there = await datasette.get_database(DB).table_columns(dataset)
    named = ", ".join(f'"{c}"' for c in columns if c in there)
    return await rows(datasette, f'select {named} from "{dataset}" order by rowid desc limit {FIRST_ROWS}')


async def _coverage(datasette: Any, dataset: str) -> dict[str, Any] | None:
    """Return the number of institutions per month (or year) of those expected: years -> months -> {n, of, step}.

    None in a release without coverage. `monthly` is false for a dataset without months: then month 0 is the year. Where the
    expected number is unknown, the shade is the share of the fullest period.
    """
    if not has(datasette, "coverage"):
        return None
    found = await rows(datasette, "select * from coverage where dataset = :d order by period", d=dataset)
    if not found:
        return None
    most = max(r["institutions"] or 0 for r in found)
    years: dict[str, dict[int, dict[str, Any]]] = {}
    for r in found:
        year, _, month = r["period"].partition("-")
        n, of = r["institutions"], r["expected"]
        share = n / of if of else None
        if not n:
            step = 0
        elif share is not None:
            step = 1 + sum(share >= s for s in SHARES)
        else:
            step = min(STEPS, 1 + int(n / most * STEPS * 0.999))
        years.setdefault(year, {})[int(month or 0)] = {"n": n, "of": of, "step": step}
    return {
        "years": years,
        "monthly": any(m for y in years.values() for m in y),
        "expected": any(r["expected"] for r in found),
    }


async def _absent(datasette: Any, dataset: str) -> dict[int, list[dict[str, Any]]]:
    """Return the institutions that did not report by year, the newest first, those that lack most first; {} where none is named."""
    if not has(datasette, "not_reported"):
        return {}
    sql = (
        f"select * from not_reported where dataset = :d order by year desc, missing desc, org_name limit {MOST_ABSENT}"
    )
    out: dict[int, list[dict[str, Any]]] = {}
    for r in await rows(datasette, sql, d=dataset):
        out.setdefault(r["year"], []).append(r)
    return out


async def _sent(datasette: Any, dataset: str) -> list[dict[str, Any]]:
    """Return the submissions of a dataset by period and status, as totals."""
    if not has(datasette, "submissions"):
        return []
    return await rows(
        datasette,
        """
        select period, status, sum(files) as files, sum(rows_read) as rows_read, sum(rows_accepted) as rows_accepted,
               sum(rows_quarantined) as rows_quarantined, sum(rows_explained) as rows_explained
        from submissions where dataset = :d group by period, status order by period, status
        """,
        d=dataset,
    )


async def _issues(datasette: Any, dataset: str) -> list[dict[str, Any]]:
    if not has(datasette, "data_issues"):
        return []
    return await rows(
        datasette,
        "select code, severity, status, sum(issues) as issues from data_issues where dataset = :d group by 1, 2, 3 order by 4 desc, 1",
        d=dataset,
    )


async def _used(datasette: Any, dataset: str) -> list[dict[str, Any]]:
    """Return the indicators computed from a dataset."""
    if not has(datasette, "provenance"):
        return []
    resting_on = resting(await datasette.get_database(DB).table_columns("provenance"))
    return await rows(
        datasette,
        f"select indicator_id, name_zh, name_en from indicators where indicator_id in ({resting_on}) order by rowid",
        dataset=dataset,
    )


FINDINGS = 200  # shown on the page of quality; the table has all
COUNTED = ("rows_read", "rows_accepted", "rows_quarantined", "rows_explained", "rows_superseded")


async def quality(datasette: Any, request: Any) -> Response:
    sent: dict[str, dict[str, int]] = {}
    if has(datasette, "submissions"):
        there = await datasette.get_database(DB).table_columns("submissions")  # a release of years ago counted less
        counted = ", ".join(f"sum({c}) as {c}" for c in ("files", *COUNTED) if c in there)
        sql = f"select dataset, status, {counted} from submissions group by dataset, status order by dataset"
        for r in await rows(datasette, sql):
            one = sent.setdefault(r["dataset"], defaultdict(int))
            one[r["status"]] += r["files"] or 0
            for k in COUNTED:
                one[k] += r.get(k) or 0
    issues: list[dict[str, Any]] = []
    if has(datasette, "data_issues"):
        issues = await rows(
            datasette,
            """
            select code, severity, sum(issues) as issues, sum(files) as files,
                   sum(case when status = 'open' then issues else 0 end) as open
            from data_issues group by code, severity order by issues desc, code
            """,
        )
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}  # by dataset and period
    if has(datasette, "findings"):
        sql = f"select * from findings order by dataset, period desc, findings desc, kind limit {FINDINGS}"
        for r in await rows(datasette, sql):
            found.setdefault(r["dataset"], {}).setdefault(r["period"] or "", []).append(r)
    tasks: dict[str, int] = {}
    months: dict[str, dict[str, int]] = {}
    if has(datasette, "task_counts"):
        tasks = dict.fromkeys(CODES["task"], 0)
        for r in await rows(
            datasette, "select month, state, sum(tasks) as tasks from task_counts group by 1, 2 order by 1"
        ):
            tasks[r["state"]] = tasks.get(r["state"], 0) + r["tasks"]
            months.setdefault(r["month"], {})[r["state"]] = r["tasks"]
    due: list[dict[str, Any]] = []
    if has(datasette, "coverage"):
        due = await rows(
            datasette,
            """
            select dataset, sum(institutions) as n, sum(expected) as of, count(*) as periods
            from coverage where expected > 0 group by dataset order by dataset
            """,
        )
    timely: list[dict[str, Any]] = []
    if has(datasette, "punctuality"):
        timely = await rows(
            datasette,
            """
            select dataset, count(*) as periods, sum(submissions) as submissions, sum(on_time) as on_time, max(due_on) as due_on
            from punctuality group by dataset order by dataset
            """,
        )
    return await page(
        datasette,
        request,
        "quality.html",
        sent=sent,
        replaced=sum(s["rows_superseded"] for s in sent.values()),
        issues=issues,
        found=found,
        used={d: len(await _used(datasette, d)) for d in found},
        more_found=datasette.facts.tables.get("findings", 0) > FINDINGS,
        tasks=tasks,
        months=months,
        due=due,
        timely=timely,
    )
