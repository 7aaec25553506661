"""Reads a bundle that somebody else made: what is not as `bundle` writes it is refused before anything is kept."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import ValidationError

from ..core import codec
from ..core.errors import BadRequest, InvalidWorkflow
from ..core.release import Release, ReleaseSummary, Sha256, digest
from ..core.workflow import DocumentPath
from .bundle import MANIFEST, MAX_BUNDLE, places

_MAX_FILES = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others can grow without a bound when they are read
_ENCRYPTED = 0x1


class _Manifest(ReleaseSummary):
    files: dict[DocumentPath, Sha256]


@dataclass(frozen=True)
class Unpacked:
    """A release as it came, whole and as its digests say."""

    release: Release
    """With a path in the folder that it is laid out in."""
    layout: Mapping[str, bytes]
    """Its document and its files by their place there."""
    blobs: dict[str, bytes]
    """Its files by SHA-256."""


def unpack(content: bytes) -> Unpacked:
    """The release in a bundle.

    Raises:
        BadRequest: it is no bundle, or was changed; the text says how.
        InvalidWorkflow: its document has not the form of one.
    """
    found = _contents(content)
    if MANIFEST not in found:
        raise _refused(f"it has no {MANIFEST}: export a release again to have one")
    manifest = _manifest(found.pop(MANIFEST))
    document, files = places(manifest.name, manifest.path, manifest.files)
    if foreign := sorted(found.keys() - {document, *files.values()}):
        raise _refused(f"it holds {foreign[0]}, which its {MANIFEST} does not name")
    if missing := sorted({document, *files.values()} - found.keys()):
        raise _refused(f"it lacks {missing[0]}, which its {MANIFEST} names")
    for path, at in files.items():
        if hashlib.sha256(found[at]).hexdigest() != manifest.files[path]:
            raise _refused(f"{at} is not what was released")
    workflow = codec.loads(found[document])
    if workflow.name != manifest.name or digest(workflow, manifest.files) != manifest.digest:
        raise _refused(f"{document} is not what was released")
    fields = manifest.model_dump() | {"path": document, "workflow": workflow}
    return Unpacked(
        Release.model_validate(fields), found, {manifest.files[path]: found[at] for path, at in files.items()}
    )


def _contents(content: bytes) -> dict[str, bytes]:
    """The files of an archive by name, if all of them may be written somewhere."""
    if len(content) > MAX_BUNDLE:
        raise _refused(f"it has {len(content):,} bytes, and may have {MAX_BUNDLE:,}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _require_sound(archive.infolist())
            found = {info.filename: archive.read(info) for info in archive.infolist()}
            if any(len(found[info.filename]) != info.file_size for info in archive.infolist()):
                raise zipfile.BadZipFile
            return found
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        raise _refused("it is no zip archive, or a damaged one: get it again") from None


def _require_sound(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > _MAX_FILES:
        raise _refused(f"it holds {len(infos):,} files, and may hold {_MAX_FILES:,}")
    if (size := sum(info.file_size for info in infos)) > MAX_BUNDLE:
        raise _refused(f"unpacked it would have {size:,} bytes, and may have {MAX_BUNDLE:,}")
    seen: dict[str, str] = {}
    for info in infos:
        name, kind = info.filename, stat.S_IFMT(info.external_attr >> 16)
        if not _is_inside(info.orig_filename):
            raise _refused(f"it holds {name!r}, which would be written outside of its folder")
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise _refused(f"{name!r} in it is a link or a folder, and only files are taken")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise _refused(f"{name!r} in it is encrypted, or packed in a way that is not taken")
        if (other := seen.setdefault(name.casefold(), name)) is not info.filename:
            raise _refused(f"{other!r} and {name!r} in it would be one file")


def _is_inside(name: str) -> bool:
    return not set(name) & {"\\", "\0", ":"} and not name.startswith("/") and not set(name.split("/")) & {"", ".", ".."}


def _manifest(content: bytes) -> _Manifest:
    try:
        manifest = _Manifest.model_validate(codec.parse(content))
    except (InvalidWorkflow, ValidationError):
        raise _refused(f"its {MANIFEST} is not that of a release") from None
    if ".." in PurePosixPath(manifest.path).parts:
        raise _refused(f"its {MANIFEST} names a path outside of its folder")
    return manifest


def _refused(why: str) -> BadRequest:
    return BadRequest(f"The bundle is refused, and nothing of it was kept: {why}.")
