"""A file that is still being copied is left for the next run; one that only looks so is taken."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest

from pipelines.core.home import Home
from pipelines.sources import settled
from pipelines.sources.inbox import list_inbox
from pipelines.sources.ledger import Ledger
from pipelines.sources.receive import Received, nothing_new, receive

WHOLE = "单位名称,月份,用电量（千瓦时）\n甲局,2021-01,1200\n甲局,2021-02,1350\n甲局,2021-03,1410\n".encode()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> tuple[Home, Path]:
    """A home that has received a file, and its inbox."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.csv").write_bytes(WHOLE)
    home = Home(tmp_path / "home").create()
    receive(home, [str(folder)])
    return home, folder


CUT = {
    "the beginning of what was there": ("a.csv", WHOLE[: WHOLE.rindex("甲局".encode())]),
    "a last line with fewer cells": ("b.csv", WHOLE[: -len(",1410\n")]),
    "a zip without its directory": ("b.xlsx", _zip()[:-30]),
    "markup that ends inside": ("b.xls", b"<html><table><tr><td>1</td></tr></tab"),
}
ENDED = {
    "no line break at the end": ("b.csv", WHOLE.rstrip()),
    "a last line of one cell that is ended": ("b.csv", WHOLE + "填表人：王\n".encode()),
    "a whole zip": ("b.xlsx", _zip()),
    "what is no zip but for its first bytes": ("b.xlsx", b"PK\x03\x04 not a workbook, and never was one of any kind"),
    "one column of names": ("b.txt", "甲局\n乙局".encode()),
    "a comma inside quotation marks": ("b.csv", b'a,b\n"x,y",1\n"z,w",2'),
    "nothing": ("b.csv", b""),
}


@pytest.mark.parametrize("name,data", CUT.values(), ids=CUT)
def test_what_ends_in_the_middle_is_left_until_it_is_whole_or_old(
    place: tuple[Home, Path], name: str, data: bytes
) -> None:
    home, folder = place
    before = len(Ledger(home).latest)
    (folder / name).write_bytes(data)
    assert receive(home, [str(folder)]).left == (name,)
    found = nothing_new(home, [str(folder)])
    assert found is not None and (found.new, found.left) == (0, (name,))
    assert len(Ledger(home).latest) == before
    past = time.time() - settled.PATIENCE - 1
    os.utime(folder / name, (past, past))
    assert receive(home, [str(folder)]).left == () and len(Ledger(home).latest) == before + 1


@pytest.mark.parametrize("name,data", ENDED.values(), ids=ENDED)
def test_what_is_whole_is_taken_at_once(place: tuple[Home, Path], name: str, data: bytes) -> None:
    home, folder = place
    (folder / name).write_bytes(data)
    found = receive(home, [str(folder)])
    assert (found.new, found.left) == (1, ())


def test_a_file_that_grows_while_it_is_read_is_left(tmp_path: Path) -> None:
    home, folder = Home(tmp_path / "home").create(), tmp_path / "inbox"
    folder.mkdir()
    path = folder / "a.csv"
    path.write_bytes(WHOLE)
    stop = threading.Event()

    def copy() -> None:
        with path.open("ab") as f:
            while not stop.wait(0.05):
                f.write(WHOLE)
                f.flush()

    writer = threading.Thread(target=copy)
    writer.start()
    try:
        assert receive(home, [str(folder)]) == Received(1, 0, ("a.csv",))
    finally:
        stop.set()
        writer.join()
    assert receive(home, [str(folder)]) == Received(1, 1)


def test_a_home_that_received_nothing_takes_what_there_is(tmp_path: Path) -> None:
    home, folder = Home(tmp_path / "home").create(), tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.csv").write_bytes(WHOLE[:-3])
    assert receive(home, [str(folder)]) == Received(1, 1)


def test_a_source_whose_clock_is_unknown_is_watched_and_not_judged_by_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(WHOLE[:-6])
    (found,) = list_inbox(str(tmp_path))
    unknown = type(found)(found.url, found.name, found.size, None, found._fs, found._path, found.attributes, None)
    assert settled.is_cut(found, WHOLE[:-6], None) and not settled.is_cut(unknown, WHOLE[:-6], None)
    assert not settled.is_changing(unknown)
    (tmp_path / "a.csv").unlink()
    assert settled.is_changing(unknown)
