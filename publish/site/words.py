"""Words and figures as people read them: codes spelled out, numbers, units, errors of SQL explained, in both languages.

Belongs here: every text that stands in Python, in English; the Chinese stands in the catalogue (language.py). Texts of
pages stand in templates/. Not here: names of columns (they come from the release and its schema).
"""

from __future__ import annotations

import calendar
import math
import re
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from publish.site.facts import Label
from publish.site.language import HAN, Language, Pair, pair, translations

BANNER: Pair = pair(
    "Made-up data: the figures come from invented institutions; they show how the computing works and prove nothing about any real city."
)
NOT_FOUND: Pair = pair("There is no such page; start from the home page.")
FORBIDDEN: Pair = pair("This is not open to the public.")
TOO_SLOW: Pair = pair(
    "The query took too long and was stopped; join fewer tables, add a condition, or use the table of indicators."
)
TOO_LARGE: Pair = pair(
    "The query needs too much memory or its answer is too large; ask for fewer columns or rows, or download the file."
)
BUSY: Pair = pair("Too many queries are running; try again in a few seconds. Other pages are not affected.")
NO_RELEASE: Pair = pair("There is no such release, or it is no longer kept.")
TOO_LONG: Pair = pair("The address is too long; write a shorter query.")
METHOD: Pair = pair("This site is for reading only; use GET.")
BAD_REQUEST: Pair = pair("One of the arguments in the address cannot be used; check its spelling.")
INTERNAL: Pair = pair("Something went wrong on our side and was written down; please try again later.")

