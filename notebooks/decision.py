# A decision over time: its status, the result that stands, and every snapshot that was ever taken of it.
#
#     marimo run notebooks/decision.py                     a demo store, made for the occasion
#     marimo run notebooks/decision.py -- --store mystore  a store
#
# In the address of the page, ?store=…&community=…&decision=… choose what it opens with (ids, not titles).

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: a decision over time")

with app.setup:
    from datetime import UTC, datetime
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.pages import choosing, layout
    from crowdvote_analysis.pages import history as told
    from crowdvote_analysis.snapshots import decision_timeline, demo_store, list_snapshots


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
        decisions = told.decisions_of(store, opened.seen)
        _problem = None if len(decisions) else "The store holds no decision that is counted with stars."
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(_problem is not None, layout.trouble("This store cannot be shown.", _problem or ""))
    return decisions, store


@app.cell
def choose_community(decisions, opened):
    community = layout.chooser(
        choosing.labels(decisions.select("community_id", "community").unique(maintain_order=True)),
        choosing.community_of(decisions, opened.asked),
        "Community",
    )
    return (community,)


@app.cell
def choose_decision(community, decisions, opened):
    _here = decisions.filter(community_id=community.value).select("decision_id", "title")
    decision = layout.chooser(choosing.labels(_here), opened.asked.get("decision"), "Decision")
    return (decision,)


@app.cell
def show_choosers(community, decision, decisions, opened):
    layout.remember(community=community.value, decision=decision.value)
    layout.column(
        layout.navigation(opened, "decision", community=community.value, decision=decision.value),
        layout.row(community, decision),
        layout.notes("Something else is shown", choosing.not_here(decisions, opened.asked), "warn"),
    )
    return


@app.cell
def look_again(decision, decisions):
    # What is closed and counted does not change by itself any more, so nobody has to look.
    _row = decisions.filter(decision_id=decision.value).row(0, named=True)
    over = told.is_closed(_row, datetime.now(UTC))
    refresh = mo.ui.refresh(
        options=["3s", "10s", "1m"], default_interval=None if over else "3s", label="Look again every"
    )
    return over, refresh


@app.cell
def read_history(decision, decisions, refresh, store):
    refresh.value  # every few seconds
    now = datetime.now(UTC)
    row = decisions.filter(decision_id=decision.value).row(0, named=True)
    known = list_snapshots(store, decision.value)
    return known, now, row


@app.cell
def show_result(known, now, row):
    layout.column(
        layout.heading(row["title"], row["description"] or "", f"{row['community']} · {told.standing(row, now)}"),
        layout.box(told.headline(known)),
    )
    return


@app.cell
def choose_recalculation(community, opened, over):
    again = mo.ui.run_button(label="Calculate now") if opened.manages(community.value) and not over else None
    return (again,)


@app.cell
def show_status(again, known, now, over, refresh, row):
    _status = mo.Html(f'<p style="margin:0;font-size:0.95rem">{escape(told.progress(known, row, now))}</p>')
    layout.row(_status, again, None if over else refresh)
    return


@app.cell
def start_recalculation(again, community, decision, opened, store):
    mo.stop(again is None or not again.value)
    # Where pages are served, the server asks who presses the button at this moment, and writes it down.
    if opened.recalculate is None:
        _yes, _words = told.recalculate(store, decision.value, is_manager=opened.manages(community.value))
    else:
        _asked = opened.recalculate(decision.value)
        _yes = _asked is not None and _asked.status < 400
        _words = _asked.words if _asked is not None else "You are signed out. Sign in again."
    mo.callout(mo.Html(escape(_words)), kind="success" if _yes else "warn")
    return


@app.cell
def search_history(decision):
    decision.value  # another decision is looked at from the beginning
    search = mo.ui.text(placeholder="time or winner", label="Search", debounce=250)
    order = mo.ui.dropdown(list(told.ORDERS), value="newest first", label="Order")
    size = mo.ui.dropdown([str(rows) for rows in told.PAGE_SIZES], value="10", label="Rows a page")
    return order, search, size


@app.cell
def turn_pages(order, search, size):
    order.value, search.value, size.value  # another search begins on the first page
    turn = mo.ui.number(start=1, step=1, value=1)
    return (turn,)


@app.cell
def show_history(known, opened, order, search, size, turn):
    _table = told.history_table(known, layout.written(search), order.value)
    if known.is_empty():
        _shown = [mo.Html("<p>There is no snapshot of this decision yet.</p>")]
    else:
        _turn = layout.named("Page", turn) if len(_table) > int(size.value) else None
        _written = told.history_html(_table, int(layout.within(turn)), int(size.value), opened.link, order.value)
        _shown = [layout.row(search, order, size, _turn), mo.Html(_written)]
    layout.section("History", told.ABOUT, *_shown)
    return


@app.cell
def show_timeline(known, store):
    try:
        _rows = decision_timeline(store, known.filter(status="completed").head(told.CHARTED))
        _problem = None
    except cv.SnapshotError as error:
        _rows, _problem = None, str(error)
    mo.stop(_problem is not None, layout.trouble("The history cannot be drawn.", _problem or ""))
    _stars = charts.star_history(_rows)
    mo.stop(_stars["timestamp"].n_unique() < 2)
    layout.section(
        "Over time",
        told.over_time(_rows),
        charts.star_history_chart(_stars),
        charts.participation_history_chart(charts.participation_history(_rows)),
    )
    return


@app.cell
def show_place(place):
    layout.shown(place)
    return


if __name__ == "__main__":
    app.run()
