"""How fast the site is, against stock Datasette on the same file in the same run, and how it bears attackers.

`python -m tests.bench.bench_site [--home HOME] [--seconds S] [--long]`: HOME holds a release (unless given, a small made-up
one is used, whose tables are small, so its figures flatter nobody). Ratios hold from machine to machine, seconds do not.
`--long` is what an afternoon is for: 64 readers for ten minutes with twenty changes of release and an attacker, and ten
minutes of schemathesis. Load goes to 127.0.0.1 only. Needs wrk from Debian for the requests each second.

Aims: an uncached page as fast as stock Datasette's JSON of the same rows; repeated requests 20 times stock; 5,000 a second
through nginx; 32 questions under 200 ms each while eight attackers fire; no failed request, flat memory.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import FREE, ROOT, fetch, free_port, serving
from tests.standards.fuzz import fuzz

HOSTILE = json.loads((ROOT / "tests" / "site" / "hostile.json").read_text(encoding="utf-8"))
QUESTIONS = ROOT / "docs" / "questions.md"
ROWS = "/mingzhang/claims.json?_shape=array"
PAGE = "/claims"
CLIENTS = 16


def wrk(address: str, seconds: int, clients: int = CLIENTS) -> float:
    """Requests each second; answers other than 200 end the measurement."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", address],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"{address} did not answer 200 to all:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


