"""A run driven to its end by `plan` and `apply`, thousands of times, whatever happens to its steps.

What the end must look like is worked out by `expected`, which knows nothing of plans and events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.codec import to_json
from jupyter_mlwf.core.parameters import StepSource, parse_reference
from jupyter_mlwf.core.plan import Action, Cancel, Emit, Start, plan
from jupyter_mlwf.core.run import STEP_ENDED, STEP_GOOD, Event, EventType, Origin, Run, apply, create, fold
from jupyter_mlwf.core.workflow import Argument, Reference, Step, Value, Workflow

from .strategies import Project, cases, projects

ROOT = PurePosixPath("/workspace")
RATE, ROUNDS = 0.5, 3
RESULTS = [("outputs", "r0"), ("outputs", "r1"), ("artifacts", "r0"), ("artifacts", "r1")]


@dataclass(frozen=True)
class Outcome:
    """What a step's notebook does, whenever it runs."""

    good: bool = True
    losses: int = 0
    """How many attempts are lost before one ends by itself."""
    records: frozenset[tuple[str, str]] = frozenset(RESULTS)


def outcomes(random: Random, workflow: Workflow) -> dict[str, Outcome]:
    """Mostly good ones; now and then a failure, lost attempts, a result that is not recorded."""
    return {
        name: Outcome(
            good=random.random() < 0.85,
            losses=random.choice([0, 0, 0, 1, 2]),
            records=frozenset(result for result in RESULTS if random.random() < 0.9),
        )
        for name in workflow.steps
    }


def value_of(step: str, kind: str, name: str, attempt: int) -> JsonValue:
    """What an attempt records: told apart from what an earlier one, which was lost, recorded."""
    return f"{kind}/{step}/{attempt}/{name}" if kind == "artifacts" else [step, name, attempt]


def expected(project: Project, outcome: Mapping[str, Outcome]) -> dict[str, tuple[str, str | None]]:
    """State and reason of each step at the end, of a run that nobody stops."""
    ends: dict[str, tuple[str, str | None]] = {}

    def end(name: str) -> tuple[str, str | None]:
        if name not in ends:
            before = {other: end(other) for other in project.upstream(name)}
            if any(state != "succeeded" for state, _ in before.values()):
                ends[name] = ("failed", "upstream")
            elif any((s.kind, s.name) not in outcome[s.step].records for s in sources(project.workflow.steps[name])):
                ends[name] = ("failed", "error")
            else:
                ends[name] = ("succeeded", None) if outcome[name].good else ("failed", "error")
        return ends[name]

    return {name: end(name) for name in project.workflow.steps}


def sources(step: Step) -> list[StepSource]:
    found = [parse_reference(a.from_) for a in step.parameters.values() if isinstance(a, Reference)]
    return [source for source in found if isinstance(source, StepSource)]


