"""Pages: our templates filled in a language, with what every page of a release needs.

Belongs here: Jinja, and the words that every template finds. Not here: what a page is about (pages/), what things are called
(words.py). Datasette fills its templates asynchronously and asks every plugin for more each time, which took most of the time
that a page needed; ours await nothing. Datasette still looks up which template it would fill, and finds the names of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasette.utils import path_with_format
from jinja2 import DictLoader, Environment, FileSystemLoader
from jinja2.bccache import Bucket, BytecodeCache
from markupsafe import Markup

from publish.catalog import schema_org
from publish.schema import PLATFORM
from publish.site import charts, guard, language, structured, words
from publish.site.facts import DB, Facts, Label
from publish.site.questions import questions

TEMPLATES = Path(__file__).parent / "templates"
NAMES = DictLoader({p.name: "" for p in TEMPLATES.glob("*.html")})  # for Datasette to look up


class Compiled(BytecodeCache):
    """Templates compiled once for both languages: what a phrase says is looked up when a page is filled, so the code is one."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def _environment(spoken: language.Language) -> Environment:
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False, bytecode_cache=COMPILED)
    words.add_to(env, spoken)
    return env


def compile_all() -> None:
    """Compiles every template, so that no reader waits for it, nor a process that is forked from this one."""
    env = _environment("zh")
    for name in NAMES.mapping:
        env.get_template(name)


class Filler:
    """Fills templates for one release in one language; `urls` makes addresses below that release's own."""

    def __init__(self, facts: Facts, spoken: language.Language, base_url: str, urls: Any):
        self.facts, self.language, self.base_url = facts, spoken, base_url
        self.env = _environment(spoken)
        self._kept: dict[tuple[str, str], Markup] = {}
        self.env.globals |= {
            "kept": self.kept,
            "facts": facts,
            "DB": DB,
            "urls": urls,
            "lang": spoken,
            "other_language": "en" if spoken == "zh" else "zh",
            "line_name": partial(charts.line_name, spoken),
            "questions": questions,
            "codes_of": lambda t, c: words.codes_of(t, c) if t in PLATFORM else {},
            "explain_sql": lambda m: words.explain_sql(m, facts)[0 if spoken == "zh" else 1],
            "table_label": lambda t: facts.labels.get(t, Label(t, "")),
        }

    def fill(self, names: Sequence[str], context: dict[str, Any], request: Any, view: str | None) -> str:
        """The page of the first of these templates that there is. `view`: which of Datasette's own views wants it, if any."""
        return self.env.select_template(list(names)).render(context | self._of_request(context, request, view))

    def kept(self, name: str, nav: str = "") -> Markup:
        """A piece of pages that is the same on all of a release's, but for `nav`, the part of the site that a page is in."""
        if (name, nav) not in self._kept:
            self._kept[name, nav] = Markup(self.env.get_template(name).render(nav=nav))
        return self._kept[name, nav]

    def _of_request(self, context: dict[str, Any], request: Any, view: str | None) -> dict[str, Any]:
        table = context.get("table")
        address = language.in_language(request.path, "en" if self.language == "zh" else "zh")
        asked = f"?{request.query_string}" if request.query_string else ""
        out = {
            "request": request,
            "label": lambda column: self.facts.column(table, column) or Label(column, ""),
            "other_address": address + asked,
            "site": f"{request.scheme}://{request.host}/r/{self.facts.release_id}",
            "structured_data": Markup(schema_org.script(structured.block(self.facts, self.base_url, request, context))),
            "truncated": guard.was_cut(),
        }
        in_json = view in ("table", "row") or (view in ("database", "query") and request.args.get("sql"))
        # Datasette names one for every page of a database; without a query there is none.
        out["alternate_url_json"] = path_with_format(request=request, format="json") if in_json else None
        return out
