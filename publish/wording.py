"""The sentences of the public tables: composed of the codes and numbers of a mart and the templates of wording.toml.

Belongs here: every sentence about a value, a distance or a statement that follows from what dbt computed. Not here: a judgement (the
codes are dbt's; what is suppressed, frozen or corrected is decided in publish/disclosure), or the labels of the site (publish/site).

As in SQL, a sentence that names something missing is missing itself (None); the others are joined by a space.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from expectations.contract import Column, Contract

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
TEMPLATES: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
YEARS = re.compile(r"\d{4}-\d{4}")
SIGNS = {">=": "≥", "<=": "≤"}
MONTH = "年月"  # the unit of a figure that names a month
MADE_UP_ZH, MADE_UP_EN = TEMPLATES["made_up"]["notice"]["zh"], TEMPLATES["made_up"]["notice"]["en"]
Claim = Mapping[str, Any]  # a row of marts.claims: its codes and numbers, decimals as Decimal

# The columns of marts.claims that its sentences are made of.
CLAIM_FACTS = (
    "value_text", "value", "unit", "qualifier", "computed_value", "computed_unit", "difference", "check_status", "verdict", "word",
    "wording_rule", "wording_status", "basis_count", "basis_match", "kind", "datasets", "year", "synthetic", "records", "files",
    "test", "target", "compared_year", "years_known", "years_match", "year_on_year", "no_period", "stated_from", "stated_to",
    "first_record", "last_record", "note_codes", "note_zh", "note_en",
)  # fmt: skip


def notes(codes: str | None, language: Language) -> str | None:
    """The notes of a column `note_codes`, such as `months_missing:5 electricity_factors:a,b`.

    Codes are separated by a space, what follows a code by `/`, the parts of a list by a comma; `2026-2027` is a span of years.
    Raises ValueError where wording.toml has no such code, or a code has other fields than it states.
    """
    return _joined(_note(code, language) for code in (codes or "").split(" ") if code)


def phrase(table: str, key: str, language: Language) -> str:
    """A sentence without fields: wording.toml's `[table]`, `key`."""
    return str(TEMPLATES[table][key][language])


def both(table: str, key: str) -> str:
    """A sentence without fields in both languages, parted by a stroke, for a column that has one text for both."""
    return f"{phrase(table, key, 'zh')} / {phrase(table, key, 'en')}"


def frozen_because(key: str, **fields: Any) -> str:
    """Why a figure is frozen, in Chinese, for the bureau."""
    return _sentence("frozen_because", key, "zh", **fields) or ""


def correction(outcome: str, why_zh: str, why_en: str | None, by: str, since: str) -> str:
    """The note on a figure that the bureau declared wrong, in both languages; `outcome`: replaced or withdrawn."""
    zh = _sentence(
        "corrected", "note", "zh", outcome=phrase("corrected", outcome, "zh"), why=why_zh, by=by, since=since
    )
    key = "note" if why_en else "note_without_reason"
    en = _sentence("corrected", key, "en", outcome=phrase("corrected", outcome, "en"), why=why_en, by=by, since=since)
    return f"{zh} {en}"


def own_bodies(name: str | None, language: Language) -> str | None:
    """The name of a city's own institutions in a list of its parts."""
    return _sentence("division", "own", language, name=name)


def explanation(claim: Claim, titles: Mapping[str, Mapping[Language, str | None]], language: Language) -> str | None:
    """What was computed for a statement, from how many records, and how far it is from the printed figure.

    `titles`: those of the datasets, by name and language.
    """
    status, computed = claim["check_status"], claim["computed_value"]
    made_up = claim["synthetic"] and status == "mismatch" and claim["kind"] == "count"
    return _joined(
        (
            _result(claim, titles, language),
            _sentence("explanation", "made_up_count", language) if made_up else None,
            notes(claim["note_codes"], language) if computed is not None else None,
            claim[f"note_{language}"],
        )
    )


def verdict(claim: Claim, language: Language) -> str | None:
    """The verdict on a statement in a few words: the figure, then its wording, then its basis."""
    status, differs = claim["check_status"], claim["check_status"] == "mismatch"
    if status in ("not_verifiable", "no_data"):
        return _sentence("verdict", status, language)
    first = "differs" if differs else "figure_matches" if claim["verdict"] == "holds_in_part" else status
    parts = [_sentence("verdict", first, language)]
    of_years = claim["wording_rule"] in ("year_on_year", "every_year")
    if claim["wording_status"] == "does_not_fit" and (of_years or not differs):
        parts.append(_sentence("verdict", "word_does_not_fit", language, word=_word(claim) or claim["value_text"]))
    elif claim["wording_status"] == "incomplete" and not differs:
        parts.append(_sentence("verdict", "no_period", language))
    count, matching = claim["basis_count"], claim["basis_match"]
    if count is not None and matching is not None and (matching > 0 if differs else matching < count):
        key = "other_factors_match" if differs else "some_factors_match"
        parts.append(_sentence("verdict", key, language, count=count, matching=matching))
    return None if None in parts else "".join(p for p in parts if p)


