"""The rules of primary suppression: the least number of contributing institutions, and the largest share of one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """`min_contributors` institutions must contribute to a value, none with more than `max_share` (0..1) of it; an attacker
    must not bound a hidden value more narrowly than `protection` (a share of the value) on either side."""

    min_contributors: int = 5
    max_share: float = 0.85
    protection: float = 0.3

    def unsafe(self, contributors: float, share: float, value: float) -> bool:
        """Whether a value with so many institutions and such a largest share is unsafe; unknown counts as unsafe.

        Nobody can dominate a sum of nothing: there only the number of institutions counts.
        """
        return not (contributors >= self.min_contributors and (share <= self.max_share or value == 0))
