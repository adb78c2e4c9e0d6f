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
    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.pages import blanks, history, html_rows, layout, loops, stages, ties
    from crowdvote_analysis.pages import snapshot as told
    from crowdvote_analysis.snapshots import demo_store, find_snapshot, list_snapshots, verify_snapshot


@app.cell
def open_page():
    opened = layout.opening()
    return (opened,)


@app.cell
def choose_store(opened):
    place = layout.place_box(opened, "Store", "a demo store")
    return (place,)


@app.cell
def open_store(opened, place):
    try:
        store = cv.Store.open(place.value.strip()) if place.value.strip() else demo_store()
        uncounted = told.uncounted(store, opened.asked, opened.seen)
        first = None if uncounted else told.first_shown(store, opened.asked, opened.seen)
        _problem = None
    except cv.CrowdVoteError as error:
        _problem = str(error)
    _pages = layout.navigation(opened, "snapshot")
    mo.stop(
        _problem is not None, layout.column(_pages, layout.trouble("This snapshot cannot be shown.", _problem or ""))
    )
    return first, store, uncounted


@app.cell
def show_uncounted(opened, uncounted):
    mo.stop(uncounted is None)
    layout.column(
        layout.navigation(opened, "snapshot", community=uncounted["community_id"], decision=uncounted["decision_id"]),
        layout.heading(uncounted["title"] or uncounted["decision_id"]),
        layout.box(history.NO_RESULT),
        mo.Html(html_rows.link(history.newest_link(opened.link), "The newest snapshot of all decisions")),
    )
    return


@app.cell
def list_siblings(first, store):
    mo.stop(first is None)
    siblings = list_snapshots(store, first["decision_id"])
    return (siblings,)


@app.cell
def choose_snapshot(first, siblings):
    snapshot = layout.chooser(told.snapshot_labels(siblings), first["snapshot_id"], "Snapshot", full_width=True)
    return (snapshot,)


@app.cell
def show_choosers(first, opened, snapshot):
    layout.remember(snapshot=snapshot.value)
    layout.column(
        layout.navigation(opened, "snapshot", community=first["community_id"], decision=first["decision_id"]),
        snapshot,
        mo.Html(html_rows.link(history.decision_link(first["decision_id"], opened.link), "History of this decision")),
    )
    return


@app.cell
def read_snapshot(opened, siblings, snapshot, store):
    _row = find_snapshot(store, snapshot.value)
    mo.stop(
        _row["status"] != "completed",
        layout.column(
            layout.subheading(f"There is no result of this snapshot: {history.badge(_row).partition(' ')[2]}"),
            mo.Html(history.failed_html(siblings, _row)),
        ),
    )
    try:
        looked, _problem = opened.calculate(lambda: told.look(store, snapshot.value)), None
    except cv.CrowdVoteError as error:
        looked, _problem = None, str(error)
    mo.stop(looked is None, layout.trouble("This snapshot cannot be read.", _problem or ""))
    return (looked,)


@app.cell
def show_heading(looked, opened, siblings):
    _title, _about = told.heading(looked)
    layout.column(
        layout.heading(_title, _about),
        layout.box(told.headline(looked, siblings)),
        mo.Html(told.standing_link(looked, opened.link)),
        mo.Html(told.figures(looked)),
    )
    return


@app.cell
def choose_member():
    who = mo.ui.text(placeholder="name", label="Find members", debounce=300)
    size = mo.ui.dropdown([str(rows) for rows in history.PAGE_SIZES], value="10", label="Rows a page")
    return size, who


@app.cell
def show_search(looked, size, who):
    mo.stop(looked is None)  # where there is no snapshot, nobody is looked for
    layout.row(who, size)
    return


@app.cell
def show_member(looked, opened, who):
    # Somebody whose whole name is typed in, else whoever the address of the page names.
    _row = told.member(looked, layout.written(who)) or told.member(looked, opened.asked.get("member", ""))
    mo.stop(_row is None)
    mo.Html(stages.member_box(looked, _row, opened.link))
    return


@app.cell
def turn_manual(size, who):
    who.value, size.value  # another search begins on the first page
    turn_1 = mo.ui.number(start=1, step=1, value=1)
    return (turn_1,)


@app.cell
def show_manual(looked, opened, size, turn_1, who):
    _name = layout.written(who)
    layout.section(
        "Stage 1: ballots cast by hand",
        stages.about_manual(looked),
        mo.Html(stages.manual(looked, _name, int(layout.within(turn_1)), int(size.value), opened.link)),
        layout.named("Page", turn_1)
        if stages.pages(looked, "manual", layout.written(who), int(size.value)) > 1
        else None,
    )
    return


