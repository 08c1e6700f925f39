"""The sentences of the public tables, from the codes and numbers of the marts."""

from __future__ import annotations

import re
from decimal import Decimal as D
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from publish import wording
from publish.wording import CLAIM_FACTS, LANGUAGES, TEMPLATES, explanation, notes, own_bodies, plain, verdict

DBT = Path(wording.__file__).parents[1] / "dbt_project"
TITLES: dict[str, Any] = {"policies": {"zh": "政策文件", "en": "Policies"}, "costs": {"zh": "费用", "en": None}}
LITERAL = re.compile(r"'((?:[^'\n]|'')*)'")
SENTENCE = re.compile(r"[。；，：！？“”]|^[,;.]? ?[A-Z][a-z]+[^()]* [a-z]+|[a-z] [a-z]+[.;:,]( |$)")


def claim(**own: Any) -> dict[str, Any]:
    """A statement that holds: 438 万元 by 9 records of 5 files."""
    return dict.fromkeys(CLAIM_FACTS) | {
        "value_text": "438万元", "value": D("438.000000"), "unit": "万元", "qualifier": "exact", "computed_value": D("438.000000"),
        "computed_unit": "万元", "difference": D("0.000000"), "check_status": "match", "verdict": "holds", "wording_rule": "none",
        "wording_status": "no_word", "kind": "flow", "year": 2024, "synthetic": False, "records": 9, "files": 5, "no_period": False,
    } | own  # fmt: skip


def sql_texts() -> dict[str, str]:
    """The SQL of every model and macro without its comments."""
    out = {}
    for path in sorted((*DBT.glob("models/**/*.sql"), *DBT.glob("macros/**/*.sql"))):
        text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        out[path.relative_to(DBT).as_posix()] = re.sub(r"--.*", "", text)
    return out


def test_no_sql_composes_a_sentence() -> None:
    assert all(SENTENCE.search(about[lang]) for about in TEMPLATES["notes"].values() for lang in LANGUAGES)
    found = {
        (path, text) for path, sql in sql_texts().items() for text in LITERAL.findall(sql) if SENTENCE.search(text)
    }
    assert found == set()


def test_the_codes_of_the_notes_are_those_of_the_templates() -> None:
    sql = sql_texts()
    models = ("models/intermediate/base/int_indicator_values.sql", "models/marts/benchmark_distances.sql")
    ends = {m: sql[m][: sql[m].index("as note_codes")] for m in models}
    lists = {m: text[text.rindex("nullif(concat_ws(") :] for m, text in ends.items()}
    coded = {
        (code, bool(more)) for text in lists.values() for code, more in re.findall(r"then\s+'([a-z0-9_]+)(:?)'", text)
    }
    assert coded == {(code, "fields" in about) for code, about in TEMPLATES["notes"].items()}


def test_every_template_is_in_both_languages_and_names_its_fields() -> None:
    for code, about in TEMPLATES["notes"].items():
        named = {lang: {name for _, name, _, _ in Formatter().parse(about[lang]) if name} for lang in LANGUAGES}
        assert all(n == set(about.get("fields", ())) for n in named.values()), code
    for table in ("separators", "division", "figure", "explanation", "verdict", "wording"):
        assert all(set(t) == set(LANGUAGES) for t in TEMPLATES[table].values()), table
    assert set(TEMPLATES["qualifiers"]) == {"over", "near_below", "approx", "at_least", "planned"}


