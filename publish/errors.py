"""The errors of publishing that a person can meet. Each message is one sentence: what is wrong and what to do.

Belongs here: the error types, the exit status each ends the command with, and what an error came of. Not here: anything that raises them.
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


class GateHeld(ReleaseError):
    """A release was made and is held, because it moves too far from the last one. `reasons` are for the operator alone: they tell
    what secrecy may hide."""

    exit_status = 3

    def __init__(self, release_id: str, last: str, reasons: list[str]):
        self.release_id, self.last, self.reasons = release_id, last, reasons
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        super().__init__(
            f"Release {release_id} is held: {reasons[0].rstrip('.')}{more}; release {last} stays current. Send mended files and run "
            f"again, or publish it with 'mingzhang releases accept {release_id} --by NAME --why REASON'."
        )


class LimitsError(ReleaseError):
    """The city's limits of what holds a release cannot be used."""

    exit_status = 2


def chain(error: BaseException) -> list[BaseException]:
    """An error and those that it came of, the outermost first, each once: where a caught error is raised again, as Dagster
    does, the chain comes back to itself."""
    out: list[BaseException] = []
    e: BaseException | None = error
    while e is not None and all(e is not known for known in out):
        out.append(e)
        e = e.__cause__ or e.__context__
    return out
