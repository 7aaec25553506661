"""A workspace: a folder of the user's files, with the records of their runs in `.mlwf/`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .core.errors import BadRequest

RECORDS = ".mlwf"
#: RUN/STEP/ATTEMPT/... in a storage.
_STORED = re.compile(r".*/r[0-9a-z]{19}/(?P<step>[A-Za-z][A-Za-z0-9_.-]*)/[0-9]+/(?P<rest>.+)")


class Workspace:
    """Paths of one workspace, as they are on disk and as they are recorded.

    Recorded paths are relative to the workspace with forward slashes, so that records survive a move of the folder;
    what lies outside of it (a document named on the command line) is recorded with its absolute path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.records = self.root / RECORDS

    @classmethod
    def around(cls, folder: Path) -> Workspace:
        """The workspace of a command: the nearest folder above that has records, else the folder itself."""
        folder = folder.resolve()
        for candidate in (folder, *folder.parents):
            if (candidate / RECORDS).is_dir():
                return cls(candidate)
        return cls(folder)

    def make(self) -> None:
        """Make the folder of records; it keeps itself out of git."""
        self.records.mkdir(parents=True, exist_ok=True)
        ignore = self.records / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

    def record(self, path: Path) -> str:
        """The path to record for one on disk."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  (a link in the workspace keeps its own name)
        if absolute.is_relative_to(self.root):
            return absolute.relative_to(self.root).as_posix()
        return str(absolute)

    def locate(self, recorded: str) -> Path:
        """The path on disk of a recorded one."""
        return self.root / recorded

    def inside(self, path: str) -> Path:
        """The path on disk that a client of the server gave.

        Raises:
            BadRequest: it leads out of the workspace, by `..` or by a symbolic link, or into the records.
        """
        if "\0" in path:
            raise BadRequest("The path holds a character that no path may hold.")
        resolved = (self.root / path.lstrip("/")).resolve()
        if not resolved.is_relative_to(self.root) or resolved.is_relative_to(self.records):
            raise BadRequest(f"'{path}' is not a file of this workspace.")
        return resolved

    def attempt(self, run: str, step: str, attempt: int) -> Path:
        """The folder of one attempt of a step."""
        return self.records / "runs" / run / step / str(attempt)

    def written(self, path: Path) -> str | None:
        """How a file that a step wrote is named whatever the run and the attempt; None for any other."""
        runs = self.records / "runs"
        if path.is_relative_to(runs):
            _, step, _, *rest = [*path.relative_to(runs).parts, "", "", ""]
            return "/".join([step, *filter(None, rest)])
        if path.is_relative_to(self._fetched):
            return "/".join(path.relative_to(self._fetched).parts[1:])
        # In a storage on this disk, whichever it is.
        return "/".join(match.group("step", "rest")) if (match := _STORED.match(path.as_posix())) else None

    def fetched(self, digest: str, name: str) -> Path:
        """Where an artifact is that is kept in a storage, when it is needed: a copy, that may be deleted.

        Args:
            digest: of its content.
            name: of the artifact.
        """
        return self._fetched / digest / name

    def is_fetched(self, path: str) -> bool:
        """Whether a path is that of such a copy, or within one."""
        return path.startswith(f"{self._fetched}{os.sep}")

    @property
    def _fetched(self) -> Path:
        return self.records / "fetched"

    def source(self, sha256: str) -> Path:
        """Where the frozen notebook of that digest is laid out for runs."""
        return self.records / "sources" / f"{sha256}.ipynb"
