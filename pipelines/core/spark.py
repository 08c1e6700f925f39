"""Spark as the engine of a run: which engines there are, and whether this machine has what Spark needs.

Belongs here: that question, which a run asks before any work, so that nothing of Spark is imported. Not here: what runs on it
(pipelines/statistics/spark.py).
"""

from __future__ import annotations

import os
import shutil

DUCKDB, SPARK = "duckdb", "spark"
LOCAL = "local[*]"  # the master of a Spark of its own, in one process, with a thread for each processor


class SparkMissing(RuntimeError):
    """Spark was asked for and cannot be started here. The message says what to install."""

    exit_status = 2


def require_spark() -> None:
    """Raises SparkMissing where Java, pyspark or dbt's adapter for Spark is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # every command reads the settings, few ask this

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SparkMissing(
            "Spark needs Java 17 or newer, and there is none; on Debian type: apt-get install default-jre-headless"
        )
    for name in ("pyspark", "dbt-spark"):
        try:
            version(name)
        except PackageNotFoundError:
            raise SparkMissing(
                f"The engine spark needs the extra 'spark' ({name} is missing); type: make spark"
            ) from None
