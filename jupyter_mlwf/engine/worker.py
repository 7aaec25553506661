"""A worker: holds runs by leases, carries out their plan, and writes their events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from ..core.actions import Action, Cancel, Emit, Launch, Look, Start, Wake
from ..core.cache import result
from ..core.capacity import Amount
from ..core.errors import MLWFError
from ..core.fold import apply
from ..core.plan import plan
from ..core.run import STEP_ENDED, Answer, Event, EventType, Run
from ..ports import Clock, Lease, Pending, Report, Request, RunStore, StaleLease, StepJob, StepRunner
from ..workspace import Workspace
from . import children
from .answering import Answering
from .children import Child, Children
from .contents import known_content
from .jobs import Jobs
from .kept import put_aside
from .recovery import forget_the_dead
from .results import Missed, Results, Uncomparable
from .shares import Shares

log = logging.getLogger(__name__)

#: How long the runs of a worker on another machine that died wait for another one, in seconds.
LEASE_SECONDS = 15.0
#: How often a worker holds its runs for longer.
RENEW_SECONDS = 4.0
#: How often a worker looks into the store for new runs and requests.
POLL_SECONDS = 0.2


@dataclass(eq=False)
class _Held:
    """A run that this worker holds."""

    lease: Lease
    task: asyncio.Task[None] = field(init=False)
    """Drives it."""
    inbox: asyncio.Queue[Report | Pending | None] = field(default_factory=asyncio.Queue)
    """What there is to react to; None only has the plan made again."""
    heard: set[int] = field(default_factory=set)
    """Requests that went into the inbox."""
    cancelled: set[str] = field(default_factory=set)
    """Steps that are being stopped."""
    missed: dict[str, Missed] = field(default_factory=dict)
    """Steps that are ready, and for which no earlier result serves."""
    children: dict[str, Child] = field(default_factory=dict)
    """Runs that steps wait for."""
    wanting: bool = False
    """Whether nothing but CPUs keeps it from starting a step."""
    alarm: asyncio.TimerHandle | None = None
    """Has the plan made again at the time that it named last."""

    def arrived(self) -> list[Report | Pending | None]:
        """What is in the inbox now."""
        return [self.inbox.get_nowait() for _ in range(self.inbox.qsize())]


class Worker:
    """Executes runs until it is told to end.

    One worker serves any number of runs at once; they share its machine fairly. What a worker writes is fenced: once
    another worker has taken a run over, this one drops it and ends its notebooks.
    """

    def __init__(
        self, store: RunStore, runner: StepRunner, workspace: Workspace, clock: Clock, *, name: str, machine: Amount
    ) -> None:
        self._store = store
        self._runner = runner
        self._workspace = workspace
        self._clock = clock
        self._name = name
        self._results = Results(store, runner.environment, workspace, clock)
        self._jobs = Jobs(store, workspace)
        self._children = Children(store, workspace, clock)
        self._answering = Answering(workspace)
        self._shares = Shares(machine)
        self._held: dict[str, _Held] = {}
        self._renewed = clock.now()
        self._renewing = asyncio.Lock()

    async def run_one(self, run: str) -> None:
        """Execute one run to its end, from when no other worker holds it; it may also end in the hands of another."""
        async with self._serving():
            while not (await asyncio.to_thread(self._store.get_run, run)).ended:
                if lease := await self._claim(run):
                    task = self._hold(lease).task
                    await asyncio.wait([task])
                    if not task.cancelled():  # as it is when another worker has taken the run over
                        task.result()
                else:
                    await asyncio.sleep(POLL_SECONDS)

    async def serve(self, idle_seconds: float | None = None) -> None:
        """Execute whatever is queued, and what dead workers left, until cancelled or idle for that long.

        It ends too when somebody has deleted the records of the workspace.
        """
        async with self._serving():
            loop = asyncio.get_running_loop()
            last_busy = loop.time()
            while idle_seconds is None or loop.time() - last_busy < idle_seconds:
                if not self._workspace.records.is_dir():
                    break
                while lease := await self._claim():
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
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors  # who called expects one of ours, not a group with one in it
        finally:
            held = list(self._held.values())
            for each in held:
                each.task.cancel()
            await asyncio.gather(*(each.task for each in held), return_exceptions=True)
            await self._runner.close()
            for each in held:
                await asyncio.to_thread(self._store.give_back, each.lease)

    # Leases

    async def _claim(self, run: str | None = None) -> Lease | None:
        # While this machine slept, leases of our own ran out: they are still ours, if nobody took them.
        await self._renew()
        return await asyncio.to_thread(self._take_free, run)

    def _take_free(self, run: str | None) -> Lease | None:
        # Looks cost next to nothing, and an idle worker looks often.
        now = self._clock.now()
        if self._store.claimable(now) and (lease := self._store.claim(self._name, now, LEASE_SECONDS, run)):
            return lease
        return self._store.claim(self._name, now, LEASE_SECONDS, run) if forget_the_dead(self._store) else None

    def _hold(self, lease: Lease) -> _Held:
        held, before = _Held(lease), self._held.get(lease.run)
        self._held[lease.run] = held
        held.task = asyncio.create_task(self._drive(held, before))
        held.task.add_done_callback(lambda _: self._let_go(held))
        return held

    def _let_go(self, held: _Held) -> None:
        if held.alarm:
            held.alarm.cancel()
        if not held.task.cancelled():
            held.task.exception()  # it is logged
        # It may be held again already: it was reopened before this task came to its end.
        if self._held.get(held.lease.run) is held:
            del self._held[held.lease.run]

    async def _keep(self) -> None:
        """Renew leases, and hear requests."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._held:
                await self._renew()
                await self._listen(list(self._held.values()))
                await self._ask_children()

    async def _renew(self) -> None:
        async with self._renewing:
            now = self._clock.now()
            # By the clock of the leases: the one of the loop stands still while the machine sleeps.
            if abs(now - self._renewed) < timedelta(seconds=RENEW_SECONDS):
                return
            self._renewed = now
            for held in list(self._held.values()):
                try:
                    await asyncio.to_thread(self._store.renew, held.lease, now, LEASE_SECONDS)
                except StaleLease:
                    await self._drop(held)

    async def _drop(self, held: _Held) -> None:
        held.task.cancel()
        await asyncio.wait([held.task])
        await self._end_notebooks(held)

    async def _end_notebooks(self, held: _Held) -> None:
        for step in self._shares.forget(held.lease.run):
            await self._runner.cancel(held.lease.run, step)
        self._wake_others(held)

    # What runs are told

    async def _receive(self) -> None:
        """Hand the runner's reports to their runs."""
        async for report in self._runner.reports():
            if held := self._held.get(report.run):
                held.inbox.put_nowait(report)

    async def _listen(self, held: Sequence[_Held]) -> None:
        """Hand what was asked to its runs."""
        by_run = {each.lease.run: each for each in held}
        for pending in await asyncio.to_thread(self._store.requests, list(by_run)):
            each = by_run[pending.run]
            if pending.id not in each.heard:
                each.heard.add(pending.id)
                each.inbox.put_nowait(pending)

    async def _drive(self, held: _Held, before: _Held | None) -> None:
        try:
            if before:
                await self._drop(before)
            run = await asyncio.to_thread(self._store.get_run, held.lease.run)
            if run.state != "queued":
                run = await self._take_over(held, run)
            await self._listen([held])  # who stopped or paused it before it was claimed wants nothing to start
            received = held.arrived()
            while True:
                run = await self._act(held, await self._hear(held, run, received))
                if run.ended:
                    break
                received = [await held.inbox.get(), *held.arrived()]
            self._shares.forget(run.id)
            await asyncio.to_thread(self._store.give_back, held.lease)
        except StaleLease:
            log.warning("run %s was taken over by another worker", held.lease.run)
            await self._end_notebooks(held)
        except Exception:
            # It is claimed again when its lease has run out, which keeps what fails always from being tried always.
            log.exception("run %s was dropped", held.lease.run)
            await self._end_notebooks(held)
            raise

    async def _take_over(self, held: _Held, run: Run) -> Run:
        """End what a dead worker left behind, and mark it as lost; the plan starts it again."""
        for child in children.of(run):
            held.children[child.id] = child
            await self._adopt(child)
        notebooks = {
            name: step.attempts[-1].notebook
            for name, step in run.steps.items()
            if step.state == "running" and step.items is None and not step.child
        }
        lost = list(notebooks)
        interrupted = [self._workspace.locate(notebook) for notebook in notebooks.values() if notebook]
        await self._runner.tidy(run.id, interrupted)
        message = "The process that executed it ended."
        return await self._append(
            held, run, [self._event(run, "step.lost", name, {"message": message}) for name in lost]
        )

    async def _hear(self, held: _Held, run: Run, received: Iterable[Report | Pending | None]) -> Run:
        events: list[Event] = []
        handled: list[int] = []
        freed = False
        for each in received:
            if isinstance(each, Pending):
                handled.append(each.id)
                # One request may follow from another: pause, and go on.
                events += await self._answer(held, apply(run, *events), each.request)
            elif (
                each and run.steps[each.step].state == "running" and each.attempt == len(run.steps[each.step].attempts)
            ):
                events.append(await self._told(held, run, each))
                if each.ends:
                    self._shares.give_back(run.id, each.step)
                    held.cancelled.discard(each.step)
                    freed = True
                elif each.after_last_cell:
                    # What is left, the end of its kernel, is mostly waiting; another step may begin meanwhile.
                    self._shares.give_back_cpus(run.id, each.step)
                    freed = True
        run = await self._append(held, run, events, handled)
        if freed:
            self._wake_others(held)
        return run

    async def _answer(self, held: _Held, run: Run, request: Request) -> list[Event]:
        """The events that a request leads to now; none if it makes no sense any more."""
        match request:
            case Request(kind="stop", step=None) if run.state in ("queued", "running", "waiting"):
                return [self._event(run, "run.stopping")]
            case Request(kind="stop", step=str(name)) if name in run.steps:
                return [event for each in run.turns(name) or [name] for event in await self._stop(held, run, each)]
            case Request(kind="answer", step=str(name), answer=Answer() as answer) if run.steps[name].waiting:
                data = await asyncio.to_thread(self._answering.data, run, name, answer)
                return [self._event(run, "step.answered", name, data)]
            case Request(kind="pause") if run.state == "queued":
                return [self._event(run, "run.started"), self._event(run, "run.paused")]
            case Request(kind="pause") if not run.paused and run.state in ("running", "waiting"):
                return [self._event(run, "run.paused")]
            case Request(kind="continue") if run.paused:
                return [self._event(run, "run.continued")]
            case Request(kind="change"):
                held.missed.clear()  # with other values, results of earlier runs may serve
                return [self._event(run, "run.changed", data={"parameters": request.parameters})]
        return []

    async def _stop(self, held: _Held, run: Run, step: str) -> list[Event]:
        state = run.steps[step].state
        if state == "running":
            await self._cancel(held, run, step)
            return []
        return [] if state in STEP_ENDED else [self._event(run, "step.stopped", step)]

    async def _cancel(self, held: _Held, run: Run, step: str) -> None:
        if step in held.cancelled:
            return
        held.cancelled.add(step)
        if child := run.steps[step].child:
            await asyncio.to_thread(self._children.stop, child)
        else:
            await self._runner.cancel(run.id, step)

    def _wake_others(self, held: _Held) -> None:
        for other in self._held.values():
            if other is not held:
                other.inbox.put_nowait(None)

    # What runs do

    async def _act(self, held: _Held, run: Run) -> Run:
        """Carry out the plan until nothing is left to do now."""
        while actions := self._plan(held, run):
            # Before anything is awaited: another run's plan must not count on the same part of the machine.
            shares = {
                action.step: self._shares.take(run.id, action.step, run.definition(action.step).resources)
                for action in actions
                if isinstance(action, Start)
            }
            looks = [action for action in actions if isinstance(action, Look)]
            events = await self._look(held, run, looks)
            jobs: list[StepJob] = []
            for action in actions:
                match action:
                    case Emit(kind, step, data):
                        events.append(self._event(run, kind, step, data))
                    case Start(step):
                        job = await asyncio.to_thread(self._jobs.make, run, action, shares[step])
                        jobs.append(job)
                        data = {
                            "attempt": action.attempt,
                            "parameters": action.parameters,
                            "notebook": self._workspace.record(job.notebook),
                            **await self._comparison(run, action, held.missed.pop(step, None)),
                        }
                        events.append(self._event(run, "step.started", step, data))
                    case Launch():
                        events.append(await self._launch(held, run, action))
                    case Cancel(step):
                        await self._cancel(held, run, step)
                    case Wake(at):
                        self._set_alarm(held, at)
            if not events and not looks:
                break
            run = await self._append(held, run, events)
            for job in jobs:
                await self._runner.start(job)
        before, held.wanting = held.wanting, self._shares.wants(run)
        if before and not held.wanting:
            self._wake_others(held)  # they may have what was kept for this one
        return run

    def _plan(self, held: _Held, run: Run) -> list[Action]:
        wanting = [each.lease.run for each in self._held.values() if each.wanting]
        offered = self._shares.offer(run.id, wanting)
        return plan(run, self._clock.now(), offered, self._shares.machine, self._workspace.root, held.missed)

    def _set_alarm(self, held: _Held, at: datetime) -> None:
        if held.alarm:
            held.alarm.cancel()
        seconds = max((at - self._clock.now()).total_seconds(), 0)
        held.alarm = asyncio.get_running_loop().call_later(seconds, held.inbox.put_nowait, None)

    async def _look(self, held: _Held, run: Run, looks: list[Look]) -> list[Event]:
        """Take over earlier results that serve."""
        events = []
        found = await asyncio.to_thread(self._results.look, run, looks) if looks else {}
        for each in looks:
            match found[each.step]:
                case Missed() as missed:
                    held.missed[each.step] = missed
                case earlier:
                    events.append(self._event(run, "step.cached", each.step, result(earlier, each.parameters)))
        return events

    async def _comparison(self, run: Run, start: Start, missed: Missed | None) -> dict[str, JsonValue]:
        """What a step that starts is compared by, later: as it is now, however long it has waited."""
        if not run.definition(start.step).reuses:
            return {}
        try:
            fingerprint = await asyncio.to_thread(self._results.fingerprint, run, start)
        except Uncomparable as error:
            return {"not_cached": str(error)}
        return {"fingerprint": dict(fingerprint), "not_cached": missed.why if missed else None}

    # Workflows that steps run

    async def _launch(self, held: _Held, run: Run, action: Launch) -> Event:
        """Start the workflow of a step; this worker executes it too, if it gets it."""
        data: dict[str, JsonValue]
        try:
            child = await asyncio.to_thread(self._children.launch, run, action)
        except MLWFError as error:
            data = {"reason": "error", "message": children.failure(error)}
            return self._event(run, "step.failed", action.step, data)
        held.children[child.id] = child
        await self._adopt(child)
        data = {"attempt": action.attempt, "parameters": action.parameters, "child": child.id}
        return self._event(run, "step.started", action.step, data)

    async def _adopt(self, child: Child) -> None:
        if child.id not in self._held and (lease := await self._claim(child.id)):
            self._hold(lease)

    async def _ask_children(self) -> None:
        """Hear how the workflows of steps ended, whoever executes them."""
        waited_for = {child: held for held in self._held.values() for child in held.children}
        ended = await asyncio.to_thread(self._store.ended, list(waited_for)) if waited_for else ()
        for child in ended:
            held = waited_for[child]
            if reports := await asyncio.to_thread(self._children.reports, held.children[child]):
                del held.children[child]
                for report in reports:
                    held.inbox.put_nowait(report)

    # What is written

    async def _append(self, held: _Held, run: Run, events: list[Event], handled: Sequence[int] = ()) -> Run:
        if not events and not handled:
            return run
        # A cancelled await must not leave a run between its log and its state: the thread writes on, and so do we.
        appended = await asyncio.shield(asyncio.to_thread(self._store.append, held.lease, events, handled))
        return apply(run, *appended)

    def _event(
        self, run: Run, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None
    ) -> Event:
        return Event(run=run.id, time=self._clock.now(), type=kind, step=step, data=data or {})

    async def _told(self, held: _Held, run: Run, report: Report) -> Event:
        """The event that a report becomes."""
        failed_check = report.type == "step.failed" and report.data.get("reason") == "check"
        if failed_check and run.definition(report.step).checks == "ask":
            return self._event(run, "step.waiting", report.step, {**report.data, "what": "check"})
        stopped = report.type == "step.lost" and report.step in held.cancelled
        return self._event(run, "step.stopped" if stopped else report.type, report.step, await self._recorded(report))

    async def _recorded(self, report: Report) -> dict[str, JsonValue]:
        if report.type != "step.artifact":
            return report.data
        path, url = Path(str(report.data["path"])), report.data.get("url")
        # Of a folder the runner gives none; like this, a result whose folder was altered does not serve again.
        sha256 = report.data.get("sha256") or await asyncio.to_thread(known_content, path)
        if url:
            path = await asyncio.to_thread(put_aside, self._workspace, path, str(url), str(sha256 or "") or None)
        return {**report.data, "path": self._workspace.record(path), "sha256": sha256}
