"""The gates of a release, in order: the last check of the finished files themselves, not of what they were made from.

Belongs here: which gates there are. Not here: the gates (gate_files.py, gate_values.py, gate_statements.py), or hiding anything: by the
time a file gets here it must already be right. A hit names file, table, row and rule, never the secret itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from publish.disclosure import gate_files, gate_statements, gate_values
from publish.disclosure.gate_files import CONTRACTS, SEARCH, contract_file
from publish.disclosure.inspection import DATABASE, Inspection, Known
from publish.errors import GateRefused

__all__ = ["CONTRACTS", "DATABASE", "SEARCH", "Known", "check", "contract_file"]


def check(folder: Path, known: Known) -> list[dict[str, Any]]:
    """Looks through the release in `folder` and gives, for each gate, its name and how much it looked at.

    Raises GateRefused with every hit found (at most 50).
    """
    look = Inspection(folder, known)
    gates: tuple[tuple[str, Callable[[Inspection], int]], ...] = (
        ("files", gate_files.allowed_files),
        ("cells", gate_files.contents),
        ("rows", gate_files.row_counts),
        ("contributors", gate_values.contributors),
        ("sources", gate_values.sources),
        ("ties", gate_values.ratios_beside_sums),
        ("differences", gate_values.differences),
        ("recovery", gate_values.recovery),
        ("institutions", gate_values.institutions),
        ("statements", gate_statements.statements),
        ("wholes", gate_values.wholes),
    )
    results = [{"gate": name, "checked": gate(look)} for name, gate in gates]
    if look.hits:
        raise GateRefused(look.hits)
    return results
