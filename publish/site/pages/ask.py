"""The search page and the page about the API."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from datasette.utils.asgi import Response

from pipelines.core.text import fold
from publish.site.language import Pair, pair
from publish.site.pages.base import USUAL, held, page, rows
from publish.site.pages.statements import shown
from publish.site.pages.topics import HOME
from publish.site.search import LONGEST, find, simplify
from publish.site.units import unfinished

# The site's own pages, and the words by which somebody asks for one.
PAGES: tuple[tuple[str, Pair, tuple[str, ...]], ...] = (
    ("/api", pair("API"), ("api", "接口", "json", "程序", "调用")),
    (
        "/about",
        pair("About and all files"),
        ("下载", "全部文件", "license", "licence", "许可", "授权", "版权", "download", "关于"),
    ),
    (
        "/report",
        pair("Report an error"),
        ("报告错误", "更正", "纠错", "投诉", "联系", "电话", "错了", "有误", "contact", "correction"),
    ),
    ("/methods", pair("Methods"), ("方法", "系数", "折算", "怎么算", "怎样算", "methods", "factors")),
    ("/secrecy", pair("Secrecy"), ("保密", "隐去", "隐私", "涉密", "secrecy", "suppressed", "privacy")),
    ("/quality", pair("Quality"), ("质量", "报送不及时", "没交", "未报", "漏报", "迟报", "按时报", "quality", "late")),
    ("/releases", pair("Releases"), ("发布版本", "历史版本", "旧版", "更新了什么", "releases", "versions")),
    ("/accessibility", pair("Accessibility"), ("无障碍", "读屏", "盲人", "accessibility")),
    ("/mingzhang", pair("Query"), ("sql", "查询语句")),
    ("/claims", pair("Statements"), ("原文表述", "核验", "报告里的话", "statements", "claims")),
    ("/datasets", pair("Data"), ("数据集", "数据目录", "datasets")),
)


async def search(datasette: Any, request: Any) -> Response:
    question = (request.args.get("q") or "").strip()[:LONGEST]
    path = datasette.facts.search
    found = await asyncio.to_thread(find, path, question) if question and path is not None else []
    figures = await _figures(datasette, [h["name"] for h in found if h["kind"] == "indicator"])
    claims = {c["claim_id"]: c | {"shown": shown(c)} for c in await held(datasette, "claims")}
    kinds = list(dict.fromkeys(h["kind"] for h in found))
    kind = request.args.get("kind") or ""
    return await page(
        datasette,
        request,
        "search.html",
        q=question,
        found=[h for h in found if kind not in kinds or h["kind"] == kind],
        fits=any(h["whole"] for h in found),
        kinds=[(k, sum(h["kind"] == k for h in found)) for k in kinds],
        kind=kind if kind in kinds else "",
        pages=_pages(question),
        district=await _of_district(datasette, path, question) if question and path is not None else None,
        ready=path is not None,
        figures=figures,
        claims=claims,
    )


def _pages(question: str) -> list[tuple[str, Pair]]:
    """Return the site's own pages that a question asks for."""
    text = simplify(fold(question))
    latin = set(re.findall(r"[a-z]+", text))
    return [
        (place, name) for place, name, words in PAGES if any(w in latin if w.isascii() else w in text for w in words)
    ]


async def _of_district(datasette: Any, path: Path, question: str) -> dict[str, Any] | None:
    """Return the district that a question names, with the newest figures there of what else it asks for; None where it names none.

    A district is named in full, without its last character (its kind), or by its English name, which is its pinyin.
    """
    text = simplify(fold(question))
    for d in await held(datasette, "divisions"):
        full = [fold(n) for n in (d["name_zh"], d.get("own_zh"), d.get("name_en")) if n]
        short = [n[:-1] for n in full if len(n) > 2 and n[-1] in "区县市"] + [n.split()[0] for n in full if n.isascii()]
        named = next((n for n in (*full, *short) if len(n) > 1 and n in text), None)
        if named is None or (d.get("level") == "city" and named not in full[1:2]):
            continue
        hits = await asyncio.to_thread(find, path, text.replace(named, " "))
        names = [h["name"] for h in hits if h["kind"] == "indicator"][:30]
        names = names or [i for of in HOME.values() for i in of]  # the district alone
        wanted = {f"i{n}": name for n, name in enumerate(names)}
        values = await rows(
            datasette,
            f"""
            select indicator_id, year, value, status, v.unit, decimals, name_zh, name_en
            from indicator_values v join indicators using (indicator_id)
            where indicator_id in ({", ".join(f":{n}" for n in wanted)}) and dimension = 'district' and member = :code and {USUAL}
            order by year
            """,
            code=d["code"],
            **wanted,
        )
        newest = {r["indicator_id"]: r for r in values if not unfinished(datasette.facts.as_of, r["year"])}
        return {"about": d, "figures": [newest[n] for n in names if n in newest][:4]}
    return None


async def _figures(datasette: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the newest figure of each indicator found, of a complete year: it is shown beside the hit."""
    bound = {f"i{n}": name for n, name in enumerate(names)}
    found = await rows(
        datasette,
        f"""
        select indicator_id, year, value, v.unit, decimals from indicator_values v join indicators using (indicator_id)
        where indicator_id in ({", ".join(f":{n}" for n in bound)}) and dimension in ('total', 'base') and {USUAL} and value is not null
        order by year
        """,
        **bound,
    )
    return {r["indicator_id"]: r for r in found if not unfinished(datasette.facts.as_of, r["year"])}


async def api(datasette: Any, request: Any) -> Response:
    return await page(datasette, request, "api.html")
