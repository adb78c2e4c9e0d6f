# Yes/no decisions, looked at: where they stand, who is missing, what further votes would change, whose votes carry it.
#
#     marimo run notebooks/yes_no.py                        the demo communities, as of 15 June 2026
#     marimo run notebooks/yes_no.py -- --folder my/tables  a folder of tables, as of now
#
# In the address of the page, ?folder=…&at=2026-06-15T12:00&community=…&decision=… choose what it opens with (ids, UTC).

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: yes/no decisions")

with app.setup:
    from contextlib import suppress
    from datetime import UTC, datetime, timedelta

    import marimo as mo
    import polars as pl

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.bundled import DEMO_DATE
    from crowdvote_analysis.consensus import weights
    from crowdvote_analysis.consensus.standing import in_utc
    from crowdvote_analysis.pages import choosing, layout, words
    from crowdvote_analysis.pages import yes_no as told
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.store.questions import missing_voters


@app.cell
def open_page():
    opened = layout.opening()
    return (opened,)


@app.cell
def choose_folder(opened):
    folder = layout.place_box(opened, "Folder of tables (Parquet or CSV), or a store")
    return (folder,)


@app.cell
def read_tables(folder, opened):
    try:
        state, notes = opened.read(folder.value)
        _problem = None
        if not choosing.community_labels(state, yes_no=True):
            _problem = "The folder holds no yes/no decision. Decisions with stars: crowdvote dashboard --page count."
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(_problem is not None, layout.trouble("This folder cannot be shown.", _problem or ""))
    return notes, state


@app.cell
def choose_instant(folder, opened):
    # The tables of the demo have a date of their own. Everything else is looked at as of now: the minute that has begun
    # is over, so that a vote that was just cast is there.
    _at = datetime.now(UTC) + timedelta(minutes=1) if folder.value.strip() or opened.pages else DEMO_DATE
    with suppress(KeyError, ValueError, OverflowError):  # the last one: years that only another time zone knows
        _at = in_utc(datetime.fromisoformat(opened.asked["at"]))
    instant = mo.ui.datetime(value=_at.replace(tzinfo=None, second=0, microsecond=0), label="As of (UTC)")
    return (instant,)


@app.cell
def choose_community(opened, state):
    _decisions = choosing.deciding(state, yes_no=True)
    community = layout.chooser(
        choosing.community_labels(state, yes_no=True), choosing.community_of(_decisions, opened.asked), "Community"
    )
    return (community,)


@app.cell
def choose_decision(community, opened, state):
    _labels = choosing.decision_labels(state, community.value, yes_no=True)
    decision = layout.chooser(_labels, opened.asked.get("decision"), "Decision", full_width=True)
    return (decision,)


@app.cell
def show_choosers(community, decision, instant, opened, state):
    layout.remember(community=community.value, decision=decision.value)
    layout.column(
        layout.navigation(opened, "yes_no", community=community.value),
        layout.row(community, instant),
        decision,
        layout.notes(
            "Something else is shown", choosing.not_here(choosing.deciding(state, yes_no=True), opened.asked), "warn"
        ),
    )
    return


@app.cell
def decide_everything(instant, opened, state):
    # Once for all decisions of the folder; choosing another decision does not come back here.
    at = instant.value.replace(tzinfo=UTC)
    try:
        outcomes, _problem = opened.calculate(lambda: cv.decide(state, at=at)), ""
    except cv.CrowdVoteError as error:
        outcomes, _problem = None, str(error)
    mo.stop(bool(_problem), layout.trouble("These decisions cannot be counted.", _problem))
    return at, outcomes


@app.cell
def show_outcome(at, community, decision, outcomes, state):
    row = outcomes.filter(decision_id=decision.value).to_dicts()[0]
    _about = state.decisions.filter(decision_id=decision.value).to_dicts()[0]
    _when = words.voting_time(_about, at)
    _by_hand = cv.decide(state, [decision.value], at=at, delegated=False).to_dicts()[0] if row["delegated"] else None
    layout.column(
        layout.heading(
            row["title"] or decision.value,
            _about["description"] or "",
            f"{community.selected_key} · {told.criterion(row)} · {_when}",
        ),
        layout.box(told.headline(row, _by_hand)),
    )
    return (row,)


@app.cell
def show_progress(decision, outcomes):
    layout.section(
        "How far yes has come",
        "All required voters, by what they say. The mark stands where yes has to get to, given the other votes; there "
        "is none where that is out of reach.",
        charts.progress_chart(charts.progress_parts(outcomes.filter(decision_id=decision.value))),
    )
    return


@app.cell
def choose_further_votes(row):
    _most = row["remaining"]
    further_yes = mo.ui.slider(0, max(_most, 1), value=row["missing_votes"] or 0, label="yes", show_value=True)
    further_no = mo.ui.slider(0, max(_most, 1), label="no", show_value=True)
    return further_no, further_yes


@app.cell
def show_what_if(decision, further_no, further_yes, outcomes, row):
    mo.stop(row["status"] != "active" or not row["remaining"] or row["delegated"])
    _then = told.what_if(
        outcomes.filter(decision_id=decision.value), layout.within(further_yes), layout.within(further_no)
    )
    layout.section(
        "What if",
        f"{row['remaining']:,} of {row['required']:,} required voters have not voted. If some of them did:",
        layout.row(further_yes, further_no),
        layout.line(told.in_that_case(row, _then.to_dicts()[0])),
        charts.progress_chart(charts.progress_parts(_then)),
    )
    return


@app.cell
def show_weights(at, community, decision, row, state):
    mo.stop(not row["delegated"])
    _names = public_names(state).filter(community_id=community.value)
    _all = weights(state, decision.value, at=at).filter(pl.col("weight") > 0)
    _rows = charts.vote_weight_rows(_all, _names)
    layout.section(
        "Whose votes carry it",
        "Weight: the number of counted votes that come down to this one, once every calculated vote is traced "
        "back. What one more vote would change depends on whose it is and on its tags. "
        f"Shown: {len(_rows):,} of {len(_all):,} votes by hand.",
        charts.vote_weight_chart(_rows) if len(_rows) else None,
    )
    return


@app.cell
def show_votes(at, row, state):
    _rows = told.vote_table(state, row, at)
    _missing = missing_voters(state, row["decision_id"], at)["name"].to_list()
    _who = f"Have not voted by hand: {', '.join(_missing)}." if 0 < len(_missing) <= 12 else ""
    layout.section(
        "Who voted, and who is missing", _who or f"{len(_missing):,} have not voted by hand.", layout.table(_rows)
    )
    return


@app.cell
def show_changes(at, decision, state):
    _rows = told.change_table(state, decision.value, at)
    mo.stop(_rows.is_empty())
    layout.section("Votes that were changed", "The latest vote in time stands.", layout.table(_rows))
    return


@app.cell
def show_everything(community, outcomes):
    _rows = outcomes.filter(community_id=community.value).sort("closes_at", "decision_id", nulls_last=True)
    mo.stop(len(_rows) < 2)
    layout.section(
        f"All yes/no decisions of {community.selected_key}",
        "By deadline.",
        charts.progress_chart(charts.progress_parts(_rows)),
    )
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
