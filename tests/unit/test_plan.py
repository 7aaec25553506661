"""A run driven to its end by `plan` and `apply`, thousands of times, whatever happens to its steps."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.fold import apply, fold
from jupyter_mlwf.core.run import STEP_ENDED, STEP_GOOD, Event, Run

from .outcomes import MACHINES, Outcome, expected, outcomes, with_rules
from .simulation import Simulation
from .strategies import Project, cases, projects


def essence(run: Run) -> dict[str, object]:
    """What must not depend on the order in which steps happened to end: all but times and what was said of them."""
    return {
        name: (step.state, step.reason, step.parameters, step.outputs, step.artifacts, step.cell, len(step.attempts))
        for name, step in run.steps.items()
    }


seeds = st.integers(0, 2**32)


@cases(200)
@given(projects(), seeds, st.sampled_from(MACHINES), st.booleans())
def test_a_run_ends_the_same_whatever_ends_first(project: Project, seed: int, machine: Amount, cache: bool) -> None:
    random = Random(seed)
    project = with_rules(random, project)
    outcome = outcomes(random, project.workflow)
    ends = expected(project, outcome, machine, cache)
    found = []
    for _ in range(4):
        crowded = random.random() < 0.5
        simulation = Simulation(project, outcome, random, machine, cache, crowded=crowded)
        run = simulation.go()
        assert {name: (step.state, step.reason, len(step.attempts)) for name, step in run.steps.items()} == ends
        good = all(state in ("succeeded", "cached") for state, _, _ in ends.values())
        assert run.state == ("succeeded" if good else "failed")
        for name, step in run.steps.items():
            assert [attempt.number for attempt in step.attempts] == list(range(1, len(step.attempts) + 1))
            told = [attempt.reason or "good" for attempt in step.attempts]
            assert told == [outcome[name].attempt(number + 1) for number in range(len(told))]
            assert step.state in STEP_GOOD or step.message
            assert (step.source is not None) == (step.state == "cached")
            if step.state in STEP_GOOD:
                assert {("outputs", key) for key in step.outputs} | {("artifacts", key) for key in step.artifacts} == (
                    outcome[name].records
                )
        found.append(essence(run))
    assert all(other == found[0] for other in found)


@cases(200)
@given(projects(), seeds, st.integers(1, 60))
def test_a_run_that_is_stopped_ends_at_once(project: Project, seed: int, stop_at: int) -> None:
    for offset in range(4):
        random = Random(seed + offset)
        project = with_rules(random, project)
        machine, outcome = random.choice(MACHINES), outcomes(random, project.workflow)
        simulation = Simulation(project, outcome, random, machine, stop_at=stop_at + offset, meddled=0.2)
        run = simulation.go()
        kinds = [event.type for event in simulation.events]
        if "run.stopping" not in kinds:
            continue
        assert run.state == "stopped"
        assert not {"step.started", "step.cached", "step.retried"} & set(kinds[kinds.index("run.stopping") :])
        assert all(step.state in STEP_ENDED for step in run.steps.values())
        assert simulation.committed == {name for name, step in run.steps.items() if step.state in STEP_GOOD}
        for step in run.steps.values():
            assert all(attempt.finished for attempt in step.attempts)


@cases(200)
@given(projects(), seeds, st.sampled_from(MACHINES), st.booleans())
def test_whatever_people_do_meanwhile_a_run_ends(project: Project, seed: int, machine: Amount, cache: bool) -> None:
    random = Random(seed)
    project = with_rules(random, project)
    outcome = outcomes(random, project.workflow)
    simulation = Simulation(project, outcome, random, machine, cache, meddled=0.4, crowded=True)
    run = simulation.go()
    paused = False
    for event in simulation.events:
        paused = event.type == "run.paused" or (paused and event.type != "run.continued")
        assert not (paused and event.type in ("step.started", "step.cached"))
    assert simulation.committed == {name for name, step in run.steps.items() if step.state in STEP_GOOD}
    for name, step in run.steps.items():
        lost = [attempt.reason == "lost" for attempt in step.attempts]
        retries = project.workflow.steps[name].retries
        assert lost.count(False) <= 1 + (retries.count if retries else 0)


@cases(200)
@given(projects(min_steps=1), seeds, st.data())
def test_what_ended_well_is_not_run_again_unless_asked_for(project: Project, seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    project = with_rules(random, project)
    simulation = Simulation(project, outcomes(random, project.workflow), random, random.choice(MACHINES))
    before = simulation.go()
    for _ in range(3):
        starts = [
            name
            for name in project.workflow.steps
            if all(before.steps[other].state in STEP_GOOD for other in project.upstream(name))
        ]
        bad = {name for name, step in before.steps.items() if step.state not in STEP_GOOD}
        first = data.draw(st.sampled_from([*starts, *([None] if bad else [])]))
        if data.draw(st.booleans()):
            simulation.outcome = {name: Outcome() for name in project.workflow.steps}
        mark = len(simulation.events)
        chosen = simulation.retry(first)
        roots = bad if first is None else {first}
        assert set(chosen) == {name for name in project.workflow.steps if any(project.reaches(r, name) for r in roots)}
        run = simulation.go()
        touched = {event.step for event in simulation.events[mark:] if event.step}
        assert touched <= set(chosen)
        for name in set(project.workflow.steps) - set(chosen):
            assert run.steps[name] == before.steps[name]
        if first is not None:
            new = [event.type for event in simulation.events[mark:] if event.step == first]
            assert "step.cached" not in new
        for name in chosen:
            # All retries of the policy are there again, and so is every try after a loss.
            step, tries = project.workflow.steps[name], run.steps[name].attempts[len(before.steps[name].attempts) :]
            failed = [attempt for attempt in tries if attempt.state == "failed" and attempt.reason != "lost"]
            assert len(failed) <= 1 + (step.retries.count if step.retries else 0)
            if run.steps[name].reason == "lost":
                assert [attempt.reason for attempt in tries[-3:]] == ["lost"] * 3
        before = run


@cases(60)
@given(projects(max_steps=5), seeds, st.none() | st.integers(1, 30))
def test_neither_plan_nor_apply_changes_what_it_is_given(project: Project, seed: int, stop_at: int | None) -> None:
    random = Random(seed)
    project = with_rules(random, project)
    outcome = outcomes(random, project.workflow)
    Simulation(project, outcome, random, stop_at=stop_at, meddled=0.3, pure=True).go()


@cases(100)
@given(projects(), seeds, st.data())
def test_events_may_be_applied_one_by_one_or_together(project: Project, seed: int, data: st.DataObject) -> None:
    random = Random(seed)
    project = with_rules(random, project)
    simulation = Simulation(project, outcomes(random, project.workflow), random, meddled=0.2)
    run = simulation.go()
    if any(step.state not in STEP_GOOD for step in run.steps.values()):
        simulation.retry(None)
        run = simulation.go()
    cut = data.draw(st.integers(1, len(simulation.events)))
    early = fold(simulation.events[:cut])
    assert apply(early, *simulation.events[cut:]) == run
    assert early == fold(simulation.events[:cut])
    assert Run.model_validate_json(run.model_dump_json()) == run
    assert fold([Event.model_validate_json(event.model_dump_json()) for event in simulation.events]) == run
