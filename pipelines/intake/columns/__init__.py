"""Parses the columns of one table with an account of each: `Plans` has the parsers, `TableReader` applies them.

Belongs here: tables whose header and rows are known. Not here: where they are (layout), or what a single cell says (values).
"""

from pipelines.intake.columns.plans import Plans
from pipelines.intake.columns.table import TableReader

__all__ = ["Plans", "TableReader"]
