"""Branches in branches: what a skip means for a step that waits for what was skipped, and for one that looks at it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from pydantic import JsonValue

from jupyter_mlwf.core.actions import Emit, Start
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.codec import from_json, to_json
from jupyter_mlwf.core.fold import apply, create
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.run import Event, EventType, Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MACHINE = Amount(8, 2**36, 4)


def end(steps: dict[str, dict[str, Any]], fails: str = "", **params: JsonValue) -> Run:
    """A run to its end: each notebook records the output `num`, 5; one may fail."""
    parameters: dict[str, JsonValue] = {name: {"type": "json"} for name in params}
    document: dict[str, JsonValue] = {
        "name": "w",
        "parameters": parameters,
        "steps": {name: {"notebook": "n.ipynb", **step} for name, step in steps.items()},
    }
    data: dict[str, JsonValue] = {
        "number": 1,
        "workflow": to_json(from_json(document)),
        "origin": {"path": "w.mlwf"},
        "parameters": params,
        "cache": False,
    }
    run = create(Event(run="r1", time=NOW, type="run.created", data=data))

    def tell(kind: EventType, step: str | None, data: dict[str, JsonValue] | None = None) -> Run:
        return apply(run, Event(run="r1", time=NOW, type=kind, step=step, data=data or {}))

    while not run.ended:
        for action in plan(run, NOW, MACHINE, MACHINE, PurePosixPath("/")):
            if isinstance(action, Emit):
                run = tell(action.type, action.step, action.data)
            else:
                assert isinstance(action, Start)
                run = tell("step.started", action.step, {"attempt": action.attempt, "parameters": action.parameters})
                if action.step == fails:
                    run = tell("step.failed", action.step, {"reason": "error", "message": "no"})
                else:
                    run = tell("step.output", action.step, {"name": "num", "value": 5})
                    run = tell("step.succeeded", action.step)
    return run


def states(run: Run) -> dict[str, str]:
    return {name: step.state for name, step in run.steps.items()}


@pytest.mark.parametrize(("outer", "inner"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_branch_within_a_branch_runs_if_both_conditions_hold(outer: bool, inner: bool) -> None:
    # `inner` hangs on `outer`, and its condition looks at `check`, which is on neither branch.
    run = end(
        {
            "check": {},
            "outer": {"when": "params.outer"},
            "inner": {"after": ["outer"], "when": f"steps.check.outputs.num {'>' if inner else '<'} 3"},
            "below": {"parameters": {"x": {"from": "steps.inner.outputs.num"}}},
        },
        outer=outer,
    )
    runs = {True: "succeeded", False: "skipped"}
    both = runs[outer and inner]
    assert states(run) == {"check": "succeeded", "outer": runs[outer], "inner": both, "below": both}
    if not outer:
        assert run.steps["inner"].message == "Step 'outer' was skipped."


def test_a_condition_may_ask_whether_a_step_was_skipped() -> None:
    one_of = [{"from": "steps.main.outputs.num"}, {"from": "steps.instead.outputs.num"}]
    run = end(
        {
            "main": {"when": "params.go"},
            "instead": {"when": "steps.main.state == 'skipped'"},
            "also": {"when": "steps.main.state != 'skipped'"},
            "joined": {"parameters": {"x": {"first": one_of}}},
        },
        go=False,
    )
    assert states(run) == {"main": "skipped", "instead": "succeeded", "also": "skipped", "joined": "succeeded"}
    assert run.steps["also"].message == "Its condition is false: steps.main.state != 'skipped'"


def test_a_condition_on_a_value_that_a_skipped_step_lacks_skips_too() -> None:
    run = end(
        {
            "main": {"when": "params.go"},
            "more": {"when": "steps.main.outputs.num > 3"},
            "either": {"when": "steps.main.state == 'skipped' || steps.main.outputs.num > 3"},
        },
        go=False,
    )
    assert states(run) == {"main": "skipped", "more": "skipped", "either": "succeeded"}
    assert run.steps["more"].message == "Step 'main', which its condition looks at, was skipped."


def test_a_condition_on_a_value_that_a_step_did_not_record_fails() -> None:
    run = end({"main": {}, "more": {"when": "steps.main.outputs.other > 3"}})
    assert states(run) == {"main": "succeeded", "more": "failed"}
    assert "other" in str(run.steps["more"].message)


def test_a_step_that_failed_counts_as_one_before_whoever_looks_at_it() -> None:
    run = end(
        {
            "main": {},
            "more": {"when": "steps.main.outputs.num > 3"},
            "alarm": {"when": "steps.main.reason == 'error'", "run_if": "any_failed"},
        },
        fails="main",
    )
    assert states(run) == {"main": "failed", "more": "failed", "alarm": "succeeded"}
    assert run.steps["more"].reason == "upstream"


def test_three_branches_deep() -> None:
    """The innermost of three, with a condition on what is outside of all of them."""
    steps = {
        "top": {},
        "one": {"after": ["top"], "when": "params.way == 1"},
        "two": {"after": ["one"], "when": "steps.top.outputs.num == 5"},
        "three": {"after": ["two"], "when": "steps.top.outputs.num == 5 && params.way < 3"},
        "other": {"after": ["top"], "when": "params.way == 2"},
        "end": {"after": ["three", "other"]},
    }
    assert states(end(steps, way=1)) | {"other": ""} == {**dict.fromkeys(steps, "succeeded"), "other": ""}
    skipped = dict.fromkeys(("one", "two", "three"), "skipped")
    assert states(end(steps, way=2)) == {**skipped, "top": "succeeded", "other": "succeeded", "end": "succeeded"}
    assert states(end(steps, way=3)) == {**skipped, "top": "succeeded", "other": "skipped", "end": "skipped"}
