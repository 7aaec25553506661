"""A workflow as a program builds and runs it."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from ..core import codec
from ..core import workflow as model
from ..core.errors import Problem
from ..core.release import Release, parse_target, version_key
from ..core.run import Run
from ..documents import Document
from ..engine.launch import Part
from ..files import write_atomically
from ..widgets.show import bundle, graph
from .debug import Debug
from .errors import Refused, in_words
from .places import context_of
from .publication import Publication
from .run import RunHandle, id_of
from .steps import Steps
from .values import Step, Value, plain

if TYPE_CHECKING:
    from ..widgets.form import Form
    from ..widgets.graph import Graph


class Workflow(Steps):
    """A DAG of notebooks with its parameters: what a `.mlwf` file holds.

    What a keyword is not given for is not written into the document either. Whatever can be judged without the
    notebooks is judged in the line that says it; the rest by `validate`, and before a run.

    Args:
        name: up to 64 letters, digits, `-` and `_`, a letter first.
        title: shown instead of the name.
        max_parallel: how many steps of a run may run at once, if the machine allows more.
        storage: where artifacts of runs are kept: a folder, relative to the document, or a URL.
        sections: parts of the document that are written even while they are empty.
    """

    #: Its graph in the notebook that was shown last.
    _shown: Graph | None = None

    @classmethod
    def load(cls, path: str | os.PathLike[str], /) -> Workflow:
        """The workflow of a `.mlwf` file.

        Raises:
            NotFound: there is no such file.
            Refused: it has not the form of a document.
        """
        with in_words():
            document = context_of(Path(path)).document(Path(path))
        return cls._of(document.workflow, document.path)

    @classmethod
    def from_document(cls, data: Mapping[str, JsonValue], /) -> Workflow:
        """The workflow of a document that is given as JSON data.

        Raises:
            Refused: it has not the form of a document.
        """
        with in_words():
            return cls._of(codec.from_json(dict(data)), None)

    @classmethod
    def _of(cls, document: model.Workflow, path: Path | None) -> Workflow:
        made = cls(document.name)
        made._document, made._path = document, path
        return made

    def save(self, path: str | os.PathLike[str] | None = None, /) -> Path:
        """Write the document to a file, `self.path` if none is given. The file is there whole or not at all.

        Raises:
            Refused: the file cannot be written.
        """
        target = Path(path).absolute() if path is not None else self.path
        try:
            write_atomically(target, codec.dumps(self._document).encode())
        except OSError as error:
            raise Refused(f"{target} cannot be written: {error.strerror}.") from None
        self._path = target
        return target

    def validate(self) -> list[Problem]:
        """All that is wrong with the workflow and its notebooks, each with how to mend it."""
        return self._judged().problems

    def run(
        self,
        *,
        scene: str | None = None,
        only: Iterable[Step | str] = (),
        first: Step | str | None = None,
        last: Step | str | None = None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str] = (),
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """Start a run of the workflow as it is now, and of its notebooks as they are now on disk.

        A worker in the background executes it: the call returns at once, and the run goes on when the program ends.
        Nothing is saved: the run keeps the workflow, so the file can stay as somebody arranged it.

        Args:
            scene: run the steps of this scene.
            only: run these steps.
            first: run this step and all that follows from it.
            last: run this step and all that it waits for.
            inputs_from: runs that give the results of steps that are not run.
            cache: whether results of earlier runs may serve.
            parameters: values of parameters whose names are keywords of this method, or no Python names.
            more_parameters: values of the workflow's parameters.

        Raises:
            Refused: the workflow cannot be run, or values do not fit; nothing was started.
            NotFound: there is no such scene or step.
        """
        part = self._part(scene, only, first, last, inputs_from, cache)
        with in_words():
            context = context_of(self.path)
            values = _values(parameters, more_parameters)
            return self._started(context.launcher.document(self._judged(), values, part))

    async def arun(
        self,
        *,
        scene: str | None = None,
        only: Iterable[Step | str] = (),
        first: Step | str | None = None,
        last: Step | str | None = None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str] = (),
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """As `run`, without holding up the event loop; `await` the handle to wait for the end of the run."""
        return await asyncio.to_thread(
            self.run,
            scene=scene,
            only=only,
            first=first,
            last=last,
            inputs_from=inputs_from,
            cache=cache,
            parameters={**(parameters or {}), **more_parameters},
        )

    def form(self) -> Form:
        """A form for the parameters, with a button that starts a run and the graph that follows it: for notebooks.

        Raises:
            Refused: the libraries for it are missing.
        """
        try:
            from ..widgets.form import Form
        except ImportError as error:
            raise Refused(
                f"There are no forms without {error.name}: install it with pip install {error.name}."
            ) from None

        def start(values: dict[str, JsonValue], graph: Graph) -> None:
            self.run(parameters=values).show(graph)

        return Form(self._document, start)

    def get_run(self, run: int | str, /) -> RunHandle:
        """An earlier run of the workspace, by its number or id: after a restart, for example.

        Raises:
            NotFound: there is none.
        """
        context = context_of(self.path)
        return RunHandle(context, context.store.get_run(str(run)))

    def debug(
        self, *, cache: bool = True, parameters: Mapping[str, Value] | None = None, **more_parameters: Value
    ) -> Debug:
        """Run the workflow step by step, with values and notebooks changed in between.

        Args:
            cache: whether results of earlier runs may serve.
            parameters: as in `run`.
            more_parameters: as in `run`.
        """
        return Debug(self._document, self.path, _values(parameters, more_parameters), cache)

    def release(self, version: str | None = None, *, notes: str = "") -> Release:
        """Freeze the workflow and its notebooks as a version that never changes.

        Args:
            version: three numbers, such as `1.0.0`; the next minor version if not given.
            notes: what changed, in Markdown.

        Raises:
            Refused: the workflow cannot be run, so it cannot be released.
            BadRequest: the version is not one.
            Conflict: that version exists already.
        """
        if version is not None:
            parse_target(f"{self.name}@{version}")
        with in_words():
            return context_of(self.path).releaser.release(
                self._judged(), version=version, notes=notes, author=getpass.getuser()
            )

    def release_and_run(
        self,
        version: str | None = None,
        *,
        notes: str = "",
        cache: bool = True,
        parameters: Mapping[str, Value] | None = None,
        **more_parameters: Value,
    ) -> RunHandle:
        """Release the workflow, and start a run of the release; arguments as of `release` and `run`."""
        values = _values(parameters, more_parameters)
        made = self.release(version, notes=notes)
        with in_words():
            context = context_of(self.path)
            run = context.launcher.release(f"{made.name}@{made.version}", values, Part(cache=cache))
            return self._started(run)

    def publish(
        self, to: str | None = None, version: str | None = None, *, description: str = "", licence: str | None = None
    ) -> Publication:
        """Put the workflow, as it is now, into a gallery; it is released first unless the same content is already.

        Args:
            to: folder or URL of the gallery; that of the settings (`MLWF_GALLERY`) if not given.
            version: as of `release`.
            description: what it is for, in Markdown.
            licence: under which it is given on, such as `BSD-3-Clause`.

        Raises:
            Refused: the workflow cannot be run, so it cannot be released.
            BadRequest: the version is not one, or the gallery cannot be written.
            Conflict: that version has other content, in the workspace or in the gallery.
        """
        with in_words():
            context = context_of(self.path)
            gallery = context.gallery(to)
            if version is not None:
                version_key(version)
            same = context.releaser.released(self._judged(), version)
            release = context.store.get_release(self.name, same.version) if same else self.release(version)
            done = gallery.publish(context.store, release, context.clock, description=description, licence=licence)
        return Publication(done, release.workflow)

    def __repr__(self) -> str:
        return f"<workflow {self.name}: {', '.join(self._document.steps) or 'no steps'}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        self._shown = graph(self._document)
        return bundle(repr(self), self._document, None, self._shown)

    def _started(self, run: Run) -> RunHandle:
        """The handle of a queued run, which the graph in the notebook follows from now on."""
        handle = RunHandle.started(context_of(self.path), run)
        if self._shown is not None:
            handle.show(self._shown)
        return handle

    def _judged(self) -> Document:
        with in_words():
            return context_of(self.path).document(self.path, codec.dumps(self._document))

    def _part(
        self,
        scene: str | None,
        only: Iterable[Step | str],
        first: Step | str | None,
        last: Step | str | None,
        inputs_from: RunHandle | int | str | Iterable[RunHandle | int | str],
        cache: bool,
    ) -> Part:
        chosen = [only] if isinstance(only, Step | str) else only
        earlier = [inputs_from] if isinstance(inputs_from, RunHandle | int | str) else inputs_from
        return Part(
            scene=scene,
            only=tuple(self._named("only", each) for each in chosen),
            first=None if first is None else self._named("first", first),
            last=None if last is None else self._named("last", last),
            inputs_from=tuple(map(id_of, earlier)),
            cache=cache,
        )


def _values(parameters: Mapping[str, Value] | None, more: Mapping[str, Value]) -> dict[str, JsonValue]:
    given = {**(parameters or {}), **more}
    return {name: plain(value, f"The parameter '{name}'") for name, value in given.items()}
