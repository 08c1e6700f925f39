"""A real release, of the made-up city, for other people's tools to judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def release(made_up: Any) -> Path:
    return Path(made_up.release)


@pytest.fixture(scope="session")
def load(release: Path) -> Any:
    """load(name): a JSON file of the release."""

    def read(name: str) -> Any:
        return json.loads((release / name).read_text(encoding="utf-8"))

    return read
