"""Full-text search of a release: indicators, statements, datasets, their columns, and open records.

Belongs here: queries of the index. Not here: the index (publish/release/search_index.py), the page (pages/ask.py).

Traditional characters are converted to simplified ones (table from OpenCC, see traditional.txt). A question without a literal
match is split into character bigrams, weighted by bm25, after its stop words were removed.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.core.text import fold
from publish.release.search_index import HAN

LONGEST = 80  # characters of a question; the rest is ignored
MOST = 60
MOST_RECORDS = 20
STEPS = 2_000_000  # of SQLite, for one question: some 100 ms
WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z0-9₂²³]+")
KINDS = ("indicator", "claim", "dataset", "column", "record")
TRADITIONAL = Path(__file__).with_name("traditional.txt")

# Stop words: they only ask or connect.
STOP_WORDS = (
    "有没有", "是不是", "能不能", "多少钱", "为什么", "怎么样", "怎样", "怎么", "如何", "多少", "几个", "几家", "几年", "哪些", "哪个", "哪里",
    "什么", "请问", "我想", "想知道", "查询", "查一下", "看看", "一共", "总共", "到底", "是否", "情况", "吗", "呢", "了", "的", "在", "是",
    "这", "那", "和", "与", "及", "对", "把", "被", "里", "每年", "一年", "今年", "去年", "五年", "全市", "本市", "我们", "市里", "政府", "机关单位",
)  # fmt: skip
# Synonyms: everyday words, and the words of the records.
SYNONYMS = {
    "公车": "公务用车", "用车": "用车", "碳排放": "二氧化碳", "碳": "二氧化碳", "co2": "二氧化碳", "电动车": "新能源", "新能源车": "新能源",
    "太阳能": "光伏", "车位": "停车位", "停车": "停车", "省钱": "节约", "省了": "节约", "省电": "节电", "房租": "租金", "卖地": "处置", "卖房": "处置",
    "拍卖": "处置", "食堂": "食堂", "吃饭": "就餐", "办公室": "办公", "开会": "会议", "培训": "培训", "水费": "水费", "用水": "用水", "电量": "用电量",
    "电费": "电费", "人均": "人均", "每人": "人均", "每个人": "人均", "每平方米": "单位建筑面积", "每平米": "单位建筑面积", "能源消耗": "综合能耗",
    "能耗": "能耗", "耗能": "能耗", "耗电": "用电", "耗水": "用水", "闲置": "闲置", "空置": "空置", "物业": "物业", "采购": "采购", "购车": "购置",
    "买车": "购置", "买了": "购置", "换成": "更新", "里程": "里程", "公里": "里程", "跑多少": "里程", "养一辆": "运行费", "养车": "运行费", "公家": "公务用",
    "电车": "新能源", "充电车": "新能源", "绿牌": "新能源", "停进": "停车", "停放": "停车", "能停": "停车", "车停": "停车", "共享汽车": "分时租赁",
    "租车": "分时租赁", "房子": "房屋", "楼房": "房屋", "空着": "闲置 空置", "租出去": "出租", "租户": "承租 租金", "欠租": "欠缴", "卖": "处置", "转让": "处置",
    "吃喝": "接待 公务餐", "招待": "接待", "请客": "接待", "公款": "公务", "补贴": "补助", "毛病": "问题", "按时": "按期", "便宜": "压减 节省", "打折": "压减",
    "省多少": "节约 节省", "退出来": "腾退", "腾出": "腾退", "太阳": "光伏", "发电": "发电", "减碳": "减排", "排碳": "二氧化碳", "煤气": "天然气",
    "燃气": "天然气", "油钱": "加油 运行费", "保养": "维修", "上课": "培训", "评上": "建成", "借出": "调出", "借给": "调出", "刷码": "一码通", "扫码": "一码通",
    "规定": "制度", "办法": "制度文件", "文件": "制度文件", "平米": "单位建筑面积", "会开": "会议", "个单位": "机构数", "宿舍": "三供一业", "地和": "处置", "干部": "人均", "平均每": "人均", "接待": "接待", "整改": "整改", "督查": "检查", "空调": "空调", "减排": "减排", "标煤": "标准煤",
}  # fmt: skip
# Synonyms in English, matched as whole words.
SYNONYMS_IN_ENGLISH = {
    "car": "vehicle", "cars": "vehicles", "carbon": "co2", "emission": "co2", "emissions": "co2", "bill": "cost", "bills": "cost", "price": "cost",
    "spend": "cost", "spent": "cost", "save": "saved", "saving": "saved", "savings": "saved", "electric": "new energy", "panels": "solar",
    "empty": "idle vacant", "unpaid": "arrears", "owed": "arrears", "large": "excess", "sold": "disposals", "sale": "disposals", "gas": "natural gas",
    "staff": "people", "person": "head", "capita": "head", "courses": "training", "rules": "policies", "garage": "parking", "rent": "rent lease",
}  # fmt: skip
STOP_WORDS_IN_ENGLISH = frozenset(
    [
        "how",
        "many",
        "much",
        "does",
        "do",
        "did",
        "the",
        "a",
        "an",
        "is",
        "are",
        "was",
        "were",
        "what",
        "which",
        "of",
        "in",
        "on",
        "for",
        "to",
        "has",
        "have",
        "city",
        "government",
        "public",
        "it",
        "there",
        "their",
        "by",
        "and",
        "or",
        "own",
        "any",
    ]
)
NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}


@lru_cache
def _simplified() -> dict[int, str]:
    table: dict[int, str] = {}
    for line in TRADITIONAL.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            table |= {ord(pair[0]): pair[1] for pair in line.split()}
    return table


def simplify(text: str) -> str:
    """Return a text with traditional characters converted to simplified ones."""
    return text.translate(_simplified())


def find(index: Path, question: str) -> list[dict[str, Any]]:
    """Return the hits of a question, the best first: kind, name, title_zh, title_en, body, address, whole (it has every word but stop
    words); MOST at most, of records MOST_RECORDS.

    `question` comes from a visitor: LONGEST characters of it are used, and only as quoted phrases of FTS5.
    """
    with closing(sqlite3.connect(f"{index.resolve().as_uri()}?immutable=1", uri=True)) as con:
        con.row_factory = sqlite3.Row
        spent = 0

        def tick() -> int:
            nonlocal spent
            spent += 10_000
            return int(spent > STEPS)

        con.set_progress_handler(tick, 10_000)
        found: dict[int, dict[str, Any]] = {}
        worth: dict[int, float] = {}
        try:
            for strictness, query in enumerate([*_queries(question), _singly(question)]):
                if not query or (found and query == _singly(question)):
                    continue  # single characters match much: only where nothing else matched
                hits = con.execute(FIND, {"query": query, "records": MOST_RECORDS, "most": MOST})
                for place, r in enumerate(hits):
                    found.setdefault(r["id"], dict(r) | {"whole": " OR " not in query})
                    worth[r["id"]] = worth.get(r["id"], 0.0) + 1 / (FUSION + place + strictness)
        except sqlite3.OperationalError as e:
            if "interrupted" not in str(e):
                raise
        best = sorted(found, key=lambda i: (-worth[i], i))
        return [found[i] for i in best[:MOST]]


# Constant of reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009), which joins the lists of the queries; small, for
# the lists are short.
FUSION = 5

# A hit in a title has ten times the weight of one in the text; definitions come before records.
FIND = """
    with hits as materialized (select rowid, bm25(words, 10.0, 1.0) as rank from words where words match :query order by rank limit 400)
    select id, kind, name, title_zh, title_en, body, address,
           rank * case kind when 'indicator' then 3.0 when 'claim' then 2.2 when 'dataset' then 2.4 when 'column' then 1.0 else 0.6 end as weight
    from hits join documents on id = hits.rowid
    where kind <> 'record' or id in (select h.rowid from hits h join documents d on d.id = h.rowid where d.kind = 'record' order by h.rank limit :records)
    order by weight, id limit :most
