"""A whole made-up city of ten years, its second plan begun as the how-to says: both plans' figures against a second implementation."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from publish.disclosure.history import is_frozen
from tests.conftest import ROOT, mingzhang
from tests.statistics.second import facts_of_records, plan_of, values
from tests.statistics.test_second import crosses_of, differences, facts_of, marts

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(3600)]

AS_OF = dt.date(2031, 3, 31)
NEXT = """  - name_zh: “十五五”时期
    name_en: 15th Five-Year Plan
    first_year: 2026
    last_year: 2030
    base_year: 2025
    claims: claims-2026.csv
"""
CLAIMS = """\
funds_2030,一,节能改造专项资金,Energy-retrofit funds,384万元,384,万元,exact,,1,,,2026,2030,,全市,,flow,0,1,retrofit_funds,retrofit_funds_planned,,2030,period,2026-2030,none,,,,
bought_2030,一,新购公务用车,Vehicles bought,75辆,75,辆,exact,,1,,,2026,2030,,全市,,count,0,1,vehicle_purchases,vehicle_purchases,,2030,period,2026-2030,none,,,,
"""


def two_plans(folder: Path) -> Path:
    """The folder of the sample's own city with a plan after its own."""
    shutil.copytree(ROOT / "cities" / "zhuzhou", folder)
    yaml = (folder / "city.yaml").read_text(encoding="utf-8")
    assert yaml.count("    claims: claims.csv\n") == 1
    (folder / "city.yaml").write_text(
        yaml.replace("    claims: claims.csv\n", f"    claims: claims.csv\n{NEXT}"), encoding="utf-8"
    )
    header = (folder / "claims.csv").read_text(encoding="utf-8").splitlines()[0]
    (folder / "claims-2026.csv").write_text(f"{header}\n{CLAIMS}", encoding="utf-8")
    return folder


def check(home: Path) -> None:
    """Every value of both plans, in the warehouse and as published, is what the second implementation makes of the same records."""
    plan = plan_of(home / "work" / "city", AS_OF)
    assert [s.name for s in plan.spans] == ["2021-2025", "2026-2030"]
    _, stated, months = facts_of_records(home / "work" / "records", plan)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        ours, theirs = values(facts_of(con), stated, months, plan, crosses_of(con, home / "work" / "city")), marts(con)
    assert differences(ours, theirs) == []
    spans = Counter(member.partition("/")[0] for _, _, dimension, member, _ in theirs if dimension.startswith("period"))
    bases = Counter(member.partition("/")[0] for _, _, dimension, member, _ in theirs if dimension.startswith("base"))
    assert set(spans) == {"2021-2025", "2026-2030"} and min(spans.values()) > 100
    assert set(bases) == {"2021", "2025"} and min(bases.values()) > 100
    with closing(sqlite3.connect(home / "current" / "mingzhang.db")) as con:
        shown = con.execute(
            "select indicator_id, year, dimension, member, factor_set, value, note from indicator_values where value is not null"
        ).fetchall()
        of_next = con.execute(
            "select claim_id, check_status from claims where period_id = '2026-2030' order by 1"
        ).fetchall()
        of_first = con.execute(
            "select count(*), count(computed_value) from claims where period_id = '2021-2025'"
        ).fetchone()
        periods = con.execute("select period_id, member, is_over from periods order by first_year").fetchall()
    published = {tuple(r[:5]): r[5] for r in shown if not is_frozen(r[6])}
    assert [(k, v, ours[k]) for k, v in published.items() if v != float(ours[k] or 0)] == []  # type: ignore[index]
    assert any(k[3] == "2026-2030" for k in published) and any(k[3] == "2021-2025" for k in published)
    assert of_next == [("bought_2030", "match"), ("funds_2030", "match")]
    assert of_first[0] == 65 and of_first[1] > 40
    assert periods == [("2021-2025", "2021-2025", 1), ("2026-2030", "2026-2030", 1)]


def test_both_plans_of_a_whole_city(tmp_path: Path) -> None:
    city = two_plans(tmp_path / "city")
    made = mingzhang("sample", "--out", tmp_path / "made", "--orgs", "40", "--years", "2021-2030")
    assert made.returncode == 0, made.stderr
    ran = mingzhang(
        "run",
        "--home",
        tmp_path / "home",
        "--inbox",
        tmp_path / "made" / "inbox",
        "--city",
        city,
        "--as-of",
        str(AS_OF),
    )
    assert ran.returncode == 0, ran.stderr
    check(tmp_path / "home")
