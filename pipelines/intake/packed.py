"""Columns and rows of a large table, stored in Arrow and read as lists of Python values.

Belongs here: the two shapes. Not here: how text becomes one (formats/separated.py), or how columns are read at once
(columns/at_once.py). Whoever treats one as a list gets the same as from a list, and pays for it: one Python object a cell. Arrow is
imported by those who make one; most files are small and need none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 1024  # rows that are made at once
_MOST_BLOCKS = 16  # that are kept: whoever goes through the rows stays near one place


class Packed(Sequence[Any]):
    """A column in an Arrow array, of texts as they stand or of typed values; a null is None."""

    __slots__ = ("_distinct", "_list", "array")

    def __init__(self, array: pa.Array):
        self.array = array
        self._list: list[Any] | None = None
        self._distinct: list[Any] | None = None

    @staticmethod
    def of_texts(texts: list[str]) -> Packed:
        """A column of texts."""
        import pyarrow as pa

        return Packed(pa.array(texts, pa.string()))

    def where(self, values: Collection[Any]) -> Iterator[tuple[int, Any]]:
        """The places of some values, ascending, each with its value."""
        import pyarrow as pa
        import pyarrow.compute as pc

        at = pc.indices_nonzero(pc.is_in(self.array, pa.array(list(values), self.array.type)))
        return zip(at.to_pylist(), self.array.take(at).to_pylist(), strict=True)

    def listed(self) -> list[Any]:
        """The values as Python objects, made once."""
        if self._list is None:
            self._list = self.array.to_pylist()
        return self._list

    def distinct(self) -> list[Any]:
        """Each value once, None among them where one is null, made once."""
        if self._distinct is None:
            self._distinct = self.array.unique().to_pylist()
        return self._distinct

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...

    def __getitem__(self, at: int | slice) -> Any:
        return self.listed()[at]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.listed())

    def __contains__(self, value: object) -> bool:
        return bool(self.array.null_count) if value is None else value in self.distinct()

    def count(self, value: Any) -> int:
        """Count the occurrences of a value."""
        return int(self.array.null_count) if value is None else self.listed().count(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.listed() == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Packed, (self.array,)

    def __repr__(self) -> str:
        return f"Packed({self.array.type}, {len(self)})"


class LargeRows(Sequence[list[Any]]):
    """The rows of a sheet of texts that are held as columns, each as long as the others, '' where a cell is empty.

    A row is made when it is asked for. They are read alone: a change of one is lost.
    """

    def __init__(self, columns: Sequence[pa.Array]):
        self.columns = columns
        self.width = len(columns)
        self._blocks: dict[int, list[list[Any]]] = {}

    def column(self, place: int, first: int = 0, last: int | None = None) -> Packed:
        """The cells of a column in the rows from `first` up to `last`."""
        return Packed(self.columns[place].slice(first, (len(self) if last is None else last) - first))

    def is_blank(self, place: int) -> bool:
        """Whether no cell of a column holds anything."""
        return self.filled(place).true_count == 0

    def filled(self, place: int) -> pa.BooleanArray:
        """Mask of the cells of a column that are not empty."""
        import pyarrow.compute as pc

        return pc.not_equal(self.columns[place], "")

    def with_any(self, places: Iterable[int]) -> set[int]:
        """The rows that hold anything in some columns."""
        import pyarrow.compute as pc

        return {i for p in places for i in pc.indices_nonzero(self.filled(p)).to_pylist()}

    def taken(self, rows: Sequence[int]) -> list[Packed]:
        """The cells of each column in some rows, ascending."""
        if rows and rows[-1] - rows[0] + 1 == len(rows):
            return [self.column(p, rows[0], rows[-1] + 1) for p in range(self.width)]
        import pyarrow as pa

        at = pa.array(rows, pa.int64())
        return [Packed(c.take(at)) for c in self.columns]

    def __len__(self) -> int:
        return len(self.columns[0])

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...

    @overload
    def __getitem__(self, at: slice) -> list[list[Any]]: ...

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        if at < 0:
            at += len(self)
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._block(at // _BLOCK)[at % _BLOCK]

    def __iter__(self) -> Iterator[list[Any]]:
        for k in range(-(-len(self) // _BLOCK)):
            yield from self._block(k)

    def _block(self, k: int) -> list[list[Any]]:
        known = self._blocks.get(k)
        if known is None:
            if len(self._blocks) >= _MOST_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            columns = [c.slice(k * _BLOCK, _BLOCK).to_pylist() for c in self.columns]
            known = self._blocks[k] = [list(row) for row in zip(*columns, strict=True)]
        return known
