"""Whom a spreadsheet means: names as departments write them, against a register and a city's divisions."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.core.city import CityError
from pipelines.records.divisions import Divisions, load_divisions
from pipelines.records.institutions import Alias, Register, fold_name, load_aliases
from tests.records.making import uscc

CITY = Divisions(
    {
        "990100": "海城市",
        "990101": "东山区",
        "990102": "西河区",
        "990103": "新州区",
        "990121": "新州县",
        "990122": "平县",
    },
    {"990121": "990103"},
    "990100",
)
ENTRIES = [
    ("海城市教育局", uscc(1)),
    ("东山区教育局", uscc(2)),
    ("新州区档案馆", uscc(3)),
    ("市场监督管理局", uscc(4)),
    ("海城市委办公室", uscc(5)),
    ("海城市人民医院（市中心医院）", uscc(6)),
    ("海城市体育局", uscc(7)),
    ("海城市文化体育局", uscc(7)),  # the name of a later year
    ("西河区图书馆", None),
]
REGISTER = Register(
    ENTRIES,
    [Alias("海城市文化体育局", "文体局", "short"), Alias("无此单位", "别名"), Alias("东山区教育局", "东教")],
    CITY,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("海城市教育局", "海城市教育局"),
        (" 海城市 教育局（盖章）", "海城市教育局"),
        ("海城市教育局公章：", "海城市教育局"),
        ("海城市教育局（单位公章）", "海城市教育局"),
        ("市教育局", "海城市教育局"),
        ("海城教育局", "海城市教育局"),
        ("远山省海城市教育局", "海城市教育局"),
        ("海城市东山区教育局", "东山区教育局"),
        ("教育局", None),  # the city's and a district's: not to be guessed
        ("西河区教育局", None),  # a district written is never another
        ("新州县档案馆", "新州区档案馆"),  # an old county is the district it became
        ("档案馆", None),
        ("市档案馆", None),
        ("海城市市场监督管理局", "市场监督管理局"),
        ("市场监督管理局", "市场监督管理局"),
        ("中共海城市委办公室", "海城市委办公室"),
        ("市委办公室", "海城市委办公室"),
        ("海城市人民医院", "海城市人民医院（市中心医院）"),
        ("海城市人民医院(市中心医院)", "海城市人民医院（市中心医院）"),
        ("海城市体育局", "海城市文化体育局"),  # a former name of the same code
        ("文体局", "海城市文化体育局"),
        ("别名", None),
        ("东教", "东山区教育局"),
        ("西河区图书馆", "西河区图书馆"),
        ("火星局", None),
        ("", None),
        ("市", None),
        ("原海城市教育局", "海城市教育局"),
        ("海城市教育局本级", "海城市教育局"),
        ("市教育局机关", "海城市教育局"),
        ("东山教育局", "东山区教育局"),  # a district without its 区
        ("新州档案馆", "新州区档案馆"),
        ("西河教育局", None),
        ("市场监管局", "市场监督管理局"),  # as offices are called in short everywhere
        ("海城市市场监管局", "市场监督管理局"),
        ("原火星局", None),
    ],
)
def test_whom_a_name_means(written: str, meant: str | None) -> None:
    assert REGISTER.resolve(written) == meant
    assert REGISTER.resolve(written) == meant, "the second look-up is remembered"


OFFICE = "中共海城市委网络安全和信息化委员会办公室"


@pytest.mark.parametrize("listed", [OFFICE, "市委网信办", "海城市委网信办"])
@pytest.mark.parametrize(
    "written", [OFFICE, "市委网信办", "海城市委网信办", "中共海城市委网信办（盖章）", "海城市网信办"]
)
def test_an_office_by_its_long_and_its_short_name(listed: str, written: str) -> None:
    register = Register([(listed, None), ("海城市委宣传部", None)], [Alias(OFFICE, "市网信办", "short")], CITY)
    assert register.resolve(written) == listed
    assert register.resolve("东山区委网信办") is None, "a district's is another"


def test_an_alias_holds_both_ways() -> None:
    assert Register([("文体局", None)], [Alias("海城市文化体育局", "文体局")], CITY).resolve("市文化体育局") == "文体局"


def test_names_are_those_of_the_latest_year() -> None:
    assert "海城市体育局" not in REGISTER.names
    assert REGISTER.name_of(uscc(7)) == "海城市文化体育局"


def test_codes() -> None:
    assert REGISTER.name_of(uscc(1).lower()) == "海城市教育局"
    assert REGISTER.full_code(uscc(1)[8:17]) == uscc(1), "an organisation code of before 2015"
    assert REGISTER.full_code(f"{uscc(1)[8:16]}-{uscc(1)[16]}") == uscc(1), "as it was written then"
    assert REGISTER.full_code("000000000") == "000000000"
    assert REGISTER.name_of(uscc(99)) is None


def test_nearest() -> None:
    assert REGISTER.nearest("海城市教育据")[0] == "海城市教育局"
    assert set(REGISTER.nearest("教育局")) >= {"海城市教育局", "东山区教育局"}
    assert REGISTER.nearest("火星") == []
    assert len(REGISTER.nearest("海城市局", 2)) <= 2


def test_digest_follows_what_would_be_resolved_otherwise() -> None:
    assert Register(ENTRIES, [], CITY).digest == Register(ENTRIES, [], CITY).digest
    assert Register(ENTRIES, [], CITY).digest != Register(ENTRIES, [], Divisions()).digest
    assert Register(ENTRIES, [], CITY).digest != Register(ENTRIES[1:], [], CITY).digest


def test_without_divisions() -> None:
    register = Register([("海城市教育局", None)])
    assert register.resolve("海城市教育局(盖章)") == "海城市教育局"
    assert register.resolve("市教育局") is None
    assert fold_name(" Ａ局（公章）") == "A局"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("990101", "990101"),
        ("990121", "990103"),
        ("新州县", "990103"),
        ("海城市东山区", "990101"),
        ("东山 区", "990101"),
        ("990101000000", "990101"),
        ("990101000", "990101"),
        ("海城市", "990100"),
        ("123456", None),
        ("火星", None),
        ("9901010001", None),
    ],
)
def test_divisions(written: str, code: str | None) -> None:
    assert CITY.code(written) == code


def test_an_old_code_is_not_in_force() -> None:
    assert "990121" not in CITY.codes and "990103" in CITY.codes
    assert Divisions({"1": "a", "2": "b"}, {"1": "2", "2": "1"}).now("1") in {"1", "2"}, "a circle comes to an end"


DIVISIONS = "code,name_zh,name_en,parent,level,successor,note\n"


def test_a_city_folder(tmp_path: Path) -> None:
    assert load_divisions(None) == Divisions() == load_divisions(tmp_path)
    assert load_aliases(None) == [] == load_aliases(tmp_path)
    (tmp_path / "divisions.csv").write_text(f"{DIVISIONS}990100,海城市,,,,,\n990121,新州县,,990100,,990100,\n")
    assert load_divisions(tmp_path) == Divisions(
        {"990100": "海城市", "990121": "新州县"}, {"990121": "990100"}, "990100"
    )
    (tmp_path / "institution_aliases.csv").write_text("name,alias,kind\n甲局,甲,short\n", encoding="utf-8-sig")
    assert load_aliases(tmp_path) == [Alias("甲局", "甲", "short")]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("divisions.csv", "code,name_zh\n990100,海城市\n", "divisions.csv: column 'name_en' is missing"),
        ("divisions.csv", f"{DIVISIONS}9901,海城市,,,,,\n", "code '9901' is not six digits"),
        ("divisions.csv", f"{DIVISIONS}990100,,,,,,\n", "name_zh is empty"),
        ("divisions.csv", f"{DIVISIONS}990100,海城市,,,,990199,\n", "successor '990199' is no code of this table"),
        ("institution_aliases.csv", "name,alias\n甲局,\n", "line 2 needs a name and an alias"),
    ],
)
def test_a_mistake_in_a_city_folder(name: str, text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CityError, match=sentence):
        load_divisions(tmp_path)
        load_aliases(tmp_path)


def test_the_city_that_is_here(root: Path) -> None:
    divisions = load_divisions(root / "cities" / "zhuzhou")
    assert divisions.root == "430200"
    assert divisions.code("株洲县") == divisions.code("430221") == "430212"
