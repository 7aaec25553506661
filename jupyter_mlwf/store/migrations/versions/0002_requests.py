"""Requests to runs; parameters that may change while a run goes on; results that serve again."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    long = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "requests",
        sa.Column("id", long, primary_key=True, autoincrement=True),
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column(
            "data", sa.Text, nullable=False, comment="What is asked. A row goes when its run has answered or ended."
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_run", "requests", ["run"])
    op.add_column(
        "runs",
        sa.Column(
            "parameters",
            sa.Text,
            nullable=False,
            server_default="{}",
            comment="Their values now: they may be changed while the run goes on.",
        ),
    )
    op.add_column(
        "step_runs",
        sa.Column("cache_key", sa.Text, comment="Key of the fingerprint of a result that may serve again."),
    )
    op.create_index(
        "step_runs_by_cache_key",
        "step_runs",
        ["cache_key"],
        sqlite_where=sa.text("cache_key IS NOT NULL"),
        postgresql_where=sa.text("cache_key IS NOT NULL"),
    )
    connection = op.get_bind()
    runs = sa.table("runs", sa.column("id"), sa.column("parameters"), sa.column("finished"))
    events = sa.table("events", sa.column("run"), sa.column("type"), sa.column("data"))
    requests = sa.table("requests", sa.column("run"), sa.column("data"))
    created = sa.select(events.c.run, events.c.data).where(events.c.type == "run.created")
    for run, data in connection.execute(created).all():
        parameters = json.dumps(json.loads(data)["parameters"])
        connection.execute(sa.update(runs).where(runs.c.id == run).values(parameters=parameters))
    stopping = sa.select(runs.c.id).where(sa.text("stop_requested"), runs.c.finished.is_(None))
    for (run,) in connection.execute(stopping).all():
        connection.execute(sa.insert(requests).values(run=run, data=json.dumps({"kind": "stop"})))
    op.drop_column("runs", "stop_requested")
