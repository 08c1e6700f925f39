"""A release of a made-up city and its site, given to programs that are not ours."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MadeUp
from tests.consumers import page
from tests.consumers.tools import TOOLS, Tool
from tests.site.serving import serving


@dataclass(frozen=True)
class Site:
    """The site's address without a slash at the end, and the release it serves."""

    base: str
    release: Path

    @property
    def permanent(self) -> str:
        return f"{self.base}/r/{self.release.name}"


@dataclass(frozen=True)
class Taken:
    """A program that is installed, and the account of what it was given."""

    tool: Tool
    version: str
    folder: Path

    def run(self, script: str, *arguments: str | Path, **how: Any) -> Any:
        return self.tool.run(script, *arguments, cwd=self.folder, **how)

    def took(self, given: str, result: str) -> None:
        """Writes the row of docs/consumers.md that this test proves."""
        page.note(self.tool, self.version, given, result)


@pytest.fixture(scope="session")
def release(made_up: MadeUp) -> Path:
    return made_up.release


@pytest.fixture(scope="session")
def rows(release: Path) -> dict[str, int]:
    """How many rows each table of the release has."""
    found: dict[str, int] = json.loads((release / "release.json").read_text(encoding="utf-8"))["rows"]
    return found | {"releases": 1}


@pytest.fixture(scope="session")
def site(made_up: MadeUp) -> Iterator[Site]:
    with serving(made_up.home) as (base, _):
        yield Site(base, made_up.release)


@pytest.fixture
def taken(request: pytest.FixtureRequest, tmp_path: Path) -> Taken:
    """The program that the mark `takes` names. Skips where it is not installed."""
    mark = request.node.get_closest_marker("takes")
    tool = TOOLS[mark.args[0]]
    version = tool.version()
    if version is None:
        pytest.skip(f"{tool.name} is not installed: `make consumers` installs it, or says why not")
    found = re.search(r"\d+(\.\d+)+", version)
    return Taken(tool, found[0] if found else version, tmp_path)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("MINGZHANG_CONSUMERS") == "write" and not hasattr(session.config, "workerinput"):
        page.write()
