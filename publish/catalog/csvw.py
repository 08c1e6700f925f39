"""CSV on the Web (W3C Recommendation of 2015): metadata beside each CSV file for programs.

A program that finds <table>.csv finds column names, types and units in <table>.csv-metadata.json.

Belongs here: one table's description. Not here: the whole release's (datapackage.py, dcat.py).
"""

from __future__ import annotations

from typing import Any

from publish.catalog import TYPES, About, TableResource
from publish.files import ABSENT
from publish.schema import Field


def metadata(about: About, r: TableResource, unique: bool) -> dict[str, Any]:
    """The description of a table's CSV file; it lies beside it. `unique`: the key names a row once."""
    city = about.city
    schema: dict[str, Any] = {"columns": [_column(f, f.name in r.blank) for f in r.table.fields]}
    if unique and r.table.key:
        schema["primaryKey"] = list(r.table.key)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "url": f"{r.table.name}.csv",
        "dc:title": [{"@value": r.table.zh, "@language": "zh"}, {"@value": r.table.en, "@language": "en"}],
        "dc:identifier": f"{about.release_id}/{r.table.name}",
        "dc:publisher": city.publisher_zh,
        "dc:rights": city.licence_zh,
        "dc:modified": {"@value": about.as_of.isoformat(), "@type": "xsd:date"},
        # What a reader must not miss stands with the file itself.
        **({"dc:description": about.notice} if about.notice else {}),
        "dialect": {
            "encoding": "utf-8",
            "header": True,
            "lineTerminators": ["\r\n"],
            "delimiter": ",",
            "doubleQuote": True,
        },
        "tableSchema": schema,
    }


def _column(f: Field, blank: bool) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": f.name if not f.name.startswith("_") else f"row{f.name}",  # CSVW keeps names with _ for itself
        "titles": [f.name],
        "datatype": TYPES[f.type],
        "null": [ABSENT if blank else ""],
        "dc:title": [{"@value": f.label, "@language": "zh"}, {"@value": f.en, "@language": "en"}],
    }
    if f.said:
        out["dc:description"] = f.said
    if f.unit:
        out["schema:unitText"] = f.unit
    return out
