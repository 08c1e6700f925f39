"""Names and texts as SQL writes them, for DuckDB and SQLite alike.

Belongs here: quoting. Not here: any query. Values go as parameters wherever a statement takes one.
"""

from __future__ import annotations


def identifier(name: str) -> str:
    """The name of a table or column, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text constant, in single quotes."""
    return "'" + text.replace("'", "''") + "'"
