"""Makes a queued run of a document or of a release."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from ..core.errors import InvalidParameters, Problem
from ..core.parameters import bind
from ..core.release import parse_target
from ..core.run import Origin, Run
from ..core.secrets import secret_values
from ..core.selection import Selection, given, select
from ..core.workflow import Workflow
from ..documents import Document
from ..ports import Clock, NewRun, RunStore
from ..secrets import require_unwritten
from ..workspace import Workspace
from .kept import storage_of


@dataclass(frozen=True)
class Part:
    """What of a workflow is run, and with what results of earlier runs."""

    scene: str | None = None
    only: tuple[str, ...] = ()
    first: str | None = None
    """This step, and all that follows from it."""
    last: str | None = None
    """This step, and all that it waits for."""
    inputs_from: tuple[str, ...] = ()
    """Runs, by id or number: the first one that has it gives the result of a step that is not run."""
    cache: bool = True
    """Whether results of earlier runs may serve."""


class Launcher:
    """Creates runs; a worker executes them."""

    def __init__(self, store: RunStore, workspace: Workspace, clock: Clock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    def document(self, document: Document, parameters: Mapping[str, JsonValue], part: Part | None = None) -> Run:
        """Queue a run of a document, with its notebooks as they are now.

        Args:
            document: the document.
            parameters: values of its parameters.
            part: which steps are run, and with what results; all of them, if it is not given.

        Raises:
            InvalidWorkflow: the document cannot be run.
            InvalidParameters: the values do not fit.
            NotFound: there is no such scene, step or earlier run.
            BadRequest: the part lacks results of other steps.
        """
        document.require_sound()
        frozen = document.freeze()
        origin = Origin(path=self._workspace.record(document.path), files=frozen.files)
        return self._create(document.workflow, origin, parameters, part or Part(), frozen.blobs)

    def release(self, target: str, parameters: Mapping[str, JsonValue], part: Part | None = None) -> Run:
        """Queue a run of `NAME@VERSION`, or of the highest version of `NAME`; else as `document`.

        Raises:
            NotFound: there is no such release, scene, step or earlier run.
            InvalidParameters: the values do not fit.
            BadRequest: the part lacks results of other steps.
        """
        release = self._store.get_release(*parse_target(target))
        origin = Origin(path=release.path, release=f"{release.name}@{release.version}", files=dict(release.files))
        return self._create(release.workflow, origin, parameters, part or Part(), {})

    def _create(
        self,
        workflow: Workflow,
        origin: Origin,
        parameters: Mapping[str, JsonValue],
        part: Part,
        blobs: dict[str, bytes],
    ) -> Run:
        values = located(self._workspace, workflow, origin, bind(workflow.parameters, parameters))
        origin = origin.model_copy(update={"storage": storage_of(self._workspace, workflow, origin.path)})
        named = {path: blobs[sha256] for path, sha256 in origin.files.items() if sha256 in blobs}
        require_unwritten(secret_values(workflow, values), workflow, named)
        steps = select(workflow, scene=part.scene, only=part.only, first=part.first, last=part.last)
        selection = None
        if steps is not None:
            earlier = [self._store.get_run(each) for each in part.inputs_from]
            selection = Selection(steps, given(workflow, steps, earlier))
        return self._store.create_run(
            NewRun(workflow, origin, values, cache=part.cache, selection=selection, blobs=blobs), self._clock.now()
        )


def located(
    workspace: Workspace, workflow: Workflow, origin: Origin, values: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """Values of parameters with paths absolute: each notebook runs in a folder of its own.

    Raises:
        InvalidParameters: there is nothing at a path.
    """
    folder = workspace.locate(origin.path).parent
    found = dict(values)
    problems = []
    for name, value in values.items():
        if workflow.parameters[name].type == "path" and isinstance(value, str):
            found[name] = os.path.normpath(folder / value)
            if not (folder / value).exists():
                problems.append(
                    Problem(
                        code="no-file",
                        place=f"parameters.{name}",
                        message=f"There is no file or folder {value}.",
                        mend=f"Give a path that exists, absolute or from {folder}.",
                    )
                )
    if problems:
        raise InvalidParameters(problems)
    return found


def working_folder(workspace: Workspace, origin: Origin, notebook: str) -> Path | None:
    """Where the kernel of a notebook starts: the notebook's own folder, as when it is run by hand.

    A released workflow works there too, so that it finds the workspace's data; None if that folder is gone.
    """
    folder = workspace.locate(origin.path).parent / Path(notebook).parent
    return folder.resolve() if folder.is_dir() else None
