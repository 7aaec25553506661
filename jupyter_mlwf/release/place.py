"""A folder at a URL, as far as a gallery needs one: files appear whole, and one of two writers at once is first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from filelock import FileLock
from fsspec.implementations.local import LocalFileSystem

from ..core.errors import BadRequest, MLWFError
from ..files import write_atomically


class Place:
    """A folder: of this machine, or wherever fsspec reaches.

    Args:
        url: such as `/shared/gallery` or `s3://bucket/gallery`.

    Raises:
        BadRequest: nothing speaks that protocol.
    """

    def __init__(self, url: str) -> None:
        self.shown = re.sub(r"(?<=://)[^/@]*@", "", url)
        """The URL, without the password that may stand in it; of a folder of this machine, its whole path."""
        try:
            self._files, self._root = fsspec.url_to_fs(url)
        except ImportError as error:
            raise BadRequest(f"{self.shown} cannot be reached: {str(error).rstrip('.')}.") from None
        except Exception as error:  # each kind of file system has errors of its own
            raise BadRequest(f"{self.shown} is no folder or URL that can be reached: {_first_line(error)}.") from None
        self._is_local = isinstance(self._files, LocalFileSystem)
        if self._is_local:
            self.shown = self._root

    def read(self, name: str, most: int) -> bytes | None:
        """The content of a file; None if it is not there.

        Raises:
            BadRequest: it cannot be read, or has more than so many bytes.
        """
        with self._in_words("read"):
            try:
                content: bytes = self._files.cat_file(self._path(name), start=0, end=most + 1)
            except FileNotFoundError:
                return None
        if len(content) > most:
            raise BadRequest(f"{self.shown}/{name} has more than {most:,} bytes.")
        return content

    def replace(self, name: str, content: bytes) -> None:
        """Write a file, over one that is there. Whoever reads it meanwhile gets the old content or the new one.

        Raises:
            BadRequest: it cannot be written.
        """
        with self._in_words("written"):
            if self._is_local:
                write_atomically(Path(self._path(name)), content)
            else:
                self._files.pipe_file(self._ready(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file that is not there; False if it is: of two that write it at once, one is told so.

        Raises:
            BadRequest: it cannot be written.
        """
        with self._in_words("written"):
            if self._is_local:
                return self._create_locally(Path(self._path(name)), content)
            try:
                self._files.pipe_file(self._ready(name), content, mode="create")
            except FileExistsError:
                return False
            except Exception:
                # Some say it in a word of their own.
                if self._files.exists(self._path(name)):
                    return False
                raise
            return True

    def find(self, folder: str) -> list[str]:
        """The names of all files below a folder, as they are now.

        Raises:
            BadRequest: it cannot be read.
        """
        with self._in_words("read"):
            self._files.invalidate_cache()
            try:
                found = self._files.find(self._path(folder))
            except FileNotFoundError:
                return []
        root = f"{self._root.rstrip('/')}/"
        return [path.removeprefix(root) for path in map(str, found)]

    def _create_locally(self, path: Path, content: bytes) -> bool:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(Path(self._root) / ".lock"):
            if path.exists():
                return False
            write_atomically(path, content)
            return True

    def _ready(self, name: str) -> str:
        path = self._path(name)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return path

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    @contextmanager
    def _in_words(self, what: str) -> Iterator[None]:
        try:
            yield
        except MLWFError:
            raise
        except Exception as error:  # each kind of file system has errors of its own
            raise BadRequest(f"{self.shown} cannot be {what}: {_first_line(error)}.") from None


def _first_line(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return said.partition("\n")[0].rstrip(".") or type(error).__name__
