"""Settings of a running platform, from the environment (`MINGZHANG_*`) or a .env file; the command line overrides them.

Belongs here: what an operator may choose. Not here: what a city is (its folder) or what a dataset is (its contract).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """`inbox` and `contracts` take several values separated by line breaks; `due_days` is how long a department has to mend an error."""

    model_config = SettingsConfigDict(env_prefix="MINGZHANG_", env_file=".env", extra="ignore")

    home: Path = Path("data")
    inbox: Annotated[list[str], NoDecode] = []
    contracts: Annotated[list[Path], NoDecode] = []
    city: Path = ROOT / "cities" / "zhuzhou"
    as_of: str = ""
    full: bool = False
    processes: int | None = None
    due_days: int = 15

    @field_validator("inbox", "contracts", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        # A newline separates, because an address has colons of its own.
        return [v for v in value.split("\n") if v] if isinstance(value, str) else value
