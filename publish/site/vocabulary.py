"""Names of codes, dimensions and members of breakdowns, in both languages.

Belongs here: reading vocabulary.toml, and marking names with their language. Not here: the names of breakdowns, which a release has
too (publish/names.py), names of tables and columns (they come from the release and its schema), issue codes (pipelines/core/issue_codes).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.core.issue_codes import ISSUE_CODES
from publish import names as given
from publish.site.bilingual import foreign, pick
from publish.site.facts import Facts, Label
from publish.site.language import Language, Pair, pair

_FILE = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))

CODES: dict[str, dict[str, Pair]] = {
    kind: {code: (zh, en) for code, (zh, en) in codes.items()} for kind, codes in _FILE["codes"].items()
} | {
    "code": {name: (code.zh, code.en) for name, code in ISSUE_CODES.items()},
    "dimension": given.DIMENSIONS,
    "carrier": given.CARRIERS,
}
FACTOR_SETS: dict[str, Label] = {code: Label(*of) for code, of in _FILE["factor_sets"].items()}
UNITS: dict[str, str] = _FILE["units"]  # English names
SYMBOLS: dict[str, str] = _FILE["symbols"]  # Chinese names
UNKNOWN: Pair = given.SPECIAL["unknown"]
NUMERALS = str.maketrans("一二三四五六七八九", "123456789")


def spell(language: Language, kind: str, code: Any) -> Any:
    """Return the name of a code; an unknown code is its own name, marked with its language."""
    text = "" if code is None else str(code)
    known = CODES.get(kind, {}).get(text)
    return foreign(language, text) if known is None else known[0 if language == "zh" else 1]


def spell_plain(language: Language, kind: str, code: Any) -> str:
    """Return the name of a code without markup, for attributes and charts."""
    text = "" if code is None else str(code)
    return CODES.get(kind, {}).get(text, (text, text))[0 if language == "zh" else 1]


def section(language: Language, text: str | None) -> str:
    """Return the number of a section: as printed in Chinese, 三(二); in digits in English, 3(2)."""
    return text or "" if language == "zh" else (text or "").translate(NUMERALS)


def factor_sets(facts: Facts) -> dict[str, Label]:
    """Return the names of the sets of factors: the city's, else those of the platform."""
    return FACTOR_SETS if facts.factor_sets is None else facts.factor_sets


def yes(language: Language, value: Any) -> str:
    """Return a boolean of the data as a word; "" for an unknown one."""
    if value is None or value == "":
        return ""
    return (pair("Yes") if str(value) in ("1", "True", "true") else pair("No"))[0 if language == "zh" else 1]


def member(language: Language, code: str, names: Mapping[str, Label] | None = None) -> Any:
    """Return the name of a member of a breakdown: from `names` (districts), else from the vocabulary, else the code itself."""
    if names and code in names:
        return pick(language, names[code].zh, names[code].en)
    if code in ("", "all"):
        return pair("Total")[0 if language == "zh" else 1]
    if code in CODES["carrier"]:
        return spell(language, "carrier", code)
    if code == "unknown":
        return UNKNOWN[0 if language == "zh" else 1]
    if "/" in code:  # a cross of two dimensions
        return Markup(" · ").join(member(language, part, names) for part in code.split("/"))
    english = given.english(code)
    return foreign(language, code) if language == "zh" or english == code else english


def allowed_values(language: Language, allowed: str) -> Markup:
    """Return the closed list of a column, which its contract states in Chinese, with the English name of each where there is one."""
    if language == "zh":
        return Markup("{}").format(allowed.replace("|", "、"))
    pairs = ((code, given.english(code)) for code in allowed.split("|"))
    return Markup("; ").join(
        foreign(language, code) if code == name else Markup("{} {}").format(foreign(language, code), name)
        for code, name in pairs
    )


def codes_of(table: str, column: str) -> dict[str, Pair]:
    """Return the codes of a column of the platform's own tables with their names; {} for a column that is not coded."""
    if column == "status":
        return CODES[{"submissions": "submission", "data_issues": "issue_status"}.get(table, "status")]
    if column in ("check_status", "evidence", "qualifier", "better", "opening", "severity", "access"):
        return CODES[column]
    return CODES["kind"] if (table, column) == ("indicators", "kind") else {}


def dimension_name(language: Language, of: str, facts: Facts | None = None) -> str:
    """Return the name of a dimension; of a cross, both names. One that a city declares is called as the column it is, by `facts`."""
    at, times = (0, "、") if language == "zh" else (1, ", ")
    return times.join(_dimension(part, facts)[at] for part in of.split("/"))


def _dimension(part: str, facts: Facts | None) -> Pair:
    if part in CODES["dimension"]:
        return CODES["dimension"][part]
    column = facts.column(None, part) if facts is not None else None
    return (column.zh, column.en or column.zh) if column is not None else (part, part)


def dimension_names(dimension: str, facts: Facts | None = None) -> Pair:
    """Return the Chinese and English name of a dimension; of a compound one (period/district), all parts."""
    return given.dimension_names(dimension, lambda part: _dimension(part, facts))


def member_names(code: str, names: Mapping[str, Label]) -> Pair:
    """Return the Chinese and English name of a member without markup; a prefix of years (2021-2025/990101) is kept."""
    return given.member_names(code, {c: (label.zh, label.en) for c, label in names.items()})


def address_parts(dimension: str, code: str) -> tuple[str, str, str, str]:
    """Split a dimension and member into (span, dimension, years, member); span is '', 'period' or 'base'.

    period/level/method and 2021-2025/市/拍卖 give ('period', 'level/method', '2021-2025', '市/拍卖').
    """
    over, _, of = dimension.partition("/")
    if over not in ("period", "base"):
        return "", dimension, "", code
    years, _, rest = code.partition("/")
    return over, of or "total", years, rest or "all"


def breakdown(language: Language, dimension: str, code: str, names: Mapping[str, Label] | None = None) -> Any:
    """Describe the dimension, member and years of a value: 县市区：东区（2021-2025）."""
    over, of, prefix, rest = address_parts(dimension, code)
    at = 0 if language == "zh" else 1
    name = pair("Total")[at] if of == "total" else dimension_name(language, of)
    text = Markup("{}").format(name)
    if of != "total":
        text += Markup("{}{}").format("：" if language == "zh" else ": ", member(language, rest, names))
    if over == "base":
        prefix = pair("since %(year)s")[at] % {"year": prefix}
    if prefix:
        text += f"（{prefix}）" if language == "zh" else f" ({prefix})"
    return text
