"""Makes a queued run of a document or of a release."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from ..core.parameters import bind
from ..core.release import parse_target
from ..core.run import Origin, Run
from ..documents import Document
from ..ports import Clock, NewRun, RunStore
from ..workspace import Workspace


class Launcher:
    """Creates runs; a worker executes them."""

    def __init__(self, store: RunStore, workspace: Workspace, clock: Clock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    def document(self, document: Document, parameters: Mapping[str, JsonValue], cache: bool = True) -> Run:
        """Queue a run of a document, with its notebooks as they are now.

        Args:
            document: the document.
            parameters: values of its parameters.
            cache: whether results of earlier runs may serve.

        Raises:
            InvalidWorkflow: the document cannot be run.
            InvalidParameters: the values do not fit.
        """
        document.require_sound()
        values = bind(document.workflow.parameters, parameters)
        frozen = document.freeze()
        origin = Origin(path=self._workspace.record(document.path), files=frozen.files)
        return self._create(NewRun(document.workflow, origin, values, cache, frozen.blobs))

    def release(self, target: str, parameters: Mapping[str, JsonValue], cache: bool = True) -> Run:
        """Queue a run of `NAME@VERSION`, or of the highest version of `NAME`; else as `document`.

        Raises:
            NotFound: there is no such release.
            InvalidParameters: the values do not fit.
        """
        release = self._store.get_release(*parse_target(target))
        values = bind(release.workflow.parameters, parameters)
        origin = Origin(path=release.path, release=f"{release.name}@{release.version}", files=dict(release.files))
        return self._create(NewRun(release.workflow, origin, values, cache))

    def _create(self, new: NewRun) -> Run:
        return self._store.create_run(new, self._clock.now())


def working_folder(workspace: Workspace, origin: Origin, notebook: str) -> Path | None:
    """Where the kernel of a notebook starts: the notebook's own folder, as when it is run by hand.

    A released workflow works there too, so that it finds the workspace's data; None if that folder is gone.
    """
    folder = workspace.locate(origin.path).parent / Path(notebook).parent
    return folder.resolve() if folder.is_dir() else None
