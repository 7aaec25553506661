"""Workflows that steps run: runs of their own, whose end is the end of the step."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from ..core import codec
from ..core.actions import Launch
from ..core.errors import MLWFError
from ..core.parameters import bind
from ..core.record import outputs
from ..core.release import parse_target
from ..core.run import Origin, Parent, Run
from ..core.secrets import secrets_of
from ..ports import Clock, NewRun, Report, Request, RunStore
from ..workspace import Workspace
from . import kept
from .launch import located


@dataclass(frozen=True)
class Child:
    """A run that a step waits for."""

    id: str
    parent: Parent


class Children:
    """Starts runs for steps, and tells how they end. All methods may be called from any thread."""

    def __init__(self, store: RunStore, workspace: Workspace, clock: Clock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    def launch(self, run: Run, action: Launch) -> Child:
        """Queue the run that a step is; the same one, if it was queued already before a crash.

        Raises:
            MLWFError: it cannot be run with these values.
        """
        parent = Parent(run=run.id, step=action.step, attempt=action.attempt)
        target = run.definition(action.step).workflow
        assert target
        if target.endswith(".mlwf"):
            workflow = codec.loads(self._store.get_blob(run.origin.files[target]))
            folder = posixpath.dirname(target)
            path = self._workspace.record(self._workspace.locate(run.origin.path).parent / target)
            files = {posixpath.relpath(each, folder or "."): sha for each, sha in run.origin.files.items()}
            origin = Origin(path=path, files=files)
        else:
            release = self._store.get_release(*parse_target(target))
            workflow, origin = release.workflow, Origin(path=release.path, release=target, files=dict(release.files))
        values = located(self._workspace, workflow, origin, bind(workflow.parameters, action.parameters))
        storage = kept.storage_of(self._workspace, workflow, origin.path) or run.origin.storage
        origin = origin.model_copy(update={"storage": storage, "secrets": list(secrets_of(run))})
        child = self._store.create_run(
            NewRun(workflow, origin, values, cache=run.cache, parent=parent), self._clock.now()
        )
        return Child(child.id, parent)

    def reports(self, child: Child) -> list[Report]:
        """What a run that has ended means for its step; nothing if it goes on again."""
        run = self._store.get_run(child.id)
        if not run.ended:
            return []
        parent = child.parent
        if run.state == "stopped":
            return [Report(parent.run, parent.step, parent.attempt, "step.stopped")]
        if run.state == "failed":
            data = {"reason": "error", "message": f"Run {run.number} of {run.workflow.name} failed. {_why(run)}"}
            return [Report(parent.run, parent.step, parent.attempt, "step.failed", dict(data))]
        told = [
            Report(parent.run, parent.step, parent.attempt, "step.output", {"name": name, "value": value})
            for name, value in outputs(run, self._workspace.root).items()
        ]
        return [*told, Report(parent.run, parent.step, parent.attempt, "step.succeeded")]

    def stop(self, child: str) -> None:
        """Ask for a child to be stopped."""
        self._store.request(child, Request(kind="stop"))


def of(run: Run) -> list[Child]:
    """The runs that steps of a run wait for."""
    return [
        Child(step.child, Parent(run=run.id, step=name, attempt=len(step.attempts)))
        for name, step in run.steps.items()
        if step.state == "running" and step.child
    ]


def failure(error: MLWFError) -> str:
    """Why a child could not be started, in words."""
    return " ".join([str(error), *map(str, error.problems)])


def _why(run: Run) -> str:
    name, step = next((name, step) for name, step in run.steps.items() if step.state in ("failed", "stopped"))
    return f"Step '{name}': {step.message or step.state}"
