"""Attributes of assets that are known before a run: words in both languages, columns, owner, freshness.

Belongs here: the contract's facts in Dagster's terms. Not here: anything a run finds (records.py, statistics.py).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.contract import Column, Contract
from pipelines.statistics.due import DAYS, late_after

OWNER = "team:data-engineering"  # of what no contract describes
POOL = "home"  # every step works on the one home; dagster.yaml lets one run at a time into it
# where Dagster looks for them in metadata
ROWS, COLUMNS, LINEAGE = "dagster/row_count", "dagster/column_schema", "dagster/column_lineage"

_ON: Any = dg.AutomationCondition
# Made again when something it reads was made again, or its code changed; not while that is under way. The first time is `refresh`'s.
STALE: Any = (
    (_ON.any_deps_updated() | _ON.code_version_changed()).since_last_handled()
    & ~_ON.any_deps_missing()
    & ~_ON.any_deps_in_progress()
    & ~_ON.in_progress()
).with_label("stale")


def described(contract: Contract) -> dict[str, Any]:
    """The arguments of an AssetSpec that a contract gives: words, owner, tags, columns, freshness."""
    return {
        "description": f"{contract.title_zh} {contract.title_en}\n\n{contract.description}\n\n{contract.grain}.",
        "owners": [f"team:{contract.owner}" if contract.owner else OWNER],
        "tags": {k: v for k, v in (("frequency", contract.frequency), ("opening", contract.opening)) if v},
        "metadata": {
            COLUMNS: columns(contract),
            "contract": dg.MetadataValue.path(contract.path),
        },
        "freshness_policy": freshness(contract),
    }


def columns(contract: Contract) -> dg.TableSchema:
    """The columns that are kept, as the contract describes them."""
    return dg.TableSchema(columns=[_column(c, c.name in contract.key) for c in contract.kept])


def _column(c: Column, in_key: bool) -> dg.TableColumn:
    said = f"{c.header_zh} {c.title_en}{f' ({c.unit})' if c.unit else ''}"
    return dg.TableColumn(
        name=c.name,
        type=c.kind,
        description=f"{said}\n{c.description}" if c.description else said,
        constraints=dg.TableColumnConstraints(nullable=not c.required, other=["key"] if in_key else []),
        tags={"access": c.access},
    )


def freshness(contract: Contract) -> dg.FreshnessPolicy | None:
    """A warning where the table is older than a period of the contract, a failure where its term is over too; None where nothing is
    due."""
    days = late_after(contract)
    if days is None:
        return None
    period = DAYS[contract.frequency]
    warn = timedelta(days=period) if period < days else None
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days), warn_window=warn)


def rows_in(*files: Path) -> int:
    """The rows of a table in Parquet, from the files' footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(f).num_rows for f in files if f.is_file())
