"""Every phrase that the site can say, as Babel finds it: the same for the tests and for who writes the catalogue."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

import publish.site

SITE = Path(publish.site.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pair": None, "said": None}


def extracted() -> list[str | tuple[str, str]]:
    """The phrases in order of first use; one with a plural is a pair."""
    with (SITE / "locale" / "babel.cfg").open(encoding="utf-8") as f:
        methods, options = parse_mapping_cfg(f)
    found = extract_from_dir(SITE, methods, options, keywords=KEYWORDS)
    return list(dict.fromkeys(m if isinstance(m, str) else tuple(m[:2]) for _, _, m, _, _ in found))
