"""The short name of each issue code, as the marked files sent back call it; the site has its own (publish/site/words.py).

Belongs here: names alone. Not here: what a department is told (pipelines/intake/messages.py) or the long explanation
(docs/issues).
"""

NAMES: dict[str, tuple[str, str]] = {  # code -> (zh, en)
    "missing_required": ("必填项没有填", "A required cell is empty"),
    "bad_type": ("填的内容读不出来", "A cell cannot be read as its type"),
    "not_in_list": ("不在规定的选项里", "A value outside its list"),
    "out_of_range": ("超出允许的范围", "A value outside its range"),
    "bad_check_digit": ("信用代码校验位不对", "A wrong check character"),
    "unknown_institution": ("名录里没有这个单位", "An institution nobody knows"),
    "date_order": ("日期先后颠倒", "Dates in the wrong order"),
    "inconsistent": ("几个数互相矛盾", "Figures that contradict each other"),
    "duplicate_key": ("重复填报", "The same key twice"),
    "classified_refused": ("涉密单位不予接收", "A classified institution is refused"),
    "doubtful": ("请核对", "Doubtful but possible"),
    "unmapped_column": ("表头不在规定里", "A column nobody mapped"),
    "missing_column": ("缺少必填的列", "A required column is missing"),
    "unknown_dataset": ("认不出是哪张报表", "Which dataset is unclear"),
    "ambiguous_dataset": ("像几张不同的报表", "Several datasets fit"),
    "unreadable": ("文件打不开", "The file cannot be opened"),
    "encrypted": ("文件有密码", "The file is encrypted"),
    "too_large": ("文件太大", "The file is too large"),
    "unsafe": ("文件结构不安全", "The file is not safe to open"),
    "empty": ("文件是空的", "The file is empty"),
    "total_mismatch": ("合计与各行不符", "A total that differs from its rows"),
}
