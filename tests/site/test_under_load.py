"""Expensive work on a real server over a real socket: every answer in time and in bounds, pages beside it quick, workers back.

The queries end by themselves within seconds (serving.py); the guard stops them sooner. Those of shared/checks are sent too
where it is present.
"""

from __future__ import annotations

import itertools
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from publish.site.serve import CannotServe, serve
from tests.site.serving import EXPENSIVE, FORBIDDEN, FREE, LOAD, PROXIED, asked, fetch, keep_asking, memory, serving

pytestmark = pytest.mark.xdist_group("under_load")  # so that one server is enough


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[str, int]]:
    """A server: its address and the process's id."""
    with serving(home, FREE | PROXIED) as (base, pid):
        for _ in range(12):
            fetch(f"{base}/mingzhang.json?sql=select+1")
        yield base, pid
        children = psutil.Process(pid).children(recursive=True)
    assert len(children) >= 2
    assert psutil.wait_procs(children, timeout=60)[1] == []  # nothing is left running


@pytest.mark.parametrize("path", LOAD, ids=range(len(LOAD)))
def test_expensive_work_is_answered_in_bounds(server: tuple[str, int], home: Path, path: str) -> None:
    code, _, body, _ = fetch(server[0] + path)  # within the time that `fetch` waits
    assert code < 500 or (code == 503 and b"busy" in body)
    assert len(body) < 5_000_000
    told = re.sub(
        rb'<script type="application/ld\+json">[^<]*</script>', b"", body
    )  # names the public file to download
    assert str(home).encode() not in body and b"mingzhang.db" not in told


@pytest.mark.parametrize("name", EXPENSIVE)
def test_an_expensive_query_is_stopped_or_cut(server: tuple[str, int], name: str) -> None:
    for _ in range(20):
        code, _, body, _ = fetch(server[0] + asked(EXPENSIVE[name]))
        if code != 503:
            break
    said = json.loads(body)
    if name == "long count":
        assert (code, said["code"]) == (400, "too_slow")
    assert code == 400 and said["error_zh"] if isinstance(said, dict) else len(said) <= 1_000 and len(body) < 2_000_000


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_is_refused_with_a_sentence(server: tuple[str, int], name: str) -> None:
    code, _, body, _ = fetch(server[0] + asked(FORBIDDEN[name]))
    assert code == 400 and json.loads(body)["error_zh"]


def asked_beside(addresses: list[str], enough: Callable[[], bool]) -> list[float]:
    """The seconds in which pages came from each of several servers that are asked in turn, with whatever else the machine
    does, until it is enough; no page twice."""
    pages = (
        "/?",
        "/claims?",
        "/indicators/energy_tce?",
        "/mingzhang/claims?",
        "/mingzhang/claims.json?_shape=array&_size=max&",
    )
    took = [0.0] * len(addresses)
    for n in itertools.count():
        if n >= 40 and enough():
            break
        for at, base in enumerate(addresses):
            code, _, _, seconds = fetch(f"{base}{pages[n % len(pages)]}_nocount={n}", limit=120)
            assert code == 200
            took[at] += seconds
    return took


def test_pages_do_not_wait_for_eight_expensive_clients(server: tuple[str, int], home: Path) -> None:
    """A second server with nothing else to do says how fast this machine is meanwhile: on one that shares its threads with
    the eight, as Datasette comes, a page takes hundreds of times as long."""
    base, pid = server
    begun = memory(pid)
    peak = [begun]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with serving(home, FREE) as (quiet, _), ThreadPoolExecutor(8) as pool:
        codes = [Counter[int]() for _ in range(8)]
        clients = [pool.submit(keep_asking, base, over, who, codes[who]) for who in range(8)]
        try:  # each of the eight is answered twice at least while pages are asked for
            loaded, alone = asked_beside([base, quiet], lambda: all(c.total() >= 2 for c in codes))
        finally:
            over.set()
        for job in clients:
            job.result()
    watcher.join()
    assert loaded < 10 * alone
    assert peak[0] - begun < 300
    assert set().union(*codes) <= {0, 200, 400, 403, 404, 414, 503}
    for _ in range(100):  # and public SQL is back by itself
        if fetch(f"{base}/mingzhang.json?_shape=array&sql=select+42+as+x")[2] == b'[{"x": 42}]':
            break
        time.sleep(0.1)
    else:
        raise AssertionError("public SQL did not come back")


@pytest.mark.realdata
def test_the_shared_list_of_expensive_queries_holds(server: tuple[str, int], shared: Path) -> None:
    script = shared / "checks" / "guard_sql.py"
    if not script.is_file():
        pytest.skip(f"no {script}")
    done = subprocess.run(
        [sys.executable, str(script), server[0], "mingzhang", str(server[1])],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and "holds" in done.stdout, done.stdout


def test_no_release_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"^There is no release in .* yet; run `mingzhang run [^\n]*$"):
        serve(tmp_path)


def test_a_taken_port_is_one_sentence(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotServe, match=r"^Port \d+ is taken by another program; [^\n]*$"):
            serve(home, port=taken.getsockname()[1])
