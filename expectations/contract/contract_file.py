"""The file that a contract is parsed from: its refusals, and the values that several parts of it share.

Belongs here: what parsing a column, a rule and a dataset have in common. Not here: any of the three.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.contract.model import ContractError

if TYPE_CHECKING:
    from open_data_contract_standard.model import CustomProperty


@dataclass(frozen=True)
class ContractFile:
    """One contract's file. `where`, in its methods, is the part of it that a message names, e.g. `column 'year'`."""

    path: Path

    def error(self, what: str) -> ContractError:
        """The error to raise; its message names the file."""
        return ContractError(f"{self.path.name}: {what}")

    def properties(self, items: list[CustomProperty] | None, known: tuple[str, ...], where: str) -> dict[str, Any]:
        """Custom properties by name. Raises ContractError for an unknown one: it is a misspelling of one that would have effect."""
        found = {p.property: p.value for p in items or [] if p.property}
        for name in found:
            if name not in known:
                raise self.error(f"{where}: custom property '{name}' is not known; use one of {', '.join(known)}.")
        return found

    def number(self, value: Any, where: str) -> Decimal | None:
        if value is None:
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise self.error(f"{where}: {value!r} is not a number.") from None

    def missing_values(self, raw: Any, where: str) -> tuple[str, ...]:
        """Words to read as null (`missingValues` of Table Schema), beside those read so everywhere."""
        if raw is None:
            return ()
        if not isinstance(raw, list) or any(not isinstance(w, str | int | float) or isinstance(w, bool) for w in raw):
            raise self.error(f"{where}: missingValues is {raw!r}; write a list of words, [<word>, ...], in quotes.")
        return tuple(map(str, raw))
