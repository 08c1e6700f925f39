"""Which code makes releases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipelines.core.version import ROOT, counts

# Everything that runs between the inbox and the release, the reading processes and dbt's own side among it.
LOADS = """
import importlib, json, sys
for name in ("pipelines.run", "pipelines.assets", "pipelines.definitions", "pipelines.intake.child", "publish.release.build"):
    importlib.import_module(name)
print(json.dumps([m.__file__ for m in sys.modules.values() if getattr(m, "__file__", None)]))
"""


def test_every_module_that_a_run_loads_counts_for_the_version() -> None:
    done = subprocess.run([sys.executable, "-c", LOADS], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [Path(f) for f in json.loads(done.stdout)]
    ours = [f for f in files if f.is_relative_to(ROOT) and ".venv" not in f.parts]
    assert len(ours) > 80
    assert [str(f) for f in ours if not counts(f)] == []


def test_what_shows_a_release_or_makes_up_its_data_does_not() -> None:
    for name in ("publish/site/static/site.css", "publish/site/app.py", "pipelines/sample/make.py", "docs/site.md"):
        assert not counts(ROOT / name), name
    for name in ("dbt_project/models/marts/claims.sql", "pipelines/intake/vocabulary/nothing.toml"):
        assert counts(ROOT / name), name
        assert (ROOT / name).is_file(), name
