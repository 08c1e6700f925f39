"""A contract made for one test, and what a Reader makes of rows under it.

Belongs here: the shortest way from columns and cells to a reading. Not here: what is expected of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from expectations.contract import Contracts, read_contract
from pipelines.intake.file_reader import FileReader
from pipelines.intake.model import FileReading, SheetReading
from pipelines.intake.sheets import Book, Grid

KINDS = {"number": "number", "integer": "integer", "year": "integer", "month": "string", "date": "date"}
Merges = list[tuple[int, int, int, int]]


def column(name: str, header: str, kind: str = "string", **own: Any) -> dict[str, Any]:
    """A column of a contract; `own`: required, key (its position in the key), and custom properties."""
    required, key = own.pop("required", False), own.pop("key", 0)
    if kind in ("year", "month"):
        own["kind"] = kind
    out = {"name": name, "businessName": header, "logicalType": KINDS.get(kind, kind), "classification": "L0"}
    out |= {"required": bool(required or key)} | ({"primaryKey": True, "primaryKeyPosition": key} if key else {})
    return out | {"customProperties": [{"property": p, "value": v} for p, v in own.items()]}


def contracts(folder: Path, *columns: dict[str, Any], name: str = "trial", **top: Any) -> Contracts:
    """The Contracts of one dataset alone; `top`: its custom properties."""
    said = {"opening": "open", **top}
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "name": name, "version": "1.0.0", "status": "active",
        "schema": [{"name": name, "businessName": "试验表", "properties": list(columns)}],
        "customProperties": [{"property": p, "value": v} for p, v in said.items()],
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return Contracts([read_contract(path)])


def reading(found: Contracts, rows: list[list[Any]], merges: Merges | None = None) -> FileReading:
    """What a file of one sheet with these rows gives."""
    width = max(map(len, rows))
    grid = Grid("表", [[*r, *[""] * (width - len(r))] for r in rows], merges=merges)
    return FileReader(found).read_book(Book([grid]), "报送表.xlsx", "0")


def sheet(found: Contracts, rows: list[list[Any]], merges: Merges | None = None) -> SheetReading:
    """Its one table."""
    (only,) = reading(found, rows, merges).sheets
    return only
