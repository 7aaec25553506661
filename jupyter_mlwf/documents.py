"""Documents on disk: read with the notebooks they name, judged as a whole, and frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .core import codec
from .core.check import check
from .core.errors import InvalidWorkflow, NotFound, Problem
from .core.interface import NotebookInterface
from .core.workflow import Workflow
from .ports import BadNotebook, Notebooks


@dataclass(frozen=True)
class Frozen:
    """Notebooks as they are at one moment, named by content; outputs are left behind."""

    files: dict[str, str]
    """By the path that the document gives: the SHA-256 of the frozen notebook."""
    blobs: dict[str, bytes]
    """The frozen notebooks by SHA-256."""


@dataclass(frozen=True)
class Document:
    """A workflow with what was found in and around it."""

    path: Path
    workflow: Workflow
    notebooks: Mapping[str, NotebookInterface]
    """By the path that the document gives; those that cannot be read are missing."""
    problems: list[Problem]

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
        """The notebooks of a sound document as they are now."""
        files: dict[str, str] = {}
        blobs: dict[str, bytes] = {}
        for path in dict.fromkeys(step.notebook for step in self.workflow.steps.values()):
            content = _without_outputs((self.path.parent / path).read_bytes())
            sha256 = hashlib.sha256(content).hexdigest()
            files[path], blobs[sha256] = sha256, content
        return Frozen(files, blobs)


def read(path: Path, notebooks: Notebooks, text: str | None = None, within: Path | None = None) -> Document:
    """Read a document and judge it.

    Args:
        path: the file; its folder is what paths in the document are relative to.
        notebooks: reads the notebooks it names.
        text: the text of the document, if it is not what is on disk.
        within: the folder that notebooks may not lead out of, if there is one.

    Raises:
        NotFound: there is no such file.
        InvalidWorkflow: it has not even the form of a document.
    """
    if text is None:
        try:
            content: str | bytes = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no workflow file {path.name} in {path.parent}.") from None
        except OSError as error:
            raise NotFound(f"The workflow file {path.name} cannot be read: {error.strerror}.") from None
    else:
        content = text
    workflow = codec.loads(content)
    found: dict[str, NotebookInterface | Problem] = {}
    for name in dict.fromkeys(step.notebook for step in workflow.steps.values()):
        if within and not (path.parent / name).resolve().is_relative_to(within):
            found[name] = Problem(
                code="outside-workspace",
                place="",
                message=f"The notebook {name} is outside of the workspace.",
                mend="Move it into the folder that JupyterLab serves.",
            )
            continue
        try:
            found[name] = notebooks.inspect(path.parent / name)
        except BadNotebook as error:
            found[name] = error.problems[0]
    return Document(
        path,
        workflow,
        {name: each for name, each in found.items() if isinstance(each, NotebookInterface)},
        check(workflow, found),
    )


def _without_outputs(content: bytes) -> bytes:
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode(
        errors="backslashreplace"  # a lone surrogate, as JSON writes it
    )
