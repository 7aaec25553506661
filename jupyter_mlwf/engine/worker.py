"""A worker: holds runs by leases, carries out their plan, and writes their events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ..core.plan import Cancel, Emit, Start, plan
from ..core.run import Event, EventType, Run, apply
from ..files import write_atomically
from ..ports import Clock, Lease, Report, RunStore, StaleLease, StepJob, StepRunner
from ..workspace import Workspace
from .launch import working_folder

log = logging.getLogger(__name__)

#: How long a dead worker's runs wait for another one, in seconds.
LEASE_SECONDS = 15.0
#: How often a worker holds its runs for longer.
RENEW_SECONDS = 4.0
#: How often a worker looks into the store for new runs and requests.
POLL_SECONDS = 0.2

Wake = Literal["wake", "stop"]


@dataclass
class _Held:
    """A run that this worker holds."""

    lease: Lease
    inbox: asyncio.Queue[Report | Wake] = field(default_factory=asyncio.Queue)
    cancelled: set[str] = field(default_factory=set)
    stopping: bool = False


class Worker:
    """Executes runs until it is told to end.

    One worker serves any number of runs at once; they share its slots. What a worker writes is fenced: once another
    worker has taken a run over, this one drops it and ends its notebooks.
    """

    def __init__(
        self, store: RunStore, runner: StepRunner, workspace: Workspace, clock: Clock, *, name: str, slots: int
    ) -> None:
        self._store = store
        self._runner = runner
        self._workspace = workspace
        self._clock = clock
        self._name = name
        self._slots = slots
        self._held: dict[str, _Held] = {}
        self._busy: set[tuple[str, str]] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run_one(self, run: str) -> None:
        """Execute one run to its end. Does nothing if another worker holds it."""
        async with self._serving():
            lease = await asyncio.to_thread(self._claim, run)
            if lease is not None:
                self._hold(lease)
                await self._tasks[run]

    async def serve(self, idle_seconds: float | None = None) -> None:
        """Execute whatever is queued, and what dead workers left, until cancelled or idle for that long."""
        async with self._serving():
            loop = asyncio.get_running_loop()
            last_busy = loop.time()
            while idle_seconds is None or loop.time() - last_busy < idle_seconds:
                while lease := await asyncio.to_thread(self._claim):
                    self._hold(lease)
                if self._held:
                    last_busy = loop.time()
                await asyncio.sleep(POLL_SECONDS)

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        try:
            async with asyncio.TaskGroup() as group:
                background = [group.create_task(self._receive()), group.create_task(self._keep())]
                yield
                for task in background:
                    task.cancel()
        finally:
            drives = list(self._tasks.values())
            for drive in drives:
                drive.cancel()
            await asyncio.gather(*drives, return_exceptions=True)
            await self._runner.close()
            for held in self._held.values():
                await asyncio.to_thread(self._store.give_back, held.lease)

    def _claim(self, run: str | None = None) -> Lease | None:
        if not self._store.claimable(self._clock.now()):
            return None  # a look costs next to nothing, and an idle worker looks often
        return self._store.claim(self._name, self._clock.now(), LEASE_SECONDS, run)

    def _hold(self, lease: Lease) -> None:
        held = self._held[lease.run] = _Held(lease)
        task = self._tasks[lease.run] = asyncio.create_task(self._drive(held))
        task.add_done_callback(lambda done: self._let_go(lease.run, done))

    def _let_go(self, run: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(run, None)
        if not task.cancelled():
            self._held.pop(run, None)
            if error := task.exception():
                log.error("run %s was dropped", run, exc_info=error)

    async def _receive(self) -> None:
        """Hand the runner's reports to their runs."""
        async for report in self._runner.reports():
            if held := self._held.get(report.run):
                held.inbox.put_nowait(report)

    async def _keep(self) -> None:
        """Renew leases, and hear requests to stop."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self._held:
                continue
            for run in await asyncio.to_thread(self._store.stop_requested, list(self._held)):
                held = self._held.get(run)
                if held and not held.stopping:
                    held.stopping = True
                    held.inbox.put_nowait("stop")
            if loop.time() - renewed >= RENEW_SECONDS:
                renewed = loop.time()
                for held in list(self._held.values()):
                    await self._renew(held)

    async def _renew(self, held: _Held) -> None:
        try:
            await asyncio.to_thread(self._store.renew, held.lease, self._clock.now(), LEASE_SECONDS)
        except StaleLease:
            if task := self._tasks.get(held.lease.run):
                task.cancel()
            self._held.pop(held.lease.run, None)
            await self._end_notebooks(held.lease.run)

    async def _drive(self, held: _Held) -> None:
        try:
            run = await asyncio.to_thread(self._store.get_run, held.lease.run)
            run = await self._take_over(held, run)
            run = await self._act(held, run)
            while not run.ended:
                received: list[Report | Wake] = [await held.inbox.get()]
                while not held.inbox.empty():
                    received.append(held.inbox.get_nowait())
                run = await self._hear(held, run, received)
                run = await self._act(held, run)
            await asyncio.to_thread(self._store.give_back, held.lease)
        except StaleLease:
            await self._end_notebooks(held.lease.run)

    async def _take_over(self, held: _Held, run: Run) -> Run:
        """Mark what a dead worker was executing as lost; the plan starts it again."""
        lost = [name for name, step in run.steps.items() if step.state == "running"]
        message = "The process that executed it ended."
        return await self._append(
            held, run, [self._event(run, "step.lost", name, {"message": message}) for name in lost]
        )

    async def _hear(self, held: _Held, run: Run, received: Iterable[Report | Wake]) -> Run:
        events = []
        ended = False
        for each in received:
            if each == "stop" and run.state in ("queued", "running"):
                events.append(self._event(run, "run.stopping"))
            elif isinstance(each, Report) and each.attempt == len(run.steps[each.step].attempts):
                events.append(self._event(run, each.type, each.step, self._recorded(each)))
                if each.type in ("step.succeeded", "step.failed", "step.stopped", "step.lost"):
                    self._busy.discard((run.id, each.step))
                    held.cancelled.discard(each.step)
                    ended = True
        run = await self._append(held, run, events)
        if ended:
            self._wake_others(run.id)
        return run

    def _wake_others(self, run: str) -> None:
        for other in self._held.values():
            if other.lease.run != run:
                other.inbox.put_nowait("wake")

    async def _act(self, held: _Held, run: Run) -> Run:
        """Carry out the plan until nothing is left to do now."""
        while actions := plan(run, self._slots - len(self._busy), self._workspace.root):
            events: list[Event] = []
            jobs: list[StepJob] = []
            for action in actions:
                match action:
                    case Emit(kind, step, data):
                        events.append(self._event(run, kind, step, data))
                    case Start():
                        job = await self._job(run, action)
                        self._busy.add((run.id, action.step))
                        jobs.append(job)
                        data = {
                            "attempt": action.attempt,
                            "parameters": action.parameters,
                            "notebook": self._workspace.record(job.notebook),
                        }
                        events.append(self._event(run, "step.started", action.step, data))
                    case Cancel(step) if step not in held.cancelled:
                        held.cancelled.add(step)
                        await self._runner.cancel(run.id, step)
            if not events:
                break
            run = await self._append(held, run, events)
            for job in jobs:
                await self._runner.start(job)
        return run

    async def _job(self, run: Run, start: Start) -> StepJob:
        step = run.workflow.steps[start.step]
        folder = self._workspace.attempt(run.id, start.step, start.attempt)
        return StepJob(
            run=run.id,
            step=start.step,
            attempt=start.attempt,
            source=await asyncio.to_thread(self._lay_out, run.origin.files[step.notebook]),
            folder=folder,
            cwd=working_folder(self._workspace, run.origin, step.notebook) or folder,
            parameters=start.parameters,
            kernel=step.kernel,
        )

    def _lay_out(self, sha256: str) -> Path:
        path = self._workspace.source(sha256)
        if not path.exists():
            write_atomically(path, self._store.get_blob(sha256))
        return path

    async def _append(self, held: _Held, run: Run, events: list[Event]) -> Run:
        if not events:
            return run
        # A cancelled await must not leave a run between its log and its state: the thread writes on, and so do we.
        appended = await asyncio.shield(asyncio.to_thread(self._store.append, held.lease, events))
        return apply(run, *appended)

    async def _end_notebooks(self, run: str) -> None:
        log.warning("run %s was taken over by another worker", run)
        for busy in [each for each in self._busy if each[0] == run]:
            self._busy.discard(busy)
            await self._runner.cancel(*busy)

    def _event(
        self, run: Run, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None
    ) -> Event:
        return Event(run=run.id, time=self._clock.now(), type=kind, step=step, data=data or {})

    def _recorded(self, report: Report) -> dict[str, JsonValue]:
        if report.type == "step.artifact":
            return {**report.data, "path": self._workspace.record(Path(str(report.data["path"])))}
        return report.data
