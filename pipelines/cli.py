"""The command `mingzhang`.

Belongs here: reading the command line, drawing progress and results, turning errors into one sentence and an exit status.
Not here: any work. Heavy packages are imported by the command that needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from pipelines.console import LINES, drawn, err, logged, out, print_check, print_held, say
from pipelines.core.home import Home
from pipelines.correct import correct
from pipelines.options import CityOption, ContractsOption, HomeOption
from pipelines.upkeep import print_bill, upkeep
from pipelines.worker import worker

if TYPE_CHECKING:
    from pipelines.core.settings import Settings


class Stopped(RuntimeError):
    """Somebody ended the command."""

    exit_status = 1

    def __init__(self) -> None:
        super().__init__("Stopped; the last release is untouched.")


app = typer.Typer(
    name="mingzhang",
    help="明账 Mingzhang: a city's own figures, checkable down to the cell of a spreadsheet.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
EngineOption = Annotated[
    Literal["duckdb", "spark"] | None,
    typer.Option("--engine", help="What computes the statistics. Default: MINGZHANG_ENGINE, else duckdb."),
]
MasterOption = Annotated[
    str,
    typer.Option(
        "--master", help="Spark's master, such as spark://host:7077. Default: MINGZHANG_MASTER, else local[*]."
    ),
]
ReleaseArgument = Annotated[str, typer.Argument(metavar="ID", help="A release id, or 'current'.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else there.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from pipelines.core.fingerprint import code_version

        print(f"mingzhang {code_version()}")
        raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """明账 Mingzhang: a city's own figures, checkable down to the cell of a spreadsheet."""


