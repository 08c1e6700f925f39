"""A real server over a real socket, for tests and measurements that want one."""

from __future__ import annotations

import itertools
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


def asked(sql: str) -> str:
    """Where a query is asked."""
    return "/mingzhang.json?_shape=array&sql=" + urllib.parse.quote(sql)


def _rows(n: int) -> str:
    return f"with recursive t(i) as (select 1 union all select i + 1 from t where i < {n}) "


# Queries that cost much and end by themselves within seconds and 100 MB: the guard has to stop, cut or refuse each sooner.
EXPENSIVE: dict[str, str] = {
    "long count": _rows(20_000_000) + "select count(*) from t",
    "answer of 6 MB": _rows(900) + "select i, printf('%.*c', 6500, 'x') as w from t",
    "cross join": _rows(4_000) + "select count(*) from t a, t b where a.i % 7 = b.i % 5",
    "sort by chance": _rows(400_000)
    + "select i, row_number() over (order by random()) from t order by random() limit 10",
    "long text made": _rows(600_000) + "select length(group_concat(i || 'xxxxxxxxxxxxxxxx')) from t",
    "wide rows": _rows(1_000) + "select " + ", ".join(f"i as c{n}" for n in range(60)) + " from t",
}
# What is refused before it runs.
FORBIDDEN: dict[str, str] = {
    "another database": "attach database 'other.db' as p",
    "a write": "delete from claims",
    "a pragma": "select file from pragma_database_list",
    "a function": "select sqlite_version()",
    "depth": "select " + "(" * 300 + "1" + ")" * 300,
    "two statements": "select 1; select 2",
}
# The doors by which a visitor's own words reach SQL.
DOORS = (
    "/mingzhang/claims.json?_where=" + urllib.parse.quote(f"({_rows(8_000_000)} select count(*) from t) > 0"),
    "/mingzhang/claims.json?_sort=" + "x" * 10_000,
    "/mingzhang/claims.json?_facet=name_zh",
    "/mingzhang/claims.csv?_stream=1&_size=max",
    "/mingzhang/claims.json?" + "&".join(["section=x"] * 300),
    "/mingzhang/claims.json?_through=1",
    "/mingzhang.json?sql=select+'" + "x" * 30_000 + "'",
    "/%6dingzhang.json?sql=select+1",
    "/_internal.json?sql=select+1",
    "/search?q=" + "+".join(["NEAR"] * 50),
)
LOAD = [*map(asked, [*EXPENSIVE.values(), *FORBIDDEN.values()]), *DOORS]


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


def keep_asking(base: str, over: threading.Event, who: int, codes: Counter[int]) -> None:
    """One client, at an address of its own where the site believes proxies: every expensive query, round and round, never
    twice the same, until it is over. It counts in `codes` what it was answered; 0 where the connection was closed."""
    for n, sql in enumerate(itertools.cycle(EXPENSIVE.values())):
        if over.is_set():
            break
        try:
            address = {"X-Forwarded-For": f"203.0.113.{who}"}
            codes[fetch(base + asked(f"{sql} -- {1_000_000 * who + n}"), address, limit=120)[0]] += 1
        except OSError:
            codes[0] += 1


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
