"""What the arguments and conditions of a step see of its run."""

from __future__ import annotations

from pathlib import PurePath

from pydantic import JsonValue

from .resolve import Item, Scope
from .run import Run, StepRun, index_of, loop_of


def scope_of(run: Run, workspace: PurePath, step: str | None = None) -> Scope:
    """What a step sees.

    Args:
        run: the run.
        workspace: what paths of artifacts are relative to.
        step: the step, or the turn of a loop; None for the run as a whole.
    """
    index = None if step is None else index_of(step)
    items = None if step is None else run.steps[loop_of(step)].items
    return Scope(
        parameters=run.parameters,
        results=run.results,
        view=lambda name: _view(run, name, workspace),
        workspace=workspace,
        run={"id": run.id, "number": run.number, "workflow": run.workflow.name, "created": run.created.isoformat()},
        item=None if index is None or items is None else Item(index, items[index]),
    )


def _view(run: Run, name: str, workspace: PurePath) -> JsonValue:
    """A step as expressions see it. Outputs, artifacts and metrics of a loop are lists, in the order of its items."""
    results = run.results(name)
    if not isinstance(results, list):
        return _seen(results, workspace)
    gathered: dict[str, JsonValue] = {"state": run.steps[name].state, "states": [turn.state for turn in results]}
    turns = [_recorded(each, workspace) for each in results]
    for kind in _recorded(StepRun(), workspace):
        names = dict.fromkeys(key for turn in turns for key in turn[kind])
        gathered[kind] = {key: [turn[kind].get(key) for turn in turns] for key in names}
    return gathered


def _seen(step: StepRun, workspace: PurePath) -> dict[str, JsonValue]:
    return {
        "state": step.state,
        "reason": step.reason,
        "attempts": len(step.attempts),
        **_recorded(step, workspace),
    }


def _recorded(step: StepRun, workspace: PurePath) -> dict[str, dict[str, JsonValue]]:
    return {
        "outputs": dict(step.outputs),
        "artifacts": {name: str(workspace / artifact.path) for name, artifact in step.artifacts.items()},
        "metrics": dict(step.metrics),
        "checks": {name: check.model_dump(mode="json") for name, check in step.checks.items()},
    }
