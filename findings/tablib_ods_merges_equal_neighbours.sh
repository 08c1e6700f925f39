#!/usr/bin/env bash
# tablib 3.10.0: from an .ods it keeps one of each run of equal cells and of equal rows; the figures behind them move left.
#
# OpenDocument writes a run of equal cells once, with number-columns-repeated, and a run of equal rows once, with
# number-rows-repeated; LibreOffice does so whenever it saves. Rows that are printed on each page are in table-header-rows.
# Seen (Python 3.11, odfpy 1.4.1), no error anywhere:
#   in the file                          tablib               python-calamine 0.9.1
#   x 3 3 9 open                         x 3 9 open ''        x 3 3 9 open
#   y, two empty cells, 9 open           y 9 open '' ''       y '' '' 9 open
#   z 1 2 4, three times                 z 1 2 4, once        three times
#   "stopped", with a note by Li         Li                   stopped
#   a first row in table-header-rows     nothing of it        the row
# Why it matters here: with the cells as quarters, a year's sum is 12 in place of 15 and an amount of the third quarter is that of the
# first; two of three equal records are gone; a person's name is published as a value. django-import-export loads spreadsheets by
# this library. Repeats in .ods files are counted by a reader of our own. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q tablib==3.10.0 odfpy==1.4.1 python-calamine==0.9.1
cat > repeated.py <<'PY'
import io, sys

import python_calamine, tablib
from odf.dc import Creator
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableHeaderRows, TableRow
from odf.text import P


def text(value, note=None):
    cell = TableCell(valuetype="string")
    if note:
        cell.addElement(Annotation())
        cell.lastChild.addElement(Creator(text=note))
    cell.addElement(P(text=value))
    return cell


def number(value, times=1):
    cell = TableCell(valuetype="float", value=value, numbercolumnsrepeated=times)
    cell.addElement(P(text=str(value)))
    return cell


def fill(parent, *children):
    for child in children:
        parent.addElement(child)
    return parent


def read(*rows):
    book = OpenDocumentSpreadsheet()
    book.spreadsheet.addElement(fill(Table(name="s"), *rows))
    out = io.BytesIO()
    book.write(out)
    by_tablib = tablib.Dataset().load(out.getvalue(), format="ods", headers=False)
    by_calamine = python_calamine.load_workbook(io.BytesIO(out.getvalue())).get_sheet_by_index(0)
    return [list(row) for row in by_tablib], by_calamine.to_python()


first = [text(name) for name in ("place", "q1", "q2", "q3", "state")]
seen, whole = read(
    fill(TableRow(), *first),
    fill(TableRow(), text("x"), number(3, times=2), number(9), text("open")),
    fill(TableRow(), text("y"), TableCell(numbercolumnsrepeated=2), number(9), text("open")),
    fill(TableRow(numberrowsrepeated=3), text("z"), number(1), number(2), number(4), text("stopped", note="Li")),
)
printed = read(fill(TableHeaderRows(), fill(TableRow(), text("place"))), fill(TableRow(), text("x")))
print("tablib", *seen, "calamine", *whole, "with a header row (tablib, calamine)", *printed, sep="\n")
names = ["place", "q1", "q2", "q3", "state"]
sys.exit(
    seen != [names, ["x", 3, 9, "open", ""], ["y", 9, "open", "", ""], ["z", 1, 2, 4, "Li"]]
    or whole != [names, ["x", 3, 3, 9, "open"], ["y", "", "", 9, "open"]] + [["z", 1, 2, 4, "stopped"]] * 3
    or printed != ([["x"]], [["place"], ["x"]])
)
PY
venv/bin/python repeated.py
