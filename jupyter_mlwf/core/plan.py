"""What to do next in a run: decided from its state alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

from pydantic import JsonValue

from .parameters import Unresolved, resolve
from .run import STEP_ENDED, STEP_GOOD, EventType, Run


@dataclass(frozen=True)
class Emit:
    """Append an event: nothing outside has to happen first."""

    type: EventType
    step: str | None = None
    data: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """Start the notebook of a step."""

    step: str
    attempt: int
    parameters: dict[str, JsonValue]


@dataclass(frozen=True)
class Cancel:
    """Stop the notebook of a running step. Said again until the step has ended."""

    step: str


Action = Emit | Start | Cancel

_STEP_BAD = STEP_ENDED - STEP_GOOD


def plan(run: Run, capacity: int, workspace: PurePath) -> list[Action]:
    """The next actions of a run.

    The caller carries them out, applies the events that follow and asks again; an empty list means that nothing can be
    done before something else happens. A step starts only when all steps it waits for have succeeded; one that waits
    for a step that did not is failed, with the reason `upstream`.

    Args:
        run: its state.
        capacity: how many more notebooks may start now.
        workspace: what paths of artifacts are relative to.
    """
    if run.ended:
        return []
    if run.state == "queued":
        return [Emit("run.started")]
    actions = _stop(run) if run.state == "stopping" else _advance(run, capacity, workspace)
    if actions or any(step.state not in STEP_ENDED for step in run.steps.values()):
        return actions
    return [Emit("run.finished", data={"state": _outcome(run)})]


def _stop(run: Run) -> list[Action]:
    actions: list[Action] = []
    for name, step in run.steps.items():
        if step.state == "running":
            actions.append(Cancel(name))
        elif step.state not in STEP_ENDED:
            actions.append(Emit("step.stopped", name))
    return actions


def _advance(run: Run, capacity: int, workspace: PurePath) -> list[Action]:
    actions: list[Action] = []
    # This runs after every event, so with thousands of steps it has to be quick: sets, and one look at each step.
    good = {name for name, step in run.steps.items() if step.state in STEP_GOOD}
    bad = {name for name, step in run.steps.items() if step.state in _STEP_BAD}
    for name, before in run.wiring.items():
        step = run.steps[name]
        if step.state not in ("pending", "queued"):
            continue
        if not bad.isdisjoint(before):
            culprits = [other for other in before if other in bad]
            actions.append(_failed(name, "upstream", f"{_listed(culprits)} did not succeed."))
            bad.add(name)  # so that what waits for it fails now, not one plan later
            continue
        if not good.issuperset(before):
            continue
        if capacity <= 0:
            if step.state == "pending":
                actions.append(Emit("step.queued", name))
            continue
        try:
            parameters = resolve(run.workflow.steps[name], run.parameters, run.steps, workspace)
        except Unresolved as error:
            actions.append(_failed(name, "error", str(error)))
            bad.add(name)
            continue
        capacity -= 1
        actions.append(Start(name, len(step.attempts) + 1, parameters))
    return actions


def _failed(step: str, reason: str, message: str) -> Emit:
    return Emit("step.failed", step, {"reason": reason, "message": message})


def _outcome(run: Run) -> str:
    if run.state == "stopping":
        return "stopped"
    return "succeeded" if all(step.state in STEP_GOOD for step in run.steps.values()) else "failed"


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        return f"Step {quoted[0]}"
    return f"Steps {', '.join(quoted[:-1])} and {quoted[-1]}"
