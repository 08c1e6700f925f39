"""Names of the files of a release: where each table's file of each format is.

Belongs here: folders, file names and media types. Not here: what is in a file (publish/release/write.py).
"""

from __future__ import annotations

MEDIA = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
# The folders of a release: `csv` is for Excel, `csv-plain` for programs, and what a catalogue means by CSV.
PLAIN, EXCEL = "csv-plain", "csv"
FOLDERS = (PLAIN, EXCEL, "xlsx", "parquet")
CATALOGUE, SUMS = "catalog.jsonld", "SHA256SUMS"
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
}
ABSENT = "\\N"  # in a CSV file for programs, absent text of a column in which an empty cell is empty text


def path_of(table: str, form: str) -> str:
    """The path within a release of a table's file in a format of MEDIA."""
    return table_file(PLAIN if form == "csv" else form, table)


def table_file(folder: str, table: str) -> str:
    """The path within a release of a table's file in one of FOLDERS."""
    return f"{folder}/{table}.{folder.partition('-')[0]}"
