"""The contract of a dataset, as the rest of the code sees it.

Belongs here: reading ODCS YAML into `Contract`, `Column` and `Rule`, and telling a contract's author in one sentence
what is wrong with it. Not here: anything that looks at a spreadsheet or at data. No other module reads the YAML.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from expectations.expression import Parsed, parse
from pipelines.core.issue_codes import ISSUE_CODES
from pipelines.core.text import half_width, key

if TYPE_CHECKING:  # half a second to import, and a process that is handed its contracts never reads YAML
    from open_data_contract_standard.model import (
        CustomProperty,
        DataQuality,
        OpenDataContractStandard,
        SchemaProperty,
    )

HERE = Path(__file__).parent
CONTRACTS = HERE / "contracts"
UNITS = HERE / "units.yaml"

Kind = Literal["string", "enum", "boolean", "integer", "decimal", "year", "month", "date"]
Access = Literal["L0", "L1", "L2", "L3"]
Severity = Literal["error", "warning"]
Opening = Literal["open", "aggregate", "closed"]

KINDS: dict[str, str] = {  # our kind -> ODCS logicalType
    "string": "string",
    "enum": "string",
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "number",
    "year": "integer",
    "month": "string",
    "date": "date",
}
STATED = ("submitter", "year")
OF_COLUMN = (
    "titleEn", "aliases", "kind", "unit", "units", "statedOnce", "institution", "check", "codelist", "minimum", "maximum",
    "refuseRowWhenTrue", "compare", "missingValues",
)  # fmt: skip
OF_DATASET = (
    "opening", "openingNote", "openRowsWhere", "openingAttribute", "openingDecidedBy", "openingDecidedOn", "openingGround",
    "theme", "register", "versions", "missingValues", "period", "totalRows", "words",
)  # fmt: skip
OF_RULE = ("code", "messageZh")
# What a row of a sheet may say of itself, so that it is no data: a contract or a city may add words to each.
OF_WORDS = ("total", "note", "signature", "among", "section", "example", "continued")
OF_CITY_WORDS = (*OF_WORDS, "nothing", "submitter")  # and what means nothing in a cell, and who sends a sheet in
CITY_WORDS = "words.toml"
# What a number of these units is, unless its column says otherwise: measured anew in each period, or standing from one to the
# next. Counts of other things move by ten times in the nature of things.
FLOWS = frozenset(["kWh", "m³", "L", "t", "kg", "GJ", "tce", "元", "km", "人次", "min"])
STOCKS = frozenset(["㎡", "人", "kW"])
COMPARE = ("flow", "stock", "none")
_BRACKETED = re.compile(
    r"\s*[(\[{【〔<《]\s*(?:(?:计量|金额|数量)?单位[:为是]?)?([^()\[\]{}【】〔〕<>《》]*)[)\]}】〕>》]"
)
_LIKE_A_UNIT = re.compile(
    r"[$£€¥%‰]|[A-Za-z$£€¥%][A-Za-z0-9$£€¥%²³^·/. -]+"
)  # (kBtu), (sq ft), ($): in brackets behind a name
CODES = tuple(name for name, code in ISSUE_CODES.items() if code.rule)  # those that a rule may name


class ContractError(ValueError):
    """A contract that cannot be used. The message names the file, what is wrong, and what to write instead."""

    exit_status = 2


@dataclass(frozen=True)
class Rule:
    """A rule over one row and what stands beside it: an expression that must hold, e.g. `end_on >= start_on`.

    `expression` is in the language of expectations/expression.py; a row where any of `columns` is null passes, unless the
    expression asks for that with given(). Beside a row stand `previous.<column>` (the same key in the period before),
    `<dataset>.<column>` (the row that a reference leads to) and `city.<limit>`. `code` is one of the issue codes of the
    platform; `severity` error puts the row in quarantine, warning keeps it.
    """

    name: str
    expression: str
    columns: tuple[str, ...]
    code: str
    severity: Severity
    message_zh: str
    message_en: str

    @property
    def parsed(self) -> Parsed:
        return parse(self.expression)

    @property
    def blamed(self) -> str:
        """The column whose cell is marked when the rule fails: the first that the expression names."""
        return self.parsed.own[0]


@dataclass(frozen=True)
class Reference:
    """A column whose values are those of another table: a dataset's column, or one of a CSV file in the city's folder.

    `table` is the dataset, or `city.<file without .csv>`; `target` its column.
    """

    column: str
    table: str
    target: str

    @property
    def name(self) -> str:
        """How a rule calls the row that the reference leads to."""
        return self.table.removeprefix("city.")


@dataclass(frozen=True)
class Column:
    """One column of a dataset, in canonical units. `kind` says how a cell is read, `unit` what a number means."""

    name: str
    header_zh: str
    title_en: str
    kind: Kind
    access: Access
    description: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    unit: str | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict)  # spelling of a unit -> factor to `unit`
    values: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # what means nothing here, beside the words that mean nothing everywhere
    minimum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None  # for kind month: `minimum_text` .. `maximum_text`, compared as text
    minimum_text: str | None = None
    maximum_text: str | None = None
    check: str | None = None  # 'uscc': the check character of GB 32100
    stated: str | None = None  # 'submitter' or 'year': a value the sheet states once stands for an empty cell
    refuse: bool = False  # true in this column: the whole row is refused at intake and nothing of it kept
    institution: Literal["name", "code"] | None = None  # names an institution of the register, or holds its code
    subset: bool = False  # several of `values` in one cell, in any order
    codelist: Literal["divisions"] | None = None  # a list that is the city's own and not the contract's
    compare: Literal["flow", "stock"] | None = None  # how it is held against other years; None: not at all

    @property
    def kept(self) -> bool:
        """Whether a value may be stored at all: an L3 value never is."""
        return self.access != "L3"

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header this column is known by, the official one first."""
        return (self.header_zh, *self.aliases)

    def unit_in(self, header: str) -> tuple[str, str] | None:
        """The header without the unit it contains, and that unit as written, where the column knows it.

        What stands behind the name in brackets, or behind a mark, is a unit whatever it is worth: 年养护费（万元）, Steam, kBtu.
        What is glued to the name is one only where it changes the number: 人次 is a part of the name 就餐人次.
        """
        if not self.units:
            return None
        text = half_width(header)
        for found in _BRACKETED.finditer(text):
            for part in re.split(r"[,;、]|保留", found[1]):
                inner = part.strip()
                if unit_key(inner) in self.units:
                    return text[: found.start()] + text[found.end() :], inner
        for unit in sorted(self.units, key=len, reverse=True):
            spaced = r"\s*".join(map(re.escape, unit))
            found_apart = re.search(rf"(?<=\w)\s*[\s_/,:;、\-]\s*(?:单位:?)?({spaced})\s*$", text, re.IGNORECASE)
            glued = None
            if found_apart is None and len(unit) > (2 if unit.isascii() else 1) and self.units[unit] != 1:
                glued = re.search(rf"(?<=\w)({spaced})\s*$", text, re.IGNORECASE)
            if at := found_apart or glued:
                return text[: at.start()], at[1]
        return None


