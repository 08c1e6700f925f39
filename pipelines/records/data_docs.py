"""Builds Data Docs of a home: `python -m pipelines.records.data_docs --home HOME` (`make data-docs`, and before `make dev`).

Belongs here: the results that the records stage kept, and the folder of the pages. Not here: the pages (expectations/data_docs.py). A run
does not build them: that would make it slower (docs/decisions/0009).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from expectations.contract import Contracts, load_contracts
from expectations.data_docs import SuiteResult, build
from expectations.suite import Outcome
from pipelines.core.home import Home
from pipelines.core.settings import Settings


def folder(home: Home) -> Path:
    """The folder of the pages."""
    return home.work / "data_docs"


def kept_results(home: Home, contracts: Contracts) -> Iterator[SuiteResult]:
    """Yield the kept result of each suite whose dataset still has a contract."""
    for path in sorted((home.work / "suites").glob("*.parquet")):
        dataset, _, year = path.stem.rpartition("-")
        kept = (pq.read_schema(path).metadata or {}).get(b"outcomes")
        if dataset in contracts and kept is not None:
            outcomes = [Outcome(**o) for o in json.loads(kept)]
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            yield SuiteResult(contracts[dataset], int(year), outcomes, at)


def is_fresh(home: Home) -> bool:
    """Whether the pages are newer than every kept result."""
    index = folder(home) / "index.html"
    kept = [p.stat().st_mtime_ns for p in (home.work / "suites").glob("*.parquet")]
    return index.exists() and index.stat().st_mtime_ns >= max(kept, default=0)


def main() -> None:
    """Build the pages of a home unless they are fresh, and print where they are."""
    settings = Settings.read()
    parser = argparse.ArgumentParser(prog="pipelines.records.data_docs", description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, default=settings.home)
    home = Home(parser.parse_args().home)
    if not any((home.work / "suites").glob("*.parquet")):
        print(f"{home.root} keeps no result of a suite yet; type 'mingzhang run' first.")
        return
    if not is_fresh(home):
        contracts = load_contracts(settings.contracts, city=settings.city)
        build(kept_results(home, contracts), folder(home))
    print(f"Data Docs: {(folder(home) / 'index.html').resolve().as_uri()}")


if __name__ == "__main__":
    main()
