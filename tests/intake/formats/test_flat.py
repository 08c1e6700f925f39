"""A flat OpenDocument spreadsheet is read as the package that holds the same elements; one that is broken is named."""

from __future__ import annotations

import io
import xml.dom.minidom
import zipfile

import pytest

from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Refusal
from tests.intake.formats.written import Sheet, Shown, ods

WRITTEN = ods(
    Sheet(
        [["名称", "率"], ["甲局", Shown(0.85, "0.00%")], [None, 3]],
        hidden_row=2,
        merge=(1, 0, 2, 0),
        hidden_second=True,
    )
)


def flat(encoding: str = "utf-8") -> bytes:
    with zipfile.ZipFile(io.BytesIO(WRITTEN)) as z:
        content = z.read("content.xml").decode()
    content = content.replace("office:document-content", "office:document").replace('"UTF-8"', f'"{encoding}"')
    kind = 'office:mimetype="application/vnd.oasis.opendocument.spreadsheet"'
    return content.replace("<office:document ", f"<office:document {kind} ").encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_flat_spreadsheet_is_read_as_its_package_is(encoding: str) -> None:
    got, right = open_book(flat(encoding)).grids, open_book(WRITTEN).grids
    for a, b in zip(got, right, strict=True):
        assert (a.name, a.rows, a.merges, a.hidden, a.hidden_rows) == (
            b.name,
            b.rows,
            b.merges,
            b.hidden,
            b.hidden_rows,
        )
        assert a.formats() == b.formats()
    assert got[0].rows[1] == ["甲局", 0.85]
    assert got[1].hidden


@pytest.mark.parametrize(
    "data", [flat()[:-300], flat().replace(b"oasis.opendocument.spreadsheet", b"oasis.opendocument.text")]
)
def test_one_that_is_broken_or_of_words_is_named(data: bytes) -> None:
    with pytest.raises(Refusal) as e:
        open_book(data)
    assert e.value.code == "unreadable"
    assert "Flat ODF" in e.value.fields["why"]


def test_one_with_white_space_between_its_elements_is_read_too() -> None:
    """LibreOffice writes them so."""
    pretty = xml.dom.minidom.parseString(flat()).toprettyxml()
    got, right = open_book(pretty.encode()).grids, open_book(WRITTEN).grids
    assert [g.rows for g in got] == [g.rows for g in right]
