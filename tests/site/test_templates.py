"""Templates that take the place of Datasette's: an upgrade that changes one of those is noticed here."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import datasette
import pytest

import publish.site

OURS = Path(publish.site.__file__).parent / "templates"
THEIRS = Path(datasette.__file__).parent / "templates"
# Datasette 0.65.5. Where one differs: look at what changed, carry over what matters, then write the new hash here.
SEEN = {
    "_footer.html": "d190d9e7dc5046c1",
    "_table.html": "f75a8872713f28fd",
    "base.html": "bb22df33caea147e",
    "database.html": "4fd5e97823bb5380",
    "error.html": "c2115d1fdbff1a48",
    "query.html": "bc3559df0e209da9",
    "row.html": "ff5dde41541c39dd",
    "table.html": "81cec4b0f7948bf0",
}

# A file of ours, and data that no browser runs.
OUR_SCRIPTS = (
    """<script src="{{ urls.path('/static/site.js') }}" defer></script>""",
    '<script type="application/ld+json">{{ structured_data }}</script>',
)


def differing(seen: dict[str, str], theirs: Path) -> list[str]:
    return [n for n, h in seen.items() if hashlib.sha256((theirs / n).read_bytes()).hexdigest()[:16] != h]


def test_datasettes_own_templates_are_as_they_were_when_ours_were_written() -> None:
    assert differing(SEEN, THEIRS) == []


def test_a_changed_template_is_noticed(tmp_path: Path) -> None:
    for name in SEEN:
        (tmp_path / name).write_bytes((THEIRS / name).read_bytes())
    (tmp_path / "query.html").write_bytes((THEIRS / "query.html").read_bytes() + b"<!-- new -->")
    assert differing(SEEN, tmp_path) == ["query.html"]


def test_every_overridden_template_is_watched() -> None:
    assert {p.name for p in OURS.glob("*.html")} & {p.name for p in THEIRS.glob("*.html")} == set(SEEN)


@pytest.mark.parametrize("template", sorted(OURS.glob("*.html")), ids=lambda p: p.name)
def test_templates_need_no_exception_to_the_content_security_policy(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    for known in OUR_SCRIPTS:
        text = text.replace(known, "")
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert "|safe" not in text.replace("|urlencode|safe", "")
