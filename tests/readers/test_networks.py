"""Edge lists of SNAP and others: a line ``a b`` says that a follows b."""

from __future__ import annotations

import gzip
import time
import warnings
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from crowdvote_analysis import readers
from crowdvote_analysis.errors import TableWarning, UnreadableFileError
from tests.readers.conftest import shared

if TYPE_CHECKING:
    from tests.readers.conftest import Write

EDGES = [("1", "2"), ("2", "3"), ("10", "1")]


def read_network(path: Path, **options: Any) -> pl.DataFrame:
    """The network, whatever there is to note."""
    return read_noting(path, **options)[0]


def read_noting(path: Path, **options: Any) -> tuple[pl.DataFrame, list[str]]:
    """The network, and the notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TableWarning)
        network = readers.read_network(path, **options)
    return network, [str(warning.message).removeprefix(f"{path}: ") for warning in caught]


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
    """Lines are not looped over in Python; time of the processor, so that a busy machine does not fail it."""
    text = "".join(f"{i % 70000}\t{i * 7 % 70001}\n" for i in range(500_000))
    path = write("e.txt", text)
    start = time.process_time()
    assert len(read_network(path)) == 500_000
    assert time.process_time() - start < 2


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


# --- whose column is whose --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "delegator,delegate",
        "Delegator_ID,Delegate_ID",
        "source,target",
        "Source Node,Target Node",
        "FROM,TO",
        "from_id,to_id",
        "truster,trustee",
        "follower,followed",
        "voter,proxy",
        "principal,agent",
        "who,whom",
        "user_from,user_to",
        "rater,ratee",
    ],
)
def test_a_header_names_who_follows_in_either_order(write: Write, header: str) -> None:
    """Names of ids that are words, too; a note says how the line was read."""
    follower, followee = header.split(",")
    network, notes = read_noting(write("e.csv", f"{header}\nana,ben\ncleo,ben\n"))
    assert network.rows() == [("ana", "ben"), ("cleo", "ben")]
    assert notes == [f"line 1 names the columns: '{follower}' follows '{followee}'."]
    network, notes = read_noting(write("r.csv", f"{followee},{follower}\nana,ben\ncleo,ben\n"))
    assert network.rows() == [("ben", "ana"), ("ben", "cleo")]
    assert notes == [f"line 1 names the columns: '{follower}' follows '{followee}'."]


@pytest.mark.parametrize(
    "text",
    [
        "user_id,follower_id\n7,8\n",
        "delegator,name\nana,ben\n",
        "source,origin\nana,ben\n",
        "member,boss\nana,ben\n",
        "source,ana\nana,ben\n",
        "# a comment\n\nfrom what\n1 2\n",
    ],
)
def test_a_line_that_may_or_may_not_be_a_header_is_refused(write: Write, text: str) -> None:
    """Nobody's edge is lost for a header, and no header is an edge; the error gives both ways out."""
    with pytest.raises(
        UnreadableFileError, match=r"line \d seems to name the columns.*follower_id and followee_id; if it"
    ):
        read_network(write("e.csv", text))


def test_names_that_say_nothing_are_a_header_with_a_loud_note(write: Write) -> None:
    """``node_1,node_2`` (SNAP's MUSAE) and any two words above numbers."""
    for header in ("node_1,node_2", "id_1,id_2", "hither,yon", "User A,User B"):
        network, notes = read_noting(write("e.csv", f"{header}\n1,2\n"))
        assert network.rows() == [("1", "2")]
        assert "does not say who follows whom" in notes[0]


@pytest.mark.parametrize("ids", [("user1", "user2", "user3"), ("voter_1", "voter_2", "voter_3"), ("a", "b", "c")])
def test_numbered_ids_are_no_header(write: Write, ids: tuple[str, ...]) -> None:
    """``user1,user2`` above others like it is an edge."""
    one, two, three = ids
    assert read_noting(write("e.csv", f"{one},{two}\n{three},{one}\n"))[0].rows() == [(one, two), (three, one)]


