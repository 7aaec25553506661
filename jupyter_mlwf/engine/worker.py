"""A worker: holds runs by leases, carries out their plan, and writes their events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pydantic import JsonValue

from ..core.answers import labels_file, results
from ..core.cache import result
from ..core.capacity import Amount, needed, offer
from ..core.errors import MLWFError
from ..core.plan import Action, Cancel, Emit, Launch, Look, Start, Wake, plan
from ..core.run import STEP_ENDED, Answer, Artifact, Event, EventType, Run, apply
from ..core.units import seconds
from ..files import write_atomically
from ..ports import Clock, Lease, Pending, Report, Request, RunStore, StaleLease, StepJob, StepRunner
from ..workspace import Workspace
from . import children
from .children import Child, Children
from .launch import working_folder
from .recovery import forget_the_dead
from .results import Missed, Results, Uncomparable

log = logging.getLogger(__name__)

#: How long a dead worker's runs wait for another one, in seconds.
LEASE_SECONDS = 15.0
#: How often a worker holds its runs for longer.
RENEW_SECONDS = 4.0
#: How often a worker looks into the store for new runs and requests.
POLL_SECONDS = 0.2

#: The last report of an attempt.
_ENDS = frozenset({"step.succeeded", "step.failed", "step.stopped", "step.lost"})


@dataclass(frozen=True)
class _Share:
    """What a running step has of the machine."""

    amount: Amount
    gpus: tuple[str, ...]


@dataclass
class _Held:
    """A run that this worker holds."""

    lease: Lease
    inbox: asyncio.Queue[Report | Pending | None] = field(default_factory=asyncio.Queue)
    """What there is to react to; None only has the plan made again."""
    cancelled: set[str] = field(default_factory=set)
    heard: set[int] = field(default_factory=set)
    missed: dict[str, Missed] = field(default_factory=dict)
    """Steps that are ready, and for which no earlier result serves."""
    children: dict[str, Child] = field(default_factory=dict)
    """Runs that steps wait for."""
    wanting: bool = False
    """Whether it has steps that are ready and have not got what they need."""


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
        self._machine = machine
        self._children = Children(store, workspace, clock)
        self._results = Results(store, runner, workspace, clock)
        self._held: dict[str, _Held] = {}
        self._busy: dict[tuple[str, str], _Share] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        visible = [device.strip() for device in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if device.strip()]
        self._gpus = (visible or [str(index) for index in range(machine.gpus)])[: machine.gpus]

    async def run_one(self, run: str) -> None:
        """Execute one run to its end, from when no other worker holds it; it may also end in the hands of another."""
        async with self._serving():
            while not (await asyncio.to_thread(self._store.get_run, run)).ended:
                if lease := await asyncio.to_thread(self._claim, run):
                    self._hold(lease)
                    await self._tasks[run]
                else:
                    await asyncio.sleep(POLL_SECONDS)

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
        # Looks cost next to nothing, and an idle worker looks often.
        if not self._store.claimable(self._clock.now()) and not forget_the_dead(self._store):
            return None
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
                self._dropping = asyncio.ensure_future(self._end_notebooks(run))

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
            for pending in await asyncio.to_thread(self._store.requests, list(self._held)):
                held = self._held.get(pending.run)
                if held and pending.id not in held.heard:
                    held.heard.add(pending.id)
                    held.inbox.put_nowait(pending)
            await self._ask_children()
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
            if run.state != "queued":
                run = await self._take_over(held, run)
            run = await self._act(held, run)
            while not run.ended:
                received = [await held.inbox.get()]
                while not held.inbox.empty():
                    received.append(held.inbox.get_nowait())
                run = await self._hear(held, run, [each for each in received if each is not None])
                run = await self._act(held, run)
            await asyncio.to_thread(self._store.give_back, held.lease)
        except StaleLease:
            log.warning("run %s was taken over by another worker", held.lease.run)
            await self._end_notebooks(held.lease.run)

    async def _take_over(self, held: _Held, run: Run) -> Run:
        """End what a dead worker left behind, and mark it as lost; the plan starts it again."""
        await self._runner.tidy(run.id)
        for child in children.of(run):
            held.children[child.id] = child
            await self._adopt(child)
        lost = [
            name
            for name, step in run.steps.items()
            if step.state == "running" and step.items is None and not step.child
        ]
        message = "The process that executed it ended."
        return await self._append(
            held, run, [self._event(run, "step.lost", name, {"message": message}) for name in lost]
        )

    async def _hear(self, held: _Held, run: Run, received: Iterable[Report | Pending]) -> Run:
        events: list[Event] = []
        handled: list[int] = []
        freed = False
        for each in received:
            if isinstance(each, Pending):
                handled.append(each.id)
                events += await self._answer(held, run, each.request)
            elif each.attempt == len(run.steps[each.step].attempts):
                events.append(self._told(run, each))
                if each.type in _ENDS:
                    self._busy.pop((run.id, each.step), None)
                    held.cancelled.discard(each.step)
                    freed = True
        run = await self._append(held, run, events, handled)
        if freed:
            self._wake_others(run.id)
        return run

    async def _answer(self, held: _Held, run: Run, request: Request) -> list[Event]:
        """The events that a request leads to now; none if it makes no sense any more."""
        match request:
            case Request(kind="stop", step=None) if run.state in ("queued", "running", "waiting"):
                return [self._event(run, "run.stopping")]
            case Request(kind="stop", step=str(name)):
                return [event for each in run.turns(name) or [name] for event in await self._stop_step(held, run, each)]
            case Request(kind="answer", step=str(name), answer=Answer() as answer) if run.steps[name].waiting:
                return [self._event(run, "step.answered", name, await self._answered(run, name, answer))]
            case Request(kind="pause") if not run.paused and run.state in ("queued", "running", "waiting"):
                return [self._event(run, "run.paused")]
            case Request(kind="continue") if run.paused:
                return [self._event(run, "run.continued")]
            case Request(kind="change"):
                return [self._event(run, "run.changed", data={"parameters": request.parameters})]
        return []

    async def _answered(self, run: Run, step: str, answer: Answer) -> dict[str, JsonValue]:
        """The data of the event that an answer becomes; labels are handed on as a file too."""
        definition = run.definition(step)
        data: dict[str, JsonValue] = {"answer": answer.model_dump(mode="json")}
        if definition.kind in ("person", "label"):
            data["outputs"] = results(definition, answer)
        if definition.label and answer.decision == "approve":
            content = labels_file(definition.label, answer)
            path = self._workspace.attempt(run.id, step, 1) / "artifacts" / "labels.json"
            await asyncio.to_thread(write_atomically, path, content)
            artifact = Artifact(
                path=self._workspace.record(path), bytes=len(content), sha256=sha256(content).hexdigest()
            )
            data["artifacts"] = {path.name: artifact.model_dump(mode="json")}
        return data

    async def _stop_step(self, held: _Held, run: Run, name: str) -> list[Event]:
        state = run.steps[name].state
        if state == "running":
            await self._cancel(held, run, name)
        return [] if state == "running" or state in STEP_ENDED else [self._event(run, "step.stopped", name)]

    async def _cancel(self, held: _Held, run: Run, step: str) -> None:
        if step not in held.cancelled:
            held.cancelled.add(step)
            if child := run.steps[step].child:
                await asyncio.to_thread(self._children.stop, child)
            else:
                await self._runner.cancel(run.id, step)

    def _wake_others(self, run: str) -> None:
        for other in self._held.values():
            if other.wanting and other.lease.run != run:
                other.inbox.put_nowait(None)

    async def _act(self, held: _Held, run: Run) -> Run:
        """Carry out the plan until nothing is left to do now."""
        while actions := self._plan(held, run):
            # Before anything is awaited: another run's plan must not count on the same part of the machine.
            shares = {action.step: self._take(run, action.step) for action in actions if isinstance(action, Start)}
            looks = [action for action in actions if isinstance(action, Look)]
            events = await self._look(held, run, looks)
            jobs: list[StepJob] = []
            for action in actions:
                match action:
                    case Emit(kind, step, data):
                        events.append(self._event(run, kind, step, data))
                    case Start():
                        job = await self._job(run, action, shares[action.step])
                        jobs.append(job)
                        data = {
                            "attempt": action.attempt,
                            "parameters": action.parameters,
                            "notebook": self._workspace.record(job.notebook),
                            **await self._comparison(run, action, held.missed.pop(action.step, None)),
                        }
                        events.append(self._event(run, "step.started", action.step, data))
                    case Launch():
                        events.append(await self._launch(held, run, action))
                    case Cancel(step):
                        await self._cancel(held, run, step)
                    case Wake(at):
                        seconds = (at - self._clock.now()).total_seconds()
                        asyncio.get_running_loop().call_later(max(seconds, 0), held.inbox.put_nowait, None)
            if not events and not looks:
                break
            run = await self._append(held, run, events)
            for job in jobs:
                await self._runner.start(job)
        held.wanting = any(step.state == "queued" for step in run.steps.values())
        return run

    def _plan(self, held: _Held, run: Run) -> list[Action]:
        return plan(run, self._clock.now(), self._offer(run), self._machine, self._workspace.root, held.missed)

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
            fingerprint = await asyncio.to_thread(self._results.fingerprint, run, start.step, start.parameters)
        except Uncomparable as error:
            return {"not_cached": str(error)}
        return {"fingerprint": dict(fingerprint), "not_cached": missed.why if missed else None}

    async def _launch(self, held: _Held, run: Run, action: Launch) -> Event:
        """Start the workflow of a step; this worker executes it too, if it gets it."""
        try:
            child = await asyncio.to_thread(self._children.launch, run, action)
        except MLWFError as error:
            data: dict[str, JsonValue] = {"reason": "error", "message": children.failure(error)}
            return self._event(run, "step.failed", action.step, data)
        held.children[child.id] = child
        await self._adopt(child)
        data = {"attempt": action.attempt, "parameters": action.parameters, "child": child.id}
        return self._event(run, "step.started", action.step, data)

    async def _adopt(self, child: Child) -> None:
        if child.id not in self._held and (lease := await asyncio.to_thread(self._claim, child.id)):
            self._hold(lease)

    async def _ask_children(self) -> None:
        """Hear how the workflows of steps ended, whoever executes them."""
        for held in list(self._held.values()):
            for child in list(held.children.values()):
                if reports := await asyncio.to_thread(self._children.reports, child):
                    del held.children[child.id]
                    for report in reports:
                        held.inbox.put_nowait(report)

    def _offer(self, run: Run) -> Amount:
        used: dict[str, Amount] = {}
        for (other, _), share in self._busy.items():
            used[other] = used.get(other, Amount()) + share.amount
        wanting = [held.lease.run for held in self._held.values() if held.wanting]
        return offer(self._machine, used, wanting, run.id)

    def _take(self, run: Run, step: str) -> _Share:
        amount = needed(run.definition(step).resources, self._machine)
        taken = {gpu for share in self._busy.values() for gpu in share.gpus}
        free = [gpu for gpu in self._gpus if gpu not in taken]
        share = self._busy[run.id, step] = _Share(amount, tuple(free[: amount.gpus]))
        return share

    async def _job(self, run: Run, start: Start, share: _Share) -> StepJob:
        step = run.definition(start.step)
        assert step.notebook
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
            timeout=seconds(step.timeout) if step.timeout else None,
            memory=share.amount.memory or None,
            environment=step.environment | ({"CUDA_VISIBLE_DEVICES": ",".join(share.gpus)} if share.gpus else {}),
            checks=step.checks,
        )

    def _lay_out(self, sha256: str) -> Path:
        path = self._workspace.source(sha256)
        if not path.exists():
            write_atomically(path, self._store.get_blob(sha256))
        return path

    async def _append(self, held: _Held, run: Run, events: list[Event], handled: Sequence[int] = ()) -> Run:
        if not events and not handled:
            return run
        # A cancelled await must not leave a run between its log and its state: the thread writes on, and so do we.
        appended = await asyncio.shield(asyncio.to_thread(self._store.append, held.lease, events, handled))
        return apply(run, *appended)

    async def _end_notebooks(self, run: str) -> None:
        for busy in [each for each in self._busy if each[0] == run]:
            del self._busy[busy]
            await self._runner.cancel(*busy)

    def _event(
        self, run: Run, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None
    ) -> Event:
        return Event(run=run.id, time=self._clock.now(), type=kind, step=step, data=data or {})

    def _told(self, run: Run, report: Report) -> Event:
        asks = report.type == "step.failed" and report.data.get("reason") == "check"
        if asks and run.definition(report.step).checks == "ask":
            return self._event(run, "step.waiting", report.step, {**report.data, "what": "check"})
        return self._event(run, report.type, report.step, self._recorded(report))

    def _recorded(self, report: Report) -> dict[str, JsonValue]:
        if report.type == "step.artifact":
            return {**report.data, "path": self._workspace.record(Path(str(report.data["path"])))}
        return report.data
