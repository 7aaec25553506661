"""Digests of files and folders, computed again only when they have changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from ..core.cache import digest, imports

#: A folder with more files is not compared.
MOST_FILES = 10_000

#: Longer files are data, whatever they are called. In bytes.
_MOST_CODE = 1_000_000

_SKIPPED = frozenset({".mlwf", ".git", "__pycache__", ".ipynb_checkpoints"})


class TooManyFiles(Exception):
    """A folder is too large to be compared; the text says which."""


def content(path: Path, *, folders: bool = True) -> str | None:
    """SHA-256 of what a file or a folder holds; None if there is none.

    Args:
        path: where it is.
        folders: whether a folder counts.

    Raises:
        TooManyFiles: the folder has more than `MOST_FILES` files.
    """
    try:
        status = path.stat()
        if S_ISREG(status.st_mode):
            return _file(path, *_version(status))
        if folders and S_ISDIR(status.st_mode):
            return digest(sorted((name, content(file, folders=False)) for name, file in _files(path)))
    except (OSError, ValueError):  # not readable, too long or with characters that no path has
        return None
    return None


def known_content(path: Path) -> str | None:
    """As `content`; None also of a folder that is too large."""
    try:
        return content(path)
    except TooManyFiles:
        return None


def _version(status: os.stat_result) -> tuple[int, ...]:
    # Of these, the time of change is the one that no program can set back.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


@lru_cache(maxsize=100_000)
def _file(path: Path, *_status: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def imported(path: Path) -> frozenset[str]:
    """Modules that a file of Python code imports; none if there is no such file."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode) or status.st_size > _MOST_CODE:
            return frozenset()
        return _imported(path, *_version(status))
    except (OSError, ValueError):
        return frozenset()


@lru_cache(maxsize=10_000)
def _imported(path: Path, *_status: int) -> frozenset[str]:
    return frozenset(imports(path.read_text("utf-8", "replace")))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    count = 0
    for at, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in _SKIPPED]
        for name in names:
            count += 1
            if count > MOST_FILES:
                raise TooManyFiles(f"The folder {folder} has more than {MOST_FILES:,} files, too many to be compared.")
            path = Path(at, name)
            yield path.relative_to(folder).as_posix(), path
