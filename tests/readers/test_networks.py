"""Edge lists of SNAP and others: a line ``a b`` says that a follows b."""

from __future__ import annotations

import gzip
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers import read_network
from tests.readers.conftest import shared

if TYPE_CHECKING:
    from tests.readers.conftest import Write

EDGES = [("1", "2"), ("2", "3"), ("10", "1")]


@pytest.mark.parametrize(
    "text",
    [
        "1\t2\n2\t3\n10\t1\n",
        "1 2\n2 3\n10 1",
        "1,2\r\n2,3\r\n10,1\r\n",
        "# Directed graph\n# FromNodeId\tToNodeId\n1\t2\n\n2\t3\n# more\n10\t1\n",
        "% sym unweighted\n1 2 \n 2   3\n10 \t 1\n",
        "FromNodeId\tToNodeId\n1\t2\n2\t3\n10\t1\n",
        "SOURCE,TARGET\n1, 2\n2 ,3\n10,1\n",
        "hither yon\n1 2\n2 3\n10 1\n",
        '"from","to"\n"1","2"\n"2","3"\n"10","1"\n',
        "target,source\n2,1\n3,2\n1,10\n",
        "\ufeff1 2\n2 3\n10 1\n",
    ],
)
def test_every_dialect_gives_the_same_edges(write: Write, text: str) -> None:
    """Separators, comments, headers, blank lines and line ends do not change who follows whom."""
    network = read_network(write("edges.txt", text))
    assert network.rows() == EDGES
    assert network.schema == {"follower_id": pl.String, "followee_id": pl.String}


def test_gzipped_edge_list_reads_like_a_plain_one(write: Write) -> None:
    """SNAP publishes ``.txt.gz``; there is no need to unpack it."""
    assert read_network(write("edges.txt.gz", gzip.compress(b"1 2\n2 3\n10 1\n"))).rows() == EDGES


def test_ids_may_be_names(write: Write) -> None:
    """Ids are text as it stands, blanks inside included where commas separate; the first line is no header then."""
    assert read_network(write("e.csv", "Ada L,Bob\nBob,007\n")).rows() == [("Ada L", "Bob"), ("Bob", "007")]


def test_repeated_and_own_edges_are_kept(write: Write) -> None:
    """The reader reports what the file says; merging is the state's rule (D8)."""
    assert read_network(write("e.txt", "1 2\n1 2\n3 3\n")).rows() == [("1", "2"), ("1", "2"), ("3", "3")]


def test_third_column_is_the_weight_and_fourth_the_time(write: Write) -> None:
    """Weights are exact decimals, times text as it stands."""
    network = read_network(write("e.csv", "6,2,4,1289241911.72836\n6,5,-10,1289241941.53378\n"))
    assert network.schema["weight"].is_decimal()
    assert network.rows() == [("6", "2", Decimal(4), "1289241911.72836"), ("6", "5", Decimal(-10), "1289241941.53378")]


def test_weight_above_keeps_what_is_greater(write: Write) -> None:
    """An edge of exactly the weight asked for is dropped."""
    path = write("e.csv", "a,b,1\na,c,0\na,d,-1\na,e,0.0\na,f,+2\n")
    assert read_network(path, weight_above=0)["followee_id"].to_list() == ["b", "f"]
    assert read_network(path, weight_above=-1)["followee_id"].to_list() == ["b", "c", "e", "f"]
    assert read_network(path, weight_above="1.5")["followee_id"].to_list() == ["f"]
    assert read_network(path, weight_above=9).rows() == []


def test_weights_are_compared_exactly(write: Write) -> None:
    """Weights that are the same binary float are still told apart."""
    path = write("e.csv", "a,b,0.1000000000000000055\na,c,0.1\na,d,1e-1\na,e,.10000000000000000000001\n")
    assert read_network(path, weight_above=Decimal("0.1"))["followee_id"].to_list() == ["b", "e"]
    large = write("l.csv", "a,b,9007199254740993\na,c,9007199254740992\na,d,1E+5\n")
    assert read_network(large, weight_above=9007199254740992)["followee_id"].to_list() == ["b"]
    assert read_network(large)["weight"].to_list() == [9007199254740993, 9007199254740992, 100000]


def test_weight_column_may_be_named_or_numbered(write: Write) -> None:
    """The other of the third and fourth column is the time."""
    path = write("e.csv", "source,target,timestamp,rating\n1,2,99,5\n1,3,98,-5\n")
    for column in ("rating", "Rating", 4):
        network = read_network(path, weight_above=0, weight_column=column)
        assert network.to_dicts() == [{"follower_id": "1", "followee_id": "2", "weight": Decimal(5), "time": "99"}]


