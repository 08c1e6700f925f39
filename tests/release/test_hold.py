"""A release that lost something is refused, one that moves too far is held, and a person's yes publishes it."""

from __future__ import annotations

import gzip
import json
import shutil
import stat
from pathlib import Path

import pytest

from pipelines.core.home import Home, HomeBusy
from pipelines.sources import decisions
from publish.disclosure import past_releases
from publish.disclosure.history import FROZEN_ZH
from publish.errors import GateHeld, GateRefused, NoSuchRelease, ReleaseError
from publish.release import build as building
from publish.release import compress, hold, movement, store
from publish.release.movement import MovementLimits
from publish.schema import MARTS
from tests.release.conftest import AS_OF, BUYER, another_run, make_warehouse
from tests.release.test_differences import TOTAL, again, more, query

USUAL = MovementLimits()


def slip(con) -> None:
    """The largest institution's electricity of 2024, ten times too high: a header says 万度 over figures in 度."""
    con.execute("""
        update records.energy_use set electricity = electricity * 10 where month = '2024-06' and org_name = (
            select org_name from records.energy_use where month = '2024-06' order by electricity desc limit 1)""")
    again(con)


def stands(home: Home, release_id: str) -> bool:
    """Whether this release, as it was published, is the current one and the only one."""
    now = store.current(home)
    kept = [k.release_id for k in store.listed(home)]
    return now is not None and now.name == release_id and kept == [release_id] and store.verify(home, release_id) == []


@pytest.fixture
def slipped(made):
    """A home with one release, and one held after it: the home, the release that stands, the error."""
    first = made(limits=USUAL)
    with pytest.raises(GateHeld) as e:
        made(slip, limits=USUAL)
    return Home(first.path.parent.parent), first, e.value


def test_a_tenfold_slip_of_one_institution_is_held_though_secrecy_would_keep_the_figure(slipped, made):
    home, first, held = slipped
    assert stands(home, first.release_id)
    assert held.exit_status == 3 and held.last == first.release_id and "\n" not in str(held)
    assert f"release {first.release_id} stays current" in str(held)
    assert f"mingzhang releases accept {held.release_id}" in str(held)
    city = [s for s in held.reasons if s.startswith("energy_tce of 2024, the whole city, is ")]
    assert len(city) == 1 and "(+71.6 %, limit 10 %)" in city[0] and not any("2023" in s for s in held.reasons)
    # The candidate is whole and apart: it shows the figure as last published, so nothing but the gate tells of the slip.
    assert store.wrong_files(home.held / held.release_id) == []
    assert stat.S_IMODE(home.held.stat().st_mode) == 0o700
    candidate = building.BuiltRelease(held.release_id, home.held / held.release_id, "held", False, True)
    assert query(candidate, TOTAL)[0][0] == query(first, TOTAL)[0][0] and FROZEN_ZH in query(candidate, TOTAL)[0][1]
    said = (home.held / held.release_id / "release.json").read_text() + (
        home.held / held.release_id / "changes.json"
    ).read_text()
    assert "the whole city" not in said and [p.release_id for p in past_releases.recall(home)] == [first.release_id]
    # The same again is held again and not made again; nobody can roll back to it or ask for it.
    before = {p: p.stat().st_ino for p in home.held.rglob("*")}
    with pytest.raises(GateHeld) as e:
        made(slip, limits=USUAL)
    assert (e.value.release_id, e.value.reasons) == (held.release_id, held.reasons)
    assert {p: p.stat().st_ino for p in home.held.rglob("*")} == before
    for ask in (store.show, store.verify, store.rollback):
        with pytest.raises(NoSuchRelease):
            ask(home, held.release_id)


def test_mended_inputs_publish_and_drop_what_was_held(slipped, made):
    home, first, _ = slipped
    mended = made(more(30, 1.01), limits=USUAL)
    assert mended.state == "new" and mended.current and store.held(home) is None
    assert not home.held.exists() and not (home.work / "held").exists()
    assert json.loads((mended.path / "release.json").read_text())["previous"] == first.release_id


def test_inputs_as_they_were_leave_the_release_and_drop_what_was_held(slipped, made):
    home, first, _ = slipped
    assert made(limits=USUAL).state == "unchanged" and stands(home, first.release_id)
    assert store.held(home) is None and not home.held.exists()


def test_another_release_that_is_held_takes_the_place_of_the_first(slipped, made):
    home, first, held = slipped
    with pytest.raises(GateHeld) as e:
        made(more(30, 5.0), limits=USUAL)
    assert stands(home, first.release_id)
    assert [p.name for p in home.held.iterdir()] == [e.value.release_id] != [held.release_id]
    assert store.held(home).reasons == e.value.reasons


