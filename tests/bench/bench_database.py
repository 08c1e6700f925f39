"""Writing a table of the public database, against executemany of the same rows into the same table.

`python -m tests.bench database [ROWS]` (300,000). The rows lie in memory: Arrow for ours, tuples for the other. Processor time,
the best of three.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa

from publish.release.warehouse import MART
from publish.release.write import SQLITE, Database
from tests.bench.figures import Measured

DISTRICTS = ("430202", "430203", "430204", "430211", "430281")


def main(arguments: list[str] | None = None) -> list[Measured]:
    """Prints the seconds and gives the ratio."""
    count = int(arguments[0]) if arguments else 300_000
    table, chance = MART["indicator_values"], random.Random(1)
    made = {
        "text": lambda n: f"{chance.choice(DISTRICTS)}/{n}",
        "integer": lambda n: n,
        "real": lambda n: chance.random() * 1e6,
        "boolean": lambda n: n % 2 == 0,
        "date": lambda n: None,
    }
    columns = [[made.get(f.type, made["text"])(n) for n in range(count)] for f in table.fields]
    arrow = pa.table(columns, schema=table.arrow)
    rows = list(zip(*columns, strict=True))

    def ours(path: Path) -> None:
        with Database(path) as database:
            database.add(table, arrow, unique=True)

    def plain(path: Path) -> None:
        with closing(sqlite3.connect(path)) as con:
            fields = ", ".join(f'"{f.name}" {SQLITE[f.type]}' for f in table.fields)
            con.execute(f"create table t ({fields}, primary key ({', '.join(table.key)}))")
            con.executemany(f"insert into t values ({', '.join('?' * len(table.fields))})", rows)
            for n, names in enumerate(table.indexes):
                con.execute(f"create index i{n} on t ({', '.join(names)})")
            con.commit()

    a, b = _best(ours), _best(plain)
    print(f"  {count:,} rows of {len(table.fields)} columns: {a:.2f} s of the processor, executemany {b:.2f} s")
    return [Measured("public database, against executemany", f"{a / b:.2f}", "1.2", a / b <= 1.2)]


def _best(work: Callable[[Path], None]) -> float:
    took = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.process_time()
            work(Path(folder) / "t.db")
            took.append(time.process_time() - begin)
    return min(took)


if __name__ == "__main__":
    main(sys.argv[1:])