@app.command()
def run(
    inbox: Annotated[
        list[str] | None, typer.Option(help="A folder or URL that departments put files in. Repeatable.")
    ] = None,
    home: HomeOption = None,
    contracts: ContractsOption = None,
    city: CityOption = None,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of", help="The date the release speaks of, YYYY-MM-DD. Default: today in the city's time zone."
        ),
    ] = "",
    full: Annotated[bool, typer.Option("--full", help="Make every stage again, and read every file again.")] = False,
    engine: EngineOption = None,
    master: MasterOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take in what departments sent, check it, compute the statistics, and publish a release.

    Exit status: 0 a release is current, a new one or the last one because nothing changed; 1 no release was made, or one was
    although an inbox did not answer; 3 a gate refused or holds the release, and the last one stays current.
    """
    if as_of:
        _check_date(as_of)
    s = _settings(
        home=home, inbox=inbox, contracts=contracts, city=city, as_of=as_of, full=full, engine=engine, master=master
    )
    if master and s.engine != "spark":
        raise typer.BadParameter("--master is Spark's; say --engine spark as well, or leave it out.")
    from pipelines.report import alerts_of, keep
    from pipelines.run import refresh

    LINES.json = s.log == "json"
    shown = logged() if LINES.json else drawn(quiet=as_json)
    with _alerting(s.home), _interruptible() as stopped, shown:
        report = refresh(s, stopped)
    for alert in alerts_of(keep(Home(s.home), report.as_json()), Home(s.home)):
        _send(alert)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
        _say_notes(report)
    else:
        _print_report(report)
    if report.held_release:
        raise typer.Exit(3)
    if report.down:
        raise typer.Exit(1)  # a release stands, but not of all that was sent


@app.command("report")
def print_report(
    against: Annotated[
        int | None,
        typer.Option(
            "--against",
            metavar="N",
            help="Print instead what differs from the run N before it, of those with work to do.",
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Print the report of the last run as Markdown: what arrived, what broke, what a person has to look at.

    Exit status: 0 it is printed; 1 no run has left one, or there is none to compare with.
    """
    from pipelines import compared, report

    place = _home(home)
    if against is None:
        print(report.markdown(report.last(place), place), end="")
    else:
        print(compared.markdown(*compared.two(place, against)), end="")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Spreadsheets to look at.", metavar="FILE...")],
    home: HomeOption = None,
    contracts: ContractsOption = None,
    annotated: Annotated[
        Path | None, typer.Option("--annotated", help="Write the file here (.xlsx), its errors marked. For one FILE.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Report what would be accepted of each file, without keeping anything.

    Exit status: 0 every file would be accepted without an error; 1 a file has an error.
    """
    s = _settings(home=home, contracts=contracts)
    from expectations.contract import load_contracts
    from pipelines.check import check_files

    missing = [f for f in files if not f.is_file()]
    if missing:
        raise typer.BadParameter(f"There is no file at {missing[0]}; check the path.")
    if annotated is not None and (len(files) != 1 or annotated.suffix.lower() != ".xlsx"):
        raise typer.BadParameter("--annotated writes one .xlsx for one FILE; check one file at a time.")
    found = load_contracts(s.contracts, city=s.city)
    with _interruptible(), drawn(quiet=as_json):
        reports = check_files(files, found, Home(s.home), s.city)
    if as_json:
        print(json.dumps([r.as_json() for r in reports], ensure_ascii=False, indent=2, default=str))
    else:
        for r in reports:
            print_check(r)
    if annotated is not None:
        from pipelines.feedback.annotate import annotate

        annotate(files[0].read_bytes(), files[0].name, [i for r in reports for i in r.issues], annotated)
        (err if as_json else out).print(f"The file with its errors marked is {annotated}.", highlight=False)
    raise typer.Exit(0 if all(r.good for r in reports) else 1)


@app.command()
def template(
    dataset: Annotated[str, typer.Argument(help="The dataset's name, such as energy_use.")],
    to: Annotated[Path, typer.Option("-o", "--out", help="The form to write, an .xlsx file.")],
    year: Annotated[int | None, typer.Option(min=2000, max=2099, help="The year the form is for.")] = None,
    contracts: ContractsOption = None,
) -> None:
    """Write an empty form to fill in, with drop-downs, units and notes."""
    from expectations.contract import load_contracts
    from pipelines.feedback.form import write_form

    s = _settings(contracts=contracts)
    found = load_contracts(s.contracts, city=s.city)
    if dataset not in found:
        raise typer.BadParameter(f"There is no dataset '{dataset}'; there are {', '.join(found)}.")
    if to.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"{to} must end in .xlsx, the form is an Excel file.")
    write_form(found[dataset], to, year)
    out.print(f"The form for {found[dataset].title_zh} is {to}.", highlight=False)


@app.command()
def sample(
    folder: Annotated[Path, typer.Option("--out", help="The folder to write to; files go to DIR/inbox.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same files, byte for byte.")] = 1,
    orgs: Annotated[int, typer.Option(min=5, max=5000, help="How many institutions to invent.")] = 40,
    years: Annotated[
        str | None,
        typer.Option(help="First and last year, such as 2021-2030; by default those of the sample's own file."),
    ] = None,
) -> None:
    """Make a made-up city's spreadsheets, marked as made-up in each file."""
    from pipelines.sample.make import make_city

    first, _, last = (years or "").partition("-")
    if years is not None and not (
        first.isdigit() and (last or first).isdigit() and 2000 <= int(first) <= int(last or first) <= 2099
    ):
        raise typer.BadParameter(f"--years {years} is not a span of years; write for instance 2021-2030.")
    with drawn():
        span = None if years is None else range(int(first), int(last or first) + 1)
        made = make_city(folder, seed=seed, orgs=orgs, years=span)
    out.print(
        f"{made.files} spreadsheets of {orgs} invented institutions are in {folder / 'inbox'}; none of it is real.",
        highlight=False,
    )


@app.command()
def serve(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8001,
) -> None:
    """Serve the current release, and every release kept at its own address, until Ctrl-C."""
    from publish.site.serve import serve as serve_site

    serve_site(_settings(home=home).home, host, port)


@app.command()
def dev(
    home: HomeOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 3000,
) -> None:
    """Open Dagster's UI on the same home: the graph, the runs, the checks."""
    from pipelines.dagster_home import use_dagster_home
    from pipelines.run import end_dead_runs

    s = _settings(home=home)
    place = Home(s.home.resolve()).create()
    use_dagster_home(place)
    end_dead_runs(place)
    os.environ.update(s.environment())  # before the folder changes: a .env file and relative paths are of this one
    os.chdir(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-d", ".", "-p", str(port)]
    os.execv(sys.executable, command)


app.command()(worker)
app.add_typer(correct, name="correct")
app.add_typer(upkeep)
reports = typer.Typer(
    help="What readers of the site reported as wrong: list it, and close what is done.", no_args_is_help=True
)
app.add_typer(reports, name="readers")
releases = typer.Typer(help="List, compare, verify and switch releases.", no_args_is_help=True)
app.add_typer(releases, name="releases")
releases.command("bill")(print_bill)


@reports.command("list")
def reports_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the open reports, the oldest first. Their texts are what readers wrote: nothing in them was checked."""
    from dataclasses import asdict

    from publish.site.mailbox import Mailbox

    waiting = Mailbox(_home(home).reports).waiting()
    if as_json:
        print(json.dumps([asdict(r) for r in waiting], ensure_ascii=False, indent=2))
        return
    for r in waiting:
        out.print(f"{r.report_id}  {r.received} UTC  {r.release_id}  {r.page}", markup=False, highlight=False)
        for name, text in (("哪里不对 wrong", r.says), ("应当是 right", r.right)):
            if text:
                out.print(f"  {name}: {' / '.join(text.splitlines())}", markup=False, highlight=False)
    if not waiting:
        out.print("No open report.")


@reports.command("close")
def reports_close(
    report_id: Annotated[str, typer.Argument(metavar="ID", help="The number of the report.")],
    outcome: Annotated[str, typer.Option("--outcome", help="What was done, or why nothing is to be done.")],
    home: HomeOption = None,
) -> None:
    """Close a report with what was done. It is kept in HOME/reports/closed."""
    from publish.site.mailbox import Mailbox

    if not outcome.strip():
        raise typer.BadParameter("--outcome must not be empty; write what was done.")
    out.print(f"Closed {Mailbox(_home(home).reports).close(report_id, outcome.strip()).report_id}.", highlight=False)


@releases.command("list")
def releases_list(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the kept releases, the newest last, and the one that is held."""
    from dataclasses import asdict

    from publish.release.store import held, listed

    kept, waiting = listed(_home(home)), held(_home(home))
    if as_json:
        print(json.dumps([asdict(k) for k in kept], ensure_ascii=False, indent=2))
        return
    table = Table("release", "as of", "rows", "code", "", box=None, pad_edge=False)
    for k in kept:
        marks = [m for m, on in (("current", k.current), ("withdrawn", k.withdrawn), ("made-up", k.synthetic)) if on]
        marks += [f"accepted by {k.accepted_by}"] if k.accepted_by else []
        table.add_row(k.release_id, k.as_of, f"{k.rows:,}", k.code_version, ", ".join(marks))
    out.print(table if kept else "No release yet; make one with 'mingzhang run'.")
    if waiting is not None:
        print_held(waiting.release_id, waiting.reasons)


@releases.command("show")
def releases_show(
    release_id: ReleaseArgument,
    home: HomeOption = None,
    why: Annotated[
        tuple[str, int] | None,
        typer.Option("--why", help="Where a number comes from, down to the cells.", metavar="INDICATOR YEAR"),
    ] = None,
) -> None:
    """Show a release's inputs, rows and results of the gates. With --why, the lineage of one of its numbers."""
    from publish.release.store import show

    if why is not None:
        from publish.release.why import why as tree

        print(tree(_home(home), release_id, *why))
        return
    print(json.dumps(show(_home(home), release_id), ensure_ascii=False, indent=2))


@releases.command("diff")
def releases_diff(old: ReleaseArgument, new: ReleaseArgument, home: HomeOption = None) -> None:
    """Show the differences between two releases."""
    from publish.release.store import diff

    print(json.dumps(diff(_home(home), old, new), ensure_ascii=False, indent=2))


@releases.command("verify")
def releases_verify(release_id: ReleaseArgument, home: HomeOption = None) -> None:
    """Compare a release's files with their checksums.

    Exit status: 0 all agree; 1 a file is missing, changed or not of the release.
    """
    from publish.release.store import folder, verify

    place = _home(home)
    release_id = folder(place, release_id).name
    wrong = verify(place, release_id)
    for sentence in wrong:
        out.print(sentence, highlight=False)
    if not wrong:
        out.print(f"{release_id} is as it was published.", highlight=False)
    raise typer.Exit(1 if wrong else 0)


@releases.command("rollback")
def releases_rollback(release_id: ReleaseArgument, home: HomeOption = None) -> None:
    """Make a kept release the current one. The one rolled back from does not come back by itself."""
    from publish.release.store import rollback

    out.print(f"The current release is now {rollback(_home(home), release_id).name}.", highlight=False)


@releases.command("bag")
def releases_bag(
    release_id: ReleaseArgument,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    home: HomeOption = None,
) -> None:
    """Put a release into a BagIt bag, for an archive."""
    from publish.release.bag import bag

    out.print(f"{bag(_home(home), release_id, folder)} is a bag of the release.", highlight=False, soft_wrap=True)


@releases.command("accept")
def releases_accept(
    release_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the release that is held.")],
    by: Annotated[str, typer.Option("--by", help="Who accepts it. Published.")],
    why: Annotated[str, typer.Option("--why", help="Why what moved is right. Published.")],
    why_en: Annotated[str, typer.Option("--why-en", help="The same in English. Default: as --why.")] = "",
    home: HomeOption = None,
    contracts: ContractsOption = None,
) -> None:
    """Publish a release that is held because it moves far from the last one. Who accepted it and why is published with it.

    Exit status: 0 it is current; 1 another release became current since, or the reason holds what must not leave; 2 no such
    release is held.
    """
    from expectations.contract import load_contracts
    from publish.release.hold import accept

    by, why, why_en = by.strip(), why.strip(), why_en.strip()
    if not by or not why:
        raise typer.BadParameter("--by and --why are published and must not be empty; write who accepts and why.")
    s = _settings(contracts=contracts)
    found = load_contracts(s.contracts, city=s.city)
    made = accept(_home(home), found, release_id, by, why, why_en or why)
    out.print(f"The current release is now {made.name}, accepted by {by}.", highlight=False, markup=False)


def _home(given: Path | None) -> Home:
    return Home(_settings(home=given).home)


def _settings(**given: Any) -> Settings:
    """The settings in force, with what was given on the command line in their place. Raises SettingsError."""
    from pipelines.core.settings import Settings

    return Settings.read().model_copy(update={k: v for k, v in given.items() if v})


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ends on SIGTERM as on Ctrl-C, so that what was begun is cleared away and child processes are ended. Gives whether either
    came."""
    came: list[object] = []

    def stop(number: object, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(came)
    except BaseException as e:
        from publish.errors import chain

        if any(map(_is_interrupt, chain(e))):
            _forget_interrupt()
            raise Stopped from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alerting(home: Path) -> Iterator[None]:
    """Sends an alert about the error that ends the block, unless a person ended it."""
    try:
        yield
    except Stopped:
        raise
    except Exception as e:
        from pipelines.alerts import Alert
        from publish.errors import GateRefused, chain

        refused = any(isinstance(x, GateRefused) for x in chain(e))
        foreseen = _foreseen(e)
        text = foreseen[0] if foreseen else f"{type(e).__name__}: {e}"
        _send(Alert("refused" if refused else "failed", text, str(home.resolve())))
        raise


def _send(alert: Any) -> None:
    """Sends an alert; that it could not be sent is said, and ends nothing."""
    from pipelines.alerts import send

    for sentence in send(alert):
        say(sentence)


def _is_interrupt(e: BaseException) -> bool:
    """Whether an error is what became of Ctrl-C or SIGTERM: Dagster makes an error of its own of both, which to name would be to
    import Dagster, and DuckDB, in the middle of a query, a RuntimeError."""
    return (
        isinstance(e, KeyboardInterrupt)
        or type(e).__name__ == "DagsterExecutionInterruptedError"
        or (type(e) is RuntimeError and str(e) == "Query interrupted")
    )


def _forget_interrupt() -> None:
    """Keeps the exit status ours under `python -m`: where the interrupt passed through an exec of text, as imports that make
    named tuples do, CPython remembers it and ends by SIGINT although it was caught; running any text clears that."""
    exec("")  # noqa: S102


def _check_date(text: str) -> None:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"--as-of {text} is not a date; write it as 2025-12-31.") from None


def _print_report(r: Any) -> None:
    files, rows = r.files, r.rows

    def line(name: str, text: str) -> None:
        out.print(f"{name:<10}{text}", highlight=False)

    line("Files", f"{files.get('seen', 0)} seen, {files.get('new', 0)} new, {files.get('read', 0)} read")
    line("", ", ".join(f"{files.get(k, 0)} {k}" for k in ("accepted", "partial", "rejected", "superseded")))
    line("Rows", ", ".join(f"{rows.get(k, 0):,} {k}" for k in ("read", "accepted", "quarantined", "explained")))
    if r.superseded:
        of_each = ", ".join(f"{d} {n:,}" for d, n in sorted(r.superseded.items()))
        line("Replaced", f"{sum(r.superseded.values()):,} rows by rows of newer files: {of_each}")
    line("Issues", ", ".join(f"{n} {c}" for c, n in sorted(r.issues.items())) or "none")
    if r.corrected:
        line("Corrected", f"{r.corrected:,} figures replaced or withdrawn by decision ('mingzhang correct list')")
    if r.held:
        line("Held", f"{r.held:,} figures as last published, listed in feedback/_bureau/held.csv")
    if r.doubted:
        line(
            "Doubted", f"{len(r.doubted):,} totals hidden or moved by doubtful figures, in feedback/_bureau/doubted.csv"
        )
        for d in r.doubted[:3]:
            line("", d["message_zh"])
    for sentence in r.unused:
        line("Unused", sentence)
    for year, rows in sorted(r.waiting.items()):
        line(
            "Waiting",
            f"{rows:,} rows about {year}, which was declared final before they arrived ('mingzhang correct list')",
        )
    line("Time", ", ".join(f"{s} {t:.1f} s" for s, t in r.seconds.items()))
    state = {
        "new": "new",
        "unchanged": "unchanged: the same inputs gave it before",
        "held": "still current: a new one is held",
    }.get(r.release_state, r.release_state)
    line("Release", f"{r.release} ({state})")
    if r.synthetic:
        line("", "computed from made-up data: it shows how the computing works and proves nothing about a real city")
    if r.left:
        named = ", ".join(r.left[:5]) + (f" and {len(r.left) - 5} more" if len(r.left) > 5 else "")
        out.print(
            f"Left for the next run, because still being written or cut off: {named}. "
            "A file that has not changed for ten minutes is taken as it is.",
            highlight=False,
        )
    _say_notes(r)
    if r.held_release:
        print_held(r.held_release, r.reasons)


def _say_notes(r: Any) -> None:
    """What a person should look at, on standard error."""
    for note in r.notes:
        say(note)
    for sentence in r.down:
        say(f"{sentence} What the other inboxes hold was taken in.")


def main() -> None:
    """Runs the command; every foreseen error ends in one sentence. Exit status as the interface fixes it: 0, 1, 2 or 3.

    A defect of ours ends in its traceback, for whoever mends it, and in a sentence that says whose fault it is.
    """
    try:
        app()
    except BrokenPipeError:
        sys.exit(1)
    except Exception as e:  # noqa: BLE001 (told, with its traceback)
        foreseen = _foreseen(e)
        if foreseen is None:
            traceback.print_exc()
            what = " ".join(f"{type(e).__name__}: {e}".split())[:300]
            foreseen = (
                f"This is a fault of Mingzhang and not of your files ({what}); please report the lines above.",
                1,
            )
        _end(*foreseen)


def _foreseen(error: BaseException) -> tuple[str, int] | None:
    """The sentence and exit status of an error, None for a defect of ours, which keeps its traceback.

    A foreseen error carries its exit status. It may lie under another that came of it: with the disk full, Dagster fails
    to write down that the disk is full.
    """
    from publish.errors import chain

    below = chain(error)
    for e in below:
        if hasattr(e, "exit_status"):
            return str(e), e.exit_status
    for e in below:
        if isinstance(e, OSError) and e.errno is not None:
            where = f" at {e.filename}" if e.filename else ""
            if e.errno in (errno.ENOSPC, errno.EDQUOT):
                return f"The disk is full{where}; free some space, then run again: the last release stands.", 1
            return f"{e.strerror}{where}; see that it is there and may be written, then run again.", 1
        if "disk is full" in str(e) or "disk I/O error" in str(e):
            return f"The disk is full or failing ({str(e).splitlines()[0]}); free some space, then run again.", 1
    return None


def _end(sentence: str, status: int) -> None:
    say(sentence, "bold red")
    sys.exit(status)


if __name__ == "__main__":
    main()
