"""The workspace that a document belongs to, with its records."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..context import CommandLine, Context
from ..workspace import Workspace


def context_of(document: Path) -> Context:
    """Settings, records and engine for a document, whether or not it was ever saved.

    As on the command line, that is the workspace around the current folder; for a document that is not below it, the
    one around the document, so that a program finds its records wherever it is started.
    """
    here, folder = Path.cwd().resolve(), document.resolve().parent
    return _context(Workspace.around(here if folder.is_relative_to(here) else folder).root)


@lru_cache
def _context(root: Path) -> Context:
    return Context(CommandLine().read([]), Workspace(root))
