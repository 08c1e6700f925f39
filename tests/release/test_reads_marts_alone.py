"""A release is made of schema marts: a warehouse that has nothing else gives the same one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import duckdb

from pipelines.core.home import Home
from publish.release import build as building
from tests.release.conftest import AS_OF, make_warehouse

PUBLISH = Path(building.__file__).resolve().parents[1]
# A table of the warehouse in SQL, or asked for by Warehouse.require and Warehouse.take.
NAMED = re.compile(r"\b(?:from|join)\s+(intake|records|seeds|staging|intermediate|marts|city|catalog)\.", re.IGNORECASE)
SCHEMAS = {"intake", "records", "seeds", "staging", "intermediate", "marts", "city", "catalog"}


def test_a_warehouse_with_nothing_but_marts_gives_the_same_release(tmp_path, contracts, city):
    homes = [Home(tmp_path / n).create() for n in ("whole", "marts")]
    make_warehouse(homes[0].warehouse, contracts)
    with duckdb.connect(str(homes[1].warehouse)) as con:
        con.execute(f"attach '{homes[0].warehouse}' as whole (read_only)")
        found = con.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'whole'"
        ).fetchall()
        for schema, table in found:
            if schema == "marts":
                con.execute(f'create schema if not exists "{schema}"')
                con.execute(f'create table "{schema}"."{table}" as from whole."{schema}"."{table}"')
    one, other = (building.build(home, contracts, city, AS_OF, "v") for home in homes)
    assert one.release_id == other.release_id and sum(one.rows.values()) > 200
    assert (one.path / "SHA256SUMS").read_bytes() == (other.path / "SHA256SUMS").read_bytes()


def test_no_sql_of_publish_names_another_schema():
    named = set()
    for path in (p for part in ("release", "disclosure") for p in (PUBLISH / part).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= {(path.name, schema) for schema in NAMED.findall(node.value)}
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("require", "take") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and first.value in SCHEMAS:
                    named.add((path.name, first.value))
    assert {n for n in named if n[1] != "marts"} == set() and len(named) > 3