def test_ids_are_found_among_other_columns_by_name(write: Write) -> None:
    """A table of edges of Gephi; what is not read is named."""
    text = "Source,Target,Type,Id,Label,Weight\nana,ben,Directed,0,,2.5\n"
    network, notes = read_noting(write("e.csv", text), weight_above=2)
    assert network.rows() == [("ana", "ben", Decimal("2.5"))]
    assert notes[1] == "not read: type, id, label."
    network, notes = read_noting(write("f.csv", "id,source,target\n1,ana,ben\n"))
    assert network.rows() == [("ana", "ben")]
    assert notes[1] == "not read: id."


def test_an_index_of_pandas_or_r_is_no_weight(write: Write) -> None:
    """A column without a name before the edges; without a header, numbers of lines are told."""
    network, notes = read_noting(write("e.csv", ",source,target\n0,ana,ben\n1,ben,cleo\n"))
    assert network.rows() == [("ana", "ben"), ("ben", "cleo")]
    assert notes[1] == "not read: a column without a name."
    _, notes = read_noting(write("f.csv", "0,10,20\n1,11,20\n2,12,20\n"))
    assert "the first column counts the lines (0, 1, …)" in notes[0]


def test_edges_of_a_graph_database_are_read(write: Write) -> None:
    """Neo4j names its columns so; spreadsheets are told a separator in a line of its own."""
    network, _ = read_noting(write("e.csv", "sep=;\n:START_ID;:END_ID;:TYPE\nana;ben;FOLLOWS\n"))
    assert network.rows() == [("ana", "ben")]
    assert read_noting(write("f.csv", "# target, source, weight\n1, 2, 3\n"))[0].rows() == [("2", "1", Decimal(3))]


def test_our_own_table_of_followings_is_an_edge_list(write: Write) -> None:
    """Its tags are no weights."""
    network, notes = read_noting(write("e.csv", "follower_id,followee_id,tags\nana,ben,trees;budget\n"))
    assert network.rows() == [("ana", "ben")]
    assert notes[1] == "not read: tags."
    network, notes = read_noting(write("f.csv", "community_id,follower_id,followee_id,tags\nc,ana,ben,trees\n"))
    assert network.rows() == [("ana", "ben")]
    assert notes[1] == "not read: community_id, tags."


def test_a_comment_above_the_edges_may_name_the_columns(write: Write) -> None:
    """``# ToNodeId FromNodeId`` turns the edges round, with a note; the usual order is not worth one."""
    assert read_noting(write("e.txt", "# FromNodeId\tToNodeId\n1\t2\n"))[1] == []
    network, notes = read_noting(write("r.txt", "# 2 members\n# ToNodeId\tFromNodeId\n1\t2\n"))
    assert network.rows() == [("2", "1")]
    assert notes == ["the comment above the edges says that 'FromNodeId' follows 'ToNodeId'."]


# --- cells ------------------------------------------------------------------------------------------------------------


def test_quoted_ids_keep_what_separates(write: Write) -> None:
    """As spreadsheets write names with commas; a quote inside is doubled."""
    assert read_network(write("e.csv", '"Lovelace, Ada","Bo ""B"" Lee"\n"x;y",z\n')).rows() == [
        ("Lovelace, Ada", 'Bo "B" Lee'),
        ("x;y", "z"),
    ]
    assert read_network(write("e.txt", '"Ada L"  Ben\n')).rows() == [("Ada L", "Ben")]
    with pytest.raises(UnreadableFileError, match="line 2 has a double quote that is never closed"):
        read_network(write("f.csv", 'a,b\n"a,b\n'))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_semicolons_separate_where_there_are_no_commas(write: Write, end: str) -> None:
    """As spreadsheets write where the comma is for decimals; both in one line are refused."""
    network, _ = read_noting(write("e.csv", "\ufeff" + end.join(["source;target;weight", "Ana B;Ben;2", "Ben;Cleo;1"])))
    assert network.rows() == [("Ana B", "Ben", Decimal(2)), ("Ben", "Cleo", Decimal(1))]
    with pytest.raises(UnreadableFileError, match="line 1 holds commas and semicolons"):
        read_network(write("f.csv", f"ana;ben;0,5{end}"))


