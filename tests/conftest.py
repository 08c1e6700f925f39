"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
# As the command does (pipelines/__init__.py), before a test imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A property test tries the same examples each time, so that a change is what breaks it; `make hunt` tries new ones. None is asked to
# be quick: on a busy machine any example may take long.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("hunt", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")

# Modules that build releases, run the whole command or start servers: minutes together, so `make test-quick` leaves them.
SLOW = {
    "test_cli.py",
    "disclosure/test_corrections.py",
    "disclosure/test_history.py",
    "disclosure/test_suppress.py",
    "disclosure/test_unions.py",
    "records/test_build.py",
    "records/test_serials.py",
    *(
        f"release/test_{name}.py"
        for name in ("attack", "build", "corrections", "differences", "gate", "hold", "later_runs", "store")
    ),
    *(f"sample/test_{name}.py" for name in ("make", "round_trip")),
    *(
        f"site/test_{name}.py"
        for name in (
            "api",
            "app",
            "asked",
            "charts",
            "door",
            "instance",
            "language",
            "newer",
            "pages",
            "pool",
            "structured",
            "under_load",
        )
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)


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


@dataclass(frozen=True)
class MadeUp:
    """A made-up city that went the whole way: its folder (inbox/, truth.json) and the home with its release."""

    folder: Path
    home: Path
    report: dict[str, Any]

    @property
    def release(self) -> Path:
        return (self.home / "current").resolve()


def mingzhang(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command as a person would, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | (env or {}),
        timeout=900,
    )


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> MadeUp:
    """A made-up city like that of `make demo`, run once for all tests, whichever process they run in."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    folder, home, report = base / "made-up", base / "made-up-home", base / "made-up-report.json"
    with FileLock(base / "made-up.lock"):
        if not report.exists():
            made = mingzhang("sample", "--out", folder, "--orgs", "40")
            assert made.returncode == 0, made.stderr
            ran = mingzhang("run", "--home", home, "--inbox", folder / "inbox", "--as-of", "2025-12-31", "--json")
            assert ran.returncode == 0, ran.stderr
            report.write_text(ran.stdout, encoding="utf-8")
    return MadeUp(folder, home, json.loads(report.read_text(encoding="utf-8")))
