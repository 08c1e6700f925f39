"""Reads Excel workbooks in XML (.xlsx, .xlsm): values with calamine, everything else from the parts themselves.

Belongs here: which parts a workbook has, and which of them are read by whom: a search for bytes, which is cheap, says where there may
be something that calamine leaves out or reads wrong. Not here: what stands in the parts (sheet_xml.py), the zip around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from pipelines.intake.formats import by_calamine, computed, expressions, markup, number_format, sheet_xml
from pipelines.intake.formats.package import DECLARES, Package
from pipelines.intake.formats.sheet_xml import ON, Details
from pipelines.intake.sheets import FORM_LISTS, Book, Fault, Formats, Grid, Refusal, broken

_WORKBOOK = "xl/workbook.xml"
_SHEETS, _TEXTS, _STYLES = "xl/worksheets/", "xl/sharedStrings.xml", "xl/styles.xml"

# Only these say that a pass is worth its time; what they find is not believed. Each begins with plain letters, for which re
# searches several times faster than for a choice.
_HIDDEN = re.compile(rb"""hidden\s*=\s*["'](?:1|t|on)""").search
_NO_HEIGHT = re.compile(rb"""ht\s*=\s*["']0(?:\.0*)?["']""").search
_NO_WIDTH = re.compile(rb"""width\s*=\s*["']0(?:\.0*)?["']""").search
_ALL_HIDDEN = re.compile(rb"""zeroHeight\s*=\s*["'](?:1|t|on)""").search
_ERROR_CELL = re.compile(rb"""t\s*=\s*["']e["']""")
_INLINE = b"inlineStr"
_NO_RESULT = re.compile(
    rb"""(?:f|f\s[^<>]*/|f\s*/)>\s*(?:<(?:\w+:)?v\b[^>]*/>\s*|<(?:\w+:)?v\b[^>]*>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>|DISPIMG"""
)
_RESULT = re.compile(rb"(?:f|f\s[^<>]*/)>\s*<(?:\w+:)?v\b[^>]*>\s*([^<\s]*)")
_ROW_NUMBER = re.compile(rb"""row\s[^<>]*?\br\s*=\s*["'](\d+)""")
_FAR = 100_000  # rows
_NOTHING = frozenset([b"0", b"0.0", b""])
# Values beside white space, comments or sections, of which calamine takes 0 or nothing; one writer spells all its cells alike.
_ODD = re.compile(rb"v>(?:\s|<!)")
_LOOKED_AT = 5_000  # bytes, some hundred cells
_SURROGATE = re.compile(rb"_x[dD][89abAB]")


def open_xlsx(package: Package) -> Book:
    """Open the package of a workbook. Raises Refusal."""
    book = package.book()
    book.is_1904 = partial(_is_1904, package)
    parts: dict[str, bytes] = {}
    own: set[str] = set()
    for name in package.entries:
        if name.startswith(_SHEETS) and name.endswith(".xml"):
            part = package.part(name)
            parts[name] = xml = markup.recoded(part)
            if xml is not part or _is_odd(xml) or _ends_far(xml):
                own.add(name)
    try:
        skipped = {k for k, s in enumerate(_sheets(package)) if s[1] in own} if own else ()
        book.grids = list(by_calamine.grids(package.data, skipped))
        if not book.grids:
            raise broken("no worksheet found")
    except Refusal as e:
        if e.code != "unreadable":
            raise
        book.grids, parts = _second_opinion(package, e), {}
    if len(book.grids) > len(parts):
        known, parts = parts, {part: package.xml(part) for _, part, _ in _sheets(package)}
        own |= set() if known else set(parts)
    _read_ourselves(package, parts, book.grids, own)
    _add_details(package, parts, book.grids, own)
    return book


def _second_opinion(package: Package, first: Refusal) -> list[Grid]:
    """The sheets of a workbook that calamine cannot read, without their values; raises what it is instead of one.

    calamine refuses the whole for a sheet of macros of Excel 4.0 and a part in another encoding, and finds no workbook in
    another folder.
    """
    if package.has_document_type():
        raise Refusal("unsafe", *DECLARES) from first
    found = [Grid(name, [], hidden=hidden) for name, _, hidden in _sheets(package)]
    if not found or not sheet_xml.shared_texts(package.xml(_near(package, _TEXTS)))[1]:
        raise package.signed() or first from first
    return found


