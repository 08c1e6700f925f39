"""Files built to harm: each is made here, and ends in an issue with the right code and nothing else."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from expectations.contract import Contracts, load_contracts
from pipelines.intake import formats
from pipelines.intake.file_reader import read_file, reader_for
from pipelines.intake.formats import by_calamine, is_archive, markup, open_book, package
from pipelines.intake.sheets import Refusal
from tests.intake.cases import CASES, HEAD, TWO
from tests.intake.make import html, ods, text, xlsb, xlsx, xml2003

DECLARES = "<!DOCTYPE x [<!ELEMENT x ANY>]>"  # harmless; what could do harm is declared in the same place


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return load_contracts()


def code(data: bytes) -> str:
    with pytest.raises(Refusal) as e:
        open_book(data)
    return e.value.code


def changed(data: bytes, name: str, change: object) -> bytes:
    """A package with one member changed: `change` takes its text and gives another."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for n in old.namelist():
            body = old.read(n)
            new.writestr(n, change(body.decode()).encode() if n == name else body)  # type: ignore[operator]
    return out.getvalue()


def with_type(data: bytes, name: str) -> bytes:
    """A package with a document type in front of one member's root."""
    return changed(data, name, lambda x: x.replace("?>", f"?>{DECLARES}", 1) if "?>" in x else DECLARES + x)


def test_a_document_type_of_its_own_is_refused_in_every_format() -> None:
    broken = changed(CASES["plain"](), "xl/sharedStrings.xml", lambda x: x.replace("甲示范局", "&unknown;"))
    assert code(broken) == "unreadable"
    assert code(with_type(broken, "xl/sharedStrings.xml")) == "unsafe"
    assert code(with_type(ods(("表", [HEAD, *TWO]), hidden_rows=[1]), "content.xml")) == "unsafe"
    assert code(xml2003("a", [["1"]], DECLARES)) == "unsafe"
    assert code(DECLARES.encode() + html([["1"]])) == "unsafe"
    assert open_book(b"<!DOCTYPE html>" + html([["1"]])).grids, "one that declares nothing is any page's"


@pytest.mark.parametrize(("limit", "value"), [("LARGEST_RATIO", 10), ("LARGEST_UNPACKED", 100_000)])
def test_a_package_that_unpacks_to_too_much_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("[Content_Types].xml", "<Types/>")
        z.writestr("xl/worksheets/sheet1.xml", b"0" * 200_000)

    def never(*_: object) -> None:
        raise AssertionError("unpacked it")

    monkeypatch.setattr(by_calamine, "grids", never)
    monkeypatch.setattr(package, "SMALL_UNPACKED", 50_000)
    monkeypatch.setattr(package, "LARGEST_RATIO", 10_000)
    monkeypatch.setattr(package, limit, value)
    assert code(out.getvalue()) == "unsafe"
    assert len(out.getvalue()) < 1_000


def test_a_false_dimension_loses_no_row(contracts: Contracts) -> None:
    data = changed(CASES["plain"](), "xl/worksheets/sheet1.xml", lambda x: x.replace('ref="A1:E3"', 'ref="A1"'))
    assert len(reader_for(contracts).read(data, "x").sheets[0].rows) == 2


def test_formulas_are_kept_as_read_and_never_run(contracts: Contracts) -> None:
    rows = [HEAD, ["=cmd|' /C calc'!A0", "2021-01", 1, 2, 3]]
    s = reader_for(contracts).read(text(rows), "x.csv").sheets[0]
    assert s.values["org_name"] == ["=cmd|' /C calc'!A0"]


def test_links_to_other_workbooks_are_not_followed(contracts: Contracts) -> None:
    rows = [HEAD, ["甲示范局", "2021-01", "=[other.xlsx]Sheet1!A1", 2, 3]]
    s = reader_for(contracts).read(xlsx(("Sheet1", rows)), "x").sheets[0]
    assert s.values["electricity"] == [0.0], "what the file remembers of the other, not the other"


