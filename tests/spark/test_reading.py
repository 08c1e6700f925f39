"""Two workers read what one process reads, whether or not one of them is lost meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.core.home import Home
from pipelines.intake import cache
from pipelines.intake.pool import FileJob, read_many
from tests.bench.workbooks import make
from tests.conftest import ROOT
from tests.spark.cluster import Cluster, cluster, environment, kill, wait

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]
WORKBOOKS = 9000
BATCHES = 3  # that are read when a worker is lost


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[FileJob]:
    """Small workbooks, and among them two files that are none."""
    folder = tmp_path_factory.mktemp("workbooks")
    paths = make(folder, WORKBOOKS)
    for n, content in enumerate((b"PK\x03\x04 and no more", b"")):
        paths.insert(n * 100, folder / f"broken{n}.xlsx")
        paths[n * 100].write_bytes(content)
    return [FileJob(f"{n:064x}", path, path.name) for n, path in enumerate(paths)]


@pytest.fixture(scope="module")
def alone(jobs: list[FileJob], contracts: Contracts, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home for which one process read the workbooks."""
    home = Home(tmp_path_factory.mktemp("alone") / "home").create()
    cache.append(home, contracts, read_many(jobs, contracts, processes=1))
    return home


def _read(home: Home, jobs: list[FileJob], workers: Cluster, lost: bool) -> None:
    """Reads on the cluster, from a driver of its own; loses a worker in the middle where asked to."""
    command = [sys.executable, "-m", "tests.spark.read", str(home.root), workers.master]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment()) as run:
        try:
            assert run.stdin
            run.stdin.write("".join(f"{j.file_id}\t{j.path}\n" for j in jobs))
            run.stdin.close()
            run.stdin = None
            if lost:
                wait(run, lambda: len(list(home.readings.glob("*.files.parquet"))) >= BATCHES)
                workers.lose(0)
            _, said = run.communicate()
        finally:
            kill(run)
    assert run.returncode == 0, said[-3000:]


def _frames(home: Home, contracts: Contracts, jobs: list[FileJob]) -> dict[str, pd.DataFrame]:
    found = cache.load(home, contracts, [j.file_id for j in jobs])
    frames = {name: getattr(found, name) for name in ("files", "sheets", "columns", "issues")}
    return frames | {f"rows of {d}": found.rows[d] for d in contracts}


@pytest.mark.parametrize("lost", [False, True])
def test_two_workers_read_what_one_process_reads(
    jobs: list[FileJob], alone: Home, contracts: Contracts, tmp_path: Path, lost: bool
) -> None:
    home = Home(tmp_path / "shared").create()
    with cluster(tmp_path / "cluster") as workers:
        _read(home, jobs, workers, lost)
        assert workers.said("Launching executor") >= 2
        assert bool(workers.said("Removing worker")) is lost
    expected, found = (_frames(h, contracts, jobs) for h in (alone, home))
    assert len(expected["rows of energy_use"]) > 11 * WORKBOOKS
    assert sorted(expected["files"].query("status == 'rejected'")["name"]) == ["broken0.xlsx", "broken1.xlsx"]
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame, obj=name)
    assert not list(home.readings.glob(f"{cache.BESIDE}*"))
