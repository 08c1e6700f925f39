#!/usr/bin/env bash
# python-calamine 0.9.1: a number in an .xls is a date where its format has the number 27 to 36 or 50 to 58, whatever its FORMAT record says.
#
# Those numbers are dates in East Asian versions of Excel where a file has no FORMAT record for them. Programs that number their own
# formats from 50 on (Gnumeric 1.12.55 does) write a FORMAT record for each, which says what the number is.
# Seen (Python 3.11): xlwt 1.3.0 writes 1000.5 under the format 0.0000, whose number is then set in its FORMAT and XF records:
#   number 59:  calamine 1000.5,                   xlrd 2.0.2 a number, 1000.5
#   number 50:  calamine 1902-09-26 12:00:00,      xlrd 2.0.2 a number, 1000.5
#   number 27:  calamine 1902-09-26 12:00:00,      xlrd 2.0.2 a number, 1000.5
# Why it matters here: amounts of money became days in 1902. Our reader looks at the FORMAT records of an .xls and has such cells read by
# xlrd. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q python-calamine==0.9.1 xlrd==2.0.2 xlwt==1.3.0
cat > formats.py <<'PY'
import datetime, io, struct, sys

import python_calamine, xlrd, xlwt


def workbook(number):
    book = xlwt.Workbook()
    book.add_sheet("s").write(0, 0, 1000.5, xlwt.easyxf(num_format_str="0.0000"))
    out = io.BytesIO()
    book.save(out)
    data = bytearray(out.getvalue())
    record = data.index(b"\x06\0\x000.0000") - 2  # FORMAT: its number, then the length of its text and the text
    style = data.rindex(b"\xe0\0\x14\0")  # the last XF record is the cell's: font, then the format's number
    assert data[style + 6 : style + 8] == data[record : record + 2]
    data[record : record + 2] = data[style + 6 : style + 8] = struct.pack("<H", number)
    return bytes(data)


seen = {}
for number in (59, 50, 27):
    data = workbook(number)
    calamine = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()[0][0]
    cell = xlrd.open_workbook(file_contents=data, formatting_info=True).sheet_by_index(0).cell(0, 0)
    seen[number] = calamine, cell.ctype == xlrd.XL_CELL_NUMBER and cell.value
    print(number, *seen[number])
day = datetime.datetime(1902, 9, 26, 12)
sys.exit(seen != {59: (1000.5, 1000.5), 50: (day, 1000.5), 27: (day, 1000.5)})
PY
venv/bin/python formats.py