def _read_ourselves(package: Package, parts: Mapping[str, bytes], grids: Sequence[Grid], own: Collection[str]) -> None:
    """Read the values of the sheets of the parts `own`, and of those that calamine calls broken."""
    if not own and not any(g.refusal for g in grids):
        return
    values: sheet_xml.Values | None = None
    for grid, name in zip(grids, _places(package, parts, len(grids)), strict=True):
        refused = grid.refusal is not None and grid.refusal.code == "unreadable"
        if not name or (name not in own and not refused) or (grid.hidden and grid.name != FORM_LISTS):
            continue
        values = values or _values(package)
        refusal, grid.refusal = grid.refusal, None
        if not sheet_xml.read(parts[name], values, grid):
            grid.rows, grid.refusal = [], refusal or broken("a sheet's XML is broken")
        elif grid.hidden:  # not read, but for the id that a form of ours hides there
            grid.rows = [grid.rows[0][:1]] if grid.rows and (grid.top, grid.left) == (0, 0) else []


def _values(package: Package) -> sheet_xml.Values:
    texts, _ = sheet_xml.shared_texts(package.xml(_near(package, _TEXTS)))
    styles = sheet_xml.styles(package.xml(_near(package, _STYLES))) or ()
    return sheet_xml.Values(texts, styles, _is_1904(package))


def _workbook(package: Package) -> str:
    """The part of the workbook, which has the same name in nearly all files."""
    if _WORKBOOK in package.entries:
        return _WORKBOOK
    return next((r.target for r in package.related("").values() if r.kind == "officeDocument"), _WORKBOOK)


def _near(package: Package, name: str) -> str:
    """A part by its usual name, or by its relation to the workbook where there is none of that name."""
    if name in package.entries:
        return name
    kind = name.rpartition("/")[2].removesuffix(".xml")
    return next((r.target for r in package.related(_workbook(package)).values() if r.kind == kind), name)


def _is_1904(package: Package) -> bool:
    return any(at.get("date1904") in ON for at in markup.attributes(package.xml(_workbook(package)), "workbookPr"))


def _sheets(package: Package) -> list[tuple[str, str, bool]]:
    """The worksheets in the order of the workbook: name, part, whether hidden. Sheets of charts and of macros are none."""
    workbook = _workbook(package)
    related = package.related(workbook)
    out = []
    for at in markup.attributes(package.xml(workbook), "sheet"):
        relation = related.get(next((v for k, v in at.items() if k.endswith(":id")), ""))
        if relation and relation.kind == "worksheet":
            out.append((at.get("name", ""), relation.target, at.get("state", "visible") != "visible"))
    return out


def _is_odd(xml: bytes) -> bool:
    """Whether calamine may read a value wrong: <v> 5 </v>, <v><!-- 5 -->5</v>. White space behind </v> is none of it."""
    found = _ODD.search(xml, 0, _LOOKED_AT)
    while found and xml.startswith(b"</", xml.rfind(b"<", 0, found.start())):
        found = _ODD.search(xml, found.end(), _LOOKED_AT)
    return found is not None


def _ends_far(xml: bytes) -> bool:
    """Whether the last row of a sheet stands so far below the others that blank cells may be all that takes it there: calamine
    lays out every cell above it."""
    at = xml.rfind(b"row ", max(0, len(xml) - 20_000))
    last = _ROW_NUMBER.match(xml, at) if at >= 0 else None
    return last is not None and int(last[1]) > _FAR and xml.count(b"row ") * 10 < int(last[1])


