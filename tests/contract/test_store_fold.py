"""The rows of a run are the fold of its events, whatever a worker and people append."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePosixPath

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from jupyter_mlwf.core.actions import Cancel, Emit, Look, Start, Wake
from jupyter_mlwf.core.capacity import Amount
from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.core.plan import plan
from jupyter_mlwf.core.record import summary
from jupyter_mlwf.core.retry import again
from jupyter_mlwf.core.run import Event, EventType, Origin, Run
from jupyter_mlwf.core.workflow import Workflow
from jupyter_mlwf.ports import NewRun
from jupyter_mlwf.store import SqlRunStore
from tests.contract.store_events import NOW, claimed

MACHINE = Amount(2, 2**30)
WORKSPACE = PurePosixPath("/workspace")


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    steps: dict[str, JsonValue] = {}
    for n in range(draw(st.integers(0, 5))):
        before = draw(st.lists(st.sampled_from(sorted(steps)), unique=True)) if steps else []
        wired = {f"x{other}": {"from": f"steps.{other}.outputs.table"} for other in before if draw(st.booleans())}
        after = [other for other in before if f"x{other}" not in wired]
        step: dict[str, JsonValue] = {"notebook": f"{n}.ipynb", "parameters": dict(wired), "after": list(after)}
        if draw(st.booleans()):
            step["retries"] = {"count": draw(st.integers(0, 2)), "delay": draw(st.sampled_from(["0s", "30s"]))}
        steps[f"s{n}"] = step
    return from_json({"mlwf": 1, "name": "drawn", "steps": steps})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NUMBERS = st.none() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
REPORTS: dict[EventType, st.SearchStrategy[dict[str, JsonValue]]] = {
    "step.progress": st.fixed_dictionaries({"cell": st.integers(0, 9), "cells": st.just(9)}),
    "step.output": st.fixed_dictionaries({"name": st.sampled_from(["table", "rows"]), "value": VALUES}),
    "step.artifact": st.fixed_dictionaries(
        {"name": st.just("model"), "path": st.text(max_size=5), "bytes": st.integers(0, 2**40)},
        optional={"sha256": st.none() | st.just("ab" * 32)},
    ),
    "step.metric": st.fixed_dictionaries({"name": st.sampled_from(["auc", "loss"]), "value": NUMBERS}),
    "step.check": st.fixed_dictionaries(
        {"name": st.just("rows"), "value": VALUES, "passed": st.booleans()},
        optional={"min": NUMBERS, "max": NUMBERS, "kind": st.just("model"), "samples": st.lists(VALUES, max_size=2)},
    ),
}
ENDINGS: dict[EventType, st.SearchStrategy[dict[str, JsonValue]]] = {
    "step.succeeded": st.just({}),
    "step.failed": st.fixed_dictionaries(
        {"reason": st.sampled_from(["error", "kernel-died", "check"]), "message": st.text(max_size=9)},
        optional={"cell": st.none() | st.integers(0, 9)},
    ),
    "step.stopped": st.just({}),
    "step.lost": st.just({}),
}
PARAMETERS = st.dictionaries(st.sampled_from(["rate", "depth"]), VALUES, max_size=2)
COMPARISONS = st.just({}) | st.fixed_dictionaries(
    {"fingerprint": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)},
    optional={"not_cached": st.none() | st.text(max_size=9)},
)
RESULTS: st.SearchStrategy[dict[str, JsonValue]] = st.fixed_dictionaries(
    {
        "outputs": st.dictionaries(st.sampled_from(["table", "rows"]), VALUES, max_size=2),
        "artifacts": st.just({}) | st.just({"model": {"path": "m", "bytes": 1, "sha256": None}}),
        "metrics": st.dictionaries(st.just("auc"), NUMBERS, max_size=1),
        "checks": st.just({}),
        "fingerprint": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        "source": st.fixed_dictionaries(
            {
                "run": st.just("r" * 20),
                "number": st.just(1),
                "attempt": st.integers(1, 3),
                "finished": st.just(NOW.isoformat()),
                "seconds": st.just(0.5),
                "notebook": st.text(max_size=9),
            }
        ),
    }
)
#: What people may have a run do, by its state.
ASKED: dict[str, list[EventType]] = {
    "running": ["run.stopping", "run.paused", "run.changed"],
    "waiting": ["run.continued", "run.stopping", "run.changed"],
}


def next_events(data: st.DataObject, run: Run, now: datetime) -> list[Event]:
    """What a worker, its notebooks and people might append to a run next."""
    batch: list[Event] = []

    def add(type_: EventType, step: str | None = None, values: dict[str, JsonValue] | None = None) -> None:
        batch.append(Event(run=run.id, time=now, type=type_, step=step, data=values or {}))

    if run.ended:
        add("run.retried")
        for step in again(run):
            add("step.retried", step)
        return batch
    running = [name for name, step in run.steps.items() if step.state == "running"]
    free = Amount(data.draw(st.integers(0, 2)), MACHINE.memory)
    missed = frozenset(name for name in run.steps if data.draw(st.booleans()))
    for action in plan(run, now, free, MACHINE, WORKSPACE, missed):
        match action:
            case Emit(type_, step, values):
                add(type_, step, values)
            case Look(step, parameters):
                add("step.cached", step, data.draw(RESULTS) | {"parameters": parameters})
            case Start(step, attempt, parameters):
                values = {"attempt": attempt, "parameters": parameters, "notebook": f"{attempt}/{step}.ipynb"}
                add("step.started", step, values | data.draw(COMPARISONS))
                running.append(step)
            case Cancel() | Wake():
                pass
    for step in running:
        for type_ in data.draw(st.lists(st.sampled_from(sorted(REPORTS)), max_size=3)):
            add(type_, step, data.draw(REPORTS[type_]))
        if data.draw(st.booleans()):
            type_ = data.draw(st.sampled_from(sorted(ENDINGS)))
            add(type_, step, data.draw(ENDINGS[type_]))
    if run.state in ASKED and not any(e.type == "run.finished" for e in batch) and data.draw(st.integers(0, 4)) == 4:
        type_ = data.draw(st.sampled_from(ASKED[run.state]))
        add(type_, None, {"parameters": data.draw(PARAMETERS)} if type_ == "run.changed" else {})
    return batch


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_rows_are_the_fold_of_the_events(store: SqlRunStore, data: st.DataObject) -> None:
    cache = data.draw(st.booleans())
    run = store.create_run(NewRun(data.draw(workflows()), Origin(path="x.mlwf"), {}, cache), NOW)
    lease = claimed(store, run)
    now = NOW
    for _ in range(12):
        now += timedelta(microseconds=data.draw(st.integers(0, 10**8)))
        events = next_events(data, run, now)
        if run.ended:
            store.reopen(run.id, events)
        else:
            store.append(lease, events)
        run = store.get_run(run.id)
        assert run == fold(store.events(run=run.id))
        [row] = store.list_runs(limit=1)
        assert row == summary(run)
        if run.ended and (run.state == "succeeded" or data.draw(st.booleans())):
            break
