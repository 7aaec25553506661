"""The schema and its migrations, and databases that cannot be used."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import JsonValue
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import Pool

from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.core.run import Event
from jupyter_mlwf.ports import NewRun
from jupyter_mlwf.store import StoreError, database, open_store
from jupyter_mlwf.store.migrate import migrated
from jupyter_mlwf.store.newest import HEAD, NEWEST
from jupyter_mlwf.store.tables import metadata

NOW = datetime(2026, 3, 29, tzinfo=UTC)


def test_the_tables_are_what_migrations_make(empty_url: str) -> None:
    open_store(empty_url).close()
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()


def test_sqlite_is_told_the_same_by_migrations_and_tables(tmp_path: Path) -> None:
    """SQLite keeps statements, and so shows what alembic does not compare: constraints, indexes with conditions."""

    def parts(url: str) -> set[str]:
        engine = create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        engine.dispose()
        # A column that a migration added stands at the end of its statement.
        return {
            f"{name}: {' '.join(part.split())}".rstrip(") ")
            for name, sql in rows
            if name != "alembic_version" and "TRIGGER" not in sql
            for part in re.split(r",(?![^(]*\))", sql.partition("(")[2] if sql.startswith("CREATE TABLE") else sql)
        }

    open_store(f"sqlite:///{tmp_path / 'migrated.db'}").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    engine.dispose()
    migrated, made = (parts(f"sqlite:///{tmp_path / name}") for name in ("migrated.db", "made.db"))
    assert migrated ^ made == set()
    assert any("CHECK" in part for part in made)


def test_a_new_sqlite_database_is_what_migrations_make() -> None:
    assert migrated().split() == NEWEST.read_text("utf-8").split(), "run `make generate`"


def test_the_newest_revision_is_the_one_that_is_expected() -> None:
    config = Config()
    config.set_main_option("script_location", "jupyter_mlwf.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_newer_database_is_refused_and_left_alone(store_url: str) -> None:
    open_store(store_url).close()
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"written by a newer version of jupyter_mlwf \(schema 9999"):
        open_store(store_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    engine.dispose()


@pytest.mark.parametrize("content", [b"this is no database, though it is long enough to be one" * 100, b"%PDF-1.7"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mlwf.db"
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"mlwf\.db cannot be used\. The file is damaged or is not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_a_damaged_database_is_said_to_be(tmp_path: Path, new_run: NewRun) -> None:
    file = tmp_path / "mlwf.db"
    store = open_store(f"sqlite:///{file}")
    for _ in range(50):
        store.create_run(new_run, NOW)
    store.close()
    content = bytearray(file.read_bytes())
    content[4096 * 2 :] = b"\xa5" * (len(content) - 4096 * 2)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="The file is damaged"):  # noqa: PT012 - either may find it
        damaged = open_store(f"sqlite:///{file}")
        damaged.list_runs()


@pytest.mark.parametrize(
    "url",
    [
        "mlwf.db",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///x.db",
        "mysql://u:hidden@h/d",
        "x://u:hidden@",
    ],
)
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="is not the address of a store: write sqlite:///FILE or") as caught:
        open_store(url)
    assert "hidden" not in str(caught.value)


def test_a_server_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="The server cannot be reached") as caught:
        open_store(f"postgresql://ada:hidden@/records?host={tmp_path}")
    assert "hidden" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"The folder of .*mlwf\.db cannot be made: "):
        open_store(f"sqlite:///{tmp_path / 'file' / 'mlwf.db'}")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StoreError, match="It cannot be opened for writing"):
        open_store(f"sqlite:///{tmp_path / 'folder.db'}")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """SQLite finds the disk full once a file has 80 pages."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 80")

    event.listen(Pool, "connect", limit)
    yield
    event.remove(Pool, "connect", limit)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_said_to_be_and_nothing_is_half_written(tmp_path: Path, new_run: NewRun) -> None:
    url = f"sqlite:///{tmp_path / 'mlwf.db'}"
    store = open_store(url)
    run = store.create_run(new_run, NOW).id
    lease = store.claim("w", NOW, 60)
    assert lease is not None

    def append(size: int) -> None:
        output: dict[str, JsonValue] = {"name": "table", "value": "x" * size}
        store.append(lease, [Event(run=run, time=NOW, type="step.output", step="a", data=output)] * 2)

    with pytest.raises(StoreError, match=r"mlwf\.db cannot be used\. The disk is full\. Free some space"):  # noqa: PT012
        while True:
            append(20_000)
    written = store.last_seq()
    with pytest.raises(StoreError, match="The disk is full"):
        append(400_000)
    assert store.last_seq() == written
    log = store.events()
    assert [event.seq for event in log] == list(range(1, written + 1))
    assert store.get_run(run) == fold(log)
    append(1)
    assert store.last_seq() == written + 2
    store.close()


def test_another_program_that_holds_the_file_is_waited_for_and_then_named(
    tmp_path: Path, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'mlwf.db'}"
    store = open_store(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="Another process held it for too long"):
            store.create_run(new_run, NOW)
        assert store.list_runs() == []  # readers do not wait
    assert store.create_run(new_run, NOW).number == 1
    engine.dispose()
    store.close()


def test_a_closed_store_is_one_sound_file(tmp_path: Path, new_run: NewRun) -> None:
    file = tmp_path / "mlwf.db"
    store = open_store(f"sqlite:///{file}")
    store.create_run(new_run, NOW)
    store.close()
    assert not file.with_name("mlwf.db-wal").exists()
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
