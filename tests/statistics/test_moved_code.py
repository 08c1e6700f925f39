"""A home whose code was installed in another folder since, as an upgrade does, is built on as ever."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.statistics.run import PROJECT, StatisticsError, environment, run_dbt, start_whole, target

SEED = ["seed", "--select", "seed_factors"]

pytestmark = pytest.mark.slow


def test_what_dbt_parsed_from_a_folder_that_is_gone_is_parsed_anew(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    start_whole(home)
    env = environment(home, date(2025, 12, 31))
    elsewhere = tmp_path / "older" / "dbt_project"
    run_dbt(SEED, _copy(elsewhere), env)
    shutil.rmtree(elsewhere)
    run_dbt(SEED, PROJECT, env)
    parsed = target(home) / "partial_parse.msgpack"
    run_dbt(["parse"], PROJECT, env)
    assert parsed.is_file() and str(PROJECT).encode() in parsed.read_bytes()
    # What makes it necessary: dbt itself looks in the folder that it parsed.
    run_dbt(SEED, _copy(elsewhere), env)
    shutil.rmtree(elsewhere)
    (target(home) / "parsed_from").write_text(str(PROJECT), encoding="utf-8")
    with pytest.raises(StatisticsError, match="No files found"):
        run_dbt(SEED, PROJECT, env)


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs")))
