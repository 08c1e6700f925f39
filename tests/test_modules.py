"""Every module states its subject on its first line, in one sentence that stands by itself, and none grows without end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(p for top in ("pipelines", "publish", "expectations") for p in (ROOT / top).rglob("*.py"))
# A subject is a noun or a verb: these begin a riddle, whose answer nobody greps for.
RIDDLES = re.compile(r"(What|Which|Who|Whom|Whose|Where|Whether|How)\b")
LONGEST = 700  # lines; a module that needs more has two subjects
# Those that the review of the code found too large, with several subjects each.
GONE = (
    "pipelines/intake/tables.py", "pipelines/intake/reader.py", "pipelines/intake/book.py", "pipelines/intake/cells.py",
    "publish/site/words.py", "expectations/contract.py", "publish/release/schema.py", "publish/site/api.py", "publish/site/pages/story.py",
)  # fmt: skip


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 250


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_states_its_subject_on_its_first_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    assert first.endswith((".", ":")), f"the first line is no sentence: {first!r}"
    assert not RIDDLES.match(first), f"begin with a noun or a verb: {first!r}"
    assert len(first) <= 160
    assert text.count("\n") <= LONGEST, "split it by its subjects"


@pytest.mark.parametrize("name", GONE)
def test_the_large_modules_are_gone(name: str) -> None:
    assert not (ROOT / name).exists()
