# What if? Another ballot, following, rule for loops or tie protocol, and what comes out, next to what came out.
#
#     marimo run notebooks/what_if.py                        the demo communities
#     marimo run notebooks/what_if.py -- --folder my/tables  a folder of tables, or a store
#
# In the address of the page, ?folder=…&community=…&decision=… choose what it opens with (ids, not titles).
# Nothing that is tried here is recorded anywhere.

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: what if?")

with app.setup:
    from datetime import UTC, datetime

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts, power
    from crowdvote_analysis.pages import choosing, influence, layout, words
    from crowdvote_analysis.pages import what_if as told
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.what_if import what_if, without_each


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
        _problem = (
            None if choosing.community_labels(state) else "The folder holds no decision that is counted with stars."
        )
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(_problem is not None, layout.trouble("This folder cannot be counted.", _problem or ""))
    all_names = public_names(state)
    return all_names, notes, state


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
def show_choosers(community, decision, opened, state):
    layout.remember(community=community.value, decision=decision.value)
    layout.column(
        layout.navigation(opened, "what_if", community=community.value, decision=decision.value),
        layout.row(community, decision),
        layout.notes("Something else is shown", choosing.not_here(choosing.deciding(state), opened.asked), "warn"),
    )
    return


@app.cell
def count_decision(all_names, community, decision, opened, state):
    names = all_names.filter(community_id=community.value)
    try:
        resolution, _problem = opened.calculate(lambda: cv.resolve(state, [decision.value])), None
    except cv.CrowdVoteError as error:
        resolution, _problem = None, str(error)
    mo.stop(_problem is not None, layout.trouble("This decision cannot be counted.", _problem or ""))
    labels = influence.member_labels(resolution, decision.value, names)
    still_open = words.is_open(state.decisions.filter(decision_id=decision.value).row(0, named=True), datetime.now(UTC))
    mo.stop(not labels, mo.callout("The community has no members, so there is nothing to change."))
    return labels, names, resolution, still_open


@app.cell
def show_heading(community, decision, state):
    _title = state.decisions.filter(decision_id=decision.value)["title"].item() or decision.value
    layout.heading(f"What if: {_title}", community.selected_key)
    return


@app.cell
def choose_voter(labels):
    voter = mo.ui.dropdown(labels, value=next(iter(labels)), label="Member", searchable=True)
    return (voter,)


@app.cell
def choose_vote(decision, resolution, voter):
    _manual = voter.value in resolution.ballots.filter(decision_id=decision.value, origin="manual")["member_id"]
    vote = mo.ui.radio(
        told.BALLOT_CHOICES if _manual else told.BALLOT_CHOICES_WITHOUT,
        value=next(iter(told.BALLOT_CHOICES)),
        label="Ballot",
        inline=True,
    )
    return (vote,)


@app.cell
def choose_stars(decision, resolution, voter):
    stars = mo.ui.dictionary(
        {
            choice: mo.ui.slider(0, 5, step=0.5, value=given, label=layout.plain(title), show_value=True)
            for choice, title, given in told.own_stars(resolution, decision.value, voter.value)
        }
    )
    tags = mo.ui.text(value=told.own_tags(resolution, decision.value, voter.value), label="Tags of the ballot")
    return stars, tags


@app.cell
def choose_following(labels):
    follower = mo.ui.dropdown(labels, value=None, label="Follower", searchable=True)
    followee = mo.ui.dropdown(labels, value=None, label="Followed", searchable=True)
    follows = mo.ui.radio(told.FOLLOWING_CHOICES, value="follows", inline=True)
    on_tags = mo.ui.text(placeholder="empty: on all of them", label="On the tags")
    return followee, follower, follows, on_tags


@app.cell
def choose_rules():
    cycles = mo.ui.dropdown(told.LOOP_RULES, value=next(iter(told.LOOP_RULES)), label="Loops")
    protocol = mo.ui.dropdown(told.PROTOCOLS, value=next(iter(told.PROTOCOLS)), label="Ties")
    return cycles, protocol


