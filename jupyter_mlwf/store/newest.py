"""The newest schema, as a new SQLite database gets it: at once, and without alembic, which takes long to import."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

#: The newest revision in `migrations/versions`.
HEAD = "0003"

#: What the migrations make; `python -m jupyter_mlwf.store.migrate` writes it.
NEWEST = Path(__file__).with_name("newest.sql")


def newest() -> list[str]:
    """The statements that make it."""
    return NEWEST.read_text("utf-8").split("\n\n")


def sqlite_is_empty(connection: Connection) -> bool:
    """Whether it is a SQLite database without a table."""
    return connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()
