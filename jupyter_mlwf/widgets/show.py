"""What a cell shows of a workflow or run: live where a front end can, a picture everywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..core.run import Run
from ..core.workflow import Workflow
from .picture import draw

if TYPE_CHECKING:
    from .graph import Graph


def graph(workflow: Workflow) -> Graph | None:
    """The live DAG; None where nobody would see it: outside of notebooks, or without anywidget."""
    if not _in_a_kernel():
        return None
    try:
        from .graph import Graph
    except ImportError:
        return None
    return Graph(workflow)


def bundle(text: str, workflow: Workflow, run: Run | None, live: Graph | None) -> dict[str, Any]:
    """The display data: the richest that a page can show is what it shows; GitHub, for example, the picture."""
    data: dict[str, Any] = {"text/plain": text, "image/svg+xml": draw(workflow, run)}
    return data if live is None else data | live.view()


def _in_a_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