@pytest.mark.parametrize(
    "codes, zh, en",
    [
        (None, None, None),
        ("", None, None),
        ("no_denominator", "缺少分母，无法计算。", "Without a denominator there is no value."),
        (
            "plan_not_over:2026-2030/2026-2027",
            "2026—2030 年的计划还没有结束，这里只有 2026—2027 年的数据。",
            "The plan of 2026–2030 is not over; this is of 2026–2027 alone.",
        ),
        (
            "plan_not_over:2026-2030/2026 year_not_over:2026-11-01",
            "2026—2030 年的计划还没有结束，这里只有 2026 年的数据。 这一年还没有结束，数据截至 2026-11-01。",
            "The plan of 2026–2030 is not over; this is of 2026 alone. The year is not over: data as of 2026-11-01.",
        ),
        (
            "months_missing_some_all_year:24/2 left_out:1",
            "报送不全：有 24 个单位·月未报，其中 2 家机构全年未报。 有 1 家机构分子、分母不全，未计入。",
            "Incomplete: institution-months missing: 24; institutions that reported nothing in a year: 2. "
            "Institutions left out because they lack one of the two quantities: 1.",
        ),
        (
            "electricity_factors:co2-grid-cn-2021,co2-grid-cn-2022",
            "电力系数：co2-grid-cn-2021、co2-grid-cn-2022。",
            "Factor of electricity: co2-grid-cn-2021, co2-grid-cn-2022.",
        ),
        (
            "other_base_year:2020/2021",
            "目标以 2020 年为基期，本市的变化以 2021 年为基期：只列距离，不判断是否达到。",
            "The target counts from 2020, the city's change from 2021: the distance is given, not whether it is met.",
        ),
    ],
)
def test_notes_are_worded(codes: str | None, zh: str | None, en: str | None) -> None:
    assert (notes(codes, "zh"), notes(codes, "en")) == (zh, en)


@pytest.mark.parametrize("codes", ["of_no_kind", "left_out", "left_out:1/2", "no_denominator:3"])
def test_a_note_that_the_templates_do_not_state_is_refused(codes: str) -> None:
    with pytest.raises(ValueError, match=re.escape(codes)):
        notes(codes, "zh")


@pytest.mark.parametrize(
    "own, zh, en",
    [
        (
            {"computed_value": D("400.000000"), "difference": D("-38.000000"), "check_status": "mismatch", "synthetic": True},
            "以合成示例数据计算（不能证明真实情况）：5 份文件的 9 条记录算得 400 万元，与原文“438万元”相差 -38 万元。",
            "From made-up data (which prove nothing about the real city): 9 records of 5 files give 400 万元, which differs from the "
            "statement by -38 万元.",
        ),
        (
            {"value_text": "下降3.27%", "computed_value": D("-3.270000"), "computed_unit": "%", "note_codes": "left_out:2", "note_zh": "注"},
            "5 份文件的 9 条记录算得 -3.27 %，与原文“下降3.27%”一致。 有 2 家机构分子、分母不全，未计入。 注",
            "9 records of 5 files give -3.27 %, which agrees with the statement. Institutions left out because they lack one of the two "
            "quantities: 2.",
        ),
        (
            {"value_text": "600多万元", "computed_value": D("650.000000"), "files": None, "check_status": "within_qualifier"},
            "9 条记录算得 650 万元，在原文“600多万元”的约数范围内。",
            "9 records give 650 万元, within what the wording allows.",
        ),
        (
            {"computed_value": None, "check_status": "no_data", "datasets": "policies|costs|meetings", "note_codes": "left_out:2"},
            "没有可用的记录；核对需要《政策文件》、《费用》、meetings。",
            "There are no records to hold this against; it needs: Policies, costs, meetings.",
        ),
        (
            {"computed_value": None, "check_status": "no_data"},
            "没有可用的记录；核对需要别的数据。",
            "There are no records to hold this against; it needs: other data.",
        ),
        (
            {"value_text": "满8年", "computed_value": D("100.000000"), "computed_unit": "%", "test": ">=", "target": D("100.000000")},
            "5 份文件的 9 条记录算得 100 %（须 ≥ 100 %），与原文“满8年”一致。",
            "9 records of 5 files give 100 % (must be >= 100 %), which agrees with the statement.",
        ),
        (
            {
                "value_text": "每次", "computed_value": D("99.000000"), "computed_unit": "%", "difference": D("-1.000000"),
                "check_status": "mismatch", "test": ">=", "target": D("100.000000"), "files": 1, "records": 5,
            },
            "1 份文件的 5 条记录算得 99 %（须 ≥ 100 %），与原文“每次”不符，差 -1 个百分点。",
            "5 records of 1 files give 99 % (must be >= 100 %), which does not bear the statement out: it is off by -1 percentage points.",
        ),
        (
            {
                "value_text": "2025年2月", "value": D("202502"), "computed_value": D("202411"), "computed_unit": "年月",
                "check_status": "mismatch",
            },
            "5 份文件的 9 条记录算得 2024年11月，与原文“2025年2月”相差 -3 个月。",
            "9 records of 5 files give 2024-11, which differs from the statement by -3 months.",
        ),
        (
            {"check_status": "mismatch", "synthetic": True, "kind": "count", "difference": D("1"), "files": None, "note_en": "See 2.1."},
            "以合成示例数据计算（不能证明真实情况）：9 条记录算得 438 万元，与原文“438万元”相差 1 万元。 "
            "示例城市的机构数与真实城市不同，按机构计数的表述会因此不一致。",
            "From made-up data (which prove nothing about the real city): 9 records give 438 万元, which differs from the statement by "
            "1 万元. The made-up city has not as many institutions as the real one, so that counts of them differ. See 2.1.",
        ),
        ({"check_status": "not_verifiable", "computed_value": None, "note_zh": "没有排名。"}, "没有排名。", None),
        ({"value_text": None}, None, "9 records of 5 files give 438 万元, which agrees with the statement."),
    ],
)  # fmt: skip
def test_an_explanation_states_the_figure_and_its_distance(own: dict[str, Any], zh: str | None, en: str | None) -> None:
    assert (explanation(claim(**own), TITLES, "zh"), explanation(claim(**own), TITLES, "en")) == (zh, en)


