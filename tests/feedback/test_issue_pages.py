"""Each code has a page that says what a department should do, and no page speaks of a code that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.core.issue_codes import ISSUE_CODES
from pipelines.intake.messages import CODES

SEVERITIES = {"error": "错误 error", "warning": "提醒 warning"}
PARTS = ("## 什么意思 / What it means", "## 后果 / What happens", "## 例子 / Example", "## 怎么改 / What to do")


def gaps(folder: Path) -> list[str]:
    """What is wrong with a folder of pages, in sentences; nothing wrong gives an empty list."""
    found = []
    pages = {p.stem: p.read_text(encoding="utf-8") for p in folder.glob("*.md")}
    index = pages.pop("index", "")
    found += [f"no page for {c}" for c in CODES if c not in pages]
    found += [f"a page for {c}, which is no code" for c in pages if c not in CODES]
    found += [
        f"{c} is not in the index under its name"
        for c in CODES
        if f"]({c}.md) | {ISSUE_CODES[c].zh} | {ISSUE_CODES[c].en} | {SEVERITIES[ISSUE_CODES[c].severity]} |"
        not in index
    ]
    for code, text in pages.items():
        known = ISSUE_CODES.get(code)
        if known and not text.startswith(f"# {known.zh} / {known.en}\n"):
            found.append(f"{code} is called otherwise in issue_codes.toml")
        if known and not re.search(rf"^代码 code: `{code}` · .*\b{known.severity}\b", text, re.MULTILINE):
            found.append(f"{code} has another severity in issue_codes.toml")
        found += [f"{code} lacks {part}" for part in PARTS if part not in text]
        todo = text.partition(PARTS[-1])[2]
        if not re.search(r"^1\. .*[\u3400-\u9fff].* / .*[A-Za-z]", todo, re.MULTILINE):
            found.append(f"{code} does not say in both languages what to do")
    return found


def test_every_code_has_its_page_and_name(root: Path) -> None:
    assert gaps(root / "docs" / "issues") == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bad_type", None, "no page for bad_type"),
        ("bad_tipe", "# x", "a page for bad_tipe, which is no code"),
        ("index", "", "empty is not in the index under its name"),
        ("empty", "# 空 / Empty\n", "empty is called otherwise in issue_codes.toml"),
        ("empty", "# 空\n\n代码 code: `empty` · 提醒 warning\n", "empty has another severity in issue_codes.toml"),
        ("empty", "# x\n", "empty lacks ## 怎么改 / What to do"),
        ("empty", "# x\n", "empty does not say in both languages what to do"),
    ],
)
def test_a_gap_is_found(root: Path, tmp_path: Path, name: str, text: str | None, said: str) -> None:
    for page in (root / "docs" / "issues").glob("*.md"):
        (tmp_path / page.name).write_bytes(page.read_bytes())
    if text is None:
        (tmp_path / f"{name}.md").unlink()
    else:
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    assert said in gaps(tmp_path)
