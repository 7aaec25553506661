"""What to do next in a run: decided from its state alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath

from pydantic import JsonValue

from .capacity import Amount, lacking, needed
from .parameters import Unresolved, resolve
from .retry import MOST_LOST, lost_too_often, retry_at
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


@dataclass(frozen=True)
class Wake:
    """Ask again at this time. Said again until then."""

    at: datetime


Action = Emit | Start | Cancel | Wake

_STEP_BAD = STEP_ENDED - STEP_GOOD


def plan(run: Run, now: datetime, free: Amount, machine: Amount, workspace: PurePath) -> list[Action]:
    """The next actions of a run.

    The caller carries them out, applies the events that follow and asks again, until no action is left but to wait: an
    empty list, `Cancel` or `Wake`. A step starts only when all steps it waits for have succeeded; one that waits for a
    step that did not is failed, with the reason `upstream`. Of several that could start, those with the longest way
    to go behind them start first.

    Args:
        run: its state.
        now: the time.
        free: what steps of this run may take of the machine now.
        machine: the whole of the machine.
        workspace: what paths of artifacts are relative to.
    """
    if run.ended:
        return []
    if run.state == "queued":
        return [Emit("run.started")]
    actions = _stop(run) if run.state == "stopping" else _advance(run, now, free, machine, workspace)
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


def _advance(run: Run, now: datetime, free: Amount, machine: Amount, workspace: PurePath) -> list[Action]:
    actions: list[Action] = []
    failed: set[str] = set()  # in this plan: what waits for them fails with them, not one plan later
    retried: set[str] = set()
    ready: list[str] = []
    wakes: list[datetime] = []
    for name, before in run.wiring.items():
        step, definition = run.steps[name], run.workflow.steps[name]
        if at := retry_at(definition.retries, step):
            retried.add(name)
            actions.append(Emit("step.retried", name, {"at": at.isoformat()}))
        if step.state not in ("pending", "queued"):
            continue
        bad = [n for n in before if n in failed or (run.steps[n].state in _STEP_BAD and n not in retried)]
        why: tuple[str, str] | None = None
        if bad:
            why = "upstream", f"{_listed(bad)} did not succeed."
        elif any(run.steps[other].state not in STEP_GOOD for other in before):
            continue
        elif lost_too_often(step):
            why = "lost", f"The process that executed it ended {MOST_LOST} times."
        elif lack := lacking(definition.resources, machine):
            why = "error", lack
        elif step.not_before and step.not_before > now:
            wakes.append(step.not_before)
        else:
            ready.append(name)
        if why:
            failed.add(name)
            actions.append(Emit("step.failed", name, {"reason": why[0], "message": why[1]}))
    if run.state != "waiting":
        actions += _start(run, sorted(ready, key=lambda name: -run.urgency[name]), free, machine, workspace)
    if wakes:
        actions.append(Wake(min(wakes)))
    return actions


def _start(run: Run, ready: list[str], free: Amount, machine: Amount, workspace: PurePath) -> list[Action]:
    actions: list[Action] = []
    limit = run.workflow.max_parallel
    places = None if limit is None else limit - sum(step.state == "running" for step in run.steps.values())
    for name in ready:
        step, definition = run.steps[name], run.workflow.steps[name]
        amount = needed(definition.resources, machine)
        if places == 0 or not free.holds(amount):
            if step.state == "pending":
                actions.append(Emit("step.queued", name))
            continue
        try:
            parameters = resolve(definition, run.parameters, run.steps, workspace)
        except Unresolved as error:
            actions.append(Emit("step.failed", name, {"reason": "error", "message": str(error)}))
            continue
        free = free - amount
        places = places and places - 1
        actions.append(Start(name, len(step.attempts) + 1, parameters))
    return actions


def _outcome(run: Run) -> str:
    if run.state == "stopping":
        return "stopped"
    return "succeeded" if all(step.state in STEP_GOOD for step in run.steps.values()) else "failed"


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        return f"Step {quoted[0]}"
    return f"Steps {', '.join(quoted[:-1])} and {quoted[-1]}"
