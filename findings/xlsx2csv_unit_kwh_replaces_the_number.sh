#!/usr/bin/env bash
# xlsx2csv 0.8.6: a number under a format whose unit holds a d, h, m, s or y is replaced by the format itself, and is lost.
#
# Seen (Python 3.11, exit status 0, nothing on standard error): a workbook of XlsxWriter 3.2.9 holds 1234.5 under each of these formats.
#   0.0"t"      1234.5000      0.0"kWh"    0.0"kw12"    0"/day"     0"/18ay"
#   0"Y"        0"y"           0.0" m²"    0.0" 05²"    0.0"Mwh"    0.0"05w12"
# Why: of a format with one of those letters, in quotes or not, each is filled in as part of the day that the number would be
# (18 May 1903, 12 o'clock), and all else of the format is taken as text. A unit without them comes out as a plain number.
# openpyxl 3.1.5 and python-calamine 0.9.1 read 1234.5 in every one of the six.
# Why it matters here: departments type electricity as 0.0"kWh" and floor areas as 0.0" m²". Whoever turns such a workbook into
# CSV by this command gets the same wrong text in every row, and no figure of energy at all. Workbooks are read by calamine
# here, never by way of CSV. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q xlsx2csv==0.8.6 XlsxWriter==3.2.9 openpyxl==3.1.5 python-calamine==0.9.1
cat > make.py <<'PY'
import xlsxwriter

formats = ['0.0"t"', '0"Y"', '0.0"kWh"', '0.0" m²"', '0"/day"', '0.0"Mwh"']
book = xlsxwriter.Workbook("units.xlsx")
sheet = book.add_worksheet()
for row, text in enumerate(formats):
    sheet.write_number(row, 0, 1234.5, book.add_format({"num_format": text}))
book.close()
PY
cat > compare.py <<'PY'
import csv, sys

import openpyxl, python_calamine

with open("units.csv", encoding="utf-8", newline="") as f:
    seen = [row[0] for row in csv.reader(f)]
others = [cell.value for cell in openpyxl.load_workbook("units.xlsx").active["A"]]
others += [row[0] for row in python_calamine.load_workbook("units.xlsx").get_sheet_by_index(0).to_python()]
print(*seen, sep="\n")
expected = ["1234.5000", '0"y"', '0.0"kw12"', '0.0" 05²"', '0"/18ay"', '0.0"05w12"']
sys.exit(seen != expected or others != [1234.5] * 12)
PY
venv/bin/python make.py
venv/bin/xlsx2csv units.xlsx units.csv 2> log
[ ! -s log ]
venv/bin/python compare.py
