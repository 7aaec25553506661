"""Events that the tests of the store append."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import JsonValue

from jupyter_mlwf.core.run import Event, EventType, Run
from jupyter_mlwf.ports import Lease, RunStore

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
#: An id that no run has.
NO_RUN = "r" + "0" * 19


def event(run: str, type_: EventType, step: str | None = None, **data: JsonValue) -> Event:
    return Event(run=run, time=NOW, type=type_, step=step, data=data)


def started(run: str, step: str, attempt: int = 1) -> Event:
    return event(run, "step.started", step, attempt=attempt, parameters={}, notebook=f"{step}.ipynb")


def claimed(store: RunStore, run: Run) -> Lease:
    lease = store.claim("worker", NOW, 60, run.id)
    assert lease is not None
    return lease


def ended(store: RunStore, run: Run) -> None:
    lease = claimed(store, run)
    store.append(lease, [event(run.id, "run.started"), event(run.id, "run.finished", state="stopped")])
    store.give_back(lease)
