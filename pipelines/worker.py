"""The command `mingzhang worker`: reads files for the runs of a home that several machines share, until it is stopped.

Belongs here: waiting for work, and saying what was done. Not here: the work (pipelines/sources/spread.py).
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from pipelines.console import LINES, out, say
from pipelines.core.home import Home, HomeError
from pipelines.options import CityOption, ContractsOption, HomeOption

if TYPE_CHECKING:
    from pipelines.core.settings import Settings

LOOK = 1.0  # seconds between two looks for work


class NoHome(HomeError):
    """There is no home to work for. It may come: a service tries again."""

    exit_status = 1


def worker(home: HomeOption = None, contracts: ContractsOption = None, city: CityOption = None) -> None:
    """Read files for the runs of a home that lies on shared storage, until Ctrl-C or SIGTERM.

    Start one on each machine, as the user who runs the pipeline, with the same code, contracts and city's folder. A run that finds
    workers shares its reading out among them and itself; its release is the same, byte for byte.

    Exit status: 0 it was stopped; 1 there is no home, or it went away.
    """
    from pipelines.core.settings import Settings

    given = {"home": home, "contracts": contracts, "city": city}
    settings = Settings.read().model_copy(update={k: v for k, v in given.items() if v})
    LINES.json = settings.log == "json"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _work(settings)
    except KeyboardInterrupt:
        _tell("Stopped.")


def _work(settings: Settings) -> None:
    from expectations.contract import load_contracts
    from pipelines.core import chunks
    from pipelines.intake.key import key
    from pipelines.sources.spread import work_on

    home = Home(settings.home)
    _require(home)
    contracts = load_contracts(settings.contracts, city=settings.city)
    who, mine, refused = chunks.name_of_process(), key(contracts), ""
    with chunks.offered(home, who):
        _tell(f"Waiting for runs of {home.root}.")
        while True:
            for plan in chunks.plans(home):
                if plan.key != mine:  # a contract may have changed since; the code of this process cannot
                    contracts = load_contracts(settings.contracts, city=settings.city)
                    mine = key(contracts)
                if plan.key == mine:
                    work_on(home, contracts, plan, who, settings.processes or None, _said)
                elif plan.key != refused:
                    refused = plan.key
                    say(
                        "A run of this home has other code, libraries or contracts than this worker, which leaves it alone; "
                        "install the same version on both, give both the same city and contracts, and start the worker again."
                    )
            time.sleep(LOOK)
            _require(home)


def _require(home: Home) -> None:
    # Not made here: below a mount point without its mount it would be a folder of this machine alone.
    if not home.archive.is_dir() or not home.work.is_dir():
        raise NoHome(
            f"There is no home at {home.root}; mount the storage that holds it, or make it with 'mingzhang run'."
        )


def _said(read: int, left: int) -> None:
    _tell(f"Read {read:,} files." if not left else f"Read {read:,} files, and leaves {left:,} to the run.")


def _tell(sentence: str) -> None:
    if LINES.json:
        LINES.write("info", message=sentence)
    else:
        out.print(sentence, markup=False, highlight=False)
