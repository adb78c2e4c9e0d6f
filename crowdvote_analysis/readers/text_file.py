"""The text of a file, or an error that says why there is none."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import UnreadableFileError

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path) -> str:
    """Read UTF-8 text, with or without a byte order mark, plain or gzipped; whatever its line ends.

    Args:
        path: The file.

    Returns:
        The text; it is never blank.

    Raises:
        UnreadableFileError: The file is missing, not readable, empty, or not UTF-8 text. The message names no content
            of the file: a member who is anonymous may stand in any line (P1).
    """
    raw = _unpacked(path, _bytes(path))
    if raw.startswith(b"PK\x03\x04"):
        raise UnreadableFileError(f"{path}: is a spreadsheet or a zip archive, not text. Save it as CSV (UTF-8).")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFileError(f"{path}: is UTF-16 text. Save it as UTF-8 (in Excel: 'CSV UTF-8').")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The position counts from behind the byte order mark, which holds no line break.
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError(
            f"{path}: line {line} is not UTF-8 text. Save the file as UTF-8 (in Excel: 'CSV UTF-8')."
        ) from None
    if "\x00" in text:
        raise UnreadableFileError(f"{path}: is a binary file, not text.")
    if not text.strip():
        raise UnreadableFileError(f"{path}: is empty.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableFileError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise UnreadableFileError(f"{path}: is a folder, not a file.") from None
    except OSError as error:
        raise UnreadableFileError(f"{path}: cannot be read ({error.strerror}).") from None


def _unpacked(path: Path, raw: bytes) -> bytes:
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise UnreadableFileError(f"{path}: the gzip archive is damaged or cut off. Download it again.") from None
