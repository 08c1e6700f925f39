"""The order of the stages holds, for every module there is, and a new import that goes up is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOTS = ("pipelines", "expectations", "publish")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    for name in ROOTS:
        shutil.copytree(root / name, tmp_path / name, ignore=lambda d, names: [n for n in names if _is_other(d, n)])
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def _is_other(folder: str, name: str) -> bool:
    return Path(folder, name).is_file() and not name.endswith(".py")


def test_every_module_has_a_layer(root: Path) -> None:
    contract = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = {name for layer in contract["layers"] for name in re.split(r"[\s|:]+", layer)}
    there = {"expectations"}
    for name in ("pipelines", "publish"):
        for path in (root / name).iterdir():
            if path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py"))):
                there.add(f"{name}.{path.stem}")
    assert layers == there - {"pipelines.__init__", "publish.__init__"}


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("pipelines/core/text.py", "import expectations.contract"),
        ("pipelines/sources/ledger.py", "from pipelines.records import tables"),
        ("pipelines/records/build.py", "def late():\n    import publish.release.store"),
        ("publish/release/write.py", "from publish.site import words"),
        ("publish/site/serve.py", "import pipelines.definitions"),
    ],
)
def test_an_import_that_goes_up_is_refused(copy: Path, module: str, line: str) -> None:
    with (copy / module).open("a") as f:
        f.write(f"\n\n{line}\n")
    found = lint(copy)
    assert found.returncode == 1, found.stdout + found.stderr
    assert module.removesuffix(".py").replace("/", ".") in found.stdout


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("pipelines.cli", "yaml pydantic_settings numpy pandas pyarrow duckdb dagster dbt great_expectations datasette scipy"),
        ("pipelines.graph", "numpy pandas pyarrow duckdb dbt.version great_expectations datasette scipy"),
    ],
)  # fmt: skip
def test_what_is_loaded_before_anything_is_asked(module: str, heavy: str) -> None:
    """`mingzhang --help`, and each process in which Dagster loads the definitions, wait for no library that they do not use."""
    asked = f"import sys, {module}; print(*(set('{heavy}'.split()) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == []
