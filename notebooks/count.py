# A count, looked at: who won and why, who took part, whose ballots carry the result.
#
#     marimo run notebooks/count.py                        the demo communities
#     marimo run notebooks/count.py -- --folder my/tables  a folder of tables
#
# In the address of the page, ?folder=…&community=…&decision=… choose what it opens with (ids, not titles).

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: the count")

with app.setup:
    from datetime import UTC, datetime

    import marimo as mo
    import polars as pl

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.explanation.loops import rule_for_loops
    from crowdvote_analysis.pages import blanks, choosing, layout, loops, ties, words
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.published import RESULT_TABLES, result_tables
    from crowdvote_analysis.star import ratings, score_histogram, with_ratings


@app.cell
def open_page():
    opened = layout.opening()
    return (opened,)


@app.cell
def choose_folder(opened):
    folder = layout.place_box(opened, "Folder of tables (Parquet or CSV), or a store")
    return (folder,)


@app.cell
def count_everything(folder, opened):
    # Once for all decisions of the folder; choosing another decision does not come back here.
    try:
        _read, notes = opened.read(folder.value)
        # One decision whose loops take too much work does not lose the others (Y3).
        resolution = opened.calculate(lambda: cv.resolve(_read, on_refusal="report"))
        state = choosing.without(_read, resolution.refused)
        _nothing = "The folder holds no decision, so there is nothing to count."
        _problem = None if len(resolution.decisions) else next(iter(resolution.refused["error"]), _nothing)
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(_problem is not None, layout.trouble("This folder cannot be counted.", _problem or ""))
    names = public_names(state)
    return names, notes, resolution, state


@app.cell
def choose_community(opened, state):
    _decisions = choosing.deciding(state)
    community = layout.chooser(
        choosing.community_labels(state), choosing.community_of(_decisions, opened.asked), "Community"
    )
    return (community,)


@app.cell
def choose_decision(community, opened, state):
    decision = layout.chooser(
        choosing.decision_labels(state, community.value), opened.asked.get("decision"), "Decision"
    )
    return (decision,)


@app.cell
def show_choosers(community, decision, opened, resolution, state):
    layout.remember(community=community.value, decision=decision.value)
    layout.column(
        layout.navigation(opened, "count", community=community.value, decision=decision.value),
        layout.row(community, decision),
        layout.notes("Something else is shown", choosing.not_here(choosing.deciding(state), opened.asked), "warn"),
        layout.notes("Not counted", resolution.refused["error"].to_list(), "warn"),
    )
    return


@app.cell
def tally_decision(decision, resolution):
    try:
        tally, nothing_to_tally = cv.tally_star(resolution, decision.value, on_tie="return"), ""
    except cv.InvalidElectionError as error:
        tally, nothing_to_tally = None, str(error)
    return nothing_to_tally, tally


@app.cell
def show_outcome(community, decision, nothing_to_tally, resolution, state, tally):
    _row = state.decisions.filter(decision_id=decision.value).to_dicts()[0]
    _rule = resolution.decisions.filter(decision_id=decision.value)["cycle_rule"].item()
    _stats = resolution.stats.filter(decision_id=decision.value).row(0, named=True)
    _loops = f" · {rule_for_loops(_rule)}" if _stats["circular_prevented"] else ""
    _now = datetime.now(UTC)
    _when, still_open = words.voting_time(_row, _now), words.is_open(_row, _now)
    _nothing = words.Headline("warn", "Nothing to tally", (nothing_to_tally,))
    _said = (
        words.headline(tally, words.safety_of(resolution, tally), stats=_stats, is_open=still_open)
        if tally
        else _nothing
    )
    layout.column(
        layout.heading(
            _row["title"] or decision.value,
            _row["description"] or "",
            f"{community.selected_key} · {_when}{_loops} · counted as this page opened, from all ballots",
        ),
        layout.box(_said),
    )
    return (still_open,)


@app.cell
def show_participation(decision, resolution):
    _stats = resolution.stats.filter(decision_id=decision.value)
    layout.section(
        "Who took part",
        "Whoever does not vote by hand may follow others, on some tags or on all: their ballot is then calculated, as "
        "the average of the ballots they follow that have one of these tags.",
        layout.figures(words.figures(_stats)),
        charts.participation_chart(charts.participation_parts(_stats)),
    )
    return


@app.cell
def show_scores(resolution, still_open, tally):
    mo.stop(tally is None)
    _tied = tally.tie.tied if tally.tie else ()
    _scores = with_ratings(tally, ratings(resolution, tally.decision_id))
    layout.section(
        "Score phase",
        "Every ballot gives each choice 0 to 5 stars; the two choices with the most meet in the runoff.",
        charts.score_chart(_scores, finalists=tally.finalists, winner=tally.winner, tied=_tied, is_open=still_open),
        layout.line(blanks.blank_words(_scores)),
        mo.Html(blanks.blank_table(_scores)),
        mo.accordion(
            {
                "How the ballots are spread": charts.histogram_chart(
                    charts.histogram_parts(score_histogram(resolution, tally.decision_id), tally.scores)
                )
            }
        ),
    )
    return


