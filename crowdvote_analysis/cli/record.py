"""``crowdvote record``: one thing into a store, in one commit."""

from __future__ import annotations

import typer

from crowdvote_analysis.cli import record_decisions, record_members

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Record one thing in a store: all of it or nothing, whoever else is writing.\n\n"
    "A store is made by [bold]crowdvote import[/]. What may not be recorded is refused with a reason, ends with code 1 "
    "and changes nothing.",
)
for command in (
    record_members.community,
    record_members.cycle_rule,
    record_members.join,
    record_members.leave,
    record_members.role,
    record_members.forget,
    record_members.follow,
    record_members.unfollow,
    record_members.tags,
    record_decisions.create,
    record_decisions.publish,
    record_decisions.close,
    record_decisions.cast,
    record_decisions.change,
    record_decisions.withdraw,
    record_decisions.vote,
):
    app.command()(command)
