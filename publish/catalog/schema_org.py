"""The description of a page for search engines: a schema.org Dataset or DataCatalog as JSON-LD, for the page's head.

Belongs here: what schema.org can say of a release, an indicator and a dataset. Not here: the catalogue for machines that
harvest (dcat.py), or the page itself. It is data and not script: browsers do not run a block of type application/ld+json,
and a policy that forbids scripts does not forbid it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from publish.files import CROISSANT, MEDIA, PACKAGE, media_type, path_of
from publish.wording import MADE_UP_EN, MADE_UP_ZH

__all__ = ["Page", "of_release", "of_statement", "of_table", "replace", "script"]

# The vocabulary is named and not fetched: the page says all that a reader of it needs.
CONTEXT = {"@vocab": "https://schema.org/"}


@dataclass(frozen=True)
class Page:
    """What a page's block is made from. `root` is the site's address with a slash at the end, as the reader sees it; `files`
    the release's files; `years` such as 2021/2025, or empty. Texts are in the city's first language, which is `english` or Chinese;
    `about` is what the city says its site is, `licence_url` and `telephone` are empty where it does not state them."""

    root: str
    release_id: str
    as_of: str
    publisher: str
    licence: str
    synthetic: bool
    files: Mapping[str, str]
    years: str = ""
    english: bool = False
    about: str = ""
    licence_url: str = ""
    email: str = ""
    telephone: str = ""

    @property
    def permanent(self) -> str:
        """The release's own address, which goes on meaning the same."""
        return f"{self.root}r/{self.release_id}/"

    @property
    def title(self) -> str:
        """The name of all that the city publishes."""
        return f"Open data of {self.publisher}" if self.english else f"{self.publisher}开放数据"


def of_release(page: Page) -> dict[str, Any]:
    """The release as a whole: for every page that shows no dataset of its own."""
    said = page.about or (
        "Records and statistics; each figure can be followed to the cells of the spreadsheets that it comes from."
        if page.english
        else "机关事务明细与统计，每个数字可查到来源表格的单元格。"
    )
    out = _dataset(page, page.permanent, f"{page.title} {page.release_id}".strip(), said)
    single = ("mingzhang.db", PACKAGE, CROISSANT)
    out["distribution"] = [_download(page, f, media_type(f)) for f in single if f in page.files]
    return out


def of_table(page: Page, place: str, name: str, description: str, table: str, keywords: list[str]) -> dict[str, Any]:
    """A dataset or an indicator: `place` is the page's path below the root, `table` where its rows are in the files."""
    out = _dataset(page, page.permanent + place, name, description)
    out["keywords"] = [k for k in keywords if k]
    paths = {path_of(table, form): media for form, media in MEDIA.items()}
    out["distribution"] = [_download(page, f, media) for f, media in paths.items() if f in page.files]
    out["isPartOf"] = {"@type": "Dataset", "@id": page.permanent, "name": page.title.strip()}
    return out


def of_statement(page: Page, claim: Mapping[str, Any], address: str, ratings: Mapping[str, int]) -> dict[str, Any]:
    """The check of a printed statement as ClaimReview, beside the release that it rests on.

    Made-up data check nothing that anybody said, so then there is no review, and none for a statement without a result.
    """
    out = of_release(page)
    rating = ratings.get(claim["shown"])
    if page.synthetic or rating is None:
        return out
    review = {
        "@type": "ClaimReview",
        "@id": address,
        "url": address,
        "datePublished": page.as_of,
        "claimReviewed": f"{claim['name_en']}: {claim['value_text'] or ''}" if page.english and claim.get("name_en")
        else f"{claim['name_zh']}：{claim['value_text'] or ''}",
        "author": {"@type": "GovernmentOrganization", "name": page.publisher},
        "itemReviewed": _claim(page, claim),
        "reviewRating": {
            "@type": "Rating", "ratingValue": rating, "bestRating": 5, "worstRating": 1,
            "alternateName": claim.get("verdict_en" if page.english else "verdict_zh") or claim["shown"],
        },
    }  # fmt: skip
    return out | {"subjectOf": review}


def _claim(page: Page, claim: Mapping[str, Any]) -> dict[str, Any]:
    """The statement itself: who printed it, and where, as far as that is known."""
    author = {"@type": "GovernmentOrganization", "name": claim.get("report_by") or page.publisher}
    out: dict[str, Any] = {"@type": "Claim", "author": author}
    if claim.get("report_date"):
        out["datePublished"] = str(claim["report_date"])
    if claim.get("report_url"):
        report = {"@type": "CreativeWork", "url": claim["report_url"], "headline": claim.get("report_title")}
        out["appearance"] = {k: v for k, v in report.items() if v}
    return out


def script(block: Mapping[str, Any]) -> str:
    """The block as the text of a <script type="application/ld+json">; nothing in it can end the element or open another."""
    text = json.dumps({"@context": CONTEXT, **block}, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _dataset(page: Page, address: str, name: str, description: str) -> dict[str, Any]:
    notice = f"{MADE_UP_ZH} {MADE_UP_EN} " if page.synthetic else ""
    dated = (
        f"As of {page.as_of}, release {page.release_id}."
        if page.english
        else f"数据截至 {page.as_of}，发布版本 {page.release_id}。"
    )
    out: dict[str, Any] = {
        "@type": "Dataset",
        "@id": address,
        "url": address,
        "name": name,
        # Search engines want 50 to 5,000 characters.
        "description": f"{notice}{description} {dated}"[:5000],
        "identifier": page.release_id,
        "version": page.release_id,
        "dateModified": page.as_of,
        "inLanguage": ["en", "zh-CN"] if page.english else ["zh-CN", "en"],
        "isAccessibleForFree": True,
    }
    if page.publisher:
        contact = {k: v for k, v in (("email", page.email), ("telephone", page.telephone)) if v}
        out["creator"] = out["publisher"] = {"@type": "GovernmentOrganization", "name": page.publisher} | contact
    if page.licence:
        at = page.licence_url or f"{page.root}about"
        out["license"] = {"@type": "CreativeWork", "name": page.licence, "url": at}
    if page.years:
        out["temporalCoverage"] = page.years
    return out


def _download(page: Page, file: str, media: str) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "contentUrl": f"{page.permanent}files/{file}",
        "encodingFormat": media,
        "name": file,
    }
