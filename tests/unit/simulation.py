"""A run led through its events by `plan` and `apply`, without a clock, files or notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from random import Random

from pydantic import JsonValue

from jupyter_mlwf.core.actions import Action, Cancel, Emit, Look, Start, Wake
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.codec import to_json
from jupyter_mlwf.core.fold import apply, create, fold
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.references import StepSource, parse_reference
from jupyter_mlwf.core.retry import again
from jupyter_mlwf.core.run import STEP_ENDED, Event, EventType, Origin, Run
from jupyter_mlwf.core.workflow import Argument, Reference, Value

from .outcomes import MACHINES, RESULTS, SECONDS, Outcome, takes, value_of
from .strategies import Project

ROOT = PurePosixPath("/workspace")


@dataclass
class Simulation:
    """A worker that checks what it is told to do."""

    project: Project
    outcome: Mapping[str, Outcome]
    random: Random
    machine: Amount = MACHINES[1]
    cache: bool = True
    stop_at: int | None = None
    """After how many events somebody asks for a stop."""
    meddled: float = 0
    """How likely it is, at each turn, that somebody pauses the run, has it go on, changes it or stops a step."""
    crowded: bool = False
    """Whether other runs have something of the machine now and then."""
    pure: bool = False
    """Whether to look, at every event, if `apply` left the old state alone. Slow."""
    events: list[Event] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    """Attempts by step."""
    committed: set[str] = field(default_factory=set)
    """Steps that ended well, and that nobody asked for again."""
    missed: set[str] = field(default_factory=set)
    fresh: str | None = None
    """The step that is to be executed in any case."""
    parameters: dict[str, JsonValue] = field(default_factory=lambda: {"rate": 0.5, "rounds": 3})
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self._time = datetime(2026, 1, 1, tzinfo=UTC)
        self._given: dict[str, dict[str, JsonValue]] = {}
        self._good_attempt: dict[str, int] = {}
        self._failed_at: dict[str, list[datetime]] = {}
        self.urgency: dict[str, int] = {}
        data: dict[str, JsonValue] = {
            "number": 1,
            "workflow": to_json(self.project.workflow),
            "origin": Origin(path="project.mlwf").model_dump(mode="json"),
            "parameters": dict(self.parameters),
            "cache": self.cache,
        }
        self.run = create(self.event("run.created", None, data))

    def _measure(self, name: str) -> int:
        if name not in self.urgency:
            after = [self._measure(later) for before, later in self.project.edges if before == name]
            self.urgency[name] = 1 + max(after, default=0)
        return self.urgency[name]

    def plan(self, free: Amount | None = None) -> list[Action]:
        """What to do now, with all of the machine that no step of the run has, or less."""
        left = self.machine - self.used() if free is None else free
        self._asked = self._time
        return plan(self.run, self._time, left, self.machine, ROOT, self.missed)

    def used(self) -> Amount:
        """What steps that run have of the machine."""
        return sum((takes(self.project.workflow.steps[name], self.machine) for name in self.running), Amount())

    def go(self) -> Run:
        """Until the run has ended."""
        for name in self.project.workflow.steps:
            self._measure(name)
        limit = len(self.events) + 300 * (len(self.project.workflow.steps) + 2)
        while not self.run.ended:
            assert len(self.events) < limit, "the run does not come to an end"
            if self.stop_at is not None and len(self.events) >= self.stop_at and self.run.state != "stopping":
                self.happen("run.stopping")
            if self.random.random() < self.meddled:
                self._meddle()
            free = self.machine - self.used()
            crowded = self.crowded and self.random.random() < 0.5
            if crowded:
                free = Amount(free.cpus * self.random.random(), free.memory // 2, min(free.gpus, 1))
            actions = self.plan(free)
            self._check_starts(actions, free)
            for action in actions:
                self.carry_out(action)
            if all(isinstance(action, Cancel | Wake) for action in actions) and not self.run.ended and not crowded:
                self._wait(actions)
        assert self.plan() == []
        assert not self.running
        assert fold(self.events) == self.run
        for name, given in self._given.items():
            if self.run.steps[name].state not in ("failed", "stopped"):
                assert self.run.steps[name].parameters == given
        return self.run

    def retry(self, first: str | None) -> list[str]:
        """Somebody has the run, which ended, go on; the steps that this concerns."""
        chosen = again(self.run, first)
        self.happen("run.retried")
        for name, data in chosen.items():
            self._failed_at.pop(name, None)
            self.committed.discard(name)
            self.happen("step.retried", name, data)
        self.fresh = first
        return list(chosen)

    def carry_out(self, action: Action) -> None:
        """Do as the plan says, if it may say so."""
        step = action.step if not isinstance(action, Wake) else None
        if isinstance(action, Start | Look):
            assert self.run.state == "running"
            assert action.step not in self.committed | set(self.running)
            assert self.project.upstream(action.step) <= self.committed
            assert action.parameters == {
                name: self._value(argument)
                for name, argument in self.project.workflow.steps[action.step].parameters.items()
            }
        match action:
            case Emit(kind, _, data):
                if data.get("reason") == "upstream":
                    assert any(self._is_lost_for_good(other) for other in self.project.upstream(str(step)))
                self.happen(kind, step, data)
            case Cancel(step):
                assert self.run.state == "stopping"
                assert step in self.running
            case Look(step, parameters):
                assert self.cache
                assert self.project.workflow.steps[step].cache is not False
                assert step != self.fresh
                self._given[step] = parameters
                if self.outcome[step].served:
                    self._serve(step, parameters)
                else:
                    self.missed.add(step)
            case Start(step, attempt, parameters):
                self._start(step, attempt, parameters)
            case Wake(at):
                assert at > self._asked

    def _start(self, step: str, attempt: int, parameters: dict[str, JsonValue]) -> None:
        definition = self.project.workflow.steps[step]
        assert attempt == len(self.run.steps[step].attempts) + 1
        looked = step in self.missed or not self.cache or definition.cache is False or step == self.fresh
        assert looked, "started without a look for an earlier result"
        if failed_at := self._failed_at.get(step):
            assert definition.retries
            wait = SECONDS[definition.retries.delay] * definition.retries.backoff ** (len(failed_at) - 1)
            assert self._time >= failed_at[-1] + timedelta(seconds=min(wait, 30 * 86400))
        self.missed.discard(step)
        self._given[step] = parameters
        self.running[step] = attempt
        assert len(self.running) <= (self.project.workflow.max_parallel or len(self.running))
        used = self.used()
        assert used.cpus <= self.machine.cpus + 1e-5
        assert used.memory <= self.machine.memory
        assert used.gpus <= self.machine.gpus
        steps = [self.project.workflow.steps[name] for name in self.running]
        if any(each.resources.cpus > self.machine.cpus for each in steps):
            assert sum(each.resources.cpus > 0 for each in steps) == 1
        data: dict[str, JsonValue] = {"attempt": attempt, "notebook": f"{step}/{attempt}.ipynb"}
        self.happen("step.started", step, {**data, "parameters": parameters})

    def _serve(self, step: str, parameters: dict[str, JsonValue]) -> None:
        results = {(kind, name): value_of(step, kind, name, 0) for kind, name in self.outcome[step].records}
        source: JsonValue = {
            "run": "r0",
            "number": 0,
            "attempt": 1,
            "seconds": 2.5,
            "notebook": f"earlier/{step}.ipynb",
        }
        self.committed.add(step)
        self._good_attempt[step] = 0
        data: dict[str, JsonValue] = {
            "parameters": parameters,
            "outputs": {name: value for (kind, name), value in results.items() if kind == "outputs"},
            "artifacts": {
                name: {"path": value, "bytes": 1} for (kind, name), value in results.items() if kind == "artifacts"
            },
            "metrics": {"m": 1.0},
            "checks": {},
            "fingerprint": {"code": "x"},
            "source": {**source, "finished": "2025-12-31T00:00:00Z"},
        }
        self.happen("step.cached", step, data)

    def _check_starts(self, actions: list[Action], free: Amount) -> None:
        """Those with the longest way behind them first, and none left out that could start."""
        starts = [action.step for action in actions if isinstance(action, Start)]
        assert [self.urgency[step] for step in starts] == sorted((self.urgency[step] for step in starts), reverse=True)
        for name in starts:
            free = free - takes(self.project.workflow.steps[name], self.machine)
        assert min(free.cpus + 1e-5, free.memory, free.gpus) >= 0
        if self.run.state != "running" or not all(isinstance(action, Wake) for action in actions):
            return
        limit = self.project.workflow.max_parallel
        for name, step in self.run.steps.items():
            waits = step.not_before is not None and step.not_before > self._asked
            if step.state in ("pending", "queued") and self.project.upstream(name) <= self.committed and not waits:
                full = limit is not None and len(self.running) >= limit
                assert full or not free.holds(takes(self.project.workflow.steps[name], self.machine))

    def _is_lost_for_good(self, step: str) -> bool:
        """Whether a step ended badly, and no retry by policy is left."""
        retries = self.project.workflow.steps[step].retries
        failures = len(self._failed_at.get(step, []))
        state = self.run.steps[step]
        if state.state == "failed" and state.started is not None and state.reason != "lost":
            return failures > (retries.count if retries else 0)
        return state.state in ("failed", "stopped")

    def _value(self, argument: Argument) -> JsonValue:
        if isinstance(argument, Value):
            return argument.value
        if not isinstance(argument, Reference):
            return argument
        source = parse_reference(argument.from_)
        if not isinstance(source, StepSource):
            return self.parameters[argument.from_.removeprefix("params.")]
        value = value_of(source.step, source.kind, source.name, self._good_attempt[source.step])
        return f"{ROOT}/{value}" if source.kind == "artifacts" else value

    def _wait(self, actions: list[Action]) -> None:
        """A step goes on, or time passes."""
        wakes = [action.at for action in actions if isinstance(action, Wake)]
        if wakes and (not self.running or self.random.random() < 0.5):
            self._time = max(self._time, *wakes)
        elif self.running:
            self._move_on({action.step for action in actions if isinstance(action, Cancel)})
        else:
            assert self.run.state == "waiting", f"stuck: {self.run.steps}"
            self.happen("run.continued")

    def _move_on(self, cancelled: set[str]) -> None:
        step = self.random.choice(sorted(self.running))
        attempt = self.running[step]
        end = self.outcome[step].attempt(attempt)
        for index, (kind, name) in enumerate(RESULTS):
            # An attempt that does not end well has recorded some of them, too.
            if (kind, name) in self.outcome[step].records if end == "good" else (attempt + index) % 2:
                value = value_of(step, kind, name, attempt)
                if kind == "outputs":
                    self.happen("step.output", step, {"name": name, "value": value})
                else:
                    self.happen("step.artifact", step, {"name": name, "path": value, "bytes": 1})
        self.happen("step.progress", step, {"cell": 1, "cells": 1})
        del self.running[step]
        if end == "lost":
            self.happen("step.lost", step)
        elif step in cancelled and self.random.random() < 0.7:
            self.happen("step.stopped", step)
        elif end == "good":
            self.committed.add(step)
            self._good_attempt[step] = attempt
            self.happen("step.succeeded", step)
        else:
            self.happen("step.failed", step, {"reason": end, "message": "Boom.", "cell": 1})
            self._failed_at.setdefault(step, []).append(self._time)

    def _meddle(self) -> None:
        alive = [name for name, step in self.run.steps.items() if step.state not in STEP_ENDED]
        match self.random.randrange(4):
            case 0 if self.run.state == "running":
                self.happen("run.paused")
            case 1 if self.run.state == "waiting":
                self.happen("run.continued")
            case 2 if self.run.state in ("running", "waiting"):
                self.parameters["rate"] = len(self.events) + 0.5
                self.happen("run.changed", data={"parameters": {"rate": self.parameters["rate"]}})
            case 3 if alive and self.random.random() < 0.2:
                step = self.random.choice(alive)
                self.running.pop(step, None)
                self.happen("step.stopped", step)

    def happen(self, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None) -> None:
        """Append an event."""
        event = self.event(kind, step, data or {})
        before, frozen = self.run, self.run.model_dump_json() if self.pure else ""
        self.run = apply(before, event)
        if self.pure:
            assert before.model_dump_json() == frozen

    def wait_until(self, time: datetime) -> None:
        """Time passes."""
        self._time = time

    def event(self, kind: EventType, step: str | None, data: dict[str, JsonValue]) -> Event:
        """One more event, which is not applied."""
        self._time += timedelta(seconds=1)
        event = Event(seq=len(self.events) + 1, run="r1", time=self._time, type=kind, step=step, data=data)
        self.events.append(event)
        return event
