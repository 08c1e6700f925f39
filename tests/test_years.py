"""No year is written in code, SQL or templates: which years there are is told by the city's periods and by the data.

A plan that follows the last one is then a few lines of a city's folder. What may name a year says why in EXCEPTIONS; seeds,
contracts, city folders and the data of tests are data, and are not looked at.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
YEAR = re.compile(r"(?<![\w.&#%])(?:19[5-9]|20[0-9])\d(?!\d)")
ADDRESS = re.compile(r"https?://\S+")
COMMENT = {
    ".sql": re.compile(r"\{#.*?#\}|--[^\n]*", re.S),
    ".html": re.compile(r"\{#.*?#\}|<!--.*?-->", re.S),
    ".js": re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.S | re.M),
    ".toml": re.compile(r"(?:^|\s)#[^\n]*", re.M),
    ".css": re.compile(r"/\*.*?\*/", re.S),
}
# Who may name which years, and why.
EXCEPTIONS = {
    "publish/site/templates/accessibility.html": "the day on which the statement was last reviewed",
    "pipelines/intake/values/dates.py": "what spreadsheet programs make of a date: the bounds of their day numbers",
    "pipelines/intake/layout/periods.py": "what a bare number in a heading must lie between to be a year",
    "pipelines/records/tables.py": "how a period is written, shown by examples",
    "pipelines/sample/assets.py": "years of birth of invented people",
    "pipelines/intake/messages.py": "how a date is to be written, shown by an example",
    "pipelines/feedback/form.py": "how a date is to be written, shown by an example; bounds of an empty form; a fixed time of writing",
    "pipelines/core/city.py": "how a day is to be written, shown by an example",
    "pipelines/core/settings.py": "how a day is to be written, shown by an example",
    "pipelines/cli.py": "how a day is to be written, shown by an example",
    "pipelines/correct.py": "how a day is to be written, shown by an example",
    "expectations/contract/parse.py": "how a day is to be written, shown by an example",
    "expectations/suite.py": "a table of one row by which a suite shows what its checks are",
    "pipelines/feedback/annotate.py": "a fixed time of writing, so that the same input gives the same bytes",
    "pipelines/sample/formats.py": "a fixed time of writing, so that the same input gives the same bytes",
    "pipelines/feedback/tasks.py": "the first day there is, before any",
    "pipelines/statistics/dbt_docs.py": "a date of which nothing is asked",
    "pipelines/statistics/run.py": "a date of which nothing is asked",
    "publish/release/build.py": "the empty value of a date",
    "publish/site/api/openapi.py": "how a filter is written, shown by an example",
}


def written(path: Path) -> set[str]:
    """The years in a file's code, without comments, docstrings and addresses."""
    text = path.read_text(encoding="utf-8")
    if not _years(text):
        return set()
    if path.suffix == ".py":
        return set(_in_python(text))
    text = COMMENT[path.suffix].sub(" ", text)
    return _years(text)


def _years(text: str) -> set[str]:
    found = set(YEAR.findall(ADDRESS.sub("", text)))
    return {y for y in found if int(y) % 100}  # 2000 is a round number: of milliseconds, of rows, of letters


def _in_python(text: str) -> Iterator[str]:
    told = {
        node.body[0].value.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node)
    }  # fmt: skip
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL) or (token.type == tokenize.STRING and token.start[0] in told):
            continue
        yield from _years(token.string)


def files() -> list[Path]:
    found = [p for top in ("pipelines", "publish", "expectations") for p in (ROOT / top).rglob("*.py")]
    found += [*(ROOT / "dbt_project").rglob("*.sql"), *(ROOT / "publish/site/templates").rglob("*.html")]
    found += [*(ROOT / "publish").rglob("*.toml"), *(ROOT / "publish/site/static").glob("site.*s")]
    return sorted(p for p in found if "target" not in p.relative_to(ROOT).parts)


def test_there_is_something_to_look_at() -> None:
    kinds = [p.suffix for p in files()]
    least = {".py": 250, ".sql": 100, ".html": 20, ".toml": 1, ".js": 0}
    assert [k for k, n in least.items() if kinds.count(k) <= n] == []


def test_no_year_is_written_in_code_sql_or_templates() -> None:
    found = {str(p.relative_to(ROOT)): written(p) for p in files()}
    assert {f: sorted(years) for f, years in found.items() if years and f not in EXCEPTIONS} == {}


def test_no_exception_is_left_over() -> None:
    assert [f for f in EXCEPTIONS if not (ROOT / f).is_file() or not written(ROOT / f)] == []


@pytest.mark.parametrize(
    ("name", "text", "years"),
    [
        (
            "a.py",
            '"""Of 2021."""\n\n# 2022\nFIRST = 2023\nSAYS = f"in {FIRST} or 2024"\nMANY = 2000\n',
            {"2023", "2024"},
        ),
        ("a.py", 'def f():\n    """Of 2021."""\n    return "2021-2025"\n', {"2021", "2025"}),
        ("a.sql", "-- 2021\nselect 1 {# 2022 #} where year >= 2023 and x < 20240", {"2023"}),
        ("a.html", "{# 2021 #}<p>{{ _('until 2025') }} <a href='http://www.w3.org/1999/xhtml'>", {"2025"}),
        ("a.js", "// 2021\nlet x = 2022; setTimeout(f, 2000);", {"2022"}),
        ("a.toml", '# 2021\nfrom = "2022年" # 2023\n', {"2022"}),
    ],
)
def test_a_year_is_found(tmp_path: Path, name: str, text: str, years: set[str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert written(tmp_path / name) == years
