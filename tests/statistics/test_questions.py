"""docs/questions.md and the statements' own SQL, run on a release of the made-up city as a journalist would."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from publish.sources import sources_of
from tests.conftest import MadeUp

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
QUESTION = re.compile(
    r"^## (?P<n>\d+)\. (?P<zh>[^\n]+)\n(?P<en>[A-Z][^\n]+)\n\n```sql\n(?P<sql>.+?)\n```\n", re.DOTALL | re.MULTILINE
)
QUESTIONS = list(QUESTION.finditer((ROOT / "docs" / "questions.md").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def public(made_up: MadeUp) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(f"file:{made_up.release / 'mingzhang.db'}?mode=ro", uri=True) as con:
        yield con


def test_they_are_numbered_and_in_both_languages() -> None:
    assert [int(q["n"]) for q in QUESTIONS] == list(range(1, 39))
    for q in QUESTIONS:
        assert re.search(r"[\u4e00-\u9fff]", q["zh"]), q["n"]
        assert q["sql"].startswith(("select", "with")) and ";" not in q["sql"], q["n"]


def test_every_question_is_answered(public: sqlite3.Connection) -> None:
    unanswered = []
    for q in QUESTIONS:
        rows = public.execute(q["sql"]).fetchall()
        if not any(cell is not None for row in rows for cell in row):
            unanswered.append(q["n"])
    assert unanswered == []


def test_no_answer_mixes_the_series_of_an_indicator(public: sqlite3.Connection, tmp_path: Path) -> None:
    """Beside every value stands one of twice its size with other factors: no answer changes, but for rows that name those."""
    with sqlite3.connect(tmp_path / "more.db") as more:
        public.backup(more)
        columns = [r[1] for r in more.execute("pragma table_info(indicator_values)")]
        other = ", ".join({"factor_set": "'others'", "value": "value * 2"}.get(c, c) for c in columns)
        more.execute(
            f"insert into indicator_values select {other} from indicator_values where factor_set in ('default', 'none')"
        )
        for q in QUESTIONS:
            before, after = public.execute(q["sql"]).fetchall(), more.execute(q["sql"]).fetchall()
            assert before == [r for r in after if "others" not in r], q["n"]


def test_every_statement_is_answered_and_its_sql_gives_the_figure(public: sqlite3.Connection) -> None:
    claims = public.execute(
        "select claim_id, check_status, computed_value, sql, explanation_zh, explanation_en from claims"
    ).fetchall()
    assert len(claims) == 65
    assert {status for _, status, _, _, _, _ in claims} == {
        "match",
        "within_qualifier",
        "mismatch",
        "not_verifiable",
        "no_data",
    }
    for name, status, computed, sql, zh, en in claims:
        assert zh and en, name
        assert (sql is None) == (status == "not_verifiable"), name
        if sql is None:
            continue
        rows = public.execute(sql).fetchall()
        got = rows[0][0] if rows else None
        if status == "no_data":
            assert computed is None
        else:
            assert got == pytest.approx(computed, abs=1e-6), (name, sql)


def test_the_arithmetic_between_statements_comes_out_in_sql(public: sqlite3.Connection) -> None:
    checks = public.execute("select check_id, sql, computed, reading_zh, reading_en from claim_arithmetic").fetchall()
    assert len(checks) == 21
    for name, sql, computed, zh, en in checks:
        assert zh and en, name
        assert public.execute(sql).fetchall()[0][0] == pytest.approx(computed, abs=1e-6), name


def test_a_savings_line_is_an_indicator_value(public: sqlite3.Connection) -> None:
    """The public statement holds nothing that is not an indicator value or is hidden there."""
    assert public.execute("select count(*) from savings_statement").fetchone()[0] > 0
    odd = public.execute(
        "select s.line, s.year from savings_statement s left join indicator_values v "
        "using (indicator_id, year, dimension, member, factor_set) where s.value is not v.value"
    ).fetchall()
    assert odd == []


@pytest.mark.parametrize(
    ("indicator", "dataset", "amount"),
    [
        ("parking_spaces", "parking_lots", "spaces"),
        ("pv_revenue", "pv_revenue", "amount"),
        ("disposal_amount", "disposals", "deal_amount"),
        ("training_attendees", "trainings", "attendees"),
        ("retrofit_funds_planned", "retrofit_funds", "planned_amount"),
    ],
)
def test_a_number_is_the_sum_of_the_rows_that_its_source_names(
    public: sqlite3.Connection, indicator: str, dataset: str, amount: str
) -> None:
    added = public.execute(
        f"""with p as materialized ({sources_of("indicator_id = :indicator and dimension = 'total'", ["indicators"])})
        select v.year, v.value, sum(r.{amount}) from indicator_values v
        join p using (indicator_id, year, dimension, member, factor_set)
        join json_each(p.sheet_rows) span
        join {dataset} r on r._file = p.file and coalesce(r._sheet, '') = p.sheet
            and r._row between span.value ->> 0 and span.value ->> 1
        where v.records = (select sum(records) from p other where other.dataset = '{dataset}' and other.year = v.year and sheet_rows is not null)
        group by v.year order by v.year""",
        {"indicator": indicator},
    ).fetchall()
    assert added
    for year, value, total in added:
        assert total == pytest.approx(value, abs=1e-6), year
