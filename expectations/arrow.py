"""The Arrow type of each kind of a contract's columns: readings, records and the warehouse have the same.

Belongs here: that one table. Not here: reading a value. Only those who make Arrow columns import this: the contracts do not, so that
a contract can be read without Arrow.
"""

from __future__ import annotations

import pyarrow as pa

from expectations.contract import Kind

TYPES: dict[Kind, pa.DataType] = {
    "string": pa.string(),
    "enum": pa.string(),
    "month": pa.string(),
    "decimal": pa.float64(),
    "integer": pa.int64(),
    "year": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
