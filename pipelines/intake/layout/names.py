"""Maps a header's text to the columns it may name, without units, notes, stars, numbers and translations around the name.

Belongs here: one text by itself. Not here: which dataset a whole header is of (headers.py).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from expectations.contract import Column, Contracts, header_key, unit_key, unit_table
from pipelines.core.text import squeeze
from pipelines.intake.layout.periods import month_of_header, year_of_group
from pipelines.intake.vocabulary import vocabulary

_UNITS_ALONE = re.compile(r"^[(\[{【<]*(?:(?:计量|金额)?单位[:为是]?)?(.+?)[)\]}】>]*$")
_COUNTED_IN = re.compile(r"^以(.+)计$")
_IN_BRACKETS = re.compile(r"^(.+?)[(\[{【<《]([^()\[\]{}【】<>《》]*)[)\]}】>》]?$")
_STATED_UNIT = re.compile(r"^[(（]?(?:金额|计量|货币|数量|面积|数据)单位[:：]")  # a line of the heading, and no header
_AFTER_SLASH = re.compile(r"^(.+)/(.+?)$")
_AFTER_WORD = re.compile(r"^(.+?)[,:;_、\-]?(?:计量|金额|数量)?单位[:为是]?(.+)$")
_AFTER_MARK = re.compile(r"^(.+?)[,:;_、\-·|](.+)$")
_STARS = re.compile(r"^[*※★☆●#△▲■◆]+|[*※★☆#△▲:,。;/(\[【]+$")
_NUMBERING = re.compile(
    r"^(?:\(?\d{1,2}[)、.．]|\d{1,2}(?=\D)|[(]?[一二三四五六七八九十]{1,3}[)、.]|[①-⑳]|其中[:,]?|#)"
)
_FOOTNOTE = re.compile(r"\s*(?:[①-⑳⑴-⒇]|\*\s*[必选]填|注\s*\d{1,2}|[〔\[(（]\s*注?\s*\d{1,2}\s*[〕\])）])\s*$")
_BRACKETS = str.maketrans("〔〕「」『』〖〗", "()()()()")
_FRAMED = re.compile(r"[(\[【《]([^()\[\]【】《》]+)[)\]】》]")
_GAP = re.compile(r"\s*(\S.*?)\s+(\S{1,8})\s*$")
_TRANSLATED = re.compile(r"\s*(.*[^\x00-\x7f].*?)\s+([A-Za-z][\x20-\x7e\s]{2,})$", re.DOTALL)  # 月份 Month
_STATES_A_UNIT = re.compile(r"\d|\b(?:thousand|million|billion)\b", re.IGNORECASE)
_IN_ROUND = re.compile(r"\(([^()]*)\)")
_BEFORE_NAME = re.compile(r"^(?:本月|当月|本期|[必选]填[*:]?)")
_COUNTED_HEADER = re.compile(r"(.*[^.])\.\.\.\d{1,3}")  # Unit...7: a program tells columns of one name apart
_YEAR_FIRST = re.compile(r"(?:19|20)\d\d年度?(\D.+)")
_LEADING = frozenset(
    "[【《〔「『〖本当必选*※★☆●#△▲■◆(0123456789一二三四五六七八九十①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳其"
)  # begins a star or numbering
_HARMLESS = re.compile(
    r"盖章|公章|全称|必填|选填|可选|可空|含税|当月|本月|当年|本年|年内|下拉|选择|例|格式|保留|位小数|数字|整数|填|见|自动|元角分|大写|小写"
)
FIGURES = re.compile(r"[0-9.,+-]+")
_AROUND = 300  # characters that stand around a header's name at most
_SERIAL = frozenset(squeeze(h).lower() for h in vocabulary("rows")["counter"]["headers"])


def is_serial(header: str) -> bool:
    """Whether a header is the name of a row counter: 序号, 行次, No."""
    return _STARS.sub("", squeeze(header)).lower() in _SERIAL


class Match(NamedTuple):
    """A header text that names column `column` of dataset `dataset`; `rank` 0 is the official name.

    `unit` as the header writes it and `factor` to the canonical unit; both None where it writes none.
    """

    dataset: str
    column: str
    rank: int
    unit: str | None = None
    factor: Decimal | None = None


def _known_headers(contracts: Contracts) -> dict[str, tuple[Match, ...]]:
    """The folded headers of the contracts, each with the columns it names; a unit in a header is removed from it.

    What is left of such a header without its unit is a header too, unless two columns of a dataset would share it.
    """
    found: dict[str, list[Match]] = {}
    for name, contract in contracts.items():
        bare: dict[str, set[Match]] = {}
        for c in contract.columns:
            for rank, h in enumerate(c.headers):
                here = found.setdefault(header_key(h), [])
                if any(m.dataset == name for m in here):
                    continue
                written = c.unit_in(h)
                unit = written[1] if written else None
                here.append(Match(name, c.name, rank, unit, c.units[unit_key(unit)] if unit else None))
                if written:
                    bare.setdefault(header_key(written[0]), set()).add(Match(name, c.name, len(c.headers)))
        for key, those in bare.items():
            here = found.setdefault(key, [])
            if len({m.column for m in those}) == 1 and not any(m.dataset == name for m in here):
                here.extend(those)
    return {k: tuple(v) for k, v in found.items() if v}


class Names:
    """The headers of all contracts, with a cache of the texts resolved: most sheets repeat one another's headers."""

    def __init__(self, contracts: Contracts):
        self.contracts = contracts
        self._exact = _known_headers(contracts)
        self.first_chars = frozenset(k[0] for k in self._exact) | frozenset(
            "*※★☆●#△▲■◆(（1234567890①②③④⑤⑥⑦⑧⑨⑩其一二三四五六七八九十 \u3000【"
        )
        # A header may be as long as the longest that a contract names, and have a unit, a note and its English around it.
        self.longest = _AROUND + max(len(h) for c in contracts.values() for col in c.columns for h in col.headers)
        # Whatever is taken off a text of digits, digits are left of it.
        self.any_of_figures = any(map(FIGURES.fullmatch, self._exact))
        self.numeric = frozenset(k for k in self._exact if k.isdigit())  # headers that a spreadsheet holds as numbers
        # Whatever stands around a header's name, but for stars and numbering the name comes first: two characters tell.
        self._begins = frozenset(k[:2] for k in self._exact)
        self.units = {s for t in unit_table().values() for s in t}
        self.units |= {s for c in contracts.values() for col in c.columns for s in col.units}
        self._unit_ends = frozenset(u[-1] for u in self.units) | frozenset(")]}】>")
        self._memo: dict[str, tuple[Match, ...]] = {}
        self._across = {n: c.across for n, c in contracts.items() if c.across}
        self._by_month = {n for n in self._across if any(c.kind == "month" for c in contracts[n].columns)}
        self.years_across = len(self._by_month) < len(self._across)
        self.any_of_figures = self.any_of_figures or bool(self._across)
        self.labels = frozenset(w for c in contracts.values() for col in c.columns for w in col.stated_labels)
        self._alone: dict[str, str | None] = {}
        self._serial: dict[str, bool] = {}

    def _numeral(self, value: object) -> str:
        if isinstance(value, (int, float)) and value == value // 1:
            text = str(int(value))
            return text if text in self.numeric or (self.years_across and year_of_group(text, alone=True)) else ""
        return ""

    def is_period(self, cell: object) -> bool:
        """Whether a cell is a year or a month that some dataset's columns may be headed by alone."""
        text = cell if isinstance(cell, str) else self._numeral(cell)
        return bool(self._across) and bool(text) and bool(self._of_period(text))

    def _of_period(self, text: str) -> tuple[Match, ...]:
        """The columns of datasets whose figures stand under a year or a month alone."""
        month = month_of_header(text) is not None
        if not month and year_of_group(text, alone=True) is None:
            return ()
        return tuple(Match(n, c, 0) for n, c in self._across.items() if (n in self._by_month) == month)

    def is_name(self, cell: object) -> bool:
        """Whether a cell is, as written, the name of a column."""
        text = cell if isinstance(cell, str) else self._numeral(cell)
        return bool(text) and squeeze(text).lower() in self._exact

    def resolve(self, text: str) -> tuple[Match, ...]:
        """The columns that a text may be the header of, at most one of each dataset."""
        known = self._memo.get(text)
        if known is None:
            if not self.any_of_figures and FIGURES.fullmatch(text):
                return ()
            if len(self._memo) > 50_000:
                self._memo.clear()
            known = self._memo[text] = self._resolve(text) if len(text) <= self.longest else ()
        return known

    def _resolve(self, text: str) -> tuple[Match, ...]:
        plain = squeeze(text)
        low = plain.lower()
        hits = self._exact.get(low)
        if hits or (self._across and (hits := self._of_period(text))):
            return hits
        if _STATED_UNIT.match(text):
            return ()
        if low[:2] not in self._begins and low[:1] not in self._begins and low[:1] not in _LEADING:
            return ()
        bare = _STARS.sub("", squeeze(_FOOTNOTE.sub("", text)).translate(_BRACKETS))
        framed = _FRAMED.fullmatch(bare)
        bare = framed[1] if framed else bare
        forms = [bare, _NUMBERING.sub("", bare), _BEFORE_NAME.sub("", bare)]
        gap = _GAP.match(text)
        if gap and unit_key(gap[2]) in self.units:
            forms.append(f"{squeeze(gap[1])}({squeeze(gap[2])})")  # 金额, and on the next line 元
        elif (translated := _TRANSLATED.match(text)) and unit_key(translated[2]) not in self.units:
            return self._translated(translated[1], translated[2])
        for form in dict.fromkeys(forms):
            low = _STARS.sub("", form).lower()
            if low[:2] in self._begins or low[:1] in self._begins:
                hits = self._exact.get(form.lower()) or self._with_unit(form)
                if hits:
                    return hits
        if counted := _COUNTED_HEADER.fullmatch(plain):
            return self.resolve(counted[1])
        dated = _YEAR_FIRST.match(plain)
        return self.resolve(dated[1]) if dated else ()

    def _translated(self, name: str, english: str) -> tuple[Match, ...]:
        """Resolve a name followed by its translation, which may contain a unit: 用电量 Electricity (MWh)."""
        out = []
        for m in self.resolve(name):
            column = self.contracts[m.dataset].column(m.column)
            written = column.unit_in(english)
            if written:
                factor = column.units[unit_key(written[1])]
                if m.factor in (None, factor):
                    out.append(m._replace(unit=m.unit or written[1], factor=factor))
            elif m.unit is not None or column.unit is None or not self._states_a_unit(english):
                out.append(m)
        return tuple(out)

    def _states_a_unit(self, english: str) -> bool:
        """Whether a translation has an unknown text in brackets that may be a unit."""
        return any(
            unit_key(inner) in self.units or _STATES_A_UNIT.search(inner) for inner in _IN_ROUND.findall(english)
        )

    def _with_unit(self, plain: str) -> tuple[Match, ...]:
        for pattern in (_IN_BRACKETS, _AFTER_WORD, _AFTER_SLASH, _AFTER_MARK):
            cut = pattern.match(plain)
            if not cut:
                continue
            base, inner = cut[1], cut[2]
            hits = self._exact.get(base.lower()) or self._exact.get(_STARS.sub("", base).lower())
            if hits:
                out = []
                for m in hits:
                    column = self.contracts[m.dataset].column(m.column)
                    unit = self._unit_in(inner, column)
                    if unit is not None:
                        factor = column.units[unit_key(unit)]
                        if m.factor in (None, factor):  # else the name itself contains another unit
                            out.append(Match(m.dataset, m.column, m.rank, unit, factor))
                    elif self._is_note(inner, column, pattern is _IN_BRACKETS):
                        out.append(m._replace(rank=m.rank + 1))
                return tuple(out)
            if pattern is _IN_BRACKETS:
                # Two brackets, as in 租金(年)(万元) or 用电量(全年)(度).
                inside = self._with_unit(base) if base.endswith((")", "]", "】", "}")) else ()
                out = []
                for m in inside:
                    column = self.contracts[m.dataset].column(m.column)
                    unit = self._unit_in(inner, column)
                    if unit is not None and m.unit is None:
                        out.append(Match(m.dataset, m.column, m.rank, unit, column.units[unit_key(unit)]))
                    elif self._is_note(inner, column, True):
                        out.append(m)
                if out:
                    return tuple(out)
        return self._glued(plain)

    def _glued(self, plain: str) -> tuple[Match, ...]:
        """Resolve a name with a unit of two or more characters attached: 用电量kWh."""
        low = plain.lower()
        if len(low) > 24:
            return ()
        for cut in range(len(low) - 2, 0, -1):
            hits = self._exact.get(low[:cut]) if low[cut:] in self.units else None
            if hits:
                out = []
                for m in hits:
                    column = self.contracts[m.dataset].column(m.column)
                    if low[cut:] in column.units and m.unit is None:
                        out.append(Match(m.dataset, m.column, m.rank, plain[cut:], column.units[low[cut:]]))
                return tuple(out)
        return ()

    def _unit_in(self, text: str, column: Column) -> str | None:
        """The unit in brackets, as written, if it is one of the column's: 万元; 单位:万元; 万元,保留两位小数; 万元/年."""
        if not column.units:
            return None
        alone = _COUNTED_IN.match(text) or _UNITS_ALONE.match(text)
        inner = alone[1] if alone else text
        if unit_key(inner) in column.units:
            return inner
        if inner.endswith(("/年", "/a")) and "年" in "".join(column.headers) and unit_key(inner[:-2]) in column.units:
            return inner[:-2]
        for part in re.split(r"[,;、:]", inner):
            alone = _UNITS_ALONE.match(part)
            if alone and unit_key(alone[1]) in column.units:
                return alone[1]
        return None

    def _is_note(self, text: str, column: Column, bracketed: bool) -> bool:
        """Whether the text after a name only explains it and cannot change the meaning of a number."""
        if unit_key(text) in self.units and column.kind in ("decimal", "integer") and column.unit is not None:
            return False
        if not bracketed:
            return False
        return (
            column.kind not in ("decimal", "integer") or column.unit is None or bool(_HARMLESS.search(text)) or not text
        )

    def unit_alone(self, text: str) -> str | None:
        """The unit of a cell that holds only a unit: 万元, （万元）, 单位：万元."""
        if len(text) > 20:
            return None
        if text not in self._alone:
            if len(self._alone) > 50_000:
                self._alone.clear()
            self._alone[text] = self._unit_alone(text)
        return self._alone[text]

    def _unit_alone(self, text: str) -> str | None:
        plain = squeeze(text)
        if not plain or len(plain) > 14 or plain[-1].lower() not in self._unit_ends:
            return None
        if unit_key(plain) in self.units:
            return plain
        found = _UNITS_ALONE.match(plain)
        return found[1] if found and unit_key(found[1]) in self.units else None

    def is_serial(self, header: str) -> bool:
        """Whether a header names a row counter, which needs no issue."""
        known = self._serial.get(header)
        if known is None:
            if len(self._serial) > 50_000:
                self._serial.clear()
            known = self._serial[header] = is_serial(header)
        return known

    def nearest(self, header: str, dataset: str, taken: Iterable[str]) -> Column | None:
        """The column of a dataset, among those not mapped yet, whose name is most similar to a header."""
        have = set(taken)
        names = {header_key(h): c for c in self.contracts[dataset].columns if c.name not in have for h in c.headers}
        cut = _IN_BRACKETS.match(squeeze(header))
        for text in (squeeze(header).lower(), cut[1].lower() if cut else ""):
            close = difflib.get_close_matches(text, names, 1, 0.5) if text else []
            if close:
                return names[close[0]]
        return None
