"""Settings of a running platform, from the environment (`MINGZHANG_*`) or a .env file; the command line overrides them.

Belongs here: what an operator may choose, read in one way for every command and for Dagster. Not here: what a city is (its
folder) or what a dataset is (its contract). docs/reference/settings.md is generated from the descriptions here.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipelines.core.spark import LOCAL

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "MINGZHANG_"
MEND_DAYS = 15  # days for a department to correct an error, by default


class SettingsError(ValueError):
    """A setting that cannot be used. The message names it and what to write instead."""

    exit_status = 2


class Settings(BaseSettings):
    """Settings of every command. `inbox` and `contracts` take several values, one to a line."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    home: Path = Field(default=Path("data"), description="The home folder (`--home`).")
    inbox: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Folders or URLs that departments put files in, one to a line (`--inbox`). Without one, a home that has "
        "received files is computed from what it holds.",
    )
    sources: Path | None = Field(
        default=None,
        description="A YAML file of sources that have settings of their own, such as an account, beside the inboxes "
        "(docs/how-to/add-a-source.md).",
    )
    contracts: Annotated[list[Path], NoDecode] = Field(
        default=[],
        description="Folders of contracts, one to a line, added to those in `expectations/contracts/` (`--contracts`).",
    )
    city: Path = Field(
        default=ROOT / "cities" / "zhuzhou",
        description="The city's folder (`--city`). Its `city.yaml` names the time zone (`time_zone`; Asia/Shanghai by default).",
    )
    as_of: str = Field(
        default="",
        description="The date a release speaks of, such as `2025-12-31` (`--as-of`); empty: today in the city's time zone. A run "
        "asks the clock once, and all its stages have that date.",
    )
    full: bool = Field(default=False, description="`true` makes every stage again (`--full`).")
    processes: int = Field(default=0, ge=0, description="How many processes read files; 0: one for each processor.")
    memory: int = Field(
        default=0,
        ge=0,
        description="Memory that DuckDB may take, in MB; beyond it DuckDB works on disk. 0: a quarter of the memory of the machine "
        "or container, at least 500.",
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="What computes the statistics (`--engine`): `duckdb` on this machine, or `spark`, for more than one machine holds "
        "(docs/scale.md). The figures and the files are the same.",
    )
    master: str = Field(
        default=LOCAL,
        description="Spark's master where the engine is `spark` (`--master`), such as `spark://host:7077`; by default Spark runs on this machine alone.",
    )
    due_days: int = Field(
        default=MEND_DAYS,
        ge=0,
        description="Days a department has to correct an error before its task is overdue; 0: the same day.",
    )

    actor: str = Field(
        default="",
        description="Who acts, for the audit log (docs/how-to/read-the-audit-log.md): a person or an office, beside the operating system's "
        "account, which is noted always. For accounts that several people use, and for schedulers.",
    )
    log: Literal["text", "json"] = Field(
        default="text",
        description="`json`: `mingzhang run` writes one JSON object to a line of standard error for each stage that ended, each warning and "
        "the error that ended it, for a service's log.",
    )

    @field_validator("inbox", "contracts", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        # A newline separates, because an address has colons of its own.
        return [v for v in value.split("\n") if v] if isinstance(value, str) else value

    @field_validator("sources", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return value or None

    @field_validator("as_of")
    @classmethod
    def _date(cls, value: str) -> str:
        try:
            return date.fromisoformat(value).isoformat() if value else ""
        except ValueError:
            raise ValueError("it is not a date; write it as 2025-12-31") from None

    @classmethod
    def read(cls) -> Settings:
        """Return the settings in force in the current folder. Raises SettingsError."""
        try:
            return cls()
        except ValidationError as e:
            wrong = e.errors()[0]
            name = PREFIX + "_".join(map(str, wrong["loc"])).upper()
            why = str(wrong["msg"]).removeprefix("Value error, ").rstrip(".")
            raise SettingsError(
                f"The setting {name} is '{wrong.get('input')}' ({why}); mend it, docs/reference/settings.md says what it may be."
            ) from None

    def environment(self) -> dict[str, str]:
        """Return the same settings as environment variables that mean the same in any folder."""
        return {
            f"{PREFIX}HOME": str(self.home.resolve()),
            f"{PREFIX}INBOX": "\n".join(map(absolute, self.inbox)),
            f"{PREFIX}SOURCES": str(self.sources.resolve()) if self.sources else "",
            f"{PREFIX}CONTRACTS": "\n".join(str(c.resolve()) for c in self.contracts),
            f"{PREFIX}CITY": str(self.city.resolve()),
            f"{PREFIX}AS_OF": self.as_of,
            f"{PREFIX}FULL": str(self.full).lower(),
            f"{PREFIX}PROCESSES": str(self.processes),
            f"{PREFIX}MEMORY": str(self.memory),
            f"{PREFIX}ENGINE": self.engine,
            f"{PREFIX}MASTER": self.master,
            f"{PREFIX}DUE_DAYS": str(self.due_days),
            f"{PREFIX}ACTOR": self.actor,
        }


def absolute(inbox: str) -> str:
    """Return an inbox's address so that it means the same in any folder; a URL does already."""
    return inbox if "://" in inbox else os.path.abspath(inbox)  # noqa: PTH100 (a link stays a link)
