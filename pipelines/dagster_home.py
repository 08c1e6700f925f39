"""Dagster's own folder in a home: its settings, written once, and where it keeps its runs.

Belongs here: writing dagster.yaml and pointing Dagster to it. Not here: what Dagster runs (graph.py).

`python -m pipelines.dagster_home` makes the home that the settings name, for services that start before the first run.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from pipelines.core.home import Home

DATABASE = "DAGSTER_POSTGRES_URL"  # the address of a database that keeps Dagster's runs, with its password
# Dagster brings psycopg2, but for postgresql:// SQLAlchemy 2.1 takes psycopg 3 (findings/dagster_postgres_address_names_no_driver.sh).
DRIVER = "postgresql+psycopg2://"

SETTINGS = """\
# Written once by Mingzhang, then yours (docs/dagster.md).
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools: # every step is in the pool `home`: a second run waits until the first has ended
    granularity: run
    default_limit: 1
run_retries: # of runs whose process died; what a step refused is refused again
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
freshness:
  enabled: true
"""
IN_POSTGRES = f"""\
storage:
  postgres:
    postgres_url:
      env: {DATABASE}
run_monitoring: # a run whose machine is gone says nothing any more: it is failed, so that the next one need not wait for it
  enabled: true
  max_runtime_seconds: 21600
"""


class DagsterHomeError(ValueError):
    """Dagster's settings do not fit the environment. The message says what to change."""

    exit_status = 2


def use_dagster_home(home: Home) -> None:
    """Makes Dagster keep its runs in this home, or in the database that DAGSTER_POSTGRES_URL names, and tell nobody about them. What an
    engineer wrote into its settings stays. Raises DagsterHomeError."""
    folder = home.work / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "dagster.yaml"
    address = os.environ.get(DATABASE, "")
    if address and not address.startswith(DRIVER):
        raise DagsterHomeError(f"{DATABASE} must begin with {DRIVER}, which names the driver that Dagster brings.")
    if address and find_spec("dagster_postgres") is None:
        raise DagsterHomeError(
            f"{DATABASE} is set, and Dagster's driver of PostgreSQL is not installed; type: make postgres"
        )
    if not settings.exists():
        settings.write_text(SETTINGS + (IN_POSTGRES if address else ""), encoding="utf-8")
    elif bool(address) != (DATABASE in settings.read_text(encoding="utf-8")):
        raise DagsterHomeError(
            f"{DATABASE} is set, but {settings} keeps Dagster's runs elsewhere; add what docs/dagster.md says under "
            "'Several machines', or take the variable away."
            if address
            else f"{settings} keeps Dagster's runs in PostgreSQL, and {DATABASE} is not set; set it to the database's address."
        )
    os.environ["DAGSTER_HOME"] = str(folder.resolve())
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"


def main() -> int:
    from pipelines.core.settings import Settings

    try:
        use_dagster_home(Home(Settings.read().home).create())
    except ValueError as e:
        if not hasattr(e, "exit_status"):
            raise
        print(e, file=sys.stderr)
        return int(e.exit_status)
    return 0


if __name__ == "__main__":
    sys.exit(main())
