"""What the command line and the SDK work with: settings, workspace, store, engine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path

from jupyter_core.application import JupyterApp
from pydantic import JsonValue

from .clock import SystemClock
from .core.errors import BadRequest
from .core.parameters import read_text
from .core.record import RunRecord, record
from .core.release import parse_target
from .core.run import Run
from .core.workflow import Parameter
from .documents import Document, read
from .engine.control import Control
from .engine.launch import Launcher, Part
from .ports import Notebooks, RunStore
from .release.freeze import Releaser
from .settings import MLWF
from .workspace import Workspace


class CommandLine(JupyterApp):
    """Reads settings as JupyterLab does: from `jupyter_server_config.py` and from `--MLWF.name=value`."""

    name = "jupyter-mlwf"
    classes = [MLWF]  # noqa: RUF012  (a traitlets default)

    def _config_file_name_default(self) -> str:
        return "jupyter_server_config"

    def read(self, arguments: Sequence[str]) -> MLWF:
        """The settings, of which those on the command line win."""
        self.parse_command_line(list(arguments))
        given = deepcopy(self.config)
        self.load_config_file()
        self.update_config(given)
        return MLWF(parent=self)


class Context:
    """The engine and its adapters, for the workspace around a folder."""

    def __init__(self, settings: MLWF, workspace: Workspace) -> None:
        self.settings = settings
        self.workspace = workspace
        self.clock = SystemClock()

    @cached_property
    def store(self) -> RunStore:
        """The records; a new workspace gets its folder for them."""
        from .store import open_store

        self.workspace.make()
        return open_store(self.settings.url(self.workspace.records))

    @cached_property
    def notebooks(self) -> Notebooks:
        """Reads notebooks."""
        from .notebooks.inspect import NotebookReader

        return NotebookReader()

    @property
    def launcher(self) -> Launcher:
        """Creates runs."""
        return Launcher(self.store, self.workspace, self.clock)

    @property
    def releaser(self) -> Releaser:
        """Creates releases."""
        return Releaser(self.store, self.workspace, self.clock)

    @property
    def control(self) -> Control:
        """Stops, pauses, changes and retries runs."""
        return Control(self.store, self.workspace, self.clock)

    def document(self, path: Path, text: str | None = None) -> Document:
        """A document on disk, or with the text that it would have there.

        Raises:
            NotFound: there is no such file.
            InvalidWorkflow: it has not even the form of a document.
        """
        return read(path.absolute(), self.notebooks, text)

    def launch(self, target: str, assignments: Sequence[str], part: Part | None = None) -> Run:
        """Queue a run of a document or of a release.

        Args:
            target: path of a `.mlwf` file, or `NAME[@VERSION]`.
            assignments: `name=value`, the values as text.
            part: what of it to run; all, if it is not given.
        """
        if target.endswith(".mlwf") or os.path.sep in target or Path(target).is_file():
            document = self.document(Path(target))
            return self.launcher.document(document, values(document.workflow.parameters, assignments), part)
        release = self.store.get_release(*parse_target(target))
        return self.launcher.release(
            f"{release.name}@{release.version}", values(release.workflow.parameters, assignments), part
        )

    def record(self, run: Run) -> RunRecord:
        """The record of a run, with paths as they are from the current folder."""
        shown = record(run)
        for step in shown.steps.values():
            step.artifacts = {
                name: each.model_copy(update={"path": self.path(each.path)}) for name, each in step.artifacts.items()
            }
            step.history = [each.model_copy(update={"notebook": self.path(each.notebook)}) for each in step.history]
            step.notebook = self.path(step.notebook) if step.notebook else None
        return shown

    def path(self, recorded: str) -> str:
        """A recorded path as it is from the current folder; absolute if it is not below it."""
        absolute, here = self.workspace.locate(recorded), Path.cwd()
        return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def values(parameters: Mapping[str, Parameter], assignments: Sequence[str]) -> dict[str, JsonValue]:
    """Values of parameters from `name=value`, each read as the type of its parameter wants."""
    found: dict[str, JsonValue] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise BadRequest(f"'{assignment}' gives no value: write -p name=value.")
        found[name] = read_text(parameters[name], text) if name in parameters else text
    return found
