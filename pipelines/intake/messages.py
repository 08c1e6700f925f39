"""The catalogue of issue messages, by code, in Chinese and in English.

Belongs here: the message of every issue code, and names of positions in a sheet. Not here: when an issue arises.
The Chinese has the position, the value found and the remedy, in words that a clerk of any department understands.
"""

from __future__ import annotations

import re

from pipelines.core.issue_codes import ISSUE_CODES

CODES = tuple(ISSUE_CODES)

# code or code.variant -> (zh, en). Fields in braces are given by the caller; `where` is what `position_texts` returns.
_TEXTS: dict[str, tuple[str, str]] = {
    "missing_required": (
        "{where}没有填写；这一项必须填，请补上后重新报送。",
        "{where_en} is empty; it must be filled in.",
    ),
    "bad_type": (
        "{where}填的是“{value}”，读不成{expected}；请改为{example}。",
        "{where_en} holds '{value}', which cannot be read as {expected_en}; write it like {example}.",
    ),
    "bad_type.pending": (
        "{where}填的是“{value}”，这一项必须填{expected}；请核实后填写，例如 {example}。",
        "{where_en} holds '{value}' where {expected_en} must stand; find it out and write it like {example}.",
    ),
    "bad_type.wide": (
        "第 {row} 行的格数比表头多，多半是数字里的千分位逗号把一格分成了两格，整行没有接收；请去掉数字里的逗号，或给它加上引号。",
        "Row {row} has more cells than the header, probably because a comma inside a number parts it in two; the row was not "
        "taken: take the comma out, or put the number in quotes.",
    ),
    "bad_type.hidden": (
        "{where}填写的内容读不成{expected}；请改为{example}。",
        "What {where_en} holds cannot be read as {expected_en}; write it like {example}.",
    ),
    "bad_type.unit": (
        "{where}填的是“{value}”，单元格里的单位与表头（{unit}）重复或不一致，不知道该按哪个算；请只填数字，单位写在表头。",
        "{where_en} holds '{value}': the unit in the cell repeats or contradicts the header's ({unit}); write the number alone.",
    ),
    "bad_type.no_unit": (
        "{where}填的是“{value}”，而这一行的单位一栏没有写单位，不知道该按哪个算，没有收下这个数；请补上单位。",
        "{where_en} holds '{value}' while its row states no unit for it; the figure was not taken: state its unit.",
    ),
    "bad_type.no_version": (
        "{where}填的是“{value}”，这一项在各版表样里的单位不同，而表里没有写明年度，不知道该按哪个算，没有收下这个数；请写明年度，或在表头写明单位。",
        "{where_en} holds '{value}', whose unit differs between versions of the form, and no year is stated; the figure was not taken: "
        "state the year, or the unit in the header.",
    ),
    "bad_type.unknown_unit": (
        "{where}填的是“{value}”，而这一行的单位一栏写的是“{said}”，不是这一项能用的单位，没有收下这个数；请改正单位。",
        "{where_en} holds '{value}' and its row states the unit '{said}', which is none that this column may be in; the figure was "
        "not taken: correct the unit.",
    ),
    "bad_type.no_unit_column": (
        "{where}填的是“{value}”，而表里没有写明它的单位的那一列，不知道该按哪个算；请补上单位一列，或把单位写在表头。",
        "{where_en} holds '{value}', and the column that states its unit is not there; add that column, or write the unit in "
        "the header.",
    ),
    "bad_type.bound": (
        "{where}填的是“{value}”，只说了上限或下限，不是一个数；请填写准确的数字。",
        "{where_en} holds '{value}', which says how much at least or at most and no number; write the exact one.",
    ),
    "bad_type.formula": (
        "{where}是公式“{value}”，没有算出结果；请用表格软件打开、保存一次，或直接填写结果，再重新报送。",
        "{where_en} holds the formula '{value}' and no result; open and save the file in a spreadsheet program first.",
    ),
    "bad_type.marked": (
        "{where}填的是“{value}”，数字后面带着注码，分不清是不是数字的一部分；请去掉注码，注释写在表下。",
        "{where_en} holds '{value}': the mark of a footnote behind its digits cannot be told from them; take it out.",
    ),
    "bad_type.error": (
        "{where}显示的是公式的错误值“{value}”，没有结果；请改正公式或直接填写{expected}，再重新报送。",
        "{where_en} shows the error '{value}' of a formula and no result; mend the formula or write {expected_en}.",
    ),
    "bad_type.garbled": (
        "{where}里有乱码“{value}”，原来的字在某次保存或导出时丢了；请重新填写这一格，CSV 请存成 UTF-8。",
        "{where_en} holds '{value}', of which characters were lost when it was saved or exported; write it again.",
    ),
    "bad_type.picture": (
        "{where}里嵌了一张图片，图片里的内容平台读不了；请把内容写成文字，或删去图片。",
        "{where_en} holds an embedded picture, which cannot be read; write what it says, or delete it.",
    ),
    "bad_type.struck": (
        "{where}填的是“{value}”，其中一部分划了删除线，不知道哪部分算数；请只留有效的内容，去掉删除线。",
        "{where_en} holds '{value}', part of which is struck out; leave only what counts, without the line through it.",
    ),
    "bad_type.comma": (
        "{where}填的是“{value}”，而本表别处的逗号是小数点，分不清这里的逗号（点）是小数点还是千分位；请用“.”作小数点，不写千分位。",
        "{where_en} holds '{value}' while a comma is the decimal point elsewhere in this sheet: write numbers with a point and "
        "without marks between thousands.",
    ),
    "bad_type.percent": (
        "{where}填的是“{value}”，而这一列别的格带百分号，分不清是 {value} 还是 {value}%；请统一填百分数（85% 填 85）。",
        "{where_en} holds '{value}' while other cells of its column say %: a share or a percentage? Write all as percentages (85% is 85).",
    ),
    "bad_type.january": (
        "{where}填的是“{value}”，分不清是 1 月还是 10 月（表格软件把 2021.10 当数字存成 2021.1）；请写成 2021-01 或 2021-10。",
        "{where_en} holds '{value}', January, or October as a spreadsheet program stores 2021.10; write it like 2021-01.",
    ),
    "bad_type.month_of_which_year": (
        "{where}填的是“{value}”，没有写年份，而这一列还有别的年份的月份，不知道是哪一年；请写成 2021-03。",
        "{where_en} holds '{value}' without its year while other months of the column are of another year; write it like 2021-03.",
    ),
    "bad_type.day_among_codes": (
        "{where}是一个日期（{value}），像是表格软件把编号（如 3-12）变成了日期，原来的编号已无法知道；请把单元格设为“文本”后重新填写。",
        "{where_en} holds a date ({value}), as if a spreadsheet program had made it of a number like 3-12; what it was nobody can "
        "tell: format the cell as text and write it again.",
    ),
    "bad_type.column": (
        "{said}这一列填了内容的 {count} 个单元格都读不出来，整列没有收下。",
        "{said_en} None of the {count} filled cells of this column could be read; the whole column was left out.",
    ),
    "bad_type.two_units": (
        "{where}填的是“{value}”，而表头上方写了几个不同的单位（{unit}），不知道该按哪个算；请只留一个单位，或写在表头里。",
        "{where_en} holds '{value}', and the heading states several units ({unit}): which one is meant? Leave one of them.",
    ),
    "bad_type.date_order": (
        "{where}填的是“{value}”，分不清哪个是月、哪个是日；请按“年-月-日”填写，例如 2021-03-05。",
        "{where_en} holds '{value}', where month and day cannot be told apart; write it like 2021-03-05.",
    ),
    "bad_type.date_precision": (
        "{where}填的是“{value}”，只写到月或年，没有写到日；请补全为“年-月-日”，例如 2021-03-05。",
        "{where_en} holds '{value}', a date without its day; write it like 2021-03-05.",
    ),
    "bad_type.year_as_day": (
        "{where}的日期是 {value}，像是把年份填进了日期格式的单元格（2015 会变成 1905 年的一天）；请写全“年-月-日”，只有年份的把单元格设为“常规”再填。",
        "The date in {where_en} is {value}, as if a year had been typed into a cell for dates (2015 becomes a day of 1905); write "
        "the whole date, or format the cell as general and write the year.",
    ),
    "bad_type.month_precision": (
        "{where}填的是“{value}”，不是一个月份（季度、半年、跨月都不行）；请每月填一行，例如 2021-03。",
        "{where_en} holds '{value}', which is not one month; give a row for each month, like 2021-03.",
    ),
    "bad_type.digits_lost": (
        "{where}的号码被表格软件存成了数字，末几位已丢失；请把单元格设为“文本”后重新填写。",
        "The code in {where_en} was stored as a number and lost its last digits; format the cell as text and write it again.",
    ),
    "not_in_list": (
        "{where}填的是“{value}”，不在规定的选项里；请从这些里选一个：{allowed}。",
        "{where_en} holds '{value}', which is not one of: {allowed}.",
    ),
    "not_in_list.hidden": (
        "{where}填写的内容不在规定的选项里；请从这些里选一个：{allowed}。",
        "What {where_en} holds is not one of: {allowed}.",
    ),
    "out_of_range": (
        "{where}填的是“{value}”，超出允许的范围（{allowed}）；请核对数字和单位。",
        "{where_en} holds '{value}', outside what is allowed ({allowed}); check the number and its unit.",
    ),
    "out_of_range.hidden": (
        "{where}填写的内容超出允许的范围（{allowed}）；请核对数字和单位。",
        "What {where_en} holds is outside what is allowed ({allowed}); check it and its unit.",
    ),
    "bad_check_digit": (
        "{where}填的是“{value}”，统一社会信用代码的校验位不对，多半是抄错了一位；请对照证书重新填写 18 位代码。",
        "{where_en} holds '{value}', whose check character is wrong; copy the 18 characters from the certificate again.",
    ),
    "bad_check_digit.inner": (
        "{where}填的是“{value}”，其中第 9—17 位组织机构代码的校验位不对；请对照证书核对。",
        "{where_en} holds '{value}', whose inner organisation code (characters 9 to 17) has a wrong check character.",
    ),
    "unknown_institution": (
        "{where}填的是“{value}”，公共机构名录里没有这个单位{nearest}；请写名录里的全称，或先把它补进名录。",
        "{where_en} holds '{value}', an institution that is not in the register{nearest_en}; write its registered name.",
    ),
    "unknown_institution.no_register": (
        "平台还没有收到公共机构名录，本表的单位名称没有核对，先按原样收下。",
        "No register of institutions has been received yet; the names in this sheet were taken as they stand.",
    ),
    "date_order": ("{where}{message}", "{where_en}: {message_en}"),
    "inconsistent": ("{where}{message}", "{where_en}: {message_en}"),
    "inconsistent.calculated": (
        "{where}填的是 {value}，由其他各列算出来是 {computed}；这一列能核对的 {of} 个数里有 {count} 个与算出来的不一致，这一个相差最大，请核对。",
        "{where_en} states {value} where the other columns give {computed}; of the {of} figures of this column that can be held against "
        "the others {count} do not agree, and this one is the worst: check them.",
    ),
    "duplicate_key": (
        "{where}与第 {first} 行的“{keys}”相同，是重复行；只收前一行，请删去多余的一行，或改正填错的编号。",
        "{where_en} repeats row {first} in {keys_en}; only the first is kept.",
    ),
    "classified_refused": (
        "第 {row} 行标明是涉密单位，或者没有写清是否涉密，整行没有接收，平台不留任何内容；涉密单位请勿通过本平台报送。",
        "Row {row} is marked as classified, or does not say plainly that it is not; nothing of it was kept.",
    ),
    "doubtful": ("{where}{message}", "{where_en}: {message_en}"),
    "doubtful.whole": (
        "第 {row} 行的 {columns} 恰好是其余各行之和{times}，像是合计行，却按数据收下了；是合计的请写“合计”，不是的请核对。",
        "In row {row} {columns} is just the sum of the other rows{times_en}, as in a total row, but it was taken as data; call it a total if it "
        "is one, else check it.",
    ),
    "doubtful.approximate": (
        "{where}填的是“{value}”，是个约数，已按 {number} 收下；请核对后填写准确的数字。",
        "{where_en} holds '{value}', an approximate figure, taken as {number}; write the exact one.",
    ),
    "doubtful.approximate_hidden": (
        "{where}填的是个约数，已按其中的数字收下；请核对后填写准确的数字。",
        "{where_en} holds an approximate figure, taken as it stands; write the exact one.",
    ),
    "doubtful.early": (
        "{where}的日期是 {number}，早于 1950 年；已原样收下，请核对。",
        "The date in {where_en} is {number}, before 1950; it was taken as it stands, check it.",
    ),
    "doubtful.early_hidden": (
        "{where}的日期早于 1950 年；已原样收下，请核对。",
        "The date in {where_en} is before 1950; it was taken as it stands, check it.",
    ),
    "doubtful.almost_midnight": (
        "{where}的时间是 23:59:17，像是导出程序把次日零点写早了 43 秒；已按 {number} 收下，请核对，并只填日期。",
        "The time in {where_en} is 23:59:17, as programs write midnight of the next day 43 seconds early; it was taken as {number}, "
        "check it and write the date alone.",
    ),
    "doubtful.almost_midnight_hidden": (
        "{where}的时间是 23:59:17，像是导出程序把次日零点写早了 43 秒；已按次日收下，请核对，并只填日期。",
        "The time in {where_en} is 23:59:17, as programs write midnight 43 seconds early; it was taken as the next day, check it.",
    ),
    "doubtful.midnight_in_utc": (
        "{where}这一列的 {count} 个日期都带着 16:00:00，像是导出程序把北京时间的零点写成了世界时，日期会早一天；已按写的日期收下，请核对，并只填日期。",
        "The {count} dates of {where_en} all stand at 16:00:00, as programs write midnight in China in UTC, a day early; they were "
        "taken as written: check them and write the date alone.",
    ),
    "doubtful.nought_without_unit": (
        "{where}填的是 0，而这一行没有写它的单位，像是没有填报；没有当作 0 收下，请核对：确实是 0 的请写上单位。",
        "{where_en} holds 0 and its row states no unit for it, as if nothing had been reported; it was not taken as 0: if it is 0, "
        "state its unit.",
    ),
    "doubtful.noughts_without_unit": (
        "从{where}起，这一列有 {count} 个 0 没有写单位，像是没有填报；没有当作 0 收下，请核对：确实是 0 的请写上单位。",
        "From {where_en} on, {count} cells of this column hold 0 and their rows state no unit, as if nothing had been reported; they "
        "were not taken as 0: where it is 0, state its unit.",
    ),
    "doubtful.repeated": (
        "{where}填的是“{value}”，{first}也是；是同一处填了两次，还是两处用了同一个编号，请核对。",
        "{where_en} holds '{value}', and so does {first_en}: the same one twice, or two under one identifier? Check them.",
    ),
    "doubtful.repeated_often": (
        "{where}填的是“{value}”，{first}也是；这一列共有 {count} 个值是前面出现过的，请核对这一列是不是编号。",
        "{where_en} holds '{value}', and so does {first_en}; {count} values of this column come again: check whether they are identifiers.",
    ),
    "doubtful.scaled": (
        "从{where}起，这一列有 {count} 个数的数字格式（{number_format}）把数缩小了显示，表里看到的与单元格里存的不是同一个数；已按看到的数和标明的单位收下，没有标明单位的按存的数收下，请核对。",
        "From {where_en} on, the number format ({number_format}) of {count} figures of this column shows them smaller than they are stored; they "
        "were taken as shown in the unit stated, or as stored where none is: check them.",
    ),
    "doubtful.unit_in_format": (
        "从{where}起，这一列有 {count} 个数显示的单位是“{shown_unit}”，与表头写的单位（{unit}）不一致；请核对，并只在表头写单位。",
        "From {where_en} on, {count} figures of this column are shown in {shown_unit}, which is not the header's unit ({unit}); check "
        "them, and write the unit in the header alone.",
    ),
    "doubtful.day_among_texts": (
        "{where}是一个日期（{value}），而这一列的其他内容都不是日期，像是表格软件把编号（如 3-12）变成了日期；已原样收下，请把单元格设为“文本”后重新填写（这样的单元格共 {count} 个）。",
        "{where_en} holds a date ({value}) while nothing else in its column is one, as if a spreadsheet program had made it of a "
        "number like 3-12; it was taken as it stands: format the cell as text and write it again ({count} such cells).",
    ),
    "doubtful.day_among_texts_hidden": (
        "{where}是一个日期，而这一列的其他内容都不是日期，像是表格软件把编号（如 3-12）变成了日期；已原样收下，请把单元格设为“文本”后重新填写（这样的单元格共 {count} 个）。",
        "{where_en} holds a date while nothing else in its column is one, as if a spreadsheet program had made it of a number like "
        "3-12; it was taken as it stands: format the cell as text and write it again ({count} such cells).",
    ),
    "doubtful.percent": (
        "{where}这一列的数都不大于 1，而单位是 %，像是按小数填的；已按百分数原样收下，请核对（7.89% 应填 7.89）。",
        "Every figure of {where_en} is at most 1 while the unit is %; they were taken as they stand, check them (7.89% is 7.89).",
    ),
    "doubtful.percent_unknown": (
        "{where}这一列的单位是 %，其中有不大于 1 的数，而文件没有告诉平台单元格是不是按百分比显示的；已原样收下，请核对（85% 应填 85，不填 0.85），并另存为 .xlsx 重新报送。",
        "{where_en} is in % and holds figures of at most 1, and the file does not say which cells are shown as percentages; they "
        "were taken as they stand: check them (85% is 85, not 0.85) and send it saved as .xlsx.",
    ),
    "doubtful.merged": (
        "{where}的数字在合并单元格里，跨第 {row}—{last} 行；只算给第 {row} 行，请取消合并，逐行填写。",
        "The figure in {where_en} stands in cells merged over rows {row} to {last}; it was counted for row {row} only.",
    ),
    "doubtful.units": (
        "表头{columns}里的单位与上方写的“{stated}”不一致，已按表头的单位收下；请核对数字，并改正其中一处。",
        "The units in the headers {columns} are not the one stated above ({stated}); the headers' were taken, check them.",
    ),
    "doubtful.below_signature": (
        "填表人、审核人等落款以下的 {count} 行（第 {rows} 行）不像这张表的数据，没有接收；如果是数据，请移到落款以上并填齐必填的列。",
        "{count} rows below the line of signatures (rows {rows}) do not look like this table's and were left out; if they are data, "
        "move them above it and fill in the required columns.",
    ),
    "doubtful.hidden_rows": (
        "本表有隐藏的行（{rows}），也一并收下了；如果不该报送，请删去。",
        "Hidden rows ({rows}) were read as well; delete them if they were not meant to be sent.",
    ),
    "doubtful.hidden_columns": (
        "本表有隐藏的列（{columns}），也一并收下了；如果不该报送，请删去。",
        "Hidden columns ({columns}) were read as well; delete them if they were not meant to be sent.",
    ),
    "unmapped_column": (
        "{cell} 的表头“{header}”在这张表的规定里没有，这一列没有接收{nearest}。",
        "The header '{header}' in {cell} is not in this dataset's contract; the column was left out{nearest_en}.",
    ),
    "unmapped_column.twice": (
        "{cell} 的表头“{header}”与 {first} 列说的是同一项，只收了 {first} 列；请删去一列，或改正表头。",
        "The header '{header}' in {cell} says the same as column {first}, which was taken; remove one of them.",
    ),
    "unmapped_column.beside": (
        "{columns} 列（第 {row} 行起）是旁边的另一张表，没有认出来，没有接收；如果要报送，请单独成表，照平台的表样填写。",
        "Columns {columns} (from row {row}) hold another table beside this one that is not known; it was left out: send it as a sheet "
        "of its own, in the platform's form.",
    ),
    "unmapped_column.nameless": (
        "{letter} 列有数据（第一个在 {cell}），但没有表头，这一列没有接收；请补上表头，或删去这一列。",
        "Column {letter} has values (the first in {cell}) and no header; it was left out: write its header, or remove it.",
    ),
    "missing_column": (
        "这张表像是“{title}”，但缺少必填的列：{columns}；请用平台的表样填写后重新报送。",
        "This sheet looks like '{title_en}' but lacks required columns: {columns}.",
    ),
    "missing_column.figures": (
        "这张表像是“{title}”，但没有一列数据：至少要有 {columns} 中的一列；请用平台的表样填写后重新报送。",
        "This sheet looks like '{title_en}' but has no column of figures: at least one of {columns} must be there.",
    ),
    "unknown_dataset": (
        "没有认出这是哪一张报表：找不到与任何一张报表相符的表头；请用平台的表样填写，不要改表头。",
        "No header row in this file fits any dataset; fill in the platform's own form.",
    ),
    "unknown_dataset.other_sheets": (
        "文件里有认得的表，但都不在规定要读的工作表里，没有收下；请照表样给工作表命名，把数据放在规定的工作表里。",
        "The file holds tables that are known, in none of the sheets that the contract names; name the sheets as the form does.",
    ),
    "unknown_dataset.near": (
        "没有认出这是哪一张报表：表头最接近“{title}”，但必填的列里缺 {columns}；请用平台的表样填写，不要改表头。",
        "The headers fit no dataset; they come nearest to '{title_en}' but lack required columns ({columns}); fill in its form.",
    ),
    "unknown_dataset.excerpt": (
        "这是平台退回的节选，只有要改的行，不能当作报表收下（否则会替换掉整张原表）；请改原文件，重新报送原文件。",
        "This is an excerpt that was sent back, with only the rows to mend; as a submission it would replace the whole table: mend "
        "and send the original file.",
    ),
    "unknown_dataset.below": (
        "第 {first} 行起是另一张表，它的表头认不出来，第 {first}—{last} 行没有接收；请照上面的表头填写，或把它单独成表报送。",
        "Another table begins in row {first} whose header is not known; rows {first} to {last} were not taken: give it the "
        "header of the table above, or send it as a sheet of its own.",
    ),
    "ambiguous_dataset": (
        "这张表的表头同时符合几张报表（{titles}），分不清是哪一张；请在标题里写明报表名称。",
        "The headers fit several datasets equally ({titles_en}); name the dataset in the title.",
    ),
    "unreadable": (
        "文件打不开（{why}）；请用表格软件打开检查，另存为 .xlsx 后重新报送。",
        "The file cannot be opened ({why_en}); open it in a spreadsheet program and save it as .xlsx.",
    ),
    "unreadable.format": (
        "这是{why}，平台不读这种格式；请用表格软件打开，另存为 .xlsx 后重新报送。",
        "This is {why_en}, a format that is not read here; open it in a spreadsheet program and send it saved as .xlsx.",
    ),
    "unreadable.no_sheet": (
        "这是{why}，不是电子表格；请把数据填在平台的表样（.xlsx）里报送。",
        "This is {why_en}, not a spreadsheet; fill in the platform's own form (.xlsx) and send that.",
    ),
    "encrypted": (
        "文件设了打开密码，平台读不了；请取消密码后重新报送。",
        "The file needs a password; send it without one.",
    ),
    "too_large": (
        "文件太大（{size}，上限 {limit}）；请按年度或单位拆成几个文件报送。",
        "The file is too large ({size}, the limit is {limit}); split it.",
    ),
    "unsafe": (
        "文件的结构不正常（{why}），为安全起见没有打开；请用表格软件重新另存一份再报送。",
        "The file is built in a dangerous way ({why_en}) and was not opened; save it anew.",
    ),
    "empty": ("文件里没有内容；请检查是不是传错了文件。", "The file holds nothing; check whether it is the right one."),
    "empty.no_row": (
        "表里一行数据也没有；请填写后再报送，本期确实没有的，请在表下注明“本期无”。",
        "There is no row of data; fill the form in before it is sent, or write “本期无” below the table if there was nothing.",
    ),
    "empty.hidden": (
        "看得见的工作表里没有内容，只有隐藏的工作表（{sheets}），隐藏的不读；请取消隐藏后重新报送。",
        "The visible sheets hold nothing, and hidden ones ({sheets}) are not read; unhide what is to be sent.",
    ),
    "total_mismatch.rows": (
        "第 {row} 行（{cell} 单元格）写明有 {said} 行，而读到的是 {total} 行；请核对是不是漏了行，或改正写明的数。",
        "Row {row} ({cell}) says that there are {said} rows while {total} were read; check whether rows are left out, or correct the "
        "figure.",
    ),
    "total_mismatch.sum": (
        "第 {row} 行（{cell} 单元格）写明合计 {said}，而各行相加是 {total}；请核对是不是漏了行，或改正写明的数。",
        "Row {row} ({cell}) gives a total of {said} while the rows add up to {total}; check whether rows are left out, or correct the "
        "figure.",
    ),
    "total_mismatch": (
        "{where}填的合计是 {value}，而各行相加是 {total}，两者不符；请核对合计或漏报的行。",
        "{where_en} gives a total of {value} while the rows add up to {total}; check the total, or rows left out.",
    ),
}