@dataclass(frozen=True)
class Version:
    """A dated version of a dataset's form. `valid_from` is an ISO date; `columns` are those the form had."""

    name: str
    valid_from: str
    adds: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenRows:
    """Which rows of an open dataset may be published: those whose `column` is none of `not_in`, and not empty."""

    column: str
    not_in: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """A dataset's contract.

    `key` are the columns that name a row once within a dataset; `opening` says whether rows may be published (`open`),
    only sums (`aggregate`) or nothing (`closed`). `digest` is the sha256 of the YAML: it goes into the reader's key.
    """

    dataset: str
    title_zh: str
    title_en: str
    grain: str
    description: str
    frequency: str
    due_days: int | None  # after the end of a period by which it is to be sent in; None: not stated
    opening: Opening
    opening_note: str
    open_rows: OpenRows | None  # None: every row
    opening_attribute: str  # 无条件开放, 有条件开放 or 不予开放, as the catalogue says it
    decided_by: str
    decided_on: str
    ground: str
    theme: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    references: tuple[Reference, ...]
    versions: tuple[Version, ...]
    register: bool  # this dataset is the register of institutions
    dated_by: str | None  # the column that the contract names as the period; None: it names none
    total_rows: frozenset[str]  # what rows are called that sum up others, folded as headers are: 全国, National Total
    words: Mapping[
        str, tuple[str, ...]
    ]  # by OF_WORDS: what rows of its sheets say that are no data, beside the common words
    undated: bool  # the contract says that no column is the period of a submission: its years and dates are attributes
    path: Path
    digest: str

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    def column(self, name: str) -> Column:
        return self.by_name[name]

    @cached_property
    def kept(self) -> tuple[Column, ...]:
        """The columns a record has: all but those of level L3."""
        return tuple(c for c in self.columns if c.kept)

    @cached_property
    def public(self) -> tuple[Column, ...]:
        """The columns a published row has: level L0 of a dataset that is open in rows, else none."""
        return tuple(c for c in self.columns if c.access == "L0") if self.opening == "open" else ()

    @cached_property
    def period(self) -> Column | None:
        """The column that dates a row: the one that the contract names, else its year or month, where it is required or part of
        the key, else its first required date. A dataset without a period may still have the last."""
        if self.dated_by is not None:
            return self.column(self.dated_by)
        for kind in ("date",) if self.undated else ("year", "month", "date"):
            for c in self.columns:
                if c.kind == kind and (c.required or (c.name in self.key and kind != "date")):
                    return c
        return None

    @cached_property
    def beside(self) -> tuple[str, ...]:
        """What the rules name beside a row: `previous.x`, `<dataset>.x`, `city.x`."""
        return tuple(dict.fromkeys(n for r in self.rules for n in r.parsed.beside))

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """The columns that a rule holds against each other as far as they are written: see `same` in expression.py."""
        return tuple(dict.fromkeys(n for r in self.rules for n in r.parsed.exact))

    @cached_property
    def institution_name(self) -> Column | None:
        return next((c for c in self.columns if c.institution == "name"), None)

    @cached_property
    def institution_code(self) -> Column | None:
        return next((c for c in self.columns if c.institution == "code"), None)


