"""Quoting of SQL identifiers and literals, for DuckDB and SQLite alike.

Not here: any query. Values go as parameters wherever a statement takes one.
"""

from __future__ import annotations


def identifier(name: str) -> str:
    """Quote the name of a table or column, with double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text constant, with single quotes."""
    return "'" + text.replace("'", "''") + "'"