def wording(claim: Claim, language: Language) -> str | None:
    """Whether the words of a statement agree with what was computed, and why."""
    if claim["check_status"] in ("not_verifiable", "no_data"):
        return _sentence("wording", "not_judged", language)
    sentences = [_judgement(claim, language)]
    if claim["no_period"]:
        sentences.append(_sentence("wording", "no_period", language))
    return _joined(sentences)


def finding(found: Mapping[str, Any], contract: Contract, language: Language) -> str:
    """What a row of marts.findings says; `contract` is that of its dataset.

    Raises ValueError for a kind that wording.toml does not have, or one that lacks a part of its sentence.
    """
    kind, value, other = found["kind"], found["value"], found["other_value"]
    column = contract.by_name.get(found["column"] or "")
    rule = next((r for r in contract.rules if r.name == found["rule"]), None)
    said = kind in TEMPLATES["finding"] and _sentence(
        "finding",
        kind,
        language,
        name=_name(column, language),
        columns=_repeated(found["columns"], contract, language),
        message=None if rule is None else rule.message_zh if language == "zh" else rule.message_en,
        count=f"{found['findings']:,}",
        compared=None if found["compared"] is None else f"{found['compared']:,}",
        times=None if not value or not other else f"{value / other:,.2g}" if value < other else f"{value / other:,.1f}",
        value=_amount(value, column, language),
        other=_amount(other, column, language),
        period=found["period"],
        other_period=found["other_period"],
    )
    if not said:
        raise ValueError(f"The finding {kind!r} has no whole sentence in wording.toml; state it there.")
    return str(said)


def _repeated(parts: str | None, contract: Contract, language: Language) -> str | None:
    """Each column with how many of its figures are the other year's; `parts` as in marts.findings."""
    told = []
    for part in (parts or "").split("|") if parts else ():
        column, same, count = re.split("[:/]", part)
        name = _name(contract.by_name.get(column), language)
        told.append(
            _sentence("finding", "repeated_part", language, name=name, same=f"{int(same):,}", count=f"{int(count):,}")
        )
    return str(TEMPLATES["separators"]["list"][language]).join(t for t in told if t) or None


def _name(column: Column | None, language: Language) -> str | None:
    return None if column is None else column.header_zh if language == "zh" else column.title_en.lower()


def _amount(number: float | None, column: Column | None, language: Language) -> str:
    """A figure to four digits after the point, with its unit; where there is no number, that there is none."""
    if number is None:
        return str(TEMPLATES["finding"]["nothing"][language])
    unit = column.unit if column is not None else None
    return " ".join(p for p in (f"{number:,.4f}".rstrip("0").rstrip("."), unit) if p)


