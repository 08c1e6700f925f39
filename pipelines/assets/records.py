"""The records: one asset per dataset, each with its contract's suites as a check, made in one step for all.

Belongs here: turning the summary of a build into assets, metadata and checks. Not here: any rule.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from expectations.contract import Contracts
from pipelines.assets.place import Place
from pipelines.core.memory import give_back
from pipelines.core.progress import report
from pipelines.stages import code, tables_of

if TYPE_CHECKING:
    from pipelines.records.build import RecordsSummary

TABLES = ("files", "sheets", "columns", "issues", "quarantine", "superseded")
CHECK = "contract"
GIVEN = [dg.AssetKey(k) for k in ("readings", "contracts", "decisions")] + [dg.AssetKey(["city", "divisions"])]


def records_asset(contracts: Contracts) -> dg.AssetsDefinition:
    """The step that joins all readings into records. A step for each dataset would cost seconds each and read all anew."""
    specs = [
        dg.AssetSpec(
            ["records", c.dataset],
            deps=GIVEN,
            group_name="records",
            code_version=code("records"),
            description=f"{c.title_zh} {c.title_en}. {c.grain}.",
            kinds={"parquet"},
            skippable=True,
        )
        for c in contracts.values()
    ]
    specs += [
        dg.AssetSpec(
            ["intake", t],
            deps=GIVEN,
            group_name="intake",
            code_version=code("records"),
            kinds={"parquet"},
            skippable=True,
        )
        for t in TABLES
    ]
    checks = [
        dg.AssetCheckSpec(
            CHECK, asset=["records", d], description="The contract's suite, once per year of the dataset."
        )
        for d in contracts
    ]

    @dg.multi_asset(name="records", specs=specs, check_specs=checks, can_subset=True)
    def records(context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult]:
        """All are made together, because rows of one dataset are held against those of another; those asked for are told of."""
        now = place.load_contracts()
        stages = place.stages(now)
        note = place.fresh(stages, "records")
        if note is None:
            made = _build(place, now)
            give_back()
            note = stages.done("records", asdict(made))
        summary, versions = _summary(note.reported), tables_of(note)
        asked = context.selected_asset_keys
        checked = {k.asset_key for k in context.selected_asset_check_keys}
        for dataset in now:
            key = dg.AssetKey(["records", dataset])
            if key not in asked:
                continue
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={"rows": summary.records.get(dataset, 0)},
                data_version=dg.DataVersion(versions[f"records/{dataset}"]),
                check_results=[_check(dataset, summary, place)] if key in checked else [],
            )
        for t in TABLES:
            if dg.AssetKey(["intake", t]) not in asked:
                continue
            metadata = _report(summary) if t == "files" else {}
            yield dg.MaterializeResult(
                asset_key=["intake", t], metadata=metadata, data_version=dg.DataVersion(versions[f"intake/{t}"])
            )

    return records


def _summary(reported: dict[str, Any]) -> "RecordsSummary":
    """The summary of the build that a note is of."""
    from expectations.suite import Outcome
    from pipelines.records.build import RecordsSummary
    from pipelines.records.judge import SuiteRun

    suites = [SuiteRun(**s | {"outcomes": [Outcome(**o) for o in s["outcomes"]]}) for s in reported["suites"]]
    return RecordsSummary(**reported | {"suites": suites})


def _build(place: Place, contracts: Contracts) -> "RecordsSummary":
    """All that is read lives no longer than this call."""
    from pipelines.records.build import build
    from pipelines.records.corrected import CELL, WITHDRAW
    from pipelines.sources.decisions import in_force
    from pipelines.sources.ledger import Ledger
    from pipelines.sources.read_new import load_readings

    report("records")
    home = place.home_folder
    decided = in_force(home, (WITHDRAW, CELL))
    readings = load_readings(home, contracts)
    return build(readings, contracts, home, place.city_folder, Ledger(home).latest, decided, place.date)


def _report(s: "RecordsSummary") -> dict[str, Any]:
    return {
        "unused": s.unused,
        "report_files": s.files,
        "report_rows": s.rows,
        "report_issues": s.issues,
        "report_superseded": s.superseded,
    }


def _check(dataset: str, summary: "RecordsSummary", place: Place) -> dg.AssetCheckResult:
    """One check for all the years of a dataset. It warns and does not stop: a bad row is in quarantine already."""
    from pipelines.records import data_docs

    suites = [s for s in summary.suites if s.dataset == dataset]
    broken = [(s.year, o) for s in suites for o in s.outcomes if not o.success]
    columns = [
        dg.TableColumn("year", "int"),
        dg.TableColumn("rule"),
        dg.TableColumn("code"),
        dg.TableColumn("severity"),
        dg.TableColumn("checked", "int"),
        dg.TableColumn("failed", "int"),
    ]
    rows = [
        dg.TableRecord(
            {
                "year": y,
                "rule": o.rule,
                "code": o.code,
                "severity": o.severity,
                "checked": o.checked,
                "failed": o.failed,
            }
        )
        for y, o in broken
    ]
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=dg.AssetKey(["records", dataset]),
        passed=not any(o.severity == "error" for _, o in broken),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "suites": len(suites),
            "rows": sum(s.rows for s in suites),
            "data_docs": dg.MetadataValue.path(data_docs.folder(place.home_folder) / "index.html"),
            "failures": dg.MetadataValue.table(records=rows, schema=dg.TableSchema(columns=columns)),
        },
    )
