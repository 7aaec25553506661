"""What a notebook recorded, on its way to the log of the run."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from ..core.recording import read
from ..core.run import EventType
from ..storage import upload

Tell = Callable[[EventType, dict[str, JsonValue]], None]


class FailedCheck(NamedTuple):
    """A check that did not pass when it was last recorded."""

    name: str
    message: str
    cell: int


class Records:
    """Passes records on as they arrive, and keeps back what can only be told at the end."""

    def __init__(self, tell: Tell, artifacts: Path, url: str | None = None) -> None:
        self._tell = tell
        self._folder = artifacts
        self._url = url
        self._artifacts: dict[str, None] = {}
        self._failed: dict[str, FailedCheck] = {}

    def add(self, bundle: object, cell: int) -> None:
        """Pass on what a bundle records; of an artifact only the name is kept, since nothing is written yet.

        Raises:
            ValueError: the bundle makes no sense; the text is for the notebook's author.
        """
        kind, data = read(bundle)
        name = str(data["name"])
        if kind == "step.artifact":
            self._artifacts[name] = None
            return
        if kind == "step.check":
            self._failed.pop(name, None)
            if not data["passed"]:
                self._failed[name] = FailedCheck(name, _complaint(data), cell)
        self._tell(kind, data)

    def tell_artifacts(self) -> None:
        """Report the artifacts that were written, and leave out those that were only announced.

        Raises:
            StorageError: one does not get to where it is to be kept.
        """
        for name in self._artifacts:
            path = self._folder / name
            if described := describe(path):
                if self._url:
                    described["url"] = f"{self._url}/{name}"
                    upload(path, f"{self._url}/{name}")
                self._tell("step.artifact", {"name": name, **described})

    @property
    def failed_checks(self) -> list[FailedCheck]:
        """The checks that fail the step, in the order in which they were recorded."""
        return list(self._failed.values())


def describe(path: Path) -> dict[str, JsonValue] | None:
    """Path, size in bytes and SHA-256 (null for a folder) of an artifact; None if it is neither a file nor a folder.

    Symbolic links are not followed: they may lead anywhere.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        return {"path": str(path), "bytes": _size(path), "sha256": None}
    if not stat.S_ISREG(mode):
        return None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "bytes": path.stat().st_size, "sha256": digest}


def _size(folder: Path) -> int:
    found = (Path(parent, name).lstat() for parent, _, names in os.walk(folder) for name in names)
    return sum(status.st_size for status in found if stat.S_ISREG(status.st_mode))


def _complaint(check: dict[str, JsonValue]) -> str:
    value, low, high, cause = check["value"], check["min"], check["max"], check["cause"]
    if isinstance(value, bool) and low is None and high is None:
        why = "it is false"
    elif not isinstance(value, int | float):
        why = "its value is not a finite number"
    elif isinstance(low, int | float) and value < low:
        why = f"{value:.6g} is below {low:.6g}"
    else:
        why = f"{value:.6g} is above {high:.6g}"
    text = f"The check '{check['name']}' failed: {why}."
    return f"{text} {cause}" if cause else text
