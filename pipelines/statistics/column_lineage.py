"""Column lineage of the models, read off the SQL that dbt compiled: the columns that each column is computed from.

Belongs here: that analysis, by sqlglot, and the notes that spare it where nothing changed. Not here: Dagster's form of it
(pipelines/assets/statistics.py), or which files stand behind a figure (dbt_project/models/marts/provenance.sql).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.core.home import Home, whole_file
from pipelines.statistics.counted import WarehouseTable
from pipelines.statistics.run import PROJECT

NOTES = PROJECT / "target" / "lineage.json"
MOST = 2000  # notes kept of code and contracts that may be gone
READ = re.compile(r"read_parquet\('([^']+)'\)")
Columns = dict[str, list[tuple[str, str]]]  # column -> the (schema/table, column) that it is computed from, in order
_LOG = logging.getLogger(__name__)


def column_lineage(
    home: Home, compiled: Mapping[str, Path], tables: Mapping[str, WarehouseTable]
) -> dict[str, Columns]:
    """The lineage of each model of `compiled` (`schema/table` -> its SQL for DuckDB), over the tables that it names.

    A column made of constants alone, or of counted rows, depends on none. A model whose SQL sqlglot cannot follow is left out, with a
    line in the log. Notes are kept beside dbt's manifest, for all homes: what has the same SQL over the same columns is not analysed
    again.
    """
    notes = _read(NOTES)
    schema = {name: dict(t.columns) for name, t in tables.items()}
    made: dict[str, Any] = {}
    out: dict[str, Columns] = {}
    for name, file in sorted(compiled.items()):
        sql = file.read_text(encoding="utf-8")
        digest = _digest(sql, schema, home)
        if (columns := made.setdefault(digest, notes.get(digest, ...))) is ...:
            columns = made[digest] = _analysed(name, sql, schema, home)
        if columns is not None:
            out[name] = {c: [(t, of) for t, of in found] for c, found in columns.items()}
    if not made.keys() <= notes.keys():
        NOTES.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(NOTES) as part:
            kept = notes if len(notes) < MOST else {}
            part.write_text(json.dumps({**kept, **made}, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    return out


def _digest(sql: str, schema: Mapping[str, Mapping[str, str]], home: Home) -> str:
    """Of a model's SQL wherever its home lies, and of the columns of each table that it may name."""
    top = str(home.work.resolve())
    files = {path.removeprefix(top): _columns(path) for path in sorted(set(READ.findall(sql)))}
    sql = sql.replace(top, "")
    named = {n: columns for n, columns in schema.items() if n.split("/")[1] in sql}
    text = json.dumps([sql, named, files], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{version('sqlglot')}\n{text}".encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}  # made anew


def _analysed(name: str, sql: str, schema: Mapping[str, Mapping[str, str]], home: Home) -> Columns | None:
    """One model's lineage; None where its SQL cannot be followed."""
    # Takes a third of a second to import, and is not needed where the notes hold.
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    try:
        tree: Any = parse_one(sql, dialect="duckdb")
        files: dict[str, dict[str, str]] = {}
        for read in list(tree.find_all(exp.ReadParquet)):
            _as_table(read, home, files)
        for spread in list(tree.find_all(exp.Explode)):
            _as_columns(spread)
        known: dict[str, Any] = {}
        for table, columns in {**schema, **files}.items():
            if columns:
                known.setdefault(table.split("/")[0], {})[table.split("/")[1]] = dict(columns)
        for of in tree.find_all(exp.Table):
            of.set("catalog", None)
        tree = qualify(tree, schema=known, dialect="duckdb", validate_qualify_columns=False, identify=False)
        scope = build_scope(tree)
        out: Columns = {}
        for column in tree.selects:
            node = lineage(
                column.alias_or_name, tree, known, scope=scope, dialect="duckdb", trim_selects=False, copy=False
            )
            out[column.alias_or_name] = _leaves(node.walk(), exp.Table)
        return out
    except (SqlglotError, ValueError, KeyError) as e:
        _LOG.warning("The column lineage of %s is not known: sqlglot cannot follow its SQL (%s).", name, str(e)[:200])
        return None


def _as_table(read: Any, home: Home, files: dict[str, dict[str, str]]) -> None:
    """Put the table of a source in place of the reading of its files, and its columns into `files`."""
    from sqlglot import exp

    path = Path(read.expressions[0].name) if read.expressions else Path(read.this.name)
    schema, table = path.relative_to(home.work.resolve()).parts[:2]
    name = f"{schema}/{table.removesuffix('.parquet')}"
    if name not in files:
        files[name] = _columns(str(path))
    target = read.parent if isinstance(read.parent, exp.Table) else read
    target.set("this", exp.to_identifier(name.split("/")[1]))
    target.set("db", exp.to_identifier(schema))


def _as_columns(spread: Any) -> None:
    """Put a column for each field in place of `unnest([{field: ...}, ...], recursive := true)`, of which sqlglot sees one alone."""
    from sqlglot import exp

    if not isinstance(spread.this, exp.Array) or not all(isinstance(e, exp.Struct) for e in spread.this.expressions):
        return
    fields: dict[str, list[Any]] = {}
    for struct in spread.this.expressions:
        for pair in struct.expressions:
            fields.setdefault(pair.name, []).append(pair.expression.copy())
    select = spread.parent
    at = select.expressions.index(spread)
    columns = [exp.alias_(exp.Coalesce(this=v[0], expressions=v[1:]), name) for name, v in fields.items()]
    select.set("expressions", [*select.expressions[:at], *columns, *select.expressions[at + 1 :]])


def _columns(pattern: str) -> dict[str, str]:
    """The columns of the first Parquet file that a pattern names; none where there is no file."""
    import pyarrow.parquet as pq

    path = Path(pattern)
    found = sorted(path.parent.glob(path.name))
    return {f.name: str(f.type) for f in pq.read_schema(found[0])} if found else {}


def _leaves(nodes: Iterable[Any], table: Any) -> list[tuple[str, str]]:
    """The columns of tables among the nodes of a lineage, each once, by name."""
    found = set()
    for node in nodes:
        of = node.source
        if isinstance(of, table) and of.db:
            found.add((f"{of.db}/{of.name}", node.name.rsplit(".", 1)[-1].strip('"')))
    return sorted(found)
