"""The command as the interface fixes it: its subcommands, options and exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from pipelines.cli import Stopped, _interruptible
from pipelines.core.fingerprint import code_version
from tests.conftest import ROOT, MadeUp, mingzhang

COMMANDS = {
    "run": ["--inbox", "--home", "--contracts", "--city", "--as-of", "--full", "--engine", "--master", "--json"],
    "check": ["--home", "--contracts", "--json", "--annotated"],
    "template": ["--year", "--out"],
    "sample": ["--out", "--seed", "--orgs", "--years"],
    "serve": ["--home", "--host", "--port"],
    "releases": ["list", "show", "diff", "verify", "rollback", "bag", "accept"],
    "dev": ["--home"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_takes(command: str) -> None:
    helped = mingzhang(command, "--help", env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert helped.returncode == 0
    for word in COMMANDS[command]:
        assert word in helped.stdout


def test_the_version_names_the_code() -> None:
    done = mingzhang("--version")
    assert done.returncode == 0 and done.stdout == f"mingzhang {code_version()}\n"


def test_a_sentence_is_one_line_where_nobody_looks_on(tmp_path: Path) -> None:
    made = mingzhang("sample", "--out", tmp_path / ("a" * 90), "--orgs", "5", "--years", "2021-2021")
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith("none of it is real.\n") and made.stdout.count("\n") == 1


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"mingzhang {command}" in readme


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    assert mingzhang("check", tmp_path / "none.xlsx").returncode == 2
    assert mingzhang("sample", "--out", tmp_path, "--years", "2021 to 2025").returncode == 2
    assert mingzhang("releases", "show", "2025-01-01-00000000", "--home", tmp_path).returncode == 2


def test_a_master_without_spark_is_wrong_usage(tmp_path: Path) -> None:
    done = mingzhang(
        "run", "--home", tmp_path / "home", "--inbox", tmp_path, "--master", "local[2]", env={"COLUMNS": "200"}
    )
    assert done.returncode == 2 and "say --engine spark as well" in done.stderr
    assert not (tmp_path / "home").exists()


def test_check_says_what_is_wrong_and_ends_with_1(tmp_path: Path) -> None:
    path = tmp_path / "停车.csv"
    path.write_text(
        "单位名称,停车场名称,开放车位数,是否开放\n市示范局,一号,12,是\n市示范局,二号,许多,是\n", encoding="utf-8"
    )
    done = mingzhang("check", path, "--json", env={"MINGZHANG_HOME": str(tmp_path / "home")})
    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)
    assert report["sheets"][0]["rows_accepted"] == 1
    assert [(i["row"], i["cell"], i["code"]) for i in report["issues"] if i["severity"] == "error"] == [
        (3, "C3", "bad_type")
    ]
    assert not (tmp_path / "home").exists()


def test_a_form_is_written_and_read_back(tmp_path: Path) -> None:
    form = tmp_path / "form.xlsx"
    assert mingzhang("template", "parking_lots", "--year", "2025", "-o", form).returncode == 0
    assert form.stat().st_size > 3000
    unknown = mingzhang("template", "parking", "-o", form)
    assert unknown.returncode == 2 and "parking_lots" in unknown.stderr


def test_check_gives_the_file_back_with_its_errors_marked(tmp_path: Path) -> None:
    import openpyxl

    path, marked = tmp_path / "停车.csv", tmp_path / "marked.xlsx"
    path.write_text("单位名称,停车场名称,开放车位数,是否开放\n市示范局,二号,许多,是\n", encoding="utf-8")
    done = mingzhang("check", path, "--annotated", marked, env={"MINGZHANG_HOME": str(tmp_path / "home")})
    assert done.returncode == 1, done.stderr
    book = openpyxl.load_workbook(marked)
    comments = [c.comment.text for ws in book.worksheets for row in ws.iter_rows() for c in row if c.comment]
    assert any("许多" in c for c in comments)


@pytest.mark.slow
def test_a_run_with_nothing_new_leaves_the_release(made_up: MadeUp) -> None:
    again = mingzhang(
        "run", "--home", made_up.home, "--inbox", made_up.folder / "inbox", "--as-of", "2025-12-31", "--json"
    )
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert (report["release"], report["release_state"]) == (made_up.report["release"], "unchanged")
    assert report["files"]["new"] == 0 and report["files"]["read"] == 0
    assert list(report["seconds"]) == ["looking"]  # no stage ran
    same = ("records", "rows", "issues", "synthetic")
    assert {k: report[k] for k in same} == {k: made_up.report[k] for k in same}


@pytest.mark.slow
def test_releases_are_listed_and_verified(made_up: MadeUp) -> None:
    listed = json.loads(mingzhang("releases", "list", "--home", made_up.home, "--json").stdout)
    assert [r["release_id"] for r in listed if r["current"]] == [made_up.report["release"]]
    verified = mingzhang("releases", "verify", "current", "--home", made_up.home)
    assert verified.returncode == 0 and verified.stdout.split()[0] == made_up.release.name
    assert made_up.report["synthetic"] is True


def test_a_file_left_and_an_inbox_that_is_down_are_each_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli import _print_report
    from pipelines.run import RunReport

    _print_report(
        RunReport("2025-12-31-00000000", "unchanged", left=["停车.csv"], down=["sftp://h/in does not answer."])
    )
    out, err = capsys.readouterr()
    assert "Left for the next run, because still being written or cut off: 停车.csv." in out
    assert "sftp://h/in does not answer. What the other inboxes hold was taken in." in err


def test_a_chain_of_errors_that_comes_back_to_itself_ends() -> None:
    from pipelines.run import _held_in
    from publish.errors import GateRefused, chain

    inner, outer = GateRefused(["x"]), RuntimeError("step failed")
    outer.__cause__, inner.__context__ = inner, outer
    assert chain(outer) == [outer, inner] and _held_in(outer) is None


def test_an_interrupt_inside_an_exec_of_text_keeps_our_exit_status(tmp_path: Path) -> None:

    (tmp_path / "stopped.py").write_text(
        "import sys\nfrom pipelines.cli import Stopped, _interruptible\n"
        "try:\n    with _interruptible(): exec('raise KeyboardInterrupt')\n"
        "except Stopped: sys.exit(1)\n"
    )
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    assert subprocess.run([sys.executable, "-m", "stopped"], env=env, check=False).returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_middle_of_a_query_is_a_stop(number: signal.Signals) -> None:
    """DuckDB makes a RuntimeError of the KeyboardInterrupt."""
    query = "select count(*) from range(20000000) a, range(100) b where (a.range * b.range) % 7 = 3"
    threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
    with pytest.raises(Stopped), _interruptible(), duckdb.connect() as con:
        con.execute(query)
