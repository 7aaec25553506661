"""What a notebook keeps of what its cells show: bounded, with the rest in files beside it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from ..core.recording import MIME
from ..core.redaction import RedactedStream, Redactor
from ..core.units import shown_size
from ..files import write_atomically
from .text import BoundedText

#: Characters of stdout, and of stderr, that are kept of a cell: of the head, and of the tail.
_HEAD = _TAIL = 1 << 16
#: Outputs of a cell.
MAX_OUTPUTS = 1000
#: Bytes of one output, and of all outputs of a notebook together.
MAX_OUTPUT = 10 << 20
_MAX_NOTEBOOK = 64 << 20
#: Where outputs go that the notebook has no room for, beside it; and how much of them is written, in bytes.
OUTPUTS = "outputs"
_MAX_FILES = 1 << 30

_SHOWN = frozenset({"display_data", "execute_result"})


class Outputs:
    """Decides on every output of a notebook, cell after cell.

    Args:
        nb: the notebook.
        folder: where its file is.
        log: takes text that the notebook leaves out.
        log_name: how the log is called.
        redactor: takes secrets out of text.
    """

    def __init__(
        self, nb: NotebookNode, folder: Path, log: Callable[[str], None], log_name: str, redactor: Redactor
    ) -> None:
        self._nb = nb
        self._folder = folder
        self._log = log
        self._redactor = redactor
        self._where = f"they are in {log_name}"
        self._streams: dict[str, _Stream] = {}
        self._left_out: NotebookNode | None = None
        self._count = 0
        self._taken = 0
        self._files: dict[str, int] = {}
        self._places: dict[str, str] = {}

    def add_text(self, outs: list[NotebookNode], name: str, text: str) -> None:
        """Add text of a stream to the outputs of a cell."""
        self._renew(outs)
        stream = self._streams.setdefault(name, _Stream(self._where, self._redactor))
        if not stream.is_at(outs):
            outs.append(stream.begin(name, full=len(outs) >= MAX_OUTPUTS))
        stream.add(text)

    def admit(self, outs: list[NotebookNode], message: dict[str, Any], cell: int) -> bool:
        """Whether there is room for an output other than text; what is too large in it is in files afterwards.

        Args:
            outs: the outputs of the cell.
            message: the kernel's; it is altered.
            cell: its index; it names the files.
        """
        self._renew(outs)
        content = message["content"]
        if message["msg_type"] == "error":
            content["evalue"] = self._cut(str(content["evalue"]))
            content["traceback"] = self._cut("\n".join(content["traceback"])).split("\n")
            return True
        is_record = MIME in content.get("data", ())
        if len(outs) >= MAX_OUTPUTS and message["msg_type"] == "display_data" and not is_record:
            self._leave_out(outs, content)
            return False
        if message["msg_type"] in _SHOWN:
            self.fit(content, cell)
        return True

    def fit(self, content: dict[str, Any], cell: int) -> None:
        """Put what is shown into files, if it is too large; see `admit`."""
        data = content.get("data", {})
        if MIME in data:
            return
        size = sum(map(_size, data.values()))
        if self._taken + size > _MAX_NOTEBOOK:
            # What was overwritten, or cleared, does not count.
            self._taken = sum(_size(output) for cell in self._nb.cells for output in cell.get("outputs", ()))
        if size > MAX_OUTPUT or self._taken + size > _MAX_NOTEBOOK:
            place = self._place(content, cell)
            told = " ".join(self._put_aside(mime, value, place) for mime, value in data.items())
            content["data"] = {"text/plain": f"[jupyter_mlwf] Too large for the notebook. {told}"}
            content["metadata"] = {}
            return
        self._taken += size

    def _renew(self, outs: list[NotebookNode]) -> None:
        if not outs:  # another cell, or one that was cleared
            self._streams.clear()
            self._left_out, self._count = None, 0

    def _cut(self, text: str) -> str:
        bounded = BoundedText(_HEAD, _TAIL, self._where)
        bounded.add(text)
        return str(bounded)

    def _leave_out(self, outs: list[NotebookNode], content: dict[str, Any]) -> None:
        if self._left_out is None:
            self._left_out = NotebookNode(output_type="stream", name="stderr")
            outs.append(self._left_out)
        self._count += 1
        self._left_out.text = (
            f"[jupyter_mlwf] {self._count:,} more outputs of this cell are left out: {MAX_OUTPUTS:,} are kept. "
            "What they say as plain text is in the log.\n"
        )
        self._log(f"{content.get('data', {}).get('text/plain', '')}\n")

    def _place(self, content: dict[str, Any], cell: int) -> str:
        """The name of files, without extension: the same for what takes the place of an earlier output."""
        place = f"cell-{cell + 1}-{len(self._places) + 1}"
        display = (content.get("transient") or {}).get("display_id") or place
        return self._places.setdefault(display, place)

    def _put_aside(self, mime: str, value: object, place: str) -> str:
        content = _content(mime, value)
        extension = mimetypes.guess_extension(mime) or f"-{re.sub(r'[^A-Za-z0-9.-]', '-', mime)[:60]}.txt"
        name = f"{OUTPUTS}/{place}{extension}"
        what = f"{mime} of {shown_size(len(content))}"
        if sum(self._files.values()) - self._files.get(name, 0) + len(content) > _MAX_FILES:
            return f"{what} is not kept: the step has put {shown_size(_MAX_FILES)} into files already."
        write_atomically(self._folder / name, content)
        self._files[name] = len(content)
        return f"{what} is in {name}."


class _Stream:
    """Text of one stream of a cell: in pieces between other outputs, the last of which takes all that is too much."""

    def __init__(self, where: str, redactor: Redactor) -> None:
        self._where = where
        self._redactor = redactor
        self._redacted = RedactedStream(redactor)
        self._room = _HEAD
        self._text = BoundedText(0, 0, where)
        self._output: NotebookNode | None = None

    def is_at(self, outs: list[NotebookNode]) -> bool:
        """Whether more text continues the last piece."""
        return self._output is not None and (self._text.is_full or outs[-1] is self._output)

    def begin(self, name: str, full: bool) -> NotebookNode:
        """A new piece, which is the last if it is to be `full`."""
        self._room = 0 if full else self._room - len(self._text)
        self._text = BoundedText(max(self._room, 0), _TAIL, self._where)
        self._redacted = RedactedStream(self._redactor)
        self._output = NotebookNode(output_type="stream", name=name, text="")
        return self._output

    def add(self, text: str) -> None:
        """Add to the piece."""
        assert self._output is not None
        self._text.add(self._redacted.add(text))
        self._output.text = f"{self._text}{self._redacted.held}"


def _size(value: object) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def _content(mime: str, value: object) -> bytes:
    if not isinstance(value, str):
        return json.dumps(value).encode()
    if mime.startswith(("image/", "audio/", "video/", "application/pdf")) and not mime.endswith("xml"):
        with contextlib.suppress(binascii.Error):
            return base64.b64decode(value)
    return value.encode("utf-8", "replace")
