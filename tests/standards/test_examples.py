"""The examples of docs/api.md, run as they stand there, and the client, against a real server."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import fetch, serving

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "docs" / "client"
DOC = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
TOTALS = [6310.5, 6190.2, 6044.9, 5951.0, 5822.6]  # of energy_tce, each of its years once
EXAMPLES = re.findall(r"```(sh|python|r|js)\n(.*?)```", DOC, re.S)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose release has the files that the examples read."""
    home = tmp_path_factory.mktemp("home")
    for name in (FIRST, SECOND):
        folder = build_release(home, name, scale=1 if name == FIRST else 0.5)
        with sqlite3.connect(folder / "mingzhang.db") as conn:
            columns = [r[1] for r in conn.execute("pragma table_info(indicator_values)")]
            other = ", ".join({"factor_set": "'article'", "value": "value * 2"}.get(c, c) for c in columns)
            conn.execute(  # a second series, which no example may mix with the first
                f"insert into indicator_values select {other} from indicator_values where factor_set = 'default'"
            )
            values = pd.read_sql("select * from indicator_values", conn)
        (folder / "parquet").mkdir()
        values.to_csv(folder / "csv-plain" / "indicator_values.csv", index=False)
        values.to_parquet(folder / "parquet" / "indicator_values.parquet")
        with (folder / "SHA256SUMS").open("a", encoding="utf-8") as f:
            for path in ("csv-plain/indicator_values.csv", "parquet/indicator_values.parquet"):
                f.write(f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}\n")
    point_current(home, SECOND)
    with serving(home) as (base, _):
        yield f"{base}/r/{FIRST}"


def figures(printed: str) -> list[float]:
    """The totals in what a program printed, in its order, and those of the other series, twice as large, if it printed any."""
    known = {*TOTALS, *(2 * v for v in TOTALS)}
    return [float(f) for f in re.findall(r"\d+\.\d+", printed) if float(f) in known]


def test_there_are_examples_for_each_tool() -> None:
    kinds = [kind for kind, _ in EXAMPLES]
    assert kinds.count("python") == 3 and kinds.count("r") == 2 and {"sh", "js"} < set(kinds) and "## Excel" in DOC


@pytest.mark.parametrize("code", [c for k, c in EXAMPLES if k == "python"])
def test_an_example_in_python_runs_and_gives_the_figures(site: str, code: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "docs" / "client" / "mingzhang_client.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", f"SITE = {site!r}\n{code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout) == TOTALS


@pytest.fixture(scope="module")
def page(site: str) -> str:
    return html.unescape(fetch(f"{site}/api")[2].decode())


def test_what_the_page_of_the_api_says_to_copy_gives_one_figure_a_year(site: str, page: str, tmp_path: Path) -> None:
    """Its curl and its Python as they stand there; DuckDB reads the file from the disk, for it may not be able to from the net."""
    curl, pandas, duckdb_, r = (c for c in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.S) if "factor_set" in c)
    address = re.search(r'"(http[^"]+)"', curl)
    assert address and figures(fetch(address[1].replace("'", "%27"))[2].decode()) == TOTALS
    local = str(tmp_path / "indicator_values.parquet")
    urllib.request.urlretrieve(f"{site}/files/parquet/indicator_values.parquet", local)
    for code in (pandas, duckdb_):
        assert f"{site}/files/parquet/indicator_values.parquet" in code
        done = subprocess.run(
            [sys.executable, "-c", code.replace(f"{site}/files/parquet/indicator_values.parquet", local)],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert figures(done.stdout) == TOTALS
    assert 'factor_set %in% c("default", "none")' in r


@pytest.mark.parametrize("path", ["/mingzhang", "/en/mingzhang", "/indicators/energy_tce"])
def test_the_query_a_page_begins_with_gives_one_figure_a_year(site: str, path: str) -> None:
    page = html.unescape(fetch(site + path)[2].decode())
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S) or re.search(
        r"<pre[^>]*>(select.*?)</pre>", page, re.S
    )
    assert found and ("factor_set" in found[1] or "from indicators_main" in found[1])
    rows = json.loads(fetch(f"{site}/mingzhang.json?_shape=array&sql={urllib.parse.quote(found[1])}")[2])
    of = [(r["year"], r.get("dimension"), r.get("member")) for r in rows]
    assert len(of) == len(set(of)) >= 5
    assert {r["year"] for r in rows} == set(range(2021, 2026))


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_examples_with_curl_run(site: str, tmp_path: Path) -> None:
    (code,) = [c for k, c in EXAMPLES if k == "sh"]
    done = subprocess.run(
        ["bash", "-euc", code],
        cwd=tmp_path,
        env=os.environ | {"SITE": site},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout) == TOTALS * 2
    assert (tmp_path / "indicator_values.csv").read_bytes().startswith(b"indicator_id,")


