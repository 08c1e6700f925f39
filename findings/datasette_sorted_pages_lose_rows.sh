#!/usr/bin/env bash
# Datasette 0.65.5: following `next` through a table sorted by a column that has an index and equal values loses rows.
#
# Seen (Python 3.11, SQLite 3.40 and later): 60 rows, a compound primary key, an index on `kind` (three values), pages of 7.
#   sorted by kind, descending: fewer than 60 distinct rows arrive, the walk ends as if complete, every answer is 200;
#   the same walk without the index: all 60.
# Why: the first page is ordered by the sorted column alone, every later one by the column and then the key. Where SQLite reads
# the index backwards, the first page has equal values in descending order of the key; what lies between is on no page.
# Why it matters here: whoever downloads a public table page by page, sorted, gets a part of it without a word. The site
# orders by column and key. Exits 1 where the behaviour is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q datasette==0.65.5 httpx==0.28.1 setuptools==80.9.0
cat > walk.py <<'PY'
import asyncio, sqlite3, sys
from datasette.app import Datasette


async def rows(path, index):
    con = sqlite3.connect(path)
    con.execute("create table t (kind text, day text, place text, primary key (day, place))")
    con.executemany("insert into t values (?, ?, ?)",
                    [("abc"[n * 7 % 3], f"2024-01-{n % 20 + 1:02d}", f"p{n:02d}") for n in range(60)])
    if index:
        con.execute("create index t_kind on t (kind)")
    con.commit()
    con.close()
    ds = Datasette([path])
    found, url = set(), f"/{path[:-3]}/t.json?_sort_desc=kind&_size=7&_shape=objects"
    while url:
        answer = await ds.client.get(url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found |= {(r["day"], r["place"]) for r in page["rows"]}
        url = page["next_url"] and page["next_url"].replace("http://localhost", "")
    return len(found)


async def main():
    with_index, without = await rows("with.db", True), await rows("without.db", False)
    print(f"rows reached of 60: {with_index} with an index on the sorted column, {without} without")
    sys.exit(not (with_index < 60 == without))


asyncio.run(main())
PY
venv/bin/python walk.py
