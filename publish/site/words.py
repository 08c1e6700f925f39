"""Words and figures as people read them: codes spelled out, numbers, units, errors of SQL explained, in both languages.

Belongs here: every text that stands in Python, in English; the Chinese stands in the catalogue (language.py). Texts of
pages stand in templates/. Not here: names of columns (they come from the release and its schema).
"""

from __future__ import annotations

import calendar
import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from markupsafe import Markup, escape

from pipelines.core.issue_codes import ISSUE_CODES
from publish.site.facts import Facts, Label
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
        "holds_in_part": pair("The figure matches, with a reservation"),
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
        "O": pair("Missing"),
        "P": pair("Provisional"),
        "Q": pair("Suppressed"),
    },
    "wording": {
        "fits": pair("The wording fits"),
        "does_not_fit": pair("The wording does not fit"),
        "incomplete": pair("The wording is incomplete"),
        "no_word": pair("Nothing to judge"),
        "not_judged": pair("Not judged"),
    },
    "revised": {
        "replaced": pair("Corrected"),
        "withdrawn": pair("Withdrawn"),
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
        "销号": pair("Put right and closed"),
    },
    "code": {name: (code.zh, code.en) for name, code in ISSUE_CODES.items()},
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
    "dimension": {
        "total": pair("Total"),
        "area_basis": pair("Basis of the area"),
        "area_kind": pair("Kind of area"),
        "asset_kind": pair("Kind of asset"),
        "award_method": pair("How it was let"),
        "batch": pair("Batch"),
        "canteen_level": pair("Level of the canteen"),
        "carrier": pair("Energy carrier"),
        "category": pair("Category"),
        "compound": pair("Compound"),
        "contract_status": pair("Status of the contract"),
        "contract_type": pair("Kind of contract"),
        "district": pair("District"),
        "event_type": pair("Kind of event"),
        "factor_set": pair("Factor set"),
        "inspection_type": pair("Kind of inspection"),
        "level": pair("Level"),
        "meeting_type": pair("Kind of meeting"),
        "method": pair("Method"),
        "office_change": pair("Kind of change"),
        "org_type": pair("Kind of institution"),
        "part": pair("Part of the saving"),
        "base": pair("Against a base year"),
        "period": pair("Years together"),
        "power": pair("Kind of power"),
        "project": pair("Project"),
        "purpose": pair("Purpose"),
        "rank": pair("Rank"),
        "recognition": pair("Kind of recognition"),
        "revenue_kind": pair("Kind of revenue"),
        "rule": pair("Rule for replacing"),
        "service": pair("Kind of service"),
        "service_area": pair("Field of service"),
        "site_status": pair("Status of the site"),
        "sweep": pair("Sweep"),
        "system": pair("System of rules"),
        "task_area": pair("Field of the task"),
        "task_status": pair("State of the task"),
        "tenant_type": pair("Kind of tenant"),
        "tier": pair("Tier of the rules"),
        "topic": pair("Subject"),
        "unit": pair("Counted in"),
        "use_class": pair("Use of the vehicle"),
        "use_status": pair("State of use"),
    },
    "nature": {
        "realised": pair("Has happened"),
        "yearly": pair("Recurs every year"),
        "once": pair("Once only"),
        "forecast": pair("Forecast"),
        "lower_bound": pair("At the least"),
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
        "assumed": pair("Assumed"),
    },
    "frequency": {
        "annual": pair("Yearly"),
        "monthly": pair("Monthly"),
        "quarterly": pair("Quarterly"),
        "event": pair("When it happens"),
    },
}

