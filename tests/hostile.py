"""Communities whose members write whatever a page could take for something else than a text."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from crowdvote_analysis import SystemState

ELSEWHERE = "elsewhere.example"
TEXTS = [
    f"![x](http://{ELSEWHERE}/a.png)",
    f'<img src="http://{ELSEWHERE}/b.png" onerror="window.hacked=1">',
    f"[a](javascript:window.hacked=1) [b](http://{ELSEWHERE})",
    r"$\TeX$ and $$x$$ and \(y\) ||(z||)",
    ":smile: ::lucide:leaf:: ++ctrl+alt++ {==mark==} ~~gone~~",
    "# heading",
    f"`code` and ``` http://{ELSEWHERE}/c.png",
    f'["text/html:<img src=http://{ELSEWHERE}/d.png onerror=window.hacked=1>"]',
    f'{{"mimetype": "text/html", "data": "<img src=http://{ELSEWHERE}/e.png>"}}',
    f"http://{ELSEWHERE}/f.png",
    "1. list\n\n    indented\n- [ ] task",
    f"</span><script>window.hacked=1</script><iframe src=//{ELSEWHERE}>'\"",
    f"a title that is longer than a cell of a table may be: ![x](http://{ELSEWHERE}/g.png) | a | b |",
]


def hostile_state() -> SystemState:
    """One community with a decision counted with stars and one with yes and no; every text is one of ``TEXTS``.

    Members follow each other on such tags, some in a circle; choices bear such titles; ids are such texts as well.
    """
    number = len(TEXTS)
    ids = [text.replace("\n", " ") for text in TEXTS]
    name = pl.Series(TEXTS)
    home = pl.lit(ids[1])
    star, yes_no = ids[0], ids[5]
    opens, closes = datetime(2026, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    return SystemState(
        communities=pl.DataFrame({"community_id": [ids[1]], "title": [TEXTS[2]]}),
        members=pl.DataFrame({"member_id": ids, "display_name": name}).with_columns(community_id=home),
        decisions=pl.DataFrame(
            {
                "community_id": ids[1],
                "decision_id": [star, yes_no],
                "title": [TEXTS[0], TEXTS[6]],
                "description": [TEXTS[1], TEXTS[3]],
                "method": ["star", "simple_majority"],
                "opens_at": [opens, opens],
                "closes_at": [closes, closes],
                "delegated": [False, True],
            }
        ),
        choices=pl.DataFrame({"decision_id": star, "choice_id": ids, "title": name}),
        followings=pl.DataFrame(
            {
                "community_id": ids[1],
                "follower_id": [*ids[7:], ids[6], ids[10]],
                "followee_id": [*ids[: number - 7], ids[10], ids[6]],
                "tags": [[text] for text in ids[: number - 7]] + [[], []],
            }
        ),
        ballots=pl.DataFrame({"decision_id": star, "member_id": ids[:6], "tags": [[text] for text in ids[:6]]}),
        votes=pl.DataFrame(
            [
                {"decision_id": star, "member_id": member, "choice_id": choice, "stars": str((at + rank) % 6)}
                for at, member in enumerate(ids[:6])
                for rank, choice in enumerate(ids)
            ]
        ),
        yes_no_votes=pl.DataFrame(
            {
                "decision_id": yes_no,
                "member_id": ids[:4],
                "vote": ["yes", "no", "yes", "abstain"],
                "tags": [[text] for text in ids[:4]],
            }
        ).with_columns(voted_at=pl.lit(datetime(2026, 2, 1, tzinfo=UTC))),
    )
