"""datapackage.json: a Frictionless Data Package (datapackage.org, version 2.0) of the CSV files for programs of a release.

Belongs here: the package's words. Not here: the Chinese catalogue's (dcat.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from publish.catalog import TYPES, About, TableResource
from publish.files import ABSENT, EXCEL
from publish.schema import Field, Table


def datapackage(about: About, resources: Sequence[TableResource], unique: dict[str, bool]) -> dict[str, Any]:
    """The package. `unique`: whether a table's key names a row once, and so may be called its primary key."""
    city = about.city
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"mingzhang-{city.code}",
        "id": about.release_id,
        "title": f"{about.title_zh} / {about.title_en}",
        "description": " ".join(
            filter(
                None,
                (
                    about.notice,
                    f"An empty cell is a value that is absent; in a column that has empty texts it is one, and absent is {ABSENT}.",
                    f"The files of {EXCEL}/ are for Excel: a byte order mark, and an apostrophe before text that would run as a formula.",
                ),
            )
        ),
        "version": about.release_id,
        "created": f"{about.as_of.isoformat()}T00:00:00Z",
        "licenses": [{"name": "other-open", "title": f"{city.licence_zh} / {city.licence_en}"}],
        "contributors": [{"title": f"{city.publisher_zh} / {city.publisher_en}", "roles": ["publisher"]}],
        "mingzhang:synthetic": about.synthetic,
        "resources": [_resource(r, unique[r.table.name]) for r in resources],
    }


def _resource(r: TableResource, unique: bool) -> dict[str, Any]:
    file = r.files["csv"]
    return {
        "name": r.table.name,
        "type": "table",
        "profile": "tabular-data-resource",  # of version 1, which some readers still ask for
        "path": file.path,
        "title": f"{r.table.zh} / {r.table.en}",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "schema": _schema(r.table, unique, r.blank),
        "mingzhang:rows": r.rows,
    }


def _schema(table: Table, unique: bool, blank: frozenset[str]) -> dict[str, Any]:
    out: dict[str, Any] = {"fields": [_field(f, f.name in blank) for f in table.fields], "missingValues": [""]}
    if blank:  # of each column this says the same; readers of version 1 read it here alone
        out["missingValues"] = ["", ABSENT]
    if unique and table.key:
        out["primaryKey"] = list(table.key)
    return out


def _field(f: Field, blank: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"name": f.name, "type": TYPES[f.type], "title": f"{f.zh} / {f.en}"}
    if blank:
        out["missingValues"] = [ABSENT]
    if f.said:
        out["description"] = f.said
    if f.unit:
        out["mingzhang:unit"] = f.unit
    return out