def is_open(contract: Contract) -> bool:
    """Whether the rows of a dataset may be published: its contract says open, and says who decided, when and on what ground."""
    return contract.opening == "open" and all((contract.decided_by, contract.decided_on, contract.ground))


class Contracts(Mapping[str, Contract]):
    """All contracts in force, by dataset, in name order, and the `words` that the city adds for the sheets of all of them.

    `digest` changes when any of them, a unit, or a word does.
    """

    def __init__(self, contracts: Iterable[Contract], words: Mapping[str, tuple[str, ...]] | None = None):
        self.words = dict(words or {})
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
        self._check_references()

    def _check_references(self) -> None:
        """A reference into a dataset that is not here leads nowhere, which a contract on its own may not know; but one
        that is here must have the column, and no circle may come of them."""
        graph: dict[str, set[str]] = {}
        for c in self._all.values():
            graph[c.dataset] = {r.table for r in c.references if r.table in self._all}
            for r in c.references:
                known = self._all[r.table].by_name if r.table in self._all else None
                wanted = [r.target, *(n.split(".")[1] for n in c.beside if n.split(".")[0] == r.table)]
                for name in wanted:
                    if known is not None and (name not in known or not known[name].kept):
                        raise ContractError(
                            f"{c.path.name}: dataset '{r.table}' keeps no column '{name}'; use one of {', '.join(known)}."
                        )
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as e:
            raise ContractError(
                f"References lead round in a circle: {' -> '.join(e.args[1])}; take one away."
            ) from None
        place = {d: n for n, d in enumerate(order)}
        self.in_order = sorted(self._all.values(), key=lambda c: (not c.register, place[c.dataset], c.dataset))

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
        return h.hexdigest()

    @cached_property
    def register(self) -> Contract | None:
        """The dataset that is the register of institutions, if one is."""
        return next((c for c in self._all.values() if c.register), None)


def load_contracts(
    extra: Iterable[Path] = (), only: Iterable[str] | None = None, city: Path | None = None
) -> Contracts:
    """Reads the contracts of expectations/contracts and of each folder in `extra`, and the words of the folder `city`.

    `only` keeps just the named datasets. Raises ContractError for the first contract that cannot be used.
    """
    paths = sorted(CONTRACTS.glob("*.yaml"))
    for folder in extra:
        if not folder.is_dir():
            raise ContractError(f"There is no folder of contracts at {folder}; name a folder that holds *.yaml files.")
        found = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if not found:
            raise ContractError(f"The folder {folder} holds no contract; put at least one *.yaml file in it.")
        paths += found
    wanted = None if only is None else set(only)
    words = read_words(city / CITY_WORDS) if city else {}
    nothing = words.get("nothing", ())
    read = (c for c in map(read_contract, paths) if wanted is None or c.dataset in wanted)
    all_of_them = Contracts((_with_missing(c, nothing) for c in read) if nothing else read, words)
    for c in all_of_them.values() if wanted is None else ():
        for r in c.references:
            if r.table not in all_of_them and not r.table.startswith("city."):
                raise ContractError(
                    f"{c.path.name}: column '{r.column}' refers to dataset '{r.table}', which no contract describes; "
                    "mend the name, or take the relationship away."
                )
    return all_of_them


