"""Runs that are executed for a step of another run; steps that wait for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    comment = "Of a run that is executed for a step of another one."
    op.add_column("runs", sa.Column("parent_run", sa.Text, comment=comment))
    op.add_column("runs", sa.Column("parent_step", sa.Text))
    op.add_column("runs", sa.Column("parent_attempt", sa.Integer))
    op.add_column("runs", sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE runs SET paused = true WHERE state = 'waiting'")  # nothing else had a run wait till now
    op.create_index("runs_by_parent", "runs", ["parent_run", "parent_step", "parent_attempt"], unique=True)
    op.create_index(
        "step_runs_waiting",
        "step_runs",
        ["run"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
