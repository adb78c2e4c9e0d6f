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
    users,
)
from crowdvote_analysis.errors import CrowdVoteError

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
    try:
        app()
    except CrowdVoteError as error:
        _tell(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _tell("interrupted.")
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a full disk, a file that may not be written
        _tell(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CROWDVOTE_DEBUG"):
            raise
        _tell(f"unexpected {type(error).__name__}. This is a fault of the program; CROWDVOTE_DEBUG=1 shows where.")
        sys.exit(70)


def _tell(text: str) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, emoji=False)
    console.print("crowdvote:", style="bold red", end=" ")
    console.print(text, markup=False)
