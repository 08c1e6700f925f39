"""Words and figures as people read them: phrases in two languages, codes spelled out, numbers, errors of SQL explained.

Belongs here: every text that stands in Python; texts of pages stand in templates/. Not here: names of columns (they come
from the release and its schema).
"""

from __future__ import annotations

import math
import re
from typing import Any

from markupsafe import Markup, escape

from publish.site.facts import Label

Pair = tuple[str, str]

BANNER: Pair = (
    "合成示例数据：数字由虚构的单位生成，只用来说明计算方法，不能说明任何真实城市的情况。",
    "Made-up data: the figures come from invented institutions; they show how the computing works and prove nothing "
    "about any real city.",
)
NOT_FOUND: Pair = ("没有这个页面。请从首页或导航进入。", "There is no such page; start from the home page.")
FORBIDDEN: Pair = ("这里不对外开放。", "This is not open to the public.")
TOO_SLOW: Pair = (
    "查询用时过长，已停止。请减少连接的表、加上条件或改用已汇总的指标表。",
    "The query took too long and was stopped; join fewer tables, add a condition, or use the table of indicators.",
)
TOO_LARGE: Pair = (
    "查询需要的内存或结果过大，已停止。请少取一些列或行；整表请下载文件。",
    "The query needs too much memory or its answer is too large; ask for fewer columns or rows, or download the file.",
)
BUSY: Pair = (
    "正在运行的查询太多，请几秒后再试。其他页面不受影响。",
    "Too many queries are running; try again in a few seconds. Other pages are not affected.",
)
NO_RELEASE: Pair = (
    "没有这个发布版本，或者它已不再保留。",
    "There is no such release, or it is no longer kept.",
)
TOO_LONG: Pair = (
    "网址太长。请把查询写得短一些。",
    "The address is too long; write a shorter query.",
)
METHOD: Pair = ("这个网站只供读取，请用 GET。", "This site is for reading only; use GET.")
BAD_REQUEST: Pair = (
    "网址中有一个参数无法使用，请检查拼写。",
    "One of the arguments in the address cannot be used; check its spelling.",
)
INTERNAL: Pair = (
    "页面出错了，已记录下来。请稍后再试。",
    "Something went wrong on our side and was written down; please try again later.",
)

CODES: dict[str, dict[str, Pair]] = {
    "check_status": {
        "match": ("相符", "Match"),
        "within_qualifier": ("在约数范围内", "Within its qualifier"),
        "mismatch": ("不符", "Differs"),
        "not_verifiable": ("无法核验", "Cannot be verified"),
        "no_data": ("暂无数据", "No data yet"),
    },
    "evidence": {
        "records": ("部门明细", "Departments' records"),
        "synthetic": ("合成示例数据", "Made-up data"),
        "arithmetic": ("原文数字互算", "Arithmetic between printed figures"),
        "public_source": ("公开资料", "Public source"),
    },
    "status": {
        "A": ("正常", "Normal"),
        "E": ("估算", "Estimated"),
        "F": ("预测", "Forecast"),
        "M": ("缺失", "Missing"),
        "S": ("已隐去", "Suppressed"),
    },
    "kind": {
        "stock": ("存量", "Stock"),
        "flow": ("流量", "Flow"),
        "ratio": ("比率", "Ratio"),
        "index": ("指数", "Index"),
        "count": ("计数", "Count"),
    },
    "better": {
        "up": ("越高越好", "Higher is better"),
        "down": ("越低越好", "Lower is better"),
        "none": ("不分好坏", "Neither"),
    },
    "theme": {
        "基础": ("基础", "Base figures"),
        "节约": ("节约", "Savings"),
        "资产": ("资产", "Assets"),
        "能源": ("能源", "Energy and water"),
        "车辆": ("车辆", "Vehicles and parking"),
        "办公用房": ("办公用房", "Office space"),
        "服务与改革": ("服务与改革", "Service and reform"),
    },
    "opening": {
        "open": ("开放明细", "Open in rows"),
        "aggregate": ("只开放汇总", "Open in sums only"),
        "closed": ("不开放", "Closed"),
    },
    "dimension": {
        "total": ("合计", "Total"),
        "district": ("县市区", "District"),
        "org_type": ("机构类型", "Kind of institution"),
        "level": ("层级", "Level"),
        "carrier": ("能源品种", "Energy carrier"),
        "method": ("方式", "Method"),
        "area_kind": ("面积类别", "Kind of area"),
        "factor_set": ("系数组", "Factor set"),
    },
    "carrier": {
        "electricity": ("电力", "Electricity"),
        "natural_gas": ("天然气", "Natural gas"),
        "gasoline": ("汽油", "Petrol"),
        "diesel": ("柴油", "Diesel"),
        "lpg": ("液化石油气", "LPG"),
        "coal": ("煤炭", "Coal"),
        "heat": ("热力", "Heat"),
        "other_energy": ("其他能源", "Other"),
        "water": ("水", "Water"),
        "pv": ("光伏", "Solar power"),
    },
    "frequency": {
        "annual": ("每年", "Yearly"),
        "monthly": ("每月", "Monthly"),
        "quarterly": ("每季", "Quarterly"),
        "event": ("发生时", "When it happens"),
    },
}

