"""Everyone's ballot in one decision: waves of members who can be calculated, then what is in or behind loops.

What ``delegation.settling`` does with levels in memory is done here with waves over files. Ballots do not depend on the
difference: any order in which nobody comes before those they inherit from gives the same integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crowdvote_analysis.out_of_core.averages import Averages
from crowdvote_analysis.out_of_core.loops import settle_loops
from crowdvote_analysis.out_of_core.rows import waves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crowdvote_analysis.out_of_core.graph import Graph

    Array = NDArray[Any]


def settle(graph: Graph, decision_id: str, work_limit: int, advance: Callable[[int], None]) -> None:
    """Give everybody their ballot.

    Args:
        graph: The decision, with the ballots cast by hand.
        decision_id: Its id, for errors.
        work_limit: Steps the rule ``path`` may take for all its loops (Y3).
        advance: Called with the number of members settled since the last call.

    Raises:
        CyclicCoreTooLarge: The rule ``path`` needs more steps.
        CrowdVoteError: A core of loops that has to be balanced does not fit into the memory.
    """
    averages = Averages(graph, advance)
    followers = graph.home.followers

    def reached_from(nodes: Array) -> Iterator[Array]:
        for some in followers.chunks(nodes, graph.size):
            yield followers.columns[followers.places(some)[0]]

    for wave in waves(graph.waits, graph.size, reached_from):
        averages.wave(wave)
    averages.flush()
    settle_loops(graph, averages, decision_id, work_limit, advance)
