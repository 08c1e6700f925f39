"""The model of a dataset's contract: `Contract` with its columns, rules, references and versions.

Belongs here: what the rest of the code sees of a contract. Not here: the YAML it is read from (parse.py), or several contracts
together (collection.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal

from expectations.contract.units import find_unit, header_key
from expectations.expression import Parsed, parse

Kind = Literal["string", "enum", "boolean", "integer", "decimal", "year", "month", "date"]
Access = Literal["L0", "L1", "L2", "L3"]
Severity = Literal["error", "warning"]
BESIDE = "beside"  # as a unit column: the one right of the numbers, whatever its header
Opening = Literal["open", "aggregate", "closed"]


_FIGURE = r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?![\d,.]*\d)"


class ContractError(ValueError):
    """A contract that cannot be used. The message names the file, what is wrong, and what to write instead."""

    exit_status = 2


@dataclass(frozen=True)
class Rule:
    """A rule over one row and the rows joined to it: an expression that must hold, e.g. `end_on >= start_on`.

    `expression` is in the language of expectations/expression.py; a row where any of `columns` is null passes, unless the
    expression tests for that with given(). The joined values are `previous.<column>` (the same key in the period before),
    `<dataset>.<column>` (the row that a reference leads to) and `city.<limit>`. `code` is one of the issue codes of the
    platform; severity `error` puts the row in quarantine, `warning` keeps it. A rule over a calculated column gives one issue for
    each table, with the count of its rows and the worst.
    """

    name: str
    expression: str
    columns: tuple[str, ...]
    code: str
    severity: Severity
    message_zh: str
    message_en: str
    calculated: str | None = None  # of a rule over a calculated column: the expression that gives its value

    @property
    def parsed(self) -> Parsed:
        return parse(self.expression)

    @property
    def blamed(self) -> str:
        """The column whose cell is marked when the rule fails: the first in the expression."""
        return self.parsed.own[0]


@dataclass(frozen=True)
class Reference:
    """A foreign key: a column whose values are those of a dataset's column, or of a CSV file in the city's folder.

    `table` is the dataset, or `city.<file without .csv>`; `target` its column.
    """

    column: str
    table: str
    target: str

    @property
    def name(self) -> str:
        """The prefix by which a rule names columns of the referenced row."""
        return self.table.removeprefix("city.")


@dataclass(frozen=True)
class Column:
    """One column of a dataset, in canonical units. `kind` is the type a cell is parsed as, `unit` that of its numbers."""

    name: str
    header_zh: str
    title_en: str
    kind: Kind
    access: Access
    description: str = ""
    description_en: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    unit: str | None = None
    units: Mapping[str, Decimal] = field(default_factory=dict)  # spelling of a unit -> factor to `unit`
    values: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # words read as null in this column, beside those read as null everywhere
    minimum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None  # for kind month: `minimum_text` .. `maximum_text`, compared as text
    minimum_text: str | None = None
    maximum_text: str | None = None
    check: str | None = None  # 'uscc': the check character of GB 32100
    stated: str | None = None  # one of STATED: a value the sheet states once fills empty cells
    stated_labels: tuple[str, ...] = ()  # for 'heading': the labels of that value above the table, folded
    refuse: bool = False  # true in this column: the whole row is refused at intake and nothing of it kept
    institution: Literal["name", "code"] | None = None  # holds the name of an institution of the register, or its code
    subset: bool = False  # several of `values` in one cell, in any order
    codelist: Literal["divisions"] | None = None  # a closed list that belongs to the city and not to the contract
    compare: Literal["flow", "stock"] | None = None  # how it is compared with other years; None: not at all
    distinct: bool = False  # a value that comes again in the same file and period is doubted
    unit_column: str | None = (
        None  # the column that says, row by row, in which of `units` its numbers are; BESIDE: the next one
    )
    time_zone: str | None = None  # the city's, whose day a time with an offset from UTC falls on; None: the usual one

    @property
    def kept(self) -> bool:
        """Whether a value may be stored at all: an L3 value never is."""
        return self.access != "L3"

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header of this column, the official one first."""
        return (self.header_zh, *self.aliases)

    def unit_in(self, header: str) -> tuple[str, str] | None:
        """The header without the unit it contains, and that unit as written; None where it contains none of `units`."""
        return find_unit(header, self.units)


@dataclass(frozen=True)
class SheetPart:
    """Sheets whose folded name fits `pattern`, in which * is anything; `area`, where not the whole: first row and column, last row and
    column, 0-based."""

    pattern: str
    area: tuple[int, int, int, int] | None = None

    def fits(self, name: str) -> bool:
        """Whether a sheet of this name is meant."""
        return fnmatchcase(header_key(name), self.pattern)