_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")  # white space that parts no words

EXPECTED: dict[str, tuple[str, str, str]] = {  # kind -> (zh, en, example)
    "decimal": ("数字", "a number", "1234.5（只填数字）"),
    "integer": ("整数", "a whole number", "12（只填数字）"),
    "year": ("年度", "a year", "2021"),
    "month": ("月份", "a month", "2021-03"),
    "date": ("日期", "a date", "2021-03-05"),
    "boolean": ("“是”或“否”", "yes or no", "“是”或“否”"),
    "string": ("文字", "text", "文字"),
    "enum": ("规定的选项", "one of the list", "规定的选项"),
}


def message_of(code: str, variant: str | None = None, **fields: object) -> tuple[str, str]:
    """(message_zh, message_en) of an issue. KeyError where the code, the variant or a field is not there.

    `fields` are those in braces in the texts above; a field that a text does not use is ignored.
    """
    zh, en = _TEXTS[f"{code}.{variant}" if variant else code]
    return zh.format_map(fields), en.format_map(fields)


def position_texts(row: int | None, header: str | None, cell: str | None) -> dict[str, str]:
    """The fields `where` and `where_en`: `row` 1-based, `header` as the sheet or the contract calls the column."""
    name = " ".join(_BESIDE_CHINESE.sub("", header or "").split())
    zh = (f"第 {row} 行" if row else "") + (f"“{name}”" if name else "") + (f"（{cell} 单元格）" if cell else "")
    en = (f"'{name}'" if name else "") + (f" in {cell}" if cell else f" in row {row}" if row else "")
    return {"where": zh or "本表", "where_en": en.strip() or "the sheet"}


def shown(value: object, longest: int = 60) -> str:
    """A cell's value as a message quotes it: on one line, cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
