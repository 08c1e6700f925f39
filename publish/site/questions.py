"""The example questions of the query page, each with its SQL, read from docs/questions.md.

Belongs here: reading that file. A question is a heading that begins with a number; below it are its English in a line of its
own and its SQL in a fence.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parents[2] / "docs" / "questions.md"
HEADING = re.compile(r"^#{2,4}\s+(?:Q|问)?\s*(\d+)[.、:：)]?\s*(.+?)\s*$", re.M)
FENCE = re.compile(r"```sql\n(.*?)```", re.S)
HAN = re.compile(r"[\u3400-\u9fff]")


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


def question_of(sql: str | None) -> dict[str, str] | None:
    """Return the question whose SQL this is, but for white space; None where it is a reader's own."""
    plain = " ".join((sql or "").split())
    return next((q for q in questions() if " ".join(q["sql"].split()) == plain), None)
