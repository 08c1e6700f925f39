#!/usr/bin/env bash
# duckdb 2.0.0 (Python): Ctrl-C during a query is no KeyboardInterrupt but RuntimeError('Query interrupted'), an Exception.
#
# Seen (Python 3.11): a process sends itself SIGINT half a second into a query that runs for some seconds.
#   in pure Python:      KeyboardInterrupt, which `except Exception` lets pass
#   in con.execute(...): RuntimeError: Query interrupted; `except KeyboardInterrupt` is passed over, `except Exception` takes it;
#                        __cause__ and __context__ are None, so nothing tells that a person asked to stop
# Why it matters here: a run that is stopped during a query looked like a fault of ours, with a traceback; a loop that tries again
# on errors would swallow every Ctrl-C. The command takes this error for a stop. Exits 1 where the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q duckdb==2.0.0
cat > stop.py <<'PY'
import os, signal, sys, threading, time

import duckdb


def outcome(work):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        work()
    except KeyboardInterrupt:
        return "KeyboardInterrupt"
    except Exception as e:
        return f"{type(e).__module__}.{type(e).__name__}: {e}; cause {e.__cause__}, context {e.__context__}"
    return "finished"


def count():
    n, end = 0, time.monotonic() + 20
    while time.monotonic() < end:
        n += 1


con = duckdb.connect()
query = "select count(*) from range(20000000) a, range(100) b where (a.range * b.range) % 7 = 3"
seen = [outcome(count), outcome(lambda: con.execute(query).fetchall())]
print(*seen, sep="\n")
sys.exit(seen != ["KeyboardInterrupt", "builtins.RuntimeError: Query interrupted; cause None, context None"])
PY
venv/bin/python stop.py
