"""A city folder: what it gives, and one clear sentence for each mistake in it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.core.city import CityError, read_city, read_providers
from pipelines.core.home import Home
from pipelines.statistics.city import MADE, TABLES, load_city, read_tables

ZHUZHOU = Path(__file__).resolve().parents[2] / "cities" / "zhuzhou"

CITY = """
code: "990100"
name_zh: 样例市
name_en: Example
publisher_zh: 样例市机关事务管理局
publisher_en: Example office
licence_zh: 可以
licence_en: May be used
grid_region: Hunan
period_start: 2021
period_end: 2025
base_year: 2021
"""
DIVISIONS = """code,name_zh,name_en,parent,level,successor,note
990100,样例市,Example,,city,,
990101,东区,East,990100,district,,
"""
CLAIM = {
    "claim_id": "funds",
    "section": "一",
    "name_zh": "资金",
    "name_en": "Funds",
    "value_text": "100万元",
    "value": "100",
    "unit": "万元",
    "qualifier": "exact",
    "step": "1",
    "is_forecast": "0",
    "verifiable": "1",
    "indicator_id": "retrofit_funds_planned",
    "year": "2024",
    "dimension": "total",
    "member": "all",
    "factor_set": "none",
    "sql": "select 1",
}
ARITHMETIC = {
    "check_id": "half",
    "expression": "100 / 2",
    "expected": "50",
    "unit": "万元",
    "step": "1",
    "reading_zh": "一半",
    "reading_en": "half",
    "sql": "select (select value from claims where claim_id = 'funds') / 2.0",
}


def folder(path: Path, **files: str) -> Path:
    """A small right city folder; `files` take the place of its own."""
    for name, text in ({"city": CITY, "divisions": DIVISIONS} | files).items():
        (path / f"{name}.{'yaml' if name == 'city' else 'csv'}").write_text(text, encoding="utf-8")
    return path


def table(kind: str, *rows: dict[str, str]) -> str:
    columns = [c for c in TABLES[kind] if c not in MADE] + ["report"] * (kind == "claims")
    return "\n".join([",".join(columns), *(",".join(f'"{r.get(c, "")}"' for c in columns) for r in rows)]) + "\n"


def test_a_city_becomes_tables(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    (tmp_path / "city").mkdir()
    city = load_city(
        folder(tmp_path / "city", claims=table("claims", CLAIM), arithmetic=table("arithmetic", ARITHMETIC)), home
    )
    assert (city.code, city.name_zh, city.periods[0].base_year) == ("990100", "样例市", 2021)
    for name, columns in TABLES.items():
        found = duckdb.execute(
            "select column_name, column_type from (describe from read_parquet(?))", [str(home.table("city", name))]
        )
        assert dict(found.fetchall()) == columns
    claims = duckdb.execute("from read_parquet(?)", [str(home.table("city", "claims"))]).fetchall()
    assert claims[0][:4] == (1, "funds", "2021-2025", "一")
    half = duckdb.execute("select expected, computed from read_parquet(?)", [str(home.table("city", "arithmetic"))])
    assert half.fetchall() == [(50.0, 50.0)]


def planned(*items: str, own: str = "") -> str:
    """A city.yaml with these items of `periods` in the place of its three lines."""
    lines = [x for x in CITY.splitlines() if not x.startswith(("period_start", "period_end", "base_year"))]
    return "\n".join([*lines, "periods:", *(f"  - {i}" for i in items), own]) + "\n"


FIRST = "{name_zh: 前期, name_en: Earlier, first_year: 2021, last_year: 2025, base_year: 2021, claims: claims.csv}"
NEXT = "{name_zh: 后期, name_en: Later, first_year: 2026, last_year: 2030, base_year: 2025, claims: later.csv, report: later}"
REPORTS = "report,title,publisher,date,url\nearlier,前期报告,,,\nlater,后期报告,,,\n"


def test_each_period_has_its_statements(tmp_path: Path) -> None:
    """Positions run through; a statement that names no report is of its period's."""
    later = CLAIM | {"claim_id": "funds_later", "report": ""}
    files = {
        "city": planned(FIRST, NEXT),
        "claims": table("claims", CLAIM | {"report": "earlier"}),
        "later": table("claims", later),
        "reports": REPORTS,
    }
    city = load_city(folder(tmp_path, **files), home := Home(tmp_path / "home").create())
    assert [(p.period_id, p.base_year) for p in city.periods] == [("2021-2025", 2021), ("2026-2030", 2025)]
    got = duckdb.sql(
        f"select position, claim_id, period_id, report_title from '{home.table('city', 'claims')}'"
    ).fetchall()
    assert got == [(1, "funds", "2021-2025", "前期报告"), (2, "funds_later", "2026-2030", "后期报告")]
    got = duckdb.sql(
        f"select period_id, name_en, first_year, last_year from '{home.table('city', 'periods')}'"
    ).fetchall()
    assert got == [("2021-2025", "Earlier", 2021, 2025), ("2026-2030", "Later", 2026, 2030)]


