"""Releases kept: list, show, diff, verify, rollback."""

from __future__ import annotations

import errno
import json
import os
import shutil

import pytest

from pipelines.core.home import Home, HomeBusy
from publish.errors import NoSuchRelease, ReleaseError
from publish.release import store
from tests.release.conftest import another_run, make_warehouse


def grow(con):
    """One more fund, and a statement that no longer holds."""
    con.execute(
        "insert into records.retrofit_funds by name select * replace (3 as seq) from records.retrofit_funds limit 1"
    )
    con.execute("update marts.claims set computed_value = 45, check_status = 'mismatch' where claim_id = 'funds_2024'")


@pytest.fixture
def two(made):
    """Two releases of one home; the second is of more (`grow`)."""
    first = made()
    return Home(first.path.parent.parent), first.release_id, made(grow).release_id


def test_the_list_says_which_is_current(two):
    home, a, b = two
    kept = store.listed(home)
    assert [(k.release_id, k.current, k.withdrawn) for k in kept] == [(a, False, False), (b, True, False)]
    assert all(k.synthetic and k.as_of == "2025-12-31" and k.rows > 100 for k in kept)
    assert store.show(home, "current")["release_id"] == b
    assert store.show(home, a)["rows"]["retrofit_funds"] == 3


def test_an_empty_home_has_no_release(tmp_path):
    home = Home(tmp_path)
    assert store.listed(home) == [] and store.current(home) is None
    with pytest.raises(NoSuchRelease, match="make one with 'mingzhang run'"):
        store.folder(home, "current")


def test_diff_says_what_changed_either_way(two):
    home, a, b = two
    there, back = store.diff(home, a, b), store.diff(home, b, a)
    assert there["previous"] == a and there["tables"] == {"retrofit_funds": {"old": 3, "new": 4}}
    assert back["tables"] == {"retrofit_funds": {"old": 4, "new": 3}}
    assert there["claims"] == [{"claim_id": "funds_2024", "old": "match", "new": "mismatch"}]
    assert there == json.loads((home.releases / b / "changes.json").read_text())


@pytest.mark.parametrize("name", ["2025-12-31-00000000", "../../etc", "", ".withdrawn", "2025-12-31-e5ce5dda/csv"])
def test_an_unknown_release_ends_in_one_sentence(two, name):
    for ask in (store.show, store.verify, store.rollback):
        with pytest.raises(NoSuchRelease, match="keeps no release") as e:
            ask(two[0], name)
        assert e.value.exit_status == 2


def test_verify_finds_a_file_changed_missing_or_too_many(two):
    home, a, _ = two
    assert store.verify(home, a) == []
    folder = home.releases / a
    changed = folder / "csv" / "claims.csv"
    changed.chmod(0o644)
    changed.write_bytes(changed.read_bytes() + b"x")
    (folder / "xlsx" / "claims.xlsx").unlink()
    (folder / "extra.txt").write_text("")
    wrong = store.verify(home, a)
    assert len(wrong) == 3
    assert (
        "csv/claims.csv was changed" in wrong[0]
        and "xlsx/claims.xlsx is missing" in wrong[1]
        and "extra.txt" in wrong[2]
    )
    with pytest.raises(ReleaseError, match="damaged and was not made current"):
        store.rollback(home, a)
    assert store.current(home).name != a
    (folder / "release.json").unlink()
    with pytest.raises(ReleaseError, match="damaged"):
        store.show(home, a)
    (folder / "SHA256SUMS").unlink()
    assert "cannot" in " ".join(store.verify(home, a)) or "nothing can be verified" in " ".join(store.verify(home, a))


def _csv(folder):
    return {p.name: p for p in (folder / "csv").glob("*.csv")}


def test_what_is_unchanged_is_linked_and_no_release_needs_another(two, made):
    """The files are those of a full run, and stay when the release that wrote them is thrown away."""
    home, a, b = two
    old, new = _csv(home.releases / a), _csv(home.releases / b)
    linked = {name for name in new if new[name].samefile(old[name])}
    assert linked == {name for name in new if new[name].read_bytes() == old[name].read_bytes()}
    assert {"indicator_values.csv", "institutions.csv"} <= linked and not {"claims.csv", "releases.csv"} & linked
    alone = made(grow, where="alone")
    for name, path in _csv(alone.path).items():
        assert name == "releases.csv" or path.read_bytes() == new[name].read_bytes()
    shutil.rmtree(home.releases / a)
    assert store.verify(home, b) == []
    third = made()
    assert store.verify(home, third.release_id) == store.verify(home, b) == []


def test_where_files_cannot_be_linked_they_are_copied(made, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    first, second = made(), made(grow)
    old, new = _csv(first.path), _csv(second.path)
    assert new["institutions.csv"].read_bytes() == old["institutions.csv"].read_bytes()
    assert not any(new[name].samefile(old[name]) for name in new)


def test_a_damaged_file_is_not_linked(made):
    first = made()
    damaged = first.path / "csv" / "institutions.csv"
    right = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(right[:-9])
    home = Home(first.path.parent.parent)
    second = made(grow)
    assert (second.path / "csv" / "institutions.csv").read_bytes() == right
    assert store.verify(home, second.release_id) == []
    assert store.verify(home, first.release_id) == ["csv/institutions.csv was changed since it was published."]


def test_a_rollback_holds_against_the_same_inputs_and_gives_way_to_new_ones(two, made):
    home, a, b = two
    store.rollback(home, a)
    assert store.current(home).name == a
    assert [(k.release_id, k.withdrawn) for k in store.listed(home)] == [(a, False), (b, True)]
    again = made(grow)
    assert (again.release_id, again.state, again.current) == (b, "unchanged", False)
    assert store.current(home).name == a
    store.rollback(home, b)
    assert store.current(home).name == b and store.withdrawn(home) == {a}
    newer = made(code_version="newer")
    assert newer.current and json.loads((newer.path / "changes.json").read_text())["previous"] == b


def test_no_rollback_while_a_run_holds_the_home(two):
    home, a, _ = two
    with another_run(home), pytest.raises(HomeBusy):
        store.rollback(home, a)


def test_current_that_is_a_folder_is_not_overwritten(contracts, city, tmp_path):
    home = Home(tmp_path).create()
    make_warehouse(home.warehouse, contracts)
    home.current.mkdir()
    with pytest.raises(ReleaseError, match="no symbolic link"):
        store.switch(home, "2025-12-31-00000000")
    assert home.current.is_dir()
