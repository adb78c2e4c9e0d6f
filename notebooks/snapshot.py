# One snapshot of a decision: who voted, whose ballot was calculated and how, who has none, and who won.
#
#     marimo run notebooks/snapshot.py                     the newest snapshot of a demo store
#     marimo run notebooks/snapshot.py -- --store mystore  that of a store
#
# In the address of the page, ?store=…&snapshot=…&member=… open one snapshot, and one member in it (a public id).

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: a snapshot")

with app.setup:
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.charts import history_page, page, snapshot_page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.snapshots import demo_store, find_snapshot, list_snapshots, verify_snapshot


@app.cell
def asked_for():
    # What the address of the page says about the store goes into the addresses of members as well.
    # Pages that are served to others show one store, whose place is nobody's business.
    link = {name: value for name, value in mo.query_params().to_dict().items() if name == "store" and not only_place()}
    asked = {**mo.cli_args().to_dict(), **mo.query_params().to_dict()}
    asked = {name: value for name, value in asked.items() if isinstance(value, str)}
    return asked, link


@app.function
def trouble(title, words):
    """What cannot be shown, and why."""
    return mo.callout(
        mo.Html(
            f'<div style="overflow-wrap:anywhere"><strong>{escape(title)}</strong><br>'
            f'<span style="white-space:pre-line">{escape(words)}</span></div>'
        ),
        kind="danger",
    )


@app.cell
def choose_store(asked):
    _named = only_place() or asked.get("store", "")
    place = mo.ui.text(value=_named, placeholder="a demo store", label="Store", full_width=True)
    place if only_place() is None else None
    return (place,)


@app.cell
def open_store(asked, place):
    try:
        store = cv.Store.open(place.value.strip()) if place.value.strip() else demo_store()
        first = find_snapshot(store, asked.get("snapshot", "latest"))
        _problem = None
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(_problem is not None, trouble("This snapshot cannot be shown.", _problem or ""))
    siblings = list_snapshots(store, first["decision_id"])
    return first, siblings, store


@app.cell
def choose_snapshot(first, siblings):
    _labels = snapshot_page.snapshot_labels(siblings)
    _first = next(label for label, name in _labels.items() if name == first["snapshot_id"])
    snapshot = mo.ui.dropdown(_labels, value=_first, label="Snapshot", full_width=True)
    return (snapshot,)


@app.cell
def show_choosers(first, link, snapshot):
    _back = history_page.decision_link(first["decision_id"], link)
    mo.vstack(
        [mo.Html(f'<a href="{escape(_back)}" style="text-decoration:underline">History of this decision</a>'), snapshot]
    )
    return


@app.cell
def read_snapshot(snapshot, store):
    _row = find_snapshot(store, snapshot.value)
    _error = _row["last_error"] or "It has no result yet."
    mo.stop(
        _row["status"] != "completed",
        trouble(f"There is no result of this snapshot: {history_page.badge(_row).partition(' ')[2]}", _error),
    )
    try:
        looked, _problem = snapshot_page.look(store, snapshot.value), None
    except cv.CrowdVoteError as error:
        looked, _problem = None, str(error)
    mo.stop(looked is None, trouble("This snapshot cannot be read.", _problem or ""))
    return (looked,)


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.cell
def show_heading(looked):
    _title, _told = snapshot_page.heading(looked)
    _tally = looked.tally
    _said = page.headline(_tally) if _tally else page.Headline("warn", "Nothing to tally", ("No voter has a ballot.",))
    _by = looked.row["superseded_by"]
    _notes = [] if not _by else ["This result does not stand any more: it was counted again, and another one does."]
    if not looked.same:
        _notes.append("Counting the stored ballots now gives another result than is stored. Verify it below.")
    heading = mo.vstack(
        [
            mo.Html(
                '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
                f'margin:0.5rem 0 0.4rem">{escape(_title)}</h1>'
                f'<p style="margin:0;opacity:0.8;font-size:0.95rem">{escape(_told)}</p>'
            ),
            mo.callout(
                mo.Html(
                    f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(_said.title)}</div>'
                    + "".join(f"<div>{escape(sentence)}</div>" for sentence in [*_said.sentences, *_notes])
                ),
                kind=_said.kind,
            ),
            mo.Html(snapshot_page.figures(looked)),
        ],
        gap=1,
    )
    return (heading,)


