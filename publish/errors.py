"""The errors of publishing that a person can meet. Each message is one sentence: what is wrong and what to do.

Belongs here: the error types and the exit status each ends the command with. Not here: anything that raises them.
"""

from __future__ import annotations


class ReleaseError(RuntimeError):
    """No release was made; the last one stands untouched."""

    exit_status = 1


class GateRefused(ReleaseError):
    """A finished file holds what must not leave. `hits` name file, table, row and rule, never the secret itself."""

    exit_status = 3

    def __init__(self, hits: list[str]):
        self.hits = hits
        more = f" (and {len(hits) - 1} more)" if len(hits) > 1 else ""
        super().__init__(f"The release was refused: {hits[0]}{more}; the last release stands.")


class NoSuchRelease(ReleaseError):
    """A release id that this home does not hold."""

    exit_status = 2
