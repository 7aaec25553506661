"""Releases a document: the workflow and its notebooks, as they are now, under a version."""

from __future__ import annotations

from ..core.errors import InvalidWorkflow, Problem
from ..core.release import Release, ReleaseSummary, digest, next_version
from ..core.secrets import secret_values
from ..documents import Document, Frozen
from ..ports import Clock, RunStore
from ..secrets import require_unwritten
from ..workspace import Workspace


class Releaser:
    """Makes releases of documents."""

    def __init__(self, store: RunStore, workspace: Workspace, clock: Clock) -> None:
        self._store = store
        self._workspace = workspace
        self._clock = clock

    def release(self, document: Document, *, version: str | None, notes: str, author: str) -> Release:
        """Keep a document with its notebooks for ever.

        Args:
            document: what is released.
            version: of the release; the proposed one if None.
            notes: what changed, in Markdown.
            author: who releases it.

        Raises:
            InvalidWorkflow: the document cannot be run, or the value of a secret is written in it or in a notebook.
            Conflict: that version exists already.
        """
        document.require_sound()
        frozen = document.freeze()
        workflow = document.workflow
        _require_unwritten(document, frozen)
        release = Release(
            name=workflow.name,
            version=version or self.proposed_version(workflow.name),
            title=workflow.title,
            notes=notes,
            created=self._clock.now(),
            author=author,
            digest=digest(workflow, frozen.files),
            path=self._workspace.record(document.path),
            workflow=workflow,
            files=frozen.files,
        )
        self._store.add_release(release, frozen.blobs)
        return release

    def released(self, document: Document, version: str | None = None) -> ReleaseSummary | None:
        """The highest version, or the one that is named, in which a document and its notebooks are what they are now.

        Raises:
            InvalidWorkflow: the document cannot be run.
        """
        document.require_sound()
        same = digest(document.workflow, document.freeze().files)
        for release in self._store.list_releases(document.workflow.name):
            if release.digest == same and version in (None, release.version):
                return release
        return None

    def proposed_version(self, name: str) -> str:
        """The version to propose for the next release of a workflow."""
        return next_version(release.version for release in self._store.list_releases(name))

    def latest_version(self, name: str) -> str | None:
        """The highest version of a workflow; None if it was never released."""
        releases = self._store.list_releases(name)
        return releases[0].version if releases else None

    def changed(self, document: Document) -> bool:
        """Whether a document or its notebooks differ from its highest version; True if it was never released."""
        releases = self._store.list_releases(document.workflow.name)
        if not releases or problems_of(document):
            return True
        return releases[0].digest != digest(document.workflow, document.freeze().files)


def problems_of(document: Document) -> list[Problem]:
    """What keeps a document from being released."""
    try:
        document.require_sound()
        _require_unwritten(document, document.freeze())
    except InvalidWorkflow as error:
        return list(error.problems)
    return []


def _require_unwritten(document: Document, frozen: Frozen) -> None:
    """Refuse a document that holds the value of a secret; only of those that have a default it is known which."""
    defaults = {name: each.default for name, each in document.workflow.parameters.items()}
    require_unwritten(secret_values(document.workflow, defaults), document.workflow, frozen.named())