def test_blank_columns_of_a_spreadsheet_are_no_weights(write: Write) -> None:
    """Commas behind the edges hold nothing."""
    assert read_noting(write("e.csv", "ana,ben,,\ncleo,ben,,\n"))[0].rows() == [("ana", "ben"), ("cleo", "ben")]


def test_tabs_and_blanks_may_be_mixed_between_numbers(write: Write) -> None:
    """Only a name with a blank makes tabs the one separator; then a line without a tab is refused."""
    assert read_network(write("e.txt", "1 2\t5\n3\t4 6\n"))["followee_id"].to_list() == ["2", "4"]
    with pytest.raises(UnreadableFileError, match="line 2 has not 2 columns"):
        read_network(write("f.txt", "Kelly\tTeam 2\nMaya Kelly\n"))
    with pytest.raises(UnreadableFileError, match="line 2 lacks an id"):
        read_network(write("g.txt", "Kelly\tMaya\n\tTeam 2\n"))
    assert read_network(write("h.txt", "#x\tMaya\nKelly\t#x\n")).rows() == [("#x", "Maya"), ("Kelly", "#x")]
    assert read_network(write("i.txt", 'Kelly\tBen\n#x\t"a\tb"\n')).rows() == [("Kelly", "Ben"), ("#x", "a\tb")]


def test_lines_of_comments_between_edges_are_told(write: Write) -> None:
    """Where blanks separate, ``#trees ana`` stays a comment; nothing is dropped without a number."""
    network, notes = read_noting(write("e.txt", "#trees ana\nben ana\n# a remark\n#budget ana\n"))
    assert network.rows() == [("ben", "ana")]
    assert notes[0].startswith("3 lines that begin with # or % were left out as comments (first: line 1)")
    assert read_noting(write("f.csv", "#source,target\n#a,b\n"))[0].rows() == [("#a", "b")]


# --- ids --------------------------------------------------------------------------------------------------------------


def test_ids_take_one_form(write: Write) -> None:
    """The same letters are the same id, whatever their Unicode form and what cannot be seen in them (T7)."""
    network = read_network(write("e.csv", "Zo\u00eb,Ben\nZoe\u0308,\u200bBen\nA\u200dB,Ben\n"))
    assert network.rows() == [("Zo\u00eb", "Ben"), ("Zo\u00eb", "Ben"), ("A\u200dB", "Ben")]
    assert read_network(write("f.csv", "Ana,ben\nana,Ben\n")).rows() == [("Ana", "ben"), ("ana", "Ben")]


def test_whole_numbers_that_pandas_wrote_as_floats_are_whole(write: Write) -> None:
    """One column may be 1.0 and the other 1, and both mean the same member; versions stay what they are."""
    network, notes = read_noting(write("e.csv", "source,target\n1.0,2\n2.0,10\n"))
    assert network.rows() == [("1", "2"), ("2", "10")]
    assert notes[1] == "2 ids are written as 1.0 and read as 1."
    assert read_noting(write("f.csv", "v1.0,x\n2.0,y\n"))[0].rows() == [("v1.0", "x"), ("2.0", "y")]


@pytest.mark.parametrize("wrong", ["1e+05", "1.23457E+12"])
def test_rounded_ids_are_refused(write: Write, wrong: str) -> None:
    """R and spreadsheets write long numbers so; other ids were rounded to the same."""
    with pytest.raises(UnreadableFileError, match="line 2 has an id that a program has rounded"):
        read_network(write("e.csv", f"1,2\n{wrong},3\n"))