SQL_ERRORS: tuple[tuple[re.Pattern[str], Pair], ...] = tuple(
    (re.compile(pattern, re.I), pair)
    for pattern, pair in (
        (
            r"no such table: (.+)",
            ("没有名为 {0} 的表；可用的表见“数据”页。", "There is no table named {0}; the page Data lists them."),
        ),
        (
            r"no such column: (.+)",
            ("没有名为 {0} 的列；请看该表的字段说明。", "There is no column named {0}; see the columns of that table."),
        ),
        (
            r"Cannot sort table by (.+)",
            ("不能按 {0} 排序：没有这一列。", "Cannot sort by {0}: there is no such column."),
        ),
        (r"near \"(.+)\": syntax error", ("“{0}”附近有语法错误。", "There is a syntax error near “{0}”.")),
        (r"incomplete input", ("语句没有写完。", "The statement is not finished.")),
        (r"no such function: (.+)", ("没有函数 {0}。", "There is no function {0}.")),
        (
            r"not authorized to use function: (.+)",
            ("函数 {0} 不对公众开放。", "The function {0} is not open to the public."),
        ),
        (
            r"not authorized|prohibited",
            (
                "这个操作不对公众开放：只能用 SELECT 读取公开的表。",
                "This is not open to the public: only SELECT on the public tables is.",
            ),
        ),
        (
            r"Statement must be a SELECT|disallowed PRAGMA",
            ("只能运行 SELECT 语句。", "Only SELECT statements can be run."),
        ),
        (r"only execute one statement", ("一次只能运行一条语句。", "Only one statement can be run at a time.")),
        (r"too large|too big|out of memory", TOO_LARGE),
        (r"interrupted", TOO_SLOW),
        (
            r"_facet= is not allowed",
            ("分面统计没有开放；请用 SQL 的 GROUP BY。", "Facets are off; use GROUP BY in SQL."),
        ),
        (
            r"CSV streaming is disabled",
            (
                "CSV 一次最多 1,000 行；整表请下载文件。",
                "A CSV has at most 1,000 rows; download the file for a whole table.",
            ),
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
    return f"查询不能运行：{text}", f"The query cannot run: {text}"


def both(zh: str | None, en: str | None = None) -> Markup:
    """Chinese with English beside it, each marked with its language."""
    if not en or en == zh:
        return Markup(escape(zh or ""))
    return Markup('{} <span class="en" lang="en">{}</span>').format(zh or "", en)


def spell(kind: str, code: Any) -> Pair:
    """What a code means in both languages; a code nobody knows stands for itself."""
    text = "" if code is None else str(code)
    return CODES.get(kind, {}).get(text, (text, ""))


def column_title(label: Label) -> str:
    unit = f"（{label.unit}）" if label.unit else ""
    return f"{label.zh}{unit} {label.en}" + (f"：{label.description}" if label.description else "")


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


def compact(value: float) -> str:
    """A figure for a chart, in 万 or 亿 where it is large."""
    for size, name, least in ((1e8, "亿", 1e8), (1e4, "万", 1e5)):
        if abs(value) >= least:
            return number(value / size) + name
    return number(value)


def figure(value: Any, status: Any, decimals: int | None = None) -> str:
    """A value of an indicator, or why there is none."""
    if value is not None:
        return number(value, decimals)
    return {"S": "已隐去", "M": "缺"}.get(str(status), "—")


def change(first: Any, last: Any) -> str:
    """The change from one figure to another in per cent, signed; empty where there is none to give."""
    if first in (None, 0) or last is None:
        return ""
    percent = (float(last) - float(first)) / abs(float(first)) * 100
    return f"{percent:+.1f}%".replace("-", "−")


def bare_link(link: Markup) -> Markup:
    """Datasette's link to a row without the key spelled out: the key of several columns is a line of its own."""
    return Markup(re.sub(r">[^<]*</a>", ">查看</a>", str(link)))


def add_to(env: Any) -> None:
    """Makes these words available to templates."""
    env.globals.update(both=both, BANNER=BANNER, explain_sql=explain_sql, change=change)
    env.filters.update(number=number, figure=figure, compact=compact, bare_link=bare_link)
    env.globals["figure"] = figure
    env.globals["spell"] = lambda kind, code: both(*spell(kind, code))
    env.globals["spell_en"] = lambda kind, code: spell(kind, code)[1] or str(code)
    env.globals["spell_zh"] = lambda kind, code: spell(kind, code)[0]
