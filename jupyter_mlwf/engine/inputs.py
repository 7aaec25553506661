"""Files that a step depends on: found in its parameters, in its code and in the document, and compared by content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import JsonValue

from ..core.cache import FILE, PARAMETER, Code, digest, replaced, texts
from ..workspace import Workspace
from .contents import content, imported

_MISSING = "missing"


class Inputs:
    """Parts of a step's fingerprint that come from files.

    Args:
        workspace: holds what steps wrote, which is named without the run that it was written in.
        document: the folder of the document.
        cwd: where the kernel starts; None if that is a new, empty folder.
        stored: digests of artifacts that are kept away from this disk, by their paths on it.

    All methods may raise `TooManyFiles`.
    """

    def __init__(self, workspace: Workspace, document: Path, cwd: Path | None, stored: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._document = document
        self._cwd = cwd
        self._stored = stored

    def declared(self, files: Iterable[str]) -> dict[str, str]:
        """Files that the step names."""
        return {f"{FILE} {path}": content(self._document / path) or _MISSING for path in files}

    def given(self, parameters: Mapping[str, JsonValue]) -> dict[str, str]:
        """Values of parameters, with the files and folders whose paths are among them."""
        parts = {}
        for name, value in parameters.items():
            files = {t: found for t in texts(value) if (found := self._stored.get(t) or self._content(t))}
            names = {text: self._workspace.written(Path(text)) or text for text in files}
            parts[f"{PARAMETER} {name}"] = digest(replaced(value, names))
            parts |= {f"{FILE} {names[text]}": found for text, found in files.items()}
        return parts

    def in_code(self, code: Code) -> dict[str, str]:
        """Files that the code names, and modules beside the notebook that it imports, and those that they import."""
        modules = self._modules(code)
        files = code.literals | {f"{module}.py" for module in modules}
        found = {path: self._content(path, folders=False) for path in files}
        found |= {module: self._content(module) for module in modules}
        return {f"{FILE} {path}": each for path, each in found.items() if each}

    def _modules(self, code: Code) -> set[str]:
        if self._cwd is None:
            return set()
        scripts = [self._cwd / text for text in code.literals if text.endswith(".py")]
        new = set(code.imports).union(*map(imported, scripts))
        modules: set[str] = set()
        while new:
            modules |= new
            inner = [self._cwd / file for module in new for file in (f"{module}.py", f"{module}/__init__.py")]
            new = set[str]().union(*map(imported, inner)) - modules
        return modules

    def _content(self, text: str, *, folders: bool = True) -> str | None:
        # Not `Path`, which takes longer than the look at the file: this is asked of every literal.
        path = os.path.normpath(os.path.join(self._cwd or "", text))  # noqa: PTH118
        if not text or not os.path.isabs(path):  # noqa: PTH117
            return None
        # A folder that holds the notebook's own is more likely a separator, or "here".
        if f"{self._cwd}{os.sep}".startswith(path.rstrip(os.sep) + os.sep):
            return None
        return content(Path(path), folders=folders)
