"""The contracts as tables of the warehouse: what dbt has to know of a dataset that no record says.

Belongs here: which datasets there are, how they open, what their columns mean and where their records lie. Not here: a contract
itself (expectations/contract), or anything counted (dbt_project/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.contract import Contract, Contracts, is_open
from pipelines.core.home import Home, whole_file
from pipelines.core.sql import identifier, literal

if TYPE_CHECKING:  # Dagster's definitions name the tables and write none
    import pyarrow as pa

# Table -> column -> DuckDB's type and what it means: dbt's source `catalog`.
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "contracts": {
        "dataset": ("VARCHAR", "The contract's name of the dataset."),
        "title_zh": ("VARCHAR", "Its title in Chinese."),
        "title_en": ("VARCHAR", "Its title in English."),
        "theme": ("VARCHAR", "The theme it belongs to."),
        "grain": ("VARCHAR", "What a row is."),
        "frequency": ("VARCHAR", "How often it is sent in: monthly, quarterly, annual, event, ..."),
        "opening": ("VARCHAR", "open, aggregate or closed."),
        "opening_attribute": ("VARCHAR", "无条件开放, 有条件开放 or 不予开放."),
        "opening_note": ("VARCHAR", "What the contract says of the opening."),
        "decided_by": ("VARCHAR", "Who decided on the opening."),
        "decided_on": ("VARCHAR", "When it was decided."),
        "ground": ("VARCHAR", "On what ground."),
        "description": ("VARCHAR", "What the contract says of the dataset."),
        "description_en": ("VARCHAR", "The same in English."),
        "published": ("BOOLEAN", "The rows may be published: it is open, and who decided, when and on what ground is stated."),
        "due_days": ("BIGINT", "Days after the end of a period by which it is to be sent in; null where the contract states none."),
        "is_register": ("BOOLEAN", "It is the register of institutions."),
        "is_owed": ("BOOLEAN", "Its key is an institution and a period, so that each institution of the register owes one row."),
        "period": ("VARCHAR", "The column that dates a row; null: none does."),
        "period_kind": ("VARCHAR", "year, month or date."),
        "institution_name": ("VARCHAR", "The column that names an institution; null: none does."),
        "institution_code": ("VARCHAR", "The column that has an institution's code; null: none has."),
        "opens_when": ("VARCHAR", "Of an open dataset: SQL over a record that says whether the row opens; a row of which that is null does not."),
        "records": ("VARCHAR", "Where its records lie: the files of a folder, for read_parquet."),
    },
    "columns": {
        "dataset": ("VARCHAR", "The contract's name of the dataset."),
        "position": ("BIGINT", "From 1, in the order of the contract."),
        "column": ("VARCHAR", "The contract's name of the column."),
        "header_zh": ("VARCHAR", "The official header."),
        "title_en": ("VARCHAR", "Its title in English."),
        "type": ("VARCHAR", "How a cell is read: string, enum, boolean, integer, decimal, year, month, date."),
        "unit": ("VARCHAR", "The unit of a number."),
        "required": ("BOOLEAN", "A row without it is no record."),
        "key": ("BOOLEAN", "It is part of what names a row once."),
        "access": ("VARCHAR", "L0 open, L1 open in sums only, L2 kept inside, L3 never kept."),
        "published": ("BOOLEAN", "It stands in public rows."),
        "allowed": ("VARCHAR", "The values allowed, separated by |."),
        "description": ("VARCHAR", "What the contract says of it."),
        "description_en": ("VARCHAR", "The same in English."),
        "aliases": ("VARCHAR", "Other headers it is known by, separated by |."),
    },
}  # fmt: skip


def load_catalog(contracts: Contracts, home: Home) -> None:
    """Writes work/catalog/<table>.parquet for each of TABLES."""
    import pyarrow.parquet as pq

    (home.work / "catalog").mkdir(parents=True, exist_ok=True)
    for name, table in catalog(contracts, home).items():
        with whole_file(home.table("catalog", name)) as path:
            pq.write_table(table, path, compression="zstd")


def catalog(contracts: Contracts, home: Home) -> dict[str, pa.Table]:
    """Each of TABLES, in the order of the contracts and of their columns. An empty text is null."""
    import pyarrow as pa

    arrow = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_()}
    rows = {
        "contracts": [_contract(c, home) for c in contracts.values()],
        "columns": [row for c in contracts.values() for row in _columns(c)],
    }
    out = {}
    for name, columns in TABLES.items():
        schema = pa.schema([(c, arrow[kind]) for c, (kind, _) in columns.items()])
        out[name] = pa.Table.from_pylist(
            [{k: None if v == "" else v for k, v in r.items()} for r in rows[name]], schema
        )
    return out


def opens_when(c: Contract) -> str:
    """SQL over a record of an open dataset: whether the row may be published. Where that is not known (null), it may not."""
    only = c.open_rows
    if only is None:
        return "true"
    return f"{identifier(only.column)} not in ({', '.join(map(literal, only.not_in))})"


def _contract(c: Contract, home: Home) -> dict[str, Any]:
    name, code, period = c.institution_name, c.institution_code, c.period
    same = (
        "dataset", "title_zh", "title_en", "theme", "grain", "frequency", "opening", "opening_attribute", "opening_note",
        "decided_by", "decided_on", "ground", "description", "description_en", "due_days",
    )  # fmt: skip
    return {k: getattr(c, k) for k in same} | {
        "published": is_open(c),
        "is_register": c.register,
        "is_owed": period is not None and set(c.key) in [{x.name, period.name} for x in (name, code) if x is not None],
        "period": period.name if period else None,
        "period_kind": period.kind if period else None,
        "institution_name": name.name if name else None,
        "institution_code": code.name if code else None,
        "opens_when": opens_when(c),
        "records": str(home.records(c.dataset).resolve() / "*.parquet"),
    }


def _columns(c: Contract) -> list[dict[str, Any]]:
    return [
        {
            "dataset": c.dataset,
            "position": n,
            "column": col.name,
            "header_zh": col.header_zh,
            "title_en": col.title_en,
            "type": col.kind,
            "unit": col.unit,
            "required": col.required,
            "key": col.name in c.key,
            "access": col.access,
            "published": is_open(c) and col.access == "L0",
            "allowed": "|".join(col.values),
            "description": col.description,
            "description_en": col.description_en,
            "aliases": "|".join(col.aliases),
        }
        for n, col in enumerate(c.columns, 1)
    ]