def _add_details(package: Package, parts: Mapping[str, bytes], grids: Sequence[Grid], own: Collection[str]) -> None:
    """Add what calamine does not read: hidden rows and columns, cells without a value, font runs, formats.
    `own`: parts that the searches may not know how to read."""
    kept: list[list[str]] = []

    def places() -> list[str]:
        if not kept:
            kept.append(_places(package, parts, len(grids)))
        return kept[0]

    for k, grid in enumerate(grids):
        grid.formats = lambda k=k, grid=grid: _formats(package, parts, lambda: places()[k], grid)  # type: ignore[misc]
    texts = package.xml(_near(package, _TEXTS))
    faults = _shared_faults(texts) if _has_runs(texts) else {}
    computing = {name for name, xml in parts.items() if _has_formulas(xml)}
    asked = {name for name, xml in parts.items() if faults or name in own or _needs_details(xml, name in computing)}
    if any(_holds_constant(parts[name]) for name in computing):
        asked |= computing
    details = [
        (grid, sheet_xml.details(parts[name], faults))
        for grid, name in (zip(grids, places(), strict=True) if asked else ())
        if name in asked and not grid.hidden
    ]
    for grid, found in details:
        grid.hidden_rows, grid.hidden_columns = found.hidden_rows, found.hidden_columns
        for (row, column), fault in found.faults.items():
            grid.put(row, column, fault)
    if any(found.formulas for _, found in details):
        _judge(package, details, grids)
    if _has_surrogates(texts) or any(
        _has_surrogates(xml) for name, xml in parts.items() if name in computing or _INLINE in xml
    ):
        sheet_xml.join_surrogates(grids)


def _judge(package: Package, details: Sequence[tuple[Grid, Details]], grids: Sequence[Grid]) -> None:
    """Replace cached results that were never computed by Faults."""
    properties = markup.attributes(package.xml(_workbook(package)), "calcPr")
    on_load = any(at.get("fullCalcOnLoad") in ON for at in properties)
    for _, found in details:
        for f in found.formulas:
            f.on_load = on_load
            if f.cached == "" and not on_load:
                f.cached = None  # the file says that the result is an empty text
    formulas = {id(grid): found.formulas for grid, found in details}
    computed.put_faults(
        [(grid, formulas.get(id(grid), [])) for grid in grids],
        lambda source: expressions.steps(source[0], "a1", source[1:]),
        by_library=any(found.spelled_zero for _, found in details),
        mixed=on_load,
    )


def _formats(package: Package, parts: Mapping[str, bytes], part: Callable[[], str], grid: Grid) -> Formats | None:
    """The number formats of one sheet; None where the file does not tell them. `part` gives its part, and is asked only where a
    format tells something."""
    name = _near(package, _STYLES)
    styles = sheet_xml.styles(package.xml(name))  # without any, numbers are shown as they are
    if styles is None or (name in package.entries and not package.part(name, 1)):
        return None
    codes = {str(k): code for k, (_, code) in enumerate(styles) if code and number_format.changes_numbers(code)}
    if not codes:
        return {}
    return sheet_xml.formats(parts[part()], codes, grid) if part() else None


def _places(package: Package, parts: Mapping[str, bytes], sheets: int) -> list[str]:
    """The part of each sheet; "" where that is not known."""
    if sheets == len(parts) == 1:
        return list(parts)
    # Grids are in the order of the workbook; names may hold escapes, so match by place.
    order = [part if part in parts else "" for _, part, _ in _sheets(package)]
    return [*order, *[""] * sheets][:sheets]


def _needs_details(xml: bytes, formulas: bool) -> bool:
    """Whether a sheet may hold what calamine leaves out; `formulas`: it holds some."""
    return bool(
        _HIDDEN(xml)
        or _NO_HEIGHT(xml)
        or _NO_WIDTH(xml)
        or _ALL_HIDDEN(xml)
        or (b"#" in xml and (b'"e"' in xml or b"'e'" in xml) and _ERROR_CELL.search(xml))
        or (_INLINE in xml and _has_runs(xml))
        or (formulas and _NO_RESULT.search(xml))
    )


def _has_formulas(xml: bytes) -> bool:
    return b"<f" in xml or (b"<worksheet" not in xml[:1000] and b":f" in xml)  # a prefix, if any, is the root's too


def _holds_constant(xml: bytes) -> bool:
    """Whether a sheet of formulas holds a result that may be a writer's constant."""
    return any(m[1] in _NOTHING for m in _RESULT.finditer(xml))


def _has_runs(shared: bytes) -> bool:
    """Whether a part may hold struck or raised runs."""
    return b"rPr" in shared and (b"strike" in shared or b"vertAlign" in shared)


def _has_surrogates(part: bytes) -> bool:
    """Whether a part may hold a character beyond U+FFFF in two escapes."""
    return b"_x" in part and bool(_SURROGATE.search(part))


def _shared_faults(texts: bytes) -> dict[str, Fault]:
    """The shared texts that are no values, by their index as a cell writes it."""
    return {str(k): t for k, t in enumerate(sheet_xml.shared_texts(texts)[0]) if isinstance(t, Fault)}