def test_one_period_is_told_in_three_lines_or_in_a_list(tmp_path: Path) -> None:
    three, listed = tmp_path / "three", tmp_path / "listed"
    for path in (three, listed):
        path.mkdir()
    only = FIRST.replace(", claims: claims.csv", "")
    one = read_tables(folder(three, claims=table("claims", CLAIM)))
    other = read_tables(folder(listed, claims=table("claims", CLAIM), city=planned(only)))
    assert one["claims"] == other["claims"] != []
    names = ("name_zh", "name_en")
    assert [{c: v for c, v in p.items() if c not in names} for p in one["periods"]] == [
        {c: v for c, v in p.items() if c not in names} for p in other["periods"]
    ]
    assert (one["periods"][0]["name_zh"], one["periods"][0]["name_en"]) == ("规划期", "Plan period")


def test_a_period_may_have_no_base_year_and_no_statements(tmp_path: Path) -> None:
    bare = "{name_zh: 后期, name_en: Later, first_year: 2026, last_year: 2030}"
    tables = read_tables(folder(tmp_path, city=planned(FIRST, bare), claims=table("claims", CLAIM)))
    assert (tables["periods"][1]["base_year"], tables["periods"][1]["claims"]) == (None, None)
    assert {c["period_id"] for c in tables["claims"]} == {"2021-2025"}


def bad_periods(*items: str, own: str = "", **files: str) -> Callable[[Path], Path]:
    there = {
        "claims": table("claims", CLAIM),
        "later": table("claims", CLAIM | {"claim_id": "later"}),
        "reports": REPORTS,
    } | files
    return lambda path: folder(path, city=planned(*items, own=own), **there)


