"""The secrets of a step: looked up where it runs, given to its kernel alone, and taken out of what is kept of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from ..core.errors import BadRequest
from ..core.redaction import NO_SECRETS, Redactor
from ..ports import StepJob
from ..secrets import MissingSecret, find, remark

#: Begins the names of the variables of a kernel's environment that hold its secrets; the name of the input follows.
VARIABLE = "MLWF_SECRET_"
#: The tag of the cell that reads them, as papermill's own is tagged `injected-parameters`.
TAG = "injected-secrets"

#: How much of a file that a step wrote is searched for secrets, in bytes; and how much of it at once.
_MAX_SEARCHED = 64 << 20
_PIECE = 1 << 20


def _in_python(names: Iterable[str]) -> str:
    return "\n".join(["import os as _os", *(f'{name} = _os.environ["{VARIABLE}{name}"]' for name in names)])


def _in_r(names: Iterable[str]) -> str:
    # R's names do not begin with an underscore; papermill leaves it out too.
    return "\n".join(f'{name.lstrip("_")} <- Sys.getenv("{VARIABLE}{name}")' for name in names)


def _in_julia(names: Iterable[str]) -> str:
    return "\n".join(f'{name} = ENV["{VARIABLE}{name}"]' for name in names)


_READERS: Mapping[str, Callable[[Iterable[str]], str]] = {"python": _in_python, "r": _in_r, "julia": _in_julia}


class StepSecrets:
    """The secrets of one step, and of the run that it belongs to: none of their values is kept."""

    def __init__(self, job: StepJob) -> None:
        self._job = job
        self._values: dict[str, str] = {}
        self._missing: dict[str, str] = {}
        self.redactor = NO_SECRETS

    def look_up(self) -> None:
        """Find the values: from here on they are redacted."""
        given = [*self._job.secrets.values(), *self._job.secret_environment.values()]
        for reference in dict.fromkeys([*given, *self._job.protected]):
            try:
                self._values[reference] = find(reference)
            except MissingSecret as error:
                self._missing[reference] = str(error)
        self.redactor = Redactor(self._values.values())

    def require(self, language: str) -> None:
        """Refuse to go on without the secrets that the notebook gets.

        Args:
            language: of the kernel.

        Raises:
            MissingSecret: one is not there, or cannot be protected.
            BadRequest: a notebook in that language cannot be given one.
        """
        for name, reference in [*self._job.secrets.items(), *self._job.secret_environment.items()]:
            if reference in self._missing:
                why = self._missing[reference]
                raise MissingSecret(f"The secret '{name}' ({reference}) cannot be used. {why}")
        if self._job.secrets and language.lower() not in _READERS:
            raise BadRequest(
                f"A notebook in {language} cannot be given the secret '{next(iter(self._job.secrets))}': "
                "secrets are for Python, R and Julia."
            )

    @property
    def environment(self) -> dict[str, str]:
        """What the environment of the kernel has besides."""
        named = {f"{VARIABLE}{name}": reference for name, reference in self._job.secrets.items()}
        return {name: self._values[reference] for name, reference in (self._job.secret_environment | named).items()}

    @property
    def remarks(self) -> Iterator[str]:
        """What the log says of how they are kept."""
        return filter(None, map(remark, self._values))

    def write_cell(self, nb: NotebookNode) -> None:
        """Have a notebook read its secrets, once it has its parameters: what is shown is what is executed."""
        nb.cells = [cell for cell in nb.cells if TAG not in _tags(cell)]
        if not self._job.secrets:
            return
        source = _READERS[nb.metadata.kernelspec.language.lower()](self._job.secrets)
        cell = new_code_cell(source, metadata={"tags": [TAG]})
        for tag in ("injected-parameters", "parameters"):
            if places := [index for index, each in enumerate(nb.cells) if tag in _tags(each)]:
                nb.cells.insert(places[0] + 1, cell)
                return
        nb.cells.insert(0, cell)

    def redact_message(self, message: dict[str, Any]) -> None:
        """Redact what a kernel says; not text of streams, whose pieces have to be seen together."""
        if self.redactor and message["msg_type"] != "stream":
            content = message["content"]
            message["content"] = {key: self.redactor.json(value) for key, value in content.items()}

    def delete_exposed(self, folder: Path) -> str | None:
        """Delete artifacts that hold a secret in their names or content, and say so in a sentence."""
        if not self.redactor or not folder.is_dir():
            return None
        exposed = [path for path in sorted(folder.iterdir()) if any(map(self._exposes, _all(path)))]
        for path in exposed:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        if not exposed:
            return None
        names = ", ".join(self.redactor.text(path.name) for path in exposed)
        return f"These artifacts held the value of a secret and were deleted: {names}. Write them without it."

    def _exposes(self, path: Path) -> bool:
        if self.redactor.holds(path.name):
            return True
        if path.is_symlink():
            return self.redactor.holds(str(path.readlink()))
        return path.is_file() and any(map(self.redactor.holds, _pieces(path, 4 * self.redactor.longest)))


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _all(path: Path) -> Iterator[Path]:
    """A file; or a folder with all that is in it."""
    yield path
    if path.is_dir() and not path.is_symlink():
        for parent, folders, files in os.walk(path):
            yield from (Path(parent, name) for name in [*folders, *files])


def _pieces(path: Path, overlap: int) -> Iterator[str]:
    """The start of a file as text, in pieces that overlap by as many bytes."""
    with path.open("rb") as file:
        end = b""
        while file.tell() < _MAX_SEARCHED and (piece := file.read(_PIECE)):
            yield (end + piece).decode("utf-8", "replace")
            end = (end + piece)[-overlap:]