def test_too_large_and_empty_and_broken(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    assert code(b"") == code(b"\r\n \t") == code(b"\xef\xbb\xbf") == "empty"
    assert code(CASES["plain"]()[:-200]) == "unreadable"
    assert code(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600) == "unreadable"
    assert code(b"%PDF-1.7\n" + bytes(range(256)) * 10) == "unreadable"
    assert reader_for(contracts).read(xlsx(("a", []), ("b", [])), "x").reason == "empty"
    monkeypatch.setattr(formats, "LARGEST_FILE", 1000)
    assert code(b"a,b\n" * 1000) == "too_large"


def test_a_file_too_large_is_not_even_loaded(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from pathlib import Path

    from pipelines.intake import file_reader as reader

    path = Path(str(tmp_path)) / "x.csv"
    path.write_bytes(b"a,b\n" * 1000)
    monkeypatch.setattr(reader, "LARGEST_FILE", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda _: 1 / 0)
    assert read_file(path, "x.csv", contracts).reason == "too_large"


def test_a_table_of_more_cells_than_a_sheet_may_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_MOST_CELLS", 100)
    assert code(html([["x"] * 3], spans={(0, i): (10, 10) for i in range(3)})) == "unsafe"
    monkeypatch.setattr(by_calamine, "MOST_CELLS", 9)
    (grid,) = open_book(xlsx(("a", [HEAD, *TWO]))).grids
    assert grid.refusal is not None and (grid.refusal.code, grid.rows) == ("too_large", [])


def test_a_directory_of_nonsense_is_no_archive() -> None:
    data = bytearray(CASES["plain"]())
    at = data.rfind(b"PK\x05\x06")
    struct.pack_into("<L", data, at + 16, 0xFFFFFF)
    assert not is_archive(bytes(data))


def test_macros_are_never_looked_at(contracts: Contracts) -> None:
    out = io.BytesIO(CASES["plain"]())
    with zipfile.ZipFile(out, "a") as z:
        z.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"Auto_Open" * 100)
    assert reader_for(contracts).read(out.getvalue(), "x.xlsm").status == "accepted"


def with_macro_sheet(data: bytes, suffix: str) -> bytes:
    """A workbook with a sheet of Excel 4.0 macros before its own, as viruses of the nineties left them."""
    out = io.BytesIO()
    kind = "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"
    rel = f'<Relationship Id="rId9" Type="{kind}" Target="macrosheets/sheet1.{suffix}"/></Relationships>'
    wide = lambda t: struct.pack("<I", len(t)) + t.encode("utf-16-le")  # noqa: E731
    body = struct.pack("<II", 0, 9) + wide("rId9") + wide("Macro1")
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            part = old.read(n)
            if n.startswith("xl/_rels/workbook."):
                part = part.replace(b"</Relationships>", rel.encode())
            elif n == "xl/workbook.xml":
                part = part.replace(b"<sheets>", b'<sheets><sheet name="Macro1" sheetId="9" r:id="rId9"/>')
            elif n == "xl/workbook.bin":
                part = part.replace(b"\x8f\x01\x00", b"\x8f\x01\x00\x9c\x01" + bytes([len(body)]) + body)
            new.writestr(n, part)
        new.writestr(f"xl/macrosheets/sheet1.{suffix}", b"<macrosheet/>" if suffix == "xml" else b"\x81\x01\x00")
    return out.getvalue()


@pytest.mark.parametrize("suffix", ["xml", "bin"])
def test_a_sheet_of_macros_is_left_out_and_the_others_are_read(contracts: Contracts, suffix: str) -> None:
    whole = xlsx(("表", [HEAD, *TWO])) if suffix == "xml" else xlsb("表", [HEAD, *TWO], hidden_rows=[2])
    got = reader_for(contracts).read(with_macro_sheet(whole, suffix), "a.xlsm")
    assert [(s.sheet, len(s.rows)) for s in got.sheets] == [("表", 2)]
    assert ["Macro1" in repr(g) for g in open_book(with_macro_sheet(whole, suffix)).grids] == [False]
    if suffix == "bin":  # what is told of a sheet is told of the right one
        assert [i.row for i in got.sheets[0].issues] == [3]


def test_a_workbook_in_utf_16_is_read(contracts: Contracts) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(("表", [HEAD, *TWO])))) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            part = old.read(n)
            if n.startswith("xl/") and n.endswith(".xml"):
                part = part.decode().replace("UTF-8", "UTF-16", 1).encode("utf-16")
            new.writestr(n, part)
    got = reader_for(contracts).read(out.getvalue(), "a.xlsx")
    assert (got.status, len(got.sheets[0].rows)) == ("accepted", 2)


