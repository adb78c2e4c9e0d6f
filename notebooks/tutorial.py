# The rules of the count, told with small examples that can be changed. Every number on the page is counted anew.
#
#     marimo run notebooks/tutorial.py
#
# D10, T2 and so on are the numbers of the rules in docs/rules.md.

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="CrowdVote: how a count works")

with app.setup:
    from html import escape

    import marimo as mo

    import crowdvote_analysis as cv
    from crowdvote_analysis import charts
    from crowdvote_analysis.loop_rules import FEW_MEMBERS, FOLLOWINGS_BEYOND, MORE_MEMBERS
    from crowdvote_analysis.pages import html_rows, layout, words
    from crowdvote_analysis.pages.tutorial import (
        EXAMPLE,
        TIED_BALLOTS,
        by_every_rule,
        example,
        example_drawing,
        example_table,
        tangle_of,
        why,
    )
    from crowdvote_analysis.pages.what_if import PROTOCOLS


@app.function
def note(words):
    """What can be seen in an example."""
    return mo.Html(f'<p style="margin:0;max-width:46rem"><strong>Here:</strong> {escape(words)}</p>')


@app.function
def table(rows):
    """A small table, all of it."""
    return mo.Html(html_rows.table(rows.columns, rows.iter_rows()))


@app.cell
def show_title():
    _opened = layout.opening()
    layout.column(
        layout.navigation(_opened, "tutorial"),
        layout.heading(
            "How a count works",
            "Seven small examples. Change them, and everything below is counted anew, by the same program that counts "
            "real decisions.",
            "Letters with numbers, such as D3, are the names of rules, in audits and in the documentation too.",
        ),
    )
    return


@app.cell
def star_controls():
    star_pond = mo.ui.slider(0, 5, value=5, label="Your stars for the pond", show_value=True)
    star_swings = mo.ui.slider(0, 5, value=0, label="for the swings", show_value=True)
    star_meadow = mo.ui.slider(0, 5, value=2, label="for the meadow", show_value=True)
    return star_meadow, star_pond, star_swings


@app.cell
def show_star(star_meadow, star_pond, star_swings):
    _ballots = {
        "You": {
            "Pond": layout.within(star_pond),
            "Swings": layout.within(star_swings),
            "Meadow": layout.within(star_meadow),
        },
        "Ann": {"Pond": 5, "Swings": 1, "Meadow": 3},
        "Ben": {"Pond": 0, "Swings": 5, "Meadow": 4},
        "Cay": {"Pond": 1, "Swings": 4, "Meadow": 5},
        "Dan": {"Pond": 2, "Swings": 1, "Meadow": 3},
    }
    _state = example(_ballots)
    _tally = cv.tally_star(cv.resolve(_state), EXAMPLE, on_tie="return")
    layout.section(
        "1. Stars, and who wins",
        [
            "Everybody gives each choice 0 to 5 stars. The two choices with the most stars meet in a runoff, and there "
            "every ballot counts once: for the one of the two it gives more stars (K1, K2).",
        ],
        layout.row(star_pond, star_swings, star_meadow),
        table(example_table(_state).drop("Tags", "Ballot")),
        charts.score_chart(_tally.scores, finalists=_tally.finalists, winner=_tally.winner),
        note(" ".join([f"{words.headline(_tally).title}.", *words.headline(_tally).sentences[:1]])),
    )
    return


@app.cell
def tag_controls():
    tags_of_ann = mo.ui.multiselect(["trees", "budget", "roads"], value=["trees", "budget"], label="Ann's ballot")
    followed_on = mo.ui.multiselect(["trees", "budget", "roads"], value=["budget", "roads"], label="Ben follows Ann on")
    return followed_on, tags_of_ann


@app.cell
def show_tags(followed_on, tags_of_ann):
    _state = example({"Ann": {"Pond": 4, "Swings": 1}}, [("Ben", "Ann", followed_on.value)], {"Ann": tags_of_ann.value})
    _ben = example_table(_state).filter(Member="Ben")
    _has = _ben["Ballot"].item() == "calculated"
    _words = f"Ben inherits Ann's ballot, and these tags come along: {_ben['Tags'].item()}."
    layout.section(
        "2. Following somebody on tags",
        [
            "Who votes says what the decision is about, with tags on their own ballot (T1). Who does not vote can "
            "follow others on tags: if one of them is on the ballot, the whole ballot is inherited, and the tags that "
            "both have come along (D2, T2).",
            "Following on no tag at all means ALL: the ballot is always inherited, with all its tags (T3).",
        ],
        layout.row(tags_of_ann, followed_on),
        table(example_table(_state)),
        note(
            _words if _has else "no tag of Ann's ballot is among those that Ben follows her on, so Ben has no ballot."
        ),
        mo.Html(why(_state, "Ben")),
    )
    return