def plain(number: Decimal | None) -> str | None:
    """A decimal as people write it: 438, not 438.000000."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sentence(table: str, key: str, language: Language, **fields: Any) -> str | None:
    """The sentence of a template, or None where a field that it names is None."""
    template = TEMPLATES[table][key][language]
    named = {name for _, name, _, _ in Formatter().parse(template) if name}
    return None if any(fields[name] is None for name in named) else template.format(**fields)


def _joined(sentences: Iterable[str | None]) -> str | None:
    return " ".join(s for s in sentences if s) or None


def _note(note: str, language: Language) -> str | None:
    code, _, rest = note.partition(":")
    about = TEMPLATES["notes"].get(code)
    given = rest.split("/") if rest else []
    if about is None or len(given) != len(about.get("fields", ())):
        raise ValueError(f"The note {note!r} is not one of wording.toml; state its code and its fields there.")
    return _sentence(
        "notes", code, language, **{f: _field(v, language) for f, v in zip(about.get("fields", ()), given, strict=True)}
    )


def _field(text: str, language: Language) -> str:
    signs = TEMPLATES["separators"]
    if YEARS.fullmatch(text):
        return text.replace("-", signs["years"][language])
    return text.replace(",", signs["list"][language])


def _result(claim: Claim, titles: Mapping[str, Mapping[Language, str | None]], language: Language) -> str | None:
    status, test = claim["check_status"], claim["test"]
    if status == "not_verifiable":
        return _outside(claim, language)
    if status == "no_data":
        return _sentence("explanation", status, language, datasets=_datasets(claim["datasets"], titles, language))
    files, unit = claim["files"], claim["computed_unit"]
    made_up = _sentence("explanation", "made_up", language) if claim["synthetic"] else ""
    of_files = _sentence("explanation", "files", language, files=files) or ""
    figure = _figure(claim["computed_value"], unit, language)
    found = _sentence(
        "explanation", "found", language, made_up=made_up, files=of_files, records=claim["records"], figure=figure
    )
    wanted = _sentence(
        "explanation", "wanted", language, test=test, sign=_sign(test), target=plain(claim["target"]), unit=unit
    )
    key = "mismatch_test" if status == "mismatch" and test is not None else status
    apart = _apart(claim, language) if status == "mismatch" else None
    return _sentence(
        "explanation", key, language, found=found, wanted=wanted or "", text=claim["value_text"], apart=apart
    )


def _outside(claim: Claim, language: Language) -> str | None:
    """That a statement is about years of which there are no records; None of any other that cannot be verified."""
    stated, records = (
        _span(claim[first], claim[last])
        for first, last in (("stated_from", "stated_to"), ("first_record", "last_record"))
    )
    told = {"stated": stated and _field(stated, language), "records": records and _field(records, language)}
    return _sentence("explanation", "outside_records", language, **told)


def _span(first: int | None, last: int | None) -> str | None:
    known = [str(y) for y in dict.fromkeys((first, last)) if y is not None]
    return "-".join(known) or None


def _datasets(names: str | None, titles: Mapping[str, Mapping[Language, str | None]], language: Language) -> str | None:
    if not names:
        return _sentence("explanation", "other_datasets", language)
    found = [
        _sentence("explanation", "dataset", language, title=titles.get(n, {}).get(language)) or n
        for n in names.split("|")
    ]
    return str(TEMPLATES["separators"]["list"][language]).join(found)


def _figure(number: Decimal | None, unit: str | None, language: Language) -> str | None:
    if unit == MONTH and number is not None:
        return _sentence("figure", "month", language, year=int(number) // 100, month=int(number) % 100)
    return _sentence("figure", "amount", language, number=plain(number), unit=unit)


def _apart(claim: Claim, language: Language) -> str | None:
    """How far a figure is from the printed one: percentages in percentage points, months in months."""
    computed, value, unit = claim["computed_value"], claim["value"], claim["computed_unit"]
    if unit == MONTH:
        months = None if computed is None or value is None else _months(computed) - _months(value)
        return _sentence("figure", "months", language, number=months)
    key = "points" if unit == "%" else "amount"
    return _sentence("figure", key, language, number=plain(claim["difference"]), unit=unit)


def _months(month: Decimal) -> int:
    """202502 as a count of months."""
    return int(month) // 100 * 12 + int(month) % 100


def _judgement(claim: Claim, language: Language) -> str | None:
    rule, status = claim["wording_rule"], claim["wording_status"]
    fits = "does_not_fit" if status == "does_not_fit" else "fits"
    if rule == "year_on_year":
        return _year_on_year(claim, language)
    if rule == "every_year":
        key = "every_year_not_judged" if status == "not_judged" else rule
        return _sentence("wording", key, language, known=claim["years_known"], matching=claim["years_match"])
    if rule == "test":
        word, sign = claim["word"] or claim["value_text"], _sign(claim["test"])
        target, unit = plain(claim["target"]), claim["computed_unit"]
        return _sentence("wording", f"test_{fits}", language, word=word, sign=sign, target=target, unit=unit)
    if rule in ("over", "at_least", "near_below", "approx"):
        figure = _figure_as_printed(claim)
        judged, computed = _sentence("wording", f"judged_{fits}", language), plain(claim["computed_value"])
        return _sentence("wording", rule, language, word=_word(claim), figure=figure, computed=computed, judged=judged)
    if rule == "planned":
        return _sentence("wording", rule, language, word=_word(claim))
    return None if claim["no_period"] else _sentence("wording", "no_word", language)


def _year_on_year(claim: Claim, language: Language) -> str | None:
    if claim["wording_status"] == "fits":
        return _sentence("wording", "year_on_year_fits", language)
    year, other = claim["year"], claim["compared_year"]
    before = None if year is None else year - 1
    change = _sentence("wording", "year_on_year_change", language, before=before, change=plain(claim["year_on_year"]))
    return _sentence("wording", "year_on_year_does_not_fit", language, year=year, other=other, change=change or "")


def _figure_as_printed(claim: Claim) -> str | None:
    number = plain(claim["value"])
    return None if number is None else f"{number} {claim['unit'] or ''}"


def _word(claim: Claim) -> str | None:
    """The word that is judged: the statement's own, else that of its qualifier."""
    return claim["word"] or TEMPLATES["qualifiers"].get(claim["qualifier"])


def _sign(test: str | None) -> str | None:
    return None if test is None else SIGNS.get(test, test)
