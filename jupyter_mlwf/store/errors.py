"""What a database can complain of, in words."""

from __future__ import annotations

import sqlite3

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, TimeoutError

from ..core.errors import MLWFError

_DISK_FULL = "The disk is full. Free some space and try again."
_UNREADABLE = "The file is damaged or is not a database. Restore a copy, or move it away to begin anew."
_NOT_WRITABLE = "It cannot be opened for writing. Check the permissions of the file and of its folder."
_BUSY = "Another process held it for too long. Try again; end a program that keeps it open, such as a database browser."
_UNREACHABLE = (
    "The server cannot be reached or refuses the connection. Check that it runs, and the address and password."
)

#: By SQLite's primary result code.
_SQLITE = {
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_CORRUPT: _UNREADABLE,
    sqlite3.SQLITE_NOTADB: _UNREADABLE,
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
}

#: By the SQLSTATE that PostgreSQL documents, or its class.
_POSTGRESQL = {
    "53100": "The disk of the server is full. Free some space there.",
    "53300": "The server has no connection left. Raise max_connections, or end programs that hold connections.",
    "55P03": _BUSY,
    "08": _UNREACHABLE,
    "28": _UNREACHABLE,
    "57": _UNREACHABLE,
    "3D": "The server has no such database. Create it.",
    "42501": "The user may not do this. Grant it the right to create and change tables in the database.",
}


class StoreError(MLWFError):
    """The store cannot be used; of what was to be written, nothing was."""

    code = "store-error"


def shown(url: URL) -> str:
    """A store as people know it: the file, or the address without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def store_error(url: URL, error: DBAPIError | TimeoutError) -> StoreError:
    """The words for what went wrong with a store."""
    original = error.orig if isinstance(error, DBAPIError) else error
    first_line = str(original).strip().split("\n", 1)[0]
    words = _words(original) or f"{first_line}."
    return StoreError(f"The records in {shown(url)} cannot be used. {words}")


def _words(original: BaseException | None) -> str | None:
    if isinstance(original, sqlite3.Error):
        return _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(original, "sqlstate", None)
    if state is None:  # psycopg says so of a connection that was never made or was lost
        return _UNREACHABLE if type(original).__name__ == "OperationalError" else None
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
