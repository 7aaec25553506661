"""Storages that are not on a disk of this machine, through fsspec: which is only imported for one."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .core.errors import MLWFError, Problem
from .core.storage import protocol_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class StorageError(MLWFError):
    """A storage cannot be reached, or has not what it should; the text says which, and why."""

    code = "storage"


@dataclass(frozen=True)
class Kept:
    """An artifact in a storage, and where it is on this disk when it is needed."""

    url: str
    path: Path
    bytes: int
    sha256: str | None
    """Of a file; of a folder, only the size is compared."""


def unusable(storage: str | None) -> Iterator[Problem]:
    """Why a storage cannot be used with what is installed here."""
    protocol = protocol_of(storage) if storage else None
    if protocol is None:
        return
    import fsspec

    if protocol not in fsspec.available_protocols():
        yield Problem(
            code="unknown-protocol",
            place="storage",
            message=f"There is no storage of the kind {protocol}.",
            mend="Use one that fsspec knows, such as s3, gs, abfs, sftp or ftp, or install the package that adds it.",
        )
        return
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        why = str(error).strip().partition("\n")[0].rstrip(".")
        yield Problem(
            code="missing-package",
            place="storage",
            message=f"A storage of the kind {protocol} needs a package that is not installed: {why}.",
            mend="Install it where JupyterLab and its worker run.",
        )


def upload(path: Path, url: str) -> None:
    """Put a file or a folder into a storage. Of a folder, its regular files.

    Raises:
        StorageError: it does not get there.
    """
    try:
        system, target = _place(url)
        if path.is_file():
            _put(system, path, target)
            return
        _make(system, target)
        for name, file in _files(path):
            _put(system, file, f"{target}/{name}")
    except Exception as error:  # each of the file systems has errors of its own
        raise StorageError(f"The artifact '{path.name}' cannot be stored at {url}: {_why(error)}.") from error


def download(kept: Kept) -> None:
    """Get an artifact out of a storage; where it is to be, it is then whole or not at all.

    Raises:
        StorageError: it is not there, or not what it was.
    """
    kept.path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.path.parent, prefix=".fetched.") as folder:
        fetched = Path(folder, kept.path.name)
        try:
            _get(kept.url, fetched)
        except FileNotFoundError:
            raise StorageError(f"The artifact '{kept.path.name}' is no longer at {kept.url}.") from None
        except Exception as error:
            why = _why(error)
            raise StorageError(f"The artifact '{kept.path.name}' cannot be fetched from {kept.url}: {why}.") from error
        if not _is_same(fetched, kept):
            raise StorageError(f"The artifact '{kept.path.name}' at {kept.url} is not what the step wrote any more.")
        replace(fetched, kept.path)


def holds(url: str, size: int) -> bool:
    """Whether an artifact of that size is in a storage. If that cannot be found out, it is not."""
    try:
        system, path = _place(url)
        return bool(system.exists(path)) and sum(system.du(path, total=False).values()) == size
    except Exception:
        return False


def replace(path: Path, target: Path) -> None:
    """Move a file or a folder on the same disk to where another may be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    path.replace(target)


def _get(url: str, target: Path) -> None:
    system, path = _place(url)
    if not system.isdir(path):
        system.get_file(path, str(target))
        return
    target.mkdir()
    for found in system.find(path):
        inner = target / str(found).removeprefix(path).lstrip("/")
        if not inner.resolve().is_relative_to(target.resolve()):
            raise StorageError(f"'{found}' is not within {url}")
        inner.parent.mkdir(parents=True, exist_ok=True)
        system.get_file(found, str(inner))


def _is_same(path: Path, kept: Kept) -> bool:
    if path.is_dir():
        return sum(file.stat().st_size for _, file in _files(path)) == kept.bytes
    with path.open("rb") as file:
        return kept.sha256 is None or hashlib.file_digest(file, "sha256").hexdigest() == kept.sha256


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Regular files below a folder, each with its name from there. Links may lead anywhere."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path.relative_to(folder).as_posix(), path


def _put(system: AbstractFileSystem, file: Path, target: str) -> None:
    _make(system, target.rpartition("/")[0])
    system.put_file(str(file), target)


def _make(system: AbstractFileSystem, folder: str) -> None:
    try:
        system.makedirs(folder, exist_ok=True)
    except Exception:
        if not system.isdir(folder):  # another step made it meanwhile
            raise


def _place(url: str) -> tuple[AbstractFileSystem, str]:
    """A file system, and a path in it without a slash at its end."""
    from fsspec.core import url_to_fs

    # A new one each time: a connection that broke must not stay broken, nor what was listed once count for ever.
    system, path = url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
    return system, str(path).rstrip("/")


def _why(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0].rstrip(".")
    return text or type(error).__name__
