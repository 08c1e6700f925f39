"""Every phrase that the site can say, as Babel finds it: the same for the tests and for who writes the catalogue.

`python tests/site/phrases.py` brings the catalogue up to date: new phrases come in without their Chinese, which the tests
then ask for, and phrases that nothing says any more go out.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

import publish.site
from publish.site.language import CATALOGUE

SITE = Path(publish.site.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pair": None, "translated": None}
HEAD = "# The Chinese of every phrase of the site; python tests/site/phrases.py brings it up to date."
NEVER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # a date would change the file without a phrase having changed


def extracted() -> list[str | tuple[str, str]]:
    """The phrases in order of first use; one with a plural is a pair."""
    with (SITE / "locale" / "babel.cfg").open(encoding="utf-8") as f:
        methods, options = parse_mapping_cfg(f)
    found = extract_from_dir(SITE, methods, options, keywords=KEYWORDS)
    return list(dict.fromkeys(m if isinstance(m, str) else tuple(m[:2]) for _, _, m, _, _ in found))


def update() -> list[str | tuple[str, str]]:
    """Rewrites the catalogue with the phrases of now; gives those that have no Chinese yet."""
    with CATALOGUE.open("rb") as f:
        known = {m.id: m.string for m in read_po(f, locale="zh") if m.id}
    catalogue = Catalog(
        locale="zh", project="mingzhang", version="1", fuzzy=False, header_comment=HEAD, creation_date=NEVER, revision_date=NEVER,
        msgid_bugs_address="", last_translator="", language_team="",
    )  # fmt: skip
    phrases = extracted()
    for phrase in phrases:
        catalogue.add(phrase, known.get(phrase, "" if isinstance(phrase, str) else ("",)))
    with CATALOGUE.open("wb") as out:
        write_po(out, catalogue, width=120, sort_output=True, no_location=True)
    return [p for p in phrases if p not in known]


if __name__ == "__main__":
    for phrase in update():
        print("no Chinese yet:", phrase)
