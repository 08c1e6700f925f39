"""A made-up city: invented institutions and the messy spreadsheets they send, with the truth about each beside them.

Belongs here: inventing values (city.py, datasets.py), spoiling some (plant.py), laying them out (layout.py), writing
formats (formats.py), and putting a city on disk (make.py). Not here: reading anything; what a column is called or how it
is measured, which the contracts say; what the city states, which its folder says.
"""

MARK = "合成示例数据（虚构，不代表任何真实单位）"
