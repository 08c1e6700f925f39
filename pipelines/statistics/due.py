"""Terms of submission: the days after a period at which a dataset is late, from its contract.

Belongs here: the days, for dbt's sources and Dagster's freshness policies. Not here: who is late (dbt's mart `punctuality`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from expectations.contract import Contract

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project" / "dbt_project.yml"
# Days of a period, by the contract's frequency; what is sent in when something happens has no date at which it is late.
DAYS = {"monthly": 31, "quarterly": 92, "annual": 366}


def late_after(contract: Contract) -> int | None:
    """Days after the last submission at which the next one is late: its period and the term after it. None where none is due."""
    days = DAYS.get(contract.frequency)
    if days is None:
        return None
    return days + (contract.due_days if contract.due_days is not None else _submit_days())


@cache
def _submit_days() -> int:
    """The term where a contract states none, which dbt reads too."""
    project = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    return int(project["vars"]["mingzhang"]["submit_days"])
