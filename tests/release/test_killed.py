"""A build that is killed before any one of the steps by which it publishes: the next build ends as if nothing had been."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publish.release.store import BUILDING

pytestmark = pytest.mark.slow

# What is worked out for secrecy (work/disclosure/solved) is a cache: whatever is there is right.
WHERE = (
    "/home/releases",
    "/home/current",
    "/home/.current",
    "/home/held",
    "/home/work/measures",
    "/home/work/held",
    "/work/disclosure/0",
    "/disclosure/.",
    "/disclosure/p",
)
STEPS = ("rename", "replace", "unlink", "remove", "symlink", "link", "mkdir", "rmdir")


class Killed(BaseException):
    """In place of SIGKILL: nothing catches it, and after it no step is done."""


def kill_before(patch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Has the process killed before the step `number`; gives the list that the steps are written to as they are done."""
    done: list[str] = []

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*a: Any, **k: Any) -> Any:
            if len(done) > number:
                raise Killed
            if any(part in str(p) for p in a for part in WHERE) and (name == "rename" or BUILDING not in str(a[0])):
                done.append(f"{name} {a}")
                if len(done) > number:
                    raise Killed
            return real(*a, **k)

        return step

    for name in STEPS:
        patch.setattr(os, name, guarded(name, getattr(os, name)))
    return done


def state(home: Path) -> dict[str, str]:
    """The digest of each file of the releases and of what the home remembers of them, and where `current` points."""
    out = {}
    for top in ("releases", "held", "work/measures", "work/disclosure", "work/held"):
        for path in sorted((home / top).rglob("*")):
            if path.is_file() and BUILDING not in str(path) and "solved" not in path.parts:
                out[str(path.relative_to(home))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return out | {"current": str((home / "current").readlink())}


def funds(con: Any) -> None:
    con.execute("update marts.indicator_values set value = value + 1 where indicator_id = 'funds'")


@pytest.mark.parametrize("again", [False, True], ids=["first", "second"])
def test_the_next_build_ends_as_if_nothing_had_been(
    made: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    change = {"spoil": funds} if again else {}
    if again:
        made()
        shutil.copytree(tmp_path / "home", tmp_path / "before", symlinks=True)
    made(**change)
    ends = state(tmp_path / "home")
    for number in itertools.count():
        shutil.rmtree(tmp_path / "home")
        if again:
            shutil.copytree(tmp_path / "before", tmp_path / "home", symlinks=True)
        with monkeypatch.context() as patch:
            done = kill_before(patch, number)
            with contextlib.suppress(Killed):
                made(**change)
        if len(done) <= number:
            break
        made(**change)
        assert state(tmp_path / "home") == ends, f"killed before {done[-1]}"
    assert number > 5
