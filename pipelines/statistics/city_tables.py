"""The tables of a city's folder as the warehouse has them.

Belongs here: their columns and types, which Dagster's graph asks for too, so nothing heavy is imported. Not here: reading the folder (city.py).
"""

from __future__ import annotations

from pipelines.core.city import FILES

# The tables of a city folder as the warehouse has them: what dbt's source `city` holds.
TABLES: dict[str, dict[str, str]] = {
    **FILES,
    "claims": {
        "position": "BIGINT",
        "claim_id": "VARCHAR",
        "section": "VARCHAR",
        "name_zh": "VARCHAR",
        "name_en": "VARCHAR",
        "value_text": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
        "qualifier": "VARCHAR",
        "word": "VARCHAR",
        "step": "DOUBLE",
        "test": "VARCHAR",
        "target": "DOUBLE",
        "period_start": "BIGINT",
        "period_end": "BIGINT",
        "period_note": "VARCHAR",
        "scope": "VARCHAR",
        "level": "VARCHAR",
        "kind": "VARCHAR",
        "is_forecast": "BOOLEAN",
        "verifiable": "BOOLEAN",
        "datasets": "VARCHAR",
        "indicator_id": "VARCHAR",
        "first_year": "BIGINT",
        "year": "BIGINT",
        "dimension": "VARCHAR",
        "member": "VARCHAR",
        "factor_set": "VARCHAR",
        "note_zh": "VARCHAR",
        "note_en": "VARCHAR",
        "sql": "VARCHAR",
    },
    "arithmetic": {
        "position": "BIGINT",
        "check_id": "VARCHAR",
        "expression": "VARCHAR",
        "expected": "DOUBLE",
        "computed": "DOUBLE",
        "unit": "VARCHAR",
        "step": "DOUBLE",
        "reading_zh": "VARCHAR",
        "reading_en": "VARCHAR",
        "sql": "VARCHAR",
    },
}
