"""docs/reference/fixed.md, the promises between versions, against the code."""

from __future__ import annotations

import re

import pytest

from pipelines.core.issue_codes import ISSUE_CODES
from pipelines.records.tables import INTAKE
from publish.schema import PUBLIC
from tests.conftest import ROOT
from tests.docs.reference import each_command, errors

PAGE = (ROOT / "docs" / "reference" / "fixed.md").read_text(encoding="utf-8")
SIGNATURES = re.findall(r"^- `(?:intake\.)?(\w+)\(([\w, ]+)\)`", PAGE, re.MULTILINE)


def test_every_issue_code_is_promised_and_no_other() -> None:
    rows = re.search(r"\| what is wrong \|.*?\n\n", PAGE, re.DOTALL)
    assert rows
    assert set(re.findall(r"`([a-z_]+)`", rows[0])) == set(ISSUE_CODES)


def test_every_command_is_there_and_has_the_options_promised() -> None:
    there = {name: {o for p in command.params for o in p.opts} for name, command in each_command()}
    block = re.search(r"```\n(mingzhang run.*?)```", PAGE, re.DOTALL)
    assert block
    promised = set()
    for line in block[1].splitlines():
        head = line.partition("[--")[0]
        command, name, *inner = re.findall(r"[a-z]+(?=\s|$)", head)
        names = (
            [f"{command} {name} {i}" for i in inner]
            if name in ("releases", "correct", "readers")
            else [f"{command} {name}"]
        )
        promised |= set(names)
        for each in names:
            assert set(re.findall(r"--[a-z-]+", line)) <= there[each], each
    assert promised == set(there)


@pytest.mark.parametrize(("name", "columns"), SIGNATURES, ids=[name for name, _ in SIGNATURES])
def test_a_table_begins_with_the_columns_promised(name: str, columns: str) -> None:
    public = {t.name: t.columns for t in PUBLIC}
    there = public[name] if name in public else tuple(INTAKE[name])
    assert set(columns.split(", ")) <= set(there)


def test_the_other_public_tables_are_there() -> None:
    listed = re.search(r"^- (`claim_arithmetic`.*?)and one table", PAGE, re.DOTALL | re.MULTILINE)
    assert listed and len(SIGNATURES) == 6
    assert set(re.findall(r"`(\w+)`", listed[1])) <= {t.name for t in PUBLIC}


def test_exit_statuses_are_the_four_promised() -> None:
    assert {status for status, _, _ in errors()} <= {1, 2, 3}
    assert set(re.findall(r"(?:^|[ ;])([0-3]) (?:a release is|wrong usage|a gate|anything)", PAGE)) == set("0123")
