"""catalog.jsonld: the release as a DCAT 3 catalogue (W3C, 2024), with the fields of China's open data catalogues.

Belongs here: the catalogue's words. Every contract is a dataset in it, whether its rows are open or not: the catalogue says
what exists and who decided that it opens. The Chinese fields are those of the guide to government information resource
catalogues (政务信息资源目录编制指南) and of city platforms: 开放属性, 更新周期, 信息项 and so on; they are under `mz:`, and each
has its name in `labels`. Ranges are those of DCAT-AP 3: themes, languages and formats by the IRIs of the EU's vocabularies.

Addresses are relative to the folder of the file, `@base`. Harvesters read the text without knowing where it came from, so the site
serves it with its own address as the base (`with_base`).
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from expectations.contract import Contract, Contracts
from publish.catalog import About, File, TableResource
from publish.files import CRATE, media_type
from publish.schema import Table, is_open

if TYPE_CHECKING:  # every process of the site imports this, and none needs a city
    from pipelines.core.city import City

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
PERIOD = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
# The folder that the catalogue is in. Pages are named by their path on the site, so that they are those of the newest release.
BASE = "./"
CONTEXT: dict[str, Any] = {
    "@base": BASE,
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "mz": "urn:mingzhang:terms:",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
EU = "http://publications.europa.eu/resource/authority/"
RIGHTS, FREQUENCY = f"{EU}access-right/", f"{EU}frequency/"
LANGUAGES = [{"@id": f"{EU}language/ZHO"}, {"@id": f"{EU}language/ENG"}]
THEME = f"{EU}data-theme/GOVE"  # government and the public sector
FILE_TYPES = {"csv": "CSV", "xlsx": "XLSX", "parquet": "PARQUET"}  # the vocabulary has none for SQLite


def catalog(
    about: About,
    contracts: Contracts,
    resources: Sequence[TableResource],
    facts: Mapping[str, Mapping[str, Any]],
    beside: Sequence[File],
    statistics: Sequence[File],
) -> dict[str, Any]:
    """The catalogue. `facts`: for each dataset its row of the public table `datasets`, and the `provider_zh` of the city's
    providers.csv; `beside`: what holds or describes the whole
    release, mingzhang.db first; `statistics`: the indicator values as SDMX."""
    of = {r.table.name: r for r in resources}
    known = [_dataset(about, c, of.get(c.dataset), facts.get(c.dataset, {})) for c in contracts.values()]
    own = [_table(about, r) for r in resources if r.table.dataset is None]
    values = next(d for d in own if d["dct:identifier"] == "indicator_values")
    values["dcat:distribution"] += [_file(about, file, None) for file in statistics]
    city = about.city
    return {
        "@context": CONTEXT,
        "@id": f"urn:mingzhang:{city.code}:catalog",
        "@type": "dcat:Catalog",
        "dct:identifier": about.release_id,
        "dct:title": _both(about.title_zh, about.title_en),
        "dct:description": _both(*_describe(about)),
        "dct:publisher": _publisher(about),
        "dct:license": _licence(about),
        "dcat:contactPoint": _contact(about),
        "foaf:homepage": {"@id": "/", "@type": "foaf:Document"},
        "dcat:themeTaxonomy": {"@id": f"{EU}data-theme"},
        "dct:issued": _day(about.as_of.isoformat()),
        "dct:modified": _day(about.as_of.isoformat()),
        "dct:language": LANGUAGES,
        "dct:spatial": _place(about),
        "dcat:version": about.release_id,
        "mz:synthetic": about.synthetic,
        "rdfs:seeAlso": {"@id": CRATE},
        "mz:labels": {f"mz:{k}": v for k, v in LABELS.items()},
        "dcat:dataset": [*known, *own, _whole(about, beside)],
    }


def with_base(text: str, address: str) -> str:
    """The text of a catalogue with an absolute address as its base, that of the folder it is served from."""
    return text.replace(f'"@base": "{BASE}"', f'"@base": {json.dumps(address)}', 1)


def _describe(about: About) -> tuple[str, str]:
    zh = f"{about.city.publisher_zh}的明细与统计，数据截至 {about.as_of.isoformat()}。"
    en = f"Records and statistics of {about.city.publisher_en}, as of {about.as_of.isoformat()}."
    return (f"{about.notice} {zh}".strip(), f"{about.notice} {en}".strip())


def _dataset(about: About, c: Contract, r: TableResource | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    opened = is_open(c)
    rights = "PUBLIC" if opened else "RESTRICTED" if c.opening == "aggregate" else "NON_PUBLIC"
    out: dict[str, Any] = {
        "@id": f"urn:mingzhang:{about.city.code}:dataset:{c.dataset}",
        **_about_dataset(about, c.dataset, (c.title_zh, c.title_en), f"datasets/{c.dataset}", c.theme, rights),
        "dct:description": _both(c.description or c.title_zh, c.description_en or c.grain or c.title_en),
        "mz:resourceCode": f"{about.city.code}/{c.dataset}",
        "mz:provider": facts.get("provider_zh") or about.city.publisher_zh,
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
    first, last = (str(facts.get(of) or "") for of in ("first_period", "last_period"))
    if PERIOD.fullmatch(first) and PERIOD.fullmatch(last):
        out["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(first_day(first)),
            "dcat:endDate": _day(last_day(last)),
        }
    if opened and r is not None:
        out["dcat:distribution"] = _distributions(about, r)
        out["mz:formats"] = sorted(r.files)
    return out


def _table(about: About, r: TableResource) -> dict[str, Any]:
    names = [f.zh for f in r.table.fields], [f.en for f in r.table.fields]
    return {
        "@id": f"urn:mingzhang:{about.city.code}:table:{r.table.name}",
        **_about_dataset(about, r.table.name, (r.table.zh, r.table.en), f"mingzhang/{r.table.name}", "", "PUBLIC"),
        "dct:description": _both(
            f"{r.table.zh}：{'、'.join(names[0])}。", f"{r.table.en}: {', '.join(n.lower() for n in names[1])}."
        ),
        "mz:openAttribute": "无条件开放",
        "mz:fields": _fields(r.table),
        "mz:rows": r.rows,
        "mz:formats": sorted(r.files),
        "dcat:distribution": _distributions(about, r),
    }


def _whole(about: About, files: Sequence[File]) -> dict[str, Any]:
    """All tables as one database, and how packages describe them: harvesters take distributions of datasets alone.

    Its page is not the address of the licence, which one of them would show by the licence's title.
    """
    titles = f"{about.title_zh}：全部数据表", f"{about.title_en}: all tables"
    return {
        "@id": f"urn:mingzhang:{about.city.code}:database",
        **_about_dataset(about, "database", titles, "about#files", "", "PUBLIC"),
        "dct:description": _both(*_describe(about)),
        "mz:openAttribute": "无条件开放",
        "mz:formats": ["sqlite"],
        "dcat:distribution": [_file(about, file, None) for file in files],
    }


def _about_dataset(
    about: About, name: str, titles: tuple[str, str], page: str, theme: str, rights: str
) -> dict[str, Any]:
    """What every dataset has; `page` is its page on the site."""
    return {
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": _both(*titles),
        "dct:publisher": _publisher(about),
        "dcat:contactPoint": _contact(about),
        "dct:license": _licence(about),
        "dcat:landingPage": {"@id": f"/{page}", "@type": "foaf:Document"},
        "dcat:keyword": [*_both(*titles), *([{"@value": theme, "@language": "zh"}] if theme else [])],
        "dcat:theme": {"@id": THEME},
        "dct:language": LANGUAGES,
        "dct:spatial": _place(about),
        "dct:accessRights": {"@id": RIGHTS + rights},
        "dct:modified": _day(about.as_of.isoformat()),
    }


def _fields(table: Table) -> list[dict[str, Any]]:
    return [
        {"mz:name": f.zh, "csvw:name": f.name, "csvw:datatype": f.type, "mz:unit": f.unit or "", "mz:access": "L0"}
        for f in table.fields
    ]


def _distributions(about: About, r: TableResource) -> list[dict[str, Any]]:
    return [_file(about, file, FILE_TYPES[form]) for form, file in sorted(r.files.items())]


def _file(about: About, file: File, kind: str | None) -> dict[str, Any]:
    """A distribution. The checksum is a plain text, which harvesters store; as xsd:hexBinary, which SPDX asks for, one of them
    refuses the dataset."""
    media = media_type(file.path)
    return {
        "@type": "dcat:Distribution",
        "dct:title": file.path,
        "dcat:accessURL": {"@id": file.path},
        "dcat:downloadURL": {"@id": file.path},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{media.partition(';')[0]}"},
        **({"dct:format": {"@id": f"{EU}file-type/{kind}"}} if kind else {}),
        "dct:license": _licence(about),
        "dcat:byteSize": {"@value": str(file.bytes), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": file.sha256,
        },
    }


def _publisher(about: About) -> dict[str, Any]:
    return {"@type": "foaf:Organization", "foaf:name": _both(about.city.publisher_zh, about.city.publisher_en)}


def _contact(about: About) -> dict[str, Any]:
    city = about.city
    return {
        "@type": "vcard:Organization",
        "vcard:fn": _first(city, city.contact_zh or city.publisher_zh, city.contact_en or city.publisher_en),
        "vcard:hasURL": {"@id": "/report"},
        **({"vcard:hasEmail": {"@id": f"mailto:{city.email}"}} if city.email else {}),
        **({"vcard:hasTelephone": {"@id": _telephone(city.telephone)}} if city.telephone else {}),
    }


def _licence(about: About) -> dict[str, Any]:
    """The licence by its own address, or as the page that states it, with its name, where it has one, and its wording."""
    words = _both(about.city.licence_zh, about.city.licence_en)
    return {
        "@id": about.city.licence_url or "/about",
        "@type": "dct:LicenseDocument",
        "dct:title": about.city.licence_name or words,
        "rdfs:label": words,
    }


def _telephone(number: str) -> str:
    """A telephone number as an address (RFC 3966): digits, with hyphens where there are blanks or brackets."""
    return "tel:" + re.sub(r"[^\d+]+", "-", number).strip("-")


def _first(city: City, zh: str, en: str) -> str:
    """Of a text in two languages the one in the city's first."""
    return en if city.english_first else zh


def _place(about: About) -> dict[str, Any]:
    city = about.city
    return {
        "@type": "dct:Location",
        "dct:identifier": city.code,
        "rdfs:label": _both(city.name_zh, city.name_en),
    }


def _both(zh: str, en: str) -> list[dict[str, str]]:
    return [{"@value": zh, "@language": "zh"}, {"@value": en, "@language": "en"}]


def first_day(period: str) -> str:
    """The first day of a year, a month or a day (2021, 2021-03, 2021-03-07), as yyyy-mm-dd."""
    return f"{period}-01-01"[:10] if len(period) == 4 else f"{period}-01"[:10]


def last_day(period: str) -> str:
    """The last day of a year, a month or a day, as yyyy-mm-dd."""
    if len(period) != 7:
        return f"{period}-12-31"[:10]
    year, month = map(int, period.split("-"))
    return f"{period}-{monthrange(year, month)[1]:02d}"


def _day(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:date"}
