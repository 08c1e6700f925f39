"""The pages of docs/reference are what the code says, and no command, setting, code, column or asset is without words."""

from __future__ import annotations

import re

import pytest

from publish.schema import public_tables
from tests.conftest import ROOT
from tests.docs import reference

SETTING = re.compile(r"MINGZHANG_[A-Z][A-Z_]*[A-Z]")


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    page = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert page == reference.PAGES[name](), "run `make docs`"


def test_every_command_option_and_argument_has_help() -> None:
    silent = [f"{name} {p.name}" for name, command in reference.each_command() for p in command.params if not p.help]
    assert silent == []
    assert all(command.help for _, command in reference.each_command())


def test_every_setting_is_described() -> None:
    silent = [
        f"{model.__name__}.{n}"
        for _, model in reference.setting_classes()
        for n, f in model.model_fields.items()
        if not f.description
    ]
    assert silent == []


def test_every_variable_that_any_file_names_is_on_the_page() -> None:
    """Read from all files, so that a variable that code asks the environment for by itself is found too."""
    known = set(SETTING.findall((reference.FOLDER / "settings.md").read_text(encoding="utf-8")))
    found: dict[str, str] = {}
    for folder in ("pipelines", "expectations", "publish", "dbt_project", "deploy", "tests", "docs"):
        for path in (ROOT / folder).rglob("*"):
            if (
                path.suffix in {".py", ".yml", ".yaml", ".sql", ".service", ".conf", ".md", ".sh"}
                and "target" not in path.parts
            ):
                found |= {
                    v: path.relative_to(ROOT).as_posix() for v in SETTING.findall(path.read_text(encoding="utf-8"))
                }
    prefixes = {"MINGZHANG_SITE", "MINGZHANG_ALERT"}
    assert {v: p for v, p in found.items() if v not in known | prefixes} == {}


def test_every_error_that_ends_a_command_says_when() -> None:
    assert [name for _, name, text in reference.errors() if not text] == []


def test_every_public_column_has_titles_in_both_languages() -> None:
    from expectations.contract import load_contracts

    silent = [
        f"{t.name}.{f.name}"
        for t in public_tables(load_contracts())
        for f in t.fields
        if not (f.zh.strip() and f.en.strip())
    ]
    assert silent == []


def test_every_public_table_has_a_grain_and_a_lineage() -> None:
    page = reference.tables()
    assert re.findall(r"^(?:Grain: \.|Lineage: \.).*$", page, re.MULTILINE) == []
    direct, behind = reference.upstream("indicator_values")
    assert direct == ["int_indicator_values"] and {"records.energy_use", "intake.files"} <= set(behind)


def test_every_asset_says_what_it_makes() -> None:
    silent = re.findall(r"^\| (`[^`]+`) \|  ", reference.assets(), re.MULTILINE)
    assert silent == []