@app.cell
def show_runoff(still_open, tally):
    mo.stop(tally is None)
    if tally.runoff:
        _runoff = layout.section(
            "Runoff",
            "Each ballot counts for the finalist it gives more stars. The mark stands at half of the ballots that "
            "prefer one of the two.",
            charts.runoff_chart(charts.runoff_parts(tally), is_open=still_open),
        )
    else:
        _why = "score phase is tied" if tally.tie else "choice is the only one"
        _runoff = layout.section("Runoff", f"No runoff: the {_why}.")
    _runoff
    return


@app.cell
def show_steps(still_open, tally):
    mo.stop(tally is None)
    layout.column(
        layout.section("The tie, step by step", ties.tie_words(tally), mo.Html(ties.tie_table(tally)))
        if len(charts.tie_steps(tally))
        else None,
        mo.accordion(
            {
                "Audit log: every step of the count in words": layout.log(tally.log),
                "Every step of the count as bars": charts.steps_chart(charts.step_rows(tally, is_open=still_open)),
            },
            multiple=True,
        ),
    )
    return


@app.cell
def show_influence(community, decision, names, opened, resolution):
    _ballots = resolution.ballots.filter(decision_id=decision.value)
    _rows = charts.influence_rows(_ballots, names.filter(community_id=community.value))
    _by_hand = _ballots.filter(origin="manual")
    _about = [
        "Weight: the number of tallied ballots that come down to this one, once every calculated ballot is traced "
        "back; who has most of it carries most. Direct: members who inherit from it; in all: at any depth, which is in "
        f"how many other ballots it is found. {words.people(_by_hand)} voted by hand; shown: {len(_rows):,} of them.",
        *([] if _by_hand["is_voter"].all() else [words.LOBBYISTS]),
    ]
    layout.section(
        "Whose ballots carry the result",
        _about if len(_rows) else "No ballot cast by hand carries any weight here.",
        *([charts.influence_chart(_rows)] if len(_rows) else []),
        layout.link_to(
            opened,
            "influence",
            "Who decided: how few people, on which tags, and what every score is made of",
            community=community.value,
            decision=decision.value,
        ),
    )
    return


@app.cell
def show_depth(decision, resolution):
    _rows = charts.depth_rows(resolution.ballots.filter(decision_id=decision.value))
    layout.section("How far ballots travelled", "", charts.depth_chart(_rows)) if len(_rows) > 1 else None
    return


@app.cell
def show_loops(decision, opened, resolution, state):
    try:
        _told = opened.calculate(lambda: loops.about_loops(state, resolution, decision.value))
    except cv.CrowdVoteError as error:
        _told = [str(error)]
    layout.section("Loops: who follows whom in a circle", _told) if _told else None
    return


@app.cell
def show_ballots(community, decision, names, opened, resolution):
    layout.section(
        "Everyone's ballot",
        "Stars are rounded to two places here, and exact in the files below.",
        layout.table(words.ballot_table(resolution, decision.value, names), freeze_columns_left=["Member"]),
        layout.link_to(
            opened,
            "snapshot",
            "Where each calculated ballot comes from, and what loops did to it",
            community=community.value,
            decision=decision.value,
        ),
    )
    return


@app.cell
def choose_download():
    wanted = mo.ui.dropdown(
        {f"{name}: {about}": name for name, about in RESULT_TABLES.items()},
        value=next(f"{name}: {about}" for name, about in RESULT_TABLES.items()),
        label="Table",
        full_width=True,
    )
    return (wanted,)


@app.cell
def make_downloads(decision, resolution, state, wanted):
    def rows_wanted():
        # Made when asked for. Anonymous members stand under their pseudonym in all of these tables.
        frame = result_tables(state, resolution)[wanted.value]
        return frame.filter(pl.col("decision_id") == decision.value) if "decision_id" in frame.columns else frame

    as_csv, as_parquet = layout.downloads(f"{decision.value}-{wanted.value}", rows_wanted)
    return as_csv, as_parquet


@app.cell
def show_downloads(as_csv, as_parquet, wanted):
    layout.section("Take it along", "", wanted, layout.row(as_csv, as_parquet))
    return


@app.cell
def show_notes(notes):
    layout.notes("Noted while reading the folder", notes)
    return


@app.cell
def show_place(folder):
    layout.shown(folder)
    return


if __name__ == "__main__":
    app.run()
