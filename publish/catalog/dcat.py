"""catalog.jsonld: the release as a DCAT 3 catalogue (W3C Recommendation of 2024) with the fields of China's open data
catalogues beside.

Belongs here: the catalogue's words. Every contract is a dataset in it, whether its rows are open or not: the catalogue says
what exists and who decided that it opens. The Chinese fields are those of the guide to government information resource
catalogues (政务信息资源目录编制指南) and of city platforms: 开放属性, 更新周期, 信息项 and so on; they stand under `mz:`, and each
has its name in `labels`. Addresses are relative to the file itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from expectations.contract import Contract, Contracts
from publish.catalog import MEDIA, About, File, TableResource
from publish.schema import Table, is_open

FREQUENCIES = {
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "annual": "ANNUAL",
    "yearly": "ANNUAL",
    "event": "IRREG",
    "weekly": "WEEKLY",
    "daily": "DAILY",
}
LABELS = {
    "openAttribute": "开放属性",
    "openCondition": "开放条件",
    "decidedBy": "开放决定人",
    "decidedOn": "开放决定日期",
    "ground": "开放依据",
    "fields": "信息项",
    "rows": "数据量",
    "resourceCode": "信息资源代码",
    "provider": "信息资源提供方",
    "formats": "信息资源格式",
    "synthetic": "合成示例数据",
}
CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "mz": "urn:mingzhang:terms:",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
RIGHTS = "http://publications.europa.eu/resource/authority/access-right/"
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"


def catalog(
    about: About,
    contracts: Contracts,
    resources: Sequence[TableResource],
    facts: Mapping[str, Mapping[str, Any]],
    database: File,
) -> dict[str, Any]:
    """The catalogue. `facts`: for each dataset its row of the public table `datasets`; `database`: mingzhang.db."""
    of = {r.table.name: r for r in resources}
    known = [_dataset(about, c, of.get(c.dataset), facts.get(c.dataset, {})) for c in contracts.values()]
    own = [_table(about, r) for r in resources if r.table.dataset is None]
    city = about.city
    return {
        "@context": CONTEXT,
        "@id": f"urn:mingzhang:{city.code}:{about.release_id}",
        "@type": "dcat:Catalog",
        "dct:identifier": about.release_id,
        "dct:title": _both(about.title_zh, about.title_en),
        "dct:description": _both(*_describe(about)),
        "dct:publisher": _publisher(about),
        "dct:license": _licence(about),
        "dct:issued": _day(about.as_of.isoformat()),
        "dct:modified": _day(about.as_of.isoformat()),
        "dct:language": ["zh", "en"],
        "dct:spatial": {
            "@type": "dct:Location",
            "dct:identifier": city.code,
            "rdfs:label": _both(city.name_zh, city.name_en),
        },
        "dcat:version": about.release_id,
        "mz:synthetic": about.synthetic,
        "mz:labels": {f"mz:{k}": v for k, v in LABELS.items()},
        "dcat:dataset": known + own,
        "dcat:distribution": [_file(database, "application/vnd.sqlite3", "SQLite")],
    }


def _describe(about: About) -> tuple[str, str]:
    zh = f"{about.city.publisher_zh}的明细与统计，数据截至 {about.as_of.isoformat()}。"
    en = f"Records and statistics of {about.city.publisher_en}, as of {about.as_of.isoformat()}."
    return (f"{about.notice} {zh}".strip(), f"{about.notice} {en}".strip())


def _dataset(about: About, c: Contract, r: TableResource | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    opened = is_open(c)
    out: dict[str, Any] = {
        "@id": f"urn:mingzhang:{about.city.code}:dataset:{c.dataset}",
        "@type": "dcat:Dataset",
        "dct:identifier": c.dataset,
        "dct:title": _both(c.title_zh, c.title_en),
        "dct:description": _both(c.description or c.title_zh, c.grain or c.title_en),
        "dct:publisher": _publisher(about),
        "dct:license": _licence(about),
        "dcat:theme": c.theme or "机关事务",
        "dct:accessRights": {
            "@id": RIGHTS + ("PUBLIC" if opened else "RESTRICTED" if c.opening == "aggregate" else "NON_PUBLIC")
        },
        "dct:modified": _day(about.as_of.isoformat()),
        "mz:resourceCode": f"{about.city.code}/{c.dataset}",
        "mz:provider": about.city.publisher_zh,
        "mz:openAttribute": c.opening_attribute,
        "mz:openCondition": c.opening_note,
        "mz:decidedBy": c.decided_by,
        "mz:decidedOn": c.decided_on,
        "mz:ground": c.ground,
        "mz:fields": [
            {
                "mz:name": col.header_zh,
                "csvw:name": col.name,
                "csvw:datatype": col.kind,
                "mz:unit": col.unit or "",
                "mz:access": col.access,
            }
            for col in c.columns
            if col.access in ("L0", "L1")
        ],
        "mz:rows": int(facts.get("rows") or 0),
        "mz:synthetic": bool(facts.get("synthetic")),
    }
    if c.frequency in FREQUENCIES:
        out["dct:accrualPeriodicity"] = {"@id": FREQUENCY + FREQUENCIES[c.frequency]}
    first, last = facts.get("first_period"), facts.get("last_period")
    if first and last:
        out["dct:temporal"] = {"@type": "dct:PeriodOfTime", "dcat:startDate": str(first), "dcat:endDate": str(last)}
    if opened and r is not None:
        out["dcat:distribution"] = _distributions(r)
        out["mz:formats"] = sorted(r.files)
    return out


def _table(about: About, r: TableResource) -> dict[str, Any]:
    return {
        "@id": f"urn:mingzhang:{about.city.code}:table:{r.table.name}",
        "@type": "dcat:Dataset",
        "dct:identifier": r.table.name,
        "dct:title": _both(r.table.zh, r.table.en),
        "dct:description": _both(r.table.zh, r.table.en),
        "dct:publisher": _publisher(about),
        "dct:license": _licence(about),
        "dct:accessRights": {"@id": RIGHTS + "PUBLIC"},
        "dct:modified": _day(about.as_of.isoformat()),
        "mz:openAttribute": "无条件开放",
        "mz:fields": _fields(r.table),
        "mz:rows": r.rows,
        "mz:formats": sorted(r.files),
        "dcat:distribution": _distributions(r),
    }


def _fields(table: Table) -> list[dict[str, Any]]:
    return [
        {"mz:name": f.zh, "csvw:name": f.name, "csvw:datatype": f.type, "mz:unit": f.unit or "", "mz:access": "L0"}
        for f in table.fields
    ]


def _distributions(r: TableResource) -> list[dict[str, Any]]:
    return [_file(file, MEDIA[form], form.upper()) for form, file in sorted(r.files.items())]


def _file(file: File, media: str, form: str) -> dict[str, Any]:
    return {
        "@type": "dcat:Distribution",
        "dct:title": file.path,
        "dcat:accessURL": {"@id": file.path},
        "dcat:downloadURL": {"@id": file.path},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media}"},
        "dct:format": form,
        "dcat:byteSize": {"@value": str(file.bytes), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": file.sha256, "@type": "xsd:hexBinary"},
        },
    }


def _publisher(about: About) -> dict[str, Any]:
    return {"@type": "foaf:Organization", "foaf:name": _both(about.city.publisher_zh, about.city.publisher_en)}


def _licence(about: About) -> dict[str, Any]:
    return {"@type": "dct:LicenseDocument", "rdfs:label": _both(about.city.licence_zh, about.city.licence_en)}


def _both(zh: str, en: str) -> list[dict[str, str]]:
    return [{"@value": zh, "@language": "zh"}, {"@value": en, "@language": "en"}]


def _day(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:date"}
