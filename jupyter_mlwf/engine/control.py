"""What people ask of runs: through the store, whoever executes them and wherever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from ..core.answers import accept
from ..core.errors import Conflict, NotFound
from ..core.parameters import bind
from ..core.retry import again
from ..core.run import Answer, Event, Run
from ..ports import Clock, Request, RunStore
from ..workspace import Workspace
from .launch import located


class Control:
    """Stops, pauses, changes and retries runs."""

    def __init__(self, store: RunStore, workspace: Workspace, clock: Clock, roles: Mapping[str, Sequence[str]]) -> None:
        self._roles = roles
        self._store = store
        self._workspace = workspace
        self._clock = clock

    def stop(self, run: Run, step: str | None = None) -> None:
        """Ask for a run, or one step of it, to be stopped. What has ended stays as it is.

        Raises:
            NotFound: the run has no such step.
        """
        if step is not None:
            _require_step(run, step)
        self._store.request(run.id, Request(kind="stop", step=step))

    def pause(self, run: Run) -> None:
        """Ask for no more steps to be started; those that run go on.

        Raises:
            Conflict: the run has ended.
        """
        _require_open(run)
        self._store.request(run.id, Request(kind="pause"))

    def go_on(self, run: Run) -> None:
        """Ask for a paused run to go on.

        Raises:
            Conflict: the run has ended.
        """
        _require_open(run)
        self._store.request(run.id, Request(kind="continue"))

    def change(self, run: Run, parameters: Mapping[str, JsonValue]) -> None:
        """Ask for parameters to be changed, for the steps that have not started.

        Raises:
            Conflict: the run has ended.
            InvalidParameters: the values do not fit.
        """
        _require_open(run)
        self._store.request(run.id, Request(kind="change", parameters=self._changes(run, parameters)))

    def answer(self, run: Run, step: str, answer: Answer) -> None:
        """Answer what a step waits for.

        Raises:
            NotFound: the run has no such step.
            Conflict: it waits for nothing.
            BadRequest: the person may not answer, or answers something else than what was asked.
            InvalidParameters: values do not fit.
        """
        accepted = accept(run, step, answer, self._roles)
        self._store.request(run.id, Request(kind="answer", step=step, answer=accepted))

    def retry(self, run: Run, first: str | None = None, parameters: Mapping[str, JsonValue] | None = None) -> None:
        """Open an ended run again: for the steps that did not succeed, or for `first` and all that follows from it.

        A run that was interrupted goes on by itself once a worker takes it; asking for that is no error.

        Raises:
            NotFound: the run has no such step.
            BadRequest: a step before `first` did not succeed.
            Conflict: there is nothing to run again, or `first` is named and the run has not ended.
            InvalidParameters: the values do not fit.
        """
        if not run.ended:
            if first is not None:
                raise Conflict(f"Run {run.number} has not ended: stop it, to begin again with a step.")
            if parameters:
                self.change(run, parameters)
            if run.state == "waiting":
                self.go_on(run)
            return
        now = self._clock.now()
        events = [Event(run=run.id, time=now, type="run.retried")]
        if parameters:
            changed: dict[str, JsonValue] = {"parameters": self._changes(run, parameters)}
            events.append(Event(run=run.id, time=now, type="run.changed", data=changed))
        for name, data in again(run, first).items():
            events.append(Event(run=run.id, time=now, type="step.retried", step=name, data=data))
        self._store.reopen(run.id, events)

    def _changes(self, run: Run, parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        bound = bind(run.workflow.parameters, {**run.parameters, **parameters})
        return located(self._workspace, run.workflow, run.origin, {name: bound[name] for name in parameters})


def _require_open(run: Run) -> None:
    if run.ended:
        raise Conflict(f"Run {run.number} has ended already: {run.state}.")


def _require_step(run: Run, step: str) -> None:
    if step not in run.steps:
        raise NotFound(f"Run {run.number} has no step '{step}'. It has: {', '.join(run.steps)}.")