"""


def _queries(question: str) -> list[str]:
    """Return a question as queries of FTS5, the strictest first: all words, all words but stop words, any bigram."""
    text = figures(simplify(fold(question[:LONGEST])))
    plain = text
    for word in STOP_WORDS:
        plain = plain.replace(word, " ")
    latin = [w for w in plain.split() if w not in STOP_WORDS_IN_ENGLISH]
    plain = " ".join(latin)
    expanded = " ".join([plain, *(SYNONYMS_IN_ENGLISH[w] for w in latin if w in SYNONYMS_IN_ENGLISH)])
    for word, meant in SYNONYMS.items():
        if word in text and not (word == meant or meant in expanded):
            expanded = f"{expanded} {meant}"
    out = []
    for words in (WORD.findall(text), WORD.findall(plain)):
        if words:
            out.append(" AND ".join(_phrase(w) for w in words))
    pieces: list[str] = []
    for word in WORD.findall(expanded):
        if HAN.match(word) and len(word) > 2:
            pieces += [word[i : i + 2] for i in range(len(word) - 1)]
        else:
            pieces.append(word)
    whole = "".join(w for w in WORD.findall(plain) if HAN.match(w))
    pieces += [whole[i : i + 2] for i in range(len(whole) - 1)]  # 用多少电 asks for 用电
    if pieces:
        out.append(" OR ".join(_phrase(p) for p in dict.fromkeys(pieces)))
    return list(dict.fromkeys(out))


def _singly(question: str) -> str:
    """Return a query for any character of a question but stop words: 水用得少了 shares no bigram with any document."""
    text = simplify(fold(question[:LONGEST]))
    for word in (*STOP_WORDS, *"一个没不能会要得比前"):
        text = text.replace(word, "")
    return " OR ".join(_phrase(c) for c in dict.fromkeys(text) if HAN.match(c))


def figures(text: str) -> str:
    """Convert numbers in characters up to 99 to digits: 十八万 is 18万; a single character stays."""

    def digits(found: re.Match[str]) -> str:
        tens, _, ones = found[0].partition("十")
        return str(NUMERALS.get(tens, 1) * 10 + NUMERALS.get(ones, 0))

    return re.sub(r"[一二三四五六七八九]?十[一二三四五六七八九]?", digits, text)


def _phrase(word: str) -> str:
    """Return a word as a phrase of FTS5: consecutive characters; a Latin word as a prefix."""
    if HAN.match(word):
        return '"' + " ".join(word) + '"'
    return f'"{word}"*' if len(word) > 2 else f'"{word}"'
