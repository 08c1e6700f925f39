"""Runs the commands of a page as a reader types them.

A fence of `sh` is run; a fence of `text` behind it has lines that its output must hold, in order, with `…` for anything; a last line
`exit status N` is the status of its last command, 0 where there is none. A fence of `console` is not run (it installs, or needs another
machine).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

FENCE = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STATUS = re.compile(r"exit status (\d+)")
MARK = "=== end of step"


@dataclass(frozen=True)
class Step:
    """Commands, the lines that they must print, and the exit status of the last."""

    commands: str
    lines: tuple[str, ...] = ()
    status: int = 0


def steps(page: Path) -> list[Step]:
    found: list[Step] = []
    for kind, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append(Step(text))
        else:
            lines = text.splitlines()
            status = STATUS.fullmatch(lines[-1])
            found[-1] = Step(
                found[-1].commands, tuple(lines[:-1] if status else lines), int(status[1]) if status else 0
            )
    return found


def run(page: Path, folder: Path, **environment: str) -> None:
    """Runs a page's steps in `folder`, one shell for all, and compares. Raises AssertionError with the step that went otherwise."""
    port = str(free_port())
    wanted = steps(page)
    assert wanted, f"{page.name} has no step"
    script = ["trap 'kill $(jobs -p) 2>/dev/null' EXIT"]
    for step in wanted:
        script.append(step.commands.replace("8001", port) + f'echo "{MARK} $?"')
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )
    printed = re.split(rf"{MARK} (\d+)\n", done.stdout)
    for n, step in enumerate(wanted):
        said = printed[2 * n] if 2 * n < len(printed) else ""
        status = printed[2 * n + 1] if 2 * n + 1 < len(printed) else "none"
        where = f"{page.name}:\n{step.commands}--- printed\n{said}"
        assert status == str(step.status), f"exit status {status} and not {step.status}; {where}"
        pattern = ".*".join(re.escape(line).replace("…", ".*") for line in step.lines)
        pattern = re.sub(r"(?:\\ )+", r"\\s+", pattern)
        assert re.search(pattern, said, re.DOTALL), f"not printed: {step.lines}; {where}"
