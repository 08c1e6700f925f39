"""Reads every CSV file as it comes, then the indicator values by their address, as CSV and as Parquet of which it needs a part."""

import json
import sys
from pathlib import Path

import polars as pl

folder, files = Path(sys.argv[1]), sys.argv[2]
frames = {p.stem: pl.read_csv(p) for p in sorted(folder.glob("*.csv"))}
by_csv = pl.scan_csv(f"{files}/csv-plain/indicator_values.csv").collect()
wanted = (
    (pl.col("indicator_id") == "energy_tce") & (pl.col("dimension") == "total") & (pl.col("factor_set") == "default")
)
by_parquet = (
    pl.scan_parquet(f"{files}/parquet/indicator_values.parquet").filter(wanted).select("year", "value").collect()
)
print(
    json.dumps(
        {
            "rows": {name: f.height for name, f in frames.items()},
            "value": str(frames["indicator_values"]["value"].dtype),
            "by_csv": by_csv.height,
            "sum": by_csv["value"].sum(),
            "totals": by_parquet.sort("year").rows(),
        }
    )
)
