"""Which code makes what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.core import fingerprint
from pipelines.core.fingerprint import ROOT, STAGES, code_of, code_version, files_of

# What each stage's asset imports when it works (pipelines/assets).
WORK = {
    "city": ["pipelines.statistics.city"],
    "received": ["pipelines.sources.receive"],
    "readings": ["pipelines.sources.read_new", "pipelines.intake.child"],
    "records": ["pipelines.records.build", "pipelines.sources.read_new", "pipelines.sources.decisions"],
    "feedback": ["pipelines.feedback.sending", "pipelines.feedback.drift", "pipelines.feedback.tasks"],
    "statistics": [
        "pipelines.statistics.run",
        "pipelines.statistics.city",
        "pipelines.statistics.opened",
        "pipelines.records.load",
    ],
    "release": ["publish.release.build", "pipelines.statistics.city"],
}
LOADS = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps([m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)]))
"""


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_a_stage_loads_is_in_its_fingerprint(stage: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADS, *WORK[stage]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [Path(f) for f in json.loads(done.stdout)]
    empty = {ROOT / "pipelines/__init__.py", ROOT / "publish/__init__.py"}
    ours = {f for f in files if f.is_relative_to(ROOT) and ".venv" not in f.parts} - empty
    assert len(ours) > 5
    assert sorted(ours - set(files_of(*STAGES[stage]))) == []


def test_the_fingerprint_changes_with_its_own_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/one.py", "b/two.sql", "b/target/made.sql", "b/read.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    before = {p: code_of.__wrapped__(p) for p in ("a", "b", "b/two.sql")}
    for name, changed in (("b/target/made.sql", set()), ("b/read.md", set()), ("b/two.sql", {"b", "b/two.sql"})):
        (tmp_path / name).write_text("2")
        now = {p: code_of.__wrapped__(p) for p in before}
        assert {p for p in before if now[p] != before[p]} == changed
    with pytest.raises(FileNotFoundError, match="c/three"):
        code_of.__wrapped__("c/three")


def test_what_shows_a_release_or_makes_up_its_data_makes_no_stage_stale() -> None:
    every = {p.relative_to(ROOT).as_posix() for parts in STAGES.values() for p in files_of(*parts)}
    beside = ("publish/site", "pipelines/sample", "pipelines/assets", "pipelines/cli.py", "pipelines/run.py")
    assert [name for name in every if name.startswith(beside)] == []
    assert {"dbt_project/models/marts/claims.sql", "pipelines/intake/vocabulary/nothing.toml"} <= every


def test_the_version_of_a_release_is_that_of_the_package_and_of_every_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version()
    monkeypatch.setitem(STAGES, "release", (*STAGES["release"], "cities"))
    after = code_version()
    assert before != after and before.split("+")[0] == after.split("+")[0]
