"""Parts of a workflow that are run alone: scenes, single steps, what lies before or behind a step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest, NotFound, Problem
from .graph import dag, order
from .references import looked_at
from .run import STEP_GOOD, Run, StepRun
from .workflow import Workflow


@dataclass(frozen=True)
class Selection:
    """A part of a workflow, and what it takes from an earlier run."""

    steps: list[str]
    given: dict[str, StepRun]


def select(
    workflow: Workflow,
    *,
    scene: str | None = None,
    only: Iterable[str] = (),
    first: str | None = None,
    last: str | None = None,
) -> list[str] | None:
    """The steps to run, in an order in which they can; None for all.

    Args:
        workflow: a sound workflow.
        scene: those of this scene.
        only: those named.
        first: this one and all that follows from it.
        last: this one and all that it waits for, however far up. With `first`: what lies between the two.

    Raises:
        NotFound: there is no such scene or step.
        BadRequest: nothing is left.
    """
    only = list(only)
    if scene is None and not only and first is None and last is None:
        return None
    chosen = set(workflow.steps)
    if scene is not None:
        if scene not in workflow.scenes:
            raise NotFound(f"There is no scene '{scene}'. Scenes: {', '.join(workflow.scenes) or 'none'}.")
        chosen &= set(workflow.scenes[scene])
    for name in [*only, *filter(None, (first, last))]:
        if name not in workflow.steps:
            raise NotFound(f"There is no step '{name}'. Steps: {', '.join(workflow.steps)}.")
    import networkx as nx

    graph: nx.Graph[Any] = dag(workflow)
    if only:
        chosen &= set(only)
    if first is not None:
        chosen &= {first} | nx.descendants(graph, first)
    if last is not None:
        chosen &= {last} | nx.ancestors(graph, last)
    if not chosen:
        raise BadRequest("No step is both in one and in the other; nothing would be run.")
    return [name for name in order(workflow) if name in chosen]


def inputs_of(workflow: Workflow, selected: Collection[str]) -> list[str]:
    """Steps that are not selected, and that selected ones look at: for a value, or in a condition."""
    needed = {other for name in selected for other in looked_at(workflow.steps[name])} - set(selected)
    return [name for name in workflow.steps if name in needed]


def given(workflow: Workflow, selected: Collection[str], earlier: Sequence[Run]) -> dict[str, StepRun]:
    """The results that a part of a workflow takes from earlier runs: each from the first of them that has it.

    Raises:
        BadRequest: results are lacking; all are named, with the steps that need them.
    """
    found: dict[str, StepRun] = {}
    problems = []
    for name in inputs_of(workflow, selected):
        if run := next((each for each in earlier if _has(each, name)), None):
            found |= {each: _taken(run, each) for each in (name, *run.turns(name))}
            continue
        users = [user for user in selected if name in looked_at(workflow.steps[user])]
        numbers = " and ".join(str(each.number) for each in earlier)
        what = f"run {numbers} has no result of it" if earlier else "it is not part of what is run"
        problems.append(
            Problem(
                code="missing-input",
                place=f"steps.{users[0]}",
                message=f"Step '{users[0]}' needs a result of step '{name}', but {what}.",
                mend="Name an earlier run that has one." if not earlier else "Name another run, or run that step too.",
            )
        )
    if problems:
        raise BadRequest("Results are lacking; nothing was started.", problems)
    return found


def _has(run: Run, name: str) -> bool:
    return name in run.steps and (run.steps[name].state in STEP_GOOD or run.steps[name].state == "skipped")


def _taken(run: Run, name: str) -> StepRun:
    """A step of an earlier run, as part of another."""
    step = run.steps[name]
    state = "cached" if step.state in STEP_GOOD else step.state
    source = step.source or step.as_source(run.id, run.number)
    return step.model_copy(update={"state": state, "attempts": [], "source": source})
