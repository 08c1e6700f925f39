"""Spark is asked for before any work, and what is missing is said in one sentence."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.core.spark import SparkMissing, require_spark
from pipelines.run import refresh


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which no program is found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


def test_java_is_missing(nothing: Path) -> None:
    with pytest.raises(SparkMissing, match="type: apt-get install default-jre-headless"):
        require_spark()


def test_the_extra_is_missing(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "dbt-spark":
            raise importlib.metadata.PackageNotFoundError(name)
        return "4"

    monkeypatch.setenv("JAVA_HOME", str(nothing))
    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(SparkMissing, match="dbt-spark is missing.*make spark"):
        require_spark()


def test_a_run_ends_before_it_makes_a_home(nothing: Path) -> None:
    with pytest.raises(SparkMissing):
        refresh(Settings(home=nothing / "home", engine="spark"))
    assert not (nothing / "home").exists()
