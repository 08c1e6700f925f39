"""The shape of the public tables: it is read from marts.yml, and changes only where somebody means it to."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from publish.schema import MARTS_YML, PUBLIC

SHAPE = Path(__file__).with_name("public_shape.json")


def shape() -> list[dict[str, Any]]:
    """Every table of the platform with all that is promised of it and of its columns, in order."""
    found = []
    for table in PUBLIC:
        said: dict[str, Any] = json.loads(json.dumps(asdict(table)))
        found.append({"fields": said.pop("fields"), "table": said})
    return found


def text(tables: list[dict[str, Any]]) -> str:
    """A column to a line, so that a difference is read at a glance."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    parts = []
    for t in tables:
        fields = ",\n".join(f"   {line(f)}" for f in t["fields"])
        parts.append(f' {{"table": {line(t["table"])},\n  "fields": [\n{fields}\n  ]}}')
    return "[\n" + ",\n".join(parts) + "\n]\n"


def test_the_public_shape_changes_only_where_it_is_meant_to() -> None:
    """Where it is: MINGZHANG_SHAPE=write pytest tests/test_schema.py, and the change is in the diff to be read."""
    if os.environ.get("MINGZHANG_SHAPE") == "write":
        SHAPE.write_text(text(shape()), encoding="utf-8")
    assert shape() == json.loads(SHAPE.read_text(encoding="utf-8"))


def test_what_is_public_has_titles_in_both_languages_and_what_is_not_says_why() -> None:
    models = yaml.safe_load(MARTS_YML.read_text(encoding="utf-8"))["models"]
    for model in (m for m in models if m["name"] != "provenance"):  # the release puts that table together
        meta = model.get("config", {}).get("meta", {})
        assert model["description"], model["name"]
        assert meta.get("internal") or (meta["title_zh"] and meta["title_en"]), model["name"]
        for column in model["columns"]:
            said = column.get("config", {}).get("meta")
            where = f"{model['name']}.{column['name']}"
            if said is None:
                assert column.get("description"), where
            else:
                assert said["title_zh"] and said["title_en"], where
        names = [c["name"] for c in model["columns"]]
        assert len(set(names)) == len(names), model["name"]
        for listed in (meta.get("key", []), meta.get("order", []), *meta.get("indexes", [])):
            assert set(listed) <= set(names), model["name"]
