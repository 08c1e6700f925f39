"""Attacks on a real server over a real socket: every answer in time and in bounds, pages beside them quick, workers back.

The list is in hostile.json; that of shared/checks is fired too where it is present.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from publish.site.serve import CannotServe, serve
from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = pytest.mark.xdist_group("hostile")  # so that one server is enough
QUERIES = json.loads((HERE / "hostile.json").read_text(encoding="utf-8"))
SERVE = "import sys; from pathlib import Path; from publish.site.serve import serve; serve(Path(sys.argv[1]), port=int(sys.argv[2]))"


def start(home: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home), str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def fetch(port: int, path: str, limit: float = 20) -> tuple[int, float, bytes]:
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=limit) as r:
            return r.status, time.monotonic() - begun, r.read()
    except urllib.error.HTTPError as e:
        return e.code, time.monotonic() - begun, e.read()


def wait_up(port: int, process: subprocess.Popen[str]) -> None:
    for _ in range(300):
        try:
            if fetch(port, "/healthz")[0] == 200:
                return
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.2)
    raise AssertionError("the server did not come up in a minute")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[int, int]]:
    """A server on a free port: the port and the process's id."""
    port = free_port()
    process = start(home, port)
    try:
        wait_up(port, process)
        for _ in range(12):
            fetch(port, "/mingzhang.json?sql=select+1")
        yield port, process.pid
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert len(children) >= 2
    assert psutil.wait_procs(children, timeout=60)[1] == []  # nothing is left running


def path_of(query: dict[str, str]) -> str:
    long = query.get("path", "").replace("LONG", "x" * 60_000)
    return long or "/mingzhang.json?_shape=array&sql=" + urllib.parse.quote(query["sql"])


def memory(pid: int) -> float:
    """Of the server and all below it, in MB."""
    total = 0
    for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += p.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


@pytest.mark.parametrize("query", QUERIES, ids=[q["name"] for q in QUERIES])
def test_an_attack_is_answered_in_time_and_in_bounds(
    server: tuple[int, int], home: Path, query: dict[str, str]
) -> None:
    code, seconds, body = fetch(server[0], path_of(query))
    assert code < 500
    assert seconds < 2
    assert len(body) < 5_000_000
    told = re.sub(
        rb'<script type="application/ld\+json">[^<]*</script>', b"", body
    )  # names the public file to download
    assert str(home).encode() not in body and b"mingzhang.db" not in told


def test_pages_do_not_wait_for_eight_attackers(server: tuple[int, int]) -> None:
    port, pid = server
    begun = memory(pid)
    peak = [begun]
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            peak[0] = max(peak[0], memory(pid))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    pages = (
        "/",
        "/claims",
        "/indicators/energy_tce",
        "/mingzhang/claims",
        "/mingzhang/claims.json?_shape=array&_size=max",
    )
    with ThreadPoolExecutor(8) as pool:
        attacks = [pool.submit(fetch, port, path_of(q)) for q in QUERIES * 2]
        worst = 0.0
        for n in range(40):
            code, seconds, _ = fetch(
                port, pages[n % len(pages)] + ("&" if "?" in pages[n % len(pages)] else "?") + f"_nocount={n}"
            )
            assert code == 200
            worst = max(worst, seconds)
            time.sleep(0.05)
        codes = {job.result()[0] for job in attacks}
    over.set()
    watcher.join()
    assert worst < 1
    assert peak[0] - begun < 300
    assert codes <= {200, 400, 403, 404, 414, 503}
    for _ in range(40):  # and public SQL is back by itself
        if fetch(port, "/mingzhang.json?_shape=array&sql=select+42+as+x")[2] == b'[{"x": 42}]':
            break
        time.sleep(0.1)
    else:
        raise AssertionError("public SQL did not come back")


@pytest.mark.realdata
def test_the_shared_list_of_attacks_holds(server: tuple[int, int], shared: Path) -> None:
    script = shared / "checks" / "hostile_sql.py"
    if not script.is_file():
        pytest.skip(f"no {script}")
    done = subprocess.run(
        [sys.executable, str(script), f"http://127.0.0.1:{server[0]}", "mingzhang", str(server[1])],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout


def test_no_release_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"^There is no release in .* yet; run `mingzhang run [^\n]*$"):
        serve(tmp_path)


def test_a_taken_port_is_one_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotServe, match=r"^Port \d+ is taken by another program; [^\n]*$"):
            serve(home, port=taken.getsockname()[1])
