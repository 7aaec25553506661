"""The connection to SQLite or PostgreSQL, its transactions, and the schema at its newest revision."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, TimeoutError

from .errors import StoreError, shown, store_error
from .newest import HEAD, newest, sqlite_is_empty

#: Names the PostgreSQL lock under which one process at a time makes or upgrades the schema.
_UPGRADE_LOCK = 0x6D6C7766

_BUSY_SECONDS = 30


class Database:
    """A database whose schema is up to date. Safe to use from any thread."""

    def __init__(self, url: str) -> None:
        """Connect, and make or upgrade the schema.

        Args:
            url: `sqlite:///FILE` (its folder is made if it is missing) or `postgresql+psycopg://USER@HOST/DATABASE`.

        Raises:
            StoreError: it cannot be reached, is damaged, or was written by a newer version.
        """
        self.url = _checked(url)
        sqlite = self.url.get_backend_name() == "sqlite"
        try:
            if sqlite:
                Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
                self._engine = create_engine(self.url, connect_args={"timeout": _BUSY_SECONDS})
            else:
                self._engine = create_engine(self.url, pool_pre_ping=True)
        except OSError as error:
            raise StoreError(f"The folder of {shown(self.url)} cannot be made: {error.strerror}.") from error
        except ModuleNotFoundError as error:
            raise StoreError(
                "Records in PostgreSQL need psycopg: run `pip install 'jupyter_mlwf[postgresql]'`."
            ) from error
        self._writer = self._engine.execution_options(immediate=True)
        if sqlite:
            event.listen(self._engine, "connect", _set_up_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
            self._reader = self._engine
        else:  # one snapshot for all statements of a read, as SQLite gives anyway
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            self._upgrade()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._in_words(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is written as a whole or, after an exception, not at all.

        Raises:
            StoreError: the database cannot be used; nothing was written.
        """
        with self._in_words(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, TimeoutError) as error:
            raise store_error(self.url, error) from error

    def _upgrade(self) -> None:
        with self.read() as connection:
            if _revision(connection) == HEAD:
                return
        with self.write() as connection:  # SQLite lets one writer in at a time
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
            if (revision := _revision(connection)) == HEAD:  # another process was quicker
                return
            if revision is None and sqlite_is_empty(connection):
                for statement in newest():
                    connection.exec_driver_sql(statement)
                return
            # Not at the top: a store that is new or up to date, the ordinary case, opens without alembic.
            from .migrate import migrate

            migrate(connection, revision)


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None:
        backend, driver = parsed.get_backend_name(), parsed.drivername.partition("+")[2]
        if backend == "sqlite" and driver in ("", "pysqlite") and parsed.database not in (None, "", ":memory:"):
            return parsed
        if backend == "postgresql" and driver in ("", "psycopg"):
            return parsed.set(drivername="postgresql+psycopg")
    raise StoreError(
        f"'{url if parsed is None else shown(parsed)}' is not the address of a store: write sqlite:///FILE or "
        "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."
    )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    connection.execute("PRAGMA foreign_keys = ON")
    # Readers and the one writer do not wait for each other.
    connection.execute("PRAGMA journal_mode = WAL")
    # Every commit reaches the disk: 0.25 ms on an SSD, and a power cut loses nothing that was appended. With NORMAL it
    # would lose what the system had not yet written, half a minute perhaps: steps that had succeeded would run again,
    # and a release that was announced would be gone. (That the process is killed loses nothing with either.)
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the write lock at once and waits for it: a transaction that reads first and then wants to write
    # would be refused without waiting if another had written in between.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
