"""Sentences of refusals and notices, in both languages.

Belongs here: what the site answers where it shows no page or data. Not here: SQL errors (sql_errors.py), sentences that
name an argument or value (validation.py, api/).
"""

from __future__ import annotations

from publish.site.language import Pair, pair

BANNER: Pair = pair(
    "Made-up data: the figures come from invented institutions; they show how the computing works and prove nothing about any real city."
)
NOT_FOUND: Pair = pair("There is no such page; start from the home page.")
FORBIDDEN: Pair = pair("This is not open to the public.")
TOO_SLOW: Pair = pair(
    "The query took too long and was stopped; join fewer tables, add a condition, or use the table of indicators."
)
TOO_LARGE: Pair = pair(
    "The query needs too much memory or its answer is too large; ask for fewer columns or rows, or download the file."
)
BUSY: Pair = pair("Too many queries are running; try again in a few seconds. Other pages are not affected.")
NO_RELEASE: Pair = pair("There is no such release, or it is no longer kept.")
TOO_LONG: Pair = pair("The address is too long; write a shorter query.")
METHOD: Pair = pair("This site is for reading only; use GET.")
BAD_REQUEST: Pair = pair("One of the arguments in the address cannot be used; check its spelling.")
INTERNAL: Pair = pair("Something went wrong on our side and was written down; please try again later.")
NO_SQL: Pair = pair("This address needs a query: ?sql=SELECT ….")
NOT_UTF8: Pair = pair("The text in the address is not UTF-8 (it may be GBK); encode it as UTF-8 and try again.")
TOO_MANY: Pair = pair(
    "Too many requests came from this address; wait a little, and for much data download the files or the database."
)
