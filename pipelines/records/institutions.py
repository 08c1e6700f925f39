"""The register of institutions, and the resolution of names and codes against it.

Belongs here: names as departments write them -> the one name of the register, and the nearest ones where none fits. Not
here: which rows of the register hold (judge.py), and what becomes of a row that names nobody.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from expectations import uscc
from pipelines.core.city import read_aliases
from pipelines.core.text import squeeze
from pipelines.records.divisions import Divisions

# 公章, 盖章 and the like end a heading's cell; 章 alone may end a name and stays unless it is in brackets.
SEALS = re.compile(r"(?:[(\[【](?:加盖)?(?:单位)?[公盖签]?章[)\]】]|(?:加盖)?(?:单位)?[公盖签]章):?$")
OF_ITSELF = re.compile(r"(?:本级|机关)$")  # 市教育局本级, 市教育局机关: the bureau without those below it
ANYWHERE = ""  # an institution's name that begins with no division


@dataclass(frozen=True)
class Alias:
    """Another name of an institution, from the city's `institution_aliases.csv`. `kind`: former, short, ..."""

    name: str
    alias: str
    kind: str = ""


class Register:
    """The institutions of a city by name and code. Names are those of the latest year a code appears in.

    `entries` are (name, code or None), older first: an older name of the same code is a former name.
    """

    def __init__(
        self,
        entries: Iterable[tuple[str, str | None]],
        aliases: Iterable[Alias] = (),
        divisions: Divisions | None = None,
    ):
        self.divisions = divisions or Divisions()
        self._code_name: dict[str, str] = {}
        entries = list(entries)
        for name, code in entries:
            if code:
                self._code_name[code] = name
        known: dict[str, str] = {}  # every name -> the one in force
        for name, code in entries:
            known[name] = self._code_name[code] if code else name
        self.names: frozenset[str] = frozenset(known.values())
        self._by_organisation: dict[str, str | None] = {}
        for code in self._code_name:
            inner = uscc.organisation_code(code)
            self._by_organisation[inner] = None if inner in self._by_organisation else code
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._placed: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._core: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._known = dict(known)
        for written, name in known.items():
            self._index(written, name)
        for a in aliases:
            # The register may have the long name or the short one.
            for there, other in ((a.name, a.alias), (a.alias, a.name)):
                owner = self._find(there)
                if owner is not None:
                    self._index(other, owner)
                    self._known[other] = owner
                    break
        self._resolved: dict[str, str | None] = {}

    def _index(self, written: str, name: str) -> None:
        for form in _forms(written):
            self._exact[form].add(name)
            for place, core in self._placings(form):
                self._placed[place, core].add(name)
                self._core[core].add((place, name))

    @cached_property
    def digest(self) -> str:
        """Changes when a name would be resolved otherwise."""
        h = hashlib.sha256()
        for pair in [*sorted(self._known.items()), *sorted(self._code_name.items())]:
            h.update("\0".join(pair).encode() + b"\n")
        for code, name in sorted(self.divisions.names.items()):
            h.update(f"{code}\0{name}\0{self.divisions.now(code)}\n".encode())
        return h.hexdigest()

    def name_of(self, code: str) -> str | None:
        """The institution that holds a credit code."""
        return self._code_name.get(self.full_code(code))

    def full_code(self, code: str) -> str:
        """A code folded; the nine characters of an organisation code become the credit code that holds them."""
        code = uscc.fold(code)
        return (self._by_organisation.get(code) or code) if len(code) == 9 else code

    def resolve(self, name: str) -> str | None:
        """The register's name for a name as written, or None where nobody or more than one fits.

        In this order: the same letters (white space, width, a seal's 盖章 and brackets aside); the same division and the
        same rest (市教育局 for 株洲市教育局, an old county for the district it became, 发改委 for its long name); the same
        rest where one side says the city and the other nothing, and no other institution has that rest; the same without
        原 before or 本级 behind it, or with a district whose 区 is left out. A district is never guessed.
        """
        if name not in self._resolved:
            self._resolved[name] = self._find(name)
        return self._resolved[name]

    def _find(self, name: str) -> str | None:
        forms = list(_forms(name))
        found = self._look_up(forms)
        if found is not None:
            return found
        for form in forms:
            barer = OF_ITSELF.sub("", form).removeprefix("原")
            if barer != form and len(barer) > 2 and (found := self._look_up([barer])):
                return found
            for bare, code in self.divisions.bare:
                if form.startswith(bare) and (hits := self._placed.get((code, form[len(bare) :]))):
                    return _only(hits)
        return None

    def _look_up(self, forms: list[str]) -> str | None:
        for form in forms:
            if hits := self._exact.get(form):
                return _only(hits)
        for form in forms:
            hits = {n for p in self._placings(form) for n in self._placed.get(p, ())}
            if hits:
                return _only(hits)
        for form in forms:
            for place, core in self._placings(form):
                owners = self._core.get(core, set())
                # 教育局 is the city's only where no district has one too, and never a district's.
                central = (ANYWHERE, self.divisions.root)
                if len(owners) == 1 and place in central and all(p in central for p, _ in owners):
                    return next(iter(owners))[1]
        return None

    def nearest(self, name: str, n: int = 3) -> list[str]:
        """The names of the register most like a name that fits none, best first; often none."""
        form = next(iter(_forms(name)), "")
        out: list[str] = []
        for place, core in self._placings(form):
            out += [owner for p, owner in sorted(self._core.get(core, ())) if ANYWHERE in (place, p) or p == place]
        close = difflib.get_close_matches(form, list(self._exact), n=n * 2, cutoff=0.6)
        out += [owner for c in close for owner in sorted(self._exact[c])]
        return list(dict.fromkeys(out))[:n]

    def _placings(self, form: str) -> Iterator[tuple[str, str]]:
        """(division, rest of the name, in short), every way to read it: 市场监管局 may begin with 市 or not."""
        for place, core in self._split(form):
            yield place, _in_short(core)

    def _split(self, form: str) -> Iterator[tuple[str, str]]:
        text = form.removeprefix("中共")
        rest = re.sub(r"^\w{2,3}省(?=\w{2})", "", text)
        if any(rest.startswith(p) for p, _ in self.divisions.prefixes):
            text = rest
        for prefix, code in self.divisions.prefixes:
            if text.startswith(prefix) and len(text) > len(prefix) + 1:
                core = text[len(prefix) :]
                yield code, core
                # 株洲市市场监管局: the city's name may be followed by 市 once more.
                if code == self.divisions.root and core.startswith("市") and len(core) > 2:
                    yield code, core[1:]
                return
        if self.divisions.root and text.startswith("市") and len(text) > 2:
            yield self.divisions.root, text[1:]
        yield ANYWHERE, text