@app.cell
def average_controls():
    stars_of_ann = mo.ui.slider(0, 5, value=5, label="Ann's stars", show_value=True)
    stars_of_ben = mo.ui.slider(0, 5, value=2, label="Ben's stars", show_value=True)
    cay_votes = mo.ui.switch(value=False, label="Cay votes by hand: 1 star")
    return cay_votes, stars_of_ann, stars_of_ben


@app.cell
def show_averages(cay_votes, stars_of_ann, stars_of_ben):
    _ballots = {"Ann": {"Pond": layout.within(stars_of_ann)}, "Ben": {"Pond": layout.within(stars_of_ben)}}
    if cay_votes.value:
        _ballots["Cay"] = {"Pond": 1}
    _state = example(_ballots, [("Cay", "Ann", []), ("Cay", "Ben", []), ("Dan", "Cay", []), ("Dan", "Ben", [])])
    layout.section(
        "3. Several followings: the average",
        [
            "Who inherits from several gets the plain average, choice by choice (D3). A ballot that is itself an "
            "average counts as one, however many stand behind it (D4). A ballot by hand always wins: who votes "
            "inherits nothing (D1).",
            "Cay follows Ann and Ben, Dan follows Cay and Ben.",
        ],
        layout.row(stars_of_ann, stars_of_ben, cay_votes),
        table(example_table(_state).drop("Tags")),
        mo.Html(why(_state, "Dan")),
    )
    return


@app.cell
def block_controls():
    cay_on = mo.ui.radio(["trees", "budget", "ALL"], value="trees", label="Cay follows Ann on", inline=True)
    return (cay_on,)


@app.cell
def show_blocking(cay_on):
    _on = [] if cay_on.value == "ALL" else [cay_on.value]
    _state = example(
        {"Ann": {"Pond": 4, "Swings": 1}},
        [("Cay", "Ann", _on), ("Dan", "Cay", ["budget"])],
        {"Ann": ["trees", "budget"]},
    )
    _has = example_table(_state).filter(Member="Dan")["Ballot"].item() == "calculated"
    layout.section(
        "4. When a tag does not get through",
        [
            "A calculated ballot carries only the tags that came along (T4). Ann's ballot is tagged trees and budget, "
            "Cay follows Ann, and Dan follows Cay on budget. If Cay inherits on trees, budget is left behind, and "
            "Dan's following cannot match (D7).",
        ],
        layout.row(cay_on),
        table(example_table(_state)),
        note("budget gets through to Dan." if _has else "budget does not get through, and Dan has no ballot."),
        mo.Html(why(_state, "Dan")),
    )
    return


@app.cell
def loop_controls():
    loop_closed = mo.ui.switch(value=True, label="Ben follows Ann back")
    return (loop_closed,)


@app.cell
def tangle_controls():
    friends = mo.ui.slider(2, 9, value=8, label="So many friends all follow each other", show_value=True)
    return (friends,)


