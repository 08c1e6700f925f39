"""The unit of systemd: held against systemd's own judgement, without starting anything."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "mingzhang.service"
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on this machine")


def exposure(unit: Path) -> float:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)], capture_output=True, text=True, check=False
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])


@needs_systemd
def test_systemd_finds_little_that_the_service_may_do(tmp_path: Path) -> None:
    assert exposure(UNIT) <= 1.5
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(bare) > 8  # so the measure measures


@needs_systemd
def test_systemd_understands_every_line() -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, check=False)
    complaints = [
        line
        for line in done.stderr.splitlines()
        if "is not executable" not in line and UNIT.name in line  # the code is not at /opt here
    ]
    assert complaints == []


def test_memory_and_processor_have_limits_and_the_archive_is_out_of_sight() -> None:
    said = dict(line.split("=", 1) for line in UNIT.read_text(encoding="utf-8").splitlines() if re.match(r"\w+=", line))
    assert said["MemoryMax"] == "1500M" and said["CPUQuota"] and said["TasksMax"]
    for secret in ("archive", "work", "warehouse.duckdb", "feedback"):
        assert f"/srv/mingzhang/{secret}" in said["InaccessiblePaths"]
