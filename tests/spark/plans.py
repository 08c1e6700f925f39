"""Reads Spark's physical plan of every model: what it sends through the driver, and what it brings into one task.

`python -m tests.spark.plans --home HOME --tables TABLES` prints one JSON object: model -> list of [kind, tables], where kind is
`broadcast` (collected by the driver and sent to every executor), `one task` (all rows into one task, but for a sum without keys,
which has one row from each), or `driver` (more than FEW rows that the driver takes); `tables` are those below it. It plans with broadcasting by size switched
off: those that are left are of a query's form, however large the table is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.core.home import Home
from pipelines.statistics.run import target

UNSIZED = {
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "false",  # the plan is the whole plan
    "spark.sql.ansi.enabled": "false",  # as dbt-spark has it
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": "false",
    "spark.log.level": "OFF",
}
BY_THE_DRIVER = {"CollectLimit", "TakeOrderedAndProject", "CollectTail"}
FEW = 1000  # rows that a query's own limit leaves, of each task


def nodes(plan: Any) -> Iterator[Any]:
    """The node and all below it, those of subqueries too."""
    yield plan
    for below in (plan.children(), plan.subqueries()):
        for i in range(below.size()):
            yield from nodes(below.apply(i))
    if plan.nodeName() in ("ReusedExchange", "ReusedSubquery"):
        yield from nodes(plan.child())


def tables_below(plan: Any, home: Path, tables: Path) -> list[str]:
    """`schema/table` of each file that is read below a node."""
    found = set()
    for node in nodes(plan):
        if not node.nodeName().startswith("Scan parquet"):
            continue
        roots = node.relation().location().rootPaths()
        for i in range(roots.size()):
            path = Path(roots.apply(i).toUri().getPath())
            if path.is_relative_to(tables):
                found.add(path.relative_to(tables).as_posix().replace(".db/", "/"))
            else:
                found.add(path.relative_to(home / "work").with_suffix("").as_posix())
    return sorted(found)


def _sums_without_keys(exchange: Any) -> bool:
    """Whether what is brought together is one row of each task."""
    below = exchange.child()
    while below.nodeName() in ("InputAdapter", "Project") or below.nodeName().startswith("WholeStageCodegen"):
        below = below.child()
    return bool(below.nodeName().endswith("Aggregate") and below.groupingExpressions().isEmpty())


def doubtful(plan: Any, home: Path, tables: Path) -> list[tuple[str, list[str]]]:
    """The nodes of a plan that take rows out of their tasks."""
    found = []
    for node in nodes(plan):
        name = node.nodeName()
        if name == "BroadcastExchange":
            kind = "broadcast"
        elif name == "Exchange" and node.outputPartitioning().toString() == "SinglePartition":
            if _sums_without_keys(node):
                continue
            kind = "one task"
        elif name in BY_THE_DRIVER and node.limit() > FEW:
            kind = "driver"
        else:
            continue
        found.append((kind, tables_below(node, home, tables)))
    return found


def main() -> None:
    from pyspark.sql import SparkSession

    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--tables", type=Path, required=True)
    given = parser.parse_args()
    home, tables = given.home.resolve(), given.tables.resolve()
    folder = target(Home(home))
    models = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    compiled = {
        key: (folder / "compiled" / "mingzhang" / m["original_file_path"]).read_text(encoding="utf-8")
        for key, m in models.items()
        if m["resource_type"] == "model"
    }
    builder = SparkSession.builder.master("local[1]").appName("plans")
    for name, value in UNSIZED.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    for built in sorted(tables.glob("*.db/*")):
        schema = built.parent.name.removesuffix(".db")
        session.sql(f"create schema if not exists {schema}")
        session.sql(f"create table {schema}.{built.name} using parquet location '{built}'")
    session.sql("create schema if not exists staging")
    left = [k for k in compiled if models[k]["schema"] == "staging"]
    while left:  # a view stands before those that read it
        free = [k for k in left if not set(left) & set(models[k]["depends_on"]["nodes"])]
        for key in free:
            session.sql(f"create view staging.{models[key]['alias']} as {compiled[key]}")
        left = [k for k in left if k not in free]
    out = {}
    for key, sql in compiled.items():
        if models[key]["schema"] != "staging":
            plan = session.sql(sql)._jdf.queryExecution().executedPlan()
            out[models[key]["alias"]] = doubtful(plan, home, tables)
    session.stop()
    print(json.dumps(out))


if __name__ == "__main__":
    main()
