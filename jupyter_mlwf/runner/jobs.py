"""The jobs of a host process: a thread each, commands in and reports out through one socket."""

from __future__ import annotations

import contextlib
import socket
import threading

from traitlets.config import Config

from ..ports import StepJob
from .cells import INTERRUPT_SECONDS
from .execute import Execution
from .wire import COMMAND, Cancel, Launched, Notice, Start, Told, encode

#: How long the threads may take to keep their notebooks once all kernels are killed, in seconds.
_END_SECONDS = 8.0


class Jobs:
    """Executes jobs until its socket ends."""

    def __init__(self, channel: socket.socket, config: Config) -> None:
        self._channel = channel
        self._config = config
        self._sending = threading.Lock()
        self._running: dict[tuple[str, str], tuple[Execution, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._closing = False

    def serve(self) -> bool:
        """Obey commands until there are no more; then end what runs. Whether all of it ended."""
        with self._channel.makefile("rb") as lines, contextlib.suppress(ConnectionError):
            for line in lines:
                match COMMAND.validate_json(line):
                    case Start(job):
                        self._start(job)
                    case Cancel(run, step):
                        self._cancel(run, step)
        return self._end()

    def _start(self, job: StepJob) -> None:
        execution = Execution(
            job,
            self._config,
            report=lambda report: self._send(Told(report)),
            launched=lambda session: self._send(Launched(job.run, job.step, session)),
        )
        key = (job.run, job.step)
        thread = threading.Thread(target=self._perform, args=(key, execution), daemon=True)
        with self._lock:
            self._running[key] = (execution, thread)
        thread.start()

    def _perform(self, key: tuple[str, str], execution: Execution) -> None:
        execution.perform()
        with self._lock:
            # The step's next attempt may be there already: it starts as soon as this one has reported.
            if self._running[key][0] is execution:
                del self._running[key]

    def _cancel(self, run: str, step: str) -> None:
        with self._lock:
            running = self._running.get((run, step))
        if running:
            running[0].cancel(INTERRUPT_SECONDS)

    def _end(self) -> bool:
        self._closing = True
        with self._lock:
            running = list(self._running.values())
        for execution, _ in running:
            execution.cancel(0)
        for _, thread in running:
            thread.join(_END_SECONDS)
        return not any(thread.is_alive() for _, thread in running)

    def _send(self, notice: Notice) -> None:
        if self._closing:
            return  # nobody asked for these ends: whoever reads the log next finds the steps lost
        with self._sending, contextlib.suppress(OSError):  # the worker is gone, as `serve` is about to find out
            self._channel.sendall(encode(notice))
