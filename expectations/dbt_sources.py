"""`python -m expectations.dbt_sources`: the former name of `python -m pipelines.statistics.dbt_sources`, for scripts that call it."""

from __future__ import annotations

import sys

from pipelines.statistics.dbt_sources import main

if __name__ == "__main__":
    sys.exit(main())