@dataclass(frozen=True)
class Control:
    """A figure that a sheet publishes beside its table: `before` and `after` it, folded, stand the words that tell it. It is the count
    of the rows, or the sum of `column` over them, each times `factor`."""

    before: str
    after: str
    column: str | None = None
    factor: Decimal = Decimal(1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the words with the figure as its group, in folded text without colons; `|` may part them, which stands between cells."""
        return re.compile(rf"{re.escape(self.before)}\|?{_FIGURE}\|?{re.escape(self.after)}")


@dataclass(frozen=True)
class Version:
    """A dated version of a dataset's form. `valid_from` is an ISO date; `adds` and `drops` are names of columns; `units` are those
    that its columns of numbers are in where a sheet states none."""

    name: str
    valid_from: str
    adds: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenRows:
    """Which rows of an open dataset may be published: those whose `column` is none of `not_in`, and not empty."""

    column: str
    not_in: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """A dataset's contract.

    `key` is the primary key; `opening` is whether rows may be published (`open`), only aggregates (`aggregate`) or nothing
    (`closed`). `digest` is the sha256 of the YAML: it goes into the reader's key.
    """

    dataset: str
    title_zh: str
    title_en: str
    grain: str
    description: str
    description_en: str
    frequency: str
    due_days: int | None  # days after the end of a period until it is due; None: not stated
    opening: Opening
    opening_note: str
    open_rows: OpenRows | None  # None: every row
    opening_attribute: str  # 无条件开放, 有条件开放 or 不予开放, the term of the catalogue
    decided_by: str
    decided_on: str
    ground: str
    theme: str
    owner: str  # the team that answers for the dataset, else the contract's domain; '' where neither is stated
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    references: tuple[Reference, ...]
    versions: tuple[Version, ...]
    register: bool  # this dataset is the register of institutions
    dated_by: str | None  # the column named as the period; None: none is
    total_rows: frozenset[str]  # labels of rows that are totals of others, folded as headers are: 全国, National Total
    example_rows: tuple[
        Mapping[str, str], ...
    ]  # column -> text, folded: a row that has all of one is the form's example
    sheets: tuple[SheetPart, ...]  # the sheets to read it from, or parts of them; (): from any
    in_blocks: bool  # tables of one file with the same keys and other columns are blocks of one table
    across: str | None  # the column that columns headed by nothing but a year or a month hold, one a record
    controls: tuple[Control, ...]  # published figures that its rows are held against
    unused: frozenset[str]  # headers of the form, folded, that the dataset leaves out on purpose
    words: Mapping[
        str, tuple[str, ...]
    ]  # by OF_WORDS: labels of rows of its sheets that hold no data, beside the common ones
    undated: bool  # no column is the period of a submission: its years and dates are attributes
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
        """The column that dates a row: the one named as the period, else the year or month that is required or part of the key,
        else the first required date. A dataset without a period may still have the last."""
        if self.dated_by is not None:
            return self.column(self.dated_by)
        for kind in ("date",) if self.undated else ("year", "month", "date"):
            for c in self.columns:
                if c.kind == kind and (c.required or (c.name in self.key and kind != "date")):
                    return c
        return None

    @cached_property
    def referenced(self) -> tuple[str, ...]:
        """The joined columns that the rules use: `previous.x`, `<dataset>.x`, `city.x`."""
        return tuple(dict.fromkeys(n for r in self.rules for n in r.parsed.referenced))

    @cached_property
    def exact(self) -> tuple[str, ...]:
        """The columns that a rule compares to the precision they are written with: see `same` in expression.py."""
        return tuple(dict.fromkeys(n for r in self.rules for n in r.parsed.exact))

    @cached_property
    def changing(self) -> frozenset[str]:
        """The columns that some version of the form has and another has not."""
        return frozenset(n for v in self.versions for n in (*v.adds, *v.drops))

    @cached_property
    def unit_changes(self) -> frozenset[str]:
        """The columns whose unit, where a sheet states none, depends on the version of the form."""
        return frozenset(n for v in self.versions for n in v.units)

    def unit_in_force(self, name: str, day: str) -> str:
        """The unit of a column in the form of a day (ISO), where the sheet states none."""
        stated = [v.units[name] for v in self.versions if v.valid_from <= day and name in v.units]
        return stated[-1] if stated else str(self.column(name).unit)

    @cached_property
    def sectioned(self) -> Column | None:
        """The column that names of sections between the rows fill."""
        return next((c for c in self.columns if c.stated == "section"), None)

    @cached_property
    def institution_name(self) -> Column | None:
        return next((c for c in self.columns if c.institution == "name"), None)

    @cached_property
    def institution_code(self) -> Column | None:
        return next((c for c in self.columns if c.institution == "code"), None)


def is_open(contract: Contract) -> bool:
    """Whether the rows of a dataset may be published: its contract is open, with who decided so, when and on what ground."""
    return contract.opening == "open" and all((contract.decided_by, contract.decided_on, contract.ground))
