"""Reads the SDMX-CSV file with its structure message, both validated, and counts."""

import json
import sys

from pysdmx.io import get_datasets, read_sdmx
from pysdmx.model import Codelist

folder = sys.argv[1]
(data,) = get_datasets(f"{folder}/indicator_values.csv", f"{folder}/structure.json")
frame, components = data.data, {c.id: c for c in data.structure.components}
lists = {c.id: c for c in read_sdmx(f"{folder}/structure.json").structures if isinstance(c, Codelist)}
statuses = {str(k): int(v) for k, v in frame["OBS_STATUS"].value_counts().items()}
print(
    json.dumps(
        {
            "rows": len(frame),
            "columns": list(frame.columns),
            "components": sorted(components),
            "dimensions": [c.id for c in data.structure.components.dimensions],
            "indicators": sorted(c.id for c in lists["CL_INDICATOR"]),
            "unknown": sorted(set(frame["INDICATOR"]) - {c.id for c in lists["CL_INDICATOR"]}),
            "list": f"{lists['CL_OBS_STATUS'].agency}:{lists['CL_OBS_STATUS'].id}",
            "statuses": statuses,
            "without": sorted(set(frame.loc[frame["OBS_VALUE"].isna(), "OBS_STATUS"])),
            "sum": float(frame["OBS_VALUE"].sum()),
        }
    )
)
