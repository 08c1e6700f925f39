"""Validates a Croissant file and loads every record of every record set; the files' checksums are looked at where they are fetched."""

import json
import sys

import mlcroissant as mlc

dataset = mlc.Dataset(sys.argv[1])
issues = dataset.metadata.ctx.issues
rows, kinds = {}, {}
for record_set in dataset.metadata.record_sets:
    count = 0
    for record in dataset.records(record_set.id):
        count += 1
        for name, value in record.items():
            if value is not None and not (isinstance(value, float) and value != value):
                kinds.setdefault(name, type(value).__name__)
    rows[record_set.id] = count
print(
    json.dumps(
        {
            "errors": sorted(issues.errors),
            "warnings": sorted(issues.warnings),
            "rows": rows,
            "kinds": {k: v for k, v in kinds.items() if k.startswith("indicator_values/")},
            "urls": sorted({f.content_url for f in dataset.metadata.distribution})[:3],
        }
    )
)