# --- other formats ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%%MatrixMarket matrix coordinate pattern general\n3 3 2\n1 2\n2 3\n", "is a Matrix Market file. Remove"),
        ("3 3 2\n1 2 1\n2 3 1\n", "line 1 is the size of the network"),
        ('*Vertices 2\n1 "a"\n2 "b"\n*Arcs\n1 2\n', "is a Pajek file"),
        ('<?xml version="1.0"?>\n<graphml xmlns="x">\n', "is a GraphML file"),
        ('<?xml version="1.0"?>\n<!-- made -->\n<gexf>\n', "is a GEXF file"),
        ("<!DOCTYPE html><html>\n", "is a page of the web"),
        ('Creator "x"\ngraph\n[\n', "is a GML file"),
        ("graph [\n  node [ id 1 ]\n]\n", "is a GML file"),
        ("digraph { a -> b }\n", "is a Graphviz file"),
        ('{"nodes": []}\n', "is a JSON file"),
        ("dl n=4 format=edgelist1\n", "is a UCINET file"),
        ("nodedef> name\n", "is a GDF file"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "points to a file in Git LFS"),
        ("% bip weighted\n1 1\n", "is a bipartite network"),
        ("a -> b\nb -> c\n", "line 1 has a sign between the ids"),
        ("1 2 {'weight': 3}\n", "line 1 ends in attributes"),
    ],
)
def test_other_formats_are_known_and_refused(write: Write, text: str, said: str) -> None:
    """In one sentence that says what to do; nothing of them is read as an edge."""
    with pytest.raises(UnreadableFileError, match=said):
        read_network(write("graph", text))


def test_edges_of_networkx_are_read_without_their_braces(write: Write) -> None:
    """``write_edgelist`` puts ``{}`` behind each."""
    assert read_noting(write("e", "ana ben {}\nben cleo {}\n"))[0].rows() == [("ana", "ben"), ("ben", "cleo")]


@pytest.mark.parametrize(
    "text",
    ["% sym unweighted\n1 2\n", "# Undirected graph: x\n1 2\n", "Source,Target,Type\n1,2,Undirected\n"],
)
def test_edges_without_direction_are_read_with_a_loud_note(write: Write, text: str) -> None:
    """KONECT, SNAP and Gephi say so in their files."""
    network, notes = read_noting(write("e.txt", text))
    assert network.select("follower_id", "followee_id").rows() == [("1", "2")]
    assert any(note.startswith("says that its edges have no direction") for note in notes)


def test_a_first_line_that_may_be_a_size_is_told(write: Write) -> None:
    """Two numbers that fit the rest: an edge, with a note."""
    network, notes = read_noting(write("e.txt", "3 2\n1 2\n1 3\n"))
    assert len(network) == 3
    assert "may be the size of the network instead (3 members, 2 edges)" in notes[0]
    assert read_noting(write("f.txt", "3 0\n"))[0].rows() == [("3", "0")]


def test_weights_say_when_they_may_mean_something_else(write: Write) -> None:
    """Distrust that nobody asked to leave out, and a list of neighbours of which each line holds two."""
    path = write("e.csv", "a,b,1\na,c,-1\n")
    assert "1 edges have a weight below 0" in read_noting(path)[1][0]
    assert read_noting(path, weight_above=0)[1] == []
    assert "all its values are ids, too" in read_noting(write("f.txt", "2 3 1\n1 2 3\n3 1 2\n"))[1][0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ann,bob\nbob,cat\nfollowee_id,follower_id\nzed,ann\n", 3),
        ("ann,bob\nbob,cat\nsource,target\nzed,ann\n", 3),
        ("1 2\n2 3\nTo From\n", 3),
        ("ann bob\nuser_id follower_id\n", 2),
        ("ann bob\nnode node\n", 2),
        ("ann;bob;2\nDelegator;Delegate;weight\ncat;ann;1\n", 2),
        ("follower_id,followee_id\nann,bob\nfollowee_id,follower_id\nann,zed\n", 3),
        ("follower_id,followee_id\nann,bob\nsource,target\nann,zed\n", 3),
        ("when,follower_id,followee_id\n1,ann,bob\nwhen,followee_id,follower_id\n1,ann,zed\n", 3),
    ],
)
def test_a_header_below_edges_is_refused(write: Write, text: str, line: int) -> None:
    """Sorted files and files put together: nobody can know which edges it is about."""
    with pytest.raises(UnreadableFileError, match=f"line {line} is a header below edges: .*sorted"):
        read_network(write("edges.csv", text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("follower_id,followee_id\nann,bob\nfollower_id,followee_id\nzed,ann\n", "1 line that says"),
        ("source target\nann bob\nSource Target\nzed ann\nsource target\n", "2 lines that say"),
        ("x,y\nann,bob\n", None),
    ],
)
def test_the_same_header_again_is_left_out(write: Write, text: str, lines: str | None) -> None:
    """As where files were put one below the other; without a header such lines stay edges."""
    network, notes = read_noting(write("edges.csv", text))
    first = [("x", "y"), ("ann", "bob")] if lines is None else [("ann", "bob"), ("zed", "ann")]
    assert network.rows() == first
    expected = f"{lines} the same as the header were left out (first: line 3)."
    assert (expected in notes) == (lines is not None)


