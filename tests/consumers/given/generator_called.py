"""Calls every operation of a client in Python that openapi-generator made."""

import inspect
import json
import sys

sys.path.insert(0, sys.argv[2])
import made_client
from made_client import api

client = made_client.ApiClient(made_client.Configuration(host=sys.argv[1]))
values = {
    "indicator_id": "energy_tce", "year": 2025, "dimension": "total", "member": "all", "dataset": "institutions",
    "table": "indicators", "sql": "select count(*) as n from indicators",
}  # fmt: skip
values["claim_id"] = api.StatementsApi(client).claims(limit=1).claims[0].claim_id
values["release_id"] = api.ReleasesApi(client).releases().releases[0].release_id
called, empty = [], []
for kind in ("FiguresApi", "StatementsApi", "DatasetsApi", "ReleasesApi"):
    group = getattr(api, kind)(client)
    for name, _ in inspect.getmembers(group, inspect.ismethod):
        if name.startswith("_") or name.endswith(("_with_http_info", "_without_preload_content")):
            continue
        wanted = inspect.signature(getattr(group, name)).parameters
        given = {k: v for k, v in values.items() if k in wanted and wanted[k].default is inspect.Parameter.empty}
        answer = getattr(group, name)(**given)
        called.append(name)
        if not answer:
            empty.append(name)
datasets = api.DatasetsApi(client)
table = datasets.table_json("indicator_values", filters={"year__gte": "2025", "indicator_id": "energy_tce"})
print(
    json.dumps(
        {
            "called": called,
            "empty": empty,
            "rows": len(datasets.table_json("indicators").rows),
            "sql": [dict(r) for r in datasets.sql_json(values["sql"]).rows],
            "indicators": api.FiguresApi(client).indicators().total,
            "filtered": sorted({r["year"] for r in table.rows}),
        }
    )
)
