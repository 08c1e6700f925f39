"""A made-up city that the project did not make is read as its truth says: every file, row, sum and bad cell."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from expectations.contract import load_contracts
from pipelines.intake.pool import FileJob, read_many
from tests.conftest import MadeUp, mingzhang

pytestmark = [pytest.mark.slow]


def score(shared: Path, home: Path, city: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(shared / "checks" / "score_city.py"), str(home), str(city)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.realdata
def test_all_225_files_of_the_shared_city_score_full(shared: Path, tmp_path: Path) -> None:
    ran = mingzhang("run", "--home", tmp_path, "--inbox", shared / "sample-city" / "inbox", "--as-of", "2025-12-31")
    assert ran.returncode == 0, ran.stderr
    status, said = score(shared, tmp_path, shared / "sample-city")
    assert status == 0, said


@pytest.mark.realdata
def test_our_own_made_up_city_scores_full(shared: Path, made_up: MadeUp, tmp_path: Path) -> None:
    # The score looks for each secret in all bytes of all files, which takes minutes for thousands: it gets one in twenty.
    truth = json.loads((made_up.folder / "truth.json").read_text(encoding="utf-8"))
    truth["canaries"] = dict(list(truth["canaries"].items())[::20])
    (tmp_path / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "inbox").symlink_to(made_up.folder / "inbox")
    status, said = score(shared, made_up.home, tmp_path)
    assert status == 0, said


def test_no_secret_of_the_made_up_city_is_in_the_public_database(made_up: MadeUp) -> None:
    truth = json.loads((made_up.folder / "truth.json").read_text(encoding="utf-8"))
    with closing(sqlite3.connect(f"file:{made_up.release}/mingzhang.db?mode=ro", uri=True)) as con:
        tables = [t for (t,) in con.execute("select name from sqlite_master where type = 'table'")]
        said = {str(v) for t in tables for row in con.execute(f'select * from "{t}"') for v in row}
    text = "\n".join(said)
    secrets = [*truth["canaries"], *truth["refused"]]
    assert len(secrets) > 1000 and "合成示例数据" in text
    assert [s for s in secrets if s in text] == []


@pytest.mark.realdata
def test_with_five_contracts_the_files_of_other_datasets_are_unknown(shared: Path) -> None:
    """A contract that is not there is never guessed: the file is rejected as unknown_dataset, not squeezed into another."""
    five = {"institutions", "energy_use", "retrofit_funds", "parking_lots", "disposals"}
    contracts = load_contracts(only=five)
    city = shared / "sample-city"
    truth = {f["path"]: f["dataset"] for f in json.loads((city / "truth.json").read_text(encoding="utf-8"))["files"]}
    jobs = [FileJob(path, city / "inbox" / path, path) for path in truth]
    found = {r.name: r for r in read_many(jobs, contracts)}
    for path, dataset in truth.items():
        r = found[path]
        if dataset in five:
            assert [s.dataset for s in r.sheets if s.dataset] == [dataset], path
        else:
            assert (r.status, r.reason) == ("rejected", "unknown_dataset"), path
