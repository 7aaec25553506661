"""Logs that grow, page by page."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from .contract import LogPage

#: How much of a log is sent at once, in bytes.
PAGE_BYTES = 1024 * 1024


def read_page(path: Path, after: int | None) -> LogPage:
    """A part of a log in UTF-8; what is none is replaced. A character that is not yet whole waits for the next page.

    Args:
        path: the file.
        after: where to begin, in bytes: the end of an earlier page; the last 1 MiB if None. If the file is shorter,
            it was begun anew, and so is reading it.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = max(size - PAGE_BYTES, 0) if after is None else after if after <= size else 0
        file.seek(start)
        data = file.read(PAGE_BYTES)
    if after is None and start > 0:
        cut = _rest_of_character(data)
        start, data = start + cut, data[cut:]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data)
    waiting, _ = decoder.getstate()
    return LogPage(text=text, start=start, end=start + len(data) - len(waiting))


def _rest_of_character(data: bytes) -> int:
    """How many bytes at the start belong to a character that began before."""
    return next((index for index, byte in enumerate(data[:3]) if byte & 0xC0 != 0x80), 3)
