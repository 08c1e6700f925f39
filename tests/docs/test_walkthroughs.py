"""The tutorial and the how-tos, run as they are written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs import walkthrough

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("walkthroughs"), pytest.mark.timeout(1500)]
DOCS = ROOT / "docs"
HOW_TOS = sorted(p.name for p in (DOCS / "how-to").glob("*.md"))
CODE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who followed the tutorial."""
    folder = tmp_path_factory.mktemp("tutorial")
    walkthrough.run(DOCS / "tutorial.md", folder)
    return folder


def test_the_tutorial_does_what_it_says(followed: Path) -> None:
    assert (followed / "home" / "current" / "mingzhang.db").is_file()


@pytest.mark.parametrize("name", HOW_TOS)
def test_a_how_to_does_what_it_says(name: str, followed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(followed, folder, symlinks=True)
    walkthrough.run(DOCS / "how-to" / name, folder, MINGZHANG_HOME=str(folder / "home"), MINGZHANG_AS_OF="2024-12-31")


@pytest.mark.parametrize("name", ["deploy.md", *(f"how-to/{n}" for n in HOW_TOS)])
def test_the_chinese_page_has_the_same_commands_and_sections(name: str) -> None:
    """So that running one runs both, and neither has a section more."""
    here, there = ((folder / name).read_text(encoding="utf-8") for folder in (DOCS, DOCS / "zh"))
    assert CODE.findall(here) == CODE.findall(there)
    assert len(re.findall(r"^## ", here, re.MULTILINE)) == len(re.findall(r"^## ", there, re.MULTILINE))


def test_what_is_not_printed_or_ends_otherwise_is_found(tmp_path: Path) -> None:
    for text, wrong in (
        ("```sh\necho one\n```\n```text\ntwo\n```\n", "not printed"),
        ("```sh\nfalse\n```\n", "exit status 1 and not 0"),
        ("```sh\ntrue\n```\n```text\nexit status 3\n```\n", "exit status 0 and not 3"),
        ("nothing", "has no step"),
    ):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError, match=wrong):
            walkthrough.run(page, tmp_path)
