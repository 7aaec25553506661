"""A worker with real kernels that executes whatever the tests of a module launch, and the documents that they write."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from pydantic import JsonValue

from jupyter_mlwf.clock import SystemClock
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.run import Run
from jupyter_mlwf.documents import Reader
from jupyter_mlwf.engine.control import Control
from jupyter_mlwf.engine.launch import Launcher, Part
from jupyter_mlwf.engine.recovery import own_name
from jupyter_mlwf.engine.worker import Worker
from jupyter_mlwf.notebooks.inspect import NotebookReader
from jupyter_mlwf.runner.backends.local import LocalRunner
from jupyter_mlwf.store import SqlRunStore, open_store
from jupyter_mlwf.workspace import Workspace

PATIENCE = 90.0
MLWF = "import jupyter_mlwf as mlwf"
#: Waits until a file that the test names is there. The name is put together, so that the file is no input of the step.
WAIT = """
import pathlib, time
def wait_for(name):
    while not pathlib.Path(name + ".txt").exists():
        time.sleep(0.01)
"""
GIB = 2**30


class Serving:
    """A worker that serves in a thread of its own."""

    def __init__(self, store: SqlRunStore, workspace: Workspace, machine: Amount, name: str) -> None:
        self._store = store
        self._workspace = workspace
        self._machine = machine
        self._name = name
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def close(self) -> None:
        """End it, as SIGTERM does; an error of it is one of the test."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._failed:
            raise self._failed

    def _serve(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._failed = error
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        worker = Worker(
            self._store, LocalRunner(), self._workspace, SystemClock(), name=self._name, machine=self._machine
        )
        self._task = asyncio.ensure_future(worker.serve())
        self._ready.set()
        await self._task


class Workbench:
    """A workspace with its store, and the worker of it."""

    def __init__(self, root: Path, url: str, machine: Amount = Amount(4, 24 * GIB, 2)) -> None:  # noqa: B008  (it is frozen)
        self.workspace = Workspace(root)
        self.workspace.make()
        self.url = url
        self.store = open_store(url)
        self.control = Control(self.store, self.workspace, SystemClock(), roles={})
        self.machine = machine
        self._serving: Serving | None = None
        self._count = 0

    def serve(self, name: str | None = None) -> Serving:
        """Start a worker; the workbench ends the one without a name."""
        serving = Serving(self.store, self.workspace, self.machine, name or own_name())
        if name is None:
            self._serving = serving
        return serving

    def close(self) -> None:
        if self._serving:
            self._serving.close()
        self.store.close()

    def flow(self) -> Flow:
        """A document in a folder of its own."""
        self._count += 1
        return Flow(self, self.workspace.root / f"flow{self._count}")

    def now(self, run: Run) -> Run:
        """The run as it is now."""
        return self.store.get_run(run.id)

    def wait(self, run: Run, until: Callable[[Run], object] = lambda run: run.ended) -> Run:
        """The run once something is true of it."""
        deadline = time.monotonic() + PATIENCE
        while not until(found := self.now(run)):
            steps = {name: (step.state, step.message) for name, step in found.steps.items()}
            assert time.monotonic() < deadline, f"run {found.number} is {found.state} still: {steps}"
            time.sleep(0.02)
        return found


class Flow:
    """A document, its notebooks and its files."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder
        folder.mkdir()

    def notebook(self, name: str, *cells: str, inputs: str = "", title: str = "") -> None:
        """A notebook: its parameters cell, more code cells, and a text.

        Its code is no other test's: results serve whatever document they come from.
        """
        nb = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
        nb.cells = [nbformat.v4.new_code_cell(source) for source in (inputs, f"{MLWF}  # {self.folder.name}", *cells)]
        nb.cells[0].metadata.tags = ["parameters"]
        nb.cells.append(nbformat.v4.new_markdown_cell(title))
        nbformat.write(nb, self.folder / f"{name}.ipynb")

    def write(self, steps: dict[str, Any], **more: Any) -> None:
        """The document. A step without a notebook has the one of its name."""
        whole = {name: {"notebook": f"{name}.ipynb", **step} for name, step in steps.items()}
        document = {"mlwf": 1, "name": self.folder.name, "steps": whole, **more}
        (self.folder / "flow.mlwf").write_text(json.dumps(document))

    def launch(self, cache: bool = True, **parameters: JsonValue) -> Run:
        """A queued run."""
        document = Reader(NotebookReader(), self.bench.store.get_release).read(self.folder / "flow.mlwf")
        launcher = Launcher(self.bench.store, self.bench.workspace, SystemClock())
        return launcher.document(document, parameters, Part(cache=cache))

    def run(self, cache: bool = True, **parameters: JsonValue) -> Run:
        """A run that has ended."""
        return self.bench.wait(self.launch(cache, **parameters))

    def release(self, name: str) -> None:
        """Let what waits for it go on."""
        (self.folder / f"{name}.txt").write_text("")


def states(run: Run) -> dict[str, str]:
    """The states of its steps."""
    return {name: step.state for name, step in run.steps.items()}
