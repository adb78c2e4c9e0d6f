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
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts, power
    from crowdvote_analysis.bundled import demo_folder
    from crowdvote_analysis.charts import influence_page, page, what_if_page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.what_if import what_if, without_each


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
    labels = influence_page.member_labels(resolution, decision.value, names)
    mo.stop(not labels, mo.callout("The community has no members, so there is nothing to change."))
    return labels, names, resolution


@app.cell
def choose_voter(labels):
    voter = mo.ui.dropdown(labels, value=next(iter(labels)), label="Member", searchable=True)
    return (voter,)


@app.cell
def choose_vote(decision, resolution, voter):
    _manual = voter.value in resolution.ballots.filter(decision_id=decision.value, origin="manual")["member_id"]
    vote = mo.ui.radio(
        what_if_page.BALLOT_CHOICES if _manual else what_if_page.BALLOT_CHOICES_WITHOUT,
        value=list(what_if_page.BALLOT_CHOICES)[1 if _manual else 0],
        label="Ballot",
        inline=True,
    )
    return (vote,)


@app.cell
def choose_stars(decision, resolution, voter):
    stars = mo.ui.dictionary(
        {
            choice: mo.ui.slider(0, 5, step=0.5, value=given, label=title, show_value=True)
            for choice, title, given in what_if_page.own_stars(resolution, decision.value, voter.value)
        }
    )
    tags = mo.ui.text(value=what_if_page.own_tags(resolution, decision.value, voter.value), label="Tags of the ballot")
    return stars, tags


@app.cell
def choose_following(labels):
    follower = mo.ui.dropdown(labels, value=None, label="Follower", searchable=True)
    followee = mo.ui.dropdown(labels, value=None, label="Followed", searchable=True)
    follows = mo.ui.radio(what_if_page.FOLLOWING_CHOICES, value="follows", inline=True)
    on_tags = mo.ui.text(placeholder="empty: on all of them", label="On the tags")
    return followee, follower, follows, on_tags


@app.cell
def choose_rules():
    cycles = mo.ui.dropdown(what_if_page.LOOP_RULES, value=next(iter(what_if_page.LOOP_RULES)), label="Loops")
    protocol = mo.ui.dropdown(what_if_page.PROTOCOLS, value=next(iter(what_if_page.PROTOCOLS)), label="Ties")
    return cycles, protocol


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.function
def said(headline):
    """A headline as a box."""
    return mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(headline.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in headline.sentences)
        ),
        kind=headline.kind,
    )


@app.function
def table(rows, **look):
    """Rows to look at, search and sort."""
    return mo.ui.table(
        rows,
        selection=None,
        page_size=10,
        show_download=False,
        show_column_summaries=False,
        show_data_types=False,
        max_columns=None,
        **look,
    )


@app.cell
def show_controls(cycles, followee, follower, follows, on_tags, protocol, stars, tags, vote, voter):
    _ballot = [mo.hstack([voter, vote], justify="start", gap=2, wrap=True)]
    if vote.value == "cast":
        _ballot.append(mo.hstack([*stars.elements.values(), tags], justify="start", gap=1.5, wrap=True))
    elif vote.value == "tag":
        _ballot.append(tags)
    controls = section(
        "Change something",
        "Only on this page: nothing that is tried here is recorded.",
        mo.Html("<strong>A ballot</strong>"),
        *_ballot,
        mo.Html("<strong>A following</strong>"),
        mo.hstack([follower, follows, followee, on_tags], justify="start", gap=1.5, wrap=True),
        mo.Html("<strong>The rules</strong>"),
        mo.hstack([cycles, protocol], justify="start", gap=2, wrap=True),
    )
    return (controls,)


@app.cell
def count_again(
    cycles,
    decision,
    followee,
    follower,
    follows,
    on_tags,
    protocol,
    resolution,
    stars,
    state,
    tags,
    vote,
    voter,
):
    changes = what_if_page.wanted(
        vote=(vote.value, voter.value, stars.value, tags.value),
        following=(follows.value, follower.value, followee.value, on_tags.value),
    )
    try:
        comparison = what_if(state, resolution, decision.value, changes, cycles=cycles.value, protocol=protocol.value)
        refused = ""
    except cv.CrowdVoteError as error:
        comparison, refused = None, str(error)
    return changes, comparison, refused


@app.cell
def show_verdict(changes, community, comparison, cycles, decision, names, protocol, refused, state):
    _title = state.decisions.filter(decision_id=decision.value)["title"].item() or decision.value
    heading = mo.Html(
        '<div style="margin-top:0.5rem">'
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        f'margin:0 0 0.4rem">What if: {escape(_title)}</h1>'
        f'<p style="margin:0;opacity:0.7;font-size:0.9rem">{escape(community.selected_key)}</p></div>'
    )
    _words = what_if_page.in_words(changes, names, cycles.selected_key, protocol.selected_key)
    verdict = mo.callout(mo.Html(f"<div>{escape(refused)}</div>"), kind="danger")
    if comparison is not None:
        verdict = mo.vstack([mo.Html(f"<div>{escape(_words)}</div>"), said(what_if_page.verdict(comparison))])
    return heading, verdict


@app.cell
def show_scores(comparison):
    scores = None
    if comparison is not None:
        scores = section(
            "Scores, before and now",
            "The bar is the average now; the mark is where it stood before.",
            charts.change_chart(charts.change_rows(comparison)),
        )
    return (scores,)


@app.cell
def show_runoffs(comparison):
    _both = {"Before": comparison.before, "Now": comparison.after} if comparison is not None else {}
    _parts = [
        mo.vstack([mo.Html(f"<strong>{name}</strong>"), charts.runoff_chart(charts.runoff_parts(tally))])
        for name, tally in _both.items()
        if tally is not None and tally.runoff is not None
    ]
    runoffs = None
    if _parts:
        runoffs = section("Runoff, before and now", "Each ballot counts for the finalist it gives more stars.", *_parts)
    return (runoffs,)


@app.cell
def show_ballots(comparison, names):
    ballots = None
    if comparison is not None and len(comparison.ballots):
        _rows = what_if_page.change_table(comparison, names)
        ballots = section(
            f"Ballots that change: {len(_rows):,}",
            "Before → now; a dash is no ballot, no stars or no tags.",
            table(_rows),
        )
    return (ballots,)


@app.cell
def show_absences(decision, names, resolution, state):
    _weights = power.voter_weights(resolution, decision.value)
    _tried = what_if_page.voters_to_try(_weights, len(names))
    _which = "" if len(_tried) == len(_weights) else "Only those with the most weight are tried here. "
    try:
        _found, _problem = without_each(state, resolution, decision.value, _tried), ""
        _scores = cv.tally_star(resolution, decision.value, on_tie="return").scores
    except cv.CrowdVoteError as error:
        _found, _problem = None, str(error)
    _words = _problem or what_if_page.absence_sentence(_found, names)
    absences = section(
        "If one voter had not voted",
        "Who is pivotal: the count once without each voter's ballot. " + _which + _words,
        *([table(what_if_page.absence_table(_found, _weights, names, _scores))] if not _problem else []),
    )
    return (absences,)


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
def lay_out(absences, ballots, controls, heading, reading, runoffs, scores, verdict):
    _parts = [heading, controls, verdict, scores, runoffs, ballots, absences, reading]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
