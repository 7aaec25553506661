"""What to do next in a run: decided from its state alone."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from pathlib import PurePath

from pydantic import JsonValue, TypeAdapter

from .actions import Action, Cancel, Emit, Launch, Look, Start, Wake
from .answers import default_answer, results
from .branch import Ended
from .capacity import Amount, lacking, needed
from .expressions import BadExpression, holds
from .references import parameters_of
from .resolve import Scope, Unresolved, environment_of, items_of, resolve, value_of
from .retry import MOST_LOST, lost_too_often, retry_at
from .run import STEP_ENDED, EventType, Run, index_of, loop_of
from .scope import scope_of
from .units import seconds
from .workflow import FailureReason, Resources

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
    empty list, `Cancel` or `Wake`. Whether a step starts follows from how the steps before it ended (`branch`) and from
    its condition. Of several that could start, those with the longest way to go behind them start first.

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
    actions = _stop(run) if run.state == "stopping" else _Plan(run, now, free, machine, workspace, missed).actions()
    if actions or any(step.state not in STEP_ENDED for step in run.steps.values()):
        return actions
    return [Emit("run.finished", data={"state": _outcome(run)})]


def _stop(run: Run) -> list[Action]:
    actions: list[Action] = []
    for name, step in run.steps.items():
        if step.state in STEP_ENDED:
            continue
        if step.items is not None:
            if all(run.steps[turn].state in STEP_ENDED for turn in run.turns(name)):
                actions.append(Emit("step.stopped", name))
        elif step.state == "running":
            actions.append(Cancel(name))
        else:
            actions.append(Emit("step.stopped", name))
    return actions


def _outcome(run: Run) -> str:
    if run.state == "stopping":
        return "stopped"
    # Of a loop its own state counts: an earlier attempt may have had more turns.
    good = all(
        run.steps[name].state not in ("failed", "stopped") or run.workflow.steps[name].allow_failure
        for name in run.wiring
    )
    return "succeeded" if good else "failed"


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


class _Plan:
    """One plan, while it is made."""

    def __init__(
        self, run: Run, now: datetime, free: Amount, machine: Amount, workspace: PurePath, missed: Container[str]
    ) -> None:
        self._run = run
        self._now = now
        self._free = free
        self._machine = machine
        self._workspace = workspace
        self._missed = missed
        self._ended = Ended(run)
        self._actions: list[Action] = []
        self._ready: list[str] = []
        self._wakes: list[datetime] = []
        self._retrying = False
        self._unasked = {
            name
            for name, parameter in run.workflow.parameters.items()
            if parameter.ask == "step" and name not in run.parameters
        }

    def actions(self) -> list[Action]:
        # This runs after every event, so with thousands of steps it has to be quick: one look at each step.
        for name, before in self._run.wiring.items():
            step = self._run.steps[name]
            if step.state in ("pending", "queued"):
                self._judge(name, before)
            elif step.state == "failed":
                self._retry(name)
            elif step.state == "waiting":
                self._await(name)
            elif step.items is not None and step.state == "running":
                self._go_round(name)
        if not self._run.paused:
            # Stable: of equally urgent steps, the one that comes first in the document.
            self._start(sorted(self._ready, key=lambda name: -self._run.urgency[loop_of(name)]))
        if not self._actions and not self._run.paused:
            self._rest()
        if self._wakes:
            self._actions.append(Wake(min(self._wakes)))
        return self._actions

    def _rest(self) -> None:
        """Say that the run waits for people only, or that it goes on."""
        states = {step.state for step in self._run.steps.values() if step.items is None}
        idle = "waiting" in states and states.isdisjoint({"running", "queued"}) and not self._retrying
        if idle and self._run.state == "running":
            self._actions.append(Emit("run.waiting"))
        elif not idle and self._run.state == "waiting":
            self._actions.append(Emit("run.continued"))

    def _retry(self, name: str) -> bool:
        if at := retry_at(self._run.definition(name).retries, self._run.steps[name]):
            self._ended.retry(name)
            self._emit("step.retried", name, at=_TIME.dump_python(at, mode="json"))
        return at is not None

    def _judge(self, name: str, before: list[str]) -> None:
        step, definition = self._run.steps[name], self._run.workflow.steps[name]
        verdict = self._ended.judge(name, before)
        if verdict.does == "wait":
            return
        if verdict.does == "fail":
            self._fail(name, "upstream", verdict.why)
            return
        if verdict.does == "skip":
            self._skip(name, verdict.why)
            return
        if not self._ended.meanwhile.isdisjoint(before) or self._asks(name):
            return
        # A condition is looked at once: what is queued has passed it.
        if definition.when is not None and step.state == "pending" and name not in self._missed:
            try:
                if not holds(definition.when, self._scope(name).variables(definition.when)):
                    self._skip(name, f"Its condition is false: {definition.when}")
                    return
            except BadExpression as error:
                if unanswerable := self._ended.unanswerable(definition.when):
                    self._skip(name, unanswerable.why)
                else:
                    self._fail(name, "error", str(error))
                return
        if definition.foreach is not None:
            self._expand(name)
        else:
            self._consider(name)

    def _asks(self, name: str) -> bool:
        """Ask for parameters that a step looks at and that are not there yet; whether there are any."""
        if self._run.paused or not self._unasked:
            return False
        names = [each for each in parameters_of(self._run.workflow.steps[name]) if each in self._unasked]
        if not names:
            return False
        asked = {other for step in self._run.steps.values() if step.waiting for other in step.waiting.names}
        if asked.isdisjoint(names):
            self._emit("step.waiting", name, what="parameters", names=list[JsonValue](names))
        return True

    def _ask(self, name: str) -> None:
        """Put the question of a step to people."""
        definition = self._run.definition(name)
        try:
            scope = self._scope(name)
            shown = resolve(definition, scope)
            if definition.label:
                shown["items"] = value_of(definition.label.items, scope)
        except Unresolved as error:
            self._fail(name, "error", str(error))
            return
        deadline = definition.person and definition.person.deadline
        until = self._now + timedelta(seconds=seconds(deadline)) if deadline else None
        ends = until.isoformat() if until else None
        self._emit("step.waiting", name, what=definition.kind, parameters=shown, until=ends)

    def _await(self, name: str) -> None:
        """Take the default for an answer once the deadline has passed."""
        waiting, definition = self._run.steps[name].waiting, self._run.definition(name)
        if waiting is None or waiting.until is None:
            return
        if self._now < waiting.until:
            self._wakes.append(waiting.until)
        elif answer := default_answer(definition):
            outputs = results(definition, answer)
            self._emit("step.answered", name, answer=answer.model_dump(mode="json"), outputs=outputs)
        else:
            assert definition.person
            self._fail(name, "timeout", f"Nobody answered within {definition.person.deadline}.")

    def _expand(self, name: str) -> None:
        if self._run.paused:
            return
        try:
            items = items_of(self._run.workflow.steps[name], self._scope(name))
        except Unresolved as error:
            self._fail(name, "error", str(error))
        else:
            self._emit("step.expanded", name, items=items)

    def _go_round(self, name: str) -> None:
        """Begin turns of a loop, or end it."""
        turns = self._run.turns(name)
        places = self._run.workflow.steps[name].max_parallel or len(turns)
        failed = []
        done = True
        for turn in turns:
            state = self._run.steps[turn].state
            if state == "running":
                places -= 1
            if state in ("failed", "stopped") and not self._retry(turn):
                failed.append(turn)
            elif state not in STEP_ENDED or state == "failed":
                done = False
            if state == "waiting":
                self._await(turn)
        if done:
            if failed:
                first = self._run.steps[failed[0]]
                count = f"{len(failed)} of {len(turns)} items did not succeed"
                why = f"{count}; the first was item {index_of(failed[0])}: {first.message or first.state}"
                self._fail(name, first.reason or "error", why)
            else:
                self._emit("step.succeeded", name)
            return
        for turn in turns:
            if places > 0 and self._run.steps[turn].state in ("pending", "queued"):
                before = len(self._ready)
                self._consider(turn)
                places -= len(self._ready) - before

    def _consider(self, name: str) -> None:
        """Begin a step that nothing keeps back but the machine and the clock."""
        step, definition = self._run.steps[name], self._run.definition(name)
        if definition.kind in ("person", "label"):
            if not self._run.paused:
                self._ask(name)
        elif step.attempts and lost_too_often(step):
            self._fail(name, "lost", f"The process that executed it ended {MOST_LOST} times in a row.")
        elif step.not_before and step.not_before > self._now:
            self._wakes.append(step.not_before)
            self._retrying = True
        else:
            self._ready.append(name)

    def _start(self, ready: Iterable[str]) -> None:
        limit = self._run.workflow.max_parallel
        running = sum(step.state == "running" and step.items is None for step in self._run.steps.values())
        room = _Room(self._free, self._machine, None if limit is None else limit - running)
        for name in ready:
            step, definition = self._run.steps[name], self._run.definition(name)
            looks = self._run.cache and definition.reuses and not step.fresh and name not in self._missed
            # A result that serves needs nothing of the machine, and of another workflow its own steps take their part.
            if not looks and definition.notebook:
                wish = room.wish(definition.resources)
                if wish.lack:
                    self._fail(name, "error", wish.lack)
                    continue
                if not room.take(wish):
                    if step.state == "pending":
                        self._emit("step.queued", name)
                    continue
            try:
                scope = self._scope(name)
                parameters, environment = resolve(definition, scope), environment_of(definition, scope)
            except Unresolved as error:
                self._fail(name, "error", str(error))
                continue
            if looks:
                self._actions.append(Look(name, parameters, environment))
            elif definition.notebook:
                self._actions.append(Start(name, len(step.attempts) + 1, parameters, environment))
            else:
                self._actions.append(Launch(name, len(step.attempts) + 1, parameters))

    def _scope(self, name: str) -> Scope:
        return scope_of(self._run, self._workspace, name)

    def _emit(self, kind: EventType, step: str, **data: JsonValue) -> None:
        self._actions.append(Emit(kind, step, data))

    def _skip(self, name: str, why: str) -> None:
        self._ended.skip(name)
        self._emit("step.skipped", name, message=why)

    def _fail(self, name: str, reason: FailureReason, why: str) -> None:
        self._ended.fail(name)
        self._emit("step.failed", name, reason=reason, message=why)
