"""Writes dbt_project/models/sources.yml from the contracts: `python -m pipelines.statistics.dbt_sources [--check]`.

Belongs here: the tables that dbt reads, described once. Not here: what a table holds, which stands in the contracts, in
pipelines/records/tables.py (intake), in pipelines/core/city.py and pipelines/statistics/city.py (city), and in
pipelines/statistics/catalog.py. A test finds a stale file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Column, Contracts, load_contracts
from pipelines.records import tables
from pipelines.statistics import catalog, city

PATH = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "sources.yml"
HEAD = "# Made by `python -m pipelines.statistics.dbt_sources` from the contracts; edit those, then run it again.\n"
OF_RECORDS = {
    "_file": "sha256 of the file the row came in.",
    "_sheet": "Name of the sheet; empty for a text file.",
    "_row": "Row of the sheet, 1-based.",
}


def sources(contracts: Contracts) -> str:
    """The text of sources.yml. Its sources lie in Parquet below the folder that MINGZHANG_WORK names."""
    intake = [
        _table(name, tables.TABLES[name], [(c, tables.MEANINGS[c], _type(str(t))) for c, t in schema.items()])
        for name, schema in (tables.INTAKE | {"tasks": tables.TASKS}).items()
    ]
    records = []
    for contract in contracts.values():
        types = tables.record_schema(contract)
        columns = [(n, OF_RECORDS.get(n) or _describe(contract.column(n)), _type(str(t))) for n, t in types.items()]
        grain = f" {contract.grain}." if contract.grain else ""
        records.append(_table(contract.dataset, f"{contract.title_zh} {contract.title_en}.{grain}", columns))
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
    return HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


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
    """Writes the file; with --check only says whether it is stale (exit status 1)."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.statistics.dbt_sources", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where the file is stale")
    check = parser.parse_args(arguments).check
    text = sources(load_contracts())
    if PATH.exists() and PATH.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(f"{PATH.name} is stale; run 'python -m pipelines.statistics.dbt_sources' and commit it.", file=sys.stderr)
        return 1
    PATH.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
