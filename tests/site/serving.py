"""A real server over a real socket, for tests and measurements that want one."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import sys; from pathlib import Path; from publish.site.serve import serve; serve(Path(sys.argv[1]), port=int(sys.argv[2]))"
STOCK = "from datasette.cli import cli; cli()"
FREE = {"MINGZHANG_SITE_REQUESTS_EACH_SECOND": "0", "MINGZHANG_SITE_SQL_SECONDS_EACH_SECOND": "0"}
PROXIED = {"MINGZHANG_SITE_TRUSTED_PROXIES": "127.0.0.1"}  # so that each reader and attacker can be somebody else
HOSTILE: list[dict[str, str]] = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))


def fetch(
    address: str, headers: Mapping[str, str] | None = None, limit: float = 20
) -> tuple[int, dict[str, str], bytes, float]:
    """Status, headers (lower case), body, seconds."""
    begun = time.monotonic()
    request = urllib.request.Request(address, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=limit) as r:
            body, status, got = r.read(), r.status, r.headers
    except urllib.error.HTTPError as e:
        body, status, got = e.read(), e.code, e.headers
    return status, {k.lower(): v for k, v in got.items()}, body, time.monotonic() - begun


def path_of(query: Mapping[str, str], n: int | None = None) -> str:
    """Where a query of the list is asked; with `n`, in words that nobody asked with before."""
    said = "" if n is None else f" -- {n}"
    long = query.get("path", "").replace("LONG", "x" * 60_000)
    return long or "/mingzhang.json?_shape=array&sql=" + urllib.parse.quote(query["sql"] + said)


def attack(base: str, over: threading.Event, who: int = 0) -> Counter[int]:
    """One attacker, at an address of his own where the site believes proxies: every query of the list, round and round,
    never twice the same, until it is over. What he was answered; 0 where the connection was closed."""
    codes: Counter[int] = Counter()
    for n, query in enumerate(itertools.cycle(HOSTILE)):
        if over.is_set():
            break
        try:
            address = {"X-Forwarded-For": f"203.0.113.{who}"}
            codes[fetch(base + path_of(query, 1_000_000 * who + n), address, limit=120)[0]] += 1
        except OSError:
            codes[0] += 1
    return codes


def memory(pid: int) -> float:
    """Of a process and all below it, in MB."""
    total = 0
    for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += p.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def wait_up(address: str, process: subprocess.Popen[str], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if fetch(address)[0] == 200:
                return
        except OSError:
            assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    raise AssertionError(f"{address} did not come up in {seconds:.0f} s")


@contextmanager
def serving(
    home: Path, env: Mapping[str, str] | None = None, python: str | Path = sys.executable
) -> Iterator[tuple[str, int]]:
    """`mingzhang serve` on a free port of this machine: its address without a slash at the end, and its process id."""
    port = free_port()
    process = subprocess.Popen(
        [str(python), "-c", SERVE, str(home), str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | dict(env or {}),
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_up(f"{base}/healthz", process)
        yield base, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors


@contextmanager
def stock(database: Path, python: str | Path = sys.executable) -> Iterator[tuple[str, int]]:
    """Datasette as it comes over a database: its address and its process id."""
    port = free_port()
    process = subprocess.Popen(
        [str(python), "-c", STOCK, "serve", "-i", str(database), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_up(f"{base}/-/versions.json", process)
        yield base, process.pid
    finally:
        process.terminate()
        process.communicate(timeout=60)
