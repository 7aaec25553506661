"""A released version of a workflow: frozen with its notebooks, named by content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .codec import dumps
from .errors import BadRequest
from .workflow import DocumentPath, Name, Workflow

VERSION_PATTERN = r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$"

#: Semantic version without pre-release and build parts.
Version = Annotated[str, StringConstraints(pattern=VERSION_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ReleaseSummary(BaseModel):
    """One row of a list of releases."""

    model_config = ConfigDict(frozen=True)

    name: Name
    version: Version
    title: str | None = Field(default=None, description="Title of the workflow.")
    notes: str = Field(default="", description="What changed, in Markdown.")
    created: datetime
    author: str = Field(default="", description="Who released it.")
    digest: Sha256 = Field(description="SHA-256 over the document and its files: the same content has the same digest.")
    path: str = Field(description="The document it was released from.")


class Release(ReleaseSummary):
    """A released version with its content."""

    workflow: Workflow
    files: dict[DocumentPath, Sha256] = Field(
        description="The frozen files by path, relative to the document, with the digest of each."
    )


def digest(workflow: Workflow, files: Mapping[str, str]) -> str:
    """SHA-256 that names the content of a release: the text of the document and the digests of the files.

    What only the canvas shows does not count.
    """
    plain = workflow.model_copy(update={"layout": {}})
    plain.model_fields_set.difference_update({"groups", "notes"})
    sha = hashlib.sha256(dumps(plain).encode())
    for path in sorted(files):
        sha.update(f"\0{path}\0{files[path]}".encode())
    return sha.hexdigest()


def version_key(version: str) -> tuple[int, ...]:
    """What versions are sorted by.

    Raises:
        BadRequest: it is not a version.
    """
    if not re.fullmatch(VERSION_PATTERN, version):
        raise BadRequest(f"'{version}' is not a version: write three numbers, such as 1.0.0.")
    return tuple(int(part) for part in version.split("."))


def next_version(versions: Iterable[str]) -> str:
    """The version to propose: the next minor one, or 1.0.0 at first."""
    highest = max((version_key(version) for version in versions), default=None)
    return "1.0.0" if highest is None else f"{highest[0]}.{highest[1] + 1}.0"


def parse_target(text: str) -> tuple[str, str | None]:
    """Name and version of `NAME` or `NAME@VERSION`.

    Raises:
        BadRequest: the version is not one.
    """
    name, at, version = text.partition("@")
    if at:
        version_key(version)
    return name, version if at else None
