"""The example questions of the query page, each with its SQL, read from docs/questions.md.

Belongs here: reading that file. A question is a heading that begins with a number; below it are its English in a line of its
own and its SQL in a fence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

FILE = Path(__file__).parents[2] / "docs" / "questions.md"
HEADING = re.compile(r"^#{2,4}\s+(?:Q|问)?\s*(\d+)[.、:：)]?\s*(.+?)\s*$", re.M)
FENCE = re.compile(r"```sql\n(.*?)```", re.S)
if TYPE_CHECKING:
    from publish.site.facts import Facts

HAN = re.compile(r"[\u3400-\u9fff]")


TABLE = re.compile(r"\b(?:from|join)\s+(\w+)", re.I)
NAMED = re.compile(
    r"\bwith\s+(?:recursive\s+)?(\w+)|,\s*(\w+)(?=\s+as\s*(?:materialized\s*)?\()|\b(\w+)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(",
    re.I,
)
NAME = re.compile(
    r"\b(?:indicator_id|name_zh|name_en|claim_id|benchmark_id)\s*(?:=\s*('[^']*')|in\s*\(([^()]*)\))", re.I
)
ENOUGH = 8  # questions; a release that answers fewer has some of its own indicators beside them


def offered(facts: Facts) -> list[dict[str, str]]:
    """Return the questions that a release can answer; where they are few, its first indicators year by year beside them."""
    found = [q for q in questions() if answerable(q["sql"], facts.tables, facts.named)]
    if len(found) >= ENOUGH or "indicators_main" not in facts.tables:
        return found
    own = [
        {
            "zh": f"{i['name_zh']}，逐年是多少？",
            "en": f"{i['name_en'] or i['name_zh']}, year by year?",
            "sql": f"select year, value, unit\nfrom indicators_main\nwhere indicator_id = '{i['indicator_id']}' and dimension = 'total'\norder by year",
        }
        for i in facts.leading[: ENOUGH - len(found)]
    ]
    return own + found


def answerable(sql: str, tables: Collection[str], known: Collection[str]) -> bool:
    """Return whether a release has the tables that a query reads, and the indicators, statements and averages that it names."""
    own = {name for found in NAMED.findall(sql) for name in found if name}
    named = {i for one, several in NAME.findall(sql) for i in re.findall(r"'([^']*)'", one or several)}
    read = set(TABLE.findall(sql)) - own
    return named <= set(known) and all(t in tables or t.startswith("json_") for t in read)


@lru_cache
def questions(file: Path = FILE) -> tuple[dict[str, str], ...]:
    """Return the questions in order, each with `zh`, `en` ("" where absent) and `sql`; none where the file is absent."""
    if not file.is_file():
        return ()
    text = file.read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    out = []
    for n, m in enumerate(found):
        part = text[m.end() : found[n + 1].start() if n + 1 < len(found) else len(text)]
        sql = FENCE.search(part)
        if not sql:
            continue
        lines = [line.strip(" *_") for line in part[: sql.start()].splitlines() if line.strip()]
        en = next((line for line in lines if not HAN.search(line) and re.search(r"[a-z]{2}", line)), "")
        out.append({"zh": m[2], "en": en, "sql": sql[1].strip()})
    return tuple(out)


def question_of(sql: str | None, known: Iterable[dict[str, str]]) -> dict[str, str] | None:
    """Return the known question whose SQL this is, but for white space; None where it is a reader's own."""
    plain = " ".join((sql or "").split())
    return next((q for q in known if " ".join(q["sql"].split()) == plain), None)