def read_words(path: Path) -> dict[str, tuple[str, ...]]:
    """Reads the words that a city adds, by OF_CITY_WORDS; {} where it has no such file. Raises ContractError."""
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise ContractError(f"{path.name} is not readable as TOML ({_first_line(e)}); mend the file.") from e
    return _words(found, OF_CITY_WORDS, path.name)


def _words(raw: Any, kinds: tuple[str, ...], where: str) -> dict[str, tuple[str, ...]]:
    """Words by what they say, as a contract or a city adds them. Raises ContractError, which begins with `where`."""
    if not isinstance(raw, dict) or (unknown := [k for k in raw if k not in kinds]):
        wrong = repr(unknown[0]) if isinstance(raw, dict) else repr(raw)
        raise ContractError(f"{where}: words are not added for {wrong}; write lists of words for {', '.join(kinds)}.")
    for kind, words in raw.items():
        if not isinstance(words, list) or not all(isinstance(w, str) and header_key(w) for w in words):
            raise ContractError(f"{where}: '{kind}' is {words!r}; write a list of words, [<word>, ...], in quotes.")
    return {kind: tuple(words) for kind, words in raw.items() if words}


def _with_missing(contract: Contract, words: tuple[str, ...]) -> Contract:
    """A contract in each of whose columns some words more mean nothing."""
    return replace(contract, columns=tuple(replace(c, missing=(*c.missing, *words)) for c in contract.columns))


def read_contract(path: Path) -> Contract:
    """Reads one ODCS file that describes one dataset. Raises ContractError with one sentence."""
    import yaml
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        # The parser in C, where PyYAML has it, takes a tenth of the time: nothing else of a short run took as long.
        raw = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise ContractError(f"{path.name} is not readable as YAML ({_first_line(e)}); mend the file.") from e
    if not isinstance(raw, dict):
        raise ContractError(
            f"{path.name} is not a contract; begin it with 'apiVersion: v3.1.0' and 'kind: DataContract'."
        )
    try:
        odcs = OpenDataContractStandard(**raw)
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ContractError(
            f"{path.name}: '{where}' is not as the Open Data Contract Standard wants it ({first['msg']})."
        ) from e
    return _Builder(path, odcs, hashlib.sha256(text.encode()).hexdigest()).contract()


@lru_cache
def unit_table() -> dict[str, dict[str, Decimal]]:
    """Canonical unit -> spelling (NFKC, no spaces, lower case) -> factor to the canonical unit, from units.yaml."""
    import yaml

    raw = yaml.safe_load(UNITS.read_text(encoding="utf-8"))
    out = {}
    for unit, spellings in raw["units"].items():
        out[unit] = {unit_key(unit): Decimal(1)} | {unit_key(s): Decimal(str(f)) for s, f in spellings.items()}
    return out


unit_key = header_key = key  # a unit's spelling and a header are looked up alike


def _first_line(e: BaseException) -> str:
    return " ".join(str(e).split())[:160]


