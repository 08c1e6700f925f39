"""What the documents name is there: links, files, tests, and targets of make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted(
    p
    for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "dbt_project").glob("*.md")]
    if p.name != "CHANGELOG.md"  # which speaks of what was
)
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]+)?\)")
NAMED = re.compile(
    r"`((?:pipelines|publish|expectations|dbt_project|cities|tests|docs|deploy|findings)/[^`\s:<]*)(?:::(\w+))?[^`]*`"
)


def names(pages: list[Path]) -> list[object]:
    return [pytest.param(p, id=p.relative_to(ROOT).as_posix()) for p in pages]


@pytest.mark.parametrize("page", names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        target
        for target, anchor in LINK.findall(prose(page))
        if "://" not in target and not target.startswith("mailto:") and not leads(page, target, anchor)
    ]
    assert broken == []


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def leads(page: Path, target: str, anchor: str) -> bool:
    path = (page.parent / target).resolve() if target else page
    if not path.exists():
        return False
    return not anchor or path.suffix != ".md" or anchor[1:] in anchors(path)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", names([p for p in PAGES if p.parent.name != "decisions"]))  # those speak of what was
def test_files_that_are_named_exist(page: Path) -> None:
    """A name may be a pattern (`*`), a place to fill in (`<city>`, NAME), or name a test (`file.py::test`)."""
    missing = []
    for name, test in NAMED.findall(page.read_text(encoding="utf-8")):
        name = name.rstrip("/")
        if "…" in name or "<" in name or re.search(r"\b[A-Z]{4,}\b", name):
            continue
        found = list(ROOT.glob(name))
        if not found:
            missing.append(name)
        elif test and f"def {test}" not in found[0].read_text(encoding="utf-8"):
            missing.append(f"{name}::{test}")
    assert missing == []


@pytest.mark.parametrize("page", names(PAGES))
def test_targets_of_make_exist(page: Path) -> None:
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))) <= there


def test_every_document_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target, _ in LINK.findall(prose(index)) if "://" not in target}
    pages = {p for p in PAGES if p.is_relative_to(ROOT / "docs") and p.parent.name != "issues"} - {index}
    assert sorted(p.relative_to(ROOT).as_posix() for p in pages - linked) == []