@app.cell
def choose_member():
    who = mo.ui.text(placeholder="name", label="Find members", debounce=300)
    size = mo.ui.dropdown([str(rows) for rows in history_page.PAGE_SIZES], value="10", label="Rows a page")
    return size, who


@app.cell
def show_member(asked, link, looked, who):
    # Somebody whose whole name is typed in, else whoever the address of the page names.
    _row = snapshot_page.member(looked, who.value) or snapshot_page.member(looked, asked.get("member", ""))
    one = None
    if _row is not None:
        one = mo.Html(
            '<div style="border:1px solid #8886;border-radius:8px;padding:0.75rem 1rem">'
            f'<h3 style="margin:0 0 0.4rem;font-size:1.2rem;font-weight:600">{escape(_row["name"])}</h3>'
            f'<p style="margin:0 0 0.4rem;font-size:0.95rem">{snapshot_page.summary(looked, _row)}</p>'
            f'<p style="margin:0 0 0.4rem;opacity:0.8;font-size:0.9rem">{snapshot_page.standing_of(looked, _row)}</p>'
            f"{snapshot_page.tree(looked, _row['public_id'], link) if _row['origin'] != 'manual' else ''}</div>"
        )
    return (one,)


@app.cell
def turn_manual(size, who):
    who.value, size.value  # another search begins on the first page
    turn_1 = mo.ui.number(start=1, step=1, value=1, label="Page")
    return (turn_1,)


@app.cell
def show_manual(link, looked, size, turn_1, who):
    stage_1 = section(
        "Stage 1: ballots cast by hand",
        "In brackets: how many other ballots build on this one. Weight: the number of counted ballots that come down "
        "to it. The cup marks the most influential. Lobbyists are listed too; the figures above are of voters alone.",
        mo.Html(snapshot_page.manual(looked, who.value, int(turn_1.value or 1), int(size.value), link)),
        *([turn_1] if snapshot_page.pages(looked, "manual", who.value, int(size.value)) > 1 else []),
    )
    return (stage_1,)


@app.cell
def choose_calculated(size, who):
    who.value, size.value
    loops = mo.ui.checkbox(label="Only members inside loops")
    turn_2 = mo.ui.number(start=1, step=1, value=1, label="Page")
    return loops, turn_2


@app.cell
def show_calculated(link, looked, loops, size, turn_2, who):
    _found = snapshot_page.calculated(looked, who.value, loops=loops.value)
    _first, _pages = snapshot_page.html_rows.paged(len(_found), int(turn_2.value or 1), int(size.value))
    _rows = _found.slice(_first, int(size.value)).to_dicts()

    def _tree(public_id):
        return lambda: mo.Html(snapshot_page.tree(looked, public_id, link))

    # Each tree is worked out when it is opened, and only then.
    trees = [mo.lazy(_tree(row["public_id"]), show_loading_indicator=True) for row in _rows]
    _opened = "".join(
        '<details style="border-top:1px solid #8884;padding:0.45rem 0;font-size:0.9rem"><summary '
        f'style="cursor:pointer;overflow-wrap:anywhere">{snapshot_page.summary(looked, row)}</summary>'
        f'<div style="margin:0.4rem 0 0.4rem 1rem">{lazy.text}</div></details>'
        for row, lazy in zip(_rows, trees, strict=True)
    )
    _counted = snapshot_page.html_rows.counted(_first, len(_rows), len(_found), _pages, int(size.value), "by name")
    stage_2 = section(
        "Stage 2: calculated ballots",
        "Whoever did not vote gets the average of the ballots of those they follow, where the tags match. Open a line "
        "to see how it came about. Orange: inside a loop, where a following that would lead back to itself is cut; "
        "these members are listed here whatever came of it.",
        mo.hstack([loops, *([turn_2] if _pages > 1 else [])], justify="start", align="center", gap=2, wrap=True),
        mo.Html(f"<div>{_opened or '<p>Nobody.</p>'}</div>{_counted}"),
    )
    return stage_2, trees


