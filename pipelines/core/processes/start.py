"""The command and the environment by which this project starts a process of itself.

Belongs here: finding the interpreter and the code again. Not here: the pipes, or what the process does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def command(module: str, *arguments: object) -> list[str]:
    """The command line that runs a module of the project."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process, with the project on the path of modules, and `extra`."""
    paths = (str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p)} | dict(extra or {})