PERIOD_MISTAKES = [
    (lambda p: folder(p, city=CITY.replace("period_start: 2021\n", "")), "city.yaml: 'period_start' is missing"),
    (lambda p: folder(p, city=planned().replace("periods:\n", "")), "city.yaml: 'periods' is missing"),
    (bad_periods(), "periods must be a list; begin each with '- name_zh:'"),
    (bad_periods("2021"), "periods must be a list; begin each with '- name_zh:'"),
    (bad_periods(FIRST, own="base_year: 2021"), "base_year stands beside periods; write the years in periods alone"),
    (bad_periods(FIRST.replace("name_en", "name_fr")), "periods, number 1: 'name_fr' is not known; use only name_zh"),
    (bad_periods(FIRST, NEXT.replace("name_zh: 后期, ", "")), "periods, number 2: 'name_zh' is missing"),
    (bad_periods(FIRST.replace("2025", "2020")), "periods, number 1: neither first_year nor base_year may come after last_year"),
    (bad_periods(FIRST, NEXT.replace("base_year: 2025", "base_year: 2031")), "number 2: neither first_year nor base_year may come after"),
    (bad_periods(FIRST, NEXT.replace("first_year: 2026", "first_year: 2025")), "2025-2030 begins before 2021-2025 is over"),
    (bad_periods(NEXT, FIRST), "2021-2025 begins before 2026-2030 is over; write the periods in order"),
    (bad_periods(FIRST, NEXT.replace("later.csv", "claims.csv")), "claims.csv stands at two periods; give each its own file"),
    (bad_periods(FIRST, NEXT.replace("later.csv", "nobody.csv")), "number 2: there is no file 'nobody.csv' beside city.yaml"),
    (bad_periods(FIRST, NEXT.replace("later.csv", "../later.csv")), "number 2: there is no file '../later.csv' beside city.yaml"),
    (bad_periods(FIRST.replace(", claims: claims.csv", ""), NEXT), "no period has the statements of claims.csv; write claims: claims.csv"),
    (bad_periods(FIRST, NEXT.replace("report: later", "report: nobody")), "2026-2030: there is no report 'nobody'; add it to reports.csv"),
    (bad_periods(FIRST, NEXT, later=table("claims", CLAIM)), "later.csv row 2: claim_id 'funds' stands in another period's file too"),
    (bad_periods(FIRST, NEXT, later=table("claims", CLAIM | {"claim_id": "x", "section": ""})), "later.csv row 2 (x): section is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "says"), PERIOD_MISTAKES)
def test_a_mistake_in_the_periods_is_said_in_one_sentence(
    spoil: Callable[[Path], Path], says: str, tmp_path: Path
) -> None:
    with pytest.raises(CityError) as e:
        read_tables(spoil(tmp_path))
    assert says in str(e.value)
    assert str(e.value).endswith(".") and "\n" not in str(e.value)


def test_a_city_need_not_have_made_statements(tmp_path: Path) -> None:
    tables = read_tables(folder(tmp_path))
    assert tables["claims"] == []
    assert tables["arithmetic"] == []
    assert [d["code"] for d in tables["divisions"]] == ["990100", "990101"]


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = Home(tmp_path / "one").create(), Home(tmp_path / "two").create()
    load_city(ZHUZHOU, one)
    load_city(ZHUZHOU, two)
    for name in TABLES:
        assert one.table("city", name).read_bytes() == two.table("city", name).read_bytes()


def test_a_mistake_leaves_the_last_tables(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").create()
    load_city(ZHUZHOU, home)
    before = home.table("city", "claims").read_bytes()
    (tmp_path / "city").mkdir()
    with pytest.raises(CityError):
        load_city(folder(tmp_path / "city", arithmetic="nonsense\n"), home)
    assert home.table("city", "claims").read_bytes() == before


def tiles(*places: str) -> Callable[[Path], Path]:
    """The divisions with these places on the map of tiles, in order."""
    header, *rows = DIVISIONS.splitlines()
    rows = [f"{r},{p}" for r, p in zip(rows, [*places, ","], strict=False)]
    return lambda path: folder(path, divisions="\n".join([f"{header},tile_column,tile_row", *rows]) + "\n")


def bad_claim(**own: str) -> Callable[[Path], Path]:
    return lambda path: folder(path, claims=table("claims", CLAIM | own))


def bad_check(**own: str) -> Callable[[Path], Path]:
    return lambda path: folder(path, claims=table("claims", CLAIM), arithmetic=table("arithmetic", ARITHMETIC | own))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p / "nowhere", "There is no city folder at"),
        (lambda p: p, "has no city.yaml; write one with code, name_zh"),
        (lambda p: folder(p, city="a: [b"), "city.yaml is not readable as YAML"),
        (lambda p: folder(p, city="only text"), "city.yaml must be a list of names and values"),
        (lambda p: folder(p, city=CITY + "nmae: x\n"), "city.yaml: 'nmae' is not known; use only code"),
        (lambda p: folder(p, city=CITY.replace("licence_en: May be used", "")), "city.yaml: 'licence_en' is missing"),
        (lambda p: folder(p, city=CITY.replace("base_year: 2021", "base_year: x")), "base_year is 'x'; write a whole number"),
        (lambda p: folder(p, city=CITY.replace("base_year: 2021", "base_year: 2026")), "neither period_start nor base_year may come after period_end"),
        (lambda p: folder(p, divisions="code\n990100\n"), "divisions.csv: column 'name_zh' is missing; its columns are"),
        (lambda p: folder(p, divisions=DIVISIONS.replace("note", "remark")), "divisions.csv: column 'remark' is not known"),
        (lambda p: folder(p, divisions=DIVISIONS.replace("990100,样例市", "990109,样例市").replace(",990100,district", ",,district")), "no row for the city's own code 990100"),
        (lambda p: folder(p, divisions=DIVISIONS + "99,西区,West,990100,district,,\n"), "row 4: code '99' is not six digits"),
        (lambda p: folder(p, divisions=DIVISIONS + "990102,,West,990100,district,,\n"), "row 4: name_zh is empty"),
        (lambda p: folder(p, divisions=DIVISIONS + "990102,西区,West,990100,district,990109,\n"), "row 4: successor '990109' is no code of this table"),
        (lambda p: folder(p, divisions=DIVISIONS + "990101,西区,West,990100,district,,\n"), "row 4: code '990101' stands there twice"),
        (lambda p: folder(p, divisions=DIVISIONS + ",西区,West,990100,district,,\n"), "row 4: code is empty"),
        (lambda p: folder(p, divisions=DIVISIONS + "990102,西区,West,990100,district,,a,b\n"), "row 4 has not as many cells as the header"),
        (lambda p: folder(p, claims='claim_id\n"x'), "claims.csv is not readable as CSV in UTF-8"),
        (bad_claim(name_en=""), "claims.csv row 2 (funds): name_en is empty"),
        (bad_claim(qualifier="roughly"), "qualifier 'roughly' is not known; use one of exact, approx"),
        (bad_claim(value=""), "a statement with qualifier 'exact' needs a value"),
        (bad_claim(value="", qualifier="none"), "held against an indicator needs a value"),
        (bad_claim(value="many"), "row 2: value is 'many'; write a number"),
        (bad_claim(value="inf"), "row 2: value is 'inf'; write a number"),
        (bad_claim(verifiable="yes"), "row 2: verifiable is 'yes'; write 0 or 1"),
        (bad_claim(unit=""), "unit is empty"),
        (bad_claim(step=""), "step must be what one more in the last printed digit is worth"),
        (bad_claim(step="7"), "value 100 is not a multiple of step 7"),
        (bad_claim(verifiable="0"), "what cannot be verified must say why"),
        (bad_claim(member=""), "member is empty; a statement held against an indicator needs indicator_id, year"),
        (bad_claim(indicator_id="funds"), "there is no indicator 'funds'; use one of"),
        (bad_claim(unit="㎡"), "unit '㎡' cannot be compared with '元' of retrofit_funds_planned"),
        (bad_claim(test=">="), "test is '>='; write one of =, >=, >, <=, < together with a target"),
        (bad_claim(test="about", target="1"), "test is 'about'; write one of"),
        (bad_claim(first_year="2025"), "first_year must come before year"),
        (bad_claim(first_year="2023", dimension="period"), "first_year must come before year, of a dimension by year"),
        (bad_claim(first_year="2023", indicator_id="parking_spaces", unit="个"), "the years of parking_spaces do not add up"),
        (bad_claim(indicator_id="", year="", dimension="", member="", factor_set=""), "sql, test and first_year need the indicator"),
        (bad_claim(report="other"), "claims.csv row 2 (funds): there is no report 'other'; add it to reports.csv"),
        (lambda p: folder(p, reports="report,title,date\na,A,12 Aug\n"), "reports.csv row 2: date is '12 Aug'; write a day"),
        (lambda p: folder(p, reports="report,title,url\na,A,javascript:x\n"), "reports.csv row 2: url 'javascript:x' is no address"),
        (lambda p: folder(p, reports="report,title\na,\n"), "reports.csv row 2: title is empty"),
        (tiles("1,"), "divisions.csv row 2: write both tile_column and tile_row, from 1 to 16, or neither"),
        (tiles("0,1"), "divisions.csv row 2: write both tile_column and tile_row"),
        (tiles("2,1", "2,1"), "divisions.csv row 3: 990101 has the tile of 990100; give it another place"),
        (lambda p: folder(p, city=CITY + "email: the office\n"), "city.yaml: email 'the office' is no address"),
        (lambda p: folder(p, city=CITY + "telephone: 139 0000-0000\n"), "city.yaml: telephone is a mobile number"),
        (lambda p: folder(p, city=CITY + "next_release: soon\n"), "city.yaml: next_release is 'soon'; write a day"),
        (lambda p: folder(p, city=CITY + "licence_name: A\nlicence_url: 'javascript:x'\n"), "city.yaml: licence_url 'javascript:x' is no address"),
        (lambda p: folder(p, city=CITY + "licence_url: https://a.example\n"), "city.yaml: licence_url has no licence_name"),
        (lambda p: folder(p, providers="dataset,provider_zh,provider_en\nleases,,x\n"), "providers.csv row 2: provider_zh is empty"),
        (lambda p: folder(p, sections="section,title_zh,title_en\n一,,x\n"), "sections.csv row 2: title_zh is empty"),
        (lambda p: folder(p, sections="section,title_zh,title_en\n九,甲,x\n"), "sections.csv row 2: no statement is in section '九'"),
        (bad_claim(period_start="2011", period_end="2012"), "it speaks of 2011 to 2012 and year is 2024; write a year that it speaks of"),
        (bad_claim(sql="delete from claims"), "sql must be one SELECT without a semicolon"),
        (bad_claim(sql="select 1; select 2"), "sql must be one SELECT without a semicolon"),
        (bad_check(reading_en=""), "arithmetic.csv row 2 (half): reading_en is empty"),
        (bad_check(sql="select x"), "its sql does not run"),
        (bad_check(sql="select count(*) from read_csv('/etc/passwd')"), "its sql does not run"),
        (bad_check(sql="select (select value from claims where claim_id = 'nobody')"), "its sql gives no number"),
        (bad_check(expected="51"), "expected is 51 but its sql gives 50"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(tmp_path: Path, make: Callable[[Path], Path], says: str) -> None:
    with pytest.raises(CityError) as e:
        read_tables(make(tmp_path))
    assert says in str(e.value)
    assert "\n" not in str(e.value)


def test_a_city_without_divisions_is_told_to_write_them(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "divisions.csv").unlink()
    with pytest.raises(CityError, match=r"has no divisions\.csv; write one with the columns code"):
        read_tables(tmp_path)


def test_a_statement_has_the_report_it_names_or_the_only_one(tmp_path: Path) -> None:
    reports = "report,title,publisher,date,url\na,甲,局,2025-08-12,https://a.example/1\n"
    [claim] = read_tables(
        folder(tmp_path, claims=table("claims", CLAIM | {"quotation": "共100万元。"}), reports=reports)
    )["claims"]
    assert (claim["quotation"], claim["report_title"], claim["report_by"]) == ("共100万元。", "甲", "局")
    assert (claim["report_date"], claim["report_url"]) == ("2025-08-12", "https://a.example/1")
    folder(
        tmp_path, claims=table("claims", CLAIM, CLAIM | {"claim_id": "b", "report": "z"}), reports=reports + "z,乙,,,\n"
    )
    one, two = read_tables(tmp_path)["claims"]
    assert (one["report_title"], two["report_title"], two["report_url"]) == (
        None,
        "乙",
        None,
    )  # of two, none is guessed


def test_the_doors_of_a_city_are_optional(tmp_path: Path) -> None:
    folder(tmp_path)
    assert read_city(tmp_path / "city.yaml")["email"] == "" and read_providers(tmp_path) == {}
    given = "email: open@city.example\ntelephone: 0731-2868\nnext_release: 2026-04-30\nlicence_name: CC BY 4.0\n"
    folder(tmp_path, city=CITY + given, providers="dataset,provider_zh,provider_en\nleases,资产科,\n")
    city = read_city(tmp_path / "city.yaml")
    assert [city[c] for c in ("email", "telephone", "next_release", "licence_name", "licence_url")] == [
        "open@city.example", "0731-2868", "2026-04-30", "CC BY 4.0", "",
    ]  # fmt: skip
    assert read_providers(tmp_path) == {"leases": {"provider_zh": "资产科", "provider_en": ""}}


def test_zhuzhou_quotes_the_report(shared: Path) -> None:
    article = "".join((shared / "domain" / "article.txt").read_text(encoding="utf-8").split())
    for r in read_tables(ZHUZHOU)["claims"]:
        assert r["quotation"] and "".join(r["quotation"].split()) in article, r["claim_id"]
        assert r["report_title"] in article and r["report_date"] in article and r["report_url"]


def test_zhuzhou_says_what_the_report_says(shared: Path) -> None:
    """Our table of statements against the facts it was carried over from; units, values, periods and who is meant."""
    ours = {r["claim_id"]: r for r in read_tables(ZHUZHOU)["claims"]}
    with (shared / "domain" / "claims.csv").open(encoding="utf-8", newline="") as f:
        theirs = {r["claim_id"]: r for r in csv.DictReader(f)}
    assert list(ours) == list(theirs)
    assert len(ours) == 65
    for claim, r in theirs.items():
        o = ours[claim]
        for c in ("section", "name_zh", "name_en", "value_text", "unit", "qualifier", "period_note", "scope", "kind"):
            assert (o[c] or "") == r[c], (claim, c)
        for c in ("period_start", "period_end"):
            assert str(o[c] or "") == r[c], (claim, c)
        assert (o["datasets"] or "").split("|") == r["datasets"].split(",")
        assert o["is_forecast"] == (r["is_forecast"] == "1")
        if claim != "timeshare_start":  # a month, which we keep as a number
            assert o["value"] == (float(r["value"]) if r["value"] else None), claim


def test_zhuzhou_has_every_arithmetic_check_and_division(shared: Path) -> None:
    tables = read_tables(ZHUZHOU)
    for name, key in (("arithmetic", "check_id"), ("divisions", "code")):
        with (shared / "domain" / f"{name}.csv").open(encoding="utf-8", newline="") as f:
            assert [r[key] for r in tables[name]] == [r[key] for r in csv.DictReader(f)]
    assert {d["code"]: d["successor"] for d in tables["divisions"]}["430221"] == "430212"


def test_the_seeds_are_the_facts_they_were_carried_over_from(root: Path, shared: Path) -> None:
    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    seeds = root / "dbt_project" / "seeds"
    for name, key, columns in (
        (
            "factors",
            "factor_id",
            ("carrier", "metric", "value", "per_unit", "basis", "region", "valid_year", "confidence", "use"),
        ),
        ("benchmarks", "benchmark_id", ("name_zh", "year", "value", "unit")),
    ):
        ours = {r[key]: r for r in read(seeds / f"seed_{name}.csv")}
        theirs = {r[key]: r for r in read(shared / "domain" / f"{name}.csv")}
        ours_too = [k for k in ours if k in theirs]  # the averages of schools and hospitals we give whole
        assert ours_too == list(theirs) and (name == "benchmarks" or len(ours) == len(theirs))
        for k, r in theirs.items():
            assert [ours[k][c] for c in columns] == [r[c] for c in columns], k
        assert all(r["source"] for r in ours.values())


def test_the_city_folder_may_lie_anywhere(tmp_path: Path) -> None:
    shutil.copytree(ZHUZHOU, tmp_path / "another")
    assert len(read_tables(tmp_path / "another")["claims"]) == 65
