"""What older versions wrote is there after an upgrade."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import JsonValue
from sqlalchemy import create_engine, text

from jupyter_mlwf.core.codec import to_json
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.ports import NewRun, Request
from jupyter_mlwf.store import open_store

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def migrate(url: str, revision: str) -> None:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).parent.mkdir()
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "jupyter_mlwf.store:migrations")
        command.upgrade(config, revision)
    engine.dispose()


def write_first(url: str, new_run: NewRun) -> list[str]:
    """Three runs as the first version wrote them: one that goes on, one being stopped, one that was stopped."""
    engine = create_engine(url)
    moment = NOW.strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if url.startswith("sqlite") else "+00")
    ids = [f"r{n:019}" for n in range(3)]
    with engine.begin() as connection:
        for n, run in enumerate(ids):
            state, finished = ("running", None) if n < 2 else ("stopped", moment)
            connection.execute(
                text(
                    "INSERT INTO runs (id, number, workflow, path, state, created, started, finished, seq, "
                    "stop_requested, lease_token) VALUES (:id, :number, 'churn', 'flows/churn.mlwf', :state, :time, "
                    ":time, :finished, :seq, :stop, 0)"
                ),
                {
                    "id": run,
                    "number": n + 1,
                    "state": state,
                    "time": moment,
                    "finished": finished,
                    "seq": n * 4 + (4 if finished else 2),
                    "stop": n > 0,
                },
            )
            for step in "ab":
                step_state = "stopped" if finished else "pending"
                connection.execute(
                    text(
                        "INSERT INTO step_runs (run, step, state, finished, data) "
                        "VALUES (:run, :step, :state, :finished, '{}')"
                    ),
                    {"run": run, "step": step, "state": step_state, "finished": finished},
                )
            created: dict[str, JsonValue] = {
                "workflow": to_json(new_run.workflow),
                "origin": new_run.origin.model_dump(mode="json"),
                "parameters": {"rate": n / 10, "text": "\0"},
                "number": n + 1,
            }
            log: list[tuple[str, str | None, dict[str, JsonValue]]] = [
                ("run.created", None, created),
                ("run.started", None, {}),
            ]
            if finished:
                log += [("step.stopped", step, {}) for step in "ab"]
                log += [("run.finished", None, {"state": "stopped"})]
                connection.execute(text("UPDATE runs SET seq = seq + 1 WHERE id = :id"), {"id": run})
            for at, (type_, step, data) in enumerate(log):
                connection.execute(
                    text(
                        "INSERT INTO events (seq, run, time, type, step, data) "
                        "VALUES (:seq, :run, :time, :type, :step, :data)"
                    ),
                    {
                        "seq": n * 4 + at + 1,
                        "run": run,
                        "time": moment,
                        "type": type_,
                        "step": step,
                        "data": json.dumps(data),
                    },
                )
        connection.execute(text("UPDATE counters SET events = 13, runs = 3"))
    engine.dispose()
    return ids


def test_runs_of_the_first_version(empty_url: str, new_run: NewRun) -> None:
    migrate(empty_url, "0001")
    ids = write_first(empty_url, new_run)
    store = open_store(empty_url)
    for n, run in enumerate(ids):
        found = store.get_run(run)
        assert found.parameters == {"rate": n / 10, "text": "\0"}
        assert found.cache
        assert found == fold(store.events(run=run))
    # Who asked for a stop asked for it still; a run that has ended hears nothing.
    assert [(each.run, each.request) for each in store.requests(ids)] == [(ids[1], Request(kind="stop"))]
    assert store.results(["x"]) == {}
    assert store.last_result("flows/churn.mlwf", "a") is None
    assert store.create_run(new_run, NOW).number == 4
    store.close()
