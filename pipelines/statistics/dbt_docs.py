"""Write dbt's documentation of the models, with their lineage, as one page: `python -m pipelines.statistics.dbt_docs --home HOME`.

Belongs here: that call. Not here: what a model is described by (the YAML files of dbt_project), or serving the page (`make dev`).
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from pipelines.core.home import Home
from pipelines.statistics.run import PROJECT, StatisticsError, environment, manifest, run_dbt


def folder(home: Home) -> Path:
    """Where the page lies: index.html, for a web server that shows this folder."""
    return home.work / "dbt" / "docs"


def write_docs(home: Home) -> Path:
    """Write the page and return its path. Column types are those of the home's warehouse, of which a copy is read; without a
    warehouse the page has the models and their lineage alone. Raises StatisticsError."""
    home.create()
    out = folder(home)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".docs-") as scratch:
        warehouse = Path(scratch) / home.warehouse.name
        known = home.warehouse.exists()
        if known:
            shutil.copyfile(home.warehouse, warehouse)
        shutil.copyfile(
            manifest(), Path(scratch) / "manifest.json"
        )  # of the project's files as they are: nothing is compiled
        # Nothing is counted, so that the date is of no matter.
        env = environment(home, date(1970, 1, 1), warehouse)
        env |= {"DBT_TARGET_PATH": scratch, "DBT_LOG_PATH": scratch}
        run_dbt(["docs", "generate", "--static", "--no-compile", *([] if known else ["--empty-catalog"])], PROJECT, env)
        page = out / "index.html"
        (Path(scratch) / "static_index.html").replace(page)
    return page


def main(arguments: list[str] | None = None) -> int:
    """Write the page of a home."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.statistics.dbt_docs", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the folder of the home")
    try:
        print(write_docs(Home(parser.parse_args(arguments).home)))
    except StatisticsError as e:
        print(e, file=sys.stderr)
        return e.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
