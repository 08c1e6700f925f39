"""The public tables: which there are, their columns with Chinese and English names, their keys and their indexes.

Belongs here: the shape of what leaves, fixed by hand for the platform's own tables and taken from the contract for a
dataset that is open in rows. Not here: any row. A column that is not named here is in no public file; the gate
(publish/disclosure/gate.py) holds the finished files against this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from expectations.contract import Contract, Contracts, Kind

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
MADE_UP_ZH = "合成示例数据：由虚构的单位和数字计算得出，只用来说明计算方法，不能说明任何真实城市的情况。"
MADE_UP_EN = (
    "Made-up data: computed from invented institutions and figures; it shows how the computing works and proves nothing "
    "about any real city."
)


@dataclass(frozen=True)
class Field:
    """A public column. `optional`: the warehouse need not have it yet; the public column is then empty."""

    name: str
    type: Type
    zh: str
    en: str
    unit: str | None = None
    note: str = ""
    optional: bool = False

    @property
    def label(self) -> str:
        """What stands over the column in a spreadsheet: the Chinese name with its unit."""
        return f"{self.zh}（{self.unit}）" if self.unit else self.zh


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
_STATUS = "A normal, E estimated, F forecast, P provisional, O missing value, Q suppressed, the value is then empty (SDMX CL_OBS_STATUS)"
_REVISED = "replaced or withdrawn by a decision of the bureau, which the table corrections names; empty: neither"

_REPORTING = (
    "institutions in the value that stated every item it needs; of a comparison, in both years and the same months; empty where "
    "suppressed or where no institution is named"
)
_POPULATION = "institutions of the year's register in that group, and those that reported without being in it; empty as reporting is"

# Tables of the marts, copied column by column; provenance is put together in tables.py.
MARTS: tuple[Table, ...] = (
    Table(
        "indicators",
        "指标",
        "Indicators",
        (
            _t("indicator_id", "指标编号", "Indicator id"),
            _t("theme", "主题", "Theme"),
            _t("name_zh", "中文名称", "Chinese name"),
            _t("name_en", "英文名称", "English name"),
            _t("unit", "计量单位", "Unit"),
            _t("definition_zh", "中文定义", "Chinese definition"),
            _t("definition_en", "英文定义", "English definition"),
            _t("formula", "计算公式", "Formula"),
            _t("kind", "类型", "Kind", "stock, flow, ratio, index"),
            _t("better", "向好方向", "Better", "up, down, none"),
            _i("decimals", "小数位数", "Decimals", optional=True),
        ),
        key=("indicator_id",),
        indexes=(("theme",),),
    ),
    Table(
        "indicator_values",
        "指标数值",
        "Indicator values",
        (
            _t("indicator_id", "指标编号", "Indicator id"),
            _i("year", "年度", "Year"),
            _t(
                "dimension",
                "分组",
                "Dimension",
                "total, district, org_type, level, carrier, ...; period and base set years against one another",
            ),
            _t("member", "组别", "Member"),
            _r("value", "数值", "Value", "in the unit of the indicator"),
            _t("unit", "计量单位", "Unit"),
            _t("status", "状态", "Status", _STATUS),
            _i("records", "明细行数", "Records", "行"),
            _i("files", "文件数", "Files", "个"),
            _t("factor_set", "系数组", "Factor set"),
            _SYNTHETIC,
            _t("note", "说明", "Note"),
            _i("reporting", "填报单位数", "Institutions reporting", "家", note=_REPORTING),
            _i("population", "应报单位数", "Institutions expected", "家", note=_POPULATION),
            _t("revised", "更正", "Revised", _REVISED, optional=True),
        ),
        key=("indicator_id", "dimension", "member", "year", "factor_set"),
        indexes=(("indicator_id", "dimension", "year"), ("dimension", "member", "year")),
    ),
    Table(
        "claims",
        "原文表述核验",
        "Statements checked",
        (
            _t("claim_id", "表述编号", "Claim id"),
            _t("section", "章节", "Section"),
            _t("name_zh", "中文名称", "Chinese name"),
            _t("name_en", "英文名称", "English name"),
            _t("value_text", "原文数字", "Figure as printed"),
            _r("value", "数值", "Value"),
            _t("unit", "计量单位", "Unit"),
            _t("qualifier", "约数词", "Qualifier"),
            _t("period", "期间", "Period"),
            _r("computed_value", "计算值", "Computed value"),
            _t("computed_unit", "计算值单位", "Unit of the computed value", optional=True),
            _r("difference", "差额", "Difference", "computed_value - value"),
            _t("check_status", "核验结果", "Result", "match, within_qualifier, mismatch, not_verifiable, no_data"),
            _t("evidence", "依据", "Evidence", "records, synthetic, arithmetic, public_source"),
            _t("explanation_zh", "中文说明", "Chinese explanation"),
            _t("explanation_en", "英文说明", "English explanation"),
            _t("sql", "重算语句", "SQL that recomputes it"),
            _t(
                "verdict",
                "结论",
                "Verdict",
                "holds; holds_in_part: the number does, but its wording or its basis not; differs, not_verifiable, no_data",
                optional=True,
            ),
            _t("verdict_zh", "中文结论", "Verdict in Chinese", optional=True),
            _t("verdict_en", "英文结论", "Verdict in English", optional=True),
            _t(
                "word",
                "所核用词",
                "Word that is judged",
                "the word of the statement that says more than its number",
                optional=True,
            ),
            _t(
                "wording_status",
                "用词",
                "Wording",
                "fits, does_not_fit, incomplete: no period is named, no_word, not_judged",
                optional=True,
            ),
            _t("wording_zh", "用词说明", "Chinese note on the wording", optional=True),
            _t("wording_en", "用词英文说明", "English note on the wording", optional=True),
            _t(
                "basis",
                "各系数组结果",
                "What each factor set gives",
                "JSON list of {factor_set, value, check_status}; empty where no factor is used",
                optional=True,
            ),
            _i("basis_count", "系数组数", "Factor sets", "组", optional=True),
            _i("basis_match", "相符组数", "Factor sets under which it holds", "组", optional=True),
            _t("scope", "口径", "Scope", optional=True),
            _t(
                "level",
                "机构级别",
                "Level of the institutions counted",
                "where the scope is one level, that alone is counted",
                optional=True,
            ),
            _t("kind", "类型", "Kind", optional=True),
            _b("is_forecast", "是否预测", "Forecast", optional=True),
            _t("datasets", "所需数据集", "Datasets it needs", optional=True),
            _t("indicator_id", "指标编号", "Indicator id", optional=True),
            Field(
                "first_year",
                "integer",
                "起始年度",
                "First year",
                note="of a statement about several years",
                optional=True,
            ),
            _i("year", "年度", "Year", optional=True),
            _t("dimension", "分组", "Dimension", optional=True),
            _t("member", "组别", "Member", optional=True),
            _t("factor_set", "系数组", "Factor set", optional=True),
            _i("position", "次序", "Position", optional=True),
            _b("synthetic", "合成示例数据", "Made-up data", "true: computed from made-up records", optional=True),
        ),
        key=("claim_id",),
        order=("position", "claim_id"),
        indexes=(("section",), ("check_status",)),
    ),
    Table(
        "claim_arithmetic",
        "原文数字互验",
        "Statements held against one another",
        (
            _t("check_id", "核验编号", "Check id"),
            _t("expression", "算式", "Expression"),
            _r("expected", "参考值", "Expected value"),
            _r("computed", "计算值", "Computed value", optional=True),
            _t("unit", "计量单位", "Unit"),
            _t("reading_zh", "中文解读", "Chinese reading", optional=True),
            _t("reading_en", "英文解读", "English reading", optional=True),
            _t("sql", "重算语句", "SQL that recomputes it", optional=True),
            _i("position", "次序", "Position", optional=True),
        ),
        key=("check_id",),
        order=("position", "check_id"),
    ),
    Table(
        "factors",
        "折算系数",
        "Factors",
        (
            _t("factor_id", "系数编号", "Factor id"),
            _t("carrier", "能源品种", "Carrier"),
            _t("metric", "折算对象", "Metric"),
            _r("value", "系数", "Value"),
            _t("per_unit", "每单位", "Per unit"),
            _t("basis", "口径", "Basis"),
            _t("region", "地区", "Region"),
            _i("valid_year", "适用年度", "Valid year"),
            _t("source", "来源（英文）", "Source"),
            _t("source_zh", "来源", "Source in Chinese", optional=True),
            _t("confidence", "把握程度", "Confidence"),
            _t("use_note", "用途", "Use", optional=True),
            _t("factor_sets", "所属系数组", "Factor sets", "separated by commas", optional=True),
        ),
        key=("factor_id",),
        indexes=(("carrier", "metric"),),
    ),
    Table(
        "benchmarks",
        "对照值",
        "Benchmarks",
        (
            _t("benchmark_id", "对照值编号", "Benchmark id"),
            _t("name_zh", "中文名称", "Chinese name"),
            _t("name_en", "英文名称", "English name", optional=True),
            _i("year", "年度", "Year"),
            _r("value", "数值", "Value"),
            _t("unit", "计量单位", "Unit"),
            _t("source", "来源（英文）", "Source"),
            _t("source_zh", "来源", "Source in Chinese", optional=True),
            _t("indicator_id", "指标编号", "Indicator id", optional=True),
            _t("comparison", "比较方式", "Comparison", optional=True),
            _t("dimension", "分组", "Dimension", optional=True),
            _t("member", "组别", "Member", optional=True),
        ),
        key=("benchmark_id",),
    ),
    Table(
        "divisions",
        "行政区划",
        "Divisions",
        (
            _t("code", "区划代码", "Code"),
            _t("name_zh", "中文名称", "Chinese name"),
            _t("name_en", "英文名称", "English name", optional=True),
            _t("parent", "上级代码", "Parent"),
            _t("level", "层级", "Level"),
            _t("note", "说明", "Note"),
            _t("successor", "现用代码", "Successor", optional=True),
            _t(
                "own_zh",
                "本级名称",
                "Its own bodies in Chinese",
                "what its own institutions are called in a list of its parts",
                optional=True,
            ),
            _t("own_en", "本级英文名称", "Its own bodies in English", optional=True),
        ),
        key=("code",),
    ),
    Table(
        "provenance",
        "数据来源",
        "Where a number comes from",
        (
            _t("kind", "类别", "Kind", "value: a file a value came from; column: where a column stands in a sheet"),
            _t("indicator_id", "指标编号", "Indicator id"),
            _i("year", "年度", "Year"),
            *_CELL,
            _t("dataset", "数据集", "Dataset"),
            _t("file", "文件", "File", "sha256 of the file received"),
            _t("sheet", "工作表", "Sheet", "empty where the dataset is not open in rows"),
            _i("records", "明细行数", "Records", "行"),
            _t(
                "sheet_rows",
                "行号",
                "Rows of the sheet",
                "JSON list of [first, last]; empty where the dataset is not open in rows",
                optional=True,
            ),
            _t("column", "数据项", "Column"),
            _t("letter", "列", "Letter", "with _row of an open row it names the cell, such as D5"),
        ),
        indexes=(("indicator_id", "year"), ("file",), ("dataset", "kind", "indicator_id")),
    ),
)

# Tables made from the contracts and from the account of intake.
OWN: tuple[Table, ...] = (
    Table(
        "datasets",
        "数据集",
        "Datasets",
        (
            _t("dataset", "数据集", "Dataset"),
            _t("title_zh", "中文名称", "Chinese title"),
            _t("title_en", "英文名称", "English title"),
            _t("theme", "主题", "Theme"),
            _t("grain", "每行是什么", "Grain"),
            _t("frequency", "更新周期", "Frequency"),
            _t("opening", "开放方式", "Opening", "open: in rows; aggregate: in sums only; closed: not at all"),
            _t("opening_attribute", "开放属性", "Opening attribute", "无条件开放, 有条件开放, 不予开放"),
            _t("opening_note", "开放说明", "Opening note"),
            _t("decided_by", "决定人", "Decided by"),
            _t("decided_on", "决定日期", "Decided on"),
            _t("ground", "依据", "Ground"),
            _t("description", "说明", "Description"),
            _i("rows", "明细行数", "Rows accepted", "行"),
            _i("files", "文件数", "Files", "个"),
            _t("first_period", "最早期间", "First period"),
            _t("last_period", "最晚期间", "Last period"),
            _b("published", "是否公开明细", "Published in rows"),
            _SYNTHETIC,
        ),
        key=("dataset",),
    ),
    Table(
        "dataset_columns",
        "数据项",
        "Columns of the datasets",
        (
            _t("dataset", "数据集", "Dataset"),
            _i("position", "序号", "Position"),
            _t("column", "数据项", "Column"),
            _t("header_zh", "中文表头", "Chinese header"),
            _t("title_en", "英文名称", "English title"),
            _t("type", "类型", "Type"),
            _t("unit", "计量单位", "Unit"),
            _b("required", "必填", "Required"),
            _b("key", "主键", "Part of the key"),
            _t("access", "分级", "Access level", "L0 open, L1 open in sums only, L2 kept inside, L3 never kept"),
            _b("published", "是否公开", "Published"),
            _t("allowed", "取值范围", "Allowed values"),
            _t("description", "说明", "Description"),
            _t("aliases", "表头别名", "Other headers known"),
        ),
        key=("dataset", "column"),
    ),
    Table(
        "submissions",
        "报送情况",
        "Submissions",
        (
            _t("dataset", "数据集", "Dataset"),
            _t("period", "期间", "Period"),
            _t("submitter", "报送单位", "Submitter", "only a name that stands in an open table anyway"),
            _t("status", "状态", "Status", "accepted, partial, rejected, superseded"),
            _i("files", "文件数", "Files", "个"),
            _i("rows_read", "读取行数", "Rows read", "行"),
            _i("rows_accepted", "采用行数", "Rows accepted", "行"),
            _i("rows_quarantined", "隔离行数", "Rows quarantined", "行"),
            _i("rows_explained", "说明行数", "Rows explained", "行"),
            _i("rows_superseded", "被替换行数", "Rows replaced", "行"),
            _SYNTHETIC,
        ),
        indexes=(("dataset", "period"),),
    ),
    Table(
        "data_issues",
        "数据问题",
        "Data issues",
        (
            _t("dataset", "数据集", "Dataset"),
            _t("code", "问题代码", "Code"),
            _t("severity", "严重程度", "Severity", "error, warning"),
            _t("responsibility", "责任方", "Responsibility", "department, bureau"),
            _t("status", "状态", "Status"),
            _i("issues", "问题数", "Issues", "个"),
            _i("files", "文件数", "Files", "个"),
            _SYNTHETIC,
        ),
        indexes=(("code",),),
    ),
)

# Tables whose rows tables.py puts together.
OWN += (
    Table(
        "savings_statement",
        "节约明细",
        "Savings statement",
        (
            _t("line", "行次", "Line"),
            _t(
                "nature",
                "性质",
                "Nature",
                "realised, yearly, once, forecast, lower bound; lines of different nature are never added",
            ),
            _t("name_zh", "中文名称", "Chinese name"),
            _t("name_en", "英文名称", "English name"),
            _i("year", "年度", "Year"),
            _b("whole_period", "合计各年", "The years together"),
            _r("value", "数值", "Value"),
            _t("unit", "计量单位", "Unit"),
            _t("status", "状态", "Status", _STATUS),
            _t("indicator_id", "指标编号", "Indicator id"),
            *_CELL,
            _t("explanation_zh", "中文说明", "Chinese explanation"),
            _t("explanation_en", "英文说明", "English explanation"),
            _SYNTHETIC,
        ),
        key=("line", "whole_period", "year"),
    ),
    Table(
        "benchmark_distances",
        "与目标和平均的距离",
        "Distances to targets and averages",
        (
            _t("benchmark_id", "对照值编号", "Benchmark id"),
            _t("comparison", "比较方式", "Comparison", "target, average"),
            _i("year", "年度", "Year"),
            _t("indicator_id", "指标编号", "Indicator id"),
            *_CELL,
            _r("value", "数值", "Value"),
            _r("benchmark_value", "对照值", "Benchmark value"),
            _i("benchmark_year", "对照年度", "Year of the benchmark"),
            _t("unit", "计量单位", "Unit"),
            _r("difference", "差值", "Difference", "the value less the benchmark; of percentages in percentage points"),
            _r("percent", "相差百分比", "Difference in percent", "of an average: how far above it, in %"),
            _b("reached", "是否达到", "Reached", "of a target; empty where the two count from different years"),
            _t("status", "状态", "Status", _STATUS),
            _t("note_zh", "中文说明", "Note in Chinese"),
            _t("note_en", "英文说明", "Note in English"),
            _SYNTHETIC,
        ),
        key=("benchmark_id", "year"),
        indexes=(("indicator_id", "year"),),
    ),
    Table(
        "coverage",
        "报送覆盖",
        "Coverage",
        (
            _t("dataset", "数据集", "Dataset"),
            _t("period", "期间", "Period", "a month (YYYY-MM) or a year"),
            _i("institutions", "已报单位数", "Institutions that reported", "个"),
            _i("expected", "应报单位数", "Institutions expected", "个"),
        ),
        key=("dataset", "period"),
    ),
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
        "punctuality",
        "按时报送",
        "Punctuality",
        (
            _t("dataset", "数据集", "Dataset"),
            _t("period", "期间", "Period"),
            Field("due_on", "date", "应报日期", "Due on"),
            _i("submissions", "报送数", "Submissions", "份"),
            _i("on_time", "按时报送数", "On time", "份"),
        ),
        key=("dataset", "period"),
    ),
    Table(
        "task_counts",
        "整改任务",
        "Tasks by state",
        (
            _t("dataset", "数据集", "Dataset", "empty where none was recognised"),
            _t("month", "交办月份", "Month opened"),
            _t("state", "状态", "State", "交办 assigned, 反馈 answered, 督办 supervised, 销号 closed"),
            _i("tasks", "任务数", "Tasks", "个"),
        ),
        order=("dataset", "month", "state"),
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


def is_open(contract: Contract) -> bool:
    """Whether the rows of a dataset may be published: its contract says open, and says who decided, when and on what ground."""
    return contract.opening == "open" and all((contract.decided_by, contract.decided_on, contract.ground))


def open_table(contract: Contract) -> Table:
    """The public table of a dataset that is open in rows: its public columns and where each row stood."""
    fields = tuple(
        Field(c.name, TYPES[c.kind], c.header_zh, c.title_en, c.unit, c.description) for c in contract.public
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


PLATFORM = frozenset(t.name for t in (*MARTS, *OWN, RELEASES))


def public_tables(contracts: Contracts) -> tuple[Table, ...]:
    """Every table a release has, in name order within each group: the platform's own, then the open datasets."""
    own = (*MARTS, *OWN, RELEASES)
    taken = {t.name for t in own}
    found = [open_table(c) for c in contracts.values() if is_open(c)]
    clash = sorted(t.name for t in found if t.name in taken)
    if clash:
        raise ValueError(f"The dataset {clash[0]} has the name of a table of the platform; rename it in its contract.")
    return (*own, *found)
