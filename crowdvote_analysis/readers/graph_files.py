"""Networks in other formats than edge lists, known by how they begin; each is refused with what to do."""

from __future__ import annotations

import gzip
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ANY_PROGRAM = "Write it as an edge list, as networkx does with write_edgelist(graph, path, data=False)."
_FORMATS = {
    r"%%MatrixMarket": (
        "is a Matrix Market file. Remove its lines that begin with % and the line of its size behind them; what is "
        "left is an edge list."
    ),
    r"\*(vertices|network|arcs|edges)": f"is a Pajek file. {_ANY_PROGRAM}",
    r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<graphml": f"is a GraphML file. {_ANY_PROGRAM}",
    r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<gexf": f"is a GEXF file. {_ANY_PROGRAM}",
    r"<(!doctype )?html": "is a page of the web, not a network. Download the file that the page links to.",
    r"<": f"is an XML file, not an edge list. {_ANY_PROGRAM}",
    r'(creator\s+".*"\s*)?(#.*\s*)*graph\s*\[': f"is a GML file. {_ANY_PROGRAM}",
    r"(strict\s+)?(di)?graph\b[^\n]*\{": f"is a Graphviz file. {_ANY_PROGRAM}",
    r"[\[{]": f"is a JSON file, not an edge list. {_ANY_PROGRAM}",
    r"dl\s+n\s*=": f"is a UCINET file. {_ANY_PROGRAM}",
    r"nodedef\s*>": f"is a GDF file. {_ANY_PROGRAM}",
    r"version https://git-lfs": "points to a file in Git LFS and is not that file. Download it (git lfs pull).",
}


def foreign_format(path: Path) -> str | None:
    """What a file is that is no edge list, and what to do about it; none where it may be one."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            raw = file.read(4096)
    except (OSError, EOFError, zlib.error):  # whoever reads all of it says why it cannot be read
        return None
    beginning = raw.decode("utf-8-sig", "ignore").lstrip()
    for pattern, sentence in _FORMATS.items():
        if re.match(pattern, beginning, flags=re.IGNORECASE):
            return sentence
    return None
