"""The city's administrative divisions: codes, names, and what became of an old one.

Belongs here: turning a name or an old code into today's code, and telling which division a name begins with. Not here: the
list itself, which is the city's own (`divisions.csv` in its folder).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.core.city import read_divisions
from pipelines.core.text import squeeze


@dataclass(frozen=True)
class Divisions:
    """`names` is code -> Chinese name, `successor` an old code -> the code that replaced it, `root` the city's own code."""

    names: dict[str, str] = field(default_factory=dict)
    successor: dict[str, str] = field(default_factory=dict)
    root: str | None = None

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes in force, those a record may hold."""
        return frozenset(self.names) - frozenset(self.successor)

    def now(self, code: str) -> str:
        """Today's code for a code of any year."""
        seen = set()
        while code in self.successor and code not in seen:
            seen.add(code)
            code = self.successor[code]
        return code

    def code(self, text: str) -> str | None:
        """Today's code of a division written as a code or as a name, with the city's name before it or not."""
        text = squeeze(text)
        # Statistical codes are the same six digits with zeros for township and village.
        if re.fullmatch(r"\d{6}(000)?(000)?", text):
            return self.now(text[:6]) if text[:6] in self.names else None
        return self._by_name.get(text)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        found: dict[str, str] = {}
        city = self.names.get(self.root or "", "")
        for code, name in self.names.items():
            for written in (squeeze(name), squeeze(city + name)):
                found.setdefault(written, self.now(code))
        return found

    @cached_property
    def prefixes(self) -> list[tuple[str, str]]:
        """(how an institution's name may begin, the division that says), longest first."""
        found = dict(self._by_name)
        city = squeeze(self.names.get(self.root or "", ""))
        if self.root and city.endswith("市") and len(city) > 2:
            found.setdefault(city[:-1], self.root)
        return sorted(found.items(), key=lambda p: (-len(p[0]), p[0]))

    @cached_property
    def bare(self) -> list[tuple[str, str]]:
        """(a district's name without its 区, 县 or 市, today's code), longest first; none of a single character."""
        found = {
            squeeze(name)[:-1]: self.now(code)
            for code, name in self.names.items()
            if code != self.root and len(squeeze(name)) > 2 and squeeze(name)[-1] in "区县市"
        }
        return sorted(found.items(), key=lambda p: (-len(p[0]), p[0]))


def load_divisions(city: Path | None) -> Divisions:
    """Reads `divisions.csv` of a city's folder; no folder or file: none known. Raises CityError."""
    rows = [] if city is None else read_divisions(city)
    root = next((r["code"] for r in rows if r["parent"] is None), None)
    successor = {r["code"]: r["successor"] for r in rows if r["successor"]}
    return Divisions({r["code"]: r["name_zh"] for r in rows}, successor, root)
