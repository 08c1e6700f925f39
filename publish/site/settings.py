"""Settings of the site in operation, from the environment (`MINGZHANG_SITE_*`) or a .env file.

Belongs here: choices of the operator. Not here: limits that protect the site and should not be loosened
(guard.py, pool.py, door.py). docs/reference/settings.md is generated from the descriptions here.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from publish.site.ratelimit import Rate


class SiteSettings(BaseSettings):
    """Settings of the site. The numbers are the limits of one address (ratelimit.py)."""

    model_config = SettingsConfigDict(env_prefix="MINGZHANG_SITE_", env_file=".env", extra="ignore")

    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Addresses or networks, separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. "
        "Behind nginx on the same machine: `127.0.0.1`. Without it every reader has nginx's address and shares its limits; with "
        "one too many, anybody can pretend to be anybody.",
    )
    requests_burst: float = Field(default=3000, ge=1, description="Answers that one address may have made at once.")
    requests_each_second: float = Field(
        default=100,
        ge=0,
        description="Answers that one address may have made each second after that; 0 lifts the limit.",
    )
    sql_seconds_burst: float = Field(
        default=90, gt=0, description="Seconds of process time that the SQL queries of one address may take at once."
    )
    sql_seconds_each_second: float = Field(
        default=1, ge=0, description="Seconds of process time for SQL each second after that; 0 lifts the limit."
    )

    reports: bool = Field(
        default=True,
        description="Whether readers may report errors by a form, which writes a file in `HOME/reports` (`mingzhang readers`). Where that "
        "folder cannot be written there is no form, and the page says where to write instead.",
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [v.strip() for v in value.split(",") if v.strip()] if isinstance(value, str) else value

    @property
    def requests(self) -> Rate:
        """Return the rate of answers that must be made."""
        return Rate(self.requests_burst, self.requests_each_second)

    @property
    def sql_seconds(self) -> Rate:
        """Return the rate of worker seconds for a visitor's own SQL."""
        return Rate(self.sql_seconds_burst, self.sql_seconds_each_second)
