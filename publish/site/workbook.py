"""Rows of Datasette as a workbook: a sheet of rows, and a sheet with release, licence and query.

Belongs here: the `.xlsx` of a table and of a query. Not here: whole tables (they are files of the release).
"""

from __future__ import annotations

import io
import urllib.parse
from typing import Any

import xlsxwriter
from datasette.utils.asgi import Response

from publish.files import SHEETS
from publish.release.write import XLSX_CREATED, XLSX_TEXT
from publish.site.sql_errors import sql_error
from publish.wording import MADE_UP_EN, MADE_UP_ZH

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(
    datasette: Any, columns: list[str], rows: Any, sql: str | None, table: str | None, request: Any, data: Any
) -> Response:
    """Return rows as XLSX. Text is never a formula; the second sheet names release, licence and query."""
    facts = datasette.facts
    if data.get("error"):
        return Response.json(sql_error(str(data["error"]), datasette.facts, sql), status=400)
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, OPTIONS)
    book.set_properties({"title": table or "query", "author": "", "created": XLSX_CREATED})
    bold = book.add_format({"bold": True, "bottom": 1})
    english = facts.order.first == "en"
    of_rows, of_notes = SHEETS[english]
    sheet = book.add_worksheet(of_rows)
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name, bold)
    for n, row in enumerate(rows, 1):
        for at, value in enumerate(tuple(row)):
            if isinstance(value, (int, float)):
                sheet.write_number(n, at, value)
            elif value is not None:
                sheet.write_string(n, at, str(value)[:XLSX_TEXT])
    notes = book.add_worksheet(of_notes)
    notes.set_column(0, 1, 30)
    notes_rows = [
        *([("提示 Notice", f"{MADE_UP_ZH} {MADE_UP_EN}")] if facts.synthetic else []),
        ("发布版本 Release", facts.release_id),
        ("数据截止 As of", facts.as_of),
        ("发布单位 Publisher", (english and facts.publisher_en) or facts.publisher),
        ("许可 Licence", (english and facts.licence_en) or facts.licence),
        (
            "网址 Address",
            f"{request.scheme}://{request.host}{request.path}?{urllib.parse.unquote_plus(request.query_string)}",
        ),
        ("查询 SQL", sql or ""),
        *([("截断 Cut", "结果更多，这里只有一部分 There are more rows than these")] if data.get("truncated") else []),
    ]
    for n, (name, text) in enumerate(notes_rows):
        notes.write_string(n, 0, name, bold)
        notes.write_string(n, 1, text[:XLSX_TEXT])
    book.close()
    name = f"{table or 'query'}-{facts.release_id}.xlsx"
    response = Response(body.getvalue(), headers={"content-disposition": f'attachment; filename="{name}"'})
    response.content_type = KIND
    return response
