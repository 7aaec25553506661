"""Brings a schema to its newest revision, step by step; `python -m` writes down what a new database comes to."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from .errors import StoreError, shown
from .newest import HEAD, NEWEST


def migrate(connection: Connection, revision: str | None) -> None:
    """Run the migrations that are missing.

    Args:
        connection: in a transaction.
        revision: the one that the schema has; None if there is no schema.

    Raises:
        StoreError: the revision is not known.
    """
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "jupyter_mlwf.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"The records in {shown(connection.engine.url)} were written by a newer version of jupyter_mlwf (schema "
            f"{revision}; this version reads up to {HEAD}). Upgrade jupyter_mlwf."
        )
    command.upgrade(config, HEAD)


def migrated() -> str:
    """What migrations make of an empty SQLite database: statements, with an empty line between two."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "migrated.db")
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            migrate(connection, None)
        engine.dispose()
        database = sqlite3.connect(file)
        statements = [each for each in database.iterdump() if each not in ("BEGIN TRANSACTION;", "COMMIT;")]
        database.close()
    return "\n\n".join(statements) + "\n"


if __name__ == "__main__":
    NEWEST.write_text(migrated(), "utf-8")
