"""Runs of documents that use all of the workflow language, thousands of them, whatever happens to their steps."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from random import Random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.actions import Emit, Start
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.check import check
from jupyter_mlwf.core.codec import from_json, to_json
from jupyter_mlwf.core.errors import BadRequest, Conflict
from jupyter_mlwf.core.fold import apply, create
from jupyter_mlwf.core.graph import dag
from jupyter_mlwf.core.interface import NotebookInput, NotebookInterface
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.record import record
from jupyter_mlwf.core.retry import retry_at
from jupyter_mlwf.core.run import Event, Run
from jupyter_mlwf.core.selection import Selection, inputs_of, select
from jupyter_mlwf.core.selection import given as take
from jupyter_mlwf.core.workflow import Workflow

from .language import Program, programs
from .play import ENDED, GOOD, MACHINES, ROOT, Play, loop_of
from .strategies import cases

seeds = st.integers(0, 2**32)
machines = st.sampled_from(MACHINES)

_INTERFACE = NotebookInterface(
    inputs=[NotebookInput(name=name) for name in ("p0", "p1", "p2", "asked", "q", "turn")],
    outputs=["num", "items", "flag"],
    artifacts=["file.txt"],
)


@cases(300)
@given(programs())
def test_the_documents_are_sound_and_their_edges_are_known(program: Program) -> None:
    assert check(program.workflow, {"n.ipynb": _INTERFACE, "other.mlwf": _INTERFACE}) == []
    assert set(dag(program.workflow).edges) == program.edges


@cases(500)
@given(programs(), seeds, machines, st.booleans())
def test_a_run_ends_the_same_whatever_ends_first(program: Program, seed: int, machine: Amount, cache: bool) -> None:
    random = Random(seed)
    found = []
    for crowded in (False, False, True):
        play = Play(program, random, machine, cache, crowded=crowded)
        run = play.go()
        good = all(
            run.steps[name].state in (*GOOD, "skipped") or step.allow_failure
            for name, step in program.workflow.steps.items()
        )
        assert run.state == ("succeeded" if good else "failed")
        assert all(step.state in ENDED for step in run.steps.values())
        found.append(play.essence())
        record(run).model_dump_json()
    assert found[1] == found[0]
    assert found[2] == found[0]


@cases(300)
@given(programs(), seeds, machines)
def test_whatever_people_do_meanwhile_a_run_ends(program: Program, seed: int, machine: Amount) -> None:
    play = Play(program, Random(seed), machine, meddled=0.3, crowded=True)
    play.go()
    paused = False
    for event in play.events:
        paused = event.type == "run.paused" or (paused and event.type != "run.continued")
        assert not (paused and event.type in ("step.started", "step.cached", "step.expanded"))


@cases(300)
@given(programs(), seeds, st.integers(1, 40), st.sampled_from([0.0, 0.2]))
def test_a_run_that_is_stopped_ends_at_once(program: Program, seed: int, stop_at: int, meddled: float) -> None:
    play = Play(program, Random(seed), stop_at=stop_at, meddled=meddled)
    run = play.go()
    kinds = [event.type for event in play.events]
    if "run.stopping" in kinds:
        assert run.state == "stopped"
        later = set(kinds[kinds.index("run.stopping") :])
        assert not later & {"step.started", "step.cached", "step.retried", "step.expanded", "step.answered"}
    assert all(step.state in ENDED for step in run.steps.values())


@cases(300)
@given(programs(), seeds, machines, st.data())
def test_what_ended_well_is_not_run_again_unless_asked_for(
    program: Program, seed: int, machine: Amount, data: st.DataObject
) -> None:
    stop_at = data.draw(st.none() | st.integers(3, 30))
    play = Play(program, Random(seed), machine, stop_at=stop_at)
    before = play.go()
    play.stop_at = None
    for _ in range(2):
        first = data.draw(st.none() | st.sampled_from(sorted(program.workflow.steps)))
        mark = len(play.events)
        try:
            chosen = play.retry(first)
        except Conflict:
            assert all(before.steps[name].state in (*GOOD, "skipped") for name in before.wiring)
            continue
        except BadRequest:
            assert first
            states = {before.steps[name].state for name in program.upstream(first)}
            step = program.workflow.steps[first]
            assert step.muted or step.run_if == "any_failed" or not states <= GOOD
            continue
        bad = {name for name in before.wiring if before.steps[name].state not in (*GOOD, "skipped")}
        roots = bad if first is None else {first}
        assert chosen == {name for name in before.wiring if any(program.reaches(root, name) for root in roots)}
        run = play.go()
        # A step that failed while the run was being stopped has the retries of its policy still.
        due = {
            loop_of(name)
            for name, step in before.steps.items()
            if step.items is None and retry_at(before.definition(name).retries, step)
        }
        assert {loop_of(event.step) for event in play.events[mark:] if event.step} <= chosen | due
        for name in set(before.steps):
            if loop_of(name) not in chosen | due:
                assert run.steps[name] == before.steps[name]
        before = run


@cases(300)
@given(programs(min_steps=2), seeds, st.data())
def test_a_part_runs_with_results_of_an_earlier_run(program: Program, seed: int, data: st.DataObject) -> None:
    random, workflow = Random(seed), program.workflow
    names = sorted(workflow.steps)
    how = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "scene": st.just("some"),
                "only": st.lists(st.sampled_from(names), min_size=1, max_size=3),
                "first": st.sampled_from(names),
                "last": st.sampled_from(names),
            },
        )
    )
    try:
        steps = select(workflow, **how)
    except BadRequest:
        assert len(how) > 1
        return
    assert (steps is None) == (not how)
    if steps is None:
        return
    assert steps
    if "first" in how:
        assert all(program.reaches(how["first"], name) for name in steps)
    if "last" in how:
        assert all(program.reaches(name, how["last"]) for name in steps)
    earlier: Run | None = Play(program, random).go() if data.draw(st.booleans()) else None
    outside = set(inputs_of(workflow, steps))
    assert outside <= {before for before, after in program.edges if after in steps} - set(steps)
    lacking = {n for n in outside if earlier is None or earlier.steps[n].state not in (*GOOD, "skipped")}
    if lacking:
        with pytest.raises(BadRequest) as caught:
            take(workflow, steps, [earlier] if earlier else [])
        assert len(caught.value.problems) == len(lacking)
        assert all(problem.step in steps for problem in caught.value.problems)
        return
    play = Play(program, random, selection=Selection(steps, take(workflow, steps, [earlier] if earlier else [])))
    run = play.go()
    assert {loop_of(name) for name in run.steps} == set(steps) | outside
    assert {loop_of(event.step) for event in play.events if event.step} <= set(steps)


def _wide(kind: str) -> tuple[Workflow, dict[str, JsonValue]]:
    """Almost ten thousand steps, or one with as many turns."""
    many = range(9_990)
    steps: dict[str, JsonValue] = {"first": {"notebook": "n.ipynb"}}
    match kind:
        case "loop":
            steps["loop"] = {
                "notebook": "n.ipynb",
                "foreach": {"from": "params.list"},
                "parameters": {"x": {"from": "item"}},
            }
        case "branches":
            steps |= {
                f"s{index}": {"notebook": "n.ipynb", "when": f"steps.first.outputs.num > {index}"} for index in many
            }
            join: list[JsonValue] = [{"from": f"steps.s{index}.outputs.num"} for index in range(1_000)]
            steps["join"] = {"notebook": "n.ipynb", "parameters": {"x": {"first": join}}}
        case "chain":
            steps["s0"] = {"notebook": "n.ipynb", "after": ["first"]}
            steps |= {
                f"s{index}": {"notebook": "n.ipynb", "after": [f"s{index - 1}"], "when": "steps.first.outputs.num < 0"}
                for index in many[1:]
            }
    parameters: dict[str, JsonValue] = {"list": {"type": "list"}}
    workflow = from_json({"name": "wide", "parameters": parameters, "steps": steps})
    return workflow, {"list": list[JsonValue](many)}


@pytest.mark.parametrize("kind", ["loop", "branches", "chain"])
def test_a_plan_of_ten_thousand_steps(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing here asserts a time, but with quadratic behaviour it would take minutes."""
    workflow, parameters = _wide(kind)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    data: dict[str, JsonValue] = {
        "number": 1,
        "workflow": to_json(workflow),
        "origin": {"path": "wide.mlwf"},
        "parameters": parameters,
        "cache": False,
    }
    run = create(Event(run="r1", time=now, type="run.created", data=data))
    machine = Amount(8, 2**36, 4)
    plans, longest = 0, 0.0
    while not run.ended and plans < 60:
        begun = perf_counter()
        actions = plan(run, now, machine, machine, ROOT)
        longest = max(longest, perf_counter() - begun)
        plans += 1
        events = []
        for action in actions:
            if isinstance(action, Emit):
                events.append(Event(run="r1", time=now, type=action.type, step=action.step, data=action.data))
            elif isinstance(action, Start):
                started: dict[str, JsonValue] = {"attempt": action.attempt, "parameters": action.parameters}
                output: dict[str, JsonValue] = {"name": "num", "value": 5_000}
                events += [
                    Event(run="r1", time=now, type="step.started", step=action.step, data=started),
                    Event(run="r1", time=now, type="step.output", step=action.step, data=output),
                    Event(run="r1", time=now, type="step.succeeded", step=action.step),
                ]
        run = apply(run, *events)
    with capsys.disabled():
        print(f"\n{kind}: the longest of {plans} plans took {longest * 1000:.0f} ms, {len(run.steps):,} steps")
    states = Counter(step.state for step in run.steps.values())
    assert states["succeeded"] + states["skipped"] > 400
