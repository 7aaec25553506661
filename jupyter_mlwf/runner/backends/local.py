"""Executes steps on this machine, in a host process beside the worker."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...ports import Report, StepJob
from ..environment import environment
from ..supervise import Family, clear_up
from ..warm.helpers import Warmth
from ..wire import NOTICE, Cancel, Command, Launched, Start, Told, encode

#: How long the host may take to end itself, in seconds. It gives its threads a little less.
_CLOSE_SECONDS = 10.0
#: The longest line; what a notebook records is bounded far below, and `asyncio` wants a number.
_MAX_LINE = 1 << 30

log = logging.getLogger(__name__)


@dataclass
class _Active:
    """A job that has not reported its end."""

    job: StepJob
    session: int | None = None


@dataclass
class _Host:
    """A host process, and what it executes."""

    process: subprocess.Popen[bytes]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    active: dict[tuple[str, str], _Active] = field(default_factory=dict)

    def send(self, command: Command) -> None:
        self.writer.write(encode(command))


class LocalRunner:
    """A `StepRunner` whose notebooks run beside this process, and never take it along when they fall.

    The host is started by `prepare` or with the first job, and again with the next one after it died.

    Args:
        warmth: how kernels are forked from a process that has imported what they need; None if they are not to be.
    """

    def __init__(self, warmth: Warmth | None = Warmth()) -> None:  # noqa: B008  (it is frozen)
        self._warmth = warmth
        self._spawned: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._host: _Host | None = None
        self._following: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._reports: asyncio.Queue[Report | None] = asyncio.Queue()
        self._closed = False

    def prepare(self) -> None:
        """Start the host now, so that the first job finds it ready: its imports take longer than those of a worker.

        It ends with this process, also if no job ever comes.
        """
        if self._spawned is None and self._host is None:
            self._spawned = _spawn_host(self._warmth)

    async def start(self, job: StepJob) -> None:
        """See `StepRunner.start`."""
        host = await self._get_host()
        host.active[job.run, job.step] = _Active(job)
        host.send(Start(job))

    async def cancel(self, run: str, step: str) -> None:
        """See `StepRunner.cancel`."""
        if self._host and (run, step) in self._host.active:
            self._host.send(Cancel(run, step))

    async def tidy(self, run: str, notebooks: Iterable[Path]) -> None:
        """See `StepRunner.tidy`."""
        await asyncio.to_thread(clear_up, Family.of_run(run), notebooks)

    def environment(self, kernel: str | None) -> dict[str, str]:
        """See `StepRunner.environment`."""
        return environment(kernel)

    async def reports(self) -> AsyncIterator[Report]:
        """See `StepRunner.reports`. Ends after `close`."""
        while (report := await self._reports.get()) is not None:
            yield report

    async def close(self) -> None:
        """See `StepRunner.close`. Jobs that have not ended are lost, since nobody asked to stop them."""
        if self._closed:
            return
        self._closed = True
        async with self._starting:
            host, following = self._host, self._following
            if self._spawned:
                process, channel = self._spawned
                channel.close()
                process.kill()
                await asyncio.to_thread(process.wait)
        if host and following:
            if host.writer.can_write_eof():
                host.writer.write_eof()
            await asyncio.wait([following], timeout=_CLOSE_SECONDS)
            if not following.done():
                host.process.kill()
            await following
        self._reports.put_nowait(None)

    async def _get_host(self) -> _Host:
        async with self._starting:
            if self._closed:
                raise RuntimeError("the runner is closed")
            if self._host is None:
                process, channel = self._spawned or _spawn_host(self._warmth)
                self._spawned = None
                self._host = _Host(process, *await asyncio.open_connection(sock=channel, limit=_MAX_LINE))
                self._following = asyncio.create_task(self._follow(self._host))
            return self._host

    async def _follow(self, host: _Host) -> None:
        """Pass on what a host reports until it ends, then clear up behind it."""
        try:
            async for line in host.reader:
                match NOTICE.validate_json(line):
                    case Launched(run, step, session):
                        host.active[run, step].session = session
                    case Told(report):
                        if report.ends:
                            del host.active[report.run, report.step]
                        self._reports.put_nowait(report)
        except ConnectionError:
            pass  # killed with something unread
        finally:
            self._host = None
            await self._clear_up(host)

    async def _clear_up(self, host: _Host) -> None:
        host.writer.close()
        host.process.kill()
        code = await asyncio.to_thread(host.process.wait)
        if not self._closed:
            log.error("the runner process ended with %s while %d notebooks were running", code, len(host.active))
        await asyncio.gather(
            *(
                asyncio.to_thread(clear_up, Family.of_job(each.job, each.session), [each.job.notebook])
                for each in host.active.values()
            )
        )
        why = "The runner was closed" if self._closed else f"The runner process ended (exit code {code})"
        for (run, step), active in host.active.items():
            data = {"message": f"{why} while the notebook was running."}
            self._reports.put_nowait(Report(run, step, active.job.attempt, "step.lost", dict(data)))


def _spawn_host(warmth: Warmth | None) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        # -P: a file in the working folder must not pass for a module. What it prints goes to our stderr: our stdout may
        # be someone's JSON.
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "jupyter_mlwf.runner.host", str(theirs.fileno())),
                json.dumps(warmth and asdict(warmth)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=2,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return process, ours
