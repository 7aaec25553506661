"""A run of a generated document, led to its end by `plan` and `apply`: a worker that checks all it is told to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from random import Random
from typing import Any

from pydantic import JsonValue

from jupyter_mlwf.core import answers
from jupyter_mlwf.core.actions import Action, Cancel, Emit, Launch, Look, Start, Wake
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.codec import to_json
from jupyter_mlwf.core.fold import apply, create, fold
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.retry import again
from jupyter_mlwf.core.run import Event, EventType, Origin, Run, StepRun
from jupyter_mlwf.core.selection import Selection
from jupyter_mlwf.core.workflow import Argument, Expression, First, Reference, Step, Value

from .language import DEADLINES, DELAYS, Program

ROOT = PurePosixPath("/workspace")
MACHINES = [Amount(2, 2**33, 1), Amount(1, 2**33), Amount(8, 2**36, 4)]
ENDED = {"succeeded", "cached", "skipped", "failed", "stopped"}
GOOD = {"succeeded", "cached"}
_MISSING = object()


def loop_of(step: str) -> str:
    """The step in the document that a step of the run is, or is a turn of."""
    return step.partition(".")[0]


@dataclass
class Play:
    """One run."""

    program: Program
    random: Random
    machine: Amount = MACHINES[0]
    cache: bool = True
    selection: Selection | None = None
    crowded: bool = False
    """Whether other runs have something of the machine now and then."""
    meddled: float = 0
    """How likely it is, at each turn, that somebody pauses the run or has it go on, or stops a step."""
    stop_at: int | None = None
    """After how many events somebody asks for a stop."""
    events: list[Event] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    """Attempts by step."""
    committed: set[str] = field(default_factory=set)
    """What ended well, and that nobody asked for again."""
    missed: set[str] = field(default_factory=set)
    fresh: str | None = None
    waited: int = 0
    """How many times the run waited for people only."""
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)
        self._ignored: dict[str, datetime] = {}
        self._failed_at: dict[str, list[datetime]] = {}
        data: dict[str, JsonValue] = {
            "number": 1,
            "workflow": to_json(self.program.workflow),
            "origin": Origin(path="program.mlwf").model_dump(mode="json"),
            "parameters": {"rate": 3, "flag": True, "list": [{"a": {"b": 1}}, {"a": {"b": 2}}], "open": None},
            "cache": self.cache,
        }
        if self.selection:
            data["steps"] = list[JsonValue](self.selection.steps)
            data["given"] = {name: step.model_dump(mode="json") for name, step in self.selection.given.items()}
        self.run = create(self._event("run.created", None, data))
        self.given = {name: step for name, step in self.run.steps.items() if step.state != "pending"}

    # The run, from outside

    def go(self) -> Run:
        """Until the run has ended."""
        turns = 0
        while not self.run.ended:
            turns += 1
            assert turns < 5_000, "the run does not come to an end"
            if self.stop_at is not None and len(self.events) >= self.stop_at and self.run.state != "stopping":
                self.happen("run.stopping")
            if self.random.random() < self.meddled:
                self._meddle()
            free = self.machine - self._used()
            crowded = self.crowded and self.random.random() < 0.4
            if crowded:
                free = Amount(free.cpus * self.random.random(), free.memory, min(free.gpus, 1))
            actions = self.act(free)
            if all(isinstance(action, Cancel | Wake) for action in actions) and not self.run.ended:
                self._check_rest(actions, crowded)
                if not crowded or self.running:
                    self._wait(actions)
        assert not self.running
        assert not any(step.waiting for step in self.run.steps.values())
        assert plan(self.run, self._now, self.machine, self.machine, ROOT) == []
        assert fold(self.events) == self.run
        for name, step in self.given.items():
            assert self.run.steps[name] == step
        return self.run

    def act(self, free: Amount | None = None) -> list[Action]:
        """Carry out what the plan says now."""
        left = self.machine - self._used() if free is None else free
        actions = plan(self.run, self._now, left, self.machine, ROOT, self.missed)
        for action in actions:
            self._carry_out(action)
        return actions

    def retry(self, first: str | None) -> set[str]:
        """Somebody has the run, which ended, go on; the steps of the document that this concerns."""
        chosen = again(self.run, first)
        self.happen("run.retried")
        for name, data in chosen.items():
            for each in [name] if data.get("resumed") else [name, *self.run.turns(name)]:
                self.committed.discard(each)
                self._failed_at.pop(each, None)
            self.happen("step.retried", name, data)
        self.fresh = first
        return {loop_of(name) for name in chosen}

    def essence(self) -> dict[str, object]:
        """What must not depend on what ended first: all but times and what was said."""
        run = self.run
        told = [name for name in run.steps if name == loop_of(name) or name in run.turns(loop_of(name))]
        steps = {name: run.steps[name] for name in told}
        return {"state": run.state, "parameters": run.parameters} | {
            name: (
                (step.state, step.reason, step.parameters, step.outputs, step.artifacts, step.cell, step.items),
                [(attempt.state, attempt.reason) for attempt in step.attempts],
            )
            for name, step in steps.items()
        }

    # What the plan says

    def _carry_out(self, action: Action) -> None:
        match action:
            case Emit(kind, step, data):
                self._check_emit(kind, step, data)
                self.happen(kind, step, data)
            case Cancel(step):
                assert self.run.state == "stopping"
                assert step in self.running
            case Look(step, parameters, environment):
                self._check_begin(step, parameters)
                self._check_environment(step, environment)
                assert self.cache
                assert self._definition(step).cache is not False
                assert loop_of(step) != self.fresh
                if self.program.is_served(step):
                    self._serve(step, parameters)
                else:
                    self.missed.add(step)
            case Start(step, attempt, parameters, environment):
                assert self._definition(step).notebook is not None
                self._check_environment(step, environment)
                self._start(step, attempt, parameters)
            case Launch(step, attempt, parameters):
                assert self._definition(step).workflow is not None
                self._start(step, attempt, parameters)
            case Wake(at):
                assert at > self._now

    def _check_emit(self, kind: EventType, step: str | None, data: dict[str, JsonValue]) -> None:
        if kind == "run.waiting":
            self.waited += 1
        if step is None:
            return
        assert step not in self.committed
        if kind == "step.waiting" or kind == "step.expanded":
            assert not self.run.paused
            if data.get("what") in ("person", "label"):
                shown = {k: v for k, v in self._dict(data["parameters"]).items() if k != "items"}
                self._check_begin(step, shown)
            else:
                self._check_before(step)
        elif kind == "step.skipped":
            muted = self.program.workflow.steps[step].muted
            assert muted or all(self.run.steps[other].state in ENDED for other in self._before(step))
        elif kind == "step.failed" and data.get("reason") == "upstream":
            assert any(self.run.steps[other].state in ("failed", "stopped") for other in self._before(step))

    def _check_before(self, step: str) -> None:
        """All that a step waits for has ended, and as its rule wants it."""
        name = loop_of(step)
        definition = self._definition(step)
        assert not definition.muted
        states = {other: self.run.steps[other].state for other in self._before(step)}
        assert set(states.values()) <= ENDED, f"{step} before {states}"
        bad = {other for other, state in states.items() if state in ("failed", "stopped")}
        match definition.run_if:
            case "all_succeeded":
                assert all(self.program.workflow.steps[other].allow_failure for other in bad)
                rest = definition.model_copy(update={"when": None}).model_dump_json()
                own = {o for o in states if o in definition.after or f"steps.{o}." in rest or f"steps['{o}']" in rest}
                assert not own or {states[other] for other in own} != {"skipped"}
            case "any_succeeded":
                assert GOOD & set(states.values())
            case "any_failed":
                assert bad
        if step != name:
            assert self.run.steps[name].items is not None

    def _check_begin(self, step: str, parameters: dict[str, JsonValue]) -> None:
        """A step may begin, and gets what the document says."""
        assert self.run.state == "running" or (self.run.state == "waiting" and not self.run.paused)
        assert step not in self.committed | set(self.running)
        assert self.run.steps[step].state in ("pending", "queued")
        assert self._definition(step).foreach is None or step != loop_of(step)
        self._check_before(step)
        expected = {n: self._value(argument, step) for n, argument in self._definition(step).parameters.items()}
        open_ = [n for n, argument in self._definition(step).parameters.items() if self._is_open(argument)]
        assert set(parameters) == set(expected) - set(open_)
        for name, value in parameters.items():
            if expected[name] is not _MISSING:
                assert value == expected[name]

    def _check_environment(self, step: str, environment: dict[str, str]) -> None:
        given = self._definition(step).environment
        expected = {n: self._value(text, step) for n, text in given.items() if not self._is_open(text)}
        assert environment == {n: v if isinstance(v, str) else json.dumps(v) for n, v in expected.items()}

    def _start(self, step: str, attempt: int, parameters: dict[str, JsonValue]) -> None:
        self._check_begin(step, parameters)
        definition = self._definition(step)
        assert attempt == len(self.run.steps[step].attempts) + 1
        if definition.notebook and definition.run_if in ("all_succeeded", "any_succeeded"):
            looked = step in self.missed or not self.cache or definition.cache is False or loop_of(step) == self.fresh
            assert looked, "started without a look for an earlier result"
        if failed_at := self._failed_at.get(step):
            assert definition.retries
            assert len(failed_at) <= definition.retries.count
            assert self._now >= failed_at[-1] + timedelta(seconds=DELAYS[definition.retries.delay])
        self.missed.discard(step)
        self.running[step] = attempt
        self._check_limits(step)
        data: dict[str, JsonValue] = {"attempt": attempt, "parameters": parameters}
        data |= {"notebook": f"{step}/{attempt}.ipynb"} if definition.notebook else {"child": f"{step}/{attempt}"}
        self.happen("step.started", step, data)

    def _check_limits(self, step: str) -> None:
        used = self._used()
        assert used.cpus <= self.machine.cpus + 1e-6
        assert used.gpus <= self.machine.gpus
        limit = self.program.workflow.max_parallel
        notebooks = [name for name in self.running if self._definition(name).notebook]
        assert limit is None or len(notebooks) <= limit
        turns = [name for name in self.running if step != loop_of(step) and loop_of(name) == loop_of(step)]
        most = self._definition(step).max_parallel
        assert most is None or len(turns) <= most

    def _check_rest(self, actions: list[Action], crowded: bool) -> None:
        """A run that waits for people only says so, and no other does."""
        if self.run.state == "stopping" or self.run.paused or crowded:
            return
        steps = [step for step in self.run.steps.values() if step.items is None]
        asked = any(step.state == "waiting" for step in steps)
        delayed = any(step.state == "pending" and step.not_before and step.not_before > self._now for step in steps)
        busy = self.running or delayed or any(step.state == "queued" for step in steps)
        assert (self.run.state == "waiting") == bool(asked and not busy)

    def _serve(self, step: str, parameters: dict[str, JsonValue]) -> None:
        self.committed.add(step)
        source = {"run": "r0", "number": 0, "attempt": 1, "seconds": 2.5, "finished": "2025-12-31T00:00:00Z"}
        data: dict[str, JsonValue] = {
            "parameters": parameters,
            "outputs": self.program.outputs(step, 0),
            "artifacts": {"file.txt": {"path": f"{step}/0/file.txt", "bytes": 1}},
            "metrics": {},
            "checks": {},
            "fingerprint": {"code": "x"},
            "source": dict[str, JsonValue](source),
        }
        self.happen("step.cached", step, data)

    # What happens outside

    def _wait(self, actions: list[Action]) -> None:
        """A step ends, somebody answers, or time passes."""
        questions = [name for name, step in self.run.steps.items() if step.waiting and name not in self._ignored]
        stopping = self.run.state == "stopping"
        choices = [*([] if stopping else questions), *self.running]
        if choices:
            step = self.random.choice(sorted(choices))
            if step in self.running:
                self._end(step, {action.step for action in actions if isinstance(action, Cancel)})
            else:
                self._answer(step)
        elif wakes := [action.at for action in actions if isinstance(action, Wake)]:
            self._now = max(wakes)
        else:
            assert self.run.paused, f"stuck: {self.essence()}"
            self.happen("run.continued")

    def _answer(self, step: str) -> None:
        waiting, definition = self.run.steps[step].waiting, self._definition(step)
        assert waiting
        answer = self.program.answer(step, definition, waiting.what, waiting.names)
        if answer is None:
            assert definition.person
            assert definition.person.deadline
            assert waiting.until
            assert waiting.until - waiting.since <= timedelta(seconds=DEADLINES[definition.person.deadline])
            self._ignored[step] = waiting.until
            return
        accepted = answers.accept(self.run, step, answer, {})
        data: dict[str, JsonValue] = {"answer": accepted.model_dump(mode="json")}
        if definition.kind in ("person", "label"):
            data["outputs"] = answers.results(definition, accepted)
        self.happen("step.answered", step, data)

    def _end(self, step: str, cancelled: set[str]) -> None:
        attempt = self.running.pop(step)
        end = self.program.end(step, attempt)
        outputs: dict[str, JsonValue] = self.program.outputs(step, attempt) if end == "good" else {"stale": attempt}
        for name, value in outputs.items():
            self.happen("step.output", step, {"name": name, "value": value})
        if end == "good" and self._definition(step).notebook:
            file: dict[str, JsonValue] = {"name": "file.txt", "path": f"{step}/{attempt}/file.txt", "bytes": 1}
            self.happen("step.artifact", step, file)
        if end == "lost":
            self.happen("step.lost", step)
        elif step in cancelled and self.random.random() < 0.7:
            self.happen("step.stopped", step)
        elif end == "good":
            self.committed.add(step)
            self.happen("step.succeeded", step)
        elif end == "check" and self._definition(step).checks == "ask":
            self.happen("step.waiting", step, {"what": "check", "reason": "check", "message": "Odd.", "cell": 1})
        else:
            self._fail(step, end)

    def _fail(self, step: str, reason: str) -> None:
        self.happen("step.failed", step, {"reason": reason, "message": "Boom.", "cell": 1})
        retries = self._definition(step).retries
        if retries and reason in retries.on:
            self._failed_at.setdefault(step, []).append(self._now)

    def _meddle(self) -> None:
        if self.run.state not in ("running", "waiting"):
            return
        alive = [n for n, step in self.run.steps.items() if step.state not in ENDED and step.items is None]
        match self.random.randrange(3):
            case 0:
                self.happen("run.continued" if self.run.paused else "run.paused")
            case 1:
                self.happen("run.changed", data={"parameters": {"rate": self.random.randint(0, 9)}})
            case 2 if alive and self.random.random() < 0.3:
                step = self.random.choice(alive)
                self.running.pop(step, None)
                self.happen("step.stopped", step)

    # What is known of it

    def _definition(self, step: str) -> Step:
        return self.program.workflow.steps[loop_of(step)]

    def _before(self, step: str) -> list[str]:
        return [other for other in self.program.upstream(loop_of(step)) if other in self.run.steps]

    def _used(self) -> Amount:
        wanted = [self._definition(name).resources for name in self.running if self._definition(name).notebook]
        return Amount(sum(min(each.cpus, self.machine.cpus) for each in wanted), 0, sum(each.gpus for each in wanted))

    def _is_open(self, argument: Argument) -> bool:
        return isinstance(argument, Reference) and argument.from_ == "params.open"

    def _value(self, argument: Argument, step: str) -> Any:
        """What a step is to get, worked out without the code under test.

        `_MISSING` if nobody recorded it, or if it is computed.
        """
        match argument:
            case Value(value=value):
                return value
            case Expression():
                return _MISSING
            case First(first=candidates):
                found = [self._value(each, step) for each in candidates]
                return next(value for value in found if value is not _MISSING)
            case Reference(from_=text):
                return self._look_up(text.split(".", 3), step)
        return argument

    def _look_up(self, path: list[str], step: str) -> Any:
        item, index = self.run.steps[loop_of(step)].items, step.partition(".")[2]
        match path:
            case ["params", name]:
                return self.run.parameters[name]
            case ["index"]:
                return int(index)
            case ["item", *fields]:
                assert item is not None
                value: Any = item[int(index)]
                for each in fields:
                    value = value[each]
                return value
            case ["steps", name, kind, what]:
                source = self.run.steps[name]
                if source.items is None:
                    return self._recorded(source, kind, what)
                turns = [self.run.steps[f"{name}.{place}"] for place in range(len(source.items))]
                found = [self._recorded(each, kind, what) for each in turns]
                return [None if each is _MISSING else each for each in found]
        raise AssertionError(path)

    def _recorded(self, step: StepRun, kind: str, name: str) -> Any:
        if kind == "artifacts":
            return f"{ROOT}/{step.artifacts[name].path}" if name in step.artifacts else _MISSING
        return step.outputs.get(name, _MISSING)

    @staticmethod
    def _dict(value: JsonValue) -> dict[str, JsonValue]:
        assert isinstance(value, dict)
        return value

    def happen(self, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None) -> None:
        """Append an event."""
        if step is not None and kind == "step.waiting":
            self._ignored.pop(step, None)
        self.run = apply(self.run, self._event(kind, step, data or {}))

    def _event(self, kind: EventType, step: str | None, data: dict[str, JsonValue]) -> Event:
        event = Event(seq=len(self.events) + 1, run="r1", time=self._now, type=kind, step=step, data=data)
        self.events.append(event)
        return event
