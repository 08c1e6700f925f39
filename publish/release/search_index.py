"""The index of what a release says: indicators, statements, datasets, their columns, and the open records.

Belongs here: making the index, a file of its own beside mingzhang.db. Not here: asking it (publish/site/search).

Chinese has no spaces, so the index holds single characters and a word is a phrase of them (SQLite FTS5 with its default
tokenizer); Latin words stay whole. Full and half width are one (Unicode NFKC).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from pipelines.core.text import fold

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def spread(text: str) -> str:
    """A text as the index holds it: each Chinese character a word of its own."""
    return HAN.sub(lambda m: f" {m[0]} ", fold(text))


def build_index(db: Path, out: Path) -> int:
    """Writes the search index of a finished `mingzhang.db` to `out`; gives the number of documents.

    The same database gives the same bytes. Only what stands in the database goes in, so it is as public as that.
    """
    out.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{db.resolve().as_uri()}?immutable=1", uri=True)) as source,
        closing(sqlite3.connect(out, isolation_level=None)) as con,
    ):
        source.row_factory = sqlite3.Row
        for pragma in ("page_size = 4096", "journal_mode = off", "synchronous = off", "locking_mode = exclusive"):
            con.execute(f"pragma {pragma}")
        con.execute(
            "create table documents (id integer primary key, kind text, name text, title_zh text, title_en text, body text, address text)"
        )
        # The words are in the index alone; what is shown stands in `documents` under the same id.
        con.execute(
            "create virtual table words using fts5(title, body, content='', columnsize=1, tokenize='unicode61')"
        )
        con.execute("begin")
        count = 0
        for kind, name, zh, en, body, address in _documents(source):
            count += 1
            con.execute(
                "insert into documents values (?, ?, ?, ?, ?, ?, ?)", (count, kind, name, zh, en, body, address)
            )
            con.execute(
                "insert into words (rowid, title, body) values (?, ?, ?)",
                (count, spread(f"{zh} {en}"), spread(f"{name} {body}")),
            )
        con.execute("insert into words (words) values ('optimize')")
        con.execute("commit")
        con.execute("vacuum")
    return count


def _documents(con: sqlite3.Connection) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Everything that can be found: kind, name, Chinese title, English title, text, address below the release."""

    def joined(*texts: Any) -> str:
        return " ".join(str(t) for t in texts if t not in (None, ""))

    for r in con.execute("select * from indicators order by indicator_id"):
        body = joined(r["theme"], r["definition_zh"], r["unit"], r["definition_en"])
        yield "indicator", r["indicator_id"], r["name_zh"], r["name_en"], body, f"indicators/{r['indicator_id']}"
    named = "select c.*, p.name_zh as period_zh, p.name_en as period_en from claims c left join periods p using (period_id) order by claim_id"
    for r in con.execute(named):
        body = joined(
            r["value_text"], r["period"], r["explanation_zh"], r["explanation_en"], r["period_zh"], r["period_en"]
        )
        yield "claim", r["claim_id"], r["name_zh"], r["name_en"], body, f"claims/{r['claim_id']}"
    titles = {}
    for r in con.execute("select * from datasets order by dataset"):
        titles[r["dataset"]] = (r["title_zh"], r["title_en"] or r["dataset"])
        body = joined(r["theme"], r["description"], r["grain"])
        yield "dataset", r["dataset"], r["title_zh"], r["title_en"] or "", body, f"datasets/{r['dataset']}"
    for r in con.execute("select * from dataset_columns order by dataset, position"):
        aliases = (r["aliases"] or "").replace("|", " ")
        body = joined(titles.get(r["dataset"], ("",))[0], r["description"], aliases, r["unit"])
        name = f"{r['dataset']}.{r['column']}"
        yield "column", name, r["header_zh"], r["title_en"] or "", body, f"datasets/{r['dataset']}#{r['column']}"
    tables = {r[0] for r in con.execute("select name from sqlite_master where type = 'table'")}
    for dataset, (zh, en) in titles.items():
        if dataset in tables:
            yield from _records(con, dataset, zh, en)


def _records(con: sqlite3.Connection, dataset: str, zh: str, en: str) -> Iterator[tuple[str, str, str, str, str, str]]:
    """The rows of an open dataset; the title is its texts in order, the address that of its row."""
    from datasette.utils import tilde_encode  # loads half of Datasette, which a reader of this module need not wait for

    info = con.execute(f'pragma table_info("{dataset}")').fetchall()
    keys = [c["name"] for c in sorted((c for c in info if c["pk"]), key=lambda c: c["pk"])]
    texts = [c["name"] for c in info if c["type"].upper() == "TEXT" and not c["name"].startswith("_")]
    order = ", ".join(f'"{k}"' for k in keys) or "rowid"
    row_id = "" if keys else "rowid as _id, "
    for r in con.execute(f'select {row_id}* from "{dataset}" order by {order}'):
        fields = list(dict.fromkeys(str(r[c]) for c in texts if r[c] not in (None, "")))
        if not any(HAN.search(t) for t in fields):
            continue
        at = ",".join(tilde_encode(str(r[k])) for k in keys) if keys else str(r["_id"])
        yield "record", dataset, fields[0], "", " ".join(fields[1:]), f"mingzhang/{dataset}/{at}"
