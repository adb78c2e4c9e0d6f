"""Files that are no text, or text of another kind, known by how they begin; with what to do about each."""

from __future__ import annotations

import re

_SHEET = "Open it and save it as CSV (UTF-8)."
_BEGINNINGS = (
    (b"\xd0\xcf\x11\xe0", f"is an old Excel file, not text. {_SHEET}"),
    (b"PAR1", "is a Parquet file. Name it .parquet, so that it is read as one."),
    (b"%PDF", "is a PDF, which holds no table that can be read. Export the data themselves as CSV."),
    (b"{\\rtf", "is a document of a word processor, not a table. Save it as plain text or CSV."),
    (b"SQLite format 3", "is a database. Export its tables as CSV."),
    (b"BZh", "is a compressed archive. Unpack it first; of archives, only gzip is read."),
    (b"\xfd7zXZ", "is a compressed archive. Unpack it first; of archives, only gzip is read."),
    (b"\x28\xb5\x2f\xfd", "is a compressed archive. Unpack it first; of archives, only gzip is read."),
    (b"7z\xbc\xaf", "is a compressed archive. Unpack it first; of archives, only gzip is read."),
    (b"Rar!", "is a compressed archive. Unpack it first; of archives, only gzip is read."),
)
_MARKUP = re.compile(rb"\s*(<!doctype|<html|<head|<table|<meta|<script)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml", re.IGNORECASE)
# What follows a bracket in JSON and hardly ever in a header: `[Ann],[Ben]` is none.
_JSON = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]])')


def foreign(raw: bytes) -> str | None:
    """What a file is instead of a text of columns, and what to do, in a sentence or two; none for all others."""
    if raw.startswith(b"PK\x03\x04"):
        return _packed(raw)
    for beginning, sentence in _BEGINNINGS:
        if raw.startswith(beginning):
            return sentence
    start = raw[:1000].removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(start):
        return "is a web page, not a table; perhaps a page that asks to sign in. Download the file itself, as CSV."
    if _XML.match(start):
        return f"is XML, not a table. {_SHEET}"
    if _JSON.match(start):
        return "is JSON. Take the CSV: on BetterVoting that is 'Download CSV' below the results."
    return None


def _packed(raw: bytes) -> str:
    if b"xl/workbook" in raw:
        return f"is an Excel spreadsheet, not text. {_SHEET}"
    if b"opendocument.spreadsheet" in raw[:200]:
        return f"is an OpenDocument spreadsheet, not text. {_SHEET}"
    return "is a zip archive, or a spreadsheet packed like one. Unpack it, or open it and save it as CSV (UTF-8)."
