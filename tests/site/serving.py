"""A real server over a real socket, for tests and measurements that want one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import sys; from pathlib import Path; from publish.site.serve import serve; serve(Path(sys.argv[1]), port=int(sys.argv[2]))"
FREE = {"MINGZHANG_SITE_REQUESTS_EACH_SECOND": "0", "MINGZHANG_SITE_SQL_SECONDS_EACH_SECOND": "0"}


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
def serving(home: Path, env: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """`mingzhang serve` on a free port of this machine: its address without a slash at the end, and its process id."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home), str(port)],
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
