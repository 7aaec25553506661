"""Which steps of a document would be executed if it were run now, and why: nothing is executed to know it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from ..core.actions import Emit, Look, Start
from ..core.cache import result
from ..core.capacity import Amount
from ..core.errors import InvalidParameters
from ..core.fold import apply
from ..core.parameters import bind
from ..core.plan import plan
from ..core.run import Event, Origin, Run, StepRun, index_of, loop_of
from ..documents import Document
from ..ports import Clock, RunStore
from ..workspace import Workspace
from .launch import located
from .results import Environment, Missed, Results

#: What is not known after that time is left out.
_BUDGET = timedelta(seconds=5)
_AT_ONCE = 50
_WITHOUT_LIMIT = Amount(cpus=1e9, memory=1 << 62, gpus=1 << 30)


class Stale(BaseModel):
    """Why a step would be executed."""

    kind: Literal["changed", "never", "upstream", "off"] = Field(
        description="What it depends on has changed; it has no result; a step before it is executed; "
        "its results never serve again."
    )
    why: str = Field(description="A sentence.")


class Staleness:
    """Plays a run without executing anything: what a run would decide is decided by the same plan.

    Args:
        store: has the earlier runs.
        environment: tells what a kernel runs in.
        workspace: what paths are relative to.
        clock: tells the time.
    """

    def __init__(self, store: RunStore, environment: Environment, workspace: Workspace, clock: Clock) -> None:
        self._store = store
        self._environment = environment
        self._workspace = workspace
        self._clock = clock

    def of(self, document: Document) -> dict[str, Stale]:
        """The steps that would be executed, as far as that can be known beforehand, and in some seconds.

        What follows from an answer of a person or from another workflow cannot be known. Parameters have their
        defaults; those without have what they had in the last run.

        Raises:
            InvalidWorkflow: the document cannot be run.
        """
        document.require_sound()
        frozen = document.freeze()
        origin = Origin(path=self._workspace.record(document.path), files=frozen.files)
        try:
            values = self._values(document, origin)
        except InvalidParameters:
            return {}
        now = self._clock.now()
        steps = {name: StepRun() for name in document.workflow.steps}
        run = Run(
            id="", number=0, workflow=document.workflow, origin=origin, parameters=values, created=now, steps=steps
        )
        results = Results(self._store, self._environment, self._workspace, self._clock, frozen.blobs.__getitem__)
        return self._play(run, results)

    def _values(self, document: Document, origin: Origin) -> dict[str, JsonValue]:
        known = document.workflow.parameters
        last = self._store.list_runs(path=origin.path, limit=1)
        before = self._store.get_run(last[0].id).parameters if last else {}
        given = {name: before[name] for name in known if known[name].default is None and name in before}
        return located(self._workspace, document.workflow, origin, bind(known, given))

    def _play(self, run: Run, results: Results) -> dict[str, Stale]:
        until = self._clock.now() + _BUDGET
        found: dict[str, Stale] = {}
        missed: set[str] = set()
        while self._clock.now() < until:
            actions = plan(run, run.created, _WITHOUT_LIMIT, _WITHOUT_LIMIT, self._workspace.root, missed)
            events = [_event(run, each) for each in actions if isinstance(each, Emit)]
            looks = [each for each in actions if isinstance(each, Look)]
            for at in range(0, len(looks), _AT_ONCE):
                answers = results.look(run, looks[at : at + _AT_ONCE])
                for look in looks[at : at + _AT_ONCE]:
                    answer = answers[look.step]
                    if isinstance(answer, Missed):
                        missed.add(look.step)
                        _add(found, look.step, Stale(kind="never" if answer.never else "changed", why=answer.why))
                    else:
                        data = result(answer, look.parameters)
                        events.append(_event(run, Emit("step.cached", look.step, data)))
                if self._clock.now() >= until:
                    break
            for each in actions:
                if isinstance(each, Start) and each.step not in missed:
                    _add(found, each.step, Stale(kind="off", why="Results of this step never serve again."))
            if not events and not looks:
                break
            run = apply(run, *events)
        return found | _upstream(run, found)


def _event(run: Run, emit: Emit) -> Event:
    return Event(run=run.id, time=run.created, type=emit.type, step=emit.step, data=emit.data)


def _add(found: dict[str, Stale], step: str, stale: Stale) -> None:
    """Of a loop, the first turn speaks for all."""
    index = index_of(step)
    if index is not None and stale.kind != "off":
        stale = Stale(kind=stale.kind, why=f"Item {index}: {stale.why}")
    found.setdefault(loop_of(step), stale)


def _upstream(run: Run, found: dict[str, Stale]) -> dict[str, Stale]:
    """Steps that wait for those that are executed."""
    upstream: dict[str, Stale] = {}
    for name, before in run.wiring.items():
        if name in found or run.steps[name].state != "pending":
            continue
        first = next((each for each in before if each in found or each in upstream), None)
        if first is not None:
            title = run.workflow.steps[first].title or first
            upstream[name] = Stale(kind="upstream", why=f"It waits for '{title}', which is executed again.")
    return upstream
