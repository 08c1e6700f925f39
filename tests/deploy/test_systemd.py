"""The unit of systemd: held against systemd's own judgement, without starting anything."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "mingzhang.service"
PIPELINE = [
    UNIT.with_name(f"mingzhang-{n}")
    for n in ("run.service", "run.timer", "daemon.service", "dagster.service", "worker.service")
]
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
@pytest.mark.parametrize("unit", [UNIT, *PIPELINE], ids=lambda p: p.name)
def test_systemd_understands_every_line(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [
        line
        for line in done.stderr.splitlines()
        if "is not executable" not in line and unit.name in line  # the code is not at /opt here
    ]
    assert complaints == []


@needs_systemd
@pytest.mark.parametrize("unit", [p for p in PIPELINE if p.suffix == ".service"], ids=lambda p: p.name)
def test_the_pipeline_may_do_less_than_a_service_without_limits(unit: Path) -> None:
    assert exposure(unit) <= 4.5


@pytest.mark.parametrize("unit", [p for p in PIPELINE if p.suffix == ".service"], ids=lambda p: p.name)
def test_the_pipeline_s_commands_are_those_of_the_environment(unit: Path, tmp_path: Path) -> None:
    """Each unit's command starts, knows its options, and gets no secret in its unit."""
    text = unit.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    program, *options = shlex.split(command)
    mine = Path(sys.executable).with_name(Path(program).name)
    words = [o for o in options if not o.startswith("-")][:1] if mine.name != "dagster-webserver" else []
    shown = subprocess.run(
        [mine, *words, "--help"], capture_output=True, text=True, check=True, timeout=120, env={"COLUMNS": "200"}
    ).stdout
    assert all(o in shown for o in options if o.startswith("-"))
    assert all((ROOT / o.removeprefix("/opt/mingzhang/")).exists() for o in options if o.startswith("/opt"))
    assert "EnvironmentFile=/etc/mingzhang/pipeline.env" in text and not re.search("(?i)password=|secret=|token=", text)


@needs_systemd
def test_the_night_of_the_timer_is_the_city_s() -> None:
    (when,) = re.findall(r"^OnCalendar=(.+)$", PIPELINE[1].read_text(encoding="utf-8"), re.MULTILINE)
    said = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=True).stdout
    assert "18:00:00 UTC" in said or "02:00:00 CST" in said


def test_memory_and_processor_have_limits_and_the_archive_is_out_of_sight() -> None:
    said = dict(line.split("=", 1) for line in UNIT.read_text(encoding="utf-8").splitlines() if re.match(r"\w+=", line))
    assert said["MemoryMax"] == "1500M" and said["CPUQuota"] and said["TasksMax"]
    for secret in ("archive", "work", "warehouse.duckdb", "feedback"):
        assert f"/srv/mingzhang/{secret}" in said["InaccessiblePaths"]