@dataclass
class Simulation:
    """A worker without a clock, files or notebooks, that checks what it is told to do."""

    project: Project
    outcome: Mapping[str, Outcome]
    capacity: int
    random: Random
    stop_at: int | None = None
    """After how many events somebody asks for a stop."""
    pure: bool = False
    """Whether to look, at every event, if `apply` left the old state alone. Slow."""
    events: list[Event] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    """Attempts by step."""
    succeeded: set[str] = field(default_factory=set)
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        data: dict[str, JsonValue] = {
            "number": 1,
            "workflow": to_json(self.project.workflow),
            "origin": Origin(path="project.mlwf").model_dump(mode="json"),
            "parameters": {"rate": RATE, "rounds": ROUNDS},
        }
        self.run = create(self._event("run.created", None, data))

    def go(self) -> Run:
        """Until the run has ended."""
        limit = 60 * (len(self.project.workflow.steps) + 2)
        while not self.run.ended:
            assert len(self.events) < limit, "the run does not come to an end"
            if self.stop_at is not None and len(self.events) >= self.stop_at and self.run.state != "stopping":
                self.happen("run.stopping")
            actions = plan(self.run, self.capacity - len(self.running), ROOT)
            for action in actions:
                self.carry_out(action)
            if all(isinstance(action, Cancel) for action in actions) and not self.run.ended:
                assert self.running, f"stuck: {self.run.steps}"
                self.one_moves_on(cancelled={action.step for action in actions if isinstance(action, Cancel)})
        assert plan(self.run, self.capacity, ROOT) == []
        assert not self.running
        assert fold(self.events) == self.run
        return self.run

    def carry_out(self, action: Action) -> None:
        match action:
            case Emit(kind, step, data):
                self.happen(kind, step, data)
            case Cancel(step):
                assert self.run.state == "stopping"
                assert step in self.running
            case Start(step, attempt, parameters):
                assert self.run.state == "running"
                assert step not in self.succeeded | set(self.running)
                assert self.project.upstream(step) <= self.succeeded
                assert attempt == len(self.run.steps[step].attempts) + 1
                assert parameters == {
                    name: self.value(argument)
                    for name, argument in self.project.workflow.steps[step].parameters.items()
                }
                self.running[step] = attempt
                assert len(self.running) <= self.capacity
                data = {"attempt": attempt, "parameters": parameters, "notebook": f"{step}/{attempt}.ipynb"}
                self.happen("step.started", step, data)

    def value(self, argument: Argument) -> JsonValue:
        if isinstance(argument, Value):
            return argument.value
        if not isinstance(argument, Reference):
            return argument
        source = parse_reference(argument.from_)
        if not isinstance(source, StepSource):
            return {"params.rate": RATE, "params.rounds": ROUNDS}[argument.from_]
        value = value_of(source.step, source.kind, source.name, self.outcome[source.step].losses + 1)
        return f"{ROOT}/{value}" if source.kind == "artifacts" else value

    def one_moves_on(self, cancelled: set[str]) -> None:
        step = self.random.choice(sorted(self.running))
        attempt, outcome = self.running[step], self.outcome[step]
        lost = attempt <= outcome.losses
        for kind, name in RESULTS:
            # An attempt that is lost may have recorded anything before.
            if self.random.random() < 0.5 if lost else (kind, name) in outcome.records:
                value = value_of(step, kind, name, attempt)
                if kind == "outputs":
                    self.happen("step.output", step, {"name": name, "value": value})
                else:
                    self.happen("step.artifact", step, {"name": name, "path": value, "bytes": 1})
        self.happen("step.progress", step, {"cell": 1, "cells": 1})
        del self.running[step]
        if lost:
            self.happen("step.lost", step)
        elif step in cancelled and self.random.random() < 0.7:
            self.happen("step.stopped", step)
        elif outcome.good:
            self.succeeded.add(step)
            self.happen("step.succeeded", step)
        else:
            self.happen("step.failed", step, {"reason": "error", "message": "Boom.", "cell": 1})

    def happen(self, kind: EventType, step: str | None = None, data: dict[str, JsonValue] | None = None) -> None:
        event = self._event(kind, step, data or {})
        before, frozen = self.run, self.run.model_dump_json() if self.pure else ""
        self.run = apply(before, event)
        if self.pure:
            assert before.model_dump_json() == frozen

    def _event(self, kind: EventType, step: str | None, data: dict[str, JsonValue]) -> Event:
        time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=len(self.events))
        event = Event(seq=len(self.events) + 1, run="r1", time=time, type=kind, step=step, data=data)
        self.events.append(event)
        return event


def essence(run: Run) -> dict[str, object]:
    """What must not depend on the order in which steps happened to end: all but times and what was said of them."""
    return {
        name: (step.state, step.reason, step.parameters, step.outputs, step.artifacts, step.cell, len(step.attempts))
        for name, step in run.steps.items()
    }


seeds = st.integers(0, 2**32)


