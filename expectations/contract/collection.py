"""All contracts in force together: loading them, and the checks that need more than one.

Belongs here: `Contracts` and the folders it is loaded from. Not here: reading one file (parse.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from expectations.contract.model import Contract, ContractError
from expectations.contract.parse import read_contract
from expectations.contract.units import UNITS
from expectations.contract.words import CITY_WORDS, read_words
from pipelines.core.city import GOVERNMENT_OFFICES, profile_of
from pipelines.core.clock import DEFAULT_ZONE, zone

CONTRACTS = Path(__file__).parents[1] / "contracts"  # of the profile government-offices
CITY_CONTRACTS = "contracts"  # the folder of a city's own contracts, in the city's folder


class Contracts(Mapping[str, Contract]):
    """All contracts in force, by dataset, in name order, the `words` that the city adds for the sheets of all of them, and its time
    zone where it is not the usual one.

    `in_order` has them so that a dataset comes after those it refers to, the register first. `digest` changes with any contract,
    unit or word, and with the time zone.
    """

    def __init__(
        self,
        contracts: Iterable[Contract],
        words: Mapping[str, tuple[str, ...]] | None = None,
        time_zone: str | None = None,
    ):
        self.words, self.time_zone = dict(words or {}), time_zone
        self._all: dict[str, Contract] = {}
        for c in sorted(contracts, key=lambda c: c.dataset):
            if c.dataset in self._all:
                raise ContractError(
                    f"{c.path.name}: dataset '{c.dataset}' is already described by {self._all[c.dataset].path.name}; "
                    "give one of the two another name."
                )
            self._all[c.dataset] = c
        registers = [c for c in self._all.values() if c.register]
        if len(registers) > 1:
            raise ContractError(
                f"{registers[1].path.name}: '{registers[0].dataset}' is the register of institutions already; "
                "take 'register' from one of the two."
            )
        self._check_columns_referenced()
        self.in_order = self._sorted_by_reference()

    def _check_columns_referenced(self) -> None:
        """Refuse a reference to a column that the other contract lacks. A dataset without a contract here is no error: a subset of
        the contracts may be loaded (see load_contracts)."""
        for c in self._all.values():
            for r in c.references:
                known = self._all[r.table].by_name if r.table in self._all else None
                wanted = [r.target, *(n.split(".")[1] for n in c.referenced if n.split(".")[0] == r.table)]
                for name in wanted:
                    if known is not None and (name not in known or not known[name].kept):
                        raise ContractError(
                            f"{c.path.name}: dataset '{r.table}' keeps no column '{name}'; use one of {', '.join(known)}."
                        )

    def _sorted_by_reference(self) -> list[Contract]:
        graph = {c.dataset: {r.table for r in c.references if r.table in self._all} for c in self._all.values()}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as e:
            raise ContractError(
                f"References lead round in a circle: {' -> '.join(e.args[1])}; take one away."
            ) from None
        rank = {d: n for n, d in enumerate(order)}
        return sorted(self._all.values(), key=lambda c: (not c.register, rank[c.dataset], c.dataset))

    def __getitem__(self, dataset: str) -> Contract:
        return self._all[dataset]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def digest(self) -> str:
        h = hashlib.sha256(UNITS.read_bytes())
        for c in self._all.values():
            h.update(c.digest.encode())
        if self.words:
            h.update(repr(sorted(self.words.items())).encode())
        if self.time_zone:
            h.update(self.time_zone.encode())
        return h.hexdigest()

    @cached_property
    def register(self) -> Contract | None:
        """The dataset that is the register of institutions, if one is."""
        return next((c for c in self._all.values() if c.register), None)


def load_contracts(
    extra: Iterable[Path] = (), only: Iterable[str] | None = None, city: Path | None = None
) -> Contracts:
    """Read the contracts of expectations/contracts, where the profile of the folder `city` has them, of each folder in `extra` and
    of that folder, whose words count too.

    `only` keeps just the named datasets. Raises ContractError for the first contract that cannot be used, CityError for a city.yaml
    that cannot.
    """
    extra = tuple(extra)
    paths = sorted(CONTRACTS.glob("*.yaml")) if profile_of(city) == GOVERNMENT_OFFICES else []
    for folder in extra:
        if not folder.is_dir():
            raise ContractError(f"There is no folder of contracts at {folder}; name a folder that holds *.yaml files.")
        found = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if not found:
            raise ContractError(f"The folder {folder} holds no contract; put at least one *.yaml file in it.")
        paths += found
    if city and (own := city / CITY_CONTRACTS).is_dir() and own.resolve() not in {p.resolve() for p in extra}:
        paths += sorted([*own.glob("*.yaml"), *own.glob("*.yml")])
    wanted = None if only is None else set(only)
    words = read_words(city / CITY_WORDS) if city else {}
    nothing = words.get("nothing", ())
    named = zone(city).key if city and (city / "city.yaml").is_file() else DEFAULT_ZONE
    time_zone = None if named == DEFAULT_ZONE else named
    read = (c for c in map(read_contract, paths) if wanted is None or c.dataset in wanted)
    contracts = Contracts((_of_city(c, nothing, time_zone) for c in read), words, time_zone)
    for c in contracts.values() if wanted is None else ():
        for r in c.references:
            if r.table not in contracts and not r.table.startswith("city."):
                raise ContractError(
                    f"{c.path.name}: column '{r.column}' refers to dataset '{r.table}', which no contract describes; "
                    "mend the name, or take the relationship away."
                )
    return contracts


def _of_city(contract: Contract, nothing: tuple[str, ...], time_zone: str | None) -> Contract:
    """The contract with what the city adds to every column: words read as null, and its time zone where it is not the usual one."""
    if not nothing and time_zone is None:
        return contract
    columns = (replace(c, missing=(*c.missing, *nothing), time_zone=time_zone) for c in contract.columns)
    return replace(contract, columns=tuple(columns))
