"""The search index of a release: it is there, it is sealed, and the gate finds a secret in it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.core.home import Home
from publish.disclosure import gate
from publish.disclosure.scan import Scanner
from publish.disclosure.suppress import Rules
from publish.errors import GateRefused
from publish.release import store, tables
from publish.schema import public_tables
from publish.site.search import find
from tests.release.conftest import BUYER


@pytest.fixture
def spoilt(release, tmp_path) -> Path:
    """The files of a finished release, to be spoilt."""
    copy = tmp_path / "spoilt"
    shutil.copytree(release.path, copy)
    (copy / store.SUMS).unlink()
    for p in copy.rglob("*"):
        p.chmod(0o755 if p.is_dir() else 0o644)
    return copy


@pytest.fixture
def known(release, contracts) -> gate.Known:
    with tables.Warehouse(Home(release.path.parent.parent).warehouse) as w:
        scanner = Scanner(tables.secret_values(w, contracts), public=["虚构第1中心"])
        cells, about = tables.indicator_cells(w), tables.indicators_about(w)
    return gate.Known(contracts, {t.name: t for t in public_tables(contracts)}, cells, about, scanner, Rules())


def test_a_release_has_a_sealed_index_that_answers(release) -> None:
    assert f"  {gate.SEARCH}\n" in (release.path / store.SUMS).read_text(encoding="utf-8")
    with closing(sqlite3.connect(release.path / gate.SEARCH)) as con:
        for kind, title in con.execute(
            "select kind, title_zh from documents where kind in ('indicator', 'dataset') limit 9"
        ).fetchall():
            assert title in {h["title_zh"] for h in find(release.path / gate.SEARCH, title)}, (kind, title)


def test_the_gate_finds_a_secret_in_it(spoilt, known) -> None:
    with closing(sqlite3.connect(spoilt / gate.SEARCH)) as con:
        con.execute("update documents set body = ? where id = 2", (f"买方 {BUYER}",))
        con.commit()
    with pytest.raises(GateRefused, match=r"search\.db documents row 2") as refused:
        gate.check(spoilt, known)
    assert BUYER not in str(refused.value)


def test_the_gate_misses_it_when_it_is_gone(spoilt, known) -> None:
    (spoilt / gate.SEARCH).unlink()
    with pytest.raises(GateRefused, match=r"search\.db: this file is missing"):
        gate.check(spoilt, known)
