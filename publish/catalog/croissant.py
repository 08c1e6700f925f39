"""croissant.json: the CSV files for programs as a Croissant 1.0 dataset (MLCommons).

Libraries of machine learning load it by name, and search engines index it.

Belongs here: the release in Croissant's words. Not here: the same for statistics and archives (datapackage.py, crate.py).

Addresses of files are relative to the folder of the file. A loader does not know where it came from, so the site serves it with
absolute ones (`with_base`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from publish.catalog import About, TableResource
from publish.schema import Field, Type

# The context that the specification gives; tools warn where any other stands.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES: dict[Type, str] = {
    "text": "sc:Text",
    "integer": "sc:Integer",
    "real": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
}


def croissant(about: About, resources: Sequence[TableResource], unique: Mapping[str, bool]) -> dict[str, Any]:
    """The dataset, with a record set for each table. `unique`: whether a table's key names a row once."""
    city = about.city
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "@id": about.release_id,
        "name": f"mingzhang-{city.code}",
        "alternateName": [about.title_en, about.title_zh],
        "description": " ".join(filter(None, (about.notice, f"{about.title_en}. {about.title_zh}。"))),
        "url": "/",
        "license": city.licence_url or f"{city.licence_en} / {city.licence_zh}",
        "creator": {"@type": "sc:Organization", "name": f"{city.publisher_en} / {city.publisher_zh}"},
        "publisher": {"@type": "sc:Organization", "name": f"{city.publisher_en} / {city.publisher_zh}"},
        "datePublished": about.as_of.isoformat(),
        "version": f"{about.as_of.year}.{about.as_of.month}.{about.as_of.day}",
        "identifier": about.release_id,
        "citeAs": f"{city.publisher_en} ({about.as_of.year}). {about.title_en}, release {about.release_id}.",
        "inLanguage": ["zh-CN", "en"],
        "isAccessibleForFree": True,
        "distribution": [_file(r) for r in resources],
        "recordSet": [_records(r, unique[r.table.name]) for r in resources],
    }


def with_base(text: str, address: str) -> str:
    """The text of a Croissant file with the address of the folder it is served from before those of its files."""
    document = json.loads(text)
    document["url"] = urljoin(address, document["url"])
    for file in document["distribution"]:
        file["contentUrl"] = urljoin(address, file["contentUrl"])
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _file(r: TableResource) -> dict[str, Any]:
    file = r.files["csv"]
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "description": f"{r.table.en} {r.table.zh}",
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": "text/csv",
        "sha256": file.sha256,
    }


def _records(r: TableResource, unique: bool) -> dict[str, Any]:
    out = {
        "@type": "cr:RecordSet",
        "@id": r.table.name,
        "name": r.table.name,
        "description": f"{r.table.en} {r.table.zh}",
        "field": [_field(r, f) for f in r.table.fields],
    }
    if unique and r.table.key:
        out["key"] = [{"@id": f"{r.table.name}/{k}"} for k in r.table.key]
    return out


def _field(r: TableResource, f: Field) -> dict[str, Any]:
    unit = f" ({f.unit})" if f.unit else ""
    return {
        "@type": "cr:Field",
        "@id": f"{r.table.name}/{f.name}",
        "name": f.name,
        "description": f"{f.en} {f.zh}{unit}{': ' if f.said else ''}{f.said}",
        "dataType": TYPES[f.type],
        "source": {"fileObject": {"@id": r.files["csv"].path}, "extract": {"column": f.name}},
    }
