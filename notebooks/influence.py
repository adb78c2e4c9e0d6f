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
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts, power
    from crowdvote_analysis.bundled import demo_folder
    from crowdvote_analysis.charts import influence_page, page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.privacy import public_names


@app.cell
def asked_for():
    asked = {**mo.cli_args().to_dict(), **mo.query_params().to_dict()}
    asked = {name: value for name, value in asked.items() if isinstance(value, str)}
    return (asked,)


@app.cell
def choose_folder(asked):
    folder = mo.ui.text(
        value=asked.get("folder", ""),
        placeholder="the demo communities",
        label="Folder of tables (Parquet or CSV), or a store",
        full_width=True,
    )
    # Pages that are served to others show one store, and offer no other folder.
    folder if only_place() is None else None
    return (folder,)


@app.cell
def read_tables(folder):
    try:
        state, notes = page.read_noting(folder.value.strip() or demo_folder())
        _problem = None if page.community_labels(state) else "The folder holds no decision that is counted with stars."
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(
        _problem is not None,
        mo.callout(
            mo.Html(
                '<div style="overflow-wrap:anywhere"><strong>This folder cannot be counted.</strong><br>'
                f'<span style="white-space:pre-line">{escape(_problem or "")}</span></div>'
            ),
            kind="danger",
        ),
    )
    all_names = public_names(state)
    return all_names, notes, state


@app.cell
def choose_community(asked, state):
    _labels = page.community_labels(state)
    _asked = [label for label, community in _labels.items() if community == asked.get("community")]
    community = mo.ui.dropdown(_labels, value=(_asked or list(_labels))[0], label="Community")
    return (community,)


@app.cell
def choose_decision(asked, community, state):
    _labels = page.decision_labels(state, community.value)
    _asked = [label for label, decision in _labels.items() if decision == asked.get("decision")]
    decision = mo.ui.dropdown(_labels, value=(_asked or list(_labels))[0], label="Decision")
    return (decision,)


@app.cell
def show_choosers(community, decision):
    mo.hstack([community, decision], justify="start", gap=2, wrap=True)
    return


@app.cell
def count_decision(all_names, community, decision, state):
    names = all_names.filter(community_id=community.value)
    try:
        resolution, _problem = cv.resolve(state, [decision.value]), ""
    except cv.CrowdVoteError as error:
        resolution, _problem = None, str(error)
    mo.stop(bool(_problem), mo.callout(mo.Html(f"<div>{escape(_problem)}</div>"), kind="danger"))
    weights = power.voter_weights(resolution, decision.value)
    measured = power.concentration(weights["weight"])
    return measured, names, resolution, weights


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.cell
def show_headline(community, decision, measured, names, state, weights):
    _title = state.decisions.filter(decision_id=decision.value)["title"].item() or decision.value
    heading = mo.Html(
        '<div style="margin-top:0.5rem">'
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        f'margin:0 0 0.4rem">Who decided: {escape(_title)}</h1>'
        f'<p style="margin:0;opacity:0.7;font-size:0.9rem">{escape(community.selected_key)}</p></div>'
    )
    _said = influence_page.headline(measured, weights, names)
    summary = mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(_said.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in _said.sentences)
        ),
        kind=_said.kind,
    )
    return heading, summary