def test_a_repeated_header_of_other_words_is_left_out_above_numbers(write: Write) -> None:
    """Words above numbers name the columns, however often they stand there; repeated edges stay."""
    assert read_network(write("a.csv", "x,y\n1,2\nx,y\n3,4\n")).rows() == [("1", "2"), ("3", "4")]
    assert read_network(write("b.csv", "ann,bob\nann,bob\n")).rows() == [("ann", "bob")] * 2


@pytest.mark.parametrize("edge", ["user1,user2", "user_a,user_b", "ann,leader", "proxy,ann", "fan7,head2"])
def test_ids_like_words_of_a_header_are_no_header(write: Write, edge: str) -> None:
    """One such word may be the name of somebody, and numbered ones are ids."""
    network = read_network(write("edges.csv", f"follower_id,followee_id\nann,bob\n{edge}\n"))
    assert network.rows()[1] == tuple(edge.split(","))


@pytest.mark.parametrize(
    "text",
    [
        "# user_id follower_id\n1 2\n1 3\n",
        "# user follower\n1 2\n1 3\n",
        "% user,follower\n1,2\n1,3\n",
        "# user follower\n# exported on Friday\n1 2\n1 3\n",
        "# user -> follower\n1 2\n",
        "# user follower weight\n1 2 3\n",
        "# user follower\n1 2 3\n",
        "# target source\n1 2 3\n",
    ],
)
def test_a_comment_that_leaves_open_who_follows_is_refused(write: Write, text: str) -> None:
    """As the same words without a sign in front are."""
    with pytest.raises(UnreadableFileError, match=r"the comment .*follower_id and followee_id"):
        read_network(write("edges.txt", text))


@pytest.mark.parametrize(
    ("text", "edge"),
    [
        ("# target source\n# exported on Friday\n1 2\n", ("2", "1")),
        ("# followee <- follower\n# 3 edges\n1 2\n", ("2", "1")),
        ("# target, source, weight\n1,2,3\n", ("2", "1")),
        ("# source target\n1 2 3\n", ("1", "2")),
        ("# rated pairs\n1 2\n", ("1", "2")),
        ("# node node\n1 2\n", ("1", "2")),
        ("# nodes edges\n1 2\n", ("1", "2")),
    ],
)
def test_a_comment_that_decides_is_read(write: Write, text: str, edge: tuple[str, str]) -> None:
    """Wherever it stands above the edges; what only describes the file is no header."""
    assert read_network(write("edges.txt", text)).select("follower_id", "followee_id").row(0) == edge


def test_one_line_of_words_among_numbers_is_noted(write: Write) -> None:
    """It may be a header whose words nobody knows, sorted in between; then nobody who votes stands in it."""
    network, notes = read_noting(write("edges.csv", "1,2\n2,3\nhither,yon\n"))
    assert network.rows()[2] == ("hither", "yon")
    assert [note for note in notes if note.startswith("line 3 is the only one whose ids are no numbers")]
    assert not read_noting(write("b.csv", "1,2\n2,3\nann,bob\nbob,cat\n"))[1]
