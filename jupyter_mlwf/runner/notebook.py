"""The notebook of a job: read once, and kept on disk as far as it has been executed."""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from nbformat import NotebookNode

from ..core.redaction import Redactor
from ..files import write_atomically
from ..ports import BadNotebook

#: Between two saves while a notebook runs, in seconds; and no more than this part of its time goes into saving.
_SAVE_SECONDS = 1.0
_SAVE_SHARE = 0.05


def read_source(path: Path) -> NotebookNode:
    """Read a notebook of any format, without the outputs of its author's own run.

    Raises:
        BadNotebook: it is missing, or not a notebook.
    """
    try:
        nb: NotebookNode = nbformat.read(path, as_version=4)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs = []
                cell.execution_count = None
        nbformat.validate(nb, relax_add_props=True)
    except OSError as error:
        raise BadNotebook(f"The notebook cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # nbformat stumbles in many ways over what is not a notebook
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise BadNotebook(f"The file is not a notebook: {reason}. Open it in JupyterLab and mend it there.") from None
    return nb


def name_kernel(nb: NotebookNode, name: str, spec: KernelSpec) -> None:
    """Say in the notebook which kernel executes it."""
    nb.metadata.kernelspec = NotebookNode(name=name, display_name=spec.display_name, language=spec.language)


class KeptNotebook:
    """A notebook and its file. The file is whole at any moment."""

    def __init__(self, nb: NotebookNode, path: Path, redactor: Redactor) -> None:
        self.nb = nb
        self._path = path
        self._redactor = redactor
        self._next_save = 0.0

    def save(self) -> None:
        """Write the file."""
        began = time.monotonic()
        nb = nbformat.from_dict(self._redactor.json(self.nb)) if self._redactor else self.nb
        write_atomically(self._path, nbformat.v4.writes(nb).encode("utf-8", "replace"))
        ended = time.monotonic()
        self._next_save = ended + max(_SAVE_SECONDS, (ended - began) / _SAVE_SHARE)

    def save_if_due(self) -> None:
        """Write the file, unless that was done a moment ago."""
        if time.monotonic() >= self._next_save:
            self.save()