@lru_cache(maxsize=1)
def _short_names() -> list[tuple[str, str]]:
    """(long, short) of what offices in every city are called, longest first."""
    with Path(__file__).with_name("short_names.csv").open(encoding="utf-8", newline="") as f:
        pairs = [(r["long"], r["short"]) for r in csv.DictReader(f)]
    return sorted(pairs, key=lambda p: -len(p[0]))


def _in_short(core: str) -> str:
    for long, short in _short_names():
        if long in core:
            return core.replace(long, short)
    return core


def _only(hits: set[str]) -> str | None:
    return next(iter(hits)) if len(hits) == 1 else None


def _forms(name: str) -> Iterator[str]:
    """A name folded, then without its brackets, then without what they hold."""
    text = SEALS.sub("", squeeze(name)).rstrip(":,。.")
    yield text
    if re.search(r"[()\[\]【】〔〕]", text):
        yield re.sub(r"[()\[\]【】〔〕]", "", text)
        outside = re.sub(r"[(\[【〔].*?[)\]】〕]", "", text)
        if len(outside) > 1:
            yield outside


def fold_name(name: str) -> str:
    """A name as it is compared where there is no register."""
    return next(iter(_forms(name)))


def load_aliases(city: Path | None) -> list[Alias]:
    """Return the aliases of a city's folder; none where there is no folder or file. Raises CityError."""
    return [] if city is None else [Alias(**row) for row in read_aliases(city)]
