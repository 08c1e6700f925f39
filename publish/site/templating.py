"""Jinja set-up and page rendering: our templates in a language, with the variables that every page of a release needs.

Belongs here: environments, globals and filters of templates, per-request variables. Not here: contents of a page (pages/),
names of codes (vocabulary.py).

Datasette renders its templates asynchronously, which took most of the time of a page; ours await nothing. Its Jinja environment
finds the names of our templates and a template class that renders them here (the hook prepare_jinja2_environment,
docs/decisions/0006-datasette-hooks.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from datasette.utils import path_with_format
from jinja2 import DictLoader, Environment, FileSystemLoader, Template
from jinja2.bccache import Bucket, BytecodeCache
from markupsafe import Markup

from publish.catalog import schema_org
from publish.schema import PLATFORM
from publish.site import bilingual, messages, numbers, structured, totals, units, vocabulary
from publish.site.compared import compared, overrun
from publish.site.database import is_truncated
from publish.site.facts import DB, Facts, Label
from publish.site.language import CODES, HAN, Language, translations
from publish.site.pages.charting import figure
from publish.site.pages.topics import grouped
from publish.site.questions import offered, question_of
from publish.site.result import is_name, result_chart
from publish.site.sql_errors import explain_sql

TEMPLATES = Path(__file__).parent / "templates"
NAMES = DictLoader({p.name: "" for p in TEMPLATES.glob("*.html")})  # for Datasette to look up

# Functions of templates that take the language of the page first.
BY_LANGUAGE: tuple[Callable[..., Any], ...] = (
    *(bilingual.pick, bilingual.beside, bilingual.own_half, bilingual.by_sentence),
    *(numbers.compact, numbers.scale, numbers.numeral, numbers.month),
    *(units.unit, units.amount, units.amounts, units.scaled_unit, units.figure, units.figures, units.named_time),
    *(vocabulary.spell, vocabulary.spell_plain, vocabulary.yes, vocabulary.section, vocabulary.member),
    *(vocabulary.breakdown, vocabulary.allowed_values, result_chart, compared, overrun),
)
# Those that are the same in every language.
BY_VALUE: tuple[Callable[..., Any], ...] = (
    *(numbers.change, numbers.exact, numbers.percent, numbers.places, numbers.number),
    *(units.unfinished, bilingual.clauses),
    *(is_name, grouped),
)


class CompiledTemplates(BytecodeCache):
    """Byte code of the templates, shared by both languages: phrases are looked up when a page is rendered."""

    def __init__(self) -> None:
        self._bytecode: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._bytecode:
            bucket.bytecode_from_string(self._bytecode[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._bytecode[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()


@lru_cache
def gettext_in(spoken: Language) -> Callable[..., Markup]:
    """Return the gettext of templates for a language: phrase and its named values -> Markup.

    The phrases are those of the templates, a finite set, so each translation is cached.
    """
    translate = translations(spoken).gettext
    patterns: dict[str, Markup] = {}
    finished: dict[str, Markup] = {}

    def gettext(phrase: str, **values: Any) -> Markup:
        text = (patterns if values else finished).get(phrase)
        if text is None:
            text = Markup(translate(phrase))
            if values:
                patterns[phrase] = text
            else:
                text = finished[phrase] = text % {}
        return text % values if values else text

    return gettext


def _environment(spoken: Language) -> Environment:
    """Build the Jinja environment of a language."""
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False, bytecode_cache=COMPILED)
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_translations(translations(spoken), newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    at = 0 if spoken == "zh" else 1
    functions: dict[str, Any] = {f.__name__: partial(f, spoken) for f in BY_LANGUAGE}
    functions |= {f.__name__: f for f in BY_VALUE}
    # In place of Jinja's own gettext, which gives the same and takes four times as long.
    env.globals |= functions | {"_": gettext_in(spoken), "gettext": gettext_in(spoken)}
    env.globals |= {
        "said": lambda pair: pair[at],
        "BANNER": messages.BANNER[at],
        "colon": "：" if spoken == "zh" else ": ",
        "gap": "" if spoken == "zh" else " ",
    }
    env.filters |= {name: functions[name] for name in ("number", "compact", "unit", "yes", "own_half", "section")}
    env.filters |= {
        "exact": numbers.exact,
        "data": partial(bilingual.foreign, spoken),
        "quoted": partial(bilingual.quoted, spoken),
        "unbroken": lambda text: Markup('<span class="nb">{}</span>').format(text) if len(text) < 20 else text,
        "bare_link": bilingual.bare_link,
        "with_factors": bilingual.with_factors,
        "markup": Markup,
        "plain": lambda text: " ".join(Markup(text).striptags().split())[:300],
        "first_value": lambda values: next(iter(values.values())),
        "strip_lead": lambda text, lead: text.removeprefix(lead),
        "has_han": lambda text: bool(HAN.search(str(text or ""))),
    }
    return env


def compile_all() -> None:
    """Compile every template, so that no reader waits for it, nor a process forked from this one."""
    env = _environment("zh")
    for name in NAMES.mapping:
        env.get_template(name)


class Renderer:
    """Renders templates for one release in one language; `urls` builds addresses below the address of that release."""

    def __init__(self, facts: Facts, spoken: Language, base_url: str, urls: Any):
        self.facts, self.language, self.base_url = facts, spoken, base_url
        self.env = _environment(spoken)
        self._fragments: dict[tuple[str, str], Markup] = {}
        self.env.globals |= {
            "fragment": self.fragment,
            "facts": facts,
            "DB": DB,
            "urls": urls,
            "lang": spoken,
            "prefix": facts.order.prefix(spoken),
            "line_name": partial(totals.line_name, spoken),
            "questions": (own := offered(facts)),
            "question_of": lambda sql: question_of(sql, own),
            "chart_figure": figure,
            "codes_of": lambda t, c: vocabulary.codes_of(t, c) if t in PLATFORM else {},
            "explain_sql": lambda m, sql: explain_sql(m, facts, sql)[0 if spoken == "zh" else 1],
            "dimension_name": lambda of: vocabulary.dimension_name(spoken, of, facts),
            "table_label": lambda t: facts.labels.get(t, Label(t, "")),
        }

    def render(self, name: str, context: dict[str, Any], request: Any, view: str | None = None) -> str:
        """Render a template. `view`: which of Datasette's own views asks for it, if any."""
        return self.env.get_template(name).render(context | self._of_request(context, request, view))

    def template_class(self, adapt: Callable[[Mapping[str, Any]], dict[str, Any]]) -> type[Template]:
        """Return a class for Datasette's Jinja environment whose templates render through this renderer.

        `adapt` converts a context of Datasette's to the names that our templates use. Rendering is synchronous.
        """
        renderer = self

        class SiteTemplate(Template):
            async def render_async(self, *args: Any, **kwargs: Any) -> str:
                context = adapt(dict(*args, **kwargs))
                return renderer.render(str(self.name), context, context["request"], context.pop("view_name"))

        return SiteTemplate

    def fragment(self, name: str, nav: str = "") -> Markup:
        """Return a rendered template that depends on nothing but `nav`, the part of the site that a page is in; cached."""
        if (name, nav) not in self._fragments:
            self._fragments[name, nav] = Markup(self.env.get_template(name).render(nav=nav))
        return self._fragments[name, nav]

    def _of_request(self, context: dict[str, Any], request: Any, view: str | None) -> dict[str, Any]:
        table = context.get("table")
        order = self.facts.order
        address = order.in_language(request.path, "en" if self.language == "zh" else "zh")
        query = f"?{request.query_string}" if request.query_string else ""
        out = {
            "request": request,
            "label": lambda column: self.facts.column(table, column) or Label(column, ""),
            "other_address": address + query,
            "site": f"{request.scheme}://{request.host}/r/{self.facts.release_id}",
            "origin": f"{request.scheme}://{request.host}",
            "in_both": {CODES[s]: order.in_language(request.path, s) + query for s in order.both},
            "structured_data": Markup(schema_org.script(structured.block(self.facts, self.base_url, request, context))),
            "truncated": is_truncated(),
        }
        in_json = view in ("table", "row") or (view in ("database", "query") and request.args.get("sql"))
        # Datasette gives one for every page of a database; without a query there is none.
        out["alternate_url_json"] = path_with_format(request=request, format="json") if in_json else None
        return out