CODES: dict[str, dict[str, Pair]] = {
    "check_status": {
        "match": pair("Match"),
        "within_qualifier": pair("Within its qualifier"),
        "mismatch": pair("Differs"),
        "not_verifiable": pair("Cannot be verified"),
        "no_data": pair("No data yet"),
    },
    "evidence": {
        "records": pair("Departments' records"),
        "synthetic": pair("Made-up data"),
        "arithmetic": pair("Arithmetic between printed figures"),
        "public_source": pair("Public source"),
    },
    "status": {
        "A": pair("Normal"),
        "E": pair("Estimated"),
        "F": pair("Forecast"),
        "M": pair("Missing"),
        "S": pair("Suppressed"),
    },
    "kind": {
        "stock": pair("Stock"),
        "flow": pair("Flow"),
        "ratio": pair("Ratio"),
        "index": pair("Index"),
        "count": pair("Count"),
    },
    "better": {
        "up": pair("Higher is better"),
        "down": pair("Lower is better"),
        "none": pair("Neither"),
    },
    "theme": {
        "基础": pair("Base figures"),
        "节约": pair("Savings"),
        "资产": pair("Assets"),
        "能源": pair("Energy and water"),
        "车辆": pair("Vehicles and parking"),
        "办公用房": pair("Office space"),
        "服务与改革": pair("Service and reform"),
    },
    "opening": {
        "open": pair("Open in rows"),
        "aggregate": pair("Open in sums only"),
        "closed": pair("Closed"),
    },
    "qualifier": {
        "exact": pair("exactly"),
        "approx": pair("about"),
        "over": pair("more than"),
        "near_below": pair("nearly"),
        "at_least": pair("at least"),
        "planned": pair("planned"),
        "none": pair("as printed"),
    },
    "issue_status": {"open": pair("Not yet put right"), "closed": pair("Put right")},
    "severity": {"error": pair("Error"), "warning": pair("Warning")},
    "submission": {
        "accepted": pair("Taken whole"),
        "partial": pair("Taken in part"),
        "rejected": pair("Not taken"),
        "superseded": pair("Replaced by a newer one"),
    },
    "task": {
        "交办": pair("Assigned"),
        "反馈": pair("Answered"),
        "督办": pair("Supervised: overdue"),
        "销号": pair("Closed"),
    },
    "code": {
        "missing_required": pair("A required cell is empty"),
        "bad_type": pair("A cell cannot be read as its type"),
        "not_in_list": pair("A value is not in its list"),
        "out_of_range": pair("A value is outside its range"),
        "bad_check_digit": pair("A wrong check character"),
        "unknown_institution": pair("An institution nobody knows"),
        "date_order": pair("Dates contradict each other"),
        "inconsistent": pair("Figures contradict each other"),
        "duplicate_key": pair("The same key twice"),
        "classified_refused": pair("A classified institution, refused"),
        "doubtful": pair("Doubtful but possible"),
        "unmapped_column": pair("A column nobody knows"),
        "missing_column": pair("A required column is missing"),
        "unknown_dataset": pair("No dataset fits"),
        "ambiguous_dataset": pair("Two datasets fit"),
        "unreadable": pair("The file cannot be read"),
        "encrypted": pair("The file is encrypted"),
        "too_large": pair("The file is too large"),
        "unsafe": pair("The file is harmful"),
        "empty": pair("The file is empty"),
        "total_mismatch": pair("A total differs from its rows"),
    },
    "access": {
        "L0": pair("Open"),
        "L1": pair("Open in sums only"),
        "L2": pair("Kept inside"),
        "L3": pair("Never kept"),
    },
    "attribute": {
        "无条件开放": pair("Open without conditions"),
        "有条件开放": pair("Open under conditions"),
        "不予开放": pair("Not opened"),
    },
    "type": {
        "string": pair("Text"),
        "enum": pair("One of a list"),
        "boolean": pair("Yes or no"),
        "integer": pair("Whole number"),
        "decimal": pair("Number"),
        "year": pair("Year"),
        "month": pair("Month"),
        "date": pair("Date"),
    },
    "member": {
        "党政机关": pair("Party and government organs"),
        "教育": pair("Education"),
        "卫生": pair("Health"),
        "科技": pair("Science and technology"),
        "文化": pair("Culture"),
        "体育": pair("Sport"),
        "其他事业": pair("Other public institutions"),
        "团体": pair("Associations"),
        "市": pair("City"),
        "县": pair("County"),
        "乡": pair("Township"),
        "土地": pair("Land"),
        "房屋": pair("Buildings"),
    },
    "dimension": {
        "total": pair("Total"),
        "district": pair("District"),
        "org_type": pair("Kind of institution"),
        "level": pair("Level"),
        "carrier": pair("Energy carrier"),
        "method": pair("Method"),
        "area_kind": pair("Kind of area"),
        "factor_set": pair("Factor set"),
    },
    "carrier": {
        "electricity": pair("Electricity"),
        "natural_gas": pair("Natural gas"),
        "gasoline": pair("Petrol"),
        "diesel": pair("Diesel"),
        "lpg": pair("LPG"),
        "coal": pair("Coal"),
        "heat": pair("Heat"),
        "other_energy": pair("Other"),
        "water": pair("Water"),
        "pv": pair("Solar power"),
    },
    "found": {
        "indicator": pair("Indicator"),
        "claim": pair("Statement"),
        "dataset": pair("Dataset"),
        "column": pair("Column"),
        "record": pair("Record"),
    },
    "confidence": {
        "high": pair("High"),
        "medium": pair("Medium"),
        "low": pair("Low"),
        "computed": pair("Computed here"),
    },
    "frequency": {
        "annual": pair("Yearly"),
        "monthly": pair("Monthly"),
        "quarterly": pair("Quarterly"),
        "event": pair("When it happens"),
    },
}

SQL_ERRORS: tuple[tuple[re.Pattern[str], Pair], ...] = tuple(
    (re.compile(pattern, re.I), pair)
    for pattern, pair in (
        (
            r"no such table: (.+)",
            pair("There is no table named {0}; the page Data lists them."),
        ),
        (
            r"no such column: (.+)",
            pair("There is no column named {0}; see the columns of that table."),
        ),
        (
            r"Cannot sort table by (.+)",
            pair("Cannot sort by {0}: there is no such column."),
        ),
        (r"near \"(.+)\": syntax error", pair("There is a syntax error near “{0}”.")),
        (r"incomplete input", pair("The statement is not finished.")),
        (r"no such function: (.+)", pair("There is no function {0}.")),
        (
            r"not authorized to use function: (.+)",
            pair("The function {0} is not open to the public."),
        ),
        (
            r"not authorized|prohibited",
            pair("This is not open to the public: only SELECT on the public tables is."),
        ),
        (
            r"Statement must be a SELECT|disallowed PRAGMA",
            pair("Only SELECT statements can be run."),
        ),
        (r"only execute one statement", pair("Only one statement can be run at a time.")),
        (r"too large|too big|out of memory", TOO_LARGE),
        (r"interrupted", TOO_SLOW),
        (
            r"_facet= is not allowed",
            pair("Facets are off; use GROUP BY in SQL."),
        ),
        (
            r"CSV streaming is disabled",
            pair("A CSV has at most 1,000 rows; download the file for a whole table."),
        ),
    )
)