def test_a_locked_workbook_says_so_and_one_with_excels_own_password_is_read() -> None:
    import msoffcrypto.format.ooxml as ooxml

    for password, locked in (("VelvetSweatshop", False), ("secret", True)):
        out = io.BytesIO()
        ooxml.OOXMLFile(io.BytesIO(CASES["plain"]())).encrypt(password, out)
        if locked:
            assert code(out.getvalue()) == "encrypted"
        else:
            assert open_book(out.getvalue()).grids[0].rows[0] == HEAD


def test_nothing_of_a_secret_column_is_kept(contracts: Contracts) -> None:
    r = reader_for(contracts).read(CASES["refused_rows"](), "x")
    everything = repr(r)
    for secret in ("13800000000", "秘示范局", "疑示范局", "说不清", "91350100M000100Y44"):
        assert secret not in everything
    assert "contact" not in r.sheets[0].values
    assert "classified" not in r.sheets[0].values


def test_a_column_of_the_second_level_is_kept_but_not_told(contracts: Contracts) -> None:
    rows = [
        ["处置编号", "单位名称", "处置方式", "面积类别", "面积", "受让方", "状态"],
        [1, "甲示范局", "拍卖", "房屋", 5, 123456789012345678, "流拍"],
    ]
    s = reader_for(contracts).read(xlsx(("a", rows)), "x").sheets[0]
    (issue,) = s.issues
    assert (issue.column, issue.code, issue.raw_value) == ("buyer", "bad_type", None)
    assert "12345678" not in issue.message_zh + issue.message_en


def test_a_guard_under_a_nearly_right_header_still_guards(contracts: Contracts) -> None:
    rows = [
        [
            "统一社会信用代码",
            "单位名称",
            "年度",
            "单位性质",
            "层级",
            "行政区划代码",
            "用能人数",
            "建筑面积",
            "是否为涉密单位",
        ],
        ["91350100M000100Y43", "秘示范局", 2021, "党政机关", "市", 430200, 100, 1000, "是"],
    ]
    s = reader_for(contracts).read(xlsx(("a", rows)), "x").sheets[0]
    assert (s.rows, s.refused) == ([], 1)
    assert "秘示范局" not in repr(s)


def test_hidden_sheets_are_not_read(contracts: Contracts) -> None:
    data = xlsx(("a", [HEAD, *TWO]), ("b", [HEAD, ["藏示范局", "2021-01", 1, 2, 3]]), hidden_sheets=["b"])
    r = reader_for(contracts).read(data, "x")
    assert [s.status for s in r.sheets] == ["accepted", "ignored"]
    assert "藏示范局" not in repr(r)


def test_what_is_only_in_hidden_sheets_is_asked_for(contracts: Contracts) -> None:
    got = reader_for(contracts).read(xlsx(("表", []), ("存", [HEAD, *TWO]), hidden_sheets=["存"]), "a.xlsx")
    assert (got.status, got.reason) == ("rejected", "empty")
    assert "“存”" in got.issues[0].message_zh and "取消隐藏" in got.issues[0].message_zh


def test_pages_in_pages_end_at_the_second() -> None:
    page = b"<table><tr><td>1</td></tr></table>"
    for _ in range(30):
        page = b"MIME-Version: 1.0\nContent-Type: multipart/x; boundary=b\n\n--b\nContent-Type: text/html\n\n" + page
    assert open_book(page).grids  # whatever they hold, it ends
