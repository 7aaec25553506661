"""Documents on disk: read with the notebooks they name, judged as a whole, and frozen."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .core import codec
from .core.check import check
from .core.errors import InvalidWorkflow, MLWFError, NotFound, Problem
from .core.interface import NotebookInterface, interface_of
from .core.release import Release, parse_target
from .core.workflow import Workflow
from .ports import BadNotebook, Notebooks
from .storage import unusable


@dataclass(frozen=True)
class Frozen:
    """Notebooks as they are at one moment, named by content; outputs are left behind."""

    files: dict[str, str]
    """By the path that the document gives: the SHA-256 of the frozen notebook."""
    blobs: dict[str, bytes]
    """The frozen notebooks by SHA-256."""

    def named(self) -> dict[str, bytes]:
        """The frozen notebooks by path."""
        return {path: self.blobs[sha256] for path, sha256 in self.files.items()}


@dataclass(frozen=True)
class Document:
    """A workflow with what was found in and around it."""

    path: Path
    workflow: Workflow
    notebooks: Mapping[str, NotebookInterface]
    """By the path that the document gives; those that cannot be read are missing."""
    problems: list[Problem]
    parts: Mapping[str, Document] = field(default_factory=dict)
    """Documents that steps run, by the path that this one gives."""

    def require_sound(self) -> None:
        """Refuse a document that cannot be run.

        Raises:
            InvalidWorkflow: with all problems.
        """
        problems = self.problems
        if not self.workflow.steps:
            problems = [
                *problems,
                Problem(
                    code="no-steps",
                    place="steps",
                    message="The workflow has no steps.",
                    mend="Add a notebook to it.",
                ),
            ]
        if problems:
            raise InvalidWorkflow(problems)

    def freeze(self) -> Frozen:
        """What the steps of a sound document execute, as it is now: notebooks, and other documents with theirs."""
        files: dict[str, str] = {}
        blobs: dict[str, bytes] = {}
        for path in dict.fromkeys(step.notebook for step in self.workflow.steps.values() if step.notebook):
            content = _without_outputs((self.path.parent / path).read_bytes())
            files[path] = hashlib.sha256(content).hexdigest()
            blobs[files[path]] = content
        for path, part in self.parts.items():
            content = codec.dumps(part.workflow).encode()
            files[path] = hashlib.sha256(content).hexdigest()
            frozen = part.freeze()
            blobs |= {files[path]: content, **frozen.blobs}
            folder = posixpath.dirname(path)
            files |= {posixpath.normpath(posixpath.join(folder, inner)): sha for inner, sha in frozen.files.items()}
        return Frozen(files, blobs)


@dataclass(frozen=True)
class Reader:
    """Reads documents and judges them.

    Args:
        notebooks: reads the notebooks they name.
        release: gives a released version by name and version, for steps that run one.
        within: the folder that paths may not lead out of, if there is one.
    """

    notebooks: Notebooks
    release: Callable[[str, str | None], Release]
    within: Path | None = None

    def read(self, path: Path, text: str | None = None) -> Document:
        """Read a document, and all that it names.

        Args:
            path: the file; its folder is what paths in the document are relative to.
            text: the text of the document, if it is not what is on disk.

        Raises:
            NotFound: there is no such file.
            InvalidWorkflow: it has not even the form of a document.
        """
        return self._read(path, text, ())

    def _read(self, path: Path, text: str | None, above: tuple[Path, ...]) -> Document:
        workflow = codec.loads(_content(path) if text is None else text)
        found: dict[str, NotebookInterface | Problem] = {}
        parts: dict[str, Document] = {}
        above = (*above, path.resolve())
        for step in workflow.steps.values():
            name = step.path
            if name is None or name in found:
                continue
            if self.within and "@" not in name and not (path.parent / name).resolve().is_relative_to(self.within):
                found[name] = Problem(
                    code="outside-workspace",
                    place="",
                    message=f"The {step.kind} {name} is outside of the workspace.",
                    mend="Move it into the folder that JupyterLab serves.",
                )
            elif step.notebook:
                found[name] = self._inspect(path.parent / name)
            else:
                part = self._part(path.parent, name, above)
                if isinstance(part, Document):
                    parts[name] = part
                found[name] = interface_of(part.workflow) if isinstance(part, Document | Release) else part
        interfaces = {name: each for name, each in found.items() if isinstance(each, NotebookInterface)}
        problems = check(workflow, found)
        if not any(problem.place == "storage" for problem in problems):
            problems += unusable(workflow.storage)
        return Document(path, workflow, interfaces, problems, parts)

    def _inspect(self, notebook: Path) -> NotebookInterface | Problem:
        try:
            return self.notebooks.inspect(notebook)
        except BadNotebook as error:
            return error.problems[0]

    def _part(self, folder: Path, name: str, above: tuple[Path, ...]) -> Document | Release | Problem:
        """What a step runs: a document or a release."""
        try:
            if not name.endswith(".mlwf"):
                return self.release(*parse_target(name))
            path = folder / name
            if path.resolve() in above:
                circle = " → ".join(each.name for each in (*above[above.index(path.resolve()) :], path))
                return Problem(
                    code="recursion",
                    place="",
                    message=f"The workflow runs itself: {circle}.",
                    mend="Name another workflow, or take the step out.",
                )
            part = self._read(path, None, above)
            part.require_sound()
        except InvalidWorkflow as error:
            first = error.problems[0]
            where = f"In {name}, {first.place}" if first.place else f"In {name}"
            return first.model_copy(update={"message": f"{where}: {first.message}"})
        except MLWFError as error:
            return Problem(code=error.code, place="", message=str(error), mend="Name another one.")
        return part


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no workflow file {path.name} in {path.parent}.") from None
    except OSError as error:
        raise NotFound(f"The workflow file {path.name} cannot be read: {error.strerror}.") from None


def _without_outputs(content: bytes) -> bytes:
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode(
        errors="backslashreplace"  # a lone surrogate, as JSON writes it
    )
