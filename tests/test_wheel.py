"""The wheel has every file that the installed program reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from publish.site.questions import questions

FOLDERS = ("pipelines", "expectations", "publish", "dbt_project", "cities")
LEFT_BY_TOOLS = {"__pycache__", "target", "logs"}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel unpacked, as an installation has it."""
    at = tmp_path_factory.mktemp("wheel")
    for name in (*FOLDERS, "docs"):
        shutil.copytree(root / name, at / "source" / name, ignore=shutil.ignore_patterns(*LEFT_BY_TOOLS))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, at / "source" / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        at,
        at / "source",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = at.glob("*.whl")
    with zipfile.ZipFile(built) as z:
        z.extractall(at / "installed")
    return at / "installed"


@pytest.mark.slow
def test_every_file_of_the_packages_is_in_the_wheel(root: Path, wheel: Path) -> None:
    def files(at: Path) -> set[str]:
        every = (p.relative_to(at) for name in FOLDERS for p in (at / name).rglob("*") if p.is_file())
        return {p.as_posix() for p in every if not LEFT_BY_TOOLS & set(p.parts) and p.suffix not in (".mo", ".pyc")}

    assert files(root) - files(wheel) == set()
    assert len(files(wheel)) > 400


@pytest.mark.slow
def test_an_installed_site_has_its_questions(wheel: Path) -> None:
    run = "from publish.site.questions import FILE, questions; print(FILE, len(questions()))"
    done = subprocess.run(
        [sys.executable, "-c", run], cwd=wheel, env={"PYTHONPATH": str(wheel)}, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(wheel / "docs" / "questions.md"), str(len(questions()))], done.stderr
    assert len(questions()) >= 32
