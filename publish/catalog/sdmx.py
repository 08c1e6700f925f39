"""sdmx/: the indicator values for statistical software, as SDMX-CSV 2.0 with a structure message in SDMX-JSON 2.0 (SDMX 3.0).

Belongs here: which component each column is, and the structure message. Not here: writing CSV (publish/release/write.py).

Breakdowns and their members are no codes of SDMX, whose identifiers may have neither Chinese nor a slash: they are texts as in the
table indicator_values. Versions have two parts: those of three SDMX holds to be final, and a city adds indicators.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from publish.catalog import About
from publish.files import SDMX_LEADING, sdmx_component
from publish.schema import STATUS, Field, Table, Type

VERSION = "1.0"
DIMENSIONS = ("indicator_id", "dimension", "member", "factor_set", "year")
DATA_TYPES: dict[Type, str] = {
    "text": "String",
    "integer": "Long",
    "real": "Double",
    "boolean": "Boolean",
    "date": "GregorianDay",
}
STATUS_LIST = "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_OBS_STATUS(2.2)"
SCHEMA = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json"


def observations(about: About, table: Table, data: pa.Table) -> tuple[Table, pa.Table]:
    """The rows of indicator_values under the headers of SDMX-CSV: the structure they are of, the dimensions, the value, the attributes."""
    by_name = {f.name: f for f in table.fields}
    order = [*DIMENSIONS, "value", *(f.name for f in table.fields if f.name not in (*DIMENSIONS, "value"))]
    fields = [Field(sdmx_component(n), by_name[n].type, by_name[n].zh, by_name[n].en) for n in order]
    columns = [data[n] for n in order]
    leading = (
        "dataflow",
        _of(about, "DF_INDICATORS"),
        "I",
    )  # I: information, neither appended to anything nor replacing it
    fields = [*(Field(n, "text", n, n) for n in SDMX_LEADING), *fields]
    columns = [*(pa.repeat(v, data.num_rows) for v in leading), *columns]
    return Table(table.name, table.zh, table.en, tuple(fields)), pa.table(columns, names=[f.name for f in fields])


def structure(about: About, table: Table, indicators: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The structure message. `indicators`: rows of the table of that name."""
    names = {"zh": table.zh, "en": table.en}
    concepts = [{"id": sdmx_component(f.name), **_named({"zh": f.zh, "en": f.en}, f.note)} for f in table.fields]
    codes = [{"id": i["indicator_id"], **_named({"zh": i["name_zh"], "en": i["name_en"]})} for i in indicators]
    letters = [{"id": k, **_named({"zh": zh, "en": en})} for k, (zh, en) in STATUS.items()]
    of_list = _named({"zh": "观测状态", "en": "Observation status"})
    flow = {"structure": f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={_of(about, 'DSD_INDICATORS')}"}
    return {
        "meta": {
            "schema": SCHEMA,
            "id": about.release_id,
            "prepared": f"{about.as_of.isoformat()}T00:00:00Z",
            "contentLanguages": ["zh", "en"],
            "test": False,
            "sender": {"id": _agency(about), **_named({"zh": about.city.publisher_zh, "en": about.city.publisher_en})},
        },
        "data": {
            "codelists": [
                {
                    **_artefact(about, "CL_INDICATOR", {"zh": "指标", "en": "Indicators"}),
                    "codes": sorted(codes, key=lambda c: c["id"]),
                },
                {
                    "agencyID": "SDMX",
                    "id": "CL_OBS_STATUS",
                    "version": "2.2",
                    **of_list,
                    "isPartial": True,
                    "codes": letters,
                },
            ],
            "conceptSchemes": [{**_artefact(about, "CS_INDICATORS", names), "concepts": concepts}],
            "dataflows": [{**_artefact(about, "DF_INDICATORS", names, about.notice), **flow}],
            "dataStructures": [
                {**_artefact(about, "DSD_INDICATORS", names), "dataStructureComponents": _components(about, table)}
            ],
        },
    }


def _components(about: About, table: Table) -> dict[str, Any]:
    fields = {f.name: f for f in table.fields}
    dimensions = [_component(about, fields[n]) for n in DIMENSIONS if n != "year"]
    time = _component(about, fields["year"]) | {
        "localRepresentation": {"format": {"dataType": "ObservationalTimePeriod"}}
    }
    rest = [f for f in table.fields if f.name not in DIMENSIONS and f.name != "value"]
    attributes = [
        {
            **_component(about, f),
            "usage": "optional",
            "attributeRelationship": {"observation": {}},
            "measureRelationship": ["OBS_VALUE"],
        }
        for f in rest
    ]
    return {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": dimensions, "timeDimension": time},
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [_component(about, fields["value"]) | {"usage": "optional"}],
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
    }


def _component(about: About, f: Field) -> dict[str, Any]:
    of_list = {
        "indicator_id": f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={_of(about, 'CL_INDICATOR')}",
        "status": STATUS_LIST,
    }
    text: dict[str, Any] = {"format": {"dataType": DATA_TYPES[f.type]}}
    if f.name in of_list:
        text = {"enumeration": of_list[f.name]}
    concept = (
        f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={_of(about, 'CS_INDICATORS')}.{sdmx_component(f.name)}"
    )
    return {"id": sdmx_component(f.name), "conceptIdentity": concept, "localRepresentation": text}


def _artefact(about: About, name: str, names: Mapping[str, str], description: str = "") -> dict[str, Any]:
    return {"agencyID": _agency(about), "id": name, "version": VERSION, **_named(names, description)}


def _named(names: Mapping[str, str], description: str = "") -> dict[str, Any]:
    said = {"description": description, "descriptions": {"en": description}} if description else {}
    return {"name": names["en"], "names": dict(names), **said}


def _of(about: About, name: str) -> str:
    return f"{_agency(about)}:{name}({VERSION})"


def _agency(about: About) -> str:
    return "MZ_" + re.sub(r"[^A-Za-z0-9_-]", "_", about.city.code)