@app.cell
def tell_loops(looked):
    # Once for the snapshot, and not whenever a page is turned.
    about_loops = loops.loops_in_words(looked)
    return (about_loops,)


@app.cell
def choose_calculated(size, who):
    who.value, size.value
    only = mo.ui.checkbox(label="Only members inside loops")
    turn_2 = mo.ui.number(start=1, step=1, value=1)
    return only, turn_2


@app.cell
def show_calculated(about_loops, looked, only, opened, size, turn_2, who):
    _found = stages.calculated(looked, layout.written(who), loops=only.value)
    _first, _pages = html_rows.paged(len(_found), int(layout.within(turn_2)), int(size.value))
    _rows = _found.slice(_first, int(size.value)).to_dicts()

    def _tree(public_id):
        return lambda: mo.Html(stages.tree(looked, public_id, opened.link))

    # Each tree is worked out when it is opened, and only then.
    trees = [mo.lazy(_tree(row["public_id"]), show_loading_indicator=True) for row in _rows]
    _opened = stages.calculated_html(looked, _rows, [tree.text for tree in trees], layout.written(who))
    _counted = html_rows.counted(_first, len(_rows), len(_found), _pages, int(size.value), "by name")
    layout.section(
        "Stage 2: calculated ballots",
        [*about_loops, *stages.about_calculated(looked)],
        layout.row(only, layout.named("Page", turn_2) if _pages > 1 else None),
        mo.Html(f"<div>{_opened}</div>{_counted}"),
    )
    return (trees,)


@app.cell
def turn_nobody(size, who):
    who.value, size.value
    turn_3 = mo.ui.number(start=1, step=1, value=1)
    return (turn_3,)


@app.cell
def show_nobody(looked, opened, size, turn_3, who):
    _name = layout.written(who)
    layout.section(
        "Stage 3: no ballot",
        stages.about_nobody(looked),
        mo.Html(stages.nobody(looked, _name, int(layout.within(turn_3)), int(size.value), opened.link)),
        layout.named("Page", turn_3)
        if stages.pages(looked, "none", layout.written(who), int(size.value)) > 1
        else None,
    )
    return


@app.cell
def show_tally(looked):
    _tally = looked.tally
    if _tally is None:
        _stage = layout.section(
            "Stage 4: the STAR count", "No voter has a ballot with stars, so there is nothing to count."
        )
    else:
        _tied = _tally.tie.tied if _tally.tie else ()
        _is_open = not looked.row["is_final"]
        _is_tie = len(charts.tie_steps(_tally)) > 0
        _stage = layout.section(
            "Stage 4: the STAR count",
            "Score phase: every ballot gives each choice 0 to 5 stars, and the two with the most meet in the runoff.",
            charts.score_chart(
                looked.scores, finalists=_tally.finalists, winner=_tally.winner, tied=_tied, is_open=_is_open
            ),
            layout.line(blanks.blank_words(looked.scores)),
            mo.Html(blanks.blank_table(looked.scores)),
            layout.subheading("Runoff", told.runoff_words(_tally, is_open=_is_open)),
            charts.runoff_chart(charts.runoff_parts(_tally), is_open=_is_open) if _tally.runoff else None,
            layout.subheading("The tie, step by step", ties.tie_words(_tally)) if _is_tie else None,
            mo.Html(ties.tie_table(_tally)) if _is_tie else None,
            charts.steps_chart(charts.step_rows(_tally, is_open=_is_open)) if _is_tie else None,
            mo.accordion({"Audit log: every step of the count in words": layout.log(_tally.log)}),
        )
    _stage
    return


@app.cell
def choose_verification():
    check = mo.ui.run_button(label="Verify this snapshot")
    return (check,)


@app.cell
def show_verification(check, looked, opened, store):
    _checked = None
    if check.value:
        try:
            _kind, _words = told.verdict(opened.calculate(lambda: verify_snapshot(store, looked.row["snapshot_id"])))
        except cv.CrowdVoteError as error:
            _kind, _words = "warn", str(error)
        _checked = mo.callout(layout.line(_words), kind=_kind)
    layout.section(
        "Is it what was counted?",
        "Verifying holds every file against its hash and the history of the store, and counts everything again.",
        check,
        _checked,
        mo.Html(told.hashes(looked)),
    )
    return


@app.cell
def show_place(place):
    layout.shown(place)
    return


if __name__ == "__main__":
    app.run()
