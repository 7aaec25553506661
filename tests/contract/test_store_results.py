"""Results of earlier runs that may serve again, held on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from jupyter_mlwf.core.cache import Earlier, key
from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.run import EventType, Origin, Run, Source
from jupyter_mlwf.ports import Lease, NewRun
from jupyter_mlwf.store import SqlRunStore
from tests.contract.store_events import NOW, claimed, event

PRINT: JsonValue = {"code": "c1", "parameter rate": "p1"}
KEY = key({"code": "c1", "parameter rate": "p1"})


def executed(
    store: SqlRunStore,
    new_run: NewRun,
    *,
    value: int,
    ending: EventType = "step.succeeded",
    fingerprint: JsonValue = PRINT,
) -> Run:
    """A run whose step `a` was executed."""
    run = store.create_run(new_run, NOW)
    started: dict[str, JsonValue] = {"attempt": 1, "parameters": {"rate": 1}, "notebook": f"{run.id}/a.ipynb"}
    store.append(
        claimed(store, run),
        [
            event(run.id, "run.started"),
            event(run.id, "step.started", "a", **started, fingerprint=fingerprint),
            event(run.id, "step.output", "a", name="table", value=value),
            event(run.id, ending, "a").model_copy(update={"time": NOW + timedelta(seconds=2)}),
        ],
    )
    return store.get_run(run.id)


def test_a_result_is_found_by_its_key_with_where_it_comes_from(store: SqlRunStore, new_run: NewRun) -> None:
    assert store.results([KEY]) == {}
    run = executed(store, new_run, value=1)
    source = Source(
        run=run.id,
        number=1,
        attempt=1,
        finished=NOW + timedelta(seconds=2),
        seconds=2,
        notebook=f"{run.id}/a.ipynb",
    )
    assert store.results([KEY, KEY, "other"]) == {KEY: Earlier(source, run.steps["a"])}
    assert store.results([]) == {}
    assert store.results(["other"]) == {}


def test_the_newest_result_wins(store: SqlRunStore, new_run: NewRun) -> None:
    for value in range(3):
        executed(store, new_run, value=value)
    assert store.results([KEY])[KEY].step.outputs == {"table": 2}
    last = store.last_result("flows/churn.mlwf", "a")
    assert last
    assert last == store.results([KEY])[KEY]


@pytest.mark.parametrize("ending", ["step.failed", "step.stopped", "step.lost"])
def test_only_what_succeeded_is_found(store: SqlRunStore, new_run: NewRun, ending: EventType) -> None:
    executed(store, new_run, value=1, ending=ending)
    assert store.results([KEY]) == {}
    assert store.last_result("flows/churn.mlwf", "a") is None


def test_what_has_no_fingerprint_is_not_found(store: SqlRunStore, new_run: NewRun) -> None:
    executed(store, new_run, value=1, fingerprint={})
    assert store.results([KEY, key({})]) == {}
    assert store.last_result("flows/churn.mlwf", "a") is None


def test_what_was_taken_over_is_not_found_but_what_it_was_taken_from(store: SqlRunStore, new_run: NewRun) -> None:
    first = executed(store, new_run, value=1)
    second = store.create_run(new_run, NOW)
    taken: dict[str, JsonValue] = {
        "parameters": {},
        "outputs": {"table": 1},
        "artifacts": {},
        "metrics": {},
        "checks": {},
        "fingerprint": PRINT,
        "source": store.results([KEY])[KEY].source.model_dump(mode="json"),
    }
    store.append(claimed(store, second), [event(second.id, "step.cached", "a", **taken)])
    assert store.results([KEY])[KEY].source.run == first.id


def test_a_result_that_is_executed_again_is_gone(store: SqlRunStore, new_run: NewRun) -> None:
    run = executed(store, new_run, value=1)
    lease = claimed_again(store, run)
    assert store.results([KEY]) == {}
    started: dict[str, JsonValue] = {
        "attempt": 2,
        "parameters": {},
        "notebook": "2.ipynb",
        "fingerprint": {"code": "2"},
    }
    store.append(lease, [event(run.id, "step.started", "a", **started), event(run.id, "step.succeeded", "a")])
    assert store.results([KEY]) == {}
    assert store.results([key({"code": "2"})])[key({"code": "2"})].source.attempt == 2


def claimed_again(store: SqlRunStore, run: Run) -> Lease:
    """The lease of a run that goes on, with its step `a` to be executed again."""
    store.forget("worker")
    lease = claimed(store, run)
    store.append(lease, [event(run.id, "step.retried", "a")])
    return lease


def test_the_last_result_is_of_the_document_and_the_step(store: SqlRunStore, new_run: NewRun) -> None:
    executed(store, new_run, value=1)
    other = replace(new_run, origin=Origin(path="other.mlwf"))
    executed(store, other, value=2, fingerprint={"code": "c2"})
    for _ in range(3):
        store.create_run(new_run, NOW)  # without a result
    last = store.last_result("flows/churn.mlwf", "a")
    assert last
    assert last.step.outputs == {"table": 1}
    assert store.last_result("flows/churn.mlwf", "b") is None
    assert store.last_result("none.mlwf", "a") is None


def test_more_keys_than_a_statement_takes(store: SqlRunStore) -> None:
    count = 1300
    steps: JsonValue = {f"s{n}": {"notebook": "x.ipynb"} for n in range(count)}
    workflow = from_json({"mlwf": 1, "name": "wide", "steps": steps})
    run = store.create_run(NewRun(workflow, Origin(path="wide.mlwf"), {}), NOW)
    events = []
    for n in range(count):
        data: dict[str, JsonValue] = {"attempt": 1, "parameters": {}, "notebook": "x.ipynb"}
        events.append(event(run.id, "step.started", f"s{n}", **data, fingerprint={"code": str(n)}))
        events.append(event(run.id, "step.succeeded", f"s{n}"))
    store.append(claimed(store, run), events)
    keys = [key({"code": str(n)}) for n in range(count + 200)]
    found = store.results(iter(keys))
    assert set(found) == set(keys[:count])
    assert [found[each].step.fingerprint["code"] for each in keys[:count]] == [str(n) for n in range(count)]
