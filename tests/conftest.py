"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of domain facts and real spreadsheets beside the repository: MINGZHANG_SHARED, else ../shared.

    Most of its sources state no licence, so nothing of it is in the repository. Tests skip, saying so, where it is absent.
    """
    path = Path(os.environ.get("MINGZHANG_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"no shared folder at {path}: set MINGZHANG_SHARED to run the tests over real spreadsheets")
    return path
