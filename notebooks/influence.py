# Who decided this? How few or many voters a result rests on, through which tags, and who stands around a member.
#
#     marimo run notebooks/influence.py                        the demo communities
#     marimo run notebooks/influence.py -- --folder my/tables  a folder of tables, or a store
#
# In the address of the page, ?folder=…&community=…&decision=… choose what it opens with (ids, not titles).

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: who decided?")

with app.setup:
    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts, power
    from crowdvote_analysis.pages import choosing, layout
    from crowdvote_analysis.pages import influence as told
    from crowdvote_analysis.privacy import public_names


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
        layout.navigation(opened, "influence", community=community.value, decision=decision.value),
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
    weights = power.voter_weights(resolution, decision.value)
    measured = power.concentration(weights["weight"])
    return measured, names, resolution, weights


@app.cell
def tally_decision(decision, resolution):
    try:
        tally = cv.tally_star(resolution, decision.value, on_tie="return")
    except cv.InvalidElectionError:
        tally = None
    return (tally,)


@app.cell
def show_headline(community, decision, measured, names, resolution, state, tally, weights):
    _title = state.decisions.filter(decision_id=decision.value)["title"].item() or decision.value
    _runoff = "" if tally is None else told.runoff_sentence(cv.runoff_shares(resolution, tally), tally, names)
    layout.column(
        layout.heading(f"Who decided: {_title}", community.selected_key),
        layout.box(told.headline(measured, weights, names, _runoff)),
    )
    return


@app.cell
def show_concentration(decision, measured, resolution, weights):
    mo.stop(not measured.voters)
    layout.section(
        "How few carry how much",
        [
            "Every ballot that was not cast by hand is made of ballots that were. Traced back, whoever voted by hand "
            "carries a weight: so many of all ballots are theirs. The line adds the weights up, the heaviest first; "
            "the dot is where they pass one half, and the dashed line is how it would look if all had the same.",
            told.who_carries(resolution.ballots.filter(decision_id=decision.value), weights),
        ],
        layout.figures(told.figures(measured)),
        charts.cumulative_chart(charts.cumulative_rows(weights)),
    )
    return


@app.cell
def draw_weights(decision, names, resolution):
    heaviest = charts.influence_rows(resolution.ballots.filter(decision_id=decision.value), names)
    chosen = None
    if len(heaviest):
        _chart = charts.influence_chart(heaviest).add_params(charts.choice_of("name"))
        chosen = mo.ui.altair_chart(_chart, chart_selection=False, legend_selection=False)
    return chosen, heaviest


@app.cell
def show_weights(chosen, decision, heaviest, names, resolution, weights):
    mo.stop(chosen is None)
    _all = told.weight_table(resolution, decision.value, weights, names)
    _picked = told.picked(chosen.selections)
    layout.section(
        "Whose ballots carry the result",
        "Weight is counted in ballots: who has most of it carries most. Direct: members who inherit from the voter; in "
        "all: at any depth, which is in how many other ballots this one is found. "
        f"Shown: {len(heaviest):,} of {len(_all):,}. Click on a bar to find the voter in the table below, several "
        "with Shift; click beside the bars for all of them.",
        chosen,
        mo.accordion(
            {
                layout.plain(f"As a table: {', '.join(_picked) or 'all of them'}"): layout.table(
                    told.only(_all, _picked)
                )
            },
            lazy=False,
        ),
    )
    return


@app.cell
def show_shares(decision, names, resolution, tally):
    mo.stop(tally is None)
    _rows = charts.share_rows(resolution.score_shares.filter(decision_id=decision.value), tally.scores, names)
    mo.stop(_rows.is_empty())
    layout.section(
        "What every score is made of",
        "Each bar is all the stars of a choice, split by the people whose stars they are: weight times stars. The "
        "six who carry most are named.",
        charts.share_chart(_rows),
    )
    return


@app.cell
def show_tags(decision, resolution):
    _power = power.tag_power(resolution, decision.value)
    layout.section(
        "On which tags ballots passed",
        told.tag_sentence(_power)
        + " An inherited ballot counts in equal parts for the followings it came from, and for the tags that matched.",
        charts.tag_chart(charts.tag_rows(_power)) if len(_power) else None,
    )
    return


@app.cell
def show_depth(decision, resolution):
    _rows = charts.depth_rows(resolution.ballots.filter(decision_id=decision.value))
    mo.stop(len(_rows) < 2)
    layout.section(
        "How far ballots travelled",
        "Voters only, lobbyists are not among them. By hand is 0 followings; whoever inherits from somebody who "
        "inherited is further away.",
        charts.depth_chart(_rows),
    )
    return


@app.cell
def choose_member(decision, names, resolution):
    _labels = told.member_labels(resolution, decision.value, names)
    mo.stop(not _labels)
    member = mo.ui.dropdown(_labels, value=next(iter(_labels)), label="Member", searchable=True)
    steps = mo.ui.slider(1, 4, value=1, label="Followings far", show_value=True)
    return member, steps


@app.cell
def show_neighbourhood(decision, member, names, resolution, state, steps):
    _found = power.neighbourhood(state, resolution, decision.value, member.value, steps=layout.within(steps), most=8)
    _sides = [len(_found.members.filter(_found.members["step"] * side > 0)) for side in (-1, 1)]
    _nobody = "" if any(_sides) else " Nobody follows this member, and they follow nobody."
    layout.section(
        "Around one member",
        "Followers stand at the left, those who are followed at the right; an arrow points at whoever is followed and "
        "is labelled with the tags if there is room; its tooltip has them too. The number behind a name says how "
        "many inherit from the member at any depth, and so do size and colour: some is up to a third of the highest "
        "number here, many up to two thirds. A dashed following gave nothing; its tooltip says why, for example "
        "because the follower voted by hand." + _nobody,
        layout.row(member, steps),
        charts.network_chart(charts.drawing_of(_found, names)),
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