@contextmanager
def stock(database: Path) -> Iterator[str]:
    """Datasette as it comes, on the same file."""
    port = free_port()
    code = "from datasette.cli import cli; cli()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "-i", str(database), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if fetch(f"{base}/-/versions.json")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def nginx(base: str) -> Iterator[str]:
    """The shipped configuration in front of a server."""
    from tests.deploy.test_nginx import NGINX, configure

    assert NGINX is not None
    folder = Path(tempfile.mkdtemp(prefix="mingzhang-nginx-"))
    port = free_port()
    main = configure(folder, base, free_port(), port)
    process = subprocess.Popen([NGINX, "-c", str(main)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def one_by_one(base: str, path: str, seconds: float) -> float:
    """Milliseconds for an answer that must be made, the middle one: each address is asked for once."""
    times = []
    until = time.monotonic() + seconds
    for n in itertools.count():
        if time.monotonic() > until:
            break
        status, _, _, took = fetch(f"{base}{path}{'&' if '?' in path else '?'}_nocount={n}")
        assert status == 200
        times.append(took)
    return statistics.median(times) * 1000


def memory(pid: int) -> float:
    """Of a process and all below it, in MB."""
    total = 0
    for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += p.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def hostile(base: str, stop: threading.Event) -> None:
    """One attacker: every query of the list, round and round."""
    for q in itertools.cycle(HOSTILE):
        if stop.is_set():
            return
        path = q.get("path", "").replace("LONG", "x" * 60_000)
        try:
            fetch(base + (path or "/mingzhang.json?_shape=array&sql=" + urllib.parse.quote(q["sql"])))
        except OSError:
            continue


def questions() -> list[str]:
    """The queries of docs/questions.md; some plain ones where there are none yet, or for a release that lacks their tables."""
    text = QUESTIONS.read_text(encoding="utf-8") if QUESTIONS.is_file() else ""
    found = re.findall(r"```sql\n(.*?)```", text, re.S)
    plain = (
        "select indicator_id, year, sum(value) as v from indicator_values where year > {} group by 1, 2 order by 3 desc"
    )
    return [q.strip().rstrip(";") for q in found] or [plain.format(1990 + n) for n in range(32)]


def under_attack(base: str, pid: int, attackers: int = 8) -> None:
    begun, worst_page, peak, times, failed = memory(pid), 0.0, 0.0, [], []
    stop = threading.Event()
    with ThreadPoolExecutor(attackers) as pool:
        for _ in range(attackers):
            pool.submit(hostile, base, stop)
        time.sleep(1)
        try:
            for n, sql in enumerate(questions()):
                # a space more or less, so that none was asked before
                address = f"{base}/mingzhang.json?_shape=array&sql=" + urllib.parse.quote(sql + " " * (n + 1))
                status, _, body, took = fetch(address)
                times.append(took)
                if status != 200:
                    failed.append((n + 1, status, body[:120]))
                status, _, _, took = fetch(f"{base}{PAGE}?attack={n}")
                assert status == 200
                worst_page = max(worst_page, took)
                peak = max(peak, memory(pid))
        finally:
            stop.set()
    times.sort()
    late = sum(t > 0.2 for t in times)
    print(
        f"{len(times)} questions beside {attackers} attackers: middle {times[len(times) // 2] * 1000:.0f} ms, worst "
        f"{times[-1] * 1000:.0f} ms, {late} over 200 ms (aim: none); failed {failed or 'none'}\n"
        f"  worst page {worst_page * 1000:.0f} ms (aim: 1,000); memory {peak - begun:+.0f} MB (aim: +300)"
    )


def readers(home: Path, seconds: int, switches: int) -> None:
    """64 readers, an attacker, and changes of release among them."""
    with serving(home, FREE) as (base, pid):
        for path in (PAGE, ROWS, "/", "/api/v1/indicators"):
            fetch(base + path)
        begun, failed, answered = memory(pid), [0], [0]
        stop = threading.Event()
        paths = (
            "/",
            PAGE,
            ROWS,
            "/api/v1/indicators",
            "/mingzhang/indicators",
            "/mingzhang.json?_shape=array&sql=select+1",
        )

        def read(n: int) -> None:
            for k in itertools.count(n):
                if stop.is_set():
                    return
                try:
                    ok = fetch(base + paths[k % len(paths)])[0] == 200
                except OSError:
                    ok = False
                failed[0] += not ok
                answered[0] += 1
                time.sleep(0.05)

        def look() -> None:
            half = None
            for n in range(switches):
                time.sleep(seconds / (switches + 1))
                point_current(home, (SECOND, FIRST)[n % 2])
                half = memory(pid) if n == switches // 2 else half
                over.append(memory(pid))

        over: list[float] = []
        with ThreadPoolExecutor(66) as pool:
            for n in range(64):
                pool.submit(read, n)
            pool.submit(hostile, base, stop)
            try:
                look()
                time.sleep(seconds / (switches + 1))
            finally:
                stop.set()
        print(
            f"64 readers for {seconds} s, {switches} changes of release, an attacker: {answered[0]} answers, {failed[0]} failed "
            f"(aim: 0); memory {begun:.0f} MB, then {', '.join(f'{m:.0f}' for m in over[:: max(1, len(over) // 8)])}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    parser.add_argument("--long", action="store_true")
    asked = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed; type: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="mingzhang-bench-") as made:
        small = Path(made)
        for release in (FIRST, SECOND):
            build_release(small, release)
        point_current(small, FIRST)
        home = asked.home or small
        database = (home / "current").resolve() / "mingzhang.db"
        with stock(database) as other:
            theirs = wrk(other + ROWS, asked.seconds)
            theirs_ms = one_by_one(other, ROWS, asked.seconds)
        with serving(home, FREE | {"MINGZHANG_SITE_TRUSTED_PROXIES": "127.0.0.1"}) as (base, pid):
            ours_ms = one_by_one(base, ROWS, asked.seconds)
            page_ms = one_by_one(base, PAGE, asked.seconds)
            fetch(base + ROWS)
            ours = wrk(base + ROWS, asked.seconds)
            print(
                f"repeated {ROWS}: stock {theirs:.0f}/s, ours {ours:.0f}/s, {ours / theirs:.0f} times (aim: 20)\n"
                f"made anew, one at a time: stock's JSON {theirs_ms:.1f} ms, our JSON {ours_ms:.1f} ms, our page {page_ms:.1f} ms "
                f"({theirs_ms / page_ms:.2f} times stock's speed, aim: 1)"
            )
            if shutil.which("nginx", path="/usr/sbin:/usr/bin"):
                with nginx(base) as front:
                    print(
                        f"through nginx with its cache and TLS: {wrk(front + ROWS, asked.seconds, 64):.0f}/s (aim: 5,000)"
                    )
            under_attack(base, pid)
        readers(small, 600 if asked.long else 4 * asked.seconds, 20 if asked.long else 3)
        if asked.long:
            with serving(small, FREE) as (base, _):
                done = fuzz(base, 600, small)
            print("schemathesis, ten minutes:", "nothing found" if done.returncode == 0 else done.stdout[-3000:])


if __name__ == "__main__":
    main()
