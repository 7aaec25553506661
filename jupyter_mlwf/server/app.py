"""The server extension: the composition root that joins the handlers, the engine and the adapters."""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp

from ..clock import SystemClock
from ..settings import MLWF
from ..workspace import Workspace
from .handlers import routes
from .services import Services

#: How often the server looks for runs that nobody executes: a worker may have been killed.
WATCH_SECONDS = 5.0


class MLWFExtension(ExtensionApp):
    """jupyter_mlwf in Jupyter Server. No run lives in here: workers are processes of their own."""

    name = "jupyter_mlwf"
    classes = [MLWF]  # noqa: RUF012  (a traitlets default)
    load_other_extensions = True
    _watch: asyncio.Task[None] | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The workspace: the folder that the server serves."""
        server = self.serverapp
        assert isinstance(server, ServerApp)
        return Workspace(Path(server.root_dir))

    @cached_property
    def services(self) -> Services:
        """Made at first use: opening a database has no place in the start of JupyterLab."""
        from ..notebooks.inspect import NotebookReader
        from ..runner.environment import environment
        from ..store import open_store

        settings = MLWF(parent=self)
        self.workspace.make()
        store = open_store(settings.url(self.workspace.records))
        return Services(settings, self.workspace, store, NotebookReader(), SystemClock(), environment)

    def initialize_handlers(self) -> None:
        """Append the routes of the contract."""
        self.handlers.extend(routes(lambda: self.services))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        self._watch = asyncio.create_task(self._keep_runs_going())

    async def _keep_runs_going(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if "services" in self.__dict__ or self.workspace.records.is_dir():
                try:
                    await asyncio.to_thread(self.services.wake_worker)
                except Exception:
                    self.log.exception("jupyter_mlwf cannot look for runs that nobody executes")

    async def stop_extension(self) -> None:
        """Close the store. Workers and their runs go on."""
        if self._watch:
            self._watch.cancel()
        if "services" in self.__dict__:
            self.services.store.close()
