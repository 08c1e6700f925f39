"""The gate over the SQL of statements: it runs on the finished database and gives the value shown.

Belongs here: running one statement's SQL within limits, and comparing as it is printed. Not here: what a statement says (dbt).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from publish.disclosure.inspection import DATABASE, Inspection, open_database

SQL_STEPS = 50_000_000  # how long a statement's SQL may work: a journalist will run it too


def statements(look: Inspection) -> int:
    """Each statement's SQL runs on the finished database and gives the value that the statement's row shows."""
    checked = 0
    for table, key, shown in (("claims", "claim_id", "computed_value"), ("claim_arithmetic", "check_id", "computed")):
        if table not in look.counts:
            continue
        with closing(open_database(look)) as con:
            rows = con.execute(f"select {key}, {shown}, sql from {table} where sql is not null").fetchall()
            for name, computed, sql in rows:
                checked += 1
                try:
                    value = run_sql(con, sql)
                except (sqlite3.Error, ValueError) as e:
                    look.hit(f"{DATABASE} {table} {name}", f"its SQL does not run ({e})")
                    continue
                if computed is not None and (value is None or not same_number(computed, value)):
                    look.hit(f"{DATABASE} {table} {name}", "its SQL does not give the value shown")
    return checked


def run_sql(con: sqlite3.Connection, sql: str) -> float | None:
    """The one number that a statement's SQL gives, None where it gives none. Raises ValueError or sqlite3.Error with the reason."""
    steps = 0

    def tick() -> bool:
        nonlocal steps
        steps += 1
        return steps * 10_000 > SQL_STEPS

    con.set_progress_handler(tick, 10_000)
    try:
        rows = con.execute(sql).fetchmany(2)
    finally:
        con.set_progress_handler(None, 0)
    if not rows:
        return None
    if len(rows) > 1 or len(rows[0]) != 1:
        raise ValueError("it gives more than one value, not one number")
    value = rows[0][0]
    if value is not None and not isinstance(value, int | float):
        raise ValueError("it gives a text, not a number")
    return value


def same_number(shown: float, value: float) -> bool:
    """Whether `value`, rounded to the digits of `shown`, is `shown` (a double's own error allowed)."""
    text = repr(float(shown))
    decimals = 0 if "e" in text or text.endswith(".0") else len(text.partition(".")[2])
    return abs(shown - value) <= 0.5 * 10.0**-decimals + 1e-9 * max(abs(shown), 1.0)