def test_a_person_accepts_what_is_held(slipped, made, contracts):
    home, first, held = slipped
    with pytest.raises(NoSuchRelease, match=f"the one that is held is {held.release_id}"):
        hold.accept(home, contracts, first.release_id, "王某", "核实无误", "checked")
    with pytest.raises(ReleaseError, match="this text may not be"):
        hold.accept(home, contracts, held.release_id, "王某", f"按{BUYER}来函更正", "")
    with another_run(home), pytest.raises(HomeBusy):
        hold.accept(home, contracts, held.release_id, "王某", "核实无误", "checked")
    assert stands(home, first.release_id) and decisions.read(home) == []

    path = hold.accept(home, contracts, held.release_id, "王某", "核实无误：换了新表", "checked: a new meter")
    (decided,) = decisions.read(home, ["accept"])
    assert (decided.target, decided.by) == (held.release_id, "王某")
    yes = {"by": "王某", "why_zh": "核实无误：换了新表", "why_en": "checked: a new meter", "on": decided.since}
    assert store.current(home) == path and store.verify(home, path.name) == [] and store.held(home) is None
    for name in ("release.json", "changes.json"):
        said = json.loads((path / name).read_text(encoding="utf-8"))
        assert said["accepted"] == yes and said["previous"] == first.release_id
        assert "the whole city" not in json.dumps(said, ensure_ascii=False)
    assert [(k.release_id, k.current, k.accepted_by) for k in store.listed(home)] == [
        (first.release_id, False, None),
        (path.name, True, "王某"),
    ]
    # What was accepted is what the next release is held against.
    assert [p.release_id for p in past_releases.recall(home)] == [first.release_id, path.name]
    assert made(slip, limits=USUAL).state == "unchanged"
    assert movement.last(home, path).figures != movement.last(home, first.path).figures
    with pytest.raises(NoSuchRelease):
        hold.accept(home, contracts, path.name, "王某", "再一次", "")


def test_what_was_accepted_and_is_made_again_says_so(slipped, made, contracts):
    home, _, held = slipped
    path = hold.accept(home, contracts, held.release_id, "王某", "核实无误", "checked")
    sums = (path / store.SUMS).read_text()
    shutil.rmtree(path)
    shutil.rmtree(home.work / "disclosure")
    store.switch(home, held.last)
    assert made(slip, limits=USUAL).release_id == held.release_id
    assert (path / store.SUMS).read_text() == sums


def test_the_compressed_copies_of_what_was_accepted_are_of_its_files(made, contracts, monkeypatch):
    monkeypatch.setattr(compress, "LEAST", 1)
    home = Home(made(limits=USUAL).path.parent.parent)
    with pytest.raises(GateHeld) as e:
        made(slip, limits=USUAL)
    path = hold.accept(home, contracts, e.value.release_id, "王某", "核实无误", "checked")
    copies = sorted(path.rglob("*.gz"))
    assert path / "changes.json.gz" in copies and len(list(path.rglob("*.zst"))) == len(copies)
    for copy in copies:
        assert gzip.decompress(copy.read_bytes()) == copy.with_suffix("").read_bytes(), copy.name


def test_what_was_held_against_another_release_is_not_accepted(slipped, made, contracts):
    home, first, held = slipped
    shutil.copytree(home.held, home.root / "kept")
    shutil.copytree(home.work / "held", home.work / "kept")
    newer = made(code_version="newer", limits=USUAL)
    (home.root / "kept").rename(home.held)
    (home.work / "kept").rename(home.work / "held")
    with pytest.raises(ReleaseError, match=f"held against {first.release_id}, which is not current any more"):
        hold.accept(home, contracts, held.release_id, "王某", "核实无误", "")
    assert store.current(home).name == newer.release_id


def test_a_damaged_candidate_is_not_accepted_and_is_made_anew(slipped, made, contracts):
    home, first, held = slipped
    damaged = home.held / held.release_id / "csv" / "claims.csv"
    damaged.unlink()  # one that is as in the release before is the same file, linked
    damaged.write_text("x")
    with pytest.raises(ReleaseError, match="was not published: csv/claims.csv was changed"):
        hold.accept(home, contracts, held.release_id, "王某", "核实无误", "")
    with pytest.raises(GateHeld):
        made(slip, limits=USUAL)
    assert store.wrong_files(home.held / held.release_id) == [] and stands(home, first.release_id)


class Killed(BaseException):
    """As if the process had ended here."""


def killed_at(monkeypatch: pytest.MonkeyPatch, where: object, name: str, after: int = 0) -> None:
    real, calls = getattr(where, name), []

    def dies(*a, **k):
        calls.append(a)
        if len(calls) > after:
            raise Killed
        return real(*a, **k)

    monkeypatch.setattr(where, name, dies)