# What members of breakdowns are called in English; in Chinese they are called as the records call them.
MEMBERS = {
    "党政机关": "Party and government organs", "教育": "Education", "卫生": "Health", "科技": "Science and technology", "文化": "Culture",
    "体育": "Sport", "其他事业": "Other public institutions", "团体": "Associations", "市": "City", "县": "County", "乡": "Township",
    "土地": "Land", "房屋": "Buildings", "建筑面积": "Floor area", "公开竞价": "Public bidding", "协议": "By agreement",
    "委托经营": "Entrusted operation", "保险": "Insurance", "其他": "Other", "办公家具": "Office furniture", "办公设备": "Office equipment",
    "加油": "Fuel", "家具和用具": "Furniture and utensils", "未分类": "Not classified", "物业": "Property services", "空调": "Air conditioning",
    "维修保养": "Repair and maintenance", "设备": "Equipment", "充电": "Charging", "到期": "Ended", "实施": "Running", "洽谈": "In negotiation",
    "能源费用托管": "Energy costs entrusted", "节能效益分享": "Savings shared", "节能量保证": "Savings guaranteed", "专班": "Task force",
    "临时机构": "Temporary body", "大型活动": "Large event", "审计": "Audit", "巡视": "Inspection tour", "单位配置": "For an institution",
    "专项检查": "Special inspection", "回头看": "Follow-up", "实地督查": "On the spot", "局务会": "Bureau meeting", "碰头会": "Leaders' meeting",
    "公开招标": "Open tender", "划转": "Transfer", "报废": "Scrapped", "拍卖": "Auction", "摘牌出售": "Listed sale", "框架协议": "Framework agreement",
    "竞争性磋商": "Competitive consultation", "询价": "Request for quotation", "封存": "Sealed", "搬迁": "Moved", "整改": "Corrected",
    "腾退": "Vacated", "调整": "Reassigned", "招标降价": "Lower bids", "核减上限": "Cap cut", "插混": "Plug-in hybrid", "燃油": "Petrol or diesel",
    "纯电": "Electric", "副局(处)级": "Deputy bureau (division) head", "局(处)级以下": "Below bureau (division) head",
    "市级副职": "Deputy city leader", "正局(处)级": "Bureau (division) head", "优秀案例": "Model case",
    "省级生活垃圾分类示范单位": "Provincial model of sorting waste", "能效领跑者": "Leader in energy efficiency",
    "节约型公共机构示范单位": "Model of thrift", "节约型机关": "Conservation-minded organ", "收益分成": "Share of earnings", "租金": "Rent",
    "经营权转让": "Operating right sold", "会议": "Meetings", "园林": "Gardens", "安保": "Security", "餐饮": "Catering", "在建": "Being built",
    "已并网": "On the grid", "扫楼清仓": "Sweep of buildings", "办公用房": "Office space", "服务": "Service", "节能": "Saving energy", "资产": "Assets",
    "车辆": "Vehicles", "交办": "Assigned", "反馈": "Answered", "督办": "Supervised", "销号": "Closed", "个人": "Person",
    "个体": "Sole trader", "企业": "Company", "单位": "Institution", "公务接待": "Official receptions", "公务用车": "Official vehicles",
    "应急保障": "Emergency", "执法执勤": "Law enforcement", "机要通信": "Confidential post", "特种专业技术": "Special technical",
    "出借": "Lent", "出租": "Let", "自用": "Own use", "闲置": "Idle", "三个条件（按单位）": "All three rules, by institution",
    "三个条件（按全市）": "All three rules, by city", "三个条件或例外（按全市）": "All three rules or an exception, by city",
    "例外无理由": "Exception without a reason", "例外有理由": "Exception with a reason", "满8年": "Eight years old",
    "满8年或例外": "Eight years old, or an exception", "里程不限": "Any mileage", "里程不限或例外": "Any mileage, or an exception",
    "单位数量不限": "Any number of an institution", "全市数量不限": "Any number of the city",
    "件": "items", "台": "sets", "套": "suites", "张": "pieces", "把": "chairs", "辆": "vehicles",
}  # fmt: skip
UNKNOWN: Pair = pair("Not known")

# Members that are called after a city's own limits (its limits.csv, by way of int_vehicle_facts).
LIMITS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"超([\d.]+)万公里(或例外)?"),
        lambda m: f"Over {number(float(m[1]) * 10_000)} km" + (", or an exception" if m[2] else ""),
    ),
    (
        re.compile(r"(全市|单位)不超([\d.]+)%"),
        lambda m: f"At most {m[2]} % of the {'city' if m[1] == '全市' else 'institution'}'s",
    ),
)

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
            r"no such _shape",
            pair("_shape must be array, objects, arrays, arrayfirst, or, for a table with a key, object."),
        ),
        (
            r"CSV streaming is disabled",
            pair("A CSV has at most 1,000 rows; download the file for a whole table."),
        ),
    )
)


