"""A release as one archive: unpacked anywhere, its document runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath

from ..core.codec import dumps
from ..core.release import Release

#: Archives made of the same release are the same, byte for byte; this is the earliest time that a zip file can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)
#: No archive that is given on has more bytes.
MAX_BUNDLE = 256 << 20
MANIFEST = "release.json"


def bundle(release: Release, blob: Callable[[str], bytes]) -> bytes:
    """The zip archive of a release: the document, its notebooks at their places, and `release.json`.

    Args:
        release: what to pack.
        blob: gives the content of a file by its SHA-256.
    """
    document, files = places(release.name, release.path, release.files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, document, dumps(release.workflow).encode())
        for path in sorted(release.files):
            _add(archive, files[path], blob(release.files[path]))
        manifest = release.model_dump_json(indent=2, exclude={"workflow"}) + "\n"
        _add(archive, MANIFEST, manifest.encode())
    return buffer.getvalue()


def places(name: str, path: str, files: Collection[str]) -> tuple[str, dict[str, str]]:
    """Where things are in the archive of a release: its document, and its files by their path from there.

    Args:
        name: of the release.
        path: of the document that it was released from.
        files: paths from there.
    """
    base = _base(path, files)
    document = PurePosixPath(path).name
    at = base / (document if document.endswith(".mlwf") else f"{name}.mlwf")
    return str(at), {each: _normal(base / each) for each in files}


def file_name(release: Release) -> str:
    """What to call the archive."""
    return f"{release.name}-{release.version}.zip"


def _base(path: str, files: Iterable[str]) -> PurePosixPath:
    """The document's folder in the archive: deep enough for notebooks that lie above it to have a place."""
    above = max((each.split("/").count("..") for each in files), default=0)
    folders = PurePosixPath(path).parent.parts
    named = folders[-above:] if above else ()
    filler = tuple(f"folder{index + 1}" for index in range(above - len(named)))
    return PurePosixPath(*filler, *(part.strip("/") or "root" for part in named))


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)
