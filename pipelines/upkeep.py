"""The commands that keep a home safe and say what was done to it: `mingzhang backup`, `restore`, `audit`, `releases bill`.

Belongs here: reading their options and printing what came of them. Not here: any work (backup.py, core/audit.py,
publish/release/bill.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import drawn, out, say
from pipelines.core.home import Home
from pipelines.options import HomeOption

upkeep = typer.Typer()
MEGABYTE = 1e6


@upkeep.command()
def backup(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file to write, such as home.tar.gz.")],
    home: HomeOption = None,
) -> None:
    """Back up a home to one file, also while a run works on it. The file holds closed records: encrypt it.

    Exit status: 0 it is written; 1 it is not, or it is and a sentence names what in the home is damaged.
    """
    from pipelines.backup import back_up

    with drawn():
        made = back_up(_home(home), to)
    for sentence in made.damaged:
        say(sentence)
    of = f"release {made.release}" if made.release else "a home without a release"
    out.print(
        f"{to} is a backup of {of}: {made.files:,} files, {made.size / MEGABYTE:,.1f} MB, sha256 {made.sha256}.",
        highlight=False,
        markup=False,
    )
    raise typer.Exit(1 if made.damaged else 0)


@upkeep.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that 'mingzhang backup' wrote.")],
    home: Annotated[Path, typer.Option("--home", help="The new home: an empty folder, or one that is not there yet.")],
) -> None:
    """Make a new home of a backup, whole or not at all. The next run makes again what a backup leaves out.

    Exit status: 0 the home is there; 1 the backup is torn or was changed, and nothing is left of it; 2 the home is not empty.
    """
    from pipelines.backup import restore as unpack

    made = unpack(file, Home(home))
    release = f"release {made.release}" if made.release else "no release"
    out.print(
        f"{home} is as it was backed up at {made.made_at} by version {made.code_version}: {made.files:,} files, {release}.",
        highlight=False,
        markup=False,
    )


@upkeep.command("audit")
def print_audit(
    home: HomeOption = None,
    act: Annotated[str, typer.Option("--act", help="Only these acts, such as released or rolled_back.")] = "",
    release: Annotated[str, typer.Option("--release", metavar="ID", help="Only lines about this release.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON array on standard output, and nothing else there.")
    ] = False,
) -> None:
    """Print who did what to a home and when: releases, rollbacks, decisions, backups. The oldest first."""
    from pipelines.core.audit import read

    lines, damaged = read(_home(home))
    found = [x for x in lines if act in ("", x.act) and release in ("", x.release)]
    if as_json:
        print(json.dumps([asdict(x) for x in found], ensure_ascii=False, indent=2))
    else:
        for x in found:
            who = f"{x.account} ({x.actor})" if x.actor else x.account
            what = " ".join(f"{k}={v}" for k, v in x.what.items() if v not in ("", 0))
            words = [x.at, x.act, x.release, f"by {who}", what]
            out.print("  ".join(" ".join(w.split()) for w in words if w), highlight=False, markup=False)
        if not found:
            out.print("No line.")
    for number in damaged:
        say(f"Line {number} of the audit log cannot be read; a crash cut it, or somebody changed it.")


def print_bill(
    release_id: Annotated[str, typer.Argument(metavar="ID", help="A release id, or 'current'.")],
    home: HomeOption = None,
) -> None:
    """Print the bill of materials (CycloneDX) of a release: the software that made it, with versions and licences."""
    from publish.release.bill import read

    print(read(_home(home), release_id), end="")


def _home(given: Path | None) -> Home:
    from pipelines.core.settings import Settings

    return Home(given or Settings.read().home)
