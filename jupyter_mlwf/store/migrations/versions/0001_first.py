"""Runs, their steps and events; releases and contents of files; what never changes is refused any change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

IMMUTABLE = ("events", "releases", "blobs")


def upgrade() -> None:
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.DateTime(timezone=True)
    counters = op.create_table(
        "counters",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("events", long, nullable=False, comment="Sequence number of the newest event."),
        sa.Column("runs", long, nullable=False, comment="Number of the newest run."),
    )
    op.bulk_insert(counters, [{"id": 1, "events": 0, "runs": 0}])
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", long, nullable=False, unique=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("release", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", instant, nullable=False),
        sa.Column("started", instant),
        sa.Column("finished", instant),
        sa.Column("seq", long, nullable=False, comment="The last event that is in this row and in those of its steps."),
        sa.Column("stop_requested", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_token", long, nullable=False, server_default=sa.text("0")),
        sa.Column("lease_until", instant),
        sa.CheckConstraint("(finished IS NOT NULL) = (state IN ('succeeded', 'failed', 'stopped'))", name="runs_ended"),
        sa.CheckConstraint("(lease_owner IS NULL) = (lease_until IS NULL)", name="runs_lease"),
    )
    op.create_index("runs_by_workflow", "runs", ["workflow", "number"])
    op.create_index("runs_by_path", "runs", ["path", "number"])
    still_open = sa.text("finished IS NULL")
    op.create_index("runs_open", "runs", ["number"], sqlite_where=still_open, postgresql_where=still_open)
    op.create_table(
        "step_runs",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("step", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("started", instant),
        sa.Column("finished", instant),
        sa.Column("data", sa.Text, nullable=False, comment="The rest of the step run."),
    )
    op.create_table(
        "events",
        sa.Column("seq", long, primary_key=True, autoincrement=False),
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("time", instant, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("step", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["run", "step"], ["step_runs.run", "step_runs.step"]),
    )
    op.create_index("events_by_run", "events", ["run", "seq"])
    op.create_table(
        "releases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("title", sa.Text),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("created", instant, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False, comment="The document."),
        sa.Column("files", sa.Text, nullable=False, comment="Keys of blobs by path."),
    )
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION mlwf_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME; END $$"
    )
    for table in IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER {table}_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION mlwf_refuse_change()"
        )


def _refuse_changes_in_sqlite() -> None:
    for table in IMMUTABLE:
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} never change'); END"
            )
