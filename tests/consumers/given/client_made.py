"""Has openapi-python-client make a client of a site's description, and calls every operation of it."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

site, folder = sys.argv[1], Path(sys.argv[2])
config = folder / "config.yaml"
config.write_text("post_hooks: []\n", encoding="utf-8")
made = subprocess.run(
    [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--url", f"{site}/openapi.json",
     "--output-path", str(folder / "made"), "--config", str(config)],
    capture_output=True, text=True, check=True,
)  # fmt: skip
warnings = [line for line in made.stdout.splitlines() if line.strip() and not line.startswith("Generating")]
(package,) = [p.parent for p in (folder / "made").glob("*/client.py")]
sys.path.insert(0, str(package.parent))
client = importlib.import_module(package.name).Client(base_url=site, raise_on_unexpected_status=True)
errors = importlib.import_module(f"{package.name}.models").Error


def call(operation, **more):
    module = importlib.import_module(f"{package.name}.api.{operation}")
    named = inspect.signature(module.sync_detailed).parameters
    return module.sync_detailed(client=client, **{k: v for k, v in (VALUES | more).items() if k in named})


releases = importlib.import_module(f"{package.name}.api.releases.releases").sync(client=client).releases
VALUES = {
    "indicator_id": "energy_tce", "year": 2025, "dimension": "total", "member": "all", "dataset": "institutions",
    "claim_id": importlib.import_module(f"{package.name}.api.statements.claims").sync(client=client).claims[0].claim_id,
    "release_id": releases[0].release_id, "table": "indicators", "sql": "select count(*) as n from indicators",
}  # fmt: skip
called, empty = [], []
for path in sorted(package.glob("api/*/*.py")):
    if path.stem != "__init__":
        operation = f"{path.parent.name}.{path.stem}"
        answer = call(operation)
        assert answer.status_code == 200, (operation, answer.status_code, answer.content[:300])
        called.append(operation)
        if answer.parsed is None or isinstance(answer.parsed, errors) or not answer.content:
            empty.append(operation)
models = importlib.import_module(f"{package.name}.models")
filters = models.TableJsonFilters()
filters["year__gte"], filters["indicator_id"] = "2025", "energy_tce"
table = call("datasets.table_json", table="indicator_values", filters=filters).parsed
refused = call("figures.indicators_by_indicator_id", dimension="nothing").parsed
print(
    json.dumps(
        {
            "warnings": warnings,
            "called": called,
            "empty": empty,
            "rows": len(call("datasets.table_json").parsed.rows),
            "indicators": call("figures.indicators").parsed.total,
            "sql": [r.to_dict() for r in call("datasets.sql_json").parsed.rows],
            "filtered": sorted({r.to_dict()["year"] for r in table.rows}),
            "refused": refused.code,
        }
    )
)
