"""The process that works through batches of jobs: takes them from its standard input, answers on its standard output.

Belongs here: its loop. Not here: how many there are or what happens when one dies (supervisor.py), or the work, which it is sent.
"""

from __future__ import annotations

import os
import sys

from pipelines.core.processes.frames import receive, send
from pipelines.core.processes.limits import end_on_time
from pipelines.core.processes.work import CONFINED, CONNECTED, Meter, Setup, Shared


def main() -> None:
    """Argument: the descriptor of the shared memory. Ends when its input ends."""
    shared = Shared(int(sys.argv[1]))
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    setup: Setup = receive(stdin)
    answer = setup.prepare(setup.argument)  # before the limits are set: it may still import
    shared.state = CONFINED if setup.limits.apply() else CONNECTED
    end_on_time()
    meter = Meter(shared, setup.seconds, setup.patience)
    while (batch := receive(stdin)) is not None:
        answers = answer(batch, meter)
        meter.end(len(batch))
        send(stdout, answers)


if __name__ == "__main__":
    main()
