"""The fields of the form by which a reader reports an error, and what may not be in them.

Belongs here: reading the fields and judging them. Not here: the request (report_form.py), the files (mailbox.py).
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from pipelines.core.text import half_width
from publish.disclosure.scan import PATTERNS
from publish.site.language import Pair, pair
from publish.site.mailbox import REPORT_ID

TAKES_REPORTS = "mingzhang.takes_reports"  # in the scope of a request for the page of the form
PAGE_CHARACTERS, TEXT_CHARACTERS = 300, 2_000
PAGE = re.compile(r"/[A-Za-z0-9/_.,=&?%-]*")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

EMPTY = pair("Write what is wrong, in a few words.")
TOO_MUCH = pair("That is too long; write at most 2,000 characters.")
PERSONAL = pair(
    "That seems to hold the number or address of a person (%(what)s). Nothing was kept; take it out and send it again."
)
RULES = {
    "identity number": pair("identity number"),
    "mobile number": pair("mobile number"),
    "number plate": pair("number plate"),
    "vehicle identification number": pair("vehicle identification number"),
    "bank card number": pair("bank card number"),
    "name of a contact": pair("name of a contact"),
    "e-mail address": pair("e-mail address"),
}


@dataclass(frozen=True)
class Written:
    """The fields of the form, stripped."""

    about: str = ""
    says: str = ""
    right: str = ""


def parse(body: bytes) -> Written:
    """Read the fields. Raises ValueError where the body is no form in UTF-8."""
    fields = dict(
        urllib.parse.parse_qsl(
            body.decode("ascii"), encoding="utf-8", errors="strict", max_num_fields=10, keep_blank_values=True
        )
    )
    about = _plain(fields.get("about", ""))
    address = urllib.parse.urlsplit(about)  # a reader may paste the whole address
    if address.netloc:
        about = address.path + (f"?{address.query}" if address.query else "")
    about = about if len(about) <= PAGE_CHARACTERS and PAGE.fullmatch(about) else ""
    return Written(about, _plain(fields.get("says", "")), _plain(fields.get("right", "")))


def about_of(args: Any) -> tuple[str, str]:
    """Return the page that the arguments of the form's page name, and the report that they say was sent; "" for what cannot be either."""
    about, sent = (args.get("about") or "")[:PAGE_CHARACTERS], args.get("sent") or ""
    return about if PAGE.fullmatch(about) else "", sent if REPORT_ID.fullmatch(sent) else ""


def refusal_of(written: Written) -> Pair | None:
    """Return why a report cannot be taken; None where it can."""
    if not written.says:
        return EMPTY
    if max(len(written.says), len(written.right)) > TEXT_CHARACTERS:
        return TOO_MUCH
    found = personal(f"{written.says}\n{written.right}\n{written.about}")
    if found is None:
        return None
    zh, en = RULES[found]
    return PERSONAL[0] % {"what": zh}, PERSONAL[1] % {"what": en}


def personal(text: str) -> str | None:
    """Return the name of the rule that a text breaks: a person's number or address is in it."""
    folded = half_width(text).upper()
    for rule, pattern, holds in PATTERNS:
        for match in pattern.finditer(folded):
            if holds is None or holds(match[1]):
                return rule
    return "e-mail address" if _EMAIL.search(folded) else None


def _plain(text: str) -> str:
    """Return a text without control characters, its lines kept."""
    return re.sub(
        r"[^\S\n]+", " ", re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", " ", text)
    ).strip()
