"""The code lists of a release as one file: each code of a public column with its name in both languages.

Belongs here: which columns are coded, and the file. Not here: the names (publish/site/vocabulary.py), which values a request may
have (publish/site/validation.py, whose lists these are).
"""

from __future__ import annotations

import csv
import io
from typing import Any

from datasette.utils.asgi import Response

from pipelines.core.formulas import neutral
from publish.names import english
from publish.schema import PLATFORM
from publish.site.pages.base import rows
from publish.site.vocabulary import factor_sets

HEADER = ("table", "column", "code", "name_zh", "name_en")


async def code_lists(datasette: Any) -> list[tuple[str, str, str, str, str]]:
    """Return the rows of HEADER: of the platform's tables first, then of the datasets, whose closed lists their contracts state. What
    a table lists by itself (indicators, statements, datasets) is no code list, nor are the sections of a report."""
    from publish.site.validation import HOMES, known_values  # which reads pages.base, and so this package first

    facts = datasette.facts
    out = []
    for table in facts.tables:
        for column in facts.columns.get(table, {}) if table in PLATFORM else ():
            if column not in (*HOMES, "section"):
                known = await known_values(datasette, table, column)
                if column == "factor_set":
                    known |= {c: (n.zh, n.en) for c, n in factor_sets(facts).items() if c in known}
                out += [(table, column, code, zh, en) for code, (zh, en) in known.items()]
    listed = "select dataset, \"column\", allowed from dataset_columns where allowed <> '' order by dataset, position"
    for r in await rows(datasette, listed):
        out += [(r["dataset"], r["column"], code, code, english(code)) for code in r["allowed"].split("|")]
    return out


async def file(datasette: Any, request: Any) -> Response:
    """Answer with the lists as a CSV that Excel opens rightly."""
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(HEADER)
    out.writerows([neutral(cell) for cell in row] for row in await code_lists(datasette))
    name = f"codes-{datasette.facts.release_id}.csv"
    response = Response(
        text.getvalue().encode("utf-8-sig"), headers={"content-disposition": f'attachment; filename="{name}"'}
    )
    response.content_type = "text/csv; charset=utf-8"
    return response
