"""How the cost of a count grows, measured one size after the other: ``python -m benchmarks.growth``.

Prints the figures as CSV and draws them into docs/images; with the name of such a file, only draws.
"""

from __future__ import annotations

import sys
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import crowdvote_analysis as cv
from benchmarks.measure import once
from benchmarks.networks import community

if TYPE_CHECKING:
    from collections.abc import Iterator

    import altair as alt

IMAGES = Path(__file__).parents[1] / "docs" / "images"
_INKS = {"light": ("#1f2328", "#ffffff"), "dark": ("#e6e8eb", "#181c1a")}

# Beyond 100,000 members, trees of sources are not counted unasked (I2): most panels start above, so that they show what
# their title says.
_MEMBERS = 150_000


def cases() -> Iterator[tuple[str, int, cv.SystemState, str]]:
    """What is counted: panel, size, state and rule for loops."""
    for members in (1_000, 10_000, 100_000, 200_000, 1_000_000):
        yield "members", members, cv.SystemState(**community(members)), "path"
    for follow in (1, 2, 5, 10, 20):
        yield "followings per member", follow, cv.SystemState(**community(_MEMBERS, follow=follow)), "path"
    for depth in (100, 1_000, 10_000, 100_000):
        yield "depth (a chain)", depth, _chain(depth), "path"
    for tags in (1, 8, 64, 512):
        yield "tags", tags, cv.SystemState(**community(_MEMBERS, tags=tags)), "path"
    for choices in (1, 5, 20, 100):
        yield "choices", choices, cv.SystemState(**community(_MEMBERS, choices=choices)), "path"
    for decisions in (1, 10, 100):
        yield "decisions", decisions, cv.SystemState(**community(10_000, decisions=decisions)), "path"
    for size in (4, 8, 10, 12, 14):
        everybody = [(f"m{one:02d}", f"m{other:02d}") for one, other in permutations(range(size), 2)]
        yield "core, all follow all (path)", size, _core(size, everybody), "path"
    for size in (10, 50, 100, 200, 400):
        ring = [(f"m{one:02d}", f"m{(one + 1) % size:02d}") for one in range(size)]
        yield "core, a ring (path)", size, _core(size, ring), "path"
    for members in (1_000, 10_000, 100_000, 1_000_000):
        state = cv.SystemState(**community(members, loops=True))
        yield "members, giant core (equilibrium)", members, state, "equilibrium"


def _chain(depth: int) -> cv.SystemState:
    ids = [f"m{number:06d}" for number in range(depth + 1)]
    followings = pl.DataFrame({"follower_id": ids[1:], "followee_id": ids[:-1]})
    votes = pl.DataFrame({"member_id": ids[0], "choice_id": ["pond", "swings"], "stars": [5, 3]})
    return cv.SystemState(followings=followings, votes=votes)


def _core(size: int, inside: list[tuple[str, str]]) -> cv.SystemState:
    """A core whose members also follow one voter of three in turn, the first three of a ring only."""
    fed = range(size if len(inside) > size else 3)
    pairs = [*inside, *((f"m{member:02d}", f"voter {member % 3}") for member in fed)]
    votes = [(f"voter {number}", "pond", stars) for number, stars in enumerate((5, 0, 3))]
    return cv.SystemState(
        followings=pl.DataFrame(pairs, schema=["follower_id", "followee_id"], orient="row"),
        votes=pl.DataFrame(votes, schema=["member_id", "choice_id", "stars"], orient="row"),
    )


def measured() -> pl.DataFrame:
    """panel, size, seconds: the better of two runs."""
    rows = []
    for panel, size, state, rule in cases():
        print(f"{panel}: {size:,}", file=sys.stderr)
        seconds = min(once(lambda: cv.resolve(state, cycles=rule)) for _ in range(2))  # noqa: B023 - called at once
        rows.append((panel, size, seconds))
    return pl.DataFrame(rows, schema=["panel", "size", "seconds"], orient="row")


def chart(figures: pl.DataFrame, mode: str) -> alt.FacetChart:
    """One panel for each way to grow, both axes logarithmic; a line of slope one is drawn beside each."""
    import altair as alt

    ink, paper = _INKS[mode]
    first = pl.col("seconds").first() / pl.col("size").first()
    frame = figures.with_columns(straight=(first * pl.col("size")).over("panel"))
    log = alt.Scale(type="log", nice=False)
    size = alt.X("size:Q").scale(log).axis(title=None, format="~s", grid=False, labelOverlap=True)
    tens = [10.0**power for power in range(-2, 4)]
    seconds = alt.Y("seconds:Q").scale(log).axis(title="seconds", values=tens, format="~g")
    base = alt.Chart(frame)
    line = base.mark_line(point={"color": "#2196f3", "size": 45}, color="#2196f3").encode(size, seconds)
    straight = base.mark_line(strokeDash=[3, 4], color=ink, opacity=0.4).encode(size, alt.Y("straight:Q").scale(log))
    panels = alt.layer(straight, line).properties(width=210, height=150)
    order = figures["panel"].unique(maintain_order=True).to_list()
    facet = alt.Facet("panel:N", sort=order).header(title=None, labelColor=ink, labelFontSize=13)
    whole = panels.facet(facet, columns=3).resolve_scale(x="independent", y="independent")
    return (
        whole.configure(background=paper, font="PT Sans, system-ui, sans-serif", padding=14)
        .configure_axis(labelColor=ink, titleColor=ink, gridColor="#8884", domain=False, ticks=False)
        .configure_view(stroke=None)
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        found = pl.read_csv(sys.argv[1])
    else:
        found = measured()
        print(found.write_csv(float_precision=4))
    for mode in _INKS:
        chart(found, mode).save(IMAGES / f"growth-{mode}.svg")