def run_r(code: str, folder: Path) -> str:
    """What a program in R prints. Skips where R, or a package that it loads, is not there."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed: `make r` installs it, or says what to type")
    shutil.copy(CLIENTS / "mingzhang_client.R", folder)
    command = ["Rscript", "--vanilla", "-e", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if "there is no package called" in done.stderr:
        pytest.skip(f"{done.stderr.strip()[-100:]}: `make r` installs it, or says what to type")
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_node(code: str, folder: Path) -> str:
    """What a program in JavaScript prints. Skips where Node is not there."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: `make node` installs it, or says what to type")
    shutil.copy(CLIENTS / "mingzhang_client.mjs", folder)
    (folder / "program.mjs").write_text(code, encoding="utf-8")
    command = ["node", "program.mjs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("code", [c for k, c in EXAMPLES if k == "r"])
def test_an_example_in_r_runs(site: str, code: str, tmp_path: Path) -> None:
    assert figures(run_r(f"SITE <- '{site}'\n{code}\nprint(values$value, width = 200)", tmp_path)) == TOTALS


def test_the_example_in_javascript_runs(site: str, tmp_path: Path) -> None:
    (code,) = [c for k, c in EXAMPLES if k == "js"]
    assert figures(run_node(code.replace("new Mingzhang(SITE)", f"new Mingzhang('{site}')"), tmp_path)) == [
        v for v in TOTALS if v % 1
    ]


class Busy(BaseHTTPRequestHandler):
    """Says twice that it is busy, then gives two pages of one row; the last is cut."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        n = len(self.server.asked)  # type: ignore[attr-defined]
        said: dict[str, object] = {
            "claims": [{"claim_id": f"c{n}"}],
            "next": "/api/v1/claims?offset=1" if n == 3 else None,
        }
        if n <= 2:
            said = {"ok": False, "status": 429, "code": "too_many", "error": "Wait.", "error_zh": "请稍候。"}
        body = json.dumps(said).encode()
        self.send_response((429, 503, 200, 200)[n - 1])
        self.send_header("Retry-After", "7")
        self.send_header("X-Truncated", "true")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


R_PROGRAM = """source("mingzhang_client.R")
waited <- c()
site <- mingzhang("http://127.0.0.1:{port}/", wait = function(s) waited <<- c(waited, s))
claims <- site$claims(check_status = "mismatch")
cat(paste(c(waited, claims$claim_id), collapse = " "))
real <- mingzhang("{site}")
rows <- real$sql("select max(value) as v from indicator_values where indicator_id = :i and factor_set = 'default'", i = "energy_tce")
old <- tryCatch(real$claims(check_status = "right"), refused = function(e) c(e$code, e$status, e$chinese))
cat("", rows$v, attr(rows, "truncated"), nrow(real$values("energy_tce", dimension = "total", factor_set = "all", limit = 4)), old, nrow(real$provenance("energy_tce", 2024)))
"""
JS_PROGRAM = """import {{ Mingzhang, Refused }} from "./mingzhang_client.mjs";
const waited = [], all = async (rows) => {{ const out = []; for await (const r of rows) out.push(r); return out; }};
const site = new Mingzhang("http://127.0.0.1:{port}/", {{ wait: async (s) => waited.push(s) }});
const claims = await all(site.claims({{ check_status: "mismatch" }}));
const real = new Mingzhang("{site}");
const [row] = await real.sql("select max(value) as v from indicator_values where indicator_id = :i and factor_set = 'default'", {{ i: "energy_tce" }});
const cut = String(real.truncated).toUpperCase();
const old = await all(real.claims({{ check_status: "right" }})).catch((e) => {{ if (!(e instanceof Refused)) throw e; return [e.code, e.status, e.chinese]; }});
const values = await all(real.values("energy_tce", {{ dimension: "total", factor_set: "all", limit: 4 }}));
console.log([...waited, ...claims.map((c) => c.claim_id), row.v, cut, values.length, ...old, (await all(real.provenance("energy_tce", 2024))).length].join(" "));
"""


@pytest.mark.parametrize("language", ["R", "JavaScript"])
def test_a_client_pages_binds_waits_and_says_what_was_wrong(
    site: str, busy: ThreadingHTTPServer, tmp_path: Path, language: str
) -> None:
    port = busy.server_address[1]
    if language == "R":
        said = run_r(R_PROGRAM.replace("{port}", str(port)).replace("{site}", site), tmp_path)
    else:
        said = run_node(JS_PROGRAM.format(port=port, site=site), tmp_path)
    words = said.split()
    assert words[:6] == ["7", "7", "c3", "c4", "6310.5", "FALSE"]
    assert words[6:9] == ["10", "bad_argument", "400"] and "只能是" in said and words[-1] == "1"
    first, *_, last = busy.asked  # type: ignore[attr-defined]
    assert first == "/api/v1/claims?check_status=mismatch" and last == "/api/v1/claims?offset=1"


@pytest.mark.parametrize("name", ["mingzhang_client.R", "mingzhang_client.mjs"])
def test_a_client_is_a_page(name: str) -> None:
    text = (CLIENTS / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90 and not re.findall(r"^import |library\(", text, re.M)


def test_the_client_pages_binds_waits_and_says_what_was_wrong(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "client"))
    import mingzhang_client
    from mingzhang_client import Mingzhang, Refused

    now = Mingzhang(site.partition("/r/")[0])
    then = now.at(FIRST)
    assert [v["value"] for v in then.values("energy_tce", dimension="total", limit=2)] == [
        6310.5,
        6190.2,
        6044.9,
        5951.0,
        5822.6,
    ]
    assert next(iter(now.values("energy_tce", dimension="total")))["value"] == 3155.25
    assert {r["release_id"] for r in now.releases()} == {FIRST, SECOND}
    assert len(list(then.values("energy_tce", dimension="total", factor_set="all"))) == 10
    rows = then.sql(
        "select max(value) as v from indicator_values where indicator_id = :i and factor_set = 'default'",
        i="energy_tce",
    )
    assert rows == [{"v": 6310.5}] and then.truncated is False
    many = "with recursive t(i) as (select 1 union all select i + 1 from t where i < 2000) select i from t"
    assert len(then.sql(many)) == 1000 and then.truncated is True
    assert len(list(then.datasets())) >= 30 and len(list(then.claims(check_status="mismatch"))) == 1
    assert [f["records"] for f in then.provenance("energy_tce", 2024)] == [600]
    with pytest.raises(Refused, match="must be one of") as e:
        list(now.claims(check_status="right"))
    assert e.value.code == "bad_argument" and "只能是" in e.value.chinese

    waited: list[float] = []
    monkeypatch.setattr(mingzhang_client.time, "sleep", waited.append)
    answers = [429, 503]
    real = mingzhang_client.urllib.request.urlopen

    def busy(request: object, timeout: float) -> object:
        if answers:
            raise mingzhang_client.urllib.error.HTTPError("", answers.pop(0), "", {"Retry-After": "7"}, None)  # type: ignore[arg-type]
        return real(request, timeout=timeout)

    monkeypatch.setattr(mingzhang_client.urllib.request, "urlopen", busy)
    assert next(now.indicators(theme="车辆"))["indicator_id"] == "parking_spaces" and waited == [7, 7]


def test_the_client_is_a_page_and_stands_alone() -> None:
    text = (ROOT / "docs" / "client" / "mingzhang_client.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    assert set(re.findall(r"^(?:import|from) ([a-z_]+)", text, re.M)) <= {"json", "time", "urllib"}
