"""What to do next in a run: decided from its state alone."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath

from pydantic import JsonValue, TypeAdapter

from .capacity import Amount, lacking, needed
from .parameters import Unresolved, resolve
from .retry import MOST_LOST, lost_too_often, retry_at
from .run import STEP_ENDED, STEP_GOOD, EventType, FailureReason, Run
from .workflow import Resources


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
_TIME = TypeAdapter(datetime)


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
    to go behind them start first; one that does not fit now holds up no smaller one.

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
    # This runs after every event, so with thousands of steps it has to be quick: sets, and few looks at each step.
    good: set[str] = set()
    bad: set[str] = set()
    running: set[str] = set()
    for name, step in run.steps.items():
        if step.state in STEP_GOOD:
            good.add(name)
        elif step.state in _STEP_BAD:
            bad.add(name)
        elif step.state == "running":
            running.add(name)
    for name, before in run.wiring.items():
        if name in good or name in running:
            continue
        step = run.steps[name]
        if name in bad:
            if at := retry_at(run.workflow.steps[name].retries, step):
                bad.discard(name)
                actions.append(Emit("step.retried", name, {"at": _TIME.dump_python(at, mode="json")}))
        elif not bad.isdisjoint(before):
            bad.add(name)  # so that what waits for it fails now, not one plan later
            message = f"{_listed([other for other in before if other in bad])} did not succeed."
            actions.append(_failed(name, "upstream", message))
        elif not good.issuperset(before):
            continue
        elif step.attempts and lost_too_often(step):
            bad.add(name)
            actions.append(_failed(name, "lost", f"The process that executed it ended {MOST_LOST} times in a row."))
        elif step.not_before and step.not_before > now:
            wakes.append(step.not_before)
        else:
            ready.append(name)
    if run.state != "waiting":
        ready.sort(key=run.urgency.__getitem__, reverse=True)
        places = None if run.workflow.max_parallel is None else run.workflow.max_parallel - len(running)
        actions += _start(run, ready, _Room(free, machine, places), workspace, missed)
    if wakes:
        actions.append(Wake(min(wakes)))
    return actions


class _Wish:
    """What some steps ask for, each of them."""

    def __init__(self, resources: Resources, machine: Amount) -> None:
        self.amount = needed(resources, machine)
        self.lack = lacking(self.amount, machine)
        self.fits = True
        """What did not fit once does not fit later in the same plan: nothing is given back meanwhile."""


class _Room:
    """What a plan has left to give to steps."""

    def __init__(self, free: Amount, machine: Amount, places: int | None) -> None:
        self._free = free
        self._machine = machine
        self._places = places
        self._wishes: dict[tuple[float, str | None, int], _Wish] = {}

    def wish(self, resources: Resources) -> _Wish:
        """What a step asks for; the same object for all steps that ask for as much."""
        key = resources.cpus, resources.memory, resources.gpus
        if (wish := self._wishes.get(key)) is None:
            wish = self._wishes[key] = _Wish(resources, self._machine)
        return wish

    def take(self, wish: _Wish) -> bool:
        """Take what a step asks for, if it is there."""
        if not wish.fits or (self._places is not None and self._places < 1):
            return False
        if not self._free.holds(wish.amount):
            wish.fits = False
            return False
        self._free = self._free - wish.amount
        if self._places is not None:
            self._places -= 1
        return True


def _start(run: Run, ready: list[str], room: _Room, workspace: PurePath, missed: Container[str]) -> list[Action]:
    actions: list[Action] = []
    for name in ready:
        step, definition = run.steps[name], run.workflow.steps[name]
        looks = run.cache and definition.cache is not False and not step.fresh and name not in missed
        if not looks:  # a result that serves needs nothing of the machine
            wish = room.wish(definition.resources)
            if wish.lack:
                actions.append(_failed(name, "error", wish.lack))
                continue
            if not room.take(wish):
                if step.state == "pending":
                    actions.append(Emit("step.queued", name))
                continue
        try:
            parameters = resolve(definition, run.parameters, run.steps, workspace)
        except Unresolved as error:
            actions.append(_failed(name, "error", str(error)))
            continue
        actions.append(Look(name, parameters) if looks else Start(name, len(step.attempts) + 1, parameters))
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