@app.cell
def turn_nobody(size, who):
    who.value, size.value
    turn_3 = mo.ui.number(start=1, step=1, value=1, label="Page")
    return (turn_3,)


@app.cell
def show_nobody(link, looked, size, turn_3, who):
    stage_3 = section(
        "Stage 3: no ballot",
        "Who neither voted nor follows anybody whose ballot came along, and why.",
        mo.Html(snapshot_page.nobody(looked, who.value, int(turn_3.value or 1), int(size.value), link)),
        *([turn_3] if snapshot_page.pages(looked, "none", who.value, int(size.value)) > 1 else []),
    )
    return (stage_3,)


@app.cell
def show_tally(looked):
    _tally = looked.tally
    stage_4 = section("Stage 4: the STAR count", "No voter has a ballot with stars, so there is nothing to count.")
    if _tally is not None:
        _tied = _tally.tie.tied if _tally.tie else ()
        _parts = [
            charts.score_chart(_tally.scores, finalists=_tally.finalists, winner=_tally.winner, tied=_tied),
            mo.Html(
                '<h3 style="margin:0.75rem 0 0;font-size:1.2rem;font-weight:600">Runoff</h3>'
                f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(snapshot_page.runoff_words(_tally))}</p>'
            ),
            *([charts.runoff_chart(charts.runoff_parts(_tally))] if _tally.runoff else []),
        ]
        if len(charts.tie_steps(_tally)):
            _parts += [
                mo.Html(
                    '<h3 style="margin:0.75rem 0 0;font-size:1.2rem;font-weight:600">The tie, step by step</h3>'
                    f'<p style="margin:0.3rem 0 0;opacity:0.8">The tie protocol is “{escape(_tally.protocol)}”; each '
                    f"step looks only at those still tied.</p>{snapshot_page.tie_table(_tally)}"
                ),
                charts.steps_chart(charts.step_rows(_tally)),
            ]
        _log = "".join(f"<li>{escape(line)}</li>" for line in _tally.log)
        _log = mo.Html(f'<ol style="margin:0;padding-left:1.5rem;overflow-wrap:anywhere">{_log}</ol>')
        stage_4 = section(
            "Stage 4: the STAR count",
            "Score phase: every ballot gives each choice 0 to 5 stars, and the two with the most meet in the runoff.",
            *_parts,
            mo.accordion({"Audit log: every step of the count in words": _log}),
        )
    return (stage_4,)


@app.cell
def choose_verification():
    check = mo.ui.run_button(label="Verify this snapshot")
    return (check,)


@app.cell
def show_verification(check, looked, store):
    checked = None
    if check.value:
        with mo.status.spinner("Reading every file and counting again"):
            _kind, _words = snapshot_page.verdict(verify_snapshot(store, looked.row["snapshot_id"]))
        checked = mo.callout(mo.Html(f'<div style="overflow-wrap:anywhere">{escape(_words)}</div>'), kind=_kind)
    _hashes = "".join(
        '<div style="font-size:0.85rem;overflow-wrap:anywhere;opacity:0.8">'
        f"{name}: <code>{looked.row[key]}</code></div>"
        for name, key in (("Public hash", "public_hash"), ("Result hash", "public_result_hash"))
    )
    proof = section(
        "Is it what was counted?",
        "Verifying holds every file against its hash and the history of the store, and counts everything again.",
        check,
        *([] if checked is None else [checked]),
        mo.Html(_hashes),
    )
    return (proof,)


@app.cell
def lay_out(heading, one, proof, size, stage_1, stage_2, stage_3, stage_4, who):
    _find = mo.hstack([who, size], justify="start", align="end", gap=1.5, wrap=True)
    _parts = [heading, _find, one, stage_1, stage_2, stage_3, stage_4, proof]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
