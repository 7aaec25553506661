"""Queries about releases. Each function stays within the transaction of its connection."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from ..core import codec
from ..core.errors import Conflict, NotFound
from ..core.release import Release, ReleaseSummary, version_key
from . import blobs
from .tables import releases

_SUMMARY = [releases.c[name] for name in ReleaseSummary.model_fields]


def add(connection: Connection, release: Release, contents: Mapping[str, bytes]) -> None:
    """Keep a release and the content of its files.

    Raises:
        BadRequest: a content is missing or is not what its digest says.
        Conflict: that version exists already.
    """
    blobs.keep(connection, release.files, contents)
    row = release.model_dump() | {"workflow": codec.to_json(release.workflow)}
    try:
        connection.execute(insert(releases), row)
    except IntegrityError:
        raise Conflict(
            f"'{release.name}' {release.version} is released already, and a release never changes. "
            "Choose another version."
        ) from None


def get(connection: Connection, name: str, version: str | None) -> Release:
    """A release, the highest version if none is given.

    Raises:
        NotFound: there is none.
    """
    versions = list(connection.scalars(select(releases.c.version).where(releases.c.name == name)))
    if not versions:
        raise NotFound(f"There is no release of '{name}'.")
    if version is None:
        version = max(versions, key=version_key)
    row = connection.execute(select(releases).where(releases.c.name == name, releases.c.version == version)).mappings()
    found = row.one_or_none()
    if found is None:
        newest = ", ".join(sorted(versions, key=version_key, reverse=True)[:5])
        raise NotFound(f"There is no release {version} of '{name}'; the newest are {newest}.")
    return Release.model_validate(dict(found))


def summaries(connection: Connection, name: str | None) -> list[ReleaseSummary]:
    """Releases, by name and then the highest version first."""
    query = select(*_SUMMARY)
    if name is not None:
        query = query.where(releases.c.name == name)
    found = [ReleaseSummary.model_validate(dict(row)) for row in connection.execute(query).mappings()]
    found.sort(key=lambda release: version_key(release.version), reverse=True)
    return sorted(found, key=lambda release: release.name)
