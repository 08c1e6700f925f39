"""What pipelines/core has for every stage is written nowhere else, and what it gives is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.core.letters import column_letter, column_number

# A sign of a second copy, and the module whose own it is.
COPIES = {
    r"unicodedata\.normalize\(\"NFK": "pipelines/core/text.py",
    r"\* 26 \+": "pipelines/core/letters.py",
    r"replace\('\"', '\"\"'\)": "pipelines/core/sql.py",
    r"\[0-9a-f\]\{8\}": "pipelines/core/home.py",
    r"\bhashlib\.file_digest\(": "pipelines/core/digests.py",
    r"\"divisions\.csv\"": "pipelines/core/city.py",
}
# The check that the file is there at all has a sentence of its own.
ALSO = {r"\"divisions\.csv\"": {"pipelines/statistics/city.py"}}


@pytest.mark.parametrize(("sign", "owner"), COPIES.items(), ids=COPIES.values())
def test_no_second_copy(root: Path, sign: str, owner: str) -> None:
    found = {
        p.relative_to(root).as_posix()
        for package in ("pipelines", "expectations", "publish")
        for p in (root / package).rglob("*.py")
        if re.search(sign, p.read_text(encoding="utf-8"))
    }
    assert owner in found
    assert found - ALSO.get(sign, set()) == {owner}


@pytest.mark.parametrize(
    ("column", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "AB"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_letters_of_columns(column: int, letter: str) -> None:
    assert column_letter(column) == letter
    assert column_number(letter) == column_number(f"{letter.lower()}12") == column


def test_an_address_without_letters_has_no_column() -> None:
    assert column_number("12") == column_number("") == -1


def test_a_class_name_means_one_thing(root: Path) -> None:
    """Four classes were called Reader and three Table, in packages that one reads together."""
    found: dict[str, list[str]] = {}
    for package in ("pipelines", "expectations", "publish"):
        for p in sorted((root / package).rglob("*.py")):
            for name in re.findall(r"^class _?(\w+)", p.read_text(encoding="utf-8"), re.MULTILINE):
                found.setdefault(name, []).append(p.relative_to(root).as_posix())
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