@cases(150)
@given(projects(), seeds)
def test_a_run_ends_the_same_whatever_ends_first(project: Project, seed: int) -> None:
    random = Random(seed)
    outcome = outcomes(random, project.workflow)
    end = expected(project, outcome)
    found = []
    for _ in range(6):
        simulation = Simulation(project, outcome, random.choice([1, 2, 3, 100]), random)
        run = simulation.go()
        assert {name: (step.state, step.reason) for name, step in run.steps.items()} == end
        assert run.state == ("succeeded" if all(state == "succeeded" for state, _ in end.values()) else "failed")
        for name, step in run.steps.items():
            started = step.state == "succeeded" or step.message == "Boom."
            assert len(step.attempts) == (outcome[name].losses + 1 if started else 0)
            assert [attempt.number for attempt in step.attempts] == list(range(1, len(step.attempts) + 1))
            assert [attempt.reason for attempt in step.attempts[:-1]] == ["lost"] * outcome[name].losses * started
            assert step.state in STEP_GOOD or step.message
            if step.state == "succeeded":
                assert {("outputs", key) for key in step.outputs} | {("artifacts", key) for key in step.artifacts} == (
                    outcome[name].records
                )
        found.append(essence(run))
    assert all(other == found[0] for other in found)


@cases(250)
@given(projects(), seeds, st.integers(1, 60))
def test_a_run_that_is_stopped_ends_at_once(project: Project, seed: int, stop_at: int) -> None:
    for offset in range(4):
        random = Random(seed + offset)
        simulation = Simulation(
            project, outcomes(random, project.workflow), random.choice([1, 2, 3, 100]), random, stop_at + offset
        )
        run = simulation.go()
        kinds = [event.type for event in simulation.events]
        if "run.stopping" not in kinds:
            continue
        assert run.state == "stopped"
        assert "step.started" not in kinds[kinds.index("run.stopping") :]
        assert all(step.state in STEP_ENDED for step in run.steps.values())
        assert simulation.succeeded == {name for name, step in run.steps.items() if step.state == "succeeded"}
        for step in run.steps.values():
            assert all(attempt.finished for attempt in step.attempts)


@cases(60)
@given(projects(max_steps=5), seeds, st.none() | st.integers(1, 30))
def test_neither_plan_nor_apply_changes_what_it_is_given(project: Project, seed: int, stop_at: int | None) -> None:
    random = Random(seed)
    Simulation(project, outcomes(random, project.workflow), 2, random, stop_at, pure=True).go()


