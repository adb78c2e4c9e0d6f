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
    from html import escape
    from io import BytesIO

    import marimo as mo
    import polars as pl

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.bundled import demo_folder
    from crowdvote_analysis.charts import page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.privacy import public_names
    from crowdvote_analysis.published import RESULT_TABLES, result_tables
    from crowdvote_analysis.star import score_histogram
    from crowdvote_analysis.store.export import flat


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
def count_everything(folder):
    # Once for all decisions of the folder; choosing another decision does not come back here.
    try:
        state, notes = page.read_noting(folder.value.strip() or demo_folder())
        resolution = cv.resolve(state)
        _problem = None if len(resolution.decisions) else "The folder holds no decision, so there is nothing to count."
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
    names = public_names(state)
    return names, notes, resolution, state


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
    _when = page.open_from_to(_row["opens_at"], _row["closes_at"])
    heading = mo.Html(
        '<div style="margin-top:0.5rem">'
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        'margin:0 0 0.4rem">'
        f"{escape(_row['title'] or decision.value)}</h1>"
        f'<p style="margin:0 0 0.4rem">{escape(_row["description"] or "")}</p>'
        f'<p style="margin:0;opacity:0.7;font-size:0.9rem">{escape(community.selected_key)} · {_when}'
        f" · loops counted by the rule “{_rule}”</p></div>"
    )
    _small = tally and tally.won_by_ballots and tally.vote_count <= 100_000
    _safety = cv.robustness(resolution, decision.value) if _small else None
    _said = page.headline(tally, _safety) if tally else page.Headline("warn", "Nothing to tally", (nothing_to_tally,))
    outcome = mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(_said.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in _said.sentences)
        ),
        kind=_said.kind,
    )
    return heading, outcome


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.cell
def show_participation(decision, resolution):
    _stats = resolution.stats.filter(decision_id=decision.value)
    _figures = "".join(
        f'<div><div style="font-size:1.5rem;font-weight:600;line-height:1.3">{number}</div>'
        f'<div style="opacity:0.7;font-size:0.85rem">{words}</div></div>'
        for number, words in page.figures(_stats)
    )
    participation = section(
        "Who took part",
        "",
        mo.Html(f'<div style="display:flex;flex-wrap:wrap;gap:0.75rem 2.5rem">{_figures}</div>'),
        charts.participation_chart(charts.participation_parts(_stats)),
    )
    return (participation,)


@app.cell
def show_scores(resolution, tally):
    scoring = None
    if tally:
        _tied = tally.tie.tied if tally.tie else ()
        scoring = section(
            "Score phase",
            "Every ballot gives each choice 0 to 5 stars; the two choices with the most meet in the runoff.",
            charts.score_chart(tally.scores, finalists=tally.finalists, winner=tally.winner, tied=_tied),
            mo.accordion(
                {
                    "How the ballots are spread": charts.histogram_chart(
                        charts.histogram_parts(score_histogram(resolution, tally.decision_id), tally.scores)
                    )
                }
            ),
        )
    return (scoring,)


@app.cell
def show_runoff(tally):
    runoff = None
    if tally and tally.runoff:
        runoff = section(
            "Runoff",
            "Each ballot counts for the finalist it gives more stars. The mark stands at half of the ballots that "
            "prefer one of the two.",
            charts.runoff_chart(charts.runoff_parts(tally)),
        )
    elif tally:
        runoff = section(
            "Runoff", f"No runoff: the {'score phase is tied' if tally.tie else 'choice is the only one'}."
        )
    return (runoff,)


