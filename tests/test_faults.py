"""docs/faults.md names a test for each fault that was found, and the test is there."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

# What was found, by the names of the accounts: the readers' W and the engineer's D, the reader of the code's C, the public
# reports' R (those that are not about reading cells), and the thirteen forms' F.
FOUND = {
    *(f"W{n}" for n in range(1, 12)),
    *(f"D{n}" for n in range(1, 14)),
    "D5b",
    "D7b",
    *(f"C{n}" for n in range(1, 17)),  # C17 and C18 are comments and unused code
    *(f"R{n}" for n in (1, 2, 10, 11, 18, 20, 21, 22, 23, 26, 30)),
    *(f"A{n}" for n in range(1, 15)),  # programs that consume the files
    "F-C1",
    "F-C2",
    # Reading: the writers' V, the public reports about cells, the forms' S and T.
    *(f"V{n}" for n in range(1, 26)),
    *(f"R{n}" for n in (3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 19, 24, 25)),
    *(f"S{n}" for n in range(1, 9)),
    *(f"T{n}" for n in range(1, 9)),
}
ROW = re.compile(r"^\| (?P<id>[A-Z][\w-]*) \| (?P<fault>.+?) \| (?P<tests>.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)::(?P<name>test_\w+)`")


@pytest.fixture(scope="module")
def rows(root: Path) -> dict[str, str]:
    """The tests' cell by the fault's name."""
    found = ROW.findall((root / "docs" / "faults.md").read_text(encoding="utf-8"))
    assert len({i for i, _, _ in found}) == len(found), "a fault stands twice"
    return {i: tests for i, _, tests in found}


def test_every_fault_found_has_its_line(rows: dict[str, str]) -> None:
    assert set(rows) >= FOUND, f"no line for {sorted(FOUND - set(rows))}"


def test_every_test_named_is_there_and_asserts(rows: dict[str, str], root: Path) -> None:
    for fault, cell in rows.items():
        named = TEST.findall(cell)
        assert named and not TEST.sub("", cell).strip(" ,;"), (
            f"{fault}: name tests as `tests/x.py::test_y`, nothing else"
        )
        for path, name in named:
            assert name in _tests(root / path), f"{fault}: {path} has no {name}"


@lru_cache
def _tests(path: Path) -> set[str]:
    """The functions of a file of tests that check something: an assert, pytest.raises, or a helper that is called."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checks = (ast.Assert, ast.With, ast.Call)
    return {
        n.name
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and any(isinstance(c, checks) for c in ast.walk(n))
    }
