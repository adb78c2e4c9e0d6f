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
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.bundled import DEMO_DATE, demo_folder
    from crowdvote_analysis.charts import page, yes_no_page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.consensus import weights
    from crowdvote_analysis.consensus.standing import in_utc
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.store.questions import missing_voters


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
        label="Folder of tables (Parquet or CSV)",
        full_width=True,
    )
    # Pages that are served to others show one store, and offer no other folder.
    folder if only_place() is None else None
    return (folder,)


@app.cell
def read_tables(folder):
    try:
        state, notes = page.read_noting(folder.value.strip() or demo_folder())
        _problem = None
        if not page.community_labels(state, yes_no=True):
            _problem = "The folder holds no yes/no decision. Decisions with stars: crowdvote dashboard --page count."
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(
        _problem is not None,
        mo.callout(
            mo.Html(
                '<div style="overflow-wrap:anywhere"><strong>This folder cannot be shown.</strong><br>'
                f'<span style="white-space:pre-line">{escape(_problem or "")}</span></div>'
            ),
            kind="danger",
        ),
    )
    return notes, state


@app.cell
def choose_instant(asked, folder):
    # The demo has a date of its own. Everything else is looked at as of now: the minute that has begun is over, so that
    # a vote that was just cast is there.
    _at = datetime.now(UTC) + timedelta(minutes=1) if folder.value.strip() else DEMO_DATE
    with suppress(KeyError, ValueError, OverflowError):  # the last one: years that only another time zone knows
        _at = in_utc(datetime.fromisoformat(asked["at"]))
    instant = mo.ui.datetime(value=_at.replace(tzinfo=None, second=0, microsecond=0), label="As of (UTC)")
    return (instant,)


@app.cell
def choose_community(asked, state):
    _labels = page.community_labels(state, yes_no=True)
    _asked = [label for label, community in _labels.items() if community == asked.get("community")]
    community = mo.ui.dropdown(_labels, value=(_asked or list(_labels))[0], label="Community")
    return (community,)


@app.cell
def choose_decision(asked, community, state):
    _labels = page.decision_labels(state, community.value, yes_no=True)
    _asked = [label for label, decision in _labels.items() if decision == asked.get("decision")]
    decision = mo.ui.dropdown(_labels, value=(_asked or list(_labels))[0], label="Decision", full_width=True)
    return (decision,)


@app.cell
def show_choosers(community, decision, instant):
    mo.vstack([mo.hstack([community, instant], justify="start", gap=2, wrap=True), decision])
    return


@app.cell
def decide_everything(instant, state):
    # Once for all decisions of the folder; choosing another decision does not come back here.
    at = instant.value.replace(tzinfo=UTC)
    try:
        outcomes, _problem = cv.decide(state, at=at), ""
    except cv.CrowdVoteError as error:
        outcomes, _problem = None, str(error)
    mo.stop(bool(_problem), mo.callout(mo.Html(f"<div>{escape(_problem)}</div>"), kind="danger"))
    return at, outcomes


@app.cell
def show_outcome(at, community, decision, outcomes, state):
    row = outcomes.filter(decision_id=decision.value).to_dicts()[0]
    _about = state.decisions.filter(decision_id=decision.value).to_dicts()[0]
    _when = page.open_from_to(_about["opens_at"], _about["closes_at"])
    heading = mo.Html(
        '<div style="margin-top:0.5rem">'
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        'margin:0 0 0.4rem">'
        f"{escape(row['title'] or decision.value)}</h1>"
        f'<p style="margin:0 0 0.4rem">{escape(_about["description"] or "")}</p>'
        f'<p style="margin:0;opacity:0.7;font-size:0.9rem">{escape(community.selected_key)} · '
        f"{escape(yes_no_page.criterion(row))} · {_when}</p></div>"
    )
    _by_hand = cv.decide(state, [decision.value], at=at, delegated=False).to_dicts()[0] if row["delegated"] else None
    _said = yes_no_page.headline(row, _by_hand)
    outcome = mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(_said.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in _said.sentences)
        ),
        kind=_said.kind,
    )
    return heading, outcome, row


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.cell
def show_progress(decision, outcomes):
    progress = section(
        "How far yes has come",
        "All required voters, by what they say. The mark stands where yes has to get to, given the other votes; there "
        "is none where that is out of reach.",
        charts.progress_chart(charts.progress_parts(outcomes.filter(decision_id=decision.value))),
    )
    return (progress,)


@app.cell
def choose_further_votes(row):
    _most = row["remaining"]
    further_yes = mo.ui.slider(0, max(_most, 1), value=row["missing_votes"] or 0, label="yes", show_value=True)
    further_no = mo.ui.slider(0, max(_most, 1), label="no", show_value=True)
    return further_no, further_yes


@app.cell
def show_what_if(decision, further_no, further_yes, outcomes, row):
    what_if = None
    if row["status"] == "active" and row["remaining"] and not row["delegated"]:
        _then = yes_no_page.what_if(outcomes.filter(decision_id=decision.value), further_yes.value, further_no.value)
        what_if = section(
            "What if",
            f"{row['remaining']:,} of {row['required']:,} required voters have not voted. If some of them did:",
            mo.hstack([further_yes, further_no], justify="start", gap=2, wrap=True),
            mo.Html(f"<div>{escape(yes_no_page.in_that_case(row, _then.to_dicts()[0]))}</div>"),
            charts.progress_chart(charts.progress_parts(_then)),
        )
    return (what_if,)


@app.cell
def show_weights(at, community, decision, row, state):
    carrying = None
    if row["delegated"]:
        _names = public_names(state).filter(community_id=community.value)
        _rows = charts.vote_weight_rows(weights(state, decision.value, at=at), _names)
        carrying = section(
            "Whose votes carry it",
            "Weight: the number of counted votes that come down to this one, once every calculated vote is traced "
            "back. What one more vote would change depends on whose it is and on its tags.",
            *([charts.vote_weight_chart(_rows)] if len(_rows) else []),
        )
    return (carrying,)


@app.function
def table(rows, **look):
    """Rows to look at, search and sort; nothing is written where there is nothing."""
    return mo.ui.table(
        rows,
        selection=None,
        page_size=10,
        format_mapping=page.cell_formats(rows),
        show_download=False,
        show_column_summaries=False,
        show_data_types=False,
        max_columns=None,
        **look,
    )


@app.cell
def show_votes(at, row, state):
    _rows = yes_no_page.vote_table(state, row, at)
    _missing = missing_voters(state, row["decision_id"], at)["name"].to_list()
    _who = f"Have not voted by hand: {', '.join(_missing)}." if 0 < len(_missing) <= 12 else ""
    votes = section("Who voted, and who is missing", _who or f"{len(_missing):,} have not voted by hand.", table(_rows))
    return (votes,)


@app.cell
def show_changes(at, decision, state):
    _rows = yes_no_page.change_table(state, decision.value, at)
    changes = None
    if len(_rows):
        changes = section("Votes that were changed", "The latest vote in time stands.", table(_rows))
    return (changes,)


@app.cell
def show_everything(community, outcomes):
    _rows = outcomes.filter(community_id=community.value).sort("closes_at", "decision_id", nulls_last=True)
    others = None
    if len(_rows) > 1:
        others = section(
            f"All yes/no decisions of {community.selected_key}",
            "By deadline.",
            charts.progress_chart(charts.progress_parts(_rows)),
        )
    return (others,)


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
def lay_out(carrying, changes, heading, others, outcome, progress, reading, votes, what_if):
    _parts = [heading, outcome, progress, what_if, carrying, votes, changes, others, reading]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
