"""The marts that stand on the contracts and on the account of intake, made in a warehouse without dbt.

A release is built a hundred times by these tests, and dbt takes seconds each time. The models' own SQL is rendered with the project's
own macros; what is stood in for is dbt alone: where a source or a model lies. tests/statistics and tests/end_to_end run dbt itself.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pandas as pd
import yaml

from expectations.contract import Contracts, is_open
from pipelines.core.home import Home
from pipelines.core.settings import MEND_DAYS
from pipelines.feedback.tasks import as_known_on, tasks
from pipelines.statistics.catalog import catalog
from pipelines.statistics.opened import view_of
from pipelines.statistics.run import PROJECT

MODELS = PROJECT / "models"
VARIABLES = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["mingzhang"]
# In the order in which they stand on one another.
ACCOUNT = (
    "int_dataset_files", "int_dataset_institutions", "int_register_sizes", "int_open_names", "datasets", "dataset_columns",
    "submissions", "data_issues", "findings", "coverage", "not_reported", "punctuality", "task_counts", "secrets", "open_secrets", "inputs", "input_datasets", "letters",
)  # fmt: skip


def schema_of(model: str) -> str:
    return {"int": "intermediate", "stg": "staging"}.get(model.partition("_")[0], "marts")


def render(con: duckdb.DuckDBPyConnection, model: str) -> str:
    """The SQL of one model, over the schemas of `con`."""
    (path,) = MODELS.rglob(f"{model}.sql")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    context: dict[str, Any] = {
        "source": lambda schema, name: f"{schema}.{name}",
        "ref": lambda name: f"{schema_of(name)}.{name}",
        "var": VARIABLES.__getitem__,
        "config": lambda **_: "",
        "execute": True,
        "return": lambda value: value,
        "adapter": SimpleNamespace(dispatch=lambda name, _project: context[f"default__{name}"]),
    }
    for name in ("engines.sql", "texts.sql", "contracts.sql"):
        macros = environment.from_string((PROJECT / "macros" / name).read_text(encoding="utf-8"))
        context |= vars(macros.make_module(context))
    context |= {"contracts": lambda: contracts_in(con), "records_of": lambda c: f'records."{c.dataset}"'}
    return environment.from_string(path.read_text(encoding="utf-8")).render(context)


def contracts_in(con: duckdb.DuckDBPyConnection) -> list[SimpleNamespace]:
    def rows(table: str) -> list[dict[str, Any]]:
        return con.sql(f"from catalog.{table}").to_arrow_table().to_pylist()

    columns = rows("columns")
    return [
        SimpleNamespace(**c, columns=[SimpleNamespace(**k) for k in columns if k["dataset"] == c["dataset"]])
        for c in rows("contracts")
    ]


def make(con: duckdb.DuckDBPyConnection, model: str) -> None:
    con.execute(f"create schema if not exists {schema_of(model)}")
    con.execute(f"create or replace table {schema_of(model)}.{model} as ({render(con, model)}\n)")


def put_catalog(con: duckdb.DuckDBPyConnection, contracts: Contracts, as_of: date) -> None:
    """What the models take from the contracts, and the city's date."""
    con.execute("create schema if not exists catalog; create schema if not exists staging")
    for name, table in catalog(contracts, Home(Path("nowhere"))).items():
        con.register("listed", table)
        con.execute(f"create or replace table catalog.{name} as from listed")
        con.unregister("listed")
    con.execute(f"create or replace view staging.stg_city as select date '{as_of}' as as_of")


def account(con: duckdb.DuckDBPyConnection, contracts: Contracts, as_of: date, due_days: int = MEND_DAYS) -> None:
    """Makes every model of ACCOUNT, and a view of each open dataset, of the schemas records and intake."""
    put_catalog(con, contracts, as_of)
    con.execute(
        "create or replace view staging.stg_files as select file_id, status, coalesce(synthetic, false) as synthetic from intake.files"
    )
    frames: list[pd.DataFrame] = [con.sql(f"from intake.{t}").df() for t in ("files", "sheets", "issues")]
    found = tasks(*as_known_on(as_of, *frames), as_of, due_days)
    con.register("found", found)
    con.execute("create or replace table intake.tasks as from found")
    con.unregister("found")
    for model in ACCOUNT:
        make(con, model)
    for contract in contracts.values():
        if is_open(contract):
            con.execute(view_of(contract))