@app.cell
def show_controls(
    cycles, decision, followee, follower, follows, on_tags, protocol, resolution, stars, tags, vote, voter
):
    _sliders = [*stars.elements.values()] if vote.value == "cast" else []
    _tags = tags if vote.value in ("cast", "tag") else None
    layout.section(
        "Change something",
        "Only on this page: nothing that is tried here is recorded.",
        mo.Html("<strong>A ballot</strong>"),
        layout.row(voter, vote),
        layout.row(*_sliders, _tags) if _tags is not None else None,
        layout.line(told.about_ballot(resolution, decision.value, voter.selected_key)) if _tags is not None else None,
        mo.Html("<strong>A following</strong>"),
        layout.row(follower, follows, followee, on_tags),
        mo.Html("<strong>The rules</strong>"),
        layout.row(cycles, protocol),
        layout.line(
            "Loops by “path”: ballots are found by walking along followings, and whoever is already on the way gives "
            "nothing. By “equilibrium”: the ballots that no further averaging would change. Ties are settled by one of "
            "three written orders of steps. How a count works shows all of them."
        ),
    )
    return


@app.cell
def count_again(
    cycles,
    decision,
    followee,
    follower,
    follows,
    on_tags,
    opened,
    protocol,
    resolution,
    stars,
    state,
    tags,
    vote,
    voter,
):
    _given = {choice: layout.within(slider) for choice, slider in stars.elements.items()}
    changes = told.wanted(
        vote=(vote.value, voter.value, _given, layout.written(tags)),
        following=(follows.value, follower.value, followee.value, layout.written(on_tags)),
    )
    try:
        comparison = opened.calculate(
            lambda: what_if(state, resolution, decision.value, changes, cycles=cycles.value, protocol=protocol.value)
        )
        refused = ""
    except cv.CrowdVoteError as error:
        comparison, refused = None, str(error)
    return changes, comparison, refused


@app.cell
def show_verdict(changes, comparison, cycles, names, protocol, refused, still_open):
    _words = told.in_words(changes, names, cycles.selected_key, protocol.selected_key)
    _tried = bool(changes) or cycles.value is not None or protocol.value != "starvote"
    if comparison is None:
        _verdict = layout.trouble("This cannot be counted.", refused)
    else:
        _verdict = layout.column(
            layout.line(_words), layout.box(told.verdict(comparison, tried=_tried, is_open=still_open))
        )
    _verdict
    return


@app.cell
def show_scores(comparison, still_open):
    mo.stop(comparison is None)
    layout.section(
        "Scores, before and now",
        "The bar is the average now; the mark is where it stood before. Choices keep the order they had before.",
        charts.change_chart(charts.change_rows(comparison), is_open=still_open),
    )
    return


@app.cell
def show_runoffs(comparison, still_open):
    mo.stop(comparison is None)
    _both = {"Before": comparison.before, "Now": comparison.after}
    _parts = [
        layout.column(layout.subheading(name), charts.runoff_chart(charts.runoff_parts(tally), is_open=still_open))
        for name, tally in _both.items()
        if tally is not None and tally.runoff is not None
    ]
    mo.stop(not _parts)
    layout.section("Runoff, before and now", "Each ballot counts for the finalist it gives more stars.", *_parts)
    return


@app.cell
def show_ballots(comparison, names):
    mo.stop(comparison is None or comparison.ballots.is_empty())
    layout.section(
        f"Ballots that change: {len(comparison.ballots):,}",
        "Before → now; a dash is no ballot, no stars or no tags.",
        layout.table(told.change_table(comparison, names)),
    )
    return


@app.cell
def show_absences(decision, names, opened, resolution, state, still_open):
    _weights = power.voter_weights(resolution, decision.value)
    _tried = told.voters_to_try(_weights, len(names))
    _which = "" if len(_tried) == len(_weights) else "Only those with the most weight are tried here. "
    try:
        _found = opened.calculate(lambda: without_each(state, resolution, decision.value, _tried))
        _problem = None
        _scores = cv.tally_star(resolution, decision.value, on_tie="return").scores
    except cv.CrowdVoteError as error:
        _found, _scores, _problem = None, None, str(error)
    layout.section(
        "If one of them had not voted",
        "The count once without each one's ballot by hand: whoever is pivotal changes the result. "
        + _which
        + (_problem or told.absence_sentence(_found, names)),
        None if _problem else layout.table(told.absence_table(_found, _weights, names, _scores, is_open=still_open)),
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
