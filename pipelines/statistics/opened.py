"""The rows of each dataset that opens, as a view in schema marts: what of the records a release may read.

Belongs here: which rows and columns those are, by the contract. Not here: their types and names in public (publish/schema.py).
docs/decisions/0003-public-tables-are-marts.md says why these are no models of dbt.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from expectations.contract import Contract, Contracts, is_open
from pipelines.core.sql import identifier
from pipelines.statistics.catalog import opens_when

TRACE = ("_file", "_sheet", "_row")


def open_rows(warehouse: Path, contracts: Contracts) -> None:
    """Makes marts.<dataset> for each open dataset of `contracts`, over the tables that `load` put into the warehouse."""
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema if not exists marts")
        for contract in contracts.values():
            if is_open(contract):
                con.execute(view_of(contract))


def view_of(contract: Contract) -> str:
    """The statement that makes the view of one dataset: its public columns, where each row stood, and whether its file is made-up."""
    name = identifier(contract.dataset)
    columns = ", ".join(f"r.{identifier(c)}" for c in (*(c.name for c in contract.public), *TRACE))
    return f"""
        create or replace view marts.{name} as
        select {columns}, coalesce(f.synthetic, false) as _synthetic
        from (select * from records.{name} where {opens_when(contract)}) r
        left join intake.files f on f.file_id = r._file"""
