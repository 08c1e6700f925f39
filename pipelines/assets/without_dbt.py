"""dagster-dbt without dbt in this process.

Belongs here: that import. Not here: what is made of it (statistics.py).

dagster-dbt imports all of dbt-core where it is installed, a second of processor time and 60 MB, to select models in this process
and to open an adapter. Here every model is selected, and dbt runs as a process of its own. Without dbt-core dagster-dbt reads
the selection from the manifest (dagster_dbt 0.29, compat.py and utils.py `select_unique_ids`), so it is imported as if there
were none; whoever imports dbt itself still finds it.
"""

from __future__ import annotations

import sys

_ASKED = "dbt.version"  # what dagster-dbt imports to see whether dbt-core is there

_known = sys.modules.get(_ASKED)
sys.modules[_ASKED] = None  # type: ignore[assignment]  # importing it raises ImportError
try:
    from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets
finally:
    if _known is None:
        del sys.modules[_ASKED]
    else:
        sys.modules[_ASKED] = _known

__all__ = ["DagsterDbtTranslator", "DbtCliResource", "dbt_assets"]
