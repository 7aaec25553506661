"""A workflow as a document of jupyter-collaboration, which finds the class by its entry point.

Import `jupyter_ydoc` before this module: it loads this one while it is itself being loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_ydoc.ybasedoc import YBaseDoc
from pycrdt import Awareness, Doc, Map

from .entries import Entry, to_entries, to_text


class YWorkflow(YBaseDoc):
    """What the server holds of a workflow that is open in JupyterLab."""

    def __init__(self, ydoc: Doc[Any] | None = None, awareness: Awareness | None = None) -> None:
        super().__init__(ydoc, awareness)
        self._entries: Map[Any] = self._ydoc.get("workflow", type=Map)
        self.undo_manager.expand_scope(self._entries)

    @property
    def version(self) -> str:
        """Version of the table, which the panel has as well."""
        return "1.0.0"

    def get(self) -> str:
        """The text of the file."""
        return to_text(self._read())

    def set(self, value: str) -> None:
        """Take the text of the file: what has not changed keeps its entries, so that nobody's edits are lost."""
        wanted = dict(to_entries(value))
        old = self._read()
        with self._ydoc.transaction():
            for key in old.keys() - wanted.keys():
                del self._entries[key]
            for key, entry in wanted.items():
                if old.get(key) != entry:
                    self._entries[key] = list(entry)

    def observe(self, callback: Callable[[str, Any], None]) -> None:
        """Call back for each change of the state and of the document."""
        self.unobserve()
        self._subscriptions[self._ystate] = self._ystate.observe(partial(callback, "state"))
        self._subscriptions[self._entries] = self._entries.observe(partial(callback, "workflow"))

    def _read(self) -> dict[str, Entry]:
        return {key: tuple(entry) for key, entry in (self._entries.to_py() or {}).items()}