SINCE_2021 = {
    "word": "同比", "wording_rule": "year_on_year", "wording_status": "does_not_fit", "compared_year": 2021,
    "year_on_year": D("-0.98"), "basis_count": 4, "basis_match": 1, "verdict": "holds_in_part",
}  # fmt: skip


@pytest.mark.parametrize(
    "own, zh, en",
    [
        ({}, "相符", "Match"),
        ({"check_status": "within_qualifier"}, "在约数范围内", "Within its qualifier"),
        (
            SINCE_2021,
            "数字相符，但用词不当（同比）；4 组系数中只有 1 组相符",
            "The figure matches, but the wording (同比) does not fit; under 1 of 4 factor sets only",
        ),
        ({"basis_count": 4, "basis_match": 4}, "相符", "Match"),
        ({"check_status": "mismatch", "verdict": "differs", "word": "超", "wording_rule": "over", "wording_status": "does_not_fit"}, "不符", "Differs"),
        (
            {"check_status": "mismatch", "verdict": "differs", "word": "每年", "wording_rule": "every_year", "wording_status": "does_not_fit"},
            "不符，但用词不当（每年）",
            "Differs, but the wording (每年) does not fit",
        ),
        (
            {"verdict": "holds_in_part", "no_period": True, "wording_status": "incomplete"},
            "数字相符，但原文没有写期间",
            "The figure matches, but no period is named",
        ),
        (
            {"check_status": "mismatch", "verdict": "differs", "basis_count": 4, "basis_match": 1},
            "不符；换系数时 4 组中有 1 组相符",
            "Differs; matches under 1 of 4 factor sets",
        ),
        ({"check_status": "mismatch", "verdict": "differs", "basis_count": 4, "basis_match": 0}, "不符", "Differs"),
        ({"check_status": "no_data"}, "暂无数据", "No data yet"),
        ({"check_status": "not_verifiable"}, "无法核验", "Cannot be verified"),
    ],
)  # fmt: skip
def test_a_verdict_names_the_figure_the_wording_and_the_basis(own: dict[str, Any], zh: str, en: str) -> None:
    assert (verdict(claim(**own), "zh"), verdict(claim(**own), "en")) == (zh, en)


