"""An indicator's values as a file: CSV, XLSX, Parquet, JSON."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasette.utils.asgi import Response

from publish.release.write import FOR_EXCEL, write_csv, write_parquet, write_xlsx
from publish.schema import MARTS
from publish.site.facts import Facts
from publish.site.pages.base import address, rows
from publish.site.pages.indicators import indicator_of
from publish.wording import MADE_UP_EN, MADE_UP_ZH

VALUES = next(t for t in MARTS if t.name == "indicator_values")
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json; charset=utf-8",
}


async def export(datasette: Any, request: Any) -> Response:
    """Return an indicator's values as a file: CSV with BOM, XLSX with a sheet of notes, Parquet, JSON."""
    about = await indicator_of(datasette, request)
    form = request.url_vars["format"]
    every = await rows(
        datasette,
        "select * from indicator_values where indicator_id = :id order by dimension, member, year, factor_set",
        id=about["indicator_id"],
    )
    # An older release lacks later columns; here they are empty.
    found = [{c: r.get(c) for c in VALUES.columns} for r in every]
    for r in found:
        r["synthetic"] = bool(r["synthetic"])
    facts = datasette.facts
    notes = _notes(facts, about, address(request, facts.release_id))
    if form == "json":
        body = json.dumps(
            {"indicator": about, "notes": dict(notes), "values": found}, ensure_ascii=False, indent=1
        ).encode()
    else:
        body = await asyncio.to_thread(
            _file, form, pa.Table.from_pylist(found, schema=VALUES.arrow), notes, facts.order.first == "en"
        )
    name = f"{about['indicator_id']}-{facts.release_id}.{form}"
    response = Response(body, headers={"content-disposition": f'attachment; filename="{name}"'})
    response.content_type = FORMATS[form]
    return response


def _file(form: str, data: pa.Table, notes: list[tuple[str, str]], english: bool) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"values.{form}"
        if form == "csv":
            write_csv(path, VALUES, data, FOR_EXCEL)
        elif form == "parquet":
            write_parquet(path, VALUES, data, {name.split(" ")[-1].lower(): text for name, text in notes})
        else:
            write_xlsx(path, VALUES, data, notes, Path(folder), english)
        return path.read_bytes()


def _notes(facts: Facts, about: dict[str, Any], site: str) -> list[tuple[str, str]]:
    made_up = [("提示 Notice", f"{MADE_UP_ZH} {MADE_UP_EN}")] if facts.synthetic else []
    return [
        *made_up,
        ("名称 Title", f"{about['name_zh']} / {about['name_en']}"),
        ("定义 Definition", f"{about['definition_zh']} / {about['definition_en']}"),
        ("公式 Formula", about["formula"] or ""),
        ("计量单位 Unit", about["unit"] or ""),
        ("发布版本 Release", facts.release_id),
        ("数据截止 As of", facts.as_of),
        ("发布单位 Publisher", " / ".join(t for t in (facts.publisher, facts.publisher_en) if t)),
        ("许可 Licence", " / ".join(t for t in (facts.licence, facts.licence_en) if t)),
        ("永久地址 Address", f"{site}/indicators/{about['indicator_id']}"),
        ("状态 Status", "A 正常 normal; E 估计 estimated; F 预测 forecast; O 缺失 missing; Q 已隐去 suppressed"),
    ]
