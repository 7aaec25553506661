"""The log of a step: what its cells print, and what its processes write to stdout and stderr, as it happens."""

from __future__ import annotations

import asyncio
import codecs
import logging
import os
from pathlib import Path

from ..core.redaction import NO_SECRETS, RedactedStream, Redactor
from ..core.units import shown_size
from .text import Rows

#: The log and the older one beside it take no more than this together, in bytes.
MAX_LOG = 64 << 20
#: How long a row that is not complete, such as a progress bar, waits to be seen, in seconds.
_SHOW_SECONDS = 1.0
#: What is read from the processes at once, in bytes: as much as a pipe of Linux holds.
_READ = 1 << 16
#: What is read at most from a process that goes on writing when the step has ended, in bytes.
_MAX_REST = 1 << 20

_PROCESSES = "processes"

log = logging.getLogger(__name__)


class StepLog:
    """A file that only grows, until it is begun anew because it is too long; the part before is kept beside it.

    The processes write into a pipe that is read here, and not into the file itself: they could not be kept from filling
    the disk. Belongs to one event loop.
    """

    def __init__(self, path: Path, redactor: Redactor = NO_SECRETS, limit: int = MAX_LOG) -> None:
        self._path = path
        self._most = limit // 2
        self._rows = Rows()
        self._redactor = redactor
        self._streams: dict[str, RedactedStream] = {}
        self._file = _open(path)
        self._size = os.fstat(self._file).st_size
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.stdout: int | None
        """File descriptor for the processes to write to. It is closed by `launched`."""
        self._reading, self.stdout = os.pipe()
        os.set_blocking(self._reading, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reading, self._read)
        self._timer: asyncio.TimerHandle | None = None
        self._failed = False

    def launched(self) -> None:
        """The processes have their own copies of `stdout`."""
        if self.stdout is not None:
            os.close(self.stdout)
            self.stdout = None

    def write(self, writer: str, text: str) -> None:
        """Add what a writer, such as the stderr of the cells, has written."""
        stream = self._streams.setdefault(writer, RedactedStream(self._redactor))
        self._append(self._rows.add(writer, stream.add(text)))
        if self._timer is None and self._rows.waiting:
            self._timer = self._loop.call_later(_SHOW_SECONDS, self._show)

    def sync(self) -> None:
        """Have everything in the file that was written until now."""
        for _ in range(_MAX_REST // _READ):
            if not self._read():
                break
        for writer, stream in self._streams.items():
            self._append(self._rows.add(writer, stream.end()))
        self._append(self._rows.show())

    def close(self) -> None:
        """Add what is still there, and let go of the file. Processes that go on writing get a broken pipe."""
        self.launched()
        if self._timer:
            self._timer.cancel()
        self.sync()
        self._append(self._rows.end())
        self._loop.remove_reader(self._reading)
        os.close(self._reading)
        os.close(self._file)

    def _show(self) -> None:
        self._timer = None
        self._append(self._rows.show())

    def _read(self) -> bool:
        """Pass on what the processes have written; whether there was something."""
        try:
            data = os.read(self._reading, _READ)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._reading)
        self.write(_PROCESSES, self._decoder.decode(data, final=not data))
        return bool(data)

    def _append(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "replace"))
        try:
            while data:
                if self._size >= self._most:
                    self._begin_anew()
                written = os.write(self._file, data[: self._most - self._size])
                self._size += written
                data = data[written:]
        except OSError as error:  # the step need not end for that
            if not self._failed:
                log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._failed = True

    def _begin_anew(self) -> None:
        older = self._path.with_name(f"{self._path.name}.1")
        self._path.replace(older)
        full, self._file = self._file, _open(self._path)
        os.close(full)
        most = shown_size(self._most)
        remark = f"[jupyter_mlwf] What was written before is in {older.name}: the last {most} of it.\n"
        self._size = os.write(self._file, remark.encode())


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
