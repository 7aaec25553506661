"""Where a workflow has the artifacts of its runs kept: `storage` of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from .errors import Problem

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ON_DISK = ("file", "local")
#: What fsspec knows, and what keeps nothing that another process could find.
_UNFIT = {
    "memory": "is gone with the process that wrote it",
    "data": "holds its content in itself",
    "http": "can only be read",
    "https": "can only be read",
}
_MEND = "Give a folder, relative to the document, or a URL such as s3://bucket/folder."


def protocol_of(storage: str) -> str | None:
    """The protocol of a storage that is not on a disk of this machine; None if it is."""
    match = _PROTOCOL.match(storage)
    protocol = match[1].lower() if match else None
    return None if protocol in _ON_DISK else protocol


def resolved(storage: str, folder: PurePath) -> str:
    """The storage of a document as an absolute path or a URL, without a slash at its end.

    Args:
        storage: as the document says it.
        folder: of the document.
    """
    if protocol_of(storage):
        return storage.rstrip("/")
    on_disk = unquote(urlsplit(storage).path) if _PROTOCOL.match(storage) else storage
    return str(folder / on_disk)


def check_storage(storage: str) -> Iterator[Problem]:
    """What is wrong with the storage of a document, whatever is installed."""
    protocol = protocol_of(storage)
    if why := _malformed(storage):
        yield Problem(code="bad-storage", place="storage", message=f"The storage {why}.", mend=_MEND)
    elif protocol in _UNFIT:
        yield Problem(
            code="bad-storage",
            place="storage",
            message=f"The storage cannot be of the kind {protocol}: that {_UNFIT[protocol]}.",
            mend=_MEND,
        )
    elif _PROTOCOL.match(storage) and _credentials(storage):
        yield Problem(  # which is not repeated
            code="credentials",
            place="storage",
            message="The URL of the storage holds a password or a query, and everybody who gets the document reads it.",
            mend="Take it out, and give it to the worker as the service wants it: in its environment, or in "
            "~/.config/fsspec/conf.json.",
        )


def _malformed(storage: str) -> str | None:
    if not storage.strip() or not storage.isprintable():
        return "is no folder"
    if "::" in storage:
        return "chains several file systems, of which each run would need its own"
    if "\\" in storage:
        return "is to be written with forward slashes"
    if storage.startswith("~"):
        return "begins with ~, which is not a folder here"
    parts = re.split(r"/", _PROTOCOL.sub("", storage, count=1))
    if ".mlwf" in parts:
        return "is among the records of the workspace, where artifacts are without it"
    if protocol_of(storage) and (".." in parts or not any(parts)):
        return "is a URL without a place in it"
    try:
        urlsplit(storage)
    except ValueError:
        return "is not a URL"
    return None


def _credentials(storage: str) -> bool:
    url = urlsplit(storage)
    return ":" in url.netloc.rpartition("@")[0] or bool(url.query or url.fragment)
