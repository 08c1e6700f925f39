"""The options that several commands have in common, stated once.

Not here: an option that one command has, which stands with the command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The home folder. Default: MINGZHANG_HOME, else ./data.")
]
ContractsOption = Annotated[
    list[Path] | None,
    typer.Option("--contracts", help="A folder of contracts, added to those in expectations/. Repeatable."),
]
CityOption = Annotated[
    Path | None, typer.Option("--city", help="The city's folder. Default: MINGZHANG_CITY, else cities/zhuzhou.")
]
