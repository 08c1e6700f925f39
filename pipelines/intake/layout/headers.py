"""Header texts to columns of datasets, and a header row to the dataset it belongs to.

Belongs here: what a header may look like around its name (units, notes, stars, numbers) and which dataset fits best. Not
here: where in a sheet the header stands, or what is under it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from expectations.contract import Column, Contract, Contracts, header_key, unit_key, unit_table
from pipelines.intake.values import squeeze

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
_YEAR_FIRST = re.compile(r"(?:19|20)\d\d年度?(\D.+)")
_LEADING = frozenset(
    "[【《〔「『〖本当必选*※★☆●#△▲■◆(0123456789一二三四五六七八九十①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳其"
)  # begins a star or numbering
_HARMLESS = re.compile(
    r"盖章|公章|全称|必填|选填|可选|可空|含税|当月|本月|当年|本年|年内|下拉|选择|例|格式|保留|位小数|数字|整数|填|见|自动|元角分|大写|小写"
)
_COUNTER = 1000  # 序号 beside 车辆编号 only counts the rows, whatever place it has among the aliases
_SERIAL = frozenset(["序号", "行次", "行号", "栏次", "no.", "no", "№", "顺序号", "编码序号", "序号no.", "序号no"])


def is_serial(header: str) -> bool:
    """Whether a header is what a plain counter of rows is called: 序号, 行次, No."""
    return _STARS.sub("", squeeze(header)).lower() in _SERIAL


class Match(NamedTuple):
    """A header text stands for column `column` of dataset `dataset`, `rank` 0 being its official name.

    `unit` as the header writes it and `factor` to the canonical unit; both None where it writes none.
    """

    dataset: str
    column: str
    rank: int
    unit: str | None = None
    factor: Decimal | None = None


class Mapped(NamedTuple):
    """A column of a table: its place (0-based in the grid), the header as it stands, and its Match."""

    place: int
    header: str
    match: Match
    column: Column


@dataclass(frozen=True, slots=True)
class Choice:
    """A header read as one dataset's. `places`: the columns of the grid this table covers (side by side: its own)."""

    dataset: str
    mapped: tuple[Mapped, ...]
    unmapped: tuple[tuple[int, str], ...]
    missing: tuple[str, ...]  # required columns that are not there and may not be stated once
    names: int  # how many header texts there were

    @property
    def fits(self) -> bool:
        """Whether this header is surely a table of the dataset."""
        n = len(self.mapped)
        return not self.missing and n > 0 and (n >= 3 or 2 * n >= self.names)


