"""Linear algebra runs on one thread unless whoever starts the command says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SAY = "import pipelines.cli, os, sys; print(os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("3", "3")])
def test_the_command_bounds_the_threads_of_linear_algebra(given: str | None, used: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    if given is not None:
        environment["OPENBLAS_NUM_THREADS"] = given
    said = subprocess.run([sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == used
    first = "import sys, pipelines; assert 'numpy' not in sys.modules"  # else it would be read too late
    subprocess.run([sys.executable, "-c", first], env=environment, check=True)
