"""Rows from Datasette as the site returns them: CSV for Excel, truncation notices, errors of SQL.

Belongs here: changes to an answer of Datasette in JSON, CSV or XLSX. Not here: the shapes of JSON (shapes.py), the workbook
(workbook.py).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.core.formulas import may_hold_formula, neutral
from publish.release.write import plain_number
from publish.schema import TYPES
from publish.site import sql_errors
from publish.site.database import record_truncation
from publish.site.facts import Facts
from publish.site.inner import ask
from publish.site.responses import Answer, Receive, Scope, Send, as_json
from publish.site.routes import is_data, table_of


class AdaptedRows:
    """ASGI middleware over a Datasette: its answers as the site returns them.

    `base_url` is that of the Datasette, which for the second language ends in its prefix. It runs in the process that makes the answer: for a large
    one it takes as long as the query.
    """

    def __init__(self, app: Any, facts: Facts, base_url: str):
        self.app, self.facts, self.base_url = app, facts, base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        route = "/" + path.removeprefix(self.base_url).removeprefix("/")
        with record_truncation() as truncated:
            answer = await ask(self.app, scope)
        answer = adapt(answer, self.facts, self.facts.order.root(self.base_url), route, bool(truncated))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})


def adapt(answer: Answer, facts: Facts, base_url: str, route: str, cut: bool) -> Answer:
    """Adapt an answer of Datasette to the site's promises; `cut`: rows were cut from it."""
    if answer.status >= 400 and route.endswith((".json", ".csv", ".xlsx")):
        return explain_error(answer, facts, f"{base_url}openapi.json")
    if answer.status == 200 and route.endswith(".csv"):
        answer = for_excel(answer, kinds_of(facts, table_of(route, facts.tables)))
    if is_data(route) and not route.endswith(".json"):  # a page links to its next page itself
        answer = Answer(answer.status, [h for h in answer.headers if h[0].lower() != b"link"], answer.body)
    if cut and answer.status == 200 and is_data(route) and route.endswith((".json", ".csv", ".xlsx")):
        answer = mark_truncated(answer, facts, base_url, route)
    return answer


def mark_truncated(answer: Answer, facts: Facts, base_url: str, route: str) -> Answer:
    """Mark an answer as truncated: in the headers, in the keys of a JSON object, in the file name of a CSV or workbook, where a
    reader in Excel sees it."""
    table = table_of(route, facts.tables)
    whole = {f: f"{base_url}files/{name}" for f, name in facts.files_of(table or "").items()}
    headers = [*answer.headers, (b"x-truncated", b"true")]
    if whole:
        link = f'<{whole["csv"]}>; rel="alternate"; title="whole table"' if "csv" in whole else ""
        before = answer.header(b"link")
        headers = [(k, v) for k, v in headers if k.lower() != b"link"]
        headers.append((b"link", b", ".join(x for x in (before, link.encode()) if x)))
    if route.endswith((".csv", ".xlsx")):
        headers = [(k, v) for k, v in headers if k.lower() != b"content-disposition"]
        name = f"{table or 'query'}-first-rows-only.{route.rpartition('.')[2]}"
        headers.append((b"content-disposition", f'attachment; filename="{name}"'.encode()))
        return Answer(answer.status, headers, answer.body)
    if b"json" not in answer.header(b"content-type") or not answer.body.startswith(b"{"):  # a list, or one row per line
        return Answer(answer.status, headers, answer.body)
    body = json.loads(answer.body)
    if table:
        zh, en = "这里只是其中一页：下一页见 next_url", "This is one page: the next is at 'next_url'"
        if whole:
            zh, en = f"{zh}，整表见 whole_table。", f"{en}, the whole table at 'whole_table'."
    else:
        zh = "结果多于 1,000 行，后面的没有返回：请在语句中用 LIMIT 和 OFFSET 分页，或下载整表文件。"
        en = "There were more than 1,000 rows and the rest was cut: page with LIMIT and OFFSET, or download the table's file."
    body |= {"truncated": True, "advice_zh": zh, "advice_en": en, "whole_table": whole}
    return as_json(body, answer.status, [h for h in headers if h[0].lower() != b"content-type"])


def explain_error(answer: Answer, facts: Facts, help_at: str) -> Answer:
    """Return an error in JSON in the shape that every error has: a code, a sentence in each language, the detail."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(body, dict):
        return answer
    if "code" not in body:
        body = sql_errors.sql_error(str(body.get("error") or ""), facts) | {"status": answer.status}
    return as_json(body | {"help": help_at}, answer.status)


def kinds_of(facts: Facts, table: str | None) -> dict[str, str]:
    """Return the types of the columns of a table; {} without a table."""
    of_contract = {str(kind): str(of) for kind, of in TYPES.items()}
    return {name: of_contract.get(label.kind, label.kind) for name, label in facts.columns.get(table or "", {}).items()}


def for_excel(answer: Answer, kinds: Mapping[str, str]) -> Answer:
    """Return a CSV for Excel, as the files of a release are: a byte order mark first, no cell that would run as a formula, real numbers
    without a useless fraction and booleans as words. `kinds`: the types of its columns, as far as they are known.

    Negative numbers stay numbers.
    """
    text = answer.body.decode("utf-8-sig")  # a page of ours may have the mark already
    if kinds or may_hold_formula(text):
        out = io.StringIO()
        writer, rows = csv.writer(out), csv.reader(io.StringIO(text, newline=""))
        header = next(rows, [])
        writer.writerow(map(neutral, header))
        makers = [CELLS.get(kinds.get(name, ""), _cell) for name in header]
        writer.writerows([make(c) for make, c in zip(makers, row, strict=True)] for row in rows)
        text = out.getvalue()
    headers = [(k, v) for k, v in answer.headers if k.lower() != b"content-type"]
    headers.append((b"content-type", b"text/csv; charset=utf-8"))
    return Answer(answer.status, headers, b"\xef\xbb\xbf" + text.encode("utf-8"))


def _cell(cell: str) -> str:
    """A cell of an unknown type: a number as it is, text without a formula."""
    try:
        float(cell)
    except ValueError:
        return neutral(cell)
    return cell


CELLS: dict[str, Callable[[str], str]] = {
    "text": neutral,
    "real": lambda c: plain_number(float(c)) if c else c,
    "boolean": lambda c: {"0": "false", "1": "true"}.get(c, c),
}
