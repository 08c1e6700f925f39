"""The records: one asset per dataset, each with its contract's suites as a check, made in one step for all.

Belongs here: turning the summary of a build into assets, metadata and checks. Not here: any rule.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from expectations.contract import Contracts
from pipelines.assets.described import OWNER, POOL, ROWS, STALE, described, rows_in
from pipelines.assets.place import Place
from pipelines.assets.years import tell_years
from pipelines.core import notes
from pipelines.core.home import Home
from pipelines.core.memory import give_back
from pipelines.core.notes import Note
from pipelines.core.progress import report
from pipelines.stages import code, tables_of

if TYPE_CHECKING:
    from pipelines.records.build import RecordsSummary

TITLES = {
    "files": "收到的文件 Files received",
    "sheets": "工作表 Sheets, and what became of their rows",
    "columns": "找到的列 Columns found",
    "issues": "问题 Issues",
    "quarantine": "隔离的行 Rows in quarantine",
    "superseded": "被更新文件替换的行 Rows that a newer file replaced",
    "findings": "数字的疑点 What the figures show",
}
TABLES = tuple(TITLES)
CHECK, ACCOUNT = "contract", "account"
FOUND = "found"  # what came of each dataset, beside the summary in the stage's note
GIVEN = [dg.AssetKey(k) for k in ("readings", "contracts", "decisions")] + [dg.AssetKey(["city", "divisions"])]


def records_asset(contracts: Contracts) -> dg.AssetsDefinition:
    """The step that joins all readings into records. A step for each dataset would cost seconds each and read all anew."""
    common: dict[str, Any] = {
        "deps": GIVEN,
        "code_version": code("records"),
        "kinds": {"parquet"},
        "skippable": True,
        "automation_condition": STALE,
    }
    specs = [
        dg.AssetSpec(["records", c.dataset], group_name="records", **common, **described(c)) for c in contracts.values()
    ]
    specs += [
        dg.AssetSpec(["intake", t], group_name="intake", owners=[OWNER], description=TITLES[t], **common)
        for t in TABLES
    ]
    checks = [
        dg.AssetCheckSpec(
            CHECK,
            asset=["records", d],
            description="合同的规则，每年一次 The contract's suite, once per year of the dataset.",
        )
        for d in contracts
    ]
    checks.append(
        dg.AssetCheckSpec(
            ACCOUNT,
            asset=["intake", "sheets"],
            blocking=True,
            description="每一行都有下落 Each row read was accepted, put in quarantine or explained; else nothing after it is made.",
        )
    )

    @dg.multi_asset(name="records", specs=specs, check_specs=checks, can_subset=True, pool=POOL)
    def records(context: dg.AssetExecutionContext, place: Place) -> Iterator[dg.MaterializeResult]:
        """All are made together, because rows of one dataset are held against those of another; those asked for are told of."""
        note = make(context, place)
        summary, versions, found = _summary(note.reported), tables_of(note), note.reported.get(FOUND, {})
        asked = context.selected_asset_keys
        checked = {k.asset_key for k in context.selected_asset_check_keys}
        for dataset in place.load_contracts():
            key = dg.AssetKey(["records", dataset])
            if key not in asked:
                continue
            rows = summary.records.get(dataset, 0)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={ROWS: rows, "rows": rows} | found.get(dataset, {}),
                data_version=dg.DataVersion(versions[f"records/{dataset}"]),
                check_results=[_check(dataset, summary, place)] if key in checked else [],
            )
        for t in TABLES:
            key = dg.AssetKey(["intake", t])
            if key not in asked:
                continue
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={ROWS: rows_in(place.home_folder.table("intake", t))}
                | (_report(summary) if t == "files" else {}),
                data_version=dg.DataVersion(versions[f"intake/{t}"]),
                check_results=[_account(place.home_folder)] if key in checked else [],
            )

    return records


def make(context: dg.AssetExecutionContext, place: Place, again: bool = False) -> Note:
    """The note of the records, made again where they are stale or `again` is wished; each dataset and year that changed is told of
    then."""
    contracts = place.load_contracts()
    stages = place.stages(contracts)
    note = None if again else place.fresh(stages, "records")
    if note is None:
        before = notes.read(place.home_folder, "records")
        made = _build(place, contracts)
        give_back()
        note = stages.done("records", asdict(made) | {FOUND: _found(place.home_folder)})
        tell_years(context, place.home_folder, before, note)
    return note


def _summary(reported: dict[str, Any]) -> "RecordsSummary":
    """The summary of the build that a note is of."""
    from expectations.suite import Outcome
    from pipelines.records.build import RecordsSummary
    from pipelines.records.judge import SuiteRun

    reported = {k: v for k, v in reported.items() if k != FOUND}
    suites = [SuiteRun(**s | {"outcomes": [Outcome(**o) for o in s["outcomes"]]}) for s in reported["suites"]]
    return RecordsSummary(**reported | {"suites": suites})


def _build(place: Place, contracts: Contracts) -> "RecordsSummary":
    """All that is read lives no longer than this call."""
    from pipelines.records.build import build
    from pipelines.records.corrected import CELL, WITHDRAW
    from pipelines.records.final_years import FINAL, with_late_files
    from pipelines.sources.decisions import in_force
    from pipelines.sources.ledger import Ledger
    from pipelines.sources.read_new import load_readings

    report("records")
    home = place.home_folder
    ledger = Ledger(home)
    decided = with_late_files(in_force(home, (WITHDRAW, CELL, FINAL)), ledger)
    readings = load_readings(home, contracts)
    return build(readings, contracts, home, place.city_folder, ledger.latest, decided, place.date)


def _report(s: "RecordsSummary") -> dict[str, Any]:
    return {
        "unused": s.unused,
        "report_waiting": s.waiting,
        "report_files": s.files,
        "report_rows": s.rows,
        "report_issues": s.issues,
        "report_superseded": s.superseded,
    }


def _found(home: Home) -> dict[str, dict[str, Any]]:
    """What came of each dataset, by its name: files, open issues by code, bytes and years of its table."""
    from pipelines.core.duck import scratch

    out: dict[str, dict[str, Any]] = {}
    for folder in (home.work / "records").iterdir():
        files = sorted(folder.glob("*.parquet"))
        out[folder.name] = {
            "bytes": sum(f.stat().st_size for f in files),
            "years": len(files),
            "files": 0,
            "issues": {},
        }
    with scratch() as con:
        for t in ("sheets", "issues"):
            con.read_parquet(str(home.table("intake", t))).create_view(t)
        for dataset, files_seen in con.execute(
            "select dataset, count(distinct file_id) from sheets where dataset is not null group by 1"
        ).fetchall():
            out.get(dataset, {})["files"] = files_seen
        for dataset, issue, count in con.execute(
            """select s.dataset, i.code, count(*) from issues as i
               join (select distinct file_id, sheet, dataset from sheets) as s using (file_id, sheet)
               where i.status = 'open' and s.dataset is not null group by 1, 2 order by 1, 2"""
        ).fetchall():
            out.get(dataset, {"issues": {}})["issues"][issue] = count
    return out


def _account(home: Home) -> dg.AssetCheckResult:
    """Whether every row of every sheet is accounted for."""
    from pipelines.core.duck import scratch

    with scratch() as con:
        con.read_parquet(str(home.table("intake", "sheets"))).create_view("sheets")
        sheets, rows, off = con.execute(
            """select count(*), coalesce(sum(rows_read), 0)::bigint,
                      count(*) filter (rows_read is distinct from rows_accepted + rows_quarantined + rows_explained)
               from sheets"""
        ).fetchall()[0]
    return dg.AssetCheckResult(
        check_name=ACCOUNT,
        asset_key=dg.AssetKey(["intake", "sheets"]),
        passed=off == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"sheets": sheets, "rows_read": rows, "sheets_off": off},
    )


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
