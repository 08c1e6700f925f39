"""Contributions of institutions to indicators, as columns of numbers, read one indicator at a time.

Belongs here: reading contributions, and where two states of them differ. Not here: what follows from them.

A province has five million rows of mostly the same few words. As numbers they take a sixth of the memory, and are compared at
once; a state that does not fit is read again from its file, indicator by indicator.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.core.digests import file_sha256

# A frame in the columns PARTS, or the Parquet file that holds them, with the closed part of each amount where it is known.
Parts = pd.DataFrame | Path
PLACE = ["year", "breakdown", "breakdown_member", "district", "org_type", "admin_level"]
WHO = ["indicator_id", "factor_set", "year", "org", *PLACE[1:]]
TEXTS = [*(c for c in WHO if c != "year"), "comparable_as"]
AMOUNTS = ["numerator", "denominator"]
PARTS = [*WHO, *AMOUNTS]
KEPT = 8_000_000  # rows that are kept in memory, of some 50 bytes each
Kind = tuple[str, str]  # indicator_id, factor_set


@dataclass(frozen=True)
class IndicatorRows:
    """The contributions to one indicator under one factor set. By row: `org` and `spot` are numbers in Words, `comparable` one
    of its texts; the amounts are NaN where there is none."""

    org: np.ndarray
    spot: np.ndarray
    comparable: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    closed_numerator: np.ndarray
    closed_denominator: np.ndarray

    def __len__(self) -> int:
        return len(self.org)

    @cached_property
    def key(self) -> np.ndarray:
        """Spot and institution of each row, as one number."""
        return self.spot.astype(np.int64) << 32 | self.org

    def side(self, name: str, closed: bool = False) -> np.ndarray:
        """The amounts of `numerator` or `denominator`, of the closed part of each on request."""
        amounts: np.ndarray = getattr(self, f"closed_{name}" if closed else name)
        return amounts


@dataclass
class StateWords:
    """The words of all states that are held against one another, by number: institutions, texts and spots (PLACE)."""

    orgs: dict[Any, int] = field(default_factory=dict)
    texts: dict[Any, int] = field(default_factory=dict)
    spots: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def numbers(self, column: pa.ChunkedArray, of: dict[Any, int]) -> np.ndarray:
        """The number of each value of a column."""
        indices, values = _coded(column)
        return np.array([of.setdefault(v, len(of)) for v in values], dtype=np.int32)[indices]

    def spots_of(self, table: pa.Table) -> np.ndarray:
        """The number of each row's spot."""
        flat, values = np.zeros(table.num_rows, dtype=np.int64), []
        for name in PLACE:
            indices, of = _coded(table[name])
            flat = flat * len(of) + indices
            values.append(of)
        at, found = pd.factorize(flat)
        numbers = []
        for number in found.tolist():
            spot = []
            for of in reversed(values):
                number, n = divmod(number, len(of))
                spot.append(of[n])
            numbers.append(self.spots.setdefault(tuple(reversed(spot)), len(self.spots)))
        return np.array(numbers, dtype=np.int32)[at]

    def spot_columns(self) -> dict[str, Sequence[Any]]:
        """PLACE of each spot, by number."""

        return dict(zip(PLACE, zip(*self.spots, strict=True) if self.spots else [()] * len(PLACE), strict=True))


class Contributions:
    """One state of what institutions contribute, read as it is asked for; its words are numbered by `words`."""

    def __init__(self, parts: Parts, words: StateWords):
        self.words = words
        self._source = _opened(parts)
        self._last: tuple[Any, pa.Table] = (None, None)  # neighbours lie in the same groups of rows
        self._kept: OrderedDict[Kind, IndicatorRows] = OrderedDict()
        head = self._read(["indicator_id", "factor_set"], None)
        kinds = head.group_by(["indicator_id", "factor_set"]).aggregate([([], "count_all")]).to_pylist()
        self.sizes: dict[Kind, int] = {(str(r["indicator_id"]), str(r["factor_set"])): r["count_all"] for r in kinds}

    @property
    def kinds(self) -> list[Kind]:
        """Every indicator and factor set that has contributions, in order."""
        return sorted(self.sizes)

    def rows(self, kind: Kind) -> IndicatorRows:
        """The contributions of one kind; none where it has none."""
        if kind in self._kept:
            self._kept.move_to_end(kind)
            return self._kept[kind]
        found = self._numbered(self._read(None, kind))
        self._kept[kind] = found
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > KEPT:
            self._kept.popitem(last=False)
        return found

    def _numbered(self, table: pa.Table) -> IndicatorRows:
        names = table.column_names
        amounts = {
            c: table[c].cast(pa.float64()).to_numpy()
            for c in (*AMOUNTS, *map("closed_{}".format, AMOUNTS))
            if c in names
        }
        for c in AMOUNTS:
            closed = amounts.setdefault(f"closed_{c}", amounts[c])
            if np.array_equal(closed, amounts[c], equal_nan=True):
                amounts[f"closed_{c}"] = amounts[c]
        if "comparable_as" in names:
            comparable = self.words.numbers(table["comparable_as"], self.words.texts)
        else:
            comparable = np.full(table.num_rows, self.words.texts.setdefault("", len(self.words.texts)), dtype=np.int32)
        org = self.words.numbers(table["org"], self.words.orgs)
        return IndicatorRows(org, self.words.spots_of(table), comparable, **amounts)

    def _read(self, columns: list[str] | None, kind: Kind | None) -> pa.Table:
        if isinstance(self._source, pq.ParquetFile):
            groups = range(self._source.num_row_groups)
            wanted = (
                groups if kind is None else [n for n in groups if _may_hold(self._source.metadata.row_group(n), kind)]
            )
            if (about := (columns, tuple(wanted))) != self._last[0]:
                self._last = about, self._source.read_row_groups(wanted, columns=columns).unify_dictionaries()
            found = self._last[1]
        else:
            found = self._source.select(columns) if columns else self._source
        if kind is not None:
            same = [pc.equal(found[c].cast(pa.string()), v) for c, v in zip(WHO, kind, strict=False)]
            found = found.filter(pc.and_(*same))
        return found


