"""What the handlers work with. Made once, by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from ..documents import Document, Reader
from ..engine.control import Control
from ..engine.launch import Launcher
from ..engine.ondemand import ensure_worker
from ..engine.results import Environment
from ..engine.staleness import Staleness
from ..ports import Clock, Notebooks, RunStore
from ..release.freeze import Releaser
from ..settings import MLWF
from ..workspace import Workspace


@dataclass(frozen=True)
class Services:
    """The engine and its adapters, for one workspace."""

    settings: MLWF
    workspace: Workspace
    store: RunStore
    notebooks: Notebooks
    clock: Clock
    environment: Environment

    @property
    def staleness(self) -> Staleness:
        """Tells which steps would be executed."""
        return Staleness(self.store, self.environment, self.workspace, self.clock)

    @property
    def launcher(self) -> Launcher:
        """Creates runs."""
        return Launcher(self.store, self.workspace, self.clock)

    @property
    def control(self) -> Control:
        """Stops, pauses, changes and retries runs."""
        return Control(self.store, self.workspace, self.clock, self.settings.roles)

    @property
    def releaser(self) -> Releaser:
        """Creates releases."""
        return Releaser(self.store, self.workspace, self.clock)

    def document(self, path: str, text: str | None = None) -> Document:
        """A document of the workspace, by the path that a client gave.

        Raises:
            BadRequest: the path leads out of the workspace.
            NotFound: there is no such file.
            InvalidWorkflow: it has not even the form of a document.
        """
        reader = Reader(self.notebooks, self.store.get_release, self.workspace.root)
        return reader.read(self.workspace.inside(path), text)

    def wake_worker(self) -> None:
        """See to it that somebody executes what is queued."""
        if self.store.claimable(self.clock.now()):
            ensure_worker(self.workspace, self.settings)
