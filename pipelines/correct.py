"""The command `mingzhang correct`: the bureau withdraws a submission, patches a cell, declares a year final or a published figure wrong.

Belongs here: checking that what is named is there, and writing the decision down. Not here: what a decision does
(pipelines/records/corrected.py, pipelines/records/final_years.py, publish/disclosure/corrections.py); it takes effect with the next run.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipelines.core.home import Home
from pipelines.options import ContractsOption, HomeOption
from pipelines.sources import decisions

out = Console()
correct = typer.Typer(
    help="Withdraw a submission, patch a cell, declare a year final, correct a published figure: who, why, since when.",
    no_args_is_help=True,
)
By = Annotated[str, typer.Option("--by", help="Who decided: a name or an office. It is published.")]
Why = Annotated[str, typer.Option("--why", help="Why, in Chinese, one sentence. It is published.")]
WhyEn = Annotated[str, typer.Option("--why-en", help="The same in English. Default: as in Chinese.")]
Since = Annotated[str, typer.Option("--since", help="The date of the decision, YYYY-MM-DD. Default: today.")]


@correct.command("figure")
def figure(
    indicator: Annotated[str, typer.Argument(help="The indicator's id, such as energy_tce.")],
    year: Annotated[int, typer.Argument(help="The year of the figure.")],
    by: By,
    why: Why,
    why_en: WhyEn = "",
    since: Since = "",
    dimension: Annotated[str | None, typer.Option(help="Only this dimension, such as district.")] = None,
    member: Annotated[str | None, typer.Option(help="Only this member, such as 990101.")] = None,
    factor_set: Annotated[str | None, typer.Option("--factor-set", help="Only this set of factors.")] = None,
    release: Annotated[
        str, typer.Option("--release", metavar="ID", help="The last release that published it wrong.")
    ] = "current",
    home: HomeOption = None,
) -> None:
    """Declare a published figure wrong. It is replaced where secrecy allows, else withdrawn; so is all that holds the error.

    The reason is published: say what kind of error it was, not whose and not by how much. For the figure of one district or
    kind name it with --dimension and --member: then what others reported late for the same year is held and not withdrawn.
    """
    from publish.disclosure.corrections import FIGURE
    from publish.disclosure.past_releases import recall
    from publish.release.store import folder

    place = _home(home)
    found = folder(place, release)
    asked = {"dimension": dimension, "member": member, "factor_set": factor_set}
    shown = _published(found, indicator, year, asked)
    _stated_text(by, why, since)
    _names_nobody(found, f"{by} {why} {why_en}")
    with place.locked():
        details = {"indicator_id": indicator, "year": year, "release": found.name, "releases": len(recall(place))}
        details |= {k: v for k, v in asked.items() if v is not None}
        target = " ".join([indicator, str(year), *(f"{k}={v}" for k, v in asked.items() if v is not None)])
        decisions.add(place, FIGURE, target, by, why, why_en, since, details)
    out.print(
        f"{target} as published in {found.name} ({shown} values) is declared wrong; the next 'mingzhang run' replaces or "
        "withdraws it in the open, and what holds the same error with it.",
        highlight=False,
        soft_wrap=True,
    )


@correct.command("withdraw")
def withdraw(
    submission: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A file's name below the inbox, the first 8 or more digits of its sha256, or NAME@DIGITS.",
        ),
    ],
    by: By,
    why: Why,
    why_en: WhyEn = "",
    since: Since = "",
    dataset: Annotated[str | None, typer.Option(help="Only this dataset of the file.")] = None,
    home: HomeOption = None,
) -> None:
    """Treat a submission as never received, also while its file lies in the inbox. What it had replaced is valid again."""
    from pipelines.records.corrected import WITHDRAW

    place = _home(home)
    name, files = _files(place, submission)
    if dataset is not None:
        sheets = _intake(place, "sheets")
        had = sorted(set(sheets.loc[sheets["file_id"].isin(files), "dataset"].dropna()))
        if dataset not in had:
            raise typer.BadParameter(f"{name} holds no {dataset}; it holds {', '.join(had) or 'no dataset'}.")
    _stated_text(by, why, since)
    with place.locked():
        details = {"files": files} | ({"dataset": dataset} if dataset else {})
        decisions.add(place, WITHDRAW, name, by, why, why_en, since, details)
    out.print(
        f"{name} counts as never received from the next 'mingzhang run' on; 'mingzhang correct undo' takes it back.",
        highlight=False,
        soft_wrap=True,
    )


@correct.command("cell")
def cell(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A file's name below the inbox, the first 8 or more digits of its sha256, or NAME@DIGITS.",
        ),
    ],
    sheet: Annotated[str, typer.Argument(help="The sheet's name; '' for a text file.")],
    at: Annotated[str, typer.Argument(metavar="CELL", help="The cell, such as D5.")],
    value: Annotated[
        str, typer.Option(help="What should stand there. A number without a unit is in the contract's unit.")
    ],
    by: By,
    why: Why,
    why_en: WhyEn = "",
    since: Since = "",
    until: Annotated[
        str, typer.Option(help="The last day it holds, YYYY-MM-DD. Default: until a newer file comes.")
    ] = "",
    contracts: ContractsOption = None,
    home: HomeOption = None,
) -> None:
    """Let a cell of a received file count as another value, until the department sends a newer file."""
    from expectations.contract import load_contracts
    from pipelines.core.settings import Settings
    from pipelines.records.corrected import CELL, read_value

    s = Settings.read()
    place = Home(home or s.home)
    name, files = _files(place, file)
    letters, digits = at.upper().rstrip("0123456789"), at[len(at.rstrip("0123456789")) :]
    if not (letters.isascii() and letters.isalpha() and digits):
        raise typer.BadParameter(f"{at} is no cell; write it like D5.")
    columns = _intake(place, "columns")
    mine = columns[columns["file_id"].isin(files) & columns["column"].notna()]
    sheets = sorted(set(mine["sheet"]))
    if sheet not in sheets:
        raise typer.BadParameter(f"{name} has no sheet '{sheet}' that was read; it has {_listed(sheets)}.")
    mine = mine[mine["sheet"] == sheet]
    row = int(digits)
    here = mine[(mine["letter"] == letters) & (mine["first_row"] <= row) & (row <= mine["last_row"])]
    if here.empty:
        rows = f"{mine['first_row'].min()} to {mine['last_row'].max()}"
        raise typer.BadParameter(
            f"No column of a contract stands at {at}; there are {_listed(sorted(set(mine['letter'])))} in rows {rows}."
        )
    found = here.iloc[0]
    column = load_contracts(contracts or s.contracts, city=s.city)[found["dataset"]].by_name[found["column"]]
    try:
        read_value(column, value)
    except ValueError as e:
        raise typer.BadParameter(str(e)) from None
    _date("--until", until)
    _stated_text(by, why, since)
    with place.locked():
        details: dict[str, Any] = {"file": str(found["file_id"]), "sheet": sheet, "row": row, "cell": f"{letters}{row}"}
        details |= {"dataset": str(found["dataset"]), "column": column.name, "value": value}
        details |= {"until": until} if until else {}
        decisions.add(place, CELL, f"{name} {sheet}!{letters}{row}", by, why, why_en, since, details)
    unit = f" {column.unit}" if column.unit else ""
    out.print(
        f"{name} {sheet}!{letters}{row} ({column.header_zh}) counts as {value}{unit} from the next 'mingzhang run' on.",
        highlight=False,
        soft_wrap=True,
    )


@correct.command("final")
def final(
    year: Annotated[int, typer.Argument(help="The year whose data are final.")],
    by: By,
    why: Why,
    why_en: WhyEn = "",
    since: Since = "",
    home: HomeOption = None,
) -> None:
    """Declare a year final: what runs take in about it from now on waits in quarantine and replaces nothing.

    Run first, so that what lies in the inbox counts. Patches and withdrawals hold in a final year too, as they are decisions.
    """
    from pipelines.records.final_years import FINAL
    from pipelines.sources.ledger import Ledger

    place = _home(home)
    _stated_text(by, why, since)
    with place.locked():
        decided = decisions.in_force(place, [FINAL])
        if any(d.details["year"] == year for d in decided):
            raise typer.BadParameter(f"{year} is final already; 'mingzhang correct list' shows since when.")
        known = set(_intake(place, "sheets")["period"].dropna().str.slice(0, 4))
        known |= {p.stem for p in (place.work / "records").glob("*/*.parquet") if p.stem.isdigit()}
        if str(year) not in known:
            raise typer.BadParameter(
                f"Nothing that was received is about {year}; it is about {_listed(sorted(known))}."
            )
        received = Ledger(place).runs
        decisions.add(place, FINAL, str(year), by, why, why_en, since, {"year": year, "received": received})
    out.print(
        f"{year} is final: rows about it that arrive from now on wait in quarantine; 'mingzhang correct undo' lets them in.",
        highlight=False,
        soft_wrap=True,
    )


@correct.command("list")
def listed(
    home: HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """List every decision, the oldest first, with its number."""
    found = decisions.read(_home(home))
    undone = {d.target for d in found if d.kind == decisions.UNDO}
    if as_json:
        print(json.dumps([asdict(d) | {"undone": d.decided_at in undone} for d in found], ensure_ascii=False, indent=2))
        return
    if not found:
        out.print("No decision yet.")
    for number, d in enumerate(found, 1):
        target = "number " + str(_number(found, d.target)) if d.kind == decisions.UNDO else d.target
        mark = " (undone)" if d.decided_at in undone else ""
        out.print(f"{number}. {d.since} {d.kind} {target}{mark}: {d.why_zh} ({d.by})", highlight=False, soft_wrap=True)


@correct.command("undo")
def undo(
    number: Annotated[int, typer.Argument(help="The decision's number in 'mingzhang correct list'.")],
    by: By,
    why: Why,
    why_en: WhyEn = "",
    home: HomeOption = None,
) -> None:
    """Take a decision back. Both stay in the list."""
    place = _home(home)
    _stated_text(by, why, "")
    with place.locked():
        found = decisions.read(place)
        if not 1 <= number <= len(found):
            raise typer.BadParameter(f"There is no decision {number}; 'mingzhang correct list' shows {len(found)}.")
        wanted = found[number - 1]
        if wanted.kind not in ("figure", "withdraw", "cell", "final"):
            raise typer.BadParameter(
                f"Decision {number} ({wanted.kind}) cannot be undone; figure, withdraw, cell and final can."
            )
        decisions.add(place, decisions.UNDO, wanted.decided_at, by, why, why_en)
    out.print(f"Decision {number} is undone from the next 'mingzhang run' on.", highlight=False)


def _number(found: list[decisions.Decision], decided_at: str) -> int:
    return next((n for n, d in enumerate(found, 1) if d.decided_at == decided_at), 0)


def _published(folder: Path, indicator: str, year: int, asked: dict[str, str | None]) -> int:
    """How many values a release shows of what is named. Raises BadParameter with what there is instead."""
    import sqlite3

    path = (folder / "mingzhang.db").absolute()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        names = [n for (n,) in con.execute("select indicator_id from indicators order by 1")]
        if indicator not in names:
            raise typer.BadParameter(f"There is no indicator '{indicator}'{_nearest(indicator, names)}")
        rows = con.execute(
            "select year, dimension, member, factor_set from indicator_values where indicator_id = ? and value is not null",
            [indicator],
        ).fetchall()
    years = sorted({r[0] for r in rows})
    if year not in years:
        raise typer.BadParameter(f"{folder.name} shows no {indicator} of {year}; it shows {_listed(map(str, years))}.")
    rows = [r for r in rows if r[0] == year]
    for n, (name, wanted) in enumerate(asked.items(), 1):
        if wanted is None:
            continue
        there = sorted({str(r[n]) for r in rows})
        rows = [r for r in rows if r[n] == wanted]
        if not rows:
            option = name.replace("_", "-")
            raise typer.BadParameter(
                f"{folder.name} shows no {indicator} {year} with --{option} {wanted}; it shows {_listed(there)}."
            )
    return len(rows)


def _names_nobody(folder: Path, text: str) -> None:
    """Raises BadParameter where a reason names an institution: with the wrong figure, which is known, it would tell of it."""
    import sqlite3

    path = (folder / "mingzhang.db").absolute()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as con:
        if not con.execute("select 1 from sqlite_master where name = 'institutions'").fetchone():
            return
        names = [n for (n,) in con.execute("select distinct org_name from institutions where length(org_name) > 3")]
    named = [n for n in names if n in text]
    if named:
        raise typer.BadParameter(
            f"The reason names {named[0]}; it is published beside the wrong figure, so say what kind of error it was and not whose."
        )


def _files(home: Home, wanted: str) -> tuple[str, list[str]]:
    """The name and ids of a file of the ledger, with the members of an archive. `wanted`: a name, the beginning of a sha256, or both as
    NAME@DIGITS where several versions have the name. Raises BadParameter with the nearest names, or with the versions."""
    from pipelines.sources.ledger import Ledger

    receipts = list(Ledger(home).latest.values())
    found = [r for r in receipts if r.name == wanted or (_is_digest(wanted) and r.file_id.startswith(wanted))]
    found = found or [r for r in receipts if _is_path_of(r.name, wanted)]
    name, _, digest = wanted.rpartition("@")
    if not found and name and _is_digest(digest):
        found = [r for r in receipts if r.file_id.startswith(digest) and (r.name == name or _is_path_of(r.name, name))]
    if not found:
        raise typer.BadParameter(f"No file '{wanted}' was received{_nearest(wanted, [r.name for r in receipts])}")
    if len(found) > 1:
        several = "; ".join(f"{r.name}@{r.file_id[:12]} (received {r.received_at[:16]})" for r in found[:9])
        more = f" and {len(found) - 9} more" if len(found) > 9 else ""
        raise typer.BadParameter(f"{len(found)} files received are called '{wanted}'; give one as {several}{more}.")
    name = found[0].name
    members = [r.file_id for r in receipts if found[0].members is not None and r.name.startswith(f"{name}/")]
    return name, [found[0].file_id, *members]


def _is_digest(text: str) -> bool:
    return len(text) >= 8 and set(text) <= set("0123456789abcdef")


def _is_path_of(name: str, wanted: str) -> bool:
    """Whether a path is that of a received file as the shell completes it, or the end of its name."""
    return wanted.endswith("/" + name) or name.endswith("/" + wanted)


def _intake(home: Home, table: str) -> Any:
    import pandas as pd

    path = home.table("intake", table)
    if not path.is_file():
        raise typer.BadParameter(f"{home.root} has read nothing yet; run 'mingzhang run' first.")
    return pd.read_parquet(path)


def _stated_text(by: str, why: str, since: str) -> None:
    """Who and why must be said, and are published: no empty words, no line breaks."""
    for option, text in (("--by", by), ("--why", why)):
        if not text.strip():
            raise typer.BadParameter(f"{option} is empty; it is published with the correction, so say it.")
        if not text.isprintable():
            raise typer.BadParameter(f"{option} holds a line break or a control character; write it in one line.")
    _date("--since", since)


def _date(option: str, text: str) -> None:
    from datetime import date

    try:
        if text:
            date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text} is not a date; write it as 2025-12-31.") from None


def _nearest(wanted: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wanted, sorted(set(names)), 3, 0.5)
    return f"; did you mean {' or '.join(near)}?" if near else "."


def _listed(names: Any) -> str:
    found = list(names)
    more = f" and {len(found) - 20} more" if len(found) > 20 else ""
    return (", ".join(found[:20]) or "nothing") + more


def _home(given: Path | None) -> Home:
    """The home that was given, else that of the settings."""
    from pipelines.core.settings import Settings

    return Home(given or Settings.read().home)
