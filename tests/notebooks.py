"""Notebooks and workflows that tests write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from jupyter_mlwf.core.errors import NotFound
from jupyter_mlwf.core.release import Release
from jupyter_mlwf.documents import Document, Reader
from jupyter_mlwf.notebooks.inspect import NotebookReader

MLWF = "import jupyter_mlwf as mlwf"


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells, the first of which is the parameters cell."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook.cells[0].metadata.tags = ["parameters"]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_workflow(path: Path, steps: dict[str, Any], **more: Any) -> Path:
    """A document."""
    path.write_text(json.dumps({"mlwf": 1, "name": path.stem, **more, "steps": steps}))
    return path


def write_pair(folder: Path) -> Path:
    """A workflow of two notebooks, `first` and `second`, with a parameter `rate`."""
    write_notebook(folder / "first.ipynb", "rate = 0.1", f"{MLWF}\nmlwf.output('doubled', rate * 2)")
    write_notebook(
        folder / "second.ipynb",
        "value = 0.0",
        f"{MLWF}\nmlwf.metric('value', value)\nmlwf.artifact('note.txt').write_text('hello')",
    )
    return write_workflow(
        folder / "pair.mlwf",
        {
            "first": {"notebook": "first.ipynb", "parameters": {"rate": {"from": "params.rate"}}},
            "second": {"notebook": "second.ipynb", "parameters": {"value": {"from": "steps.first.outputs.doubled"}}},
        },
        parameters={"rate": {"type": "float", "default": 0.5, "min": 0, "max": 1}},
    )


def read_document(path: Path) -> Document:
    """A document with what it names, where nothing is released."""
    return Reader(NotebookReader(), _no_release).read(path)


def _no_release(name: str, version: str | None) -> Release:
    raise NotFound(f"There is no release {name}@{version}.")
