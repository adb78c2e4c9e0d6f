"""The commands, what they take and how they end.

Exit codes: 0 done; 1 the input cannot be counted (the error says why); 2 the command was written wrongly; 3 a
decision that was asked for is an unresolved tie; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from crowdvote_analysis import __version__
from crowdvote_analysis.cli import (
    check,
    count,
    dashboard,
    decide,
    explain,
    export,
    query,
    recompute,
    record,
    report,
    scenario,
    serve,
    snapshot,
    stores,
    tally,
    upgrade,
    users,
)
from crowdvote_analysis.cli.console import err, told_at_once
from crowdvote_analysis.cli.streams import close_output, open_streams
from crowdvote_analysis.errors import CrowdVoteError, reason

app = typer.Typer(
    name="crowdvote",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Count delegated votes: everyone's ballot, a STAR tally, and why.\n\nStart with [bold]crowdvote demo[/].",
    epilog="Exit codes: 0 done, 1 input that cannot be counted, 2 wrong use, 3 unresolved tie in a decision asked for.",
)
app.command("demo")(count.demo)
app.command("count")(count.count)
app.command("explain")(explain.explain)
app.command("tally")(tally.tally)
app.add_typer(decide.app, name="decide")
app.command("scenario")(scenario.scenario)
app.command("import")(stores.import_)
app.add_typer(record.app, name="record")
app.command("history")(stores.history)
app.command("check")(check.check)
app.add_typer(upgrade.app, name="store")
app.command("compact")(stores.compact)
app.add_typer(snapshot.app, name="snapshot")
app.command("recompute")(recompute.recompute)
app.command("report")(report.report)
app.command("query")(query.query)
app.command("export")(export.export)
app.command("dashboard")(dashboard.dashboard)
app.command("serve")(serve.serve)
app.add_typer(users.app, name="users")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; errors are told in words, without a traceback."""
    open_streams()
    code = _run()
    unwritten = close_output()
    if unwritten and code == 0:
        _tell(unwritten)
        code = 1
    sys.exit(code)


def _run() -> int:
    """Run a command; the exit code."""
    try:
        with told_at_once():
            app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except CrowdVoteError as error:
        _tell(str(error))
        return 1
    except KeyboardInterrupt:
        _tell("interrupted.")
        return 130
    except OSError as error:  # a full disk, a file that may not be written
        _tell(f"{reason(error)}{f': {error.filename}' if error.filename else ''}")
        return 1
    except BaseException as error:  # a panic of a library is no Exception
        if os.environ.get("CROWDVOTE_DEBUG"):
            raise
        _tell(f"unexpected {type(error).__name__}. This is a fault of the program; CROWDVOTE_DEBUG=1 shows where.")
        return 70
    return 0


def _tell(text: str) -> None:
    err.print("crowdvote:", style="bold red", end=" ")
    err.print(text, markup=False)
