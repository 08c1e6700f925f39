"""Fills a form as a careful clerk would: values that a contract allows, drawn by hypothesis, written with openpyxl."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
from hypothesis import strategies as st

from expectations.contract import Column, Contract
from pipelines.feedback.form import HEADER_ROW, SUBMITTER_CELL, YEAR_CELL, form_columns

YEAR = 2025
ORGANISATION = "某某市示范局"
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(serial: int) -> str:
    """A made-up credit code with right check characters (GB 32100-2015, GB 11714-1997)."""
    body = f"{serial:08d}"
    total = sum(int(d) * w for d, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    inner = (11 - total % 11) % 11
    code = "11430200" + body + ("X" if inner == 10 else str(inner))
    last = (31 - sum(_ALPHABET.index(ch) * pow(3, i, 31) for i, ch in enumerate(code)) % 31) % 31
    return code + _ALPHABET[last]


def values(c: Column) -> st.SearchStrategy[Any]:
    """What may stand in a cell of this column; None only where it may be empty."""
    found = _values(c)
    return found if c.required else st.none() | found


def _values(c: Column) -> st.SearchStrategy[Any]:
    if c.institution == "name":
        return st.just(ORGANISATION)
    if c.check == "uscc":
        return st.integers(1, 99_999_999).map(uscc)
    if c.codelist == "divisions":
        return st.just("430202")
    if c.subset:
        return st.lists(st.sampled_from(c.values), min_size=1, unique=True).map("、".join)
    if c.values:
        return st.sampled_from(c.values)
    if c.kind == "boolean":
        return st.sampled_from(["是", "否"])
    if c.kind == "year":
        return st.just(YEAR)
    if c.kind == "month":
        return st.integers(1, 12).map(lambda m: f"{YEAR}-{m:02d}")
    if c.kind == "date":
        return st.dates(dt.date(YEAR, 1, 1), dt.date(YEAR, 12, 31))
    if c.kind in ("integer", "decimal"):
        low = 1 if c.exclusive_minimum is not None else int(c.minimum or 0)
        high = int(c.maximum) if c.maximum is not None else 1_000_000
        whole: st.SearchStrategy[Any] = st.integers(low, high)
        hundredths: st.SearchStrategy[Any] = st.integers(low * 100, high * 100).map(lambda n: n / 100)
        return whole if c.kind == "integer" else whole | hundredths
    letters = st.sampled_from("甲乙丙丁子丑寅卯ABCxyz0123456789-()（）#")
    return st.text(letters, min_size=2, max_size=12).filter(lambda t: any(ch.isalpha() for ch in t))


@st.composite
def rows(draw: st.DrawFn, contract: Contract) -> list[dict[str, Any]]:
    """Some rows for the form of a contract, no two of the same key."""
    columns = form_columns(contract, YEAR)
    one = st.fixed_dictionaries({c.name: values(c) for c in columns})
    key = contract.key or tuple(c.name for c in columns)
    return draw(st.lists(one, min_size=1, max_size=5, unique_by=lambda r: tuple(str(r.get(k)) for k in key)))


def fill(form: Path, contract: Contract, data: list[dict[str, Any]]) -> None:
    """Writes rows into an empty form, where a clerk would."""
    book = openpyxl.load_workbook(form)
    sheet = book.worksheets[0]
    sheet[SUBMITTER_CELL] = ORGANISATION
    sheet[YEAR_CELL] = YEAR
    for r, row in enumerate(data, HEADER_ROW + 1):
        for i, c in enumerate(form_columns(contract, YEAR), 1):
            if row[c.name] is not None:
                cell = sheet.cell(r, i, row[c.name])
                if isinstance(row[c.name], str):
                    cell.data_type = "s"
    book.save(form)