@pytest.mark.parametrize(("where", "name"), [(movement, "write"), (hold, "whole_file"), (Path, "rename")])
def test_a_crash_while_a_release_is_being_held_leaves_no_half_of_it(made, monkeypatch, where, name):
    first = made(limits=USUAL)
    home = Home(first.path.parent.parent)
    with monkeypatch.context() as m:
        killed_at(m, where, name)
        with pytest.raises(Killed):
            made(slip, limits=USUAL)
    assert stands(home, first.release_id) and store.held(home) is None
    with pytest.raises(GateHeld) as e:
        made(slip, limits=USUAL)
    assert store.held(home).release_id == e.value.release_id and stands(home, first.release_id)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (store, "seal"),
        (Path, "rename"),
        (past_releases, "remember"),
        (movement, "keep"),
        (store, "switch"),
        (store, "drop_held"),
    ],
)
def test_a_crash_while_accepting_is_made_good_by_doing_it_again(slipped, monkeypatch, contracts, where, name):
    home, first, held = slipped
    with monkeypatch.context() as m:
        killed_at(m, where, name)
        with pytest.raises(Killed):
            hold.accept(home, contracts, held.release_id, "王某", "核实无误", "")
    now = store.current(home)
    assert now.name in (first.release_id, held.release_id) and store.verify(home, now.name) == []
    path = hold.accept(home, contracts, held.release_id, "王某", "核实无误", "")
    assert store.current(home) == path and store.verify(home, path.name) == [] and store.held(home) is None
    assert len(decisions.read(home)) == 1 and [p.release_id for p in past_releases.recall(home)][-1] == path.name
    assert not list(home.releases.glob(f"{store.BUILDING}*"))


def test_new_months_and_a_new_dataset_are_not_held(made):
    def before(con):
        con.execute("delete from records.energy_use where month = '2025-06' and org_name > '虚构第2'")
        con.execute("delete from records.disposals")
        again(con)

    first = made(before, limits=USUAL)
    second = made(limits=USUAL)
    assert second.state == "new" and second.current and second.release_id != first.release_id


def test_a_first_release_has_nothing_to_be_held_against(made):
    assert made(slip, limits=USUAL).state == "new"


def test_the_marts_are_compared_though_the_home_forgot_its_measures(slipped, made):
    home, first, held = slipped
    store.drop_held(home)
    shutil.rmtree(home.work / "measures")
    with pytest.raises(GateHeld) as e:
        made(slip, limits=USUAL)
    assert e.value.release_id == held.release_id and stands(home, first.release_id)
    assert any(s.startswith("energy_tce of 2024, the whole city, is ") for s in e.value.reasons)


def test_the_release_before_is_part_of_the_id(made):
    first = made()
    assert json.loads((first.path / "release.json").read_text())["previous"] is None
    second = made(more(30, 1.01))
    alone = made(more(30, 1.01), where="alone")
    assert json.loads((second.path / "release.json").read_text())["previous"] == first.release_id
    assert json.loads((second.path / "changes.json").read_text())["previous"] == first.release_id
    assert second.release_id != alone.release_id  # their changes.json differ, so one id must not name both


def drop(con, mart):
    kind = con.execute(
        "select table_type from information_schema.tables where table_schema = 'marts' and table_name = ?", [mart]
    )
    con.execute(f"drop {kind.fetchone()[0].removeprefix('BASE ')} marts.{mart}")


@pytest.mark.parametrize("table", [*(t.name for t in MARTS), "wholes", "contributions", "secrets", "inputs", "doubts"])
def test_a_missing_table_leaves_the_last_release_standing(made, table):
    first = made(limits=USUAL)
    home = Home(first.path.parent.parent)
    with pytest.raises(GateRefused) as e:
        made(spoil=lambda con: drop(con, table), limits=USUAL)
    assert (
        e.value.exit_status == 3 and f"the warehouse lacks marts.{table}" in str(e.value) and "\n" not in str(e.value)
    )
    assert stands(home, first.release_id) and not home.held.exists()


def test_a_missing_dataset_is_refused(made):
    first = made()
    with pytest.raises(GateRefused, match="the warehouse lacks marts.retrofit_funds"):
        made(spoil=lambda con: drop(con, "retrofit_funds"))
    assert stands(Home(first.path.parent.parent), first.release_id)


EMPTY = {
    "no record": (("institutions", "energy_use", "retrofit_funds", "disposals"), "no dataset has a record"),
    "no indicator": (("marts.indicators",), "there is no indicator"),
    "no value": (("marts.indicator_values", "institutions", "retrofit_funds", "disposals"), "no indicator has a value"),
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_release_is_refused_even_as_the_first(contracts, city, tmp_path, what):
    tables, says = EMPTY[what]
    home = Home(tmp_path).create()

    def emptied(con):
        for name in tables:
            con.execute(f"delete from {name if '.' in name else 'records.' + name}")

    make_warehouse(home.warehouse, contracts, emptied)
    with pytest.raises(GateRefused, match=says) as e:
        building.build(home, contracts, city, AS_OF, "v")
    assert e.value.exit_status == 3 and store.listed(home) == [] and store.current(home) is None
