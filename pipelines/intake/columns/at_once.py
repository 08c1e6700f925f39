"""Parses columns of texts vectorised in Arrow, with the results of the cell parsers.

Belongs here: numbers as programs write them, which Arrow reads as float() does; each other text is read once by its column's own
reader, however often it stands there. Not here: what a text says (values), or what stands beside it (table.py, suspects.py).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from expectations.arrow import TYPES
from pipelines.intake.packed import Packed
from pipelines.intake.values import Bad, ColumnReader, DoubtfulValue, written_to
from pipelines.intake.values.numbers import POWERS

# Of these read_number makes float(text), or with a factor float(Decimal(text) * factor), which is float(text + "e4") for 10,000.
_NUMBER = r"^-?[0-9]{1,15}(?:\.[0-9]{1,12})?$"
_LONGEST = 18
_EXACT = 2.0**50  # floats below it hold whole numbers, and three times them
_FIGURES = np.isin(np.arange(256), list(b"0123456789.-"))
_HALVES = np.array([0.5 * 10.0**-digits for digits in range(_LONGEST)])

Odd = list[tuple[int, Bad | DoubtfulValue]]


def read(reader: ColumnReader, raw: Packed, unless: frozenset[str]) -> tuple[Packed, Odd] | None:
    """Parse a column's texts: the values, and the index and reason of each bad or doubtful cell (see `ColumnReader.read`). None where
    the column holds one of the texts `unless`, none of which is a number."""
    column, texts = reader.column, raw.array
    if column.kind not in ("decimal", "integer") or not _by_arrow(reader):
        return _each_once(reader, texts, None, unless)
    plain = _plain(texts)
    digits = texts if plain is None else pc.if_else(plain, texts, None)
    if reader.factor is not None:
        digits = pc.binary_join_element_wise(digits, POWERS[reader.factor], "")
    numbers = digits.cast(pa.float64())
    if column.kind == "integer":
        whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT))
        plain = pc.fill_null(whole, False)
        numbers = pc.if_else(plain, numbers, None).cast(pa.int64())
    if plain is None or plain.false_count == 0:
        return Packed(numbers), []
    others = pc.invert(plain)
    rest = _each_once(reader, texts.filter(others), np.flatnonzero(others), unless)
    return rest and (Packed(pc.replace_with_mask(numbers, others, rest[0].array)), rest[1])


def halves(reader: ColumnReader, raw: Packed, values: Packed) -> Packed:
    """Half a unit of the last digit that each number is written with: see `written_to`."""
    plain = np.zeros(len(raw), bool)
    if _by_arrow(reader):
        known = _plain(raw.array)
        plain = np.ones(len(raw), bool) if known is None else np.asarray(known)
    out = np.full(len(raw), np.nan)
    texts = raw.array.filter(pa.array(plain))
    numbers = np.abs(texts.cast(pa.float64()).to_numpy())
    point = pc.find_substring(texts, ".").to_numpy()
    digits = np.where(point < 0, 0, pc.binary_length(texts).to_numpy() - point - 1)
    nought = numbers == 0
    read_as = values.array.filter(pa.array(plain)).to_numpy()
    ratio = np.abs(read_as / np.where(nought, 1.0, numbers))
    out[plain] = _HALVES[digits] * np.where(nought, float(reader.factor or 1), ratio)
    rest = np.flatnonzero(~plain)
    for k, text, value in zip(
        rest, raw.array.take(pa.array(rest)).to_pylist(), values.array.take(pa.array(rest)).to_pylist(), strict=True
    ):
        half = written_to(text, value, reader.factor)
        out[k] = np.nan if half is None else half
    return Packed(pa.array(out, from_pandas=True))


def nothing(rows: int) -> Packed:
    """A column of nulls for a missing column: Arrow's null type takes no memory."""
    return Packed(pa.nulls(rows))


def figures(values: Packed) -> NDArray[np.float64] | list[Any]:
    """A column of numbers with 0 for null; a list where floats would lose digits."""
    numbers = pc.fill_null(values.array.cast(pa.float64(), safe=False), 0).to_numpy()
    if values.array.type == pa.int64() and len(numbers) and np.abs(numbers).max() > _EXACT:
        return [v or 0 for v in values]
    return np.asarray(numbers)


def may_be_close(numbers: NDArray[np.float64], times: int, relative: float) -> bool:
    """Whether `close` may find anything for the sum of the numbers, despite rounding."""
    return bool(close(numbers * times, float(numbers.sum()), 2 * relative))


def close(numbers: NDArray[np.float64], whole: float, relative: float) -> list[int]:
    """Positions of the numbers for which math.isclose is true."""
    off = np.abs(numbers - whole)
    near = (off <= np.abs(relative * whole)) | (off <= np.abs(relative * numbers))
    return [int(k) for k in np.flatnonzero(near | (numbers == whole))]


def _by_arrow(reader: ColumnReader) -> bool:
    return not reader.column.missing and (reader.factor is None or reader.factor in POWERS)


def _plain(texts: pa.Array) -> pa.BooleanArray | None:
    """Mask of the texts that are numbers as programs write them; None where all are."""
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest <= _LONGEST and _is_figures(texts):
        with suppress(pa.ArrowInvalid):
            texts.cast(pa.float64())
            return None
    return pc.and_(pc.match_substring_regex(texts, _NUMBER), pc.less_equal(pc.binary_length(texts), _LONGEST))


def _is_figures(texts: pa.Array) -> bool:
    """Whether a column holds only digits, points and signs."""
    _, offsets, data = texts.buffers()
    if data is None:
        return False
    ends = np.frombuffer(offsets, np.int32)
    first, last = ends[texts.offset], ends[texts.offset + len(texts)]
    return bool(_FIGURES[np.frombuffer(data, np.uint8)[first:last]].all())


def _each_once(
    reader: ColumnReader, texts: pa.Array, places: NDArray[np.intp] | None, unless: frozenset[str]
) -> tuple[Packed, Odd] | None:
    """Parse each distinct text once, as `read` does. `places`: the position of each text in the column, None where they are all of it."""
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    if not unless.isdisjoint(distinct):
        return None
    values, odd = reader.each(distinct)
    found = Packed(pa.array(values, TYPES[reader.column.kind]).take(encoded.indices))
    if not odd:
        return found, []
    why = dict(odd)
    indices = encoded.indices.to_numpy()
    at = np.flatnonzero(np.isin(indices, list(why)))
    return found, [(int(k if places is None else places[k]), why[int(indices[k])]) for k in at]
