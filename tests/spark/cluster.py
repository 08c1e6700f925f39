"""A real standalone cluster of Spark on this machine: a master, and workers with one core each.

Belongs here: starting, killing and ending them. Not here: what runs on them.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from tests.ports import free_ports

HERE = "127.0.0.1"
SECONDS = 180  # to start on a machine that has much else to do


@dataclass
class Cluster:
    """`master` is its address, `log` what the master says, `workers` the processes."""

    master: str
    log: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def said(self, sentence: str) -> int:
        """How many lines of the master's log have it."""
        return sum(sentence in line for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines())

    def await_said(self, sentence: str, times: int = 1) -> None:
        end = time.monotonic() + SECONDS
        while self.said(sentence) < times:
            assert time.monotonic() < end, f"the master never said '{sentence}': {self.log.read_text()[-2000:]}"
            time.sleep(0.1)

    def lose(self, worker: int) -> None:
        """Kills a worker with the executors that it started, as when a machine is lost."""
        kill(self.workers[worker])


def environment() -> dict[str, str]:
    """Of every process of the cluster, and of the driver."""
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return os.environ | {"SPARK_HOME": str(Path(found.origin).parent), "SPARK_LOCAL_IP": HERE}


@contextmanager
def cluster(folder: Path, workers: int = 2, gigabytes: int = 1) -> Iterator[Cluster]:
    """A master and so many workers with so much memory each, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    made = Cluster(f"spark://{HERE}:{port}", folder / "master.log")
    ui = ["--webui-port", "0"]
    started = [_start("master.Master", ["--host", HERE, "--port", str(port), *ui], made.log)]
    try:
        made.await_said("I have been elected leader")
        for n in range(workers):
            options = [
                "--host",
                HERE,
                "-c",
                "1",
                "-m",
                f"{gigabytes}g",
                "-d",
                str(folder / f"worker{n}"),
                *ui,
                made.master,
            ]
            made.workers.append(_start("worker.Worker", options, folder / f"worker{n}.log"))
        made.await_said("Registering worker", workers)
        yield made
    finally:
        for process in [*made.workers, *started]:
            kill(process)


def _start(name: str, options: list[str], log: Path) -> subprocess.Popen[bytes]:
    env = environment()
    command = [str(Path(env["SPARK_HOME"]) / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *options]
    with log.open("wb") as f:
        return subprocess.Popen(command, env=env, stdout=f, stderr=subprocess.STDOUT)


def wait(process: subprocess.Popen[str], until: Callable[[], bool]) -> None:
    """Returns when something is so; fails where the process ends before."""
    while not until():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


def kill(process: subprocess.Popen[Any]) -> None:
    """Kills a process and all that it started."""
    if process.poll() is not None:
        return
    of_it = psutil.Process(process.pid).children(recursive=True)
    for p in [psutil.Process(process.pid), *of_it]:
        try:
            p.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
