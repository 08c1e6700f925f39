"""Reads a large separated text column by column, where the result equals that of the csv module.

Belongs here: whether it does, and the columns. Not here: the separator, or texts that are read line by line (text.py). Arrow parts
the cells; whatever Arrow would take otherwise (a stray quotation mark, a separator of several bytes) is not taken here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from pipelines.intake.packed import LargeRows

# What str.strip takes away; a test holds it against str.isspace.
WHITE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# The first byte, the last and the one before it of each in UTF-8; a cell with other bytes there has none of it at its ends.
_FIRST = np.isin(np.arange(256), [c.encode()[0] for c in WHITE])
_LAST = np.isin(np.arange(256), [c.encode()[-1] for c in WHITE])
_BEFORE_LAST = np.isin(np.arange(256), [c.encode()[-2] for c in WHITE if not c.isascii()])
_FEWEST = 4  # columns; a narrower table is hardly one
_LONGEST_QUOTED = 2000  # bytes with a line break in them that are believed to be one cell
_MOST_FILLED_UP = 2  # times the cells: a single line of a thousand separators would make as many columns of all
_LARGEST_QUOTED = 100_000_000  # bytes: what tells quoted separators from others is several times as large
_PIECE = 1 << 24  # bytes that are looked at at a time
_FIRST_LINE = 1 << 20
_QUOTE, _LINE = b'"'[0], b"\n"[0]


def large_rows(text: str, separator: str) -> LargeRows | None:
    """The rows of a text, whose lines end in \\n alone and which is not empty; None where it has to be read cell by cell."""
    try:
        return rows_of(text.encode() if text.endswith("\n") else f"{text}\n".encode(), separator)
    except UnicodeEncodeError:
        return None


def rows_of(data: bytes | memoryview, separator: str) -> LargeRows | None:
    """As `large_rows`, for a text in UTF-8."""
    part = separator.encode()
    marks = np.frombuffer(data, np.uint8)
    if len(part) != 1 or _holds(marks, 1) or _holds(marks, 2) or bytes(data[:3]) == b"\xef\xbb\xbf":
        return None
    if marks[-1] != _LINE:
        data = bytes(data) + b"\n"
    quoted = _holds(marks, _QUOTE)
    unquoted = data if not quoted else _without_quotes(data, part) if len(data) <= _LARGEST_QUOTED else None
    if unquoted is None:
        return None
    filled = _filled_up(unquoted, part)
    if filled is None:
        return None
    try:
        columns = _columns(filled, separator)
    except pa.ArrowInvalid:  # a line longer than a block
        return None
    if quoted:
        columns = [_as_quoted(c, separator) for c in columns]
    return LargeRows([pc.utf8_trim(c, characters=WHITE) if _may_be_trimmed(c) else c for c in columns])


def _pieces(marks: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Whole lines of a text, some millions of bytes at a time: a mask is as large as what it is of."""
    at = 0
    while at < len(marks):
        after = min(at + _PIECE, len(marks))
        while after < len(marks) and marks[after - 1] != _LINE:
            ends = np.flatnonzero(marks[after : after + _PIECE] == _LINE)
            after += int(ends[0]) + 1 if len(ends) else _PIECE
        yield marks[at : min(after, len(marks))]
        at = after


def _holds(marks: NDArray[np.uint8], byte: int) -> bool:
    return any(bool((piece == byte).any()) for piece in _pieces(marks))


def _without_quotes(data: bytes | memoryview, separator: bytes) -> bytes | None:
    """The text without its quotation marks, \\x01 for each separator and \\x02 for each line break between them; None unless each
    pair of marks holds one whole cell, and none in it."""
    marks = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(marks == _QUOTE)
    if len(at) % 2:
        return None
    edges = np.concatenate(
        [[_LINE], marks, [_LINE]]
    )  # of marks[k] the byte before is edges[k], the one after edges[k + 2]
    begins, ends = edges[at[::2]], edges[at[1::2] + 2]
    if not all(np.all((b == _LINE) | (b == separator[0])) for b in (begins, ends)):
        return None
    quoted = np.zeros(len(marks) + 1, np.int8)
    quoted[at[::2]] = 1
    quoted[at[1::2]] = -1
    inside = np.cumsum(quoted[:-1], dtype=np.int8).view(bool)
    breaks = inside & (marks == _LINE)
    if breaks.any() and (at[1::2] - at[::2]).max() > _LONGEST_QUOTED:
        return None
    out = marks.copy()
    out[inside & (marks == separator[0])] = 1
    out[breaks] = 2
    return out[marks != _QUOTE].tobytes()


def _as_quoted(column: pa.Array, separator: str) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(column, "\x01", separator), "\x02", "\n")


def _may_be_trimmed(column: pa.Array) -> bool:
    """Whether a cell may begin or end with white space."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    filled = ends[1:] > ends[:-1]
    if data is None or not filled.any():
        return False
    text = np.frombuffer(data, np.uint8)
    first, last = text[ends[:-1][filled]], text[ends[1:][filled] - 1]
    before = text[np.maximum(ends[1:][filled] - 2, 0)]
    return bool(_FIRST[first].any() or (_LAST[last] & ((last < 128) | _BEFORE_LAST[before])).any())


def _filled_up(data: bytes | memoryview, separator: bytes) -> bytes | memoryview | None:
    """The lines, each with as many cells as the widest; None where that is too few or too many."""
    counts = np.concatenate([_separators(p, separator[0]) for p in _pieces(np.frombuffer(data, np.uint8))])
    most = int(counts.max())
    if most + 1 < _FEWEST or (most + 1) * len(counts) > _MOST_FILLED_UP * (int(counts.sum()) + len(counts)):
        return None
    if int(counts.min()) == most:
        return data
    lines = bytes(data).split(b"\n")
    for k in np.flatnonzero(counts < most):
        lines[k] += separator * (most - int(counts[k]))
    return b"\n".join(lines)


def _separators(lines: NDArray[np.uint8], separator: int) -> NDArray[np.int32]:
    """The number of separators in each line."""
    ends = np.flatnonzero(lines == _LINE)
    begins = np.concatenate([[0], ends[:-1] + 1])
    return np.add.reduceat(lines == separator, begins, dtype=np.int32)


def _columns(data: bytes | memoryview, separator: str) -> list[pa.Array]:
    first = bytes(data[:_FIRST_LINE])
    width = (first[: first.index(b"\n")] if b"\n" in first else bytes(data).split(b"\n", 1)[0]).count(
        separator.encode()
    ) + 1
    names = [str(k) for k in range(width)]
    table = pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(data)),
        pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=_PIECE + _FIRST_LINE),
        pyarrow.csv.ParseOptions(delimiter=separator, quote_char=False, escape_char=False, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    )
    columns = []
    while table.num_columns:  # a column at a time, or there would be two of each
        column = table.column(0)
        table = table.remove_column(0)
        columns.append(column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    return columns