def explain_sql(message: str) -> Pair:
    """What SQLite or Datasette complained of, as a sentence in each language; an unknown complaint is quoted."""
    text = re.sub(r"<[^>]+>", " ", message)[:300]
    for pattern, (zh, en) in SQL_ERRORS:
        if found := pattern.search(text):
            groups = [g.strip() for g in found.groups()]
            return zh.format(*groups), en.format(*groups)
    zh, en = pair("The query cannot run: {0}")
    return zh.format(text), en.format(text)


# Units as the release has them, and what one of each is called in English. Those that are symbols stand for themselves.
UNITS = {
    "元": "yuan", "人": "person", "人次": "attendances", "个": "count", "家": "institutions", "处": "places", "宗": "sales",
    "项": "items", "份": "contracts", "次": "times", "起": "cases", "件": "items", "件/台/套": "items", "件/套/台": "items",
    "套": "sets", "台": "sets", "栋": "buildings", "户": "households", "辆": "vehicles", "辆月": "vehicle-month", "场": "sessions",
    "类": "kinds", "期": "phases", "分": "points", "天": "days", "周": "week", "月": "month", "年": "year", "年月": "year and month",
    "公里": "km", "小时": "h", "行": "rows", "字": "characters",
}  # fmt: skip
SIZES = {"万": "10,000 ", "亿": "100 million "}
NUMERALS = str.maketrans("一二三四五六七八九", "123456789")


def unit(language: Language, text: str | None) -> str:
    """A unit in a language; one that has no English stays as it is."""
    if not text or language == "zh":
        return text or ""
    if text in UNITS:
        return UNITS[text]
    parts = []
    for part in text.split("/"):
        size = SIZES.get(part[:1], "") if len(part) > 1 else ""
        rest = part[1:] if size else part
        parts.append(size + UNITS.get(rest, rest))
    return "/".join(parts)


def amount(language: Language, figure: str, of: str | None) -> str:
    """A figure with its unit: Chinese units stand close to it, a mere count takes none in English."""
    said = unit(language, of)
    if not said or (language == "en" and of == "个"):
        return figure
    return f"{figure}{said}" if HAN.match(said) or said == "%" else f"{figure}\u00a0{said}"


def foreign(language: Language, text: Any) -> Any:
    """A text of the data, marked with its language where that is not the page's."""
    if text is None:
        return ""
    shown = str(text)
    chinese = bool(HAN.search(shown))
    if language == "en" and chinese:
        return Markup('<span lang="zh-CN">{}</span>').format(text)
    if language == "zh" and not chinese and re.search(r"[A-Za-z]{3,}", shown):
        return Markup('<span lang="en">{}</span>').format(text)
    return text


def pick(language: Language, zh: str | None, en: str | None) -> Any:
    """The one of two texts of the data that is in the page's language, else the other, marked."""
    first, second = (zh, en) if language == "zh" else (en, zh)
    return foreign(language, first or second or "")


def beside(language: Language, zh: str | None, en: str | None) -> Markup:
    """A name in the page's language with the other beside it, marked with its language."""
    first, second = (zh, en) if language == "zh" else (en, zh)
    if not first or not second or first == second:
        return Markup("{}").format(foreign(language, first or second or ""))
    other = "en" if language == "zh" else "zh-CN"
    return Markup('{} <span class="beside" lang="{}">{}</span>').format(first, other, second)


def spell(language: Language, kind: str, code: Any) -> Any:
    """What a code means; a code nobody knows stands for itself."""
    text = "" if code is None else str(code)
    known = CODES.get(kind, {}).get(text)
    return foreign(language, text) if known is None else known[0 if language == "zh" else 1]


def spell_plain(language: Language, kind: str, code: Any) -> str:
    """The same without markup, for attributes and charts."""
    text = "" if code is None else str(code)
    return CODES.get(kind, {}).get(text, (text, text))[0 if language == "zh" else 1]


def section(language: Language, text: str | None) -> str:
    """A section's number as the report prints it, 三(二), or in figures, 3(2)."""
    return text or "" if language == "zh" else (text or "").translate(NUMERALS)


