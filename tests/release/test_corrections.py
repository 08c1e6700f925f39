"""Two releases of one home, the first of them wrong: what a decision of the bureau makes of the second."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing

import pytest

from pipelines.core.home import Home
from pipelines.sources import decisions
from publish.disclosure.corrections import FIGURE, WITHDRAWN_ZH
from publish.disclosure.history import FROZEN_ZH
from publish.sources import KEY, disclosing_rows
from tests.release.conftest import sources
from tests.release.test_differences import TOTAL, more, query

COUNT = "select count(*) from corrections"


def home_of(release) -> Home:
    return Home(release.path.parent.parent)


def declare(release, indicator="energy_kgce", year=2024, **cell):
    details = {"indicator_id": indicator, "year": year, "release": release.release_id, "releases": 1} | cell
    return decisions.add(
        home_of(release),
        FIGURE,
        f"{indicator} {year}",
        "王工",
        "小数点错位",
        "A slip of the point",
        "2025-12-30",
        details,
    )


def test_a_slip_of_one_institution_is_withdrawn_with_all_that_rests_on_it(made):
    first = made(more(1, 10.0))
    wrong, _ = query(first, TOTAL)[0]
    declare(first)
    second = made(code_version="b")
    value, note = query(second, TOTAL)[0]
    assert value is None and note.startswith(f"{WITHDRAWN_ZH}：小数点错位（王工，2025-12-30）。 ")
    assert note.endswith("(2025-12-30): A slip of the point.")
    rows = query(
        second,
        "select dimension, outcome, old_value, new_value, was_in, decided_by, why_zh, since from corrections where indicator_id = 'energy_kgce' and year = 2024",
    )
    told = {r[0]: r[1:] for r in rows}
    assert told["total"] == ("withdrawn", wrong, None, first.release_id, "王工", "小数点错位", "2025-12-30")
    assert {"total", "org_type"} <= set(told)
    # The ratio over the same energy is withdrawn too, the sum of people is not.
    per_head = "select value, revised from indicator_values where indicator_id = 'per_head' and year = 2024 and dimension = 'total'"
    assert query(second, per_head) == [(None, "withdrawn")]
    shown = "select count(*) from indicator_values where revised = 'withdrawn' and (value is not null or status <> 'Q' or records is not null or files is not null)"
    assert query(second, shown) == [(0,)]
    withdrawn = query(second, f"select {', '.join(KEY)} from indicator_values where revised = 'withdrawn'")
    assert withdrawn and not {tuple(r[k] for k in KEY) for r in sources(second, "1 = 1")} & set(withdrawn)
    assert query(second, disclosing_rows()) == []
    # Every format says the same, and what changed begins with it.
    with (second.path / "csv" / "corrections.csv").open(encoding="utf-8-sig", newline="") as f:
        assert len(list(csv.DictReader(f))) == query(second, COUNT)[0][0] == second.corrected > 0
    changes = json.loads((second.path / "changes.json").read_text(encoding="utf-8"))
    assert list(changes)[:2] == ["previous", "corrections"] and len(changes["corrections"]) == second.corrected
    # The first release is what it was; nothing but its own page's banner speaks of it.
    assert query(first, TOTAL)[0][0] == wrong


def test_an_error_of_all_is_replaced_and_marked(made):
    first = made(more(30, 1.7))
    declare(first)
    second = made(code_version="b")
    value, note = query(second, TOTAL)[0]
    right = query(made(where="other"), TOTAL)[0][0]
    assert value == right < query(first, TOTAL)[0][0] and note.startswith("已更正：小数点错位（王工，2025-12-30）。")
    assert query(
        second,
        "select outcome, new_value from corrections where indicator_id = 'energy_kgce' and year = 2024 and dimension = 'total'",
    ) == [("replaced", right)]
    assert second.held == 0


def test_a_wrong_figure_of_open_rows_is_replaced_whatever_the_number_of_institutions(made):
    def wrong(con):
        con.execute(
            "update marts.indicator_values set value = value * 10 where indicator_id = 'funds' and dimension = 'total'"
        )

    first = made(wrong)
    year = query(
        first,
        "select max(year) from indicator_values where indicator_id = 'funds' and dimension = 'total' and value is not null",
    )[0][0]
    declare(first, "funds", year, dimension="total")
    second = made(code_version="b")
    figure = f"select value, revised from indicator_values where indicator_id = 'funds' and year = {year} and dimension = 'total'"
    assert query(second, figure)[0][1] == "replaced"
    assert query(second, figure)[0][0] == pytest.approx(query(first, figure)[0][0] / 10)


def test_a_decision_makes_another_release_and_undoing_it_brings_the_figure_back(made):
    first = made()
    decision = declare(first)
    second = made()
    assert second.state == "new" and query(second, TOTAL)[0][0] is None
    decisions.add(home_of(first), decisions.UNDO, decision.decided_at, "王工", "核实无误")
    third = made()
    every = "select * from indicator_values order by 1, 2, 3, 4, 10"
    assert query(third, every) == query(first, every) and third.corrected == 0 == query(third, COUNT)[0][0]


def test_what_is_held_is_counted_and_listed_for_the_bureau_alone(made):
    first = made()
    second = made(more(1, 10.0), code_version="b")
    path = home_of(first).feedback / "_bureau" / "held.csv"
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    with path.open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))
    stands = f"select count(*) from indicator_values where note like '%{FROZEN_ZH}%'"
    assert len(rows) == second.held == query(second, stands)[0][0] > 0
    (total,) = [r for r in rows if (r["指标编号"], r["年度"], r["分组"]) == ("energy_kgce", "2024", "total")]
    assert float(total["已公布数值"]) == query(first, TOTAL)[0][0] < float(total["按现有记录计算"])
    assert (total["公布值出自版本"], total["此后变动的单位数"], total["是否已撤回"]) == (first.release_id, "1", "否")
    assert total["沿用原因"] == "此后变动的单位少于 5 家"
    # What the records give is in no file of the release.
    secret = total["按现有记录计算"].encode()
    assert not [p for p in second.path.rglob("*.csv") if secret in p.read_bytes()]
    # Nothing is held any more: the list is gone.
    made(code_version="c")
    assert not path.exists()


def test_a_statement_on_a_withdrawn_figure_says_nothing(made):
    def stated(con):
        con.execute("alter table marts.claims alter computed_value type double")
        con.execute("""update marts.claims set indicator_id = 'energy_kgce', dimension = 'total', member = 'all', factor_set = 'default',
            sql = 'select value from indicator_values where indicator_id = ''energy_kgce'' and year = 2024 and dimension = ''total''',
            computed_value = (select cast(value as double) from marts.indicator_values where indicator_id = 'energy_kgce' and year = 2024
            and dimension = 'total') where claim_id = 'coal_2024'""")

    def both(con):
        more(1, 10.0)(con)
        stated(con)

    first = made(both)
    claim = "select computed_value, check_status from claims where claim_id = 'coal_2024'"
    assert query(first, claim)[0][0] is not None
    declare(first)
    assert query(made(stated, code_version="b"), claim) == [(None, "no_data")]


def test_a_reason_with_a_secret_in_it_refuses_the_release(made):
    from publish.errors import GateRefused

    first = made(more(1, 10.0))
    decisions.add(
        home_of(first), FIGURE, "x", "王工", "联系人：张三丰 13812345678", "", "2025-12-30",
        {"indicator_id": "energy_kgce", "year": 2024, "release": first.release_id, "releases": 1},
    )  # fmt: skip
    with pytest.raises(GateRefused, match="corrections"):
        made(code_version="b")
    with closing(sqlite3.connect(f"file:{first.path}/mingzhang.db?mode=ro", uri=True)) as con:
        assert con.execute(COUNT).fetchone() == (0,)
