"""Write dbt's sources and its staging models of records from the contracts: `python -m pipelines.statistics.dbt_sources [--check]`.

Belongs here: the tables that dbt reads, described once, and the models that rename and type a dataset's records, which follow
from its contract alone. Not here: what a table holds, which the contracts, pipelines/records/tables.py (intake),
pipelines/core/city.py and pipelines/statistics/city.py (city), and pipelines/statistics/catalog.py state; anything counted
(dbt_project/models/intermediate). A test finds a stale file.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Column, Contract, Contracts, load_contracts
from pipelines.core.sql import identifier
from pipelines.records import tables
from pipelines.statistics import catalog, city
from pipelines.statistics.due import late_after

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SOURCES = "models/sources.yml"
STAGING = "models/staging/records"  # every file in it is made here
MADE = "Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again."
OF_RECORDS = {
    "_file": "sha256 of the file the row came in.",
    "_sheet": "Name of the sheet; empty for a text file.",
    "_row": "Row of the sheet, 1-based.",
}
PLACE = {"_file": "file_id", "_sheet": "sheet", "_row": "sheet_row"}
EXACT = {"double": "amount", "int64": "whole"}  # Arrow's type -> the macro of dbt_project/macros/numbers.sql
LAST_RECEIVED = """select max(files.received_at)
from {{ source('intake', 'files') }} as files
where files.file_id in (select records._file from {{ this }} as records)"""


def files(contracts: Contracts) -> dict[str, str]:
    """Return the text of each file that is made here, by its path in dbt_project."""
    made = {SOURCES: sources(contracts), f"{STAGING}/records.yml": staging_yaml(contracts)}
    return made | {f"{STAGING}/stg_{c.dataset}.sql": staging_model(c) for c in contracts.values()}


def staging_model(contract: Contract) -> str:
    """Return the SQL of a dataset's staging model: its columns by name, exact numbers, and the place each row came from."""
    columns = []
    for name, kind in tables.record_schema(contract).items():
        sql = _name(name)
        if name in OF_RECORDS:
            sql = f"{name} as {PLACE[name]}"
        elif str(kind) in EXACT:
            sql = f"{{{{ {EXACT[str(kind)]}('{sql}') }}}} as {sql}"
        columns.append(f"        {sql}")
    source = f"{{{{ source('records', '{contract.dataset}') }}}}"
    listed = ",\n".join(columns)
    return (
        f"-- {MADE}\nwith source as (\n    select * from {source}\n),\n\n"
        f"renamed as (\n    select\n{listed}\n    from source\n)\n\nselect * from renamed\n"
    )


def staging_yaml(contracts: Contracts) -> str:
    """Return the text of the YAML file that describes the staging models of records."""
    models = [
        {"name": f"stg_{c.dataset}", "description": f"{_grain(c)}, numbers exact. {c.title_en} ({c.title_zh})."}
        for c in contracts.values()
    ]
    return _yaml({"version": 2, "models": models})


def sources(contracts: Contracts) -> str:
    """Return the text of sources.yml. Its sources lie in Parquet below the folder that MINGZHANG_WORK names."""
    intake = [
        _table(name, tables.TABLES[name], [(c, tables.MEANINGS[c], _type(str(t))) for c, t in schema.items()])
        for name, schema in (tables.INTAKE | {"tasks": tables.TASKS}).items()
    ]
    records = []
    for contract in contracts.values():
        types = tables.record_schema(contract)
        columns = [(n, OF_RECORDS.get(n) or _describe(contract.column(n)), _type(str(t))) for n, t in types.items()]
        described = f"{_grain(contract)}. {contract.title_en} ({contract.title_zh})."
        records.append(_table(contract.dataset, described, columns) | _freshness(contract))
    of_city = [
        _table(name, "Of the city's folder.", [(c, "", t.lower()) for c, t in schema.items()])
        for name, schema in city.TABLES.items()
    ]
    of_contracts = [
        _table(name, "Of the contracts in force.", [(c, text, kind.lower()) for c, (kind, text) in schema.items()])
        for name, schema in catalog.TABLES.items()
    ]
    document = {
        "version": 2,
        "sources": [
            _source("intake", "What came, and what became of it.", intake),
            _source("records", "Accepted rows in canonical units, a table per dataset.", records),
            _source("city", "What is this city's own.", of_city),
            _source("catalog", "What the contracts say.", of_contracts),
        ],
    }
    return _yaml(document)


def _yaml(document: dict[str, Any]) -> str:
    return f"# {MADE}\n" + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def _grain(contract: Contract) -> str:
    return contract.grain or "One row per record"


@cache
def _reserved() -> frozenset[str]:
    import duckdb

    with duckdb.connect() as con:
        words = con.execute("select keyword_name from duckdb_keywords() where keyword_category = 'reserved'").fetchall()
    return frozenset(word for (word,) in words)


def _name(column: str) -> str:
    """Return the name as SQL writes it; in quotes only where it must be."""
    return identifier(column) if column in _reserved() or not re.fullmatch("[a-z_][a-z0-9_]*", column) else column


def _freshness(contract: Contract) -> dict[str, Any]:
    """Return when `dbt source freshness` warns: no file of the dataset came for a period and the days in which it is due."""
    days = late_after(contract)
    if days is None:
        return {}
    late = {"warn_after": {"count": days, "period": "day"}, "error_after": None}
    return {"config": {"freshness": late, "loaded_at_query": LAST_RECEIVED}}


def _source(name: str, description: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    files = "{name}/*.parquet" if name == "records" else "{name}.parquet"  # records lie in a file for each year
    where = f"read_parquet('{{{{ env_var(\"MINGZHANG_WORK\") }}}}/{name}/{files}')"
    return {
        "name": name,
        "description": description,
        "config": {"meta": {"external_location": where}},
        "tables": tables,
    }


def _table(name: str, description: str, columns: list[tuple[str, str, str]]) -> dict[str, Any]:
    described = []
    for column, text, data_type in columns:
        entry = {"name": column, "data_type": data_type}
        described.append(entry | {"description": text} if text else entry)
    return {"name": name, "description": description, "columns": described}


def _describe(c: Column) -> str:
    unit = f", {c.unit}" if c.unit else ""
    return f"{c.header_zh} {c.title_en} ({c.access}{unit}){'。' + c.description if c.description else ''}"


def _type(arrow: str) -> str:
    """The name DuckDB gives the type of a Parquet column."""
    return {
        "string": "varchar",
        "double": "double",
        "int64": "bigint",
        "bool": "boolean",
        "date32[day]": "date",
        "timestamp[us]": "timestamp",
    }[arrow]


def main(arguments: list[str] | None = None) -> int:
    """Write the files, and delete the staging model of a contract that is gone; with --check only report whether any is stale
    (exit status 1)."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.statistics.dbt_sources", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is stale")
    check = parser.parse_args(arguments).check
    made = {PROJECT / name: text for name, text in files(load_contracts()).items()}
    stale = [p for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    gone = sorted(set((PROJECT / STAGING).glob("*")) - set(made))
    if not stale and not gone:
        return 0
    if check:
        names = ", ".join(str(p.relative_to(PROJECT)) for p in stale + gone)
        print(f"Stale: {names}; run 'python -m pipelines.statistics.dbt_sources' and commit them.", file=sys.stderr)
        return 1
    (PROJECT / STAGING).mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