def _opened(parts: Parts) -> pq.ParquetFile | pa.Table:
    if not isinstance(parts, Path):
        return pa.Table.from_pandas(parts, preserve_index=False)
    return pq.ParquetFile(parts, read_dictionary=[c for c in pq.read_schema(parts).names if c in TEXTS])


def _may_hold(group: Any, kind: Kind) -> bool:
    """Whether a group of rows of a Parquet file may hold contributions of a kind, by the least and greatest it says it has."""
    for n in range(group.num_columns):
        column = group.column(n)
        if column.path_in_schema in WHO[:2]:
            texts_at, value = column.statistics, kind[WHO.index(column.path_in_schema)]
            if texts_at is not None and texts_at.has_min_max and not texts_at.min <= value <= texts_at.max:
                return False
    return True


def same_file(a: Parts, b: Parts) -> bool:
    """Whether two states are the same bytes."""
    if not isinstance(a, Path) or not isinstance(b, Path):
        return a is b
    return a == b or (a.stat().st_size == b.stat().st_size and file_sha256(a) == file_sha256(b))


def _coded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[Any]]:
    """A column as positions in a list of its values, the last of which is None."""
    if not isinstance(column.type, pa.DictionaryType):
        column = column.dictionary_encode()
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    values = array.dictionary.to_pylist()
    return array.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64), [*values, None]


# key, numerator and denominator of each row, NaN where there is none
Amounts = tuple[np.ndarray, np.ndarray, np.ndarray]


def less(now: Amounts, then: Amounts) -> Amounts:
    """What `now` is more than `then`, of each key where they differ; what is not there is nothing."""
    if np.array_equal(now[0], then[0]):  # as mostly, in one order and with the same amounts
        kept = np.flatnonzero((now[1] != then[1]) | (now[2] != then[2]))
        now, then = (now[0][kept], now[1][kept], now[2][kept]), (then[0][kept], then[1][kept], then[2][kept])
    top, bottom = (np.nan_to_num(np.concatenate([now[n], -then[n]])) for n in (1, 2))
    at, found = pd.factorize(np.concatenate([now[0], then[0]]))
    top, bottom = (np.bincount(at, weights=side, minlength=len(found)) for side in (top, bottom))
    kept = (top != 0) | (bottom != 0)
    return found[kept], top[kept], bottom[kept]


def table(words: StateWords, found: Iterable[tuple[str, str, Amounts]]) -> pa.Table:
    """Amounts by name (in place of an indicator) and factor set, as a table in the columns PARTS."""
    groups = list(found)
    keys = np.concatenate([np.zeros(0, dtype=np.int64), *(a[0] for _, _, a in groups)])
    spots, spot = words.spot_columns(), pa.array((keys >> 32).astype(np.int32))
    which = pa.array(np.repeat(np.arange(len(groups), dtype=np.int32), [len(a[0]) for _, _, a in groups]))

    def texts_at(values: Iterable[Any], at: pa.Array) -> pa.Array:
        words = pa.array(values, pa.string()).dictionary_encode()
        return pa.DictionaryArray.from_arrays(words.indices.take(at), words.dictionary)

    columns: dict[str, Any] = {
        "indicator_id": texts_at([name for name, _, _ in groups], which),
        "factor_set": texts_at([factors for _, factors, _ in groups], which),
        "org": texts_at(words.orgs, pa.array((keys & 0xFFFFFFFF).astype(np.int32))),
        "year": pa.array(spots["year"], pa.int64()).take(spot),
    }
    columns |= {name: texts_at(spots[name], spot) for name in PLACE[1:]}
    columns |= {c: np.concatenate([np.zeros(0), *(a[n] for _, _, a in groups)]) for n, c in enumerate(AMOUNTS, 1)}
    return pa.table(columns).select(PARTS)


def differences(now: Parts, then: Parts, kinds: Iterable[Kind]) -> pa.Table:
    """Where contributions to some `kinds` of indicator now are other than `then`: in the columns PARTS, how much more they are."""
    words = StateWords()
    if same_file(now, then):
        return table(words, [])
    a, b = Contributions(now, words), Contributions(then, words)
    found = []
    for kind in sorted({*kinds} & {*a.kinds, *b.kinds}):
        amounts = less(*((r.key, r.numerator, r.denominator) for r in (a.rows(kind), b.rows(kind))))
        if len(amounts[0]):
            found.append((*kind, amounts))
    return table(words, found)