def explain_sql(message: str, facts: Facts | None = None) -> Pair:
    """What SQLite or Datasette complained of, as a sentence in each language, with the nearest right word where a release is
    given and the complaint is of a table or column; an unknown complaint is quoted."""
    text = re.sub(r"<[^>]+>", " ", message)[:300]
    for pattern, (zh, en) in SQL_ERRORS:
        if found := pattern.search(text):
            groups = [g.strip() for g in found.groups()]
            zh, en = zh.format(*groups), en.format(*groups)
            near = _meant(text, facts) if facts else None
            return (zh + f"是不是 {near}？", f"{en} Did you mean {near}?") if near else (zh, en)
    zh, en = pair("The query cannot run: {0}")
    return zh.format(text), en.format(text)


def _meant(complaint: str, facts: Facts) -> str | None:
    """The table or column whose name is nearest to the one that a query has wrong."""
    found = re.search(r"no such (table|column): (?:\w+\.)?(\w+)", complaint)
    if found is None:
        return None
    columns = (c for t, of in facts.columns.items() if t in facts.tables for c in of)
    near = difflib.get_close_matches(found[2], facts.tables if found[1] == "table" else set(columns), 1, 0.6)
    return near[0] if near else None


def sql_error(message: str, facts: Facts | None = None) -> dict[str, Any]:
    """The same as an error in JSON."""
    zh, en = explain_sql(message, facts)
    return {"ok": False, "status": 400, "code": "bad_sql", "error": en, "error_zh": zh, "detail": message}


# Units as the release has them, and what one of each is called. Whoever reads Chinese is not asked to know symbols either.
UNITS = {
    "元": "yuan", "人": "person", "人次": "attendances", "个": "count", "家": "institutions", "组": "sets", "处": "places", "宗": "sales",
    "项": "items", "份": "contracts", "次": "times", "起": "cases", "件": "items", "件/台/套": "items", "件/套/台": "items",
    "套": "sets", "台": "sets", "栋": "buildings", "户": "households", "辆": "vehicles", "辆月": "vehicle-month", "场": "sessions",
    "类": "kinds", "期": "phases", "分": "points", "天": "days", "周": "week", "月": "month", "年": "year", "年月": "year and month",
    "百分点": "percentage points", "公里": "km", "小时": "h", "行": "rows", "字": "characters", "kgce": "kg coal equivalent", "tce": "t coal equivalent", "㎡": "m²",
    "kgCO2": "kg CO₂", "tCO2": "t CO₂",
}  # fmt: skip
SYMBOLS = {
    "kgce": "千克标准煤", "tce": "吨标准煤", "kWh": "千瓦时", "kW": "千瓦", "MW": "兆瓦", "MJ": "兆焦", "GJ": "吉焦", "kg": "千克", "t": "吨",
    "kgCO2": "千克二氧化碳", "tCO2": "吨二氧化碳", "km": "公里", "h": "小时", "min": "分钟", "m³": "立方米", "㎡": "平方米", "m": "米", "L": "升",
}  # fmt: skip
SIZES = {"万": "10,000 ", "亿": "100 million "}
NUMERALS = str.maketrans("一二三四五六七八九", "123456789")


def unit(language: Language, text: str | None) -> str:
    """A unit spelled out in a language; a symbol that nobody spells out stays as it is."""
    if not text:
        return ""
    if language == "zh" and text == "月":
        return "个月"  # so many of them; in 次/月 it is one
    known = SYMBOLS if language == "zh" else UNITS
    if text in known:
        return known[text]
    parts = []
    for part in text.split("/"):
        size = part[:1] if part[:1] in SIZES and len(part) > 1 else ""
        rest = part[len(size) :]
        parts.append((size if language == "zh" else SIZES.get(size, "")) + known.get(rest, rest))
    return ("/" if language == "zh" else " per ").join(parts)


def amount(language: Language, figure: str, of: str | None) -> str:
    """A figure with its unit: Chinese units stand close to it, a mere count takes none in English, nor does the name of a year."""
    if date := named_time(language, figure, of):
        return date
    said = unit(language, of)
    if not said or (language == "en" and of == "个"):
        return figure
    return f"{figure}{said}" if HAN.match(said) or said == "%" else f"{figure}\u00a0{said}"


