"""What became of a publication, as a program and a notebook see it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..core.workflow import Workflow
from ..widgets.picture import draw

if TYPE_CHECKING:
    from ..release.gallery import Entry, Published


class Publication:
    """A workflow in a gallery. Made by `Workflow.publish`."""

    def __init__(self, done: Published, workflow: Workflow) -> None:
        self._done = done
        self._workflow = workflow

    @property
    def entry(self) -> Entry:
        """What the gallery says of it: name, version, author, parameters, SHA-256 of the bundle, ..."""
        return self._done.entry

    @property
    def gallery(self) -> str:
        """The URL of the gallery."""
        return self._done.gallery

    @property
    def already(self) -> bool:
        """Whether the same content was there before, so that nothing was done."""
        return self._done.already

    def __repr__(self) -> str:
        return f"{self._done} Others get it with: jupyter mlwf import {self.entry.target} --from {self.gallery}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        entry = self.entry
        facts = {
            "Release": entry.target,
            "Description": entry.description,
            "Licence": entry.licence or "",
            "Parameters": ", ".join(entry.parameters),
            "SHA-256 of the bundle": entry.sha256,
        }
        rows = [f"<tr><th>{name}</th><td>{escape(fact)}</td></tr>" for name, fact in facts.items() if fact]
        html = f"<p>{escape(repr(self))}</p><table>{''.join(rows)}</table>{draw(self._workflow)}"
        return {"text/plain": repr(self), "text/html": html}
