"""Builds Great Expectations' Data Docs from results that a run kept: a page per suite and one per dataset and year.

Belongs here: kept outcomes as GX's validation results, and its site builder. Not here: where they are kept
(pipelines/records/data_docs.py). The pages hold counts and names of rules, never a value of a record.
"""

from __future__ import annotations

import html
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.suite import Outcome, ephemeral_context, expectation, plan

SITE = "mingzhang"
# GX's pages load styles and scripts from five hosts, and a picture whose address tells when they were made. With this the browser
# asks nobody: the pages are plainer, and read as well without a network. GX's index needs those scripts, so that it has one of ours.
_CLOSED = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'self' data: 'unsafe-inline'; form-action 'none'\">"
# Members do not matter: a rule over a list of the city's or of the register has an outcome only where there was one.
_EVERY_LIST = {"institutions": ("",), "divisions": ("",)}


@dataclass(frozen=True)
class SuiteResult:
    """The outcomes of one dataset and year, and when they were computed."""

    contract: Contract
    year: int
    outcomes: list[Outcome]
    at: datetime


def build(results: Iterable[SuiteResult], folder: Path) -> Path:
    """Write the pages into `folder`, in place of those there, and return their index.html."""
    context = ephemeral_context()  # first: it imports GX without the warnings of GX's own imports
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    suites: dict[str, dict[str, Any]] = {}
    listed = list(results)
    for r in listed:
        name = r.contract.dataset
        if name not in suites:
            suite = gx.ExpectationSuite(name=name, expectations=_described(r.contract))
            suites[name] = {e.meta["rule"]: e for e in context.suites.add_or_update(suite).expectations}
        run = RunIdentifier(run_name=str(r.year), run_time=r.at)
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(name), run, f"{name}-{r.year}")
        context.validation_results_store.set(key, _validated(r, suites[name], run))
    if folder.exists():
        shutil.rmtree(folder)
    context.add_data_docs_site(
        SITE,
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    try:
        context.build_data_docs(site_names=[SITE])
    finally:
        context.delete_data_docs_site(SITE)
    for page in folder.rglob("*.html"):
        page.write_text(page.read_text(encoding="utf-8").replace("<head>", f"<head>{_CLOSED}", 1), encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_index(listed, folder), encoding="utf-8")
    return index


def _index(results: list[SuiteResult], folder: Path) -> str:
    """The page that links to all others: a row per dataset and year."""
    rows = []
    for r in results:
        name = r.contract.dataset
        (page,) = (folder / "validations" / name / str(r.year)).rglob("*.html")
        failed = sum(not o.success for o in r.outcomes)
        cells = (
            html.escape(r.contract.title_zh),
            f'<a href="expectations/{name}.html">{name}</a>',
            f'<a href="{page.relative_to(folder).as_posix()}">{r.year or "—"}</a>',
            f"{failed} / {len(r.outcomes)}",
        )
        rows.append(f"<tr>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    heads = ("数据集", "Suite", "年 Year", "未通过 / 规则数 Failed / expectations")
    return (
        f'<!doctype html><html lang="zh"><head>{_CLOSED}<meta charset="utf-8"><title>Data Docs</title></head><body><h1>Data Docs</h1>'
        f"<table><tr>{''.join(f'<th>{h}</th>' for h in heads)}</tr>{''.join(rows)}</table></body></html>"
    )


def _described(contract: Contract) -> list[Any]:
    """The expectations of a contract, those over rows under the names of their rules: GX words its own only."""
    made = []
    for n, p in enumerate(plan(contract, _EVERY_LIST)):
        e = expectation(p, n)
        if p.kind in ("ExpectRowsToSatisfy", "ExpectCheckCharacter"):
            shown = f"{p.rule}: {p.arguments.get('expression') or p.arguments['part']} ({p.code})"
            e.description = html.escape(shown, quote=False)  # GX writes it into the page as it is
        made.append(e)
    return made


def _validated(r: SuiteResult, suite: dict[str, Any], run: Any) -> Any:
    """One suite's outcomes as GX's own result."""
    import great_expectations as gx
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

    results = [
        ExpectationValidationResult(
            success=o.success,
            expectation_config=suite[o.rule].configuration,
            result={
                "element_count": o.checked,
                "unexpected_count": o.failed,
                "unexpected_percent": 100 * o.failed / max(o.checked, 1),
            },
            exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
        )
        for o in r.outcomes
        if o.rule in suite
    ]
    good = sum(bool(x.success) for x in results)
    return ExpectationSuiteValidationResult(
        success=good == len(results),
        results=results,
        suite_name=r.contract.dataset,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": good,
            "unsuccessful_expectations": len(results) - good,
            "success_percent": 100 * good / max(len(results), 1),
        },
        meta={
            "run_id": run,
            "batch_spec": {},
            "validation_time": r.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ"),
            "great_expectations_version": gx.__version__,
        },
    )
