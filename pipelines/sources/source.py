"""Settings of each source of files: its address, its account and how often it is looked at.

Belongs here: reading them, and a source's password out of the environment. Not here: listing a source (inbox.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

SECONDS = 60  # between two looks of a sensor at a source


class SourceError(ValueError):
    """A file of sources, or a source in it, that cannot be used. The message names it and what to write instead."""

    exit_status = 2


class Source(BaseModel):
    """One source. `address` is a folder or a URL without a password; `password_env` names the environment variable that holds it.

    `senders` maps senders of a mailbox, an address or a domain such as `@example.org`, to the unit whose submissions they send.
    `seconds` lie between two looks of its sensor.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    name: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    user: str = ""
    password_env: str = ""
    endpoint: str = ""
    senders: Mapping[str, str] = {}
    seconds: int = Field(default=SECONDS, ge=5)

    def __hash__(self) -> int:
        return hash(self.address)

    @property
    def scheme(self) -> str:
        return self.address.partition("://")[0].lower() if "://" in self.address else "file"

    def password(self, default_env: str = "") -> str | None:
        """The password out of `password_env`, else out of `default_env`; None where neither is set. Raises SourceError where
        `password_env` is named and not set."""
        if self.password_env and not os.environ.get(self.password_env):
            raise SourceError(
                f"The source {self.address} has its password in {self.password_env}, which is not set; set it in the environment of the "
                "command, or in .env of its service."
            )
        return os.environ.get(self.password_env or default_env) or None


def as_source(inbox: str | Source) -> Source:
    """The source of an address that nothing more is said about."""
    return inbox if isinstance(inbox, Source) else Source(address=inbox)


def sources_of(inboxes: Iterable[str], file: Path | None) -> list[Source]:
    """The sources of a file, then the inboxes that are not among them; each address once. Raises SourceError."""
    found = {s.address: s for s in (read_sources(file) if file else ())}
    return [*found.values(), *(Source(address=i) for i in dict.fromkeys(inboxes) if i not in found)]


def read_sources(file: Path) -> list[Source]:
    """The sources that a file states under `sources`. Raises SourceError, which repeats none of its values."""
    try:
        stated = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise SourceError(f"The file of sources {file} cannot be read ({e.strerror}); mend MINGZHANG_SOURCES.") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise SourceError(f"The file of sources {file} is no YAML in UTF-8; mend it.") from e
    listed = stated.get("sources") if isinstance(stated, dict) else None
    if not isinstance(listed, list):
        raise SourceError(f"The file of sources {file} has no list `sources`; see docs/how-to/add-a-source.md.")
    found = [_source(file, n, raw) for n, raw in enumerate(listed, 1)]
    for attribute in ("address", "name"):
        values = [v for s in found if (v := getattr(s, attribute))]
        if len(values) != len(set(values)):
            raise SourceError(f"Two sources of {file} have the same {attribute}; give each its own.")
    return found


def _source(file: Path, number: int, raw: Any) -> Source:
    try:
        return Source.model_validate(raw)
    except ValidationError as e:
        wrong = e.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, wrong["loc"])) or "the source"
        raise SourceError(
            f"Source {number} of {file}: {field}: {wrong['msg']}; see docs/how-to/add-a-source.md."
        ) from None
