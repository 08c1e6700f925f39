"""contracts/<dataset>.odcs.yaml: what a release holds of a dataset, as a contract of the Open Data Contract Standard 3.1.

Belongs here: the published columns and the promises that hold of them. Not here: the contract that submissions are checked against
(expectations/contracts), which names columns that are not published.
"""

from __future__ import annotations

from typing import Any

import yaml

from expectations.contract import Column, Contract
from publish.catalog import TYPES, About, TableResource
from publish.schema import Field, is_open


def contract_text(about: About, contract: Contract, resource: TableResource | None, unique: bool) -> str:
    """The contract as YAML. `resource`: the dataset's table in the release, None where its rows are not published; then the contract
    has no columns. `unique`: its key names a row once."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"mingzhang-{about.city.code}-{contract.dataset}",
        "name": f"{contract.title_zh} / {contract.title_en}",
        "version": about.release_id,
        "status": "active",
        "domain": "government-offices-administration",
        "description": {
            "purpose": " ".join(
                filter(None, (about.notice, contract.description, contract.description_en, contract.grain))
            ),
            "usage": f"{about.city.licence_zh} / {about.city.licence_en}",
        },
        "customProperties": _properties(
            opening=contract.opening,
            openingAttribute=contract.opening_attribute,
            openingDecidedBy=contract.decided_by,
            openingDecidedOn=contract.decided_on,
            openingGround=contract.ground,
            theme=contract.theme,
            synthetic=about.synthetic,
        ),
    }
    if is_open(contract) and resource is not None:
        path = resource.files["csv"].path
        server = {"server": "release", "type": "local", "path": path, "format": "csv", "delimiter": ","}
        document |= {"servers": [server], "schema": [_schema(contract, resource, unique)]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _schema(contract: Contract, r: TableResource, unique: bool) -> dict[str, Any]:
    key = r.table.key if unique else ()
    out: dict[str, Any] = {
        "name": r.table.name,
        "businessName": r.table.zh,
        "physicalType": "table",
        "dataGranularityDescription": contract.grain or r.table.en,
        "properties": [_property(f, contract.by_name.get(f.name), key) for f in r.table.fields],
    }
    shown = set(r.table.columns)
    rules = [
        {"name": rule.name, "type": "text", "description": f"{rule.message_en} {rule.message_zh}".strip()}
        for rule in contract.rules
        if rule.severity == "error" and set(rule.columns) <= shown
    ]
    return out | ({"quality": rules} if rules else {})


def _property(f: Field, c: Column | None, key: tuple[str, ...]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": f.name,
        "businessName": f.zh,
        "description": f.said or f.en,
        "logicalType": TYPES[f.type],
    }
    if f.name in key:
        out |= {"primaryKey": True, "primaryKeyPosition": key.index(f.name) + 1}
    if c is not None and c.required:
        out["required"] = True
    out["classification"] = "L0"
    if c is not None and c.values and not c.subset:
        out["quality"] = [{"metric": "invalidValues", "arguments": {"validValues": list(c.values)}, "mustBe": 0}]
    limits = {"minimum": c.minimum, "exclusiveMinimum": c.exclusive_minimum, "maximum": c.maximum} if c else {}
    if f.type in ("integer", "real") and any(v is not None for v in limits.values()):
        number = int if f.type == "integer" else float
        out["logicalTypeOptions"] = {name: number(v) for name, v in limits.items() if v is not None}
    out["customProperties"] = _properties(titleEn=f.en, unit=f.unit)
    return out


def _properties(**values: Any) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in values.items() if value not in (None, "")]