def test_column_the_header_calls_a_time_is_no_weight(write: Write) -> None:
    """A third column named timestamp is the time of the edge."""
    assert read_network(write("e.csv", "source,target,timestamp\n1,2,99\n")).columns == [
        "follower_id",
        "followee_id",
        "time",
    ]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("1 2\n", {"weight_above": 0}, "has no weights"),
        ("source,target,time\n1,2,3\n", {"weight_above": 0}, "has no weights"),
        ("1,2,3\n", {"weight_above": 0, "weight_column": 4}, "has no column 4"),
        ("1,2,3\n", {"weight_above": 0, "weight_column": 2}, "has no column 2"),
        ("source,target,rating\n1,2,3\n", {"weight_column": "trust"}, "has no weight column 'trust'"),
        ("1,2,3\n", {"weight_column": "trust"}, "without names"),
    ],
)
def test_asking_for_weights_that_are_not_there_is_an_error(
    write: Write, text: str, options: dict[str, Any], said: str
) -> None:
    """Nothing is filtered by a column that does not exist."""
    with pytest.raises(UnreadableFileError, match=said):
        read_network(write("e.csv", text), **options)


@pytest.mark.parametrize("wrong", ["much", "nan", "inf"])
def test_threshold_must_be_a_number(write: Write, wrong: str) -> None:
    """A threshold that nothing can be compared with is refused."""
    with pytest.raises(ValueError, match="weight_above must be a number"):
        read_network(write("e.csv", "1,2,3\n"), weight_above=wrong)


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("# c\n1 2\n\n3\n4 5\n", 4, "'3'"),
        ("1 2\n3 4 5\n", 2, "'3 4 5'"),
        ("1,2\n3,\n", 2, "'3,'"),
        ("1\n2\n", 1, "'1'"),
        ("1 2 3 4 5\n", 1, "'1 2 3 4 5'"),
        ("1,2,3\n1,3,x\n1,4,y\n", 2, "'1,3,x'"),
        ("1,2,3\n1,3,\n", 2, "'1,3,'"),
        ("1,2,3\n1,3,nan\n", 2, "'1,3,nan'"),
    ],
)
def test_bad_line_is_shown_with_its_number(write: Write, text: str, line: int, shown: str) -> None:
    """The number counts every line of the file, comments and blank ones included."""
    with pytest.raises(UnreadableFileError, match=rf"line {line} .*{shown}"):
        read_network(write("e.txt", text))


@pytest.mark.parametrize("text", ["# only\n% comments\n", "source,target\n"])
def test_file_without_edges_is_refused(write: Write, text: str) -> None:
    """Comments and a header alone are no network."""
    with pytest.raises(UnreadableFileError, match="holds no edges"):
        read_network(write("e.txt", text))


def test_weight_too_long_to_be_exact_is_refused(write: Write) -> None:
    """Rather an error than a rounded weight."""
    with pytest.raises(UnreadableFileError, match="38 digits"):
        read_network(write("e.csv", "1,2,1e30\n1,3,1e-30\n"))


def test_half_a_million_edges_take_well_under_a_second(write: Write) -> None:
    """Lines are not looped over in Python; the bound is loose so that a busy machine does not fail it."""
    text = "".join(f"{i % 70000}\t{i * 7 % 70001}\n" for i in range(500_000))
    path = write("e.txt", text)
    start = time.perf_counter()
    assert len(read_network(path)) == 500_000
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("name", "edges", "people"), [("wiki-Vote.txt", 103_689, 7_115), ("soc-Epinions1.txt", 508_837, 75_879)]
)
def test_snap_network_has_the_size_its_publisher_states(name: str, edges: int, people: int) -> None:
    """Edges and nodes are those of the SNAP page."""
    network = read_network(shared(name))
    assert len(network) == edges
    assert pl.concat([network["follower_id"], network["followee_id"].alias("follower_id")]).n_unique() == people


def test_bitcoin_otc_trust_can_be_told_from_distrust() -> None:
    """32,029 of the 35,592 ratings of Bitcoin OTC are above 0 (SNAP: 89 % positive)."""
    path = shared("soc-sign-bitcoinotc.csv")
    assert len(read_network(path)) == 35_592
    assert len(read_network(path, weight_above=0)) == 32_029
