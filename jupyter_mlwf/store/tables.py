"""The tables, as queries name them. Migrations make them; `test_store_schema.py` holds the two together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import cast

from pydantic import JsonValue
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)


class Instant(TypeDecorator[datetime]):
    """A moment, stored and read in UTC. SQLite keeps it as text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


class Json(TypeDecorator[JsonValue]):
    """JSON data, as ASCII text: what PostgreSQL calls text or jsonb may hold no NUL, and outputs of notebooks do."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: JsonValue, dialect: Dialect) -> str:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> JsonValue:
        return None if value is None else cast(JsonValue, json.loads(value))


#: SQLite takes only a column declared INTEGER as the key of its rows, and 64 bits wide it is anyway.
_Long = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

#: One row. Its lock puts all appends in one order: whoever takes a number holds it until the commit, so numbers become
#: visible in order and a reader that has seen one has seen all below. Sequences of a database do not promise that.
counters = Table(
    "counters",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("events", _Long, nullable=False, comment="Sequence number of the newest event."),
    Column("runs", _Long, nullable=False, comment="Number of the newest run."),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", _Long, nullable=False, unique=True),
    Column("workflow", Text, nullable=False),
    Column("title", Text),
    Column("path", Text, nullable=False),
    Column("release", Text),
    Column("parent_run", Text, comment="Of a run that is executed for a step of another one."),
    Column("parent_step", Text),
    Column("parent_attempt", Integer),
    Column("state", Text, nullable=False),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column(
        "parameters",
        Json,
        nullable=False,
        server_default="{}",
        comment="Their values now: they may be changed while the run goes on.",
    ),
    Column("created", Instant, nullable=False),
    Column("started", Instant),
    Column("finished", Instant),
    Column("seq", _Long, nullable=False, comment="The last event that is in this row and in those of its steps."),
    Column("lease_owner", Text),
    Column("lease_token", _Long, nullable=False, server_default=text("0")),
    Column("lease_until", Instant),
    CheckConstraint("(finished IS NOT NULL) = (state IN ('succeeded', 'failed', 'stopped'))", name="runs_ended"),
    CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="runs_lease"),
    Index("runs_by_parent", "parent_run", "parent_step", "parent_attempt", unique=True),
    Index("runs_by_workflow", "workflow", "number"),
    Index("runs_by_path", "path", "number"),
    Index(
        "runs_open",
        "number",
        sqlite_where=text("finished IS NULL"),
        postgresql_where=text("finished IS NULL"),
    ),
)

step_runs = Table(
    "step_runs",
    metadata,
    Column("run", Text, ForeignKey("runs.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("started", Instant),
    Column("finished", Instant),
    Column("data", Json, nullable=False, comment="The rest of the step run."),
    Column("cache_key", Text, comment="Key of the fingerprint of a result that may serve again."),
    Index(
        "step_runs_waiting",
        "run",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "step_runs_by_cache_key",
        "cache_key",
        sqlite_where=text("cache_key IS NOT NULL"),
        postgresql_where=text("cache_key IS NOT NULL"),
    ),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Long, primary_key=True, autoincrement=False),
    Column("run", Text, ForeignKey("runs.id"), nullable=False),
    Column("time", Instant, nullable=False),
    Column("type", Text, nullable=False),
    Column("step", Text),
    Column("data", Json, nullable=False),
    ForeignKeyConstraint(["run", "step"], ["step_runs.run", "step_runs.step"]),
    Index("events_by_run", "run", "seq"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", _Long, primary_key=True, autoincrement=True),
    Column("run", Text, ForeignKey("runs.id"), nullable=False, index=True),
    Column("data", Json, nullable=False, comment="What is asked. A row goes when its run has answered or ended."),
    sqlite_autoincrement=True,  # a number is not given again: who has heard a request knows it by that
)

releases = Table(
    "releases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("title", Text),
    Column("notes", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("author", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("workflow", Json, nullable=False, comment="The document."),
    Column("files", Json, nullable=False, comment="Keys of blobs by path."),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