def named_time(language: Language, figure: Any, of: str | None) -> str | None:
    """A figure that names a year or a month, as people say it: 2023年, 2025年2月, February 2025. None where it counts something,
    as so many years do."""
    digits = str(figure).removesuffix(".0").replace(",", "")
    if of == "年" and re.fullmatch(r"[12]\d{3}", digits):
        return digits + ("年" if language == "zh" else "")
    if of == "年月" and re.fullmatch(r"[12]\d{3}(0[1-9]|1[0-2])", digits):
        year, month_of = int(digits[:4]), int(digits[4:])
        return f"{year}年{month_of}月" if language == "zh" else f"{calendar.month_name[month_of]} {year}"
    return None


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


# What each set of factors is, with the code that a query names.
FACTOR_SETS = {
    "default": Label(*pair("Standard, equivalent value (default)")),
    "national": Label(*pair("National, generation value (national)")),
    "newest": Label(*pair("Newest national for every year (newest)")),
    "article": Label(*pair("As the statements imply (article)")),
}


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


SCALES: dict[Language, tuple[tuple[float, str, float], ...]] = {
    "zh": ((1e8, "亿", 1e9), (1e4, "万", 1e5)),
    "en": ((1e9, "billion", 1e9), (1e6, "million", 1e6)),
}


def scale(language: Language, values: Iterable[float | None]) -> tuple[float, str]:
    """In what several figures are best said together: (10000, 万) or (1000000, million); (1, "") where they are small."""
    most = max((abs(v) for v in values if v is not None), default=0)
    return next(((size, name) for size, name, least in SCALES[language] if most >= least), (1.0, ""))


def scaled_unit(language: Language, name: str, of: str | None) -> str:
    """The unit of figures that were divided by a scale: 万元, million yuan."""
    said = unit(language, of)
    return f"{name}{said}" if language == "zh" else " ".join(p for p in (name, said) if p)


def places(values: Iterable[float | None], decimals: int | None = None, of: str | None = None) -> int:
    """How many decimals show several figures alike: four digits of the largest and two of the smallest, never more than they
    were published with (`decimals`), of a share in per cent at most two."""
    sizes = [abs(v) for v in values if v]
    if not sizes or all(v == int(v) for v in sizes):
        return 0
    wanted = max(3 - math.floor(math.log10(max(sizes))), 1 - math.floor(math.log10(min(sizes))), 0)
    return min(wanted, 4 if decimals is None else decimals, 2 if of == "%" else 4)


def figure(language: Language, value: Any, status: Any, decimals: int | None = None, of: str | None = None) -> str:
    """A value of an indicator, or why there is none; one whose unit (`of`) makes it a date, as a date."""
    if value is not None:
        return named_time(language, value, of) or number(value, decimals)
    said = {"Q": pair("suppressed"), "O": pair("missing")}.get(str(status), ("—", "—"))
    return said[0 if language == "zh" else 1]


def figures(
    language: Language,
    row: Mapping[Any, Mapping[str, Any]],
    columns: Iterable[Any],
    decimals: int | None = None,
    of: str | None = None,
) -> list[tuple[Any, str, bool]]:
    """A row of a breakdown: for each column its name, its figure ('' where there is none), and whether it is suppressed."""
    found = ((c, row.get(c)) for c in columns)
    return [
        (c, figure(language, v["value"], v["status"], decimals, of), v["status"] == "Q") if v else (c, "", False)
        for c, v in found
    ]


def amounts(language: Language, values: list[float], of: str | None, decimals: int | None = None) -> list[str]:
    """Several figures of one kind with their unit, written alike: 9,638万元 and 5,249万元; 41.0 million yuan."""
    dates = [named_time(language, v, of) for v in values]
    if values and all(dates):
        return [d for d in dates if d]
    size, name = scale(language, values)
    shown = places([v / size for v in values], 2 if size > 1 else decimals, of)
    said = [number(v / size, shown) for v in values]
    if not name:
        return [amount(language, s, of) for s in said]
    if language == "zh":
        return [f"{s}{name}{unit(language, of)}" for s in said]
    return [f"{s}\u00a0{name} {unit(language, of)}" if of != "个" else f"{s}\u00a0{name}" for s in said]


def percent(first: Any, last: Any) -> str:
    """By how many per cent two figures differ, without a sign; empty where there is none to give."""
    return change(first, last).lstrip("+−")