@app.cell
def show_concentration(measured, weights):
    _figures = "".join(
        f'<div><div style="font-size:1.5rem;font-weight:600;line-height:1.3">{number}</div>'
        f'<div style="opacity:0.7;font-size:0.85rem">{words}</div></div>'
        for number, words in influence_page.figures(measured)
    )
    concentration = None
    if measured.voters:
        concentration = section(
            "How few carry how much",
            "Every ballot that was not cast by hand is made of ballots that were. Traced back, each voter carries a "
            "weight: so many of all ballots are theirs. The line adds the weights up, the heaviest voter first; the "
            "dot is where they pass one half, and the dashed line is how it would look if all had the same.",
            mo.Html(
                '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));'
                f'gap:0.75rem 1.5rem">{_figures}</div>'
            ),
            charts.cumulative_chart(charts.cumulative_rows(weights)),
        )
    return (concentration,)


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
    _all = influence_page.weight_table(resolution, decision.value, weights, names)
    _picked = influence_page.picked(chosen.selections) if chosen is not None else []
    _table = influence_page.only(_all, _picked)
    carrying = None
    if len(heaviest):
        carrying = section(
            "Whose ballots carry the result",
            "Weight is counted in ballots. Direct: members who inherit from the voter; in all: at any depth. "
            f"Shown: {len(heaviest):,} of {len(_all):,}. Click on a bar to find the voter in the table below, several "
            "with Shift; click beside the bars for all of them.",
            chosen,
            mo.accordion(
                {
                    f"As a table: {', '.join(_picked) or 'all of them'}": mo.ui.table(
                        _table,
                        selection=None,
                        page_size=10,
                        format_mapping=page.cell_formats(_table),
                        show_download=False,
                        show_column_summaries=False,
                        show_data_types=False,
                        max_columns=None,
                    )
                },
                lazy=False,
            ),
        )
    return (carrying,)


@app.cell
def show_shares(decision, names, resolution):
    shares = None
    try:
        _scores = cv.tally_star(resolution, decision.value, on_tie="return").scores
        _rows = charts.share_rows(resolution.score_shares.filter(decision_id=decision.value), _scores, names)
    except cv.InvalidElectionError:
        _rows = None
    if _rows is not None and len(_rows):
        shares = section(
            "What every score is made of",
            "Each bar is all the stars of a choice, split by the voters whose stars they are: weight times stars. The "
            "six heaviest voters are named.",
            charts.share_chart(_rows),
        )
    return (shares,)


@app.cell
def show_tags(decision, resolution):
    _power = power.tag_power(resolution, decision.value)
    tags = section(
        "On which tags ballots passed",
        influence_page.tag_sentence(_power)
        + " An inherited ballot counts in equal parts for the followings it came from, and for the tags that matched.",
        *([charts.tag_chart(charts.tag_rows(_power))] if len(_power) else []),
    )
    return (tags,)


@app.cell
def show_depth(decision, resolution):
    _rows = charts.depth_rows(resolution.ballots.filter(decision_id=decision.value))
    depth = None
    if len(_rows) > 1:
        depth = section(
            "How far ballots travelled",
            "By hand is 0 followings; whoever inherits from somebody who inherited is further away.",
            charts.depth_chart(_rows),
        )
    return (depth,)


@app.cell
def choose_member(decision, names, resolution):
    _labels = influence_page.member_labels(resolution, decision.value, names)
    mo.stop(not _labels)
    member = mo.ui.dropdown(_labels, value=next(iter(_labels)), label="Member", searchable=True)
    steps = mo.ui.slider(1, 4, value=1, label="Followings far", show_value=True)
    return member, steps


@app.cell
def show_neighbourhood(decision, member, names, resolution, state, steps):
    _found = power.neighbourhood(state, resolution, decision.value, member.value, steps=steps.value, most=8)
    _sides = [len(_found.members.filter(_found.members["step"] * side > 0)) for side in (-1, 1)]
    _nobody = "" if any(_sides) else " Nobody follows this member, and they follow nobody."
    around = section(
        "Around one member",
        "Followers stand at the left, those who are followed at the right; an arrow points at whoever is followed and "
        "is labelled with the tags. The number behind a name says how many inherit from the member at any depth, and "
        "so do size and colour." + _nobody,
        mo.hstack([member, steps], justify="start", gap=2, wrap=True),
        charts.network_chart(charts.drawing_of(_found, names)),
    )
    return (around,)


@app.cell
def show_notes(notes):
    _lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    reading = None
    if notes:
        reading = mo.callout(
            mo.Html(
                '<div style="overflow-wrap:anywhere"><strong>Noted while reading the folder</strong>'
                f'<ul style="margin:0.3rem 0 0;padding-left:1.2rem">{_lines}</ul></div>'
            ),
            kind="info",
        )
    return (reading,)


@app.cell
def lay_out(around, carrying, concentration, depth, heading, reading, shares, summary, tags):
    _parts = [heading, summary, concentration, carrying, shares, tags, depth, around, reading]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
