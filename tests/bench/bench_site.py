"""How fast the site is, against stock Datasette on the same file in the same run, and how it bears attackers.

`python -m tests.bench.bench_site [--home HOME] [--seconds S] [--quick]`: HOME holds a release (unless given, a small made-up
one is used, whose tables are small, so its figures flatter nobody). Ratios hold from machine to machine, seconds do not.
It takes half an hour: 64 readers for ten minutes with twenty changes of release and an attacker, and ten minutes of
schemathesis; `--quick` takes a minute of each. Load goes to 127.0.0.1 only. Needs wrk from Debian for the requests each second.

Aims: an uncached page as fast as stock Datasette's JSON of the same rows; repeated requests 20 times stock; 5,000 a second
through nginx; 32 questions under 200 ms each while eight attackers fire; no failed request, flat memory.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.figures import Measured, table
from tests.ports import free_port
from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import FREE, PROXIED, ROOT, fetch, keep_asking, memory, serving, stock
from tests.standards.fuzz import fuzz

QUESTIONS = ROOT / "docs" / "questions.md"
ROWS = "/mingzhang/claims.json?_shape=array"
PAGE = "/indicators/energy_tce"  # a page of sums that are ready, and the rows it shows
ROWS_OF_PAGE = "/mingzhang/indicator_values.json?_shape=array&_size=max&indicator_id=energy_tce"
CLIENTS = 16


def wrk(address: str, seconds: int, pids: list[int], clients: int = CLIENTS) -> tuple[float, float]:
    """Requests each second, and for each second of processor that the servers took: the second is what a machine that does
    nothing else would come to on one core. Answers other than 200 end the measurement."""
    begun = sum(map(processor, pids))
    done = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", address],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    took = sum(map(processor, pids)) - begun
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"{address} did not answer 200 to all:\n{done.stdout}")
    rate, requests = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout), re.search(r"(\d+) requests in", done.stdout)
    assert rate and requests, done.stdout
    return float(rate[1]), int(requests[1]) / took


@contextmanager
def nginx(base: str) -> Iterator[tuple[str, int]]:
    """The shipped configuration in front of a server."""
    from tests.deploy.nginx import NGINX, configure

    assert NGINX is not None
    folder = Path(tempfile.mkdtemp(prefix="mingzhang-nginx-"))
    port = free_port()
    main = configure(folder, [base], free_port(), port)
    process = subprocess.Popen([NGINX, "-c", str(main)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield f"https://localhost:{port}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def one_by_one(base: str, pid: int, path: str, seconds: float) -> float:
    """Milliseconds of processor that an answer takes which must be made: each address is asked for once. Time on a clock
    would tell how busy this machine is with other things."""
    fetch(base + path)
    begun, until = processor(pid), time.monotonic() + seconds
    for n in itertools.count():
        if time.monotonic() > until:
            break
        assert fetch(f"{base}{path}{'&' if '?' in path else '?'}_nocount={n}")[0] == 200
    return (processor(pid) - begun) / n * 1000


def processor(pid: int) -> float:
    """Seconds that a process and those below it have computed, save the one that draws charts after a start."""
    total = 0.0
    for p in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            times = p.cpu_times()
            if "publish.site.charts" in p.cmdline():
                continue
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def questions() -> list[str]:
    """The queries of docs/questions.md; some plain ones where there are none yet, or for a release that lacks their tables."""
    text = QUESTIONS.read_text(encoding="utf-8") if QUESTIONS.is_file() else ""
    found = re.findall(r"```sql\n(.*?)```", text, re.S)
    plain = (
        "select indicator_id, year, sum(value) as v from indicator_values where year > {} group by 1, 2 order by 3 desc"
    )
    return [q.strip().rstrip(";") for q in found] or [plain.format(1990 + n) for n in range(32)]


def under_attack(base: str, pid: int, attackers: int = 8) -> list[Measured]:
    """Honest questions and pages beside attackers, each at an address of his own."""
    begun, worst_page, peak, times, failed = memory(pid), 0.0, 0.0, [], []
    stop = threading.Event()
    with ThreadPoolExecutor(attackers) as pool:
        for who in range(attackers):
            pool.submit(keep_asking, base, stop, who, Counter())
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
        f"{times[-1] * 1000:.0f} ms, {late} over 200 ms; failed {failed or 'none'}; load of the machine {load()}"
    )
    return [
        Measured(f"worst of {len(times)} questions beside 8 attackers", f"{times[-1] * 1000:.0f} ms", "200", not late),
        Measured("questions that failed", str(len(failed)), "0", not failed),
        Measured("worst page beside them", f"{worst_page * 1000:.0f} ms", "1000", worst_page < 1),
        Measured("memory beside them", f"{peak - begun:+.0f} MB", "+300", peak - begun < 300),
    ]


def load() -> str:
    """What else this machine does: the processes that want a core, and the cores."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def readers(home: Path, seconds: int, switches: int) -> list[Measured]:
    """64 readers, an attacker, and changes of release among them."""
    with serving(home, FREE | PROXIED) as (base, pid):
        for path in (PAGE, ROWS, "/", "/api/v1/indicators"):
            fetch(base + path)
        begun, failed, answered = memory(pid), Counter[str](), [0]
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
                path = paths[k % len(paths)]
                try:
                    status = fetch(base + path, {"X-Forwarded-For": f"198.51.100.{n}"})[0]
                    if status != 200:
                        failed[f"{path} {status}"] += 1
                except OSError as e:
                    failed[f"{path} {e!r}"] += 1
                answered[0] += 1
                time.sleep(0.05)

        def look() -> None:
            for n in range(switches):
                time.sleep(seconds / (switches + 1))
                over.append(memory(pid))
                point_current(home, (SECOND, FIRST)[n % 2])

        over: list[float] = []
        with ThreadPoolExecutor(66) as pool:
            for n in range(64):
                pool.submit(read, n)
            pool.submit(keep_asking, base, stop, 0, Counter())
            try:
                look()
                time.sleep(seconds / (switches + 1))
            finally:
                stop.set()
        # Memory is flat where the second half of the time is no more than a tenth above the first.
        first, second = statistics.median(over[: len(over) // 2]), statistics.median(over[len(over) // 2 :])
        print(
            f"64 readers for {seconds} s, {switches} changes of release, an attacker: {answered[0]} answers, failed "
            f"{dict(failed) or 'none'}; memory {begun:.0f} MB, then {', '.join(f'{m:.0f}' for m in over[:: max(1, len(over) // 8)])}; "
            f"load of the machine {load()}"
        )
        return [
            Measured(f"failed of {answered[0]} answers to 64 readers", str(sum(failed.values())), "0", not failed),
            Measured("memory, second half to first", f"{second / first:.2f}", "1.1", second < 1.1 * first),
        ]


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Measures all of it; `arguments` as on a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement of speed")
    parser.add_argument("--quick", action="store_true", help="a minute of readers and of schemathesis instead of ten")
    asked = parser.parse_args(arguments)
    out: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="mingzhang-bench-") as made:
        small = Path(made)
        for release in (FIRST, SECOND):
            build_release(small, release)
        point_current(small, FIRST)
        home = asked.home or small
        database = (home / "current").resolve() / "mingzhang.db"
        if shutil.which("wrk") is None:
            print("wrk is not installed, so speeds are not measured; type: apt-get install wrk")
        else:
            out += speeds(home, database, asked.seconds)
        with serving(home, FREE | PROXIED) as (base, pid):
            out += under_attack(base, pid)
        out += readers(small, 60 if asked.quick else 600, 5 if asked.quick else 20)
        with serving(small, FREE) as (base, _):
            seconds = 60 if asked.quick else 600
            done = fuzz(base, seconds, small)
        found = re.findall(r"^=+ FAILURES =+$|^\d+\. Test Case ID.*$", done.stdout, re.M)
        print("schemathesis:", "nothing found" if done.returncode == 0 else done.stdout[-3000:])
        out.append(
            Measured(f"schemathesis, {seconds} s", f"{len(found) or 'nothing'} found", "nothing", done.returncode == 0)
        )
    return out


def speeds(home: Path, database: Path, seconds: int) -> list[Measured]:
    """Answers each second and the time of one, stock Datasette's and ours."""
    with stock(database) as (other, pid):
        their_rate, theirs = wrk(other + ROWS, seconds, [pid])
        theirs_ms = one_by_one(other, pid, ROWS_OF_PAGE, seconds)
    with serving(home, FREE | PROXIED) as (base, pid):
        ours_ms, page_ms = (one_by_one(base, pid, path, seconds) for path in (ROWS_OF_PAGE, PAGE))
        fetch(base + ROWS)
        our_rate, ours = wrk(base + ROWS, seconds, [pid])
        print(
            f"repeated {ROWS}: stock {their_rate:.0f}/s, ours {our_rate:.0f}/s; for a second of processor {theirs:.0f} and {ours:.0f}\nmade anew, of the processor: stock's JSON {theirs_ms:.1f} ms, "
            f"our JSON {ours_ms:.1f} ms, our page of the same rows {page_ms:.1f} ms; load of the machine {load()}"
        )
        out = [
            Measured("repeated requests, times stock Datasette", f"{ours / theirs:.0f}", "20", ours >= 20 * theirs),
            Measured("a page made anew, times stock's JSON", f"{theirs_ms / page_ms:.2f}", "1", page_ms <= theirs_ms),
        ]
        if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
            print("nginx is not installed, so it is not measured; type: apt-get install nginx")
            return out
        with nginx(base) as (front, front_pid):
            rate, of_processor = wrk(front + ROWS, seconds, [pid, front_pid], 64)
        print(
            f"through nginx: {rate:.0f}/s, {of_processor:.0f} for a second of processor; load of the machine {load()}"
        )
        return [*out, Measured("requests each second through nginx, TLS", f"{rate:.0f}", "5000", rate >= 5000)]


if __name__ == "__main__":
    print("\n" + table(main()))
