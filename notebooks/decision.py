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
    from crowdvote_analysis.charts import history_page, page
    from crowdvote_analysis.confinement import only_place
    from crowdvote_analysis.snapshots import decision_timeline, demo_store, list_snapshots


@app.cell
def asked_for():
    # What the address of the page says about the store goes into the addresses of snapshots as well.
    # Pages that are served to others show one store, whose place is nobody's business.
    link = {name: value for name, value in mo.query_params().to_dict().items() if name == "store" and not only_place()}
    asked = {**mo.cli_args().to_dict(), **mo.query_params().to_dict()}
    asked = {name: value for name, value in asked.items() if isinstance(value, str)}
    _request = mo.app_meta().request
    _meta = (_request.meta or {}) if _request is not None else {}
    is_manager, ask = _meta.get("role") == "manager", _meta.get("recalculate")
    return ask, asked, is_manager, link


@app.cell
def choose_store(asked):
    _named = only_place() or asked.get("store", "")
    place = mo.ui.text(value=_named, placeholder="a demo store", label="Store", full_width=True)
    place if only_place() is None else None
    return (place,)


@app.cell
def open_store(place):
    try:
        store = cv.Store.open(place.value.strip()) if place.value.strip() else demo_store()
        decisions = history_page.decisions_of(store)
        _problem = None if len(decisions) else "The store holds no decision that is counted with stars."
    except cv.CrowdVoteError as error:
        _problem = str(error)
    mo.stop(
        _problem is not None,
        mo.callout(
            mo.Html(
                '<div style="overflow-wrap:anywhere"><strong>This store cannot be shown.</strong><br>'
                f'<span style="white-space:pre-line">{escape(_problem or "")}</span></div>'
            ),
            kind="danger",
        ),
    )
    return decisions, store


@app.cell
def choose_community(asked, decisions):
    _labels = page.labels(decisions.select("community_id", "community").unique(maintain_order=True))
    _wanted = history_page.community_of(decisions, asked)
    community = mo.ui.dropdown(_labels, value=next(k for k, v in _labels.items() if v == _wanted), label="Community")
    return (community,)


@app.cell
def choose_decision(asked, community, decisions):
    _labels = page.labels(decisions.filter(community_id=community.value).select("decision_id", "title"))
    _asked = [label for label, decision in _labels.items() if decision == asked.get("decision")]
    decision = mo.ui.dropdown(_labels, value=(_asked or list(_labels))[0], label="Decision")
    return (decision,)


@app.cell
def show_choosers(community, decision):
    mo.hstack([community, decision], justify="start", gap=2, wrap=True)
    return


@app.cell
def look_again(decision, decisions):
    # What is closed and counted does not change by itself any more, so nobody has to look.
    _row = decisions.filter(decision_id=decision.value).row(0, named=True)
    over = history_page.is_closed(_row, datetime.now(UTC))
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
def choose_recalculation(is_manager, over):
    again = mo.ui.run_button(label="Calculate now") if is_manager and not over else None
    return (again,)


@app.cell
def start_recalculation(again, ask, decision, is_manager, store):
    started = None
    if again is not None and again.value:
        # Where pages are served, the server asks who presses the button at this moment, and writes it down.
        _asked = ask(decision.value) if ask is not None else None
        if ask is None:
            _yes, _words = history_page.recalculate(store, decision.value, is_manager=is_manager)
        else:
            _yes = _asked is not None and _asked.status < 400
            _words = _asked.words if _asked is not None else "You are signed out. Sign in again."
        started = mo.callout(mo.Html(escape(_words)), kind="success" if _yes else "warn")
    return (started,)


@app.cell
def show_result(known, now, row):
    _said = history_page.headline(known)
    heading = mo.Html(
        '<h1 style="font-family:var(--heading-font);font-weight:500;font-size:2.1rem;line-height:1.2;'
        f'margin:0.5rem 0 0.4rem">{escape(row["title"])}</h1>'
        f'<p style="margin:0 0 0.4rem">{escape(row["description"] or "")}</p>'
        f'<p style="margin:0;opacity:0.8;font-size:0.95rem">{escape(row["community"])} · '
        f"{escape(history_page.standing(row, now))}</p>"
    )
    result = mo.callout(
        mo.Html(
            f'<div style="font-size:1.3rem;font-weight:600;margin-bottom:0.2rem">{escape(_said.title)}</div>'
            + "".join(f"<div>{escape(sentence)}</div>" for sentence in _said.sentences)
        ),
        kind=_said.kind,
    )
    status = mo.Html(f'<p style="margin:0;font-size:0.95rem">{escape(history_page.progress(known, now))}</p>')
    return heading, result, status


@app.function
def section(title, words, *parts):
    """A heading, a line or two of plain words, and what they are about."""
    said = f'<p style="margin:0.3rem 0 0;opacity:0.8">{escape(words)}</p>' if words else ""
    head = f'<h2 style="font-family:var(--heading-font);font-size:1.5rem;margin:1.5rem 0 0">{escape(title)}</h2>'
    return mo.vstack([mo.Html(head + said), *parts], gap=0.75)


@app.cell
def search_history(decision):
    decision.value  # another decision is looked at from the beginning
    search = mo.ui.text(placeholder="time or winner", label="Search", debounce=250)
    size = mo.ui.dropdown([str(rows) for rows in history_page.PAGE_SIZES], value="10", label="Rows a page")
    return search, size


@app.cell
def turn_pages(search, size):
    search.value, size.value  # another search begins on the first page
    turn = mo.ui.number(start=1, step=1, value=1, label="Page")
    return (turn,)


@app.cell
def show_history(known, link, search, size, turn):
    _words = (
        "A snapshot is everything that counts at one instant, frozen, and then counted. While the decision is open, "
        "results are interim; the one after its end is final. View Details shows whose ballots made it."
    )
    _table = history_page.history_table(known, search.value)
    _controls = [search, size, *([turn] if len(_table) > int(size.value) else [])]
    history = section(
        "History",
        _words,
        *([mo.hstack(_controls, justify="start", align="end", gap=1.5, wrap=True)] if len(known) else []),
        mo.Html(history_page.history_html(_table, int(turn.value or 1), int(size.value), link))
        if len(known)
        else mo.Html("<p>There is no snapshot of this decision yet.</p>"),
    )
    return (history,)


@app.cell
def show_timeline(known, store):
    over_time = None
    try:
        _rows = decision_timeline(store, known.filter(status="completed").head(history_page.CHARTED))
        _stars = charts.star_history(_rows)
        _voters = charts.participation_history(_rows)
        if _stars["timestamp"].n_unique() > 1:
            over_time = section(
                "Over time",
                history_page.over_time(_rows),
                charts.star_history_chart(_stars),
                charts.participation_history_chart(_voters),
            )
    except cv.SnapshotError as error:
        over_time = mo.callout(mo.Html(escape(str(error))), kind="warn")
    return (over_time,)


@app.cell
def lay_out(again, heading, history, over, over_time, refresh, result, started, status):
    _controls = [*([] if again is None else [again]), *([] if over else [refresh])]
    _calculation = mo.hstack([status, *_controls], justify="start", align="center", gap=1.5, wrap=True)
    _parts = [heading, result, _calculation, started, history, over_time]
    mo.vstack([part for part in _parts if part is not None], gap=1)
    return


if __name__ == "__main__":
    app.run()
