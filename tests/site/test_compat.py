"""What compat.py overrides or replaces of Datasette: an upgrade that changes one of these is noticed here."""

from __future__ import annotations

import hashlib
import inspect
import re
from pathlib import Path
from typing import Any

import datasette
import pytest
from datasette import app, database, url_builder

import publish.site
from publish.site import compat
from publish.site.responses import Answer, finalize

# Of Datasette compat.READ_FROM. Where one differs: read what changed, carry over what matters, then write the new hash here.
SEEN: dict[str, tuple[Any, str]] = {
    "Datasette.urls": (app.Datasette.urls.fget, "2d8bca461f45de82"),
    "Datasette.refresh_schemas": (app.Datasette.refresh_schemas, "1ed61152e4156174"),
    "Datasette._refresh_schemas": (app.Datasette._refresh_schemas, "97f20beb7031eb6c"),
    "Datasette.remove_database": (app.Datasette.remove_database, "f12a8946cf76417d"),
    "Datasette.render_template": (app.Datasette.render_template, "940dc6dd08e5deb5"),
    "Urls.path": (url_builder.Urls.path, "e5c6a2f35dfd5328"),
    "Database.connect": (database.Database.connect, "512a94e40925341e"),
    "Database.close": (database.Database.close, "f69b0520a4453fa2"),
}
SITE = Path(publish.site.__file__).parent


def digest(function: Any) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.skipif(compat.NEXT, reason="the hashes are those of the Datasette in requirements.txt")
def test_what_is_overridden_of_datasette_is_as_it_was_when_it_was_read() -> None:
    assert datasette.__version__ == compat.READ_FROM
    assert {name: digest(f) for name, (f, _) in SEEN.items()} == {name: seen for name, (_, seen) in SEEN.items()}


def test_a_changed_function_is_noticed() -> None:
    def urls(self: Any) -> Any:
        return url_builder.Urls(self)

    assert digest(urls) != SEEN["Datasette.urls"][1]


def test_the_conditions_of_filters_are_those_that_are_promised() -> None:
    promised = {
        "exact",
        "not",
        "contains",
        "startswith",
        "endswith",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "notin",
        "isnull",
        "notnull",
    }
    assert promised <= compat.OPERATORS


def test_no_other_module_reads_a_private_name_of_datasette_or_its_version() -> None:
    private = re.compile(
        r"_internal_database|_all_(file_)?connections|\._filters\b|datasette\.views\.(database|table|row)|"
        r"\bds\._|\.executor\b"
    )
    found = {
        p.relative_to(SITE).as_posix(): hits
        for p in SITE.rglob("*.py")
        if p.name != "compat.py" and (hits := private.findall(p.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_an_answer_has_one_etag_whatever_datasette_sends() -> None:
    """1.0 sends one for its static files; 0.65 sends none."""
    ready = finalize(Answer(200, [(b"ETag", b'"theirs"')], b"body"), "no-store", secure=False)
    assert [v for k, v in ready.headers if k == b"etag"] == [ready.etag] != [b'"theirs"']
