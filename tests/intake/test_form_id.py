"""The id that a form carries where nobody sees it decides where headers fit two datasets alike, and only there."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.feedback.form import ID_PROPERTY, SHEET_OF_LISTS, header_text, write_form
from pipelines.intake.file_reader import FileReader
from pipelines.intake.sheets import FORM_ID, FORM_LISTS

ONE = load_contracts(only=["parking_lots"])["parking_lots"]
TWIN = replace(ONE, dataset="parking_twins", title_zh="另一种表")
BOTH = Contracts([ONE, TWIN])


def filled(tmp_path: Path, dataset: str, keep: tuple[str, ...], title: str = "表") -> bytes:
    """The form of one of the twins with a row in it, of its three marks only those in `keep`."""
    contract = BOTH[dataset]
    write_form(contract, tmp_path / "form.xlsx")
    book = openpyxl.load_workbook(tmp_path / "form.xlsx")
    sheet = book.worksheets[0]
    sheet.title, sheet["A1"] = title, ""
    values = {"org_name": "示范局", "lot_name": "东院", "spaces": 12, "open": "是"}
    for k, c in enumerate(contract.kept):
        assert sheet.cell(4, k + 1).value == header_text(c)
        sheet.cell(5, k + 1, values.get(c.name))
    if "property" not in keep:
        del book.custom_doc_props[ID_PROPERTY]
    if "sheet" not in keep:
        book[SHEET_OF_LISTS]["A1"] = ""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_both_sides_call_it_alike() -> None:
    assert (FORM_ID, FORM_LISTS) == (ID_PROPERTY, SHEET_OF_LISTS)


@pytest.mark.parametrize("keep", [("property", "sheet"), ("property",), ("sheet",)])
@pytest.mark.parametrize("dataset", ["parking_lots", "parking_twins"])
def test_the_id_decides_between_two(dataset: str, keep: tuple[str, ...], tmp_path: Path) -> None:
    got = FileReader(BOTH).read(filled(tmp_path, dataset, keep), "报送.xlsx")
    assert [s.dataset for s in got.sheets if s.rows] == [dataset]


def test_without_it_nobody_guesses(tmp_path: Path) -> None:
    assert FileReader(BOTH).read(filled(tmp_path, "parking_twins", ()), "报送.xlsx").reason == "ambiguous_dataset"


def test_it_does_not_make_another_table_of_what_the_headers_say(tmp_path: Path) -> None:
    contracts = load_contracts(only=["parking_lots", "energy_use"])
    data = filled(tmp_path, "parking_lots", ("property", "sheet"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    book.custom_doc_props[ID_PROPERTY].value = "energy_use"
    out = io.BytesIO()
    book.save(out)
    assert [s.dataset for s in FileReader(contracts).read(out.getvalue(), "x.xlsx").sheets if s.rows] == [
        "parking_lots"
    ]
