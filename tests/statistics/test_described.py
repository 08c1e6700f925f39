"""Every model and seed of dbt states its grain, and every column of a mart what it holds."""

from __future__ import annotations

import re
from typing import Any

import yaml

from pipelines.statistics.run import PROJECT


def entries(kind: str, folder: str) -> dict[str, dict[str, Any]]:
    """The YAML entries of `models` or `seeds` below a folder of the project, by name; each name once."""
    listed = [
        entry
        for path in sorted((PROJECT / folder).rglob("*.yml"))
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, [])
    ]
    found = {entry["name"]: entry for entry in listed}
    assert len(found) == len(listed)
    return found


def files(folder: str, ending: str) -> set[str]:
    return {path.stem for path in (PROJECT / folder).rglob(f"*.{ending}")}


def test_every_model_has_an_entry_that_begins_with_its_grain() -> None:
    described = entries("models", "models")
    assert set(described) == files("models", "sql")
    for name, entry in described.items():
        assert entry.get("description", "").startswith("One row per "), name


def test_every_seed_has_an_entry_that_begins_with_its_grain() -> None:
    described = entries("seeds", "seeds")
    assert set(described) == files("seeds", "csv")
    for name, entry in described.items():
        assert entry.get("description", "").startswith("One row per "), name


def test_every_column_of_a_mart_has_a_description() -> None:
    marts = entries("models", "models/marts")
    missing = [f"{n}.{c['name']}" for n, m in marts.items() for c in m["columns"] if not c.get("description")]
    assert missing == []
    assert sum(len(m["columns"]) for m in marts.values()) > 200


def test_exposures_name_every_mart() -> None:
    """The site, the API and the downloads show all that is public; what is internal has a reader too."""
    marts = entries("models", "models/marts")
    internal = {n for n, m in marts.items() if m.get("config", {}).get("meta", {}).get("internal")}
    read = {
        n: set(re.findall(r"ref\('(\w+)'\)", " ".join(e["depends_on"])))
        for n, e in entries("exposures", "models").items()
    }
    assert {n: read[n] for n in ("site", "api", "downloads")} == dict.fromkeys(
        ("site", "api", "downloads"), set(marts) - internal
    )
    assert read["gate"] == internal


def test_every_model_of_facts_is_among_all_facts() -> None:
    themes = {name for name in files("models/intermediate", "sql") if name.endswith("_facts")}
    text = (PROJECT / "models/intermediate/base/int_all_facts.sql").read_text(encoding="utf-8")
    assert set(re.findall(r"'(int_\w+)'", text)) == themes - {"int_all_facts", "int_facts"}


def test_a_staging_model_lists_its_columns() -> None:
    """Only the two that read a CTE whole, in the form: source, renamed (and what follows from it)."""
    for path in sorted((PROJECT / "models/staging").rglob("*.sql")):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"with source as \(\n    select \* from {{ source\('\w+', '\w+'\) }}\n\),", text), path.name
        renamed = text[text.index("renamed as (") :].partition("\n)")[0]
        assert "*" not in re.sub(r"{{.*?}}", "", renamed), path.name
        assert "\n    from source" in renamed, path.name