def unfinished(as_of: str, year: int | str) -> bool:
    """Whether a year was not over on the day of which a release speaks (YYYY-MM-DD): its sums still grow."""
    return as_of < f"{year}-12-31"


def member(language: Language, code: str, names: Mapping[str, Label] | None = None) -> Any:
    """What a member of a breakdown is called: a district by `names`, else by the list above, else as it stands, marked."""
    if names and code in names:
        return pick(language, names[code].zh, names[code].en)
    if code in ("", "all"):
        return pair("Total")[0 if language == "zh" else 1]
    if code in CODES["carrier"]:
        return spell(language, "carrier", code)
    if code == "unknown":
        return UNKNOWN[0 if language == "zh" else 1]
    if language == "en":
        for pattern, said in LIMITS:
            if found := pattern.fullmatch(code):
                return said(found)
    if "/" in code:  # of a cross: level and what it is crossed with
        return Markup(" · ").join(member(language, part, names) for part in code.split("/"))
    return foreign(language, code) if language == "zh" or code not in MEMBERS else MEMBERS[code]


def codes_of(table: str, column: str) -> dict[str, Pair]:
    """The codes that a column of the platform's own tables may have, with their names; empty where it has no list of its own."""
    if column == "status":
        return CODES[{"submissions": "submission", "data_issues": "issue_status"}.get(table, "status")]
    if column in ("check_status", "evidence", "qualifier", "better", "opening", "severity", "access"):
        return CODES[column]
    return CODES["kind"] if (table, column) == ("indicators", "kind") else {}


def dimension_names(dimension: str) -> Pair:
    """What a dimension is called; of one over several years, period/district, both parts."""
    parts = [CODES["dimension"].get(p, (p, p)) for p in dimension.split("/")]
    return " / ".join(p[0] for p in parts), " / ".join(p[1] for p in parts)


def member_names(code: str, names: Mapping[str, Label]) -> Pair:
    """What a member is called in Chinese and in English, without marks; the years before it stay: 2021-2025/430203."""
    prefix, slash, rest = code.rpartition("/")
    if rest in names:
        zh, en = names[rest].zh, names[rest].en or names[rest].zh
    elif rest == "all":
        zh, en = pair("Total")
    elif rest == "unknown":
        zh, en = UNKNOWN
    else:
        zh, en = CODES["carrier"].get(rest, (rest, str(MEMBERS.get(rest, rest))))
    return prefix + slash + zh, prefix + slash + en


def breakdown(language: Language, dimension: str, code: str, names: Mapping[str, Label] | None = None) -> Any:
    """What part of an indicator a value is, in words: 县市区：芦淞区（2021-2025）."""
    over, of, prefix, rest = address_parts(dimension, code)
    at = 0 if language == "zh" else 1
    said = pair("Total")[at] if of == "total" else dimension_name(language, of)
    text = Markup("{}").format(said)
    if of != "total":
        text += Markup("{}{}").format("：" if language == "zh" else ": ", member(language, rest, names))
    if over == "base":
        prefix = pair("since %(year)s")[at] % {"year": prefix}
    if prefix:
        text += f"（{prefix}）" if language == "zh" else f" ({prefix})"
    return text


def address_parts(dimension: str, code: str) -> tuple[str, str, str, str]:
    """Of a dimension and member: over which years ('', 'period', 'base'), by what, the years, the member. period/level/method and
    2021-2025/市/拍卖 are ('period', 'level/method', '2021-2025', '市/拍卖')."""
    over, _, of = dimension.partition("/")
    if over not in ("period", "base"):
        return "", dimension, "", code
    years, _, rest = code.partition("/")
    return over, of or "total", years, rest or "all"


def dimension_name(language: Language, of: str) -> str:
    """What a dimension is called; of a cross, what both are."""
    at, times = (0, "、") if language == "zh" else (1, ", ")
    return times.join(CODES["dimension"].get(part, (part, part))[at] for part in of.split("/"))


def clauses(text: str) -> Markup:
    """A heading whose lines break between its clauses and not within a Chinese word, where there is room."""
    return Markup("").join(Markup('<span class="clause">{}</span>').format(c) for c in re.findall(r"[^，]+，?", text))


