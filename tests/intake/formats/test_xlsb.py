"""What the records of an .xlsb tell: short cells, formulas without a result, number formats."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile

import pytest

from pipelines.intake.formats import open_book
from pipelines.intake.sheets import Fault, Format, Grid
from tests.intake.make import xlsb


def record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(body)]) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def opened(cells: bytes, styles: bytes = b"") -> Grid:
    """A sheet whose second row is the number 1000, then `cells`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsb("表", [["A", "B", "C"], [1000]]))) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            part = old.read(n)
            if n.endswith("sheet1.bin"):
                part = part.replace(b"\x92\x01\x00", cells + b"\x92\x01\x00", 1)
            if not (styles and n.endswith("styles.bin")):
                new.writestr(n, part)
        if styles:
            new.writestr("xl/styles.bin", styles)
    return open_book(out.getvalue()).grids[0]


@pytest.mark.parametrize(
    ("kind", "body", "right"),
    [
        (13, struct.pack("<I", 250 << 2 | 3), 2.5),
        (13, struct.pack("<i", -3 << 2 | 2), -3.0),
        (14, b"\x17", Fault("error", "#REF!")),
        (15, b"\x01", True),
        (16, struct.pack("<d", 2.5), 2.5),
        (17, wide("甲"), "甲"),
    ],
)
def test_short_cells_are_read(kind: int, body: bytes, right: object) -> None:
    rows = opened(record(kind, bytes(4) + body) + record(16, bytes(4) + struct.pack("<d", 7))).rows
    assert rows[1] == [1000.0, right, 7.0]


def test_arithmetic_that_holds_an_empty_text_was_not_computed() -> None:
    tokens = b"\x44" + struct.pack("<IH", 1, 0xC000) + b"\x1e\x02\x00\x05"
    cell = struct.pack("<II", 1, 0) + wide("") + bytes(2)
    assert opened(record(8, cell + struct.pack("<I", len(tokens)) + tokens)).rows[1][1] == Fault("formula", "=A2*2")
    choice = b"\x17\x00\x00"  # an empty text: that may be the result
    assert "Fault" not in repr(opened(record(8, cell + struct.pack("<I", len(choice)) + choice)).rows)


def test_number_formats_are_read() -> None:
    xf = lambda number: record(47, struct.pack("<HH", 0, number) + bytes(12))  # noqa: E731
    styles = (
        record(44, struct.pack("<H", 176) + wide("0!.0000"))
        + record(617, bytes(4))
        + xf(0)
        + xf(176)
        + xf(10)
        + record(618)
    )
    cells = record(5, struct.pack("<IId", 1, 1, 123456)) + record(5, struct.pack("<IId", 2, 2, 0.5))
    told = opened(cells, styles).formats()
    assert told == {(1, 1): Format("0!.0000", power=4), (1, 2): Format("0.00%", percent=True)}


def test_a_blank_text_in_the_last_row_is_no_row() -> None:
    far = record(0, struct.pack("<IIHBBBI2I", 1_048_575, 0, 300, 0, 0, 0, 1, 20, 20))
    grid = opened(far + record(6, struct.pack("<II", 20, 0) + wide(" ")))
    assert (grid.refusal, grid.rows) == (None, [["A", "B", "C"], [1000.0]])


@pytest.mark.parametrize(
    ("text", "runs", "right"),
    [
        ("12001500", [(0, 1), (4, 0)], Fault("struck", "12001500")),
        ("125001", [(5, 2)], Fault("marked", "125001")),
        ("面积m2", [(3, 2)], "面积m2"),
        ("废止", [(0, 1)], "废止"),
    ],
)
def test_runs_that_are_struck_or_raised_are_told(text: str, runs: list[tuple[int, int]], right: object) -> None:
    font = lambda flags, raised: record(43, struct.pack("<4H", 220, flags, 400, raised) + bytes(14))  # noqa: E731
    styles = font(0, 0) + font(8, 0) + font(0, 1) + record(617, bytes(4)) + record(47, bytes(16)) + record(618)
    pairs = struct.pack("<L", len(runs)) + b"".join(struct.pack("<HH", *r) for r in runs)
    cell = record(62, struct.pack("<II", 1, 0) + b"\x01" + wide(text) + pairs)
    assert opened(cell, styles).rows[1][1] == right


def test_rows_of_no_height_are_told() -> None:
    flat = record(0, struct.pack("<IIHBBBI2I", 2, 0, 0, 0, 0x20, 0, 1, 0, 0))
    assert opened(flat + record(6, struct.pack("<II", 0, 0) + wide("甲"))).hidden_rows == [3]


@pytest.mark.parametrize(
    ("code", "value", "right"),
    [
        ("yyyy-mm-dd", 44256.0, dt.date(2021, 3, 1)),
        ("yyyy-mm-dd hh:mm", 44256.5, dt.datetime(2021, 3, 1, 12)),
        ("hh:mm", 0.4375, dt.time(10, 30)),
        ("[h]:mm", 1.5, dt.timedelta(1.5)),
        ("yyyy-mm-dd", 59.0, dt.date(1900, 2, 28)),
        ("yyyy-mm-dd", 1e9, 1e9),
    ],
)
def test_numbers_that_are_shown_as_days_are_days(code: str, value: float, right: object) -> None:
    styles = record(44, struct.pack("<H", 176) + wide(code)) + record(617, bytes(4))
    styles += record(47, bytes(16)) + record(47, struct.pack("<HH", 0, 176) + bytes(12)) + record(618)
    assert opened(record(5, struct.pack("<IId", 1, 1, value)), styles).rows[1][1] == right
