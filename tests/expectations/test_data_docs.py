"""Data Docs: built from kept outcomes, in Great Expectations' own pages, without a value and without the network."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expectations.contract import Contract, load_contracts
from expectations.data_docs import SuiteResult, build
from expectations.suite import Outcome, plan


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contracts(only=["energy_use"])["energy_use"]


@pytest.fixture(scope="module")
def pages(contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "data_docs"
    folder.mkdir()
    (folder / "old.html").write_text("of an earlier run")
    planned = plan(contract)
    outcomes = [Outcome(p.rule, p.column, p.code, p.severity, 40, 7 if p.rule == "key" else 0) for p in planned]
    results = [
        SuiteResult(contract, year, outcomes[year % 2 :], datetime(2026, 11, 1, tzinfo=UTC)) for year in (2024, 2025)
    ]
    assert build(results, folder) == folder / "index.html"
    return folder


def text(page: Path) -> str:
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(html.unescape(bare).split())


def test_each_dataset_and_year_has_a_page_with_its_counts(pages: Path, contract: Contract) -> None:
    (of_2024,) = (pages / "validations" / "energy_use" / "2024").rglob("*.html")
    (of_2025,) = (pages / "validations" / "energy_use" / "2025").rglob("*.html")
    assert "7 unexpected values found. 17.5% of 40 total rows." in text(of_2024)
    planned = len(plan(contract))
    assert f"Evaluated Expectations {planned} " in text(of_2024)
    assert f"Evaluated Expectations {planned - 1} Successful Expectations {planned - 2} " in text(of_2025)
    assert not (pages / "old.html").exists()


def test_the_index_links_to_every_page(pages: Path, contract: Contract) -> None:
    index = (pages / "index.html").read_text(encoding="utf-8")
    planned = len(plan(contract))
    assert f"energy_use 2024 1 / {planned} " in text(pages / "index.html")
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 4 and all((pages / link).is_file() for link in links)


def test_a_rule_is_shown_by_its_name(pages: Path, contract: Contract) -> None:
    (page,) = (pages / "validations" / "energy_use" / "2024").rglob("*.html")
    assert contract.rules
    for rule in contract.rules:
        assert f"{rule.name}: {rule.expression} ({rule.code})" in text(page)


def test_no_page_asks_another_host(pages: Path) -> None:
    found = list(pages.rglob("*.html"))
    assert len(found) == 4
    for page in found:
        head = page.read_text(encoding="utf-8").partition("<head>")[2]
        assert head.startswith('<meta http-equiv="Content-Security-Policy" content="default-src \'self\'')
