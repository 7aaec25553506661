"""Makes the job of a step that starts: its notebook laid out, its folder, its limits."""

from __future__ import annotations

from pathlib import Path

from ..core.actions import Start
from ..core.run import Run
from ..core.secrets import secrets_in, secrets_of
from ..core.units import seconds
from ..files import write_atomically
from ..ports import RunStore, StepJob
from ..workspace import Workspace
from . import kept
from .launch import working_folder
from .shares import Share


class Jobs:
    """Makes jobs. May be used from any thread."""

    def __init__(self, store: RunStore, workspace: Workspace) -> None:
        self._store = store
        self._workspace = workspace

    def make(self, run: Run, start: Start, share: Share) -> StepJob:
        """The job of a step, with its part of the machine."""
        step = run.definition(start.step)
        assert step.notebook
        secret = secrets_in(run.workflow, step.parameters)
        variables = secrets_in(run.workflow, step.environment)
        environment = {name: value for name, value in start.environment.items() if name not in variables}
        found = kept.stored(run, self._workspace, {**start.parameters, **environment}, self._store)
        folder = self._workspace.attempt(run.id, start.step, start.attempt)
        return StepJob(
            run=run.id,
            step=start.step,
            attempt=start.attempt,
            source=self._lay_out(run.origin.files[step.notebook]),
            folder=folder,
            cwd=working_folder(self._workspace, run.origin, step.notebook) or folder,
            parameters={name: value for name, value in start.parameters.items() if name not in secret},
            kernel=step.kernel,
            timeout=seconds(step.timeout) if step.timeout else None,
            memory=share.amount.memory or None,
            environment=environment | ({"CUDA_VISIBLE_DEVICES": ",".join(share.gpus)} if share.gpus else {}),
            checks=step.checks,
            secrets={name: str(value) for name, value in start.parameters.items() if name in secret},
            secret_environment={name: value for name, value in start.environment.items() if name in variables},
            protected=secrets_of(run),
            storage=kept.located(self._workspace, run.origin),
            fetch=tuple(filter(kept.missing, found)),
        )

    def _lay_out(self, sha256: str) -> Path:
        path = self._workspace.source(sha256)
        if not path.exists():
            write_atomically(path, self._store.get_blob(sha256))
        return path