@app.cell
def show_steps(tally):
    steps = None
    if tally:
        _tie = charts.tie_steps(tally)
        _head = "".join(f'<th style="text-align:left">{name.capitalize()}</th>' for name in _tie.columns)
        _rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in _tie.iter_rows()
        )
        _style = "font-size:0.9rem;border-collapse:separate;border-spacing:0 0.4rem;width:100%;max-width:56rem"
        _table = mo.Html(
            f'<div style="overflow-x:auto"><table style="{_style}">'
            f'<tr style="opacity:0.7">{_head}</tr>{_rows}</table></div>'
        )
        _lines = "".join(f"<li>{escape(line)}</li>" for line in tally.log)
        _log = mo.Html(f'<ol style="margin:0;padding-left:1.5rem;overflow-wrap:anywhere">{_lines}</ol>')
        _protocol = f"The tie protocol is “{tally.protocol}”; each step looks only at those still tied."
        steps = mo.vstack(
            [
                *([section("The tie, step by step", _protocol, _table)] if len(_tie) else []),
                mo.accordion(
                    {
                        "Audit log: every step of the count in words": _log,
                        "Every step of the count as bars": charts.steps_chart(charts.step_rows(tally)),
                    }
                ),
            ],
            gap=0.75,
        )
    return (steps,)


@app.cell
def show_influence(community, decision, names, resolution):
    _ballots = resolution.ballots.filter(decision_id=decision.value)
    _rows = charts.influence_rows(_ballots, names.filter(community_id=community.value))
    _voted = _ballots.filter(origin="manual").height
    _words = (
        "Weight: the number of tallied ballots that come down to this one, once every calculated ballot is traced "
        "back. Direct: members who inherit from it; in all: at any depth. "
        f"Shown: {len(_rows):,} of {_voted:,} members who voted by hand."
    )
    influence = section(
        "Whose ballots carry the result",
        _words if len(_rows) else "No ballot cast by hand carries any weight here.",
        *([charts.influence_chart(_rows)] if len(_rows) else []),
    )
    return (influence,)


@app.cell
def show_depth(decision, resolution):
    _rows = charts.depth_rows(resolution.ballots.filter(decision_id=decision.value))
    depth = section("How far ballots travelled", "", charts.depth_chart(_rows)) if len(_rows) > 1 else None
    return (depth,)


@app.cell
def show_ballots(decision, names, resolution):
    _table = page.ballot_table(resolution, decision.value, names)
    ballots = section(
        "Everyone's ballot",
        "Stars are rounded to two places here, and exact in the files below.",
        mo.ui.table(
            _table,
            selection=None,
            page_size=10,
            format_mapping=page.cell_formats(_table),
            show_download=False,
            show_column_summaries=False,
            show_data_types=False,
            freeze_columns_left=["Member"],
            max_columns=None,
        ),
    )
    return (ballots,)


@app.cell
def choose_download():
    wanted = mo.ui.dropdown(
        {f"{name}: {words}": name for name, words in RESULT_TABLES.items()},
        value=next(f"{name}: {words}" for name, words in RESULT_TABLES.items()),
        label="Table",
    )
    return (wanted,)


@app.cell
def show_downloads(decision, resolution, state, wanted):
    def _file(kind):
        # Made when asked for. Anonymous members stand under their pseudonym in all of these tables.
        frame = result_tables(state, resolution)[wanted.value]
        frame = frame.filter(pl.col("decision_id") == decision.value) if "decision_id" in frame.columns else frame
        buffer = BytesIO()
        flat(frame).write_csv(buffer) if kind == "csv" else frame.write_parquet(buffer)
        return buffer.getvalue()

    _name = f"{decision.value}-{wanted.value}"
    downloads = section(
        "Take it along",
        "",
        mo.hstack(
            [
                wanted,
                mo.download(lambda: _file("csv"), f"{_name}.csv", "text/csv", label="CSV"),
                mo.download(
                    lambda: _file("parquet"), f"{_name}.parquet", "application/vnd.apache.parquet", label="Parquet"
                ),
            ],
            justify="start",
            gap=1,
            wrap=True,
        ),
    )
    return (downloads,)


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
def lay_out(
    ballots,
    depth,
    downloads,
    heading,
    influence,
    outcome,
    participation,
    reading,
    runoff,
    scoring,
    steps,
):
    _parts = [heading, outcome, participation, scoring, runoff, steps, influence, depth, ballots, downloads, reading]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
