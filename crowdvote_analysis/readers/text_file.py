"""The text of a file, or an error that says why there is none."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from crowdvote_analysis.errors import UnreadableFileError
from crowdvote_analysis.readers.foreign_files import foreign

if TYPE_CHECKING:
    from pathlib import Path


# So many bytes may come out of a gzip archive; it is not unpacked any further.
LARGEST_UNPACKED = 2**30


def read_text(path: Path) -> str:
    """Read UTF-8 text, with or without a byte order mark, plain or gzipped; whatever its line ends.

    UTF-16 is read where a byte order mark says that it is; other encodings are refused, since they can only be guessed.

    Args:
        path: The file.

    Returns:
        The text; it is never blank.

    Raises:
        UnreadableFileError: The file is missing, not readable, empty, no text, or text of an encoding that it does not
            say. The message names no content of the file: a member who is anonymous may stand in any line (P1).
    """
    raw = _unpacked(path, _bytes(path))
    other = foreign(raw)
    if other:
        raise UnreadableFileError(f"{path}: {other}")
    text = _decoded(path, raw)
    if "\x00" in text:
        raise UnreadableFileError(f"{path}: is a binary file, not text.")
    if not text.strip():
        raise UnreadableFileError(f"{path}: is empty.")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def _decoded(path: Path, raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):  # as spreadsheets write "Unicode text"
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError:
            raise UnreadableFileError(f"{path}: is UTF-16 text that is cut off or damaged. Save it as UTF-8.") from None
    if len(raw) > 1 and not (any(raw[1:100:2]) and any(raw[:100:2])):
        raise UnreadableFileError(f"{path}: is UTF-16 text without a mark. Save it as UTF-8 (in Excel: 'CSV UTF-8').")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The position counts from behind the byte order mark, which holds no line break.
        before = raw[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        raise UnreadableFileError(
            f"{path}: line {line} is not UTF-8 text; the file may be in an older encoding of Windows or Mac. Save it "
            "as UTF-8 (in Excel: 'CSV UTF-8')."
        ) from None


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
        with gzip.open(BytesIO(raw)) as packed:
            unpacked = packed.read(LARGEST_UNPACKED + 1)
        if len(unpacked) > LARGEST_UNPACKED:
            raise UnreadableFileError(
                f"{path}: the gzip archive of {len(raw):,} bytes holds more than {LARGEST_UNPACKED:,} bytes, which may "
                "be meant to fill the memory. If you expect that, unpack it first: a plain file may have any size."
            )
        return unpacked
    except (OSError, EOFError, zlib.error):
        raise UnreadableFileError(f"{path}: the gzip archive is damaged or cut off. Download it again.") from None
