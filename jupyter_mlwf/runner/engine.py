"""What the entry point `papermill.engine` names: the way from papermill back to the execution that called it.

Imports nothing of papermill: papermill loads this module while it is still half imported itself.
"""

from __future__ import annotations

from typing import Protocol

from nbformat import NotebookNode

ENGINE_NAME = "mlwf"


class Execution(Protocol):
    """Executes the cells of a notebook that has its parameters."""

    def execute_cells(self, nb: NotebookNode) -> None:
        """Execute them, outputs in place. What goes wrong in them is kept, not raised."""
        ...


class NotebookEngine:
    """papermill's engine `mlwf`; `papermill.execute_notebook` hands over its extra argument `execution`."""

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, *, execution: Execution, **options: object
    ) -> NotebookNode:
        """Execute the notebook in place."""
        execution.execute_cells(nb)
        return nb

    @classmethod
    def nb_kernel_name(cls, nb: NotebookNode, name: str) -> str:
        """The kernel, which is always chosen before papermill is called."""
        return name

    @classmethod
    def nb_language(cls, nb: NotebookNode, language: str) -> str:
        """The language of the chosen kernel."""
        return language
