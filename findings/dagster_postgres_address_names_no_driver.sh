#!/usr/bin/env bash
# dagster-postgres 0.29.27 with SQLAlchemy 2.1.9, which it allows: storage at postgresql://, its default too, asks for a driver that
# nothing installs.
#
# Seen (dagster 1.13.27, psycopg2-binary 2.9.13, Python 3.11): no database listens, so whoever finds a driver is refused by the network.
#   storage in dagster.yaml                               outcome
#   postgres_url: postgresql://...                        ModuleNotFoundError: No module named 'psycopg'
#   postgres_db: ... (its scheme is postgresql)           the same
#   postgres_url: postgresql+psycopg2://...               OperationalError: connection refused
#   postgres_db: ... scheme: postgresql+psycopg2          the same
# Why: dagster-postgres depends on psycopg2-binary and sets no bound on SQLAlchemy; since 2.1 SQLAlchemy's driver of postgresql:// is
# psycopg 3, before it was psycopg2.
# Why it matters here: a home with PostgreSQL failed at the first command with a missing module that no extra names. Addresses here name the
# driver, and pipelines/dagster_home.py refuses one that does not. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q dagster==1.13.27 dagster-postgres==0.29.27 psycopg2-binary==2.9.13 sqlalchemy==2.1.9
export DAGSTER_HOME="$work/home" DAGSTER_DISABLE_TELEMETRY=yes
mkdir home
cat > open.py <<'PY'
import json
import logging
import sys
from pathlib import Path

import dagster as dg

logging.disable()  # each of the retries warns
PORT = 9  # nobody listens
DATABASE = {"username": "u", "password": "p", "hostname": "127.0.0.1", "port": PORT, "db_name": "d"}


def opened(storage):
    Path("home/dagster.yaml").write_text(json.dumps({"storage": {"postgres": storage}}))  # JSON is YAML
    try:
        with dg.DagsterInstance.get() as instance:
            instance.get_runs_count()
    except Exception as e:
        cause = e.__cause__ or e
        refused = "refused" in str(cause)
        return type(cause).__name__ + (" refused" if refused else f" {getattr(cause, 'name', '')}")
    return "opened"


seen = [
    opened({"postgres_url": f"postgresql://u:p@127.0.0.1:{PORT}/d"}),
    opened({"postgres_db": DATABASE}),
    opened({"postgres_url": f"postgresql+psycopg2://u:p@127.0.0.1:{PORT}/d"}),
    opened({"postgres_db": DATABASE | {"scheme": "postgresql+psycopg2"}}),
]
print(*seen, sep="\n")
sys.exit(seen != ["ModuleNotFoundError psycopg"] * 2 + ["OperationalError refused"] * 2)
PY
venv/bin/python open.py