def _known_headers(contracts: Contracts) -> dict[str, tuple[Match, ...]]:
    """Every header as contracts write it, folded, to the columns it stands for; a unit that it contains is taken out of it.

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


class Headers:
    """All headers of all contracts, and a memory of the texts met: most sheets repeat one another's headers."""

    def __init__(self, contracts: Contracts):
        self.contracts = contracts
        self._exact = _known_headers(contracts)
        self.first_chars = frozenset(k[0] for k in self._exact) | frozenset(
            "*※★☆●#△▲■◆(（1234567890①②③④⑤⑥⑦⑧⑨⑩其一二三四五六七八九十 \u3000【"
        )
        # A header may be as long as the longest that a contract names, and have a unit and a note around it.
        self.longest = 80 + max(len(h) for c in contracts.values() for col in c.columns for h in col.headers)
        self.numeric = frozenset(k for k in self._exact if k.isdigit())  # headers that a spreadsheet holds as numbers
        # Whatever stands around a header's name, but for stars and numbering the name comes first: two characters tell.
        self._begins = frozenset(k[:2] for k in self._exact)
        self.units = {s for t in unit_table().values() for s in t}
        self.units |= {s for c in contracts.values() for col in c.columns for s in col.units}
        self._unit_ends = frozenset(u[-1] for u in self.units) | frozenset(")]}】>")
        self.required = {
            n: tuple(c.name for c in k.columns if c.required and c.stated is None) for n, k in contracts.items()
        }
        self._memo: dict[str, tuple[Match, ...]] = {}
        self._alone: dict[str, str | None] = {}
        self._serial: dict[str, bool] = {}
        self._rows: dict[tuple[tuple[str, ...], tuple[str | None, ...] | None], tuple[Choice, ...]] = {}
        self._counts: dict[tuple[str, ...], tuple[int, int]] = {}

    def texts(self, row: Sequence[object]) -> tuple[str, ...]:
        """The cells of a row as header texts: '' for what is no text, unless it is a number some column is called by."""
        if self.numeric:
            return tuple([v if type(v) is str else self._numeral(v) for v in row])
        return tuple([v if type(v) is str else "" for v in row])

    def counts(self, texts: tuple[str, ...]) -> tuple[int, int]:
        """How many of a row's texts there are, and how many of them are the header of some column."""
        known = self._counts.get(texts)
        if known is None:
            filled = [t for t in texts if t]
            if len(self._counts) > 20_000:
                self._counts.clear()
            known = self._counts[texts] = len(filled), sum(1 for t in filled if self.resolve(t))
        return known

    def _numeral(self, value: object) -> str:
        if isinstance(value, (int, float)) and value == value // 1:
            text = str(int(value))
            return text if text in self.numeric else ""
        return ""

    def is_name(self, cell: object) -> bool:
        """Whether a cell is, as it stands, what some column is called."""
        text = cell if isinstance(cell, str) else self._numeral(cell)
        return bool(text) and squeeze(text).lower() in self._exact

    def resolve(self, text: str) -> tuple[Match, ...]:
        """Every column a text may be the header of, at most one of each dataset."""
        known = self._memo.get(text)
        if known is None:
            if len(self._memo) > 50_000:
                self._memo.clear()
            known = self._memo[text] = self._resolve(text) if len(text) <= self.longest else ()
        return known

    def _resolve(self, text: str) -> tuple[Match, ...]:
        plain = squeeze(text)
        low = plain.lower()
        hits = self._exact.get(low)
        if hits:
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
        dated = _YEAR_FIRST.match(plain)
        return self.resolve(dated[1]) if dated else ()

    def _translated(self, name: str, english: str) -> tuple[Match, ...]:
        """What a name means that has its translation behind it, in which a unit may stand: 用电量 Electricity (MWh)."""
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
        """Whether a translation has in brackets what may be a unit that nobody here knows."""
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
        """用电量kWh: a unit of two characters or more right behind the name."""
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
        """The unit a bracket holds, as written, where the column knows it: 万元; 单位:万元; 万元,保留两位小数; 万元/年."""
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
        """Whether what stands behind a name only explains it, and cannot change what a number means."""
        if unit_key(text) in self.units and column.kind in ("decimal", "integer") and column.unit is not None:
            return False
        if not bracketed:
            return False
        return (
            column.kind not in ("decimal", "integer") or column.unit is None or bool(_HARMLESS.search(text)) or not text
        )

    def unit_alone(self, text: str) -> str | None:
        """The unit, where a cell holds nothing but one: 万元, （万元）, 单位：万元."""
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

    def choices(self, texts: Sequence[str], units: Sequence[str | None] | None = None) -> tuple[Choice, ...]:
        """How a header reads as each dataset any of its texts belong to, best first.

        `texts[i]` stands over column i ('' for none); `units[i]` is a unit written under it. Several Choices of one
        dataset mean tables side by side. Best: no required column missing, then most columns, then least unmapped.
        """
        if units is not None and not any(units):
            units = None
        key = tuple(texts), None if units is None else tuple(units)
        known = self._rows.get(key)
        if known is not None:
            return known
        per: dict[str, list[tuple[int, Match]]] = {}
        for i, t in enumerate(texts):
            if t:
                for m in self.resolve(t):
                    per.setdefault(m.dataset, []).append((i, m))
        out: list[Choice] = []
        enough = 0  # columns of the best fit: a dataset with fewer headers here can neither beat nor equal it
        for dataset, found in sorted(per.items(), key=lambda x: -len(x[1])):
            if len(found) < enough:
                break
            these = self._choose(dataset, found, texts, units)
            out += these
            enough = max(enough, max((len(c.mapped) for c in these if c.fits), default=0))
        out.sort(key=lambda c: (len(c.missing) > 0, -len(c.mapped), len(c.missing), c.dataset))
        if len(self._rows) > 20_000:
            self._rows.clear()
        known = self._rows[key] = tuple(out)
        return known

    def _choose(
        self,
        dataset: str,
        found: list[tuple[int, Match]],
        texts: Sequence[str],
        units: Sequence[str | None] | None,
    ) -> list[Choice]:
        contract = self.contracts[dataset]
        blocks: list[tuple[int, int]] = [(0, len(texts))]
        repeats = len({m.column for _, m in found}) < len(found)
        starts = self._side_by_side(found, texts, contract) if repeats else []
        if starts:
            edges = [0, *starts[1:], len(texts)]
            blocks = list(pairwise(edges))
        out = []
        for a, b in blocks:
            best: dict[str, tuple[int, Match]] = {}
            for i, m in found:
                counter = self.is_serial(texts[i])
                if counter and m.rank > 0:  # where 序号 is what the column is called, it is no counter
                    m = m._replace(rank=m.rank + _COUNTER)
                # Of two counters the first only counts the rows.
                if a <= i < b and (m.column not in best or m.rank < best[m.column][1].rank + counter):
                    best[m.column] = (i, m)
            mapped = []
            for i, m in sorted(best.values(), key=lambda x: x[0]):
                column = contract.column(m.column)
                unit = units[i] if units else None
                if unit is not None and m.unit is None and unit_key(unit) in column.units:
                    m = Match(m.dataset, m.column, m.rank, unit, column.units[unit_key(unit)])
                mapped.append(Mapped(i, texts[i], m, column))
            taken = {x.place for x in mapped}
            unmapped = tuple((i, texts[i]) for i in range(a, b) if texts[i] and i not in taken)
            missing = tuple(c for c in self.required[dataset] if c not in best)
            out.append(Choice(dataset, tuple(mapped), unmapped, missing, len(mapped) + len(unmapped)))
        return out

    def _side_by_side(self, found: list[tuple[int, Match]], texts: Sequence[str], contract: Contract) -> list[int]:
        """Where tables begin that repeat the same headers to the right; [] where there is one table."""
        seen: dict[str, int] = {}
        starts = [found[0][0]]
        sets: list[set[str]] = [set()]
        for i, m in found:
            key = header_key(texts[i])
            if key in seen and m.column in sets[-1]:
                starts.append(i)
                sets.append(set())
                seen = {}
            seen[key] = i
            sets[-1].add(m.column)
        if len(starts) == 1:
            return []
        needed = set(self.required[contract.dataset])
        return starts if all(needed <= s and len(s) >= 2 for s in sets) else []

    def is_serial(self, header: str) -> bool:
        """Whether a header is of a plain counter, which no department needs to hear about."""
        known = self._serial.get(header)
        if known is None:
            if len(self._serial) > 50_000:
                self._serial.clear()
            known = self._serial[header] = is_serial(header)
        return known

    def nearest(self, header: str, dataset: str, taken: Iterable[str]) -> Column | None:
        """The column of a dataset whose name is most like a header, among those not there yet."""
        have = set(taken)
        names = {header_key(h): c for c in self.contracts[dataset].columns if c.name not in have for h in c.headers}
        cut = _IN_BRACKETS.match(squeeze(header))
        for text in (squeeze(header).lower(), cut[1].lower() if cut else ""):
            close = difflib.get_close_matches(text, names, 1, 0.5) if text else []
            if close:
                return names[close[0]]
        return None