class _Builder:
    """Turns one ODCS document into a Contract; each refusal names the file and the place."""

    def __init__(self, path: Path, odcs: OpenDataContractStandard, digest: str):
        self.path, self.odcs, self.digest = path, odcs, digest

    def fail(self, what: str) -> ContractError:
        return ContractError(f"{self.path.name}: {what}")

    def contract(self) -> Contract:
        if not self.odcs.schema_ or len(self.odcs.schema_) != 1:
            raise self.fail("'schema' must describe exactly one table; write one contract for each dataset.")
        table = self.odcs.schema_[0]
        top = self.props(self.odcs.customProperties, OF_DATASET, "the dataset")
        opening = top.get("opening")
        if opening not in ("open", "aggregate", "closed"):
            raise self.fail(f"custom property 'opening' is {opening!r}; write open, aggregate or closed.")
        if not table.name or not re.fullmatch(r"[a-z][a-z0-9_]*", table.name):
            raise self.fail(f"schema name {table.name!r} must be lower-case letters, digits and underscores.")
        if not table.businessName:
            raise self.fail("schema.businessName is missing; write the dataset's Chinese title there.")
        missing = self.missing(top.get("missingValues"), "the dataset")
        columns = tuple(self.column(p, missing) for p in table.properties or [])
        self.check_columns(columns)
        names = {c.name for c in columns if c.kept}
        keyed = sorted((p.primaryKeyPosition or 0, p.name or "") for p in table.properties or [] if p.primaryKey)
        key = tuple(name for _, name in keyed)
        if lost := [k for k in key if k not in names]:
            raise self.fail(
                f"column '{lost[0]}' is part of the key but of level L3, which is never kept; take it out of the key."
            )
        references = tuple(r for p in table.properties or [] for r in self.references(p, names))
        steps = self.steps(key, columns, references)
        rules = tuple(self.rule(q, names, steps) for q in table.quality or [])
        called = [r.name for r in rules]
        if again := [n for n in called if called.count(n) > 1 or n == "key"]:
            raise self.fail(f"rule '{again[0]}' needs a name of its own, and 'key' is taken; call it something else.")
        sla = {p.property: p.value for p in self.odcs.slaProperties or []}
        return Contract(
            dataset=table.name,
            title_zh=table.businessName,
            title_en=self.odcs.name or table.name,
            grain=table.dataGranularityDescription or "",
            description=(self.odcs.description.purpose if self.odcs.description else None) or "",
            frequency=str(sla.get("frequency") or ""),
            due_days=self.due_days(sla.get("latency")),
            opening=opening,
            opening_note=str(top.get("openingNote") or ""),
            open_rows=self.open_rows(top["openRowsWhere"], columns) if "openRowsWhere" in top else None,
            opening_attribute=str(top.get("openingAttribute") or ""),
            decided_by=str(top.get("openingDecidedBy") or ""),
            decided_on=str(top.get("openingDecidedOn") or ""),
            ground=str(top.get("openingGround") or ""),
            theme=str(top.get("theme") or self.odcs.domain or ""),
            columns=columns,
            key=key,
            rules=rules,
            references=references,
            versions=tuple(self.version(v, {c.name for c in columns}) for v in top.get("versions") or []),
            register=bool(top.get("register", False)),
            dated_by=self.dated_by(top.get("period"), columns),
            total_rows=self.total_rows(top.get("totalRows")),
            words=_words(top.get("words", {}), OF_WORDS, f"{self.path.name}: custom property 'words'"),
            undated="period" in top and top["period"] is None,
            path=self.path,
            digest=self.digest,
        )

    def dated_by(self, named: Any, columns: tuple[Column, ...]) -> str | None:
        """The column that custom property `period` names."""
        if named is None:
            return None
        fit = [c.name for c in columns if c.kind in ("year", "month", "date") and c.kept]
        if named not in fit:
            raise self.fail(
                f"custom property 'period' is {named!r}; name a column of kind year, month or date"
                f"{' (' + ', '.join(fit) + ')' if fit else ''}, or write null where none of them is the period."
            )
        return str(named)

    def total_rows(self, raw: Any) -> frozenset[str]:
        if raw is not None and (
            not isinstance(raw, list) or not all(isinstance(n, str) and header_key(n) for n in raw)
        ):
            raise self.fail(f"custom property 'totalRows' is {raw!r}; write a list of names, [全国, 东部地区].")
        return frozenset(header_key(n) for n in raw or ())

    def due_days(self, stated: Any) -> int | None:
        """The sla property `latency`, in days."""
        if stated is None:
            return None
        if not str(stated).isdigit():
            raise self.fail(f"sla property 'latency' is {stated!r}; write a whole number of days.")
        return int(stated)

    def props(self, items: list[CustomProperty] | None, known: tuple[str, ...], where: str) -> dict[str, Any]:
        """Custom properties by name; one that nothing reads is a slip of the pen and must not pass in silence."""
        found = {p.property: p.value for p in items or [] if p.property}
        for name in found:
            if name not in known:
                raise self.fail(f"{where}: custom property '{name}' is not known; use one of {', '.join(known)}.")
        return found

    def check_columns(self, columns: tuple[Column, ...]) -> None:
        if not columns:
            raise self.fail("schema.properties is empty; describe at least one column.")
        seen: dict[str, str] = {}
        names: set[str] = set()
        for c in columns:
            if c.name in names:
                raise self.fail(f"column '{c.name}' is described twice; take one away.")
            names.add(c.name)
            for h in c.headers:
                k = header_key(h)
                if seen.setdefault(k, c.name) != c.name:
                    raise self.fail(
                        f"header '{h}' stands for both '{seen[k]}' and '{c.name}'; take it from one of them."
                    )

    def column(self, p: SchemaProperty, missing: tuple[str, ...] = ()) -> Column:
        if not p.name or not re.fullmatch(r"[a-z][a-z0-9_]*", p.name):
            raise self.fail(f"column name {p.name!r} must be lower-case letters, digits and underscores.")
        where = f"column '{p.name}'"
        own = self.props(p.customProperties, OF_COLUMN, where)
        options = p.logicalTypeOptions or {}
        values, subset = self.enum(p, where)
        kind = own.get("kind") or (
            "enum" if values and not subset else {"number": "decimal"}.get(p.logicalType or "", p.logicalType)
        )
        if kind not in KINDS:
            raise self.fail(
                f"{where} has logicalType {p.logicalType!r} and kind {own.get('kind')!r}; use one of {', '.join(KINDS)}."
            )
        if KINDS[kind] != p.logicalType:
            raise self.fail(f"{where}: kind '{kind}' goes with logicalType '{KINDS[kind]}', not {p.logicalType!r}.")
        if p.classification not in ("L0", "L1", "L2", "L3"):
            raise self.fail(f"{where}: classification is {p.classification!r}; write L0, L1, L2 or L3.")
        if not p.businessName:
            raise self.fail(f"{where} has no businessName; write its Chinese header there.")
        unit = None if own.get("unit") is None else str(own["unit"])
        units = self.all_units(unit, own.get("units"), where)
        stated = own.get("statedOnce")
        if stated is not None and stated not in STATED:
            raise self.fail(f"{where}: statedOnce is {stated!r}; write submitter or year.")
        institution = own.get("institution")
        if institution not in (None, "name", "code"):
            raise self.fail(f"{where}: institution is {institution!r}; write name or code.")
        if own.get("check") not in (None, "uscc"):
            raise self.fail(f"{where}: check is {own.get('check')!r}; the only one known is uscc.")
        number = kind in ("decimal", "integer") and not p.primaryKey
        usual = "flow" if number and unit in FLOWS else "stock" if number and unit in STOCKS else "none"
        compare = own.get("compare", usual)
        if compare not in COMPARE or (compare != "none" and not number):
            raise self.fail(
                f"{where}: compare is {compare!r}; write flow, stock or none, and the first two of a number only."
            )
        if own.get("codelist") not in (None, "divisions"):
            raise self.fail(f"{where}: codelist is {own.get('codelist')!r}; the only one known is divisions.")
        pattern = options.get("pattern")
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as e:
                raise self.fail(f"{where}: pattern {pattern!r} is not a regular expression ({e}).") from None
        textual = kind in ("month", "date")
        column = Column(
            name=p.name,
            header_zh=p.businessName,
            title_en=str(own.get("titleEn") or p.name.replace("_", " ")),
            kind=kind,  # type: ignore[arg-type]
            access=p.classification,  # type: ignore[arg-type]
            description=p.description or "",
            aliases=self.aliases(own.get("aliases"), where),
            required=bool(p.required),
            unit=unit,
            units=units,
            values=values,
            missing=(*missing, *self.missing(own.get("missingValues"), where)),
            minimum=None if textual else self.number(options.get("minimum"), where),
            exclusive_minimum=None if textual else self.number(options.get("exclusiveMinimum"), where),
            maximum=None if textual else self.number(options.get("maximum"), where),
            minimum_text=str(own["minimum"]) if textual and "minimum" in own else None,
            maximum_text=str(own["maximum"]) if textual and "maximum" in own else None,
            pattern=pattern,
            check=own.get("check"),
            stated=stated,
            refuse=bool(own.get("refuseRowWhenTrue", False)),
            institution=institution,
            subset=subset,
            codelist=own.get("codelist"),
            compare=None if compare == "none" else compare,
        )
        if number and unit is not None:
            for h in column.headers:
                self.check_unit_of(h, column, where)
        return column

    def check_unit_of(self, header: str, column: Column, where: str) -> None:
        """Refuses a header that contains a unit of which nobody knows what it is worth: its numbers would be taken unconverted."""
        if column.unit_in(header):
            return
        known = {spelling for spellings in unit_table().values() for spelling in spellings}
        for found in _BRACKETED.finditer(half_width(header)):
            inner = found[1].strip()
            if unit_key(inner) in known or _LIKE_A_UNIT.fullmatch(inner):
                raise self.fail(
                    f"{where}: the header '{header}' contains '{inner}', which is no unit that {column.unit} is known to be "
                    f"written in; say under 'units' what it is worth, as {{'{inner}': <factor>}} (1 where it changes nothing), "
                    "or write the header without it."
                )

    def all_units(self, unit: str | None, raw: Any, where: str) -> dict[str, Decimal]:
        """Every spelling a column's unit may have, each with its factor: of units.yaml, and of the column's own."""
        own = self.units(raw, unit, where)
        if unit is None:
            return own
        table = unit_table()
        if unit not in table:
            if raw is None:
                raise self.fail(
                    f"{where}: unit '{unit}' is not in expectations/units.yaml; use one of {', '.join(table)}, or say beside it "
                    f"how sheets write it, as units: {{'{unit}': 1}}."
                )
            if own.get(unit_key(unit), 1) != 1:
                raise self.fail(f"{where}: units gives '{unit}' another factor than 1; it is the column's own unit.")
        return dict(table.get(unit, {unit_key(unit): Decimal(1)})) | own

    def units(self, raw: Any, unit: str | None, where: str) -> dict[str, Decimal]:
        """Spellings of this column's own, each with its factor."""
        if raw is None:
            return {}
        if not isinstance(raw, dict) or unit is None:
            raise self.fail(f"{where}: units is {raw!r}; write {{<spelling>: <factor>, ...}} beside a unit.")
        out = {}
        for spelling, factor in raw.items():
            if not isinstance(spelling, str) or not unit_key(spelling):
                raise self.fail(f"{where}: units has the spelling {spelling!r}; write a unit as sheets do, in quotes.")
            number = self.number(factor, f"{where}: unit '{spelling}'")
            if number is None or not number.is_finite() or number <= 0:
                raise self.fail(f"{where}: unit '{spelling}' has the factor {factor!r}; write a number above 0.")
            out[unit_key(spelling)] = number
        return out

    def aliases(self, raw: Any, where: str) -> tuple[str, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list) or any(not header_key(str(a)) for a in raw):
            raise self.fail(f"{where}: aliases is {raw!r}; write a list of headers, [<header>, ...].")
        return tuple(str(a) for a in raw)

    def missing(self, raw: Any, where: str) -> tuple[str, ...]:
        """Words for nothing, as Table Schema calls them; the words of everywhere go on meaning nothing beside them."""
        if raw is None:
            return ()
        if not isinstance(raw, list) or any(not isinstance(w, str | int | float) or isinstance(w, bool) for w in raw):
            raise self.fail(f"{where}: missingValues is {raw!r}; write a list of words, [<word>, ...], in quotes.")
        return tuple(map(str, raw))

    def enum(self, p: SchemaProperty, where: str) -> tuple[tuple[str, ...], bool]:
        """The closed list of a column, from its `invalidValues` library check."""
        for q in p.quality or []:
            if q.metric != "invalidValues":
                raise self.fail(
                    f"{where}: quality metric {q.metric!r} is not known here; use invalidValues, or a rule of the table."
                )
            values = (q.arguments or {}).get("validValues")
            if not values:
                raise self.fail(f"{where}: invalidValues needs arguments.validValues, the list of what is allowed.")
            return tuple(str(v) for v in values), bool((q.arguments or {}).get("several", False))
        return (), False

    def number(self, value: Any, where: str) -> Decimal | None:
        if value is None:
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise self.fail(f"{where}: {value!r} is not a number.") from None

    def references(self, p: SchemaProperty, names: set[str]) -> Iterator[Reference]:
        for r in p.relationships or []:
            to = r.to if isinstance(r.to, str) else ""
            table, _, target = to.rpartition(".")
            if r.from_ is not None or not re.fullmatch(r"(?:city\.)?[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", to):
                raise self.fail(
                    f"column '{p.name}': relationship to {r.to!r} must be written to: <dataset>.<column>, "
                    "or to: city.<table>.<column>, under the column it starts from."
                )
            if p.name not in names:
                raise self.fail(f"column '{p.name}' is of level L3 and never kept; take its relationship away.")
            yield Reference(str(p.name), table, target)

    def steps(
        self, key: tuple[str, ...], columns: tuple[Column, ...], references: tuple[Reference, ...]
    ) -> dict[str, set[str] | None]:
        """What may stand before the dot of a rule's name: each with the columns behind it, None where others know them."""
        out: dict[str, set[str] | None] = {"city": None}
        named = [r.name for r in references]
        if twice := [n for n in named if named.count(n) > 1 or n in ("previous", "city")]:
            raise self.fail(f"two relationships lead to '{twice[0]}', or its name is taken; keep one.")
        out |= dict.fromkeys(named)
        kinds = {c.name: c.kind for c in columns}
        if len(key) > 1 and any(kinds[k] in ("year", "month") for k in key):
            out["previous"] = {c.name for c in columns if c.kept}
        return out

    def rule(self, q: DataQuality, names: set[str], steps: Mapping[str, set[str] | None]) -> Rule:
        where = f"rule '{q.name}'"
        own = self.props(q.customProperties, OF_RULE, where)
        impl = q.implementation if isinstance(q.implementation, dict) else {}
        if q.type != "custom" or q.engine != "greatExpectations" or impl.get("type") != "expect_rows_to_satisfy":
            raise self.fail(
                f"{where} must be of type custom, engine greatExpectations, implementation.type expect_rows_to_satisfy."
            )
        expression = str((impl.get("kwargs") or {}).get("expression") or "")
        try:
            parsed = parse(expression)
        except SyntaxError as e:
            raise self.fail(
                f"{where}: expression {expression!r} cannot be used ({e.msg}); compare columns, e.g. end_on >= start_on."
            ) from None
        used, unknown = parsed.own, sorted(set(parsed.own) - names)
        if not used or unknown:
            what = f"names no column that is kept: {', '.join(unknown)}" if unknown else "names no column"
            raise self.fail(f"{where}: expression {expression!r} {what}; use columns of level L0, L1 or L2.")
        for name in parsed.beside:
            step, _, column = name.partition(".")
            if step not in steps or column not in (steps[step] or {column}):
                raise self.fail(
                    f"{where}: '{name}' leads nowhere; write previous.<column> (where the key holds a year or a month), "
                    "city.<limit>, or <dataset>.<column> with a relationship to that dataset."
                )
        code = str(own.get("code") or "")
        if code not in CODES:
            raise self.fail(f"{where}: custom property code is {code!r}; use one of {', '.join(CODES)}.")
        if q.severity not in ("error", "warning"):
            raise self.fail(f"{where}: severity is {q.severity!r}; write error or warning.")
        if not q.name or not own.get("messageZh"):
            raise self.fail(f"{where}: a rule needs a name and a messageZh, what the department is told.")
        return Rule(q.name, expression, used, code, q.severity, str(own["messageZh"]), q.description or q.name)  # type: ignore[arg-type]

    def open_rows(self, raw: Any, columns: tuple[Column, ...]) -> OpenRows:
        """The rows that open. The column is of level L0: readers see which rows are left out, and the gate can check."""
        left_out = raw.get("notIn") if isinstance(raw, dict) and set(raw) == {"column", "notIn"} else None
        if not isinstance(left_out, list) or not left_out:
            raise self.fail(
                "custom property 'openRowsWhere' must be written {column: <column>, notIn: [<value>, ...]}."
            )
        column = next((c for c in columns if c.name == raw["column"]), None)
        if column is None or column.access != "L0" or not column.values:
            raise self.fail(
                f"custom property 'openRowsWhere' names {raw['column']!r}; name a column of level L0 that has a closed list."
            )
        if unknown := [str(v) for v in left_out if str(v) not in column.values]:
            raise self.fail(
                f"custom property 'openRowsWhere': '{unknown[0]}' is not in the list of '{column.name}'; "
                f"use {', '.join(column.values)}."
            )
        return OpenRows(column.name, tuple(map(str, left_out)))

    def version(self, raw: Any, names: set[str]) -> Version:
        try:
            v = Version(
                str(raw["name"]), str(raw["validFrom"]), tuple(raw.get("adds") or ()), tuple(raw.get("drops") or ())
            )
        except (TypeError, KeyError):
            raise self.fail("each of 'versions' needs a name and a validFrom (a date).") from None
        unknown = (set(v.adds) | set(v.drops)) - names
        if unknown:
            raise self.fail(f"version '{v.name}' names columns that are not described: {', '.join(sorted(unknown))}.")
        return v


__all__ = [
    "Column",
    "Contract",
    "ContractError",
    "Contracts",
    "OpenRows",
    "Reference",
    "Rule",
    "Version",
    "header_key",
    "load_contracts",
    "read_contract",
    "unit_key",
    "unit_table",
]
