"""The promises of docs/reliability.md, each with a test that is there."""

from __future__ import annotations

import re

from tests.conftest import ROOT

ROW = re.compile(r"^\| (?!what happens|---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_has_a_test_that_is_there() -> None:
    rows = ROW.findall((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"))
    assert len(rows) > 10
    for happens, promised, named in rows:
        tests = TEST.findall(named)
        assert promised and tests, f"no test is named for: {happens}"
        for path, name in tests:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {name}"
