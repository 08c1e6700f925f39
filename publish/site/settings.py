"""Settings of the site in operation, from the environment (`MINGZHANG_SITE_*`) or a .env file.

Belongs here: what whoever runs the site may choose. Not here: limits that keep the site standing and that nobody should
loosen (guard.py, pool.py, door.py). docs/deploy.md describes each; a test holds the two against one another.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from publish.site.ratelimit import Rate


class SiteSettings(BaseSettings):
    """`trusted_proxies`: addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed, with commas between;
    nobody is by default. The four numbers are the limits of one address (ratelimit.py); 0 each second lifts a limit."""

    model_config = SettingsConfigDict(env_prefix="MINGZHANG_SITE_", env_file=".env", extra="ignore")

    trusted_proxies: Annotated[list[str], NoDecode] = []
    requests_burst: float = Field(default=3000, ge=1)
    requests_each_second: float = Field(default=100, ge=0)
    sql_seconds_burst: float = Field(default=90, gt=0)
    sql_seconds_each_second: float = Field(default=1, ge=0)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [v.strip() for v in value.split(",") if v.strip()] if isinstance(value, str) else value

    @property
    def requests(self) -> Rate:
        """Answers that had to be made."""
        return Rate(self.requests_burst, self.requests_each_second)

    @property
    def sql_seconds(self) -> Rate:
        """Seconds of a process running a visitor's own SQL."""
        return Rate(self.sql_seconds_burst, self.sql_seconds_each_second)