def yes(language: Language, value: Any) -> str:
    """A boolean of the data as a word; empty where it is not known."""
    if value is None or value == "":
        return ""
    return (pair("Yes") if str(value) in ("1", "True", "true") else pair("No"))[0 if language == "zh" else 1]


def column_title(label: Label, language: Language = "zh") -> str:
    """A column as people call it, with its unit and what it means."""
    name = label.zh if language == "zh" else label.en or label.zh
    size = unit(language, label.unit)
    name += (f"（{size}）" if language == "zh" else f" ({size})") if size else ""
    colon = "：" if language == "zh" else ": "
    return name + (f"{colon}{label.description}" if label.description else "")


def number(value: Any, decimals: int | None = None) -> str:
    """A figure for reading, thousands marked: with the decimals stated, else with at most four digits."""
    if value is None or value == "":
        return ""
    v = float(value)
    if not math.isfinite(v):
        return str(value)
    if decimals is not None:
        text = f"{v:,.{decimals}f}"
    else:
        places = 0 if v == int(v) or abs(v) >= 1000 else max(0, 3 - math.floor(math.log10(abs(v))))
        text = f"{v:,.{places}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


LARGE: dict[Language, tuple[tuple[float, str, float], ...]] = {
    "zh": ((1e8, "亿", 1e8), (1e4, "万", 1e5)),
    "en": ((1e9, "\u00a0billion", 1e9), (1e6, "\u00a0million", 1e6)),
}


def compact(language: Language, value: float) -> str:
    """A figure in few digits, in 万 and 亿 or in millions where it is large."""
    for size, name, least in LARGE[language]:
        if abs(value) >= least:
            return number(value / size) + name
    return number(value)


def figure(language: Language, value: Any, status: Any, decimals: int | None = None) -> str:
    """A value of an indicator, or why there is none."""
    if value is not None:
        return number(value, decimals)
    said = {"S": pair("suppressed"), "M": pair("missing")}.get(str(status), ("—", "—"))
    return said[0 if language == "zh" else 1]


def change(first: Any, last: Any) -> str:
    """The change from one figure to another in per cent, signed; empty where there is none to give."""
    if first in (None, 0) or last is None:
        return ""
    percent = (float(last) - float(first)) / abs(float(first)) * 100
    return f"{percent:+.1f}%".replace("-", "−")


def bare_link(link: Markup, text: str) -> Markup:
    """Datasette's link to a row with a word in place of the key, which may be a line of its own."""
    return Markup(re.sub(r">[^<]*</a>", lambda _: f">{escape(text)}</a>", str(link)))


def own_half(language: Language, text: str) -> Any:
    """The half of a text of the data, Chinese first and English after it, that is in the page's language."""
    ends = [m.end() for m in re.finditer(r"[\u3400-\u9fff。；：，）”]", text)]
    zh, en = (text[: ends[-1]], text[ends[-1] :].strip(" /")) if ends else ("", text)
    return pick(language, zh, en) if zh and en else foreign(language, text)


def month(language: Language, n: int) -> str:
    """The name of a month, short."""
    return f"{n}月" if language == "zh" else calendar.month_abbr[n]


def add_to(env: Any, language: Language) -> None:
    """Makes these words available to the templates of a language."""
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_translations(translations(language), newstyle=True)
    env.policies["ext.i18n.trimmed"] = True
    at = 0 if language == "zh" else 1
    spoken = (unit, amount, pick, beside, spell, spell_plain, compact, figure, yes, section, month, own_half)
    of: dict[str, Any] = {f.__name__: partial(f, language) for f in spoken}
    env.globals.update(of, change=change, number=number, said=lambda p: p[at], explain_sql=lambda m: explain_sql(m)[at])
    env.globals |= {
        "BANNER": BANNER[at],
        "colon": "：" if language == "zh" else ": ",
        "gap": "" if language == "zh" else " ",
    }
    env.filters.update(
        number=number, compact=of["compact"], unit=of["unit"], data=partial(foreign, language), yes=of["yes"],
        bare_link=bare_link, own_half=of["own_half"], markup=Markup, strip_lead=lambda t, lead: t.removeprefix(lead), section=of["section"], has_han=lambda t: bool(HAN.search(str(t or ""))),
    )  # fmt: skip
