"""Parses cells to typed values: a pure function for each kind of column, and one for a whole column.

Belongs here: how people write numbers, dates, months, years, yes and no. Not here: which column a cell belongs to, and
any rule over values (ranges, lists, keys, empty cells): those are the suites'.

Each reader takes what a cell of a Grid holds ('' or None, str, int, float, bool, date, datetime, time, timedelta, Fault)
and returns the value, None for a blank, `Bad` where it cannot be read, or `DoubtfulValue` for a value that something speaks against.
"""

from pipelines.intake.values.column import CellParser, ColumnReader, column_reader, read_column
from pipelines.intake.values.dates import from_serial, read_date, read_month, read_year
from pipelines.intake.values.numbers import read_integer, read_number, scaled, written_to
from pipelines.intake.values.results import BAD, PENDING, Bad, DoubtfulValue
from pipelines.intake.values.texts import read_boolean, read_choice, read_name, read_text
from pipelines.intake.values.words import DITTO, absent, fold

__all__ = [
    "BAD",
    "DITTO",
    "PENDING",
    "Bad",
    "CellParser",
    "ColumnReader",
    "DoubtfulValue",
    "absent",
    "column_reader",
    "fold",
    "from_serial",
    "read_boolean",
    "read_choice",
    "read_column",
    "read_date",
    "read_integer",
    "read_month",
    "read_name",
    "read_number",
    "read_text",
    "read_year",
    "scaled",
    "squeeze",
    "written_to",
]
