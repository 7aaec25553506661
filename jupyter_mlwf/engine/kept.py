"""Artifacts in storages: where a run has them kept, and what of them is on this disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from ..core.cache import digest, texts
from ..core.errors import BadRequest, NotFound
from ..core.run import Artifact, Origin, Run
from ..core.storage import protocol_of, resolved
from ..core.workflow import Workflow
from ..ports import RunStore
from ..storage import Kept, replace
from ..workspace import Workspace
from .contents import known_content


def storage_of(workspace: Workspace, workflow: Workflow, document: str) -> str | None:
    """Where a run of a workflow has its artifacts kept, as it is recorded. A folder is made.

    Args:
        workspace: the workspace.
        workflow: the workflow.
        document: its recorded path.

    Raises:
        BadRequest: the folder cannot be made.
    """
    if workflow.storage is None:
        return None
    place = resolved(workflow.storage, workspace.locate(document).parent)
    if protocol_of(place):
        return place
    try:
        Path(place).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"The storage {place} cannot be made: {error.strerror}. Give another folder.") from None
    return workspace.record(Path(place))


def located(workspace: Workspace, origin: Origin) -> str | None:
    """The storage of a run as an absolute path, or a URL."""
    if origin.storage is None or protocol_of(origin.storage):
        return origin.storage
    return str(workspace.locate(origin.storage))


def stored(run: Run, workspace: Workspace, values: Mapping[str, JsonValue], store: RunStore) -> Iterator[Kept]:
    """Artifacts that are kept away from this disk, and whose paths are among some values that a step of a run gets.

    Runs that it is a part of, and those that are parts of it, may have written them.
    """
    taken = set(filter(workspace.is_fetched, texts(dict(values))))
    runs, seen = [run], {run.id}
    while taken and runs:
        each = runs.pop()
        for artifact in (artifact for step in each.steps.values() for artifact in step.artifacts.values()):
            if artifact.url and str((kept := as_kept(workspace, artifact)).path) in taken:
                taken.discard(str(kept.path))
                yield kept
        near = {step.child for step in each.steps.values() if step.child}
        if each.parent:
            near.add(each.parent.run)
        for other in near - seen:
            seen.add(other)
            with suppress(NotFound):  # it was deleted
                runs.append(store.get_run(other))


def as_kept(workspace: Workspace, artifact: Artifact) -> Kept:
    """An artifact that has a URL, and where it is when it is needed."""
    assert artifact.url
    return Kept(artifact.url, workspace.locate(artifact.path), artifact.bytes, artifact.sha256)


def missing(kept: Kept) -> bool:
    """Whether an artifact has to be fetched, because it is not on this disk, or not as it was written."""
    found = known_content(kept.path)
    return found is None or (kept.sha256 is not None and found != kept.sha256)


def put_aside(workspace: Workspace, path: Path, url: str, sha256: str | None) -> Path:
    """Where an artifact that has been put into a storage is found from now on: no longer among the records."""
    target = workspace.fetched(sha256 or digest(url), path.name)
    if known_content(target) != sha256 or sha256 is None:
        replace(path, target)
    return target
