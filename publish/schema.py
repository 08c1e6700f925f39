"""The public tables: which there are, their columns with Chinese and English names, their keys and their indexes.

Belongs here: the shape of what leaves. That of a mart is read from dbt_project/models/marts/marts.yml, which states it once, in
`config.meta` beside the types; that of a dataset that is open in rows is taken from its contract. Not here: any row. A column
that has no title there is in no public file; the gate (publish/disclosure/gate.py) holds the finished files against this list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml

from expectations.contract import Contract, Contracts, Kind, is_open

Type = Literal["text", "integer", "real", "boolean", "date"]

ARROW: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
TYPES: dict[Kind, Type] = {
    "string": "text",
    "enum": "text",
    "month": "text",
    "boolean": "boolean",
    "integer": "integer",
    "year": "integer",
    "decimal": "real",
    "date": "date",
}
OF_DBT: dict[str, Type] = {
    "varchar": "text",
    "integer": "integer",
    "bigint": "integer",
    "decimal": "real",
    "double": "real",
    "boolean": "boolean",
    "date": "date",
}
# The letters of SDMX's CL_OBS_STATUS that a value may have, in words.
STATUS = {
    "A": ("正常", "normal"),
    "E": ("估计", "estimated"),
    "F": ("预测", "forecast"),
    "P": ("暂定", "provisional"),
    "O": ("缺失", "missing"),
    "Q": ("已隐去", "suppressed"),
}
HAN = re.compile(r"[\u3400-\u9fff]")
MARTS_YML = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "marts" / "marts.yml"


@dataclass(frozen=True)
class Field:
    """A public column. `note_en`: what `note` says, where that is in Chinese. `optional`: the warehouse need not have it yet; the
    public column is then empty."""

    name: str
    type: Type
    zh: str
    en: str
    unit: str | None = None
    note: str = ""
    optional: bool = False
    note_en: str = ""

    @property
    def label(self) -> str:
        """The Chinese name with its unit."""
        return f"{self.zh}（{self.unit}）" if self.unit else self.zh

    def header(self, english: bool) -> str:
        """What stands over the column in a workbook, in the city's first language: its name with its unit, but for Chinese words of
        counting in English."""
        if not english:
            return self.label
        return f"{self.en} ({self.unit})" if self.unit and not HAN.search(self.unit) else self.en

    @property
    def said(self) -> str:
        """What is said of the column, in every language that it is said in."""
        return " ".join(text for text in (self.note, self.note_en) if text)


@dataclass(frozen=True)
class Table:
    """A public table. `key` names a row once (() where nothing does); `order` sorts the rows where the key does not, so that files are
    the same each time; `dataset` is set where the rows are those of a dataset that is open in rows."""

    name: str
    zh: str
    en: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    dataset: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields)

    @property
    def arrow(self) -> pa.Schema:
        return pa.schema([pa.field(f.name, ARROW[f.type]) for f in self.fields])


def _t(name: str, zh: str, en: str, note: str = "", optional: bool = False) -> Field:
    return Field(name, "text", zh, en, note=note, optional=optional)


def _i(name: str, zh: str, en: str, unit: str | None = None, optional: bool = False, note: str = "") -> Field:
    return Field(name, "integer", zh, en, unit=unit, note=note, optional=optional)


def _r(name: str, zh: str, en: str, note: str = "", optional: bool = False) -> Field:
    return Field(name, "real", zh, en, note=note, optional=optional)


def _b(name: str, zh: str, en: str, note: str = "", optional: bool = False) -> Field:
    return Field(name, "boolean", zh, en, note=note, optional=optional)


# With an indicator and a year, the address of one value of indicator_values.
_CELL = (_t("dimension", "分组", "Dimension"), _t("member", "组别", "Member"), _t("factor_set", "系数组", "Factor set"))
_SYNTHETIC = _b("synthetic", "合成示例数据", "Made-up data", "true: computed from made-up records")


def _marts() -> list[Table]:
    """The public tables that dbt makes, in the order of marts.yml, which states them once."""
    document = yaml.load(MARTS_YML.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found = []
    for model in document["models"]:
        meta = model.get("config", {}).get("meta", {})
        if model["name"] == PROVENANCE.name:
            found.append(PROVENANCE)
        elif "title_zh" in meta:
            key, order = tuple(meta.get("key", ())), tuple(meta.get("order", ()))
            indexes = tuple(map(tuple, meta.get("indexes", ())))
            fields = tuple(_field(c) for c in model["columns"] if "meta" in c.get("config", {}))
            found.append(Table(model["name"], meta["title_zh"], meta["title_en"], fields, key, order, indexes))
    return found


def _field(column: dict[str, Any]) -> Field:
    meta = column["config"]["meta"]
    kind: Type = meta.get("type") or OF_DBT[column["data_type"].partition("(")[0]]
    unit, note, optional = meta.get("unit"), meta.get("note", ""), meta.get("optional", False)
    return Field(column["name"], kind, meta["title_zh"], meta["title_en"], unit, note, optional)


# Put together in provenance.py of publish/release.
PROVENANCE = Table(
    "provenance",
    "数据来源",
    "Where a number comes from",
    (
        _t(
            "kind",
            "类别",
            "Kind",
            "sheet: what the records of a sheet count in; column: where a column stands in a sheet",
        ),
        _t("dataset", "数据集", "Dataset"),
        _t("file", "文件", "File", "sha256 of the file received"),
        _t("sheet", "工作表", "Sheet", "empty where the dataset is not open in rows"),
        _i("year", "年度", "Year", note="empty where the names in indicators say it"),
        _t(
            "district",
            "区划",
            "District",
            "of the institutions; with org_type and level empty where it does not count, or may not be told",
        ),
        _t("org_type", "单位性质", "Kind of institution"),
        _t("level", "层级", "Level"),
        _i("records", "明细行数", "Records", "行", note="empty where the dataset is not open in rows"),
        _t(
            "sheet_rows",
            "行号",
            "Rows of the sheet",
            "JSON list of [first, last]; empty where the dataset is not open in rows",
        ),
        _t(
            "indicators",
            "计入指标",
            "Indicators",
            "JSON object: in which indicators the records count, and how many; docs/api.md has the query",
        ),
        _t("column", "数据项", "Column"),
        _t("letter", "列", "Letter", "with _row of an open row it names the cell, such as D5"),
    ),
    indexes=(("file",), ("dataset", "kind"), ("kind", "year")),
)

# Tables that dbt makes.
MARTS: tuple[Table, ...] = tuple(_marts())

# What the release alone knows: what the bureau's decisions did to published figures, and the published figures with names.
OWN: tuple[Table, ...] = (
    Table(
        "corrections",
        "更正记录",
        "Corrections",
        (
            _t("indicator_id", "指标编号", "Indicator id"),
            _i("year", "年度", "Year"),
            *_CELL,
            _t("outcome", "处理结果", "Outcome", "replaced: the figure shown now is another; withdrawn: none is shown"),
            _r("old_value", "原公布值", "Value published before"),
            _r("new_value", "现公布值", "Value published now", "empty where the figure is withdrawn"),
            _t("unit", "计量单位", "Unit"),
            _t("was_in", "更正前版本", "Last release before", "the last release that published the old value"),
            _t("decided_by", "决定人", "Decided by"),
            _t("why_zh", "更正原因", "Why, in Chinese"),
            _t("why_en", "更正原因（英文）", "Why, in English"),
            Field("since", "date", "更正日期", "Since"),
        ),
        key=("indicator_id", "dimension", "member", "year", "factor_set"),
    ),
    Table(
        "indicators_main",
        "指标数值（供人查阅）",
        "Indicator values with names, for people",
        (
            _t("indicator_id", "指标编号", "Indicator id"),
            _t("name_zh", "指标名称", "Indicator, in Chinese"),
            _t("name_en", "指标英文名称", "Indicator, in English"),
            _t("theme", "主题", "Theme"),
            _i("year", "年度", "Year"),
            _t(
                "dimension",
                "分组",
                "Dimension",
                "total: one row a year, of the whole city; of a change since a base year it is base",
            ),
            _t("dimension_zh", "分组名称", "Dimension, in Chinese"),
            _t("dimension_en", "分组英文名称", "Dimension, in English"),
            _t("member", "组别", "Member"),
            _t("member_zh", "组别名称", "Member, in Chinese"),
            _t("member_en", "组别英文名称", "Member, in English"),
            _r(
                "value", "数值", "Value", "of indicator_values, with the factors in force; empty where status is O or Q"
            ),
            _t("unit", "计量单位", "Unit"),
            _t("status", "状态", "Status", "as in indicator_values"),
        ),
        key=("indicator_id", "dimension", "member", "year"),
    ),
)

# One row: this release. Its content is not part of the content hash, which it names.
RELEASES = Table(
    "releases",
    "发布版本",
    "Release",
    (
        _t("release_id", "版本编号", "Release id"),
        Field("as_of", "date", "数据截止日期", "As of"),
        _t("code_version", "程序版本", "Code version"),
        _t("contracts", "数据契约摘要", "Digest of the contracts"),
        _t("content_sha256", "内容摘要", "Content hash"),
        _i("tables", "表数", "Tables", "个"),
        _i("rows", "行数", "Rows", "行"),
        _SYNTHETIC,
        _t("notice_zh", "中文提示", "Chinese notice"),
        _t("notice_en", "英文提示", "English notice"),
        _t("publisher", "发布单位", "Publisher"),
        _t("license", "许可", "Licence"),
    ),
    key=("release_id",),
)
TRACE: tuple[Field, ...] = (
    _t("_file", "文件", "File", "sha256 of the file received"),
    _t("_sheet", "工作表", "Sheet"),
    _i("_row", "行号", "Row"),
    _b("_synthetic", "合成示例数据", "Made-up data", "true: the file says that it is made-up"),
)


def open_table(contract: Contract) -> Table:
    """The public table of a dataset that is open in rows: its public columns and where each row stood."""
    fields = tuple(
        Field(c.name, TYPES[c.kind], c.header_zh, c.title_en, c.unit, c.description, note_en=c.description_en)
        for c in contract.public
    )
    names = {f.name for f in fields}
    wanted = (contract.institution_name, contract.institution_code, contract.period)
    indexes = dict.fromkeys((c.name,) for c in wanted if c is not None and c.name in names)
    return Table(
        contract.dataset,
        contract.title_zh,
        contract.title_en,
        fields + TRACE,
        key=tuple(k for k in contract.key if k in names),
        indexes=(*indexes, ("_file",)),
        dataset=contract.dataset,
    )


PUBLIC = (*MARTS, *OWN, RELEASES)  # whatever the contracts are
PLATFORM = frozenset(t.name for t in PUBLIC)


def public_tables(contracts: Contracts) -> tuple[Table, ...]:
    """Every table a release has, in name order within each group: the platform's own, then the open datasets."""
    found = [open_table(c) for c in contracts.values() if is_open(c)]
    clash = sorted(t.name for t in found if t.name in PLATFORM)
    if clash:
        raise ValueError(f"The dataset {clash[0]} has the name of a table of the platform; rename it in its contract.")
    return (*PUBLIC, *found)
