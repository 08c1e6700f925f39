"""docs/glossary.md: each term once, in both languages."""

from __future__ import annotations

import importlib
import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [tuple(c.strip() for c in line.strip("|").split("|")) for line in PAGE.splitlines() if line.startswith("| ")][1:]


def test_forty_terms_each_once_in_both_languages() -> None:
    assert len(ROWS) >= 40
    for n in (0, 1):
        names = [r[n] for r in ROWS]
        assert sorted({n for n in names if names.count(n) > 1}) == []
    assert [r for r in ROWS if not re.search("[\u3400-\u9fff]", r[1]) or not r[2]] == []


def test_classes_that_it_names_exist() -> None:
    named = re.findall(r"`((?:pipelines|publish|expectations)\.[a-z_.]+)\.([A-Z]\w+)`", PAGE)
    assert named
    assert all(hasattr(importlib.import_module(module), name) for module, name in named)


def test_issue_tasks_have_their_four_states() -> None:
    from pipelines.records.tables import MEANINGS

    (task,) = [r for r in ROWS if r[0] == "task"]
    assert all(state in MEANINGS["state"] for state in re.findall("[\u3400-\u9fff]{2}", task[2]))
