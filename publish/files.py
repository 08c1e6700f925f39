"""Names of the files of a release: where each table's file of each format is.

Belongs here: folders, file names and media types. Not here: what is in a file (publish/release/write.py).
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
# The folders of a release: `csv` is for Excel, `csv-plain` for programs, and what a catalogue means by CSV.
PLAIN, EXCEL = "csv-plain", "csv"
FOLDERS = (PLAIN, EXCEL, "xlsx", "parquet")
CATALOGUE, SUMS = "catalog.jsonld", "SHA256SUMS"
PACKAGE, CROISSANT, CRATE = "datapackage.json", "croissant.json", "ro-crate-metadata.json"
# The indicator values as SDMX-CSV 2.0, with the message in SDMX-JSON 2.0 that says how they are structured.
SDMX = "sdmx"
SDMX_DATA, SDMX_STRUCTURE = f"{SDMX}/indicator_values.csv", f"{SDMX}/structure.json"
SDMX_LEADING = ("STRUCTURE", "STRUCTURE_ID", "ACTION")  # columns before those of the table
_SDMX_COMPONENTS = {
    "indicator_id": "INDICATOR",
    "year": "TIME_PERIOD",
    "value": "OBS_VALUE",
    "status": "OBS_STATUS",
    "unit": "UNIT_MEASURE",
}
DESCRIBED = ".csv-metadata.json"  # beside a CSV file for programs
CODINGS = {"zstd": ".zst", "gzip": ".gz"}  # of HTTP, with the suffix of the coded file beside a file; the smaller first
# Media types by suffix or name, where the system's list has none or another.
WHOLE_TYPES = {
    ".csv": "text/csv",
    ".db": "application/vnd.sqlite3",
    ".jsonld": "application/ld+json",
    ".parquet": "application/vnd.apache.parquet",
    ".yaml": "application/yaml",
    ".gz": "application/gzip",
    ".zst": "application/zstd",
    SUMS: "text/plain",
    CROISSANT: "application/ld+json",
    CRATE: "application/ld+json",
    SDMX_DATA: "application/vnd.sdmx.data+csv; version=2.0.0",
    SDMX_STRUCTURE: "application/vnd.sdmx.structure+json; version=2.0.0",
}
SHEETS = {False: ("数据", "说明"), True: ("Data", "Notes")}  # of a workbook, of rows and about them; whether in English
ABSENT = "\\N"  # in a CSV file for programs, absent text of a column in which an empty cell is empty text


def path_of(table: str, form: str) -> str:
    """The path within a release of a table's file in a format of MEDIA."""
    return table_file(PLAIN if form == "csv" else form, table)


def table_file(folder: str, table: str) -> str:
    """The path within a release of a table's file in one of FOLDERS."""
    return f"{folder}/{table}.{folder.partition('-')[0]}"


def sdmx_component(column: str) -> str:
    """The header in SDMX_DATA of a column of indicator_values."""
    return _SDMX_COMPONENTS.get(column, column.upper())


def media_type(path: str) -> str:
    """The media type of a file of a release, without a character set."""
    if path.endswith(DESCRIBED):
        return "application/csvm+json"
    kind = WHOLE_TYPES.get(path) or WHOLE_TYPES.get(PurePosixPath(path).suffix)
    return kind or mimetypes.guess_type(path)[0] or "application/octet-stream"
