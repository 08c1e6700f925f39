"""Words that a contract or a city adds to those by which rows of a sheet are recognised as no data.

Belongs here: reading and checking them. Not here: the common words (pipelines/intake/vocabulary), or how rows are classified.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from expectations.contract.model import ContractError
from expectations.contract.units import header_key

# Kinds of rows that hold no data; a contract or a city may add words to each.
OF_WORDS = ("total", "note", "signature", "among", "section", "example", "continued")
OF_CITY_WORDS = (*OF_WORDS, "nothing", "submitter")  # also: words read as null in a cell, and labels of the sender
CITY_WORDS = "words.toml"


def read_words(path: Path) -> dict[str, tuple[str, ...]]:
    """Read the words that a city adds, by OF_CITY_WORDS; {} where it has no such file. Raises ContractError."""
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise ContractError(f"{path.name} is not readable as TOML ({first_line(e)}); mend the file.") from e
    return check_words(found, OF_CITY_WORDS, path.name)


def check_words(raw: Any, kinds: tuple[str, ...], where: str) -> dict[str, tuple[str, ...]]:
    """Return words by kind, from parsed TOML or YAML. Raises ContractError, whose message begins with `where`."""
    if not isinstance(raw, dict) or (unknown := [k for k in raw if k not in kinds]):
        wrong = repr(unknown[0]) if isinstance(raw, dict) else repr(raw)
        raise ContractError(f"{where}: words are not added for {wrong}; write lists of words for {', '.join(kinds)}.")
    for kind, words in raw.items():
        if not isinstance(words, list) or not all(isinstance(w, str) and header_key(w) for w in words):
            raise ContractError(f"{where}: '{kind}' is {words!r}; write a list of words, [<word>, ...], in quotes.")
    return {kind: tuple(words) for kind, words in raw.items() if words}


def first_line(e: BaseException) -> str:
    """An exception's message on one line, at most 160 characters."""
    return " ".join(str(e).split())[:160]