@app.cell
def show_loops(friends, loop_closed):
    _followings = [("Ann", "Ben", []), ("Ann", "Kim", []), ("Ben", "Lou", [])]
    _followings += [("Ben", "Ann", [])] if loop_closed.value else []
    _state = example({"Kim": {"Pond": 5}, "Lou": {"Pond": 0}}, _followings)
    _friends = layout.within(friends)
    _tangle = tangle_of(_friends)
    _small = _friends <= FEW_MEMBERS
    layout.section(
        "5. Loops: who follows whom in a circle",
        [
            "Ann and Ben follow each other; Ann also follows Kim, who gives 5 stars, and Ben follows Lou, who gives 0. "
            "Three rules say what that means, and a community chooses one.",
            "“Path”: everybody's ballot is found by walking along followings, and whoever is already on the way gives "
            "nothing there (Y1). “Equilibrium”: everybody gets exactly the average of those they follow, as their "
            "ballots turn out in the end, all of a circle at once (Y4). “Auto”, the rule where nobody has chosen one, "
            "looks at each tangle of loops by itself: a small one is walked as by “path”, a larger one balanced as by "
            "“equilibrium” (Y6). Without a loop all three say the same.",
        ],
        layout.row(loop_closed),
        charts.network_chart(example_drawing(_state, "Ann")),
        table(by_every_rule(_state)),
        note(
            "by “path”, Ann's walk meets Ben without Ann, so with Lou's 0 stars; halfway to Kim's 5 that is 2.5, as "
            "the tree below shows. By “equilibrium”, Ann is halfway between Kim and Ben, and Ben is halfway between "
            "Lou and Ann, both at the same time. Two members are a small tangle, so “auto” walks it."
            if loop_closed.value
            else "there is no loop, and the three rules agree."
        ),
        mo.Html(why(_state, "Ann")),
        layout.subheading(
            "Where a small tangle ends",
            "Each more who joins a tangle multiplies the walks through it, and those among thirty friends nobody would "
            f"live to see the end of. So “auto” walks a tangle of at most {FEW_MEMBERS} members, whoever follows whom "
            f"among them; and one of at most {MORE_MEMBERS} in which few loops cross, with at most {FOLLOWINGS_BEYOND} "
            "followings more than members. It balances any other. That depends on who follows whom alone, not on the "
            "time it takes, so that a recount gives the same. Here a few friends all follow each other; Ann also "
            "follows Kim, who gives 5 stars, and Ben follows Lou, who gives 0.",
        ),
        layout.row(friends),
        table(by_every_rule(_tangle)),
        note(
            f"{_friends} members are a small tangle, which “auto” walks: it gives what “path” gives."
            if _small
            else f"{_friends} members who all follow each other are no small tangle, so “auto” balances it: it "
            "gives what “equilibrium” gives, and nothing is cut."
        ),
    )
    return


@app.cell
def tie_controls():
    protocol = mo.ui.radio(list(PROTOCOLS), value="starvote (K4)", label="Tie protocol", inline=True)
    stars_of_eve = mo.ui.slider(0, 5, value=4, label="Eve's stars for the pond", show_value=True)
    return protocol, stars_of_eve


@app.cell
def show_ties(protocol, stars_of_eve):
    _ballots = TIED_BALLOTS | {"Eve": TIED_BALLOTS["Eve"] | {"Pond": layout.within(stars_of_eve)}}
    _state = example(_ballots)
    _resolution = cv.resolve(_state)
    _tally = cv.tally_star(_resolution, EXAMPLE, PROTOCOLS[protocol.value], on_tie="return")
    _all = cv.compare_protocols(_tally).sort("protocol")
    _says = "; ".join(
        f"{name}: {winner or 'a tie that people must decide'}"
        for name, winner in _all.select("protocol", "winner").rows()
    )
    layout.section(
        "6. Ties, and three ways to settle them",
        [
            "When choices are level, more than one fair rule is known. The protocol is chosen beforehand and recorded "
            "with the result (K3); lots are never drawn. What no step can settle is left to people, and the result "
            "says who could win (K7).",
            "All three choices have 15 stars here, and each protocol settles that by other steps. With fewer stars of "
            "Eve's for the pond the tie is gone; with one more, the two others are still level.",
        ],
        layout.row(protocol, stars_of_eve),
        table(example_table(_state).drop("Tags", "Ballot")),
        note(f"{_says}."),
        layout.log(_tally.log),
    )
    return


@app.cell
def exact_controls():
    followed = mo.ui.slider(2, 8, value=2, label="Ben follows so many", show_value=True)
    return (followed,)


@app.cell
def show_exactness(followed):
    _followed = layout.within(followed)
    _voters = [f"Voter {number}" for number in range(1, _followed + 1)]
    _state = example(
        {name: {"Pond": "0.1" if place else "0.2"} for place, name in enumerate(_voters)},
        [("Ben", name, []) for name in _voters],
    )
    _ben = example_table(_state).filter(Member="Ben")["★ Pond"].item()
    _float = sum([0.2] + [0.1] * (_followed - 1)) / _followed
    layout.section(
        "7. Exact to the last place",
        [
            "Stars are decimal numbers and never pass through the binary fractions that computers like to use, in "
            "which 0.1 + 0.2 is 0.30000000000000004. What is stored, shown and tallied has 8 places, rounded to the "
            "nearest, halves to the even side (D10). The same ballots give the same digits on every machine.",
            "The first voter gives 0.2 stars, all others 0.1; Ben follows them all.",
        ],
        layout.row(followed),
        note(f"Ben's ballot is {_ben} stars. Binary fractions would say {_float!r}."),
    )
    return


if __name__ == "__main__":
    app.run()