@cases(100)
@given(projects(), seeds, st.data())
def test_events_may_be_applied_one_by_one_or_together(project: Project, seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    simulation = Simulation(project, outcomes(random, project.workflow), 2, random)
    run = simulation.go()
    cut = data.draw(st.integers(1, len(simulation.events)))
    early = fold(simulation.events[:cut])
    assert apply(early, *simulation.events[cut:]) == run
    assert early == fold(simulation.events[:cut])
    assert Run.model_validate_json(run.model_dump_json()) == run
    assert fold([Event.model_validate_json(event.model_dump_json()) for event in simulation.events]) == run


# Single moments


def _run(steps: dict[str, list[str]], parameters: dict[str, dict[str, Argument]] | None = None) -> Simulation:
    workflow = Workflow(
        name="w",
        steps={
            name: Step(notebook="n.ipynb", after=after, parameters=(parameters or {}).get(name, {}))
            for name, after in steps.items()
        },
    )
    simulation = Simulation(Project(workflow, {}, frozenset()), {}, 1, Random(0))
    simulation.happen("run.started")
    return simulation


def _start(simulation: Simulation, step: str, attempt: int = 1) -> None:
    simulation.happen("step.started", step, {"attempt": attempt, "parameters": {}, "notebook": "n.ipynb"})


def test_a_queued_run_is_started_first() -> None:
    workflow = Workflow(name="w", steps={"a": Step(notebook="n.ipynb")})
    simulation = Simulation(Project(workflow, {}, frozenset()), {}, 1, Random(0))
    assert plan(simulation.run, 9, ROOT) == [Emit("run.started")]


def test_an_empty_workflow_succeeds() -> None:
    assert plan(_run({}).run, 0, ROOT) == [Emit("run.finished", data={"state": "succeeded"})]


def test_what_could_start_is_queued_while_there_is_no_room() -> None:
    simulation = _run({"c": ["a"], "b": [], "a": []})
    assert plan(simulation.run, 1, ROOT) == [Start("b", 1, {}), Emit("step.queued", "a")]
    assert plan(simulation.run, 0, ROOT) == [Emit("step.queued", "b"), Emit("step.queued", "a")]
    simulation.happen("step.queued", "b")
    simulation.happen("step.queued", "a")
    assert plan(simulation.run, 0, ROOT) == []
    assert plan(simulation.run, -3, ROOT) == []
    assert plan(simulation.run, 2, ROOT) == [Start("b", 1, {}), Start("a", 1, {})]


def test_all_that_waits_for_a_failure_fails_in_one_plan() -> None:
    simulation = _run({"d": ["c", "b", "x"], "c": ["b"], "b": ["a"], "a": [], "x": []})
    _start(simulation, "a")
    simulation.happen("step.failed", "a", {"reason": "memory", "message": "Too big."})
    assert plan(simulation.run, 0, ROOT) == [
        Emit("step.failed", "b", {"reason": "upstream", "message": "Step 'a' did not succeed."}),
        Emit("step.failed", "c", {"reason": "upstream", "message": "Step 'b' did not succeed."}),
        Emit("step.queued", "x"),
        Emit("step.failed", "d", {"reason": "upstream", "message": "Steps 'c' and 'b' did not succeed."}),
    ]


def test_a_result_that_was_not_recorded_fails_who_needs_it() -> None:
    needs: dict[str, Argument] = {"x": Reference(from_="steps.a.outputs.y")}
    simulation = _run({"c": ["b"], "b": [], "a": []}, {"b": needs})
    _start(simulation, "a")
    simulation.happen("step.succeeded", "a")
    message = "Step 'a' ended without recording the output 'y'."
    assert plan(simulation.run, 1, ROOT) == [
        Emit("step.failed", "b", {"reason": "error", "message": message}),
        Emit("step.failed", "c", {"reason": "upstream", "message": "Step 'b' did not succeed."}),
    ]


def test_a_lost_step_is_tried_again() -> None:
    simulation = _run({"a": []})
    _start(simulation, "a")
    assert plan(simulation.run, 1, ROOT) == []
    simulation.happen("step.lost", "a")
    assert plan(simulation.run, 1, ROOT) == [Start("a", 2, {})]


def test_stopping_cancels_what_runs_again_and_again_until_it_ended() -> None:
    simulation = _run({"b": ["a"], "a": [], "x": []})
    _start(simulation, "a")
    simulation.happen("step.queued", "x")
    simulation.happen("run.stopping")
    assert plan(simulation.run, 5, ROOT) == [Emit("step.stopped", "b"), Cancel("a"), Emit("step.stopped", "x")]
    simulation.happen("step.stopped", "b")
    simulation.happen("step.stopped", "x")
    assert plan(simulation.run, 5, ROOT) == [Cancel("a")]
    assert plan(simulation.run, 5, ROOT) == [Cancel("a")]
    simulation.happen("step.succeeded", "a")
    assert plan(simulation.run, 5, ROOT) == [Emit("run.finished", data={"state": "stopped"})]


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_a_long_run(shape: str) -> None:
    """Nothing here asserts a time; were a plan to look at the whole graph anew, it would take minutes."""
    names = [f"s{index}" for index in range(1_000)]
    simulation = _run(
        {name: [names[index - 1] if shape == "chain" else "s0"][:index] for index, name in enumerate(names)}
    )
    for name in names:
        assert Start(name, 1, {}) in plan(simulation.run, 1, ROOT)
        _start(simulation, name)
        simulation.happen("step.succeeded", name)
    assert plan(simulation.run, 1, ROOT) == [Emit("run.finished", data={"state": "succeeded"})]
