"""The shapes that departments' sheets come in, as small workbooks; what reading them gives stands in golden/*.json.

Belongs here: one builder for each shape. Not here: expectations. Names and figures are invented.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

from tests.intake.make import html, ods, text, xls, xlsb, xlsx, xml2003

Row = list[Any]
CASES: dict[str, Callable[[], bytes]] = {}


def case(build: Callable[[], bytes]) -> Callable[[], bytes]:
    CASES[build.__name__] = build
    return build


HEAD: Row = ["单位名称", "月份", "用电量（千瓦时）", "用水量（立方米）", "电费（元）"]
TWO: list[Row] = [["甲示范局", "2021-01", 1000, 20, 600], ["甲示范局", "2021-02", 1100.5, 21, 660.3]]


@case
def plain() -> bytes:
    return xlsx(("Sheet1", [HEAD, *TWO]))


@case
def heading_states_submitter_unit_year() -> bytes:
    rows = [
        ["2021年度能源资源消费状况表"],
        ["填报单位：甲示范局（盖章）", "", "填报日期：2022年1月20日", "金额单位：万元"],
        ["月份", "用电量", "用水量", "电费"],
        ["1月", 1000, 20, 249.8],
        ["二月", "1,100.5", "２１", "0.06"],
        ["合  计", 2100.5, 41, 249.86],
        ["注：以上均为抄表数。"],
        ["填表人：某某", "", "审核：某某", "负责人：某某"],
    ]
    return xlsx(("Sheet1", rows), merges=["A1:D1"])


@case
def submitter_and_year_in_next_cells() -> bytes:
    rows = [
        ["节能补助资金安排"],
        ["填报单位", "乙示范局", "年度", 2024],
        ["单位：", "万元"],
        ["序号", "单位名称", "申报内容", "计划安排资金"],
        [1, "乙示范局", "照明改造", 12.5],
    ]
    return xlsx(("表", rows))


@case
def blank_lead_and_total_first() -> bytes:
    rows: list[Row] = [[], [], ["", *HEAD], ["", "总计", "", 2100.5, 41, 1260.3], *[["", *r] for r in TWO], []]
    return xlsx(("Sheet1", rows))


@case
def wrong_total() -> bytes:
    return xlsx(("Sheet1", [HEAD, *TWO, ["合计", "", 2100.5, 43, 1260.3]]))


@case
def group_row_above() -> bytes:
    rows = [["基本情况", "", "能源", "", "费用"], HEAD, *TWO]
    return xlsx(("Sheet1", rows), merges=["A1:B1", "C1:D1"])


@case
def header_cut_over_two_rows() -> bytes:
    rows = [["单位", "月", "用电", "用水", "电"], ["名称", "份", "量", "量", "费"], *TWO]
    return xlsx(("Sheet1", rows))


@case
def header_in_merged_groups_of_three_rows() -> bytes:
    rows = [
        ["单位名称", "月份", "能源资源", "", "费用"],
        ["", "", "用电量", "用水量", "电费"],
        ["", "", "千瓦时", "立方米", "万元"],
        ["甲示范局", "2021-01", 1000, 20, 0.06],
        ["甲示范局", "2021-02", 1100, 21, 0.066],
    ]
    return xlsx(("Sheet1", rows), merges=["A1:A3", "B1:B3", "C1:D1"])


@case
def units_and_column_numbers_under_header() -> bytes:
    rows = [
        ["单位名称", "月份", "用电量", "用水量", "电费"],
        ["", "", "万千瓦时", "立方米", "元"],
        ["甲", "乙", 1, 2, 3],
        ["甲示范局", "2021-01", 0.1, 20, 600],
    ]
    return xlsx(("Sheet1", rows))


@case
def header_with_breaks_and_ideographic_spaces() -> bytes:
    rows = [
        ["单　位\n名　称", "月\n份", "用电量\n（万千瓦时）", "用 水 量\n/吨", "电　费［万元］"],
        ["甲示范局", "2021-01", 0.1, 20, 0.06],
    ]
    return xlsx(("Sheet1", rows))


@case
def header_again_on_each_page() -> bytes:
    again = [h.replace("单位", "单 位") for h in HEAD]
    rows = [
        ["2021年能源表"],
        HEAD,
        TWO[0],
        ["本页小计", "", 1000, 20, 600],
        ["2021年能源表"],
        again,
        TWO[1],
        ["合计", "", 2100.5, 41, 1260.3],
    ]
    return xlsx(("Sheet1", rows))


@case
def subtotals_sections_and_among() -> bytes:
    rows = [
        HEAD,
        ["一、市直单位"],
        ["甲示范局", "2021-01", 1000, 20, 600],
        ["乙示范局", "2021-01", 500, 10, 300],
        ["小计", "", 1500, 30, 900],
        ["其中：办公区", "", 700, 12, 420],
        ["二、区县单位"],
        ["丙示范局", "2021-01", 200, 5, 120],
        ["小 计", "", 200, 5, 122],
        ["总 计", "", 1700, 35, 1020],
    ]
    return xlsx(("Sheet1", rows))


@case
def stacked_tables_of_two_datasets() -> bytes:
    rows = [
        ["2022年度节能补助资金安排表", "", "单位：万元"],
        ["序号", "单位名称", "申报内容", "计划安排资金"],
        [1, "甲示范局", "照明改造", 12],
        [2, "乙示范局", "空调改造", 8],
        ["合计", "", "", 20],
        [],
        ["续表：2022年度停车场开放情况"],
        ["单位名称", "停车场名称", "开放车位数", "是否开放"],
        ["甲示范局", "东院", 120, "是"],
        ["乙示范局", "西院", "80个", "未开放"],
    ]
    return xlsx(("Sheet1", rows))


@case
def stacked_years_with_columns_in_another_order() -> bytes:
    rows = [
        ["2021年能源"], HEAD, TWO[0],
        ["2022年能源"], ["月份", "单位名称", "用水量（立方米）", "用电量（千瓦时）"], ["1月", "甲示范局", 30, 2000],
    ]  # fmt: skip
    return xlsx(("Sheet1", rows))


@case
def cut_header_again_on_each_page() -> bytes:
    first, second = ["单位", "月", "用电量（千", "用水", "电费（"], ["名称", "份", "瓦时）", "量", "元）"]
    again = [["单", "月", "用电量", "用水量（", "电"], ["位名称", "份", "（千瓦时）", "立方米）", "费（元）"]]
    rows = [first, second, TWO[0], first, second, TWO[1], *again, ["甲示范局", "2021-03", 1, 2, 3]]
    return xlsx(("Sheet1", rows))


@case
def leaf_that_looks_like_a_unit() -> bytes:
    rows = [
        ["单位名称", "停车场名称", "其他情况", ""],
        ["", "", "是否开放", "车位数"],
        ["", "", "", "个"],
        ["甲示范局", "东院", "是", 5],
    ]
    return xlsx(("Sheet1", rows), merges=["A1:A3", "B1:B3", "C1:D1"])


@case
def remarks_that_go_on() -> bytes:
    rows = [
        ["月份", "单位名称", "用电量", "用水量"],
        ["2021-01", "甲示范局", 1, 2],
        ["注：1.本表按季报送。"],
        ["2.数据以抄表为准。"],
        ["填表人：李四", "审核：王五"],
    ]
    return xlsx(("Sheet1", rows))


@case
def side_by_side() -> bytes:
    rows = [
        ["能源"],
        [*HEAD[:4], "", *HEAD[:4]],
        [*TWO[0][:4], "", "乙示范局", "2021-01", 7, 8],
        [*TWO[1][:4], "", "", "", "", ""],
    ]
    return xlsx(("Sheet1", rows))


@case
def years_side_by_side_over_shared_columns() -> bytes:
    rows = [
        ["能源资源消费状况对比表"],
        ["单位名称", "月份", "2022年", "", "2023年", ""],
        ["", "", "用电量", "用水量", "用电量", "用水量"],
        ["甲示范局", "1月", 1, 2, 3, 4],
        ["甲示范局", "2月", 5, 6, "", ""],
        ["合计", "", 6, 8, 3, 4],
    ]
    return xlsx(("Sheet1", rows), merges=["A2:A3", "B2:B3", "C2:D2", "E2:F2"])


@case
def years_under_each_header() -> bytes:
    rows = [
        ["单位名称", "月份", "用电量", "", "用水量", ""],
        ["", "", "2022年", "2023年", "2022年", "2023年"],
        ["甲示范局", "1月", 1, 2, 3, 4],
    ]
    return xlsx(("Sheet1", rows), merges=["C1:D1", "E1:F1"])


@case
def years_in_the_headers_themselves() -> bytes:
    rows = [
        ["单位名称", "月份", "2022年用电量（万千瓦时）", "2022年用水量", "2023年用电量（千瓦时）", "2023年用水量"],
        ["甲示范局", "1月", 1, 2, 3, 4],
    ]
    return xlsx(("Sheet1", rows))


@case
def years_over_tables_side_by_side() -> bytes:
    rows = [
        ["2022年", "", "", "", "", "2023年", "", "", ""],
        [*HEAD[:4], "", *HEAD[:4]],
        ["甲示范局", "1月", 1, 2, "", "甲示范局", "1月", 3, 4],
    ]
    return xlsx(("Sheet1", rows))


@case
def total_far_to_the_right() -> bytes:
    rows = [
        ["用电量", "用水量", "汽油", "柴油", "煤炭", "电费", "单位名称", "月份"],
        [1, 2, 3, 4, 5, 6, "甲示范局", "2021-01"],
        [10, 20, 30, 40, 50, 60, "乙示范局", "2021-01"],
        [11, 22, 33, 44, 55, 66, "合计", ""],
    ]
    return xlsx(("Sheet1", rows))


@case
def same_as_above_where_nothing_stands_or_may() -> bytes:
    rows = [
        [*HEAD],
        ["同上", "2021-01", 1, 2, 3],
        ["甲示范局", "2021-02", "〃", 2, 3],
    ]
    return xlsx(("Sheet1", rows))


@case
def several_sheets_hidden_and_instructions() -> bytes:
    return xlsx(
        ("填表说明", [["填表说明"], ["1.请勿修改表头"]]),
        ("2021年", [HEAD, TWO[0]]),
        ("2022年", [HEAD, ["甲示范局", "3月", 5, 6, 7]]),
        ("缓存", [HEAD, TWO[1]]),
        hidden_sheets=["缓存"],
    )


@case
def hidden_row() -> bytes:
    return xlsx(("Sheet1", [HEAD, *TWO]), hidden_rows=[2])


@case
def hidden_row_ods() -> bytes:
    return ods(("Sheet1", [HEAD, *TWO]), hidden_rows=[2])


@case
def hidden_row_xls() -> bytes:
    return xls(("Sheet1", [HEAD, *TWO]), ("说明", [["填表说明"]]), hidden_rows=[2])


@case
def hidden_row_and_errors_xlsb() -> bytes:
    rows = [HEAD, ["甲示范局", "2021-01", 1, "#DIV/0!", 3], ["甲示范局", "2021-02", 4, 5, "#N/A"]]
    return xlsb("表", rows, hidden_rows=[1])


@case
def dates_from_1904_xlsb() -> bytes:
    rows: list[Row] = [["处置编号", "单位名称", "处置方式", "面积类别", "面积", "批准日期", "成交价", "状态"]]
    rows += [["1", "甲示范局", "拍卖", "房屋", 30, 42798, 5, "已成交"]]
    return xlsb("表", rows, epoch_1904=True)


@case
def merged_down_and_ditto() -> bytes:
    rows = [
        HEAD,
        ["甲示范局", "2021-01", 1000, 20, 600],
        ["", "2021-02", 1100, 21, ""],
        ["乙示范局", "2021-01", 500, 10, 300],
        ["同上", "2021-02", 510, "〃", 310],
    ]
    return xlsx(("Sheet1", rows), merges=["A2:A3", "E2:E3"])


@case
def merged_down_xlsb() -> bytes:
    rows = [HEAD, ["甲示范局", "2021-01", 1000, 20, 600], ["", "2021-02", 1100, 21, 610]]
    return xlsb("表", rows, merges=[(1, 0, 2, 0)])


@case
def merged_down_ods() -> bytes:
    rows = [HEAD, ["甲示范局", "2021-01", 1000, 20, 600], ["", "2021-02", 1100, 21, 610]]
    return ods(("Sheet1", rows), down={(1, 0): 2})


@case
def cells_of_all_kinds() -> bytes:
    rows = [
        [
            "处置编号",
            "单位名称",
            "处置方式",
            "面积类别",
            "面积（万平方米）",
            "批准日期",
            "成交日期",
            "成交价（万元）",
            "受让方",
            "状态",
        ],
        [1, "甲示范局", "拍卖", "房屋", 0.3, dt.date(2021, 3, 5), "2021.3.6", 249.8, "某某", "已成交"],
        ["2", "甲示范局", " 拍卖　", "房屋", "３．０３", "20210305", "2021年3月6日", "约120余", "张某", "已成交"],
        ["3", "甲示范局", "拍 卖", "房屋", "3.03万㎡", "2021_03_05", "03/04/2021", "(1,234.5)", "李某", "已成交"],
        ["4", "甲示范局", "协议", "土地", "—", "2021-03", 44260, "5.2亿", "王某", "流拍"],
        ["5", "甲示范局", "拍卖", "土地", "2 104.4", "", "", "abc", "赵某", "流拍"],
    ]
    return xlsx(("Sheet1", rows))


@case
def refused_rows() -> bytes:
    rows = [
        [
            "统一社会信用代码",
            "单位名称",
            "年度",
            "单位性质",
            "层级",
            "行政区划代码",
            "用能人数",
            "建筑面积",
            "是否涉密单位",
            "联系人及电话",
        ],
        [
            "91350100M000100Y43",
            "甲示范局",
            "2021年度",
            "党政机关",
            "市",
            430200,
            100,
            "1,000",
            "否",
            "某某 13800000000",
        ],
        ["91350100M000100Y44", "秘示范局", 2021, "党政机关", "市", "430200", 90, 900, "是", "某某"],
        ["91350100M000100Y45", "疑示范局", 2021, "党政机关", "市", "430200", 80, 800, "说不清", "某某"],
        ["91350100M000100Y46", "乙示范局", "", "教育", "县", "430203", 70, 700, "", "某某"],
        ["合计", "", "", "", "", "", 170, 1700, "", ""],
    ]
    return xlsx(("2021", rows))


@case
def unmapped_and_duplicate_headers() -> bytes:
    rows = [
        ["序号", "单位名称", "月份", "用电量", "用水量", "用水量", "用电量（万元）", "天燃气用量"],
        [1, "甲示范局", "2021-01", 5, 6, 7, 8, 9],
    ]
    return xlsx(("Sheet1", rows))


@case
def missing_column() -> bytes:
    return xlsx(
        ("能源资源消费状况", [["单位名称", "月份", "用水量", "电费", "水费"], ["甲示范局", "2021-01", 1, 2, 3]])
    )


@case
def unknown_dataset() -> bytes:
    return xlsx(("Sheet1", [["书名", "作者", "单位"], ["某书", "某人", "某社"]]))


@case
def error_cells_and_pending() -> bytes:
    rows = [HEAD, ["甲示范局", "2021-01", "=#REF!", 20, "待核实"], ["甲示范局", "2021-02", "待核实", "见附件", 5]]
    return xlsx(("Sheet1", rows))


@case
def error_cells_xls() -> bytes:
    return xls(("Sheet1", [HEAD, ["甲示范局", "2021-01", "#REF!", 20, 5]]))


LOTS: list[Row] = [
    ["单位名称", "停车场名称", "开放车位数", "开放日期", "是否开放"],
    ["甲示范局", "东院", 5, dt.date(2021, 3, 5), "√"],
    ["甲示范局", "西院", 5, 42798, "×"],
]


@case
def epoch_1904() -> bytes:
    return xlsx(("Sheet1", LOTS), epoch_1904=True)


@case
def epoch_1904_xls() -> bytes:
    return xls(("Sheet1", LOTS), epoch_1904=True)


@case
def epoch_1904_ods() -> bytes:
    return ods(("Sheet1", LOTS), epoch_1904=True)


@case
def marked_as_made_up() -> bytes:
    return xlsx(("Sheet1", [["2021年能源表", "合成示例数据"], HEAD, *TWO]))


@case
def marked_in_properties() -> bytes:
    return xlsx(("Sheet1", [HEAD, *TWO]), keywords="合成示例数据")


@case
def xls_97() -> bytes:
    return xls(("Sheet1", [["2021年度能源表"], HEAD, *TWO, ["合计", "", 2100.5, 41, 1260.3]]))


@case
def csv_gb18030() -> bytes:
    return text(
        [["2021年度能源表"], ["填报单位：甲示范局"], HEAD, *TWO, ["合计", "", "2,100.5", 41, "1260.3"]], "gb18030"
    )


@case
def csv_utf16_with_mark() -> bytes:
    return text([HEAD, *TWO], "utf-16")


@case
def csv_utf16_without_mark() -> bytes:
    return text([HEAD, *TWO], "utf-16-be")


@case
def csv_tab_after_each_cell() -> bytes:
    return text([HEAD, *TWO], "utf-8-sig", after="\t")


@case
def tsv_and_blank_lines() -> bytes:
    return text([HEAD, [], TWO[0], [], TWO[1]], separator="\t", end="\n")


@case
def semicolons() -> bytes:
    return text([HEAD, *TWO], separator=";")


@case
def html_named_xls() -> bytes:
    rows = [["2021年度能源表"], HEAD, ["甲示范局", "2021-01", "1,000", "20", "600"], ["2021-02", "1,100", "21", "610"]]
    return html(rows, "gb2312", spans={(0, 0): (5, 1), (2, 0): (1, 2)})


@case
def xml_2003() -> bytes:
    return xml2003("表一", [HEAD, *TWO])


@case
def ods_with_dates() -> bytes:
    rows = [
        ["单位名称", "停车场名称", "开放车位数", "开放日期", "是否开放"],
        ["甲示范局", "东院", 5, dt.date(2021, 3, 5), "Y"],
    ]
    return ods(("Sheet1", rows))


@case
def big_codes_as_numbers() -> bytes:
    rows = [
        ["统一社会信用代码", "单位名称", "月份", "用电量", "用水量"],
        [114302002914177712, "甲示范局", 202101, 5, 6],
        [12, "甲示范局", 202102, 5, 6],
    ]
    return xlsx(("Sheet1", rows))


@case
def quarters_are_no_months() -> bytes:
    rows = [
        HEAD,
        ["甲示范局", "2021年第一季度", 1, 2, 3],
        ["甲示范局", "2021上半年", 1, 2, 3],
        ["甲示范局", 2021.1, 1, 2, 3],
    ]
    return xlsx(("Sheet1", rows))


@case
def formulas_that_nobody_computed() -> bytes:
    rows = [HEAD, ["甲示范局", "2021-01", 1000, 20, '=C2*0.6&""'], ["甲示范局", "2021-02", "=C2+100", 21, 660]]
    whole = xlsx(("Sheet1", rows))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for n in old.namelist():
            new.writestr(n, old.read(n).replace(b"</f><v>0</v>", b"</f>"))
    return out.getvalue()


@case
def page_in_one_file() -> bytes:
    page = html([HEAD, ["甲示范局", "2021-01", "1,000", "20", "600"]], "gb18030")
    sheet = base64.encodebytes(page).decode()
    frame = "<html><frameset><frame src='sheet001.htm'></frameset></html>"
    lines = [
        "MIME-Version: 1.0",
        'Content-Type: multipart/related; boundary="x"',
        "",
        "--x",
        'Content-Type: text/html; charset="us-ascii"',
        "",
        frame,
        "--x",
        'Content-Type: text/html; charset="gb2312"',
        "Content-Transfer-Encoding: base64",
        "",
        sheet,
        "--x--",
    ]
    return "\r\n".join(lines).encode()
