"""What to do next in a run: decided from its state alone."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath

from pydantic import JsonValue

from .capacity import Amount, lacking, needed
from .parameters import Unresolved, resolve
from .retry import MOST_LOST, lost_too_often, retry_at
from .run import STEP_ENDED, STEP_GOOD, EventType, FailureReason, Run


@dataclass(frozen=True)
class Emit:
    """Append an event: nothing outside has to happen first."""

    type: EventType
    step: str | None = None
    data: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """Look for a result of an earlier run that serves: nothing has to be executed then.

    Emit `step.cached` if there is one; else say so with the next plan, and the step starts.
    """

    step: str
    parameters: dict[str, JsonValue]


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


Action = Emit | Look | Start | Cancel | Wake

_STEP_BAD = STEP_ENDED - STEP_GOOD


def plan(
    run: Run,
    now: datetime,
    free: Amount,
    machine: Amount,
    workspace: PurePath,
    missed: Container[str] = frozenset(),
) -> list[Action]:
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
        missed: steps for which no result of an earlier run serves.
    """
    if run.ended:
        return []
    if run.state == "queued":
        return [Emit("run.started")]
    actions = _stop(run) if run.state == "stopping" else _advance(run, now, free, machine, workspace, missed)
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


def _advance(
    run: Run, now: datetime, free: Amount, machine: Amount, workspace: PurePath, missed: Container[str]
) -> list[Action]:
    actions: list[Action] = []
    ready: list[str] = []
    wakes: list[datetime] = []
    # This runs after every event, so with thousands of steps it has to be quick: sets, and one look at each step.
    good = {name for name, step in run.steps.items() if step.state in STEP_GOOD}
    bad = {name for name, step in run.steps.items() if step.state in _STEP_BAD}
    for name, before in run.wiring.items():
        step = run.steps[name]
        if step.state == "failed" and (at := retry_at(run.workflow.steps[name].retries, step)):
            bad.discard(name)
            actions.append(Emit("step.retried", name, {"at": at.isoformat()}))
        if step.state not in ("pending", "queued"):
            continue
        why: tuple[FailureReason, str] | None = None
        if not bad.isdisjoint(before):
            why = "upstream", f"{_listed([other for other in before if other in bad])} did not succeed."
        elif not good.issuperset(before):
            continue
        elif lost_too_often(step):
            why = "lost", f"The process that executed it ended {MOST_LOST} times."
        elif lack := lacking(run.workflow.steps[name].resources, machine):
            why = "error", lack
        elif step.not_before and step.not_before > now:
            wakes.append(step.not_before)
        else:
            ready.append(name)
        if why:
            bad.add(name)  # so that what waits for it fails now, not one plan later
            actions.append(_failed(name, *why))
    if run.state != "waiting":
        actions += _start(run, sorted(ready, key=lambda name: -run.urgency[name]), free, machine, workspace, missed)
    if wakes:
        actions.append(Wake(min(wakes)))
    return actions


def _start(
    run: Run, ready: list[str], free: Amount, machine: Amount, workspace: PurePath, missed: Container[str]
) -> list[Action]:
    actions: list[Action] = []
    places = float("inf") if run.workflow.max_parallel is None else run.workflow.max_parallel
    places -= sum(step.state == "running" for step in run.steps.values())
    for name in ready:
        step, definition = run.steps[name], run.workflow.steps[name]
        looks = run.cache and definition.cache is not False and not step.fresh and name not in missed
        amount = needed(definition.resources, machine)
        if not looks and (places < 1 or not free.holds(amount)):
            if step.state == "pending":
                actions.append(Emit("step.queued", name))
            continue
        try:
            parameters = resolve(definition, run.parameters, run.steps, workspace)
        except Unresolved as error:
            actions.append(_failed(name, "error", str(error)))
            continue
        if looks:
            actions.append(Look(name, parameters))
            continue
        free = free - amount
        places -= 1
        actions.append(Start(name, len(step.attempts) + 1, parameters))
    return actions


def _failed(step: str, reason: FailureReason, message: str) -> Emit:
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
