"""Contents of files, kept once by their SHA-256. Each function stays within the transaction of its connection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from ..core.errors import BadRequest, NotFound
from .tables import blobs


def keep(connection: Connection, files: Mapping[str, str], contents: Mapping[str, bytes]) -> None:
    """Keep the contents of some files.

    Args:
        files: digests by path.
        contents: by digest; what is kept already may be left out.

    Raises:
        BadRequest: a content is missing, or is not what its digest says.
    """
    paths = {sha: path for path, sha in files.items()}
    # Sorted: two writers of the same blobs wait for each other in one order only, and so never both.
    given = [{"sha256": sha, "content": contents[sha]} for sha in sorted(paths.keys() & contents.keys())]
    for sha in paths.keys() & contents.keys():
        if hashlib.sha256(contents[sha]).hexdigest() != sha:
            raise BadRequest(f"The content of '{paths[sha]}' is not what its digest says; nothing was kept.")
    for sha in paths.keys() - contents.keys():
        if connection.scalar(select(blobs.c.sha256).where(blobs.c.sha256 == sha)) is None:
            raise BadRequest(f"The content of '{paths[sha]}' is missing; nothing was kept.")
    if given:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(blobs).on_conflict_do_nothing(), given)


def get(connection: Connection, sha256: str) -> bytes:
    """A content.

    Raises:
        NotFound: it is not kept.
    """
    content: bytes | None = connection.scalar(select(blobs.c.content).where(blobs.c.sha256 == sha256))
    if content is None:
        raise NotFound(f"No content with the digest {sha256} is kept.")
    return content