@pytest.mark.parametrize(
    "own, zh, en",
    [
        (
            SINCE_2021,
            "“同比”是与上一年比；这里比的是 2024 年与 2021 年，应写“较 2021 年”。与上一年（2023 年）比是 -0.98%。",
            "“同比” means against the year before; here 2024 is compared with 2021, so it should say “since 2021”. "
            "Against the year before (2023) the change is -0.98 %.",
        ),
        (
            SINCE_2021 | {"year_on_year": None},
            "“同比”是与上一年比；这里比的是 2024 年与 2021 年，应写“较 2021 年”。",
            "“同比” means against the year before; here 2024 is compared with 2021, so it should say “since 2021”.",
        ),
        (
            SINCE_2021 | {"wording_status": "fits"},
            "“同比”是与上一年比；这里比的正是上一年，用词合适。",
            "“同比” means against the year before; that is what is compared here.",
        ),
        (
            {"wording_rule": "every_year", "wording_status": "does_not_fit", "years_known": 4, "years_match": 1},
            "“每年”是说年年如此；有记录的 4 年中有 1 年相符。",
            "“每年” says it of every year; of 4 years with records 1 agree.",
        ),
        (
            {"wording_rule": "every_year", "wording_status": "not_judged", "years_known": 1, "years_match": 1},
            "“每年”是说年年如此；记录只有一个数，看不出是否如此。",
            "“每年” says it of every year; the records give one figure, which does not tell.",
        ),
        (
            {"wording_rule": "test", "wording_status": "fits", "value_text": "每次", "test": ">=", "target": D("100"), "computed_unit": "%"},
            "按“每次”的意思，算得的数须 ≥ 100 %；用词合适。",
            "“每次” asks for a figure ≥ 100 %; the wording fits.",
        ),
        (
            {"wording_rule": "test", "wording_status": "does_not_fit", "word": "逐年", "test": "<", "target": D("0.5"), "computed_unit": "%"},
            "按“逐年”的意思，算得的数须 < 0.5 %；算得的不是，用词不当。",
            "“逐年” asks for a figure < 0.5 %; it is not, so the wording does not fit.",
        ),
        (
            {"word": "超", "wording_rule": "over", "wording_status": "does_not_fit", "value": D("6.0"), "computed_value": D("5.00")},
            "“超”是说不低于 6 万元；算得 5，用词不当。",
            "“超” says no less than 6 万元; computed: 5, so the wording does not fit.",
        ),
        (
            {"qualifier": "near_below", "wording_rule": "near_below", "wording_status": "fits", "computed_value": D("430.5")},
            "“近”是说不到 438 万元；算得 430.5，用词合适。",
            "“近” says less than 438 万元; computed: 430.5, so the wording fits.",
        ),
        (
            {"qualifier": "approx", "wording_rule": "approx", "wording_status": "fits"},
            "“约”是说与之相差不超过 5%：438 万元；算得 438，用词合适。",
            "“约” says within 5 % of 438 万元; computed: 438, so the wording fits.",
        ),
        (
            {"qualifier": "planned", "wording_rule": "planned", "wording_status": "fits"},
            "“预计”说的是计划数，不是实绩；这里核对的是设计或计划值。",
            "“预计” speaks of a plan, not of an outcome; what is checked is the plan.",
        ),
        ({}, "原文没有限定词，按印出的位数核对。", "There is no such word; the figure is checked to the digits printed."),
        (
            {"no_period": True, "wording_status": "incomplete"},
            "原文没有写期间，这里按全部有记录的年份计。",
            "The statement names no period; every year on record is counted.",
        ),
        (
            {"no_period": True, "wording_status": "incomplete", "qualifier": "at_least", "wording_rule": "at_least"},
            "“至少”是说不低于 438 万元；算得 438，用词合适。 原文没有写期间，这里按全部有记录的年份计。",
            "“至少” says no less than 438 万元; computed: 438, so the wording fits. "
            "The statement names no period; every year on record is counted.",
        ),
        ({"check_status": "no_data"}, "没有可核对的数字，用词不作判断。", "There is no figure to judge the wording by."),
    ],
)  # fmt: skip
def test_the_words_of_a_statement_are_judged(own: dict[str, Any], zh: str, en: str) -> None:
    assert (wording.wording(claim(**own), "zh"), wording.wording(claim(**own), "en")) == (zh, en)


def test_numbers_are_written_without_trailing_zeros() -> None:
    given = ("438.000000", "0.000000", "-3.270000", "100", "0.5", "1E+2")
    assert [plain(D(n)) for n in given] == ["438", "0", "-3.27", "100", "0.5", "100"]
    assert plain(None) is None


def test_a_city_and_its_own_bodies_have_different_names() -> None:
    assert (own_bodies("示例市", "zh"), own_bodies("Example", "en")) == ("示例市本级", "Bodies of Example itself")