def by_sentence(language: Language, notes: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """Notes of years as sentences, each said once with the years that have it ('' where all do): (years, sentence)."""
    years: dict[str, list[str]] = {}
    for year, note in notes.items():
        half = own_half(language, note)
        whole = isinstance(half, Markup)  # marked as the other language: not to be cut
        for sentence in (
            [half] if whole else re.findall(r"[^。]+。?" if language == "zh" else r".+?\.(?=\s|$)|.+", half)
        ):
            if sentence.strip():
                years.setdefault(sentence.strip(), []).append(str(year))
    comma = "、" if language == "zh" else ", "
    return [("" if len(of) == len(notes) > 1 else comma.join(of), sentence) for sentence, of in years.items()]


def change(first: Any, last: Any) -> str:
    """The change from one figure to another in per cent, signed; empty where there is none to give."""
    if first in (None, 0) or last is None:
        return ""
    percent = (float(last) - float(first)) / abs(float(first)) * 100
    return f"{percent:+.1f}%".replace("-", "−") if abs(percent) >= 0.05 else "0.0%"


def bare_link(link: Markup, text: str) -> Markup:
    """Datasette's link to a row with a word in place of the key, which may be a line of its own."""
    return Markup(re.sub(r">[^<]*</a>", lambda _: f">{escape(text)}</a>", str(link)))


def own_half(language: Language, text: str) -> Any:
    """The half of a text of the data, Chinese first and English after it, that is in the page's language."""
    ends = [m.end() for m in re.finditer(r"[\u3400-\u9fff。；：，）”]", text)]
    zh, en = (text[: ends[-1]], text[ends[-1] :].strip(" /")) if ends else ("", text)
    return pick(language, zh, en) if zh and en else foreign(language, text)


def numeral(language: Language, n: int) -> str:
    """A small count in words, as headings have it: 三, three; a larger one in figures."""
    words = ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十") if language == "zh" else (
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    )  # fmt: skip
    return words[n] if n < len(words) else str(n)


def month(language: Language, n: int) -> str:
    """The name of a month, short."""
    return f"{n}月" if language == "zh" else calendar.month_abbr[n]


@lru_cache
def said_in(language: Language) -> Callable[..., Markup]:
    """Says a phrase in a language, with what is named in it; the phrases are those of the templates, so each is kept."""
    known = translations(language).gettext
    kept: dict[str, Markup] = {}
    whole: dict[str, Markup] = {}

    def say(phrase: str, **named: Any) -> Markup:
        said = (kept if named else whole).get(phrase)
        if said is None:
            said = Markup(known(phrase))
            if named:
                kept[phrase] = said
            else:
                said = whole[phrase] = said % {}
        return said % named if named else said

    return say


def add_to(env: Any, language: Language) -> None:
    """Makes these words available to the templates of a language."""
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_translations(translations(language), newstyle=True)
    env.policies["ext.i18n.trimmed"] = True
    env.globals |= {"_": said_in(language), "gettext": said_in(language)}  # as Jinja's own say it, four times as fast
    at = 0 if language == "zh" else 1
    spoken = (
        unit, amount, pick, beside, spell, spell_plain, compact, figure, figures, yes, section, month, own_half, scale, scaled_unit, member, amounts,
        breakdown, by_sentence, dimension_name, named_time,
    )  # fmt: skip
    of: dict[str, Any] = {f.__name__: partial(f, language) for f in spoken}
    env.globals.update(
        of,
        change=change,
        percent=percent,
        places=places,
        unfinished=unfinished,
        clauses=clauses,
        number=number,
        numeral=partial(numeral, language),
        said=lambda p: p[at],
    )
    env.globals |= {
        "BANNER": BANNER[at],
        "colon": "：" if language == "zh" else ": ",
        "gap": "" if language == "zh" else " ",
    }
    env.filters.update(
        number=number, compact=of["compact"], unit=of["unit"], data=partial(foreign, language), yes=of["yes"],
        unbroken=lambda t: Markup('<span class="nb">{}</span>').format(t) if len(t) < 20 else t, bare_link=bare_link, own_half=of["own_half"], markup=Markup, strip_lead=lambda t, lead: t.removeprefix(lead), section=of["section"], has_han=lambda t: bool(HAN.search(str(t or ""))),
    )  # fmt: skip
