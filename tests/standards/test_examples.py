"""The examples of docs/api.md, run as they stand there, and the client, against a real server."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.site.conftest import FIRST, SECOND, build_release, point_current
from tests.site.serving import serving

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(sh|python|r)\n(.*?)```", DOC, re.S)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site whose release has the files that the examples read."""
    home = tmp_path_factory.mktemp("home")
    for name in (FIRST, SECOND):
        folder = build_release(home, name, scale=1 if name == FIRST else 0.5)
        with sqlite3.connect(folder / "mingzhang.db") as conn:
            values = pd.read_sql("select * from indicator_values", conn)
        (folder / "parquet").mkdir()
        (folder / "csv").mkdir(exist_ok=True)
        values.to_csv(folder / "csv" / "indicator_values.csv", index=False, encoding="utf-8-sig")
        values.to_parquet(folder / "parquet" / "indicator_values.parquet")
        with (folder / "SHA256SUMS").open("a", encoding="utf-8") as f:
            for path in ("csv/indicator_values.csv", "parquet/indicator_values.parquet"):
                f.write(f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}\n")
    point_current(home, SECOND)
    with serving(home) as (base, _):
        yield f"{base}/r/{FIRST}"


def test_there_are_examples_for_each_tool() -> None:
    kinds = [kind for kind, _ in EXAMPLES]
    assert kinds.count("python") == 3 and "sh" in kinds and "r" in kinds and "## Excel" in DOC


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
    assert "6310.5" in done.stdout and "5822.6" in done.stdout


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
    assert done.returncode == 0 and done.stdout.count("6310.5") == 2, done.stderr
    assert (tmp_path / "indicator_values.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no R on this machine")
def test_the_example_in_r_runs(site: str, tmp_path: Path) -> None:
    (code,) = [c for k, c in EXAMPLES if k == "r"]
    done = subprocess.run(
        ["Rscript", "-e", f"SITE <- '{site}'\n{code}\nprint(values$value)"], cwd=tmp_path, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "6310.5" in done.stdout, done.stderr


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
    rows = then.sql("select max(value) as v from indicator_values where indicator_id = :i", i="energy_tce")
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
