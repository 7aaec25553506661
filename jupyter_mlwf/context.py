"""What the command line and the SDK work with: settings, workspace, store, engine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.application import JupyterApp
from pydantic import JsonValue
from traitlets import TraitError

from .clock import SystemClock
from .core.errors import BadRequest
from .core.parameters import read_text
from .core.record import RunRecord, record
from .core.release import parse_target
from .core.run import Run
from .core.workflow import Parameter
from .documents import Document, Reader
from .engine.control import Control
from .engine.launch import Launcher, Part
from .engine.ondemand import ensure_worker
from .engine.recovery import forget_the_dead
from .ports import Notebooks, RunStore
from .release.freeze import Releaser
from .settings import MLWF
from .workspace import Workspace

if TYPE_CHECKING:
    from .release.gallery import Gallery


class CommandLine(JupyterApp):
    """Reads settings as JupyterLab does: from `jupyter_server_config.py` and from `--MLWF.name=value`."""

    name = "jupyter-mlwf"
    classes = [MLWF]  # noqa: RUF012  (a traitlets default)

    def _config_file_name_default(self) -> str:
        return "jupyter_server_config"

    def read(self, arguments: Sequence[str]) -> MLWF:
        """The settings, of which those on the command line win.

        Raises:
            BadRequest: there is no such setting, or a value does not fit.
        """
        for argument in arguments:
            name, equals, _ = argument.removeprefix("--MLWF.").partition("=")
            if name not in MLWF.class_trait_names(config=True):
                raise BadRequest(f"There is no setting MLWF.{name}: jupyter mlwf --help-all lists all settings.")
            if not equals:
                raise BadRequest(f"'{argument}' gives no value: write --MLWF.{name}=VALUE.")
        self.parse_command_line(list(arguments))
        given = deepcopy(self.config)
        self.load_config_file()
        self.update_config(given)
        try:
            return MLWF(parent=self)
        except TraitError as error:
            raise BadRequest(f"A setting does not fit: {str(error).rstrip('.')}.") from None


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
        return Control(self.store, self.workspace, self.clock, self.settings.roles)

    @property
    def reader(self) -> Reader:
        """Reads documents."""
        return Reader(self.notebooks, lambda name, version: self.store.get_release(name, version))

    def gallery(self, url: str | None = None) -> Gallery:
        """The gallery at a URL, or the one of the settings.

        Raises:
            BadRequest: there is none, or no such kind of URL.
        """
        from .release.gallery import Gallery  # libraries for it that few commands need

        if not (url := url or self.settings.gallery):
            raise BadRequest(
                "No gallery is named: give its folder or URL, or set MLWF.gallery or the environment variable "
                "MLWF_GALLERY."
            )
        return Gallery(url)

    def document(self, path: Path, text: str | None = None) -> Document:
        """A document on disk, or with the text that it would have there.

        Raises:
            NotFound: there is no such file.
            InvalidWorkflow: it has not even the form of a document.
        """
        return self.reader.read(path.absolute(), text)

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

    def wake_worker(self) -> None:
        """Have a worker execute what nobody does."""
        if forget_the_dead(self.store) or self.store.claimable(self.clock.now()):
            ensure_worker(self.workspace, self.settings)

    def record(self, run: Run) -> RunRecord:
        """The record of a run, with paths as they are from the current folder."""
        shown = record(run)
        for step in shown.steps.values():
            step.artifacts = {
                name: each.model_copy(update={"path": self.path(each.path)}) for name, each in step.artifacts.items()
            }
            step.history = [
                each.model_copy(update={"notebook": each.notebook and self.path(each.notebook)})
                for each in step.history
            ]
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


def answer_values(run: Run, step: str, assignments: Sequence[str]) -> dict[str, JsonValue]:
    """Values of an answer from `name=value`: a parameter's, a field's of a form, or the label of an item."""
    waiting = run.steps[step].waiting if step in run.steps else None
    if waiting and waiting.what == "parameters":
        return values({name: run.workflow.parameters[name] for name in waiting.names}, assignments)
    if waiting and (label := run.definition(step).label) and label.many:
        return {item: _labels(text, label.classes) for item, text in values({}, assignments).items()}
    person = run.definition(step).person if waiting else None
    fields = (person.form or {}).get("properties") if person else None
    texts = {name: "str" for name, field in fields.items() if _is_text(field)} if isinstance(fields, dict) else {}
    kinds = dict.fromkeys(fields, "json") | texts if isinstance(fields, dict) else {}
    return values({name: Parameter.model_validate({"type": kind}) for name, kind in kinds.items()}, assignments)


def _labels(text: JsonValue, classes: Sequence[str]) -> list[JsonValue]:
    """The labels of an item that may have several, which are separated by commas unless a class has one in it."""
    return [text] if text in classes else [each.strip() for each in str(text).split(",") if each.strip()]


def _is_text(field: JsonValue) -> bool:
    return isinstance(field, dict) and field.get("type") == "string"
