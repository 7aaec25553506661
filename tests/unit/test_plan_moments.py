"""Single moments of a run, and what the plan says then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from time import perf_counter
from typing import Any

import pytest
from pydantic import JsonValue

from jupyter_mlwf.core.actions import Action, Cancel, Emit, Look, Start, Wake
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.fold import apply
from jupyter_mlwf.core.workflow import Argument, Reference, Resources, Retries, Step, Workflow

from .outcomes import GIB
from .simulation import Simulation
from .strategies import Project

BIG = Amount(9, 9 * GIB, 9)


def _run(
    steps: dict[str, list[str]],
    parameters: Mapping[str, dict[str, Argument]] | None = None,
    *,
    cache: bool = False,
    max_parallel: int | None = None,
    **rules: Mapping[str, Any],
) -> Simulation:
    """A run that has started, of steps that wait for others; `rules` are fields of steps, by step."""
    workflow = Workflow(
        name="w",
        max_parallel=max_parallel,
        steps={
            name: Step(
                notebook="n.ipynb",
                after=after,
                parameters=(parameters or {}).get(name, {}),
                **{field: of[name] for field, of in rules.items() if name in of},
            )
            for name, after in steps.items()
        },
    )
    edges = frozenset((before, name) for name, after in steps.items() for before in after)
    simulation = Simulation(Project(workflow, {}, edges), {}, Random(0), BIG, cache)
    simulation.happen("run.started")
    return simulation


def _start(simulation: Simulation, step: str, attempt: int = 1) -> None:
    data: dict[str, JsonValue] = {"attempt": attempt, "parameters": {}, "notebook": "n.ipynb"}
    simulation.happen("step.started", step, data)


def _fail(simulation: Simulation, step: str, attempt: int = 1) -> None:
    _start(simulation, step, attempt)
    simulation.happen("step.failed", step, {"reason": "error", "message": "Boom."})


def _upstream(step: str, message: str) -> Action:
    return Emit("step.failed", step, {"reason": "upstream", "message": message})


def test_a_queued_run_is_started_first() -> None:
    workflow = Workflow(name="w", steps={"a": Step(notebook="n.ipynb")})
    simulation = Simulation(Project(workflow, {}, frozenset()), {}, Random(0))
    assert simulation.plan(BIG) == [Emit("run.started")]


def test_an_empty_workflow_succeeds() -> None:
    assert _run({}).plan(Amount()) == [Emit("run.finished", data={"state": "succeeded"})]


def test_what_could_start_is_queued_while_there_is_no_room() -> None:
    simulation = _run({"c": ["a"], "b": [], "a": []})
    assert simulation.plan(Amount(1)) == [Start("a", 1, {}), Emit("step.queued", "b")]
    assert simulation.plan(Amount()) == [Emit("step.queued", "a"), Emit("step.queued", "b")]
    simulation.happen("step.queued", "b")
    simulation.happen("step.queued", "a")
    assert simulation.plan(Amount()) == []
    assert simulation.plan(Amount(-3)) == []
    assert simulation.plan(Amount(2)) == [Start("a", 1, {}), Start("b", 1, {})]


def test_the_longest_way_first_and_then_as_in_the_document() -> None:
    simulation = _run({"x": [], "b": [], "c": ["b"], "a": [], "d": ["c", "a"], "y": []})
    starts = [action.step for action in simulation.plan(Amount(9)) if isinstance(action, Start)]
    assert starts == ["b", "a", "x", "y"]


def test_what_does_not_fit_holds_up_nothing_smaller() -> None:
    big = Resources(cpus=4, memory="2GiB")
    simulation = _run({"big": [], "after": ["big"], "small": []}, resources={"big": big})
    assert simulation.plan(Amount(3, 9 * GIB)) == [Emit("step.queued", "big"), Start("small", 1, {})]
    assert simulation.plan(Amount(9, GIB)) == [Emit("step.queued", "big"), Start("small", 1, {})]
    assert simulation.plan(Amount(5, 2 * GIB)) == [Start("big", 1, {}), Start("small", 1, {})]


def test_what_asks_for_more_cpus_than_there_are_runs_alone() -> None:
    simulation = _run({"big": [], "after": ["big"], "small": []}, resources={"big": Resources(cpus=64)})
    assert simulation.plan(Amount(9)) == [Start("big", 1, {}), Emit("step.queued", "small")]
    assert simulation.plan(Amount(8)) == [Emit("step.queued", "big"), Start("small", 1, {})]


def test_what_can_never_fit_fails_at_once() -> None:
    simulation = _run({"b": ["a"], "a": []}, resources={"a": Resources(memory="10GiB")})
    (failed,) = simulation.plan(Amount())
    message = (
        "It asks for 10 GiB of memory; this machine offers 9 GiB. Lower its resources, or run it on a larger machine."
    )
    assert failed == Emit("step.failed", "a", {"reason": "error", "message": message})
    simulation.carry_out(failed)
    assert simulation.plan() == [_upstream("b", "Step 'a' did not succeed.")]


def test_what_can_never_fit_fails_even_if_it_may_be_retried() -> None:
    simulation = _run({"a": []}, resources={"a": Resources(gpus=10)}, retries={"a": Retries(count=9)})
    _fail(simulation, "a")  # on a larger machine
    while actions := simulation.plan():
        assert len(simulation.events) < 20, "tried for ever"
        for action in actions:
            simulation.carry_out(action)
    assert "It asks for 10 GPUs; this machine offers 9." in str(simulation.run.steps["a"].message)


def test_a_workflow_limits_how_many_steps_run_at_once() -> None:
    simulation = _run({"a": [], "b": [], "c": []}, max_parallel=2)
    assert simulation.plan() == [Start("a", 1, {}), Start("b", 1, {}), Emit("step.queued", "c")]
    _start(simulation, "a")
    assert simulation.plan() == [Start("b", 1, {}), Emit("step.queued", "c")]


def test_all_that_waits_for_a_failure_fails_in_one_plan() -> None:
    simulation = _run({"d": ["c", "b", "x"], "c": ["b"], "b": ["a"], "a": [], "x": []})
    _start(simulation, "a")
    simulation.happen("step.failed", "a", {"reason": "memory", "message": "Too big."})
    assert simulation.plan(Amount()) == [
        _upstream("b", "Step 'a' did not succeed."),
        _upstream("c", "Step 'b' did not succeed."),
        _upstream("d", "Steps 'c' and 'b' did not succeed."),
        Emit("step.queued", "x"),
    ]


def test_a_result_that_was_not_recorded_fails_who_needs_it() -> None:
    needs: dict[str, Argument] = {"x": Reference(from_="steps.a.outputs.y")}
    simulation = _run({"c": ["b"], "b": [], "a": []}, {"b": needs})
    _start(simulation, "a")
    simulation.happen("step.succeeded", "a")
    message = "Step 'a' ended without recording the output 'y'."
    (failed,) = simulation.plan(Amount(1))
    assert failed == Emit("step.failed", "b", {"reason": "error", "message": message})
    simulation.carry_out(failed)
    assert simulation.plan(Amount(1)) == [_upstream("c", "Step 'b' did not succeed.")]


def test_a_lost_step_is_tried_three_times() -> None:
    simulation = _run({"a": []})
    for attempt in (1, 2, 3):
        assert simulation.plan() == [Start("a", attempt, {})]
        _start(simulation, "a", attempt)
        assert simulation.plan() == []
        simulation.happen("step.lost", "a")
    message = "The process that executed it ended 3 times in a row."
    assert simulation.plan() == [Emit("step.failed", "a", {"reason": "lost", "message": message})]


def test_what_waits_for_a_step_that_is_retried_waits_on() -> None:
    simulation = _run({"b": ["a"], "a": []}, retries={"a": Retries(count=1, delay="1m")})
    _fail(simulation, "a")
    finished = simulation.run.steps["a"].finished
    assert finished
    at = finished + timedelta(minutes=1)
    (retried,) = simulation.plan()
    assert retried == Emit("step.retried", "a", {"at": at.isoformat().replace("+00:00", "Z")})
    simulation.carry_out(retried)
    assert simulation.plan() == [Wake(at)]
    assert simulation.plan() == [Wake(at)]
    simulation.wait_until(at - timedelta(microseconds=1))
    assert simulation.plan() == [Wake(at)]
    simulation.wait_until(at)
    assert simulation.plan() == [Start("a", 2, {})]
    _fail(simulation, "a", 2)
    assert simulation.plan() == [_upstream("b", "Step 'a' did not succeed.")]


def test_the_earliest_time_wakes() -> None:
    retries = {"a": Retries(count=1, delay="2m"), "b": Retries(count=1, delay="1m")}
    simulation = _run({"a": [], "b": []}, retries=retries)
    _fail(simulation, "a")
    _fail(simulation, "b")
    for action in simulation.plan():
        simulation.carry_out(action)
    at = simulation.run.steps["b"].not_before
    assert at
    assert simulation.plan() == [Wake(at)]


def test_a_result_is_looked_for_before_a_step_starts_whatever_room_there_is() -> None:
    simulation = _run({"a": [], "b": [], "c": []}, cache=True)
    assert simulation.plan(Amount()) == [Look("a", {}), Look("b", {}), Look("c", {})]
    simulation.missed = {"a", "c"}
    assert simulation.plan(Amount(1)) == [Start("a", 1, {}), Look("b", {}), Emit("step.queued", "c")]


def test_a_paused_run_starts_nothing_and_its_steps_go_on() -> None:
    simulation = _run({"b": ["a"], "a": [], "x": []}, cache=True)
    _start(simulation, "a")
    simulation.happen("run.paused")
    assert simulation.plan() == []
    simulation.happen("step.succeeded", "a")
    assert simulation.plan() == []
    simulation.happen("run.continued")
    assert simulation.plan() == [Look("b", {}), Look("x", {})]


def test_a_paused_run_whose_steps_have_all_ended_ends() -> None:
    simulation = _run({"a": []})
    _start(simulation, "a")
    simulation.happen("run.paused")
    simulation.happen("step.succeeded", "a")
    assert simulation.plan() == [Emit("run.finished", data={"state": "succeeded"})]


def test_stopping_cancels_what_runs_again_and_again_until_it_ended() -> None:
    simulation = _run({"b": ["a"], "a": [], "x": []})
    _start(simulation, "a")
    simulation.happen("step.queued", "x")
    simulation.happen("run.stopping")
    assert simulation.plan(Amount(5)) == [Emit("step.stopped", "b"), Cancel("a"), Emit("step.stopped", "x")]
    simulation.happen("step.stopped", "b")
    simulation.happen("step.stopped", "x")
    assert simulation.plan(Amount(5)) == [Cancel("a")]
    assert simulation.plan(Amount(5)) == [Cancel("a")]
    simulation.happen("step.succeeded", "a")
    assert simulation.plan(Amount(5)) == [Emit("run.finished", data={"state": "stopped"})]


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_a_long_run(shape: str) -> None:
    """Nothing here asserts a time; were a plan to look at the whole graph anew, it would take minutes."""
    names = [f"s{index}" for index in range(1_000)]
    simulation = _run(
        {name: [names[index - 1] if shape == "chain" else "s0"][:index] for index, name in enumerate(names)}
    )
    for name in names:
        assert Start(name, 1, {}) in simulation.plan(Amount(1))
        _start(simulation, name)
        simulation.happen("step.succeeded", name)
    assert simulation.plan(Amount(1)) == [Emit("run.finished", data={"state": "succeeded"})]


@pytest.mark.parametrize("shape", ["chain", "fan", "layers"])
def test_ten_thousand_steps(shape: str) -> None:
    """How long one plan and one event take is printed, not asserted."""
    names = [f"s{index}" for index in range(10_000)]
    before: dict[str, Callable[[int], list[int]]] = {
        "chain": lambda index: [index - 1],
        "fan": lambda _: [0],
        "layers": lambda index: [max(index - 100, 0), index // 2],
    }
    simulation = _run({name: [names[i] for i in before[shape](index)][:index] for index, name in enumerate(names)})
    _start(simulation, "s0")
    simulation.happen("step.succeeded", "s0")
    for action in simulation.plan(Amount(2)):  # queues what is ready
        if isinstance(action, Emit):
            simulation.run = apply(simulation.run, simulation.event(action.type, action.step, action.data))
    begin = perf_counter()
    for _ in range(10):
        simulation.plan(Amount(2))
    planned = perf_counter()
    for _ in range(10):
        simulation.happen("step.progress", "s1", {"cell": 1, "cells": 2})
    applied = perf_counter()
    print(f"{shape}: plan {(planned - begin) * 100:.1f} ms, apply {(applied - planned) * 100:.2f} ms")
    assert next(action.step for action in simulation.plan(Amount(2)) if isinstance(action, Start)) == "s1"
