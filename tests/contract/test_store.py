"""What `ports.RunStore` promises of runs and their events, held on both databases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from pydantic import JsonValue
from sqlalchemy.exc import StatementError

from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.errors import BadRequest, NotFound
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.core.record import summary
from jupyter_mlwf.core.run import Event, Origin
from jupyter_mlwf.core.workflow import Workflow
from jupyter_mlwf.ports import NewRun
from jupyter_mlwf.store import SqlRunStore
from tests.contract.store_events import NOW, claimed, ended, event, started


def test_a_run_is_created_with_its_first_event(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    assert (run.number, run.state, run.seq, run.created) == (1, "queued", 1, NOW)
    assert (run.workflow, run.origin, run.parameters) == (new_run.workflow, new_run.origin, new_run.parameters)
    [first] = store.events()
    assert (first.seq, first.type, first.run, first.step) == (1, "run.created", run.id, None)
    assert store.get_run(run.id) == run == fold([first])
    assert store.last_seq() == 1


@pytest.mark.parametrize("cache", [True, False])
def test_whether_results_of_earlier_runs_may_serve_is_kept(store: SqlRunStore, new_run: NewRun, cache: bool) -> None:
    run = store.create_run(replace(new_run, cache=cache), NOW)
    assert run.cache is cache
    assert store.get_run(run.id).cache is cache


def test_parameters_are_changed(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    store.append(claimed(store, run), [event(run.id, "run.changed", parameters={"depth": 3})])
    found = store.get_run(run.id)
    assert found.parameters == {"rate": 0.1, "depth": 3}
    assert found == fold(store.events())


def test_a_run_without_steps(store: SqlRunStore) -> None:
    run = store.create_run(NewRun(Workflow(name="empty"), Origin(path="empty.mlwf"), {}), NOW)
    assert store.get_run(run.id) == run


def test_ids_sort_by_time_and_serve_as_names_of_folders(store: SqlRunStore, new_run: NewRun) -> None:
    ids = [store.create_run(new_run, NOW + timedelta(milliseconds=n)).id for n in range(20)]
    assert ids == sorted(ids)
    assert all(re.fullmatch("r[a-z0-9]{19}", id_) for id_ in ids)
    assert len({store.create_run(new_run, NOW).id for _ in range(20)}) == 20


def test_a_run_is_found_by_number(store: SqlRunStore, new_run: NewRun) -> None:
    store.create_run(new_run, NOW)
    second = store.create_run(new_run, NOW)
    assert store.get_run("2") == second


@pytest.mark.parametrize(
    "name", ["3", "0", "-1", "", "9" * 18, "9" * 400, "r" + "0" * 19, "../x", "\0", "\ud800", "٣", "' OR 1=1 --"]
)
def test_what_is_no_run_is_not_found(store: SqlRunStore, new_run: NewRun, name: str) -> None:
    store.create_run(new_run, NOW)
    with pytest.raises(NotFound, match="There is no run"):
        store.get_run(name)


def test_rows_of_runs_are_the_newest_first_and_in_pages(store: SqlRunStore, new_run: NewRun) -> None:
    other = replace(
        new_run, workflow=new_run.workflow.model_copy(update={"name": "other"}), origin=Origin(path="x.mlwf")
    )
    runs = [store.create_run(other if n % 3 == 0 else new_run, NOW) for n in range(7)]
    ended(store, runs[6])
    rows = store.list_runs()
    assert rows == [summary(store.get_run(run.id)) for run in reversed(runs)]
    assert rows[0].state == "stopped"
    assert rows[0].seconds == 0
    assert [row.number for row in store.list_runs(limit=3)] == [7, 6, 5]
    assert [row.number for row in store.list_runs(limit=3, before=5)] == [4, 3, 2]
    assert [row.number for row in store.list_runs(workflow="other")] == [7, 4, 1]
    assert [row.number for row in store.list_runs(path="flows/churn.mlwf", before=6)] == [5, 3, 2]
    assert store.list_runs(workflow="none") == []


def test_a_run_keeps_its_notebooks(store: SqlRunStore, new_run: NewRun) -> None:
    content = b"\x00notebook\xff"
    sha = hashlib.sha256(content).hexdigest()
    frozen = replace(new_run, origin=Origin(path="x.mlwf", files={"a.ipynb": sha}))
    with pytest.raises(BadRequest, match=r"content of 'a\.ipynb' is missing"):
        store.create_run(frozen, NOW)
    with pytest.raises(BadRequest, match=r"content of 'a\.ipynb' is not what its digest says"):
        store.create_run(replace(frozen, blobs={sha: b"other"}), NOW)
    assert store.list_runs() == []
    run = store.create_run(replace(frozen, blobs={sha: content}), NOW)
    assert store.get_blob(sha) == content
    assert store.get_run(run.id).origin == frozen.origin
    store.create_run(frozen, NOW)  # it is there already
    with pytest.raises(NotFound):
        store.get_blob("0" * 64)


def test_events_are_numbered_over_the_whole_store(store: SqlRunStore, new_run: NewRun) -> None:
    one, two = store.create_run(new_run, NOW), store.create_run(new_run, NOW)
    first = store.append(claimed(store, one), [event(one.id, "run.started"), started(one.id, "a")])
    second = store.append(claimed(store, two), [event(two.id, "run.started")])
    assert [e.seq for e in first + second] == [3, 4, 5]
    assert store.events(after=2) == first + second
    assert store.events(after=1, limit=2) == [store.events()[1], first[0]]
    assert store.events(after=2, run=one.id) == first
    assert store.events(after=5) == []
    assert store.last_seq() == 5


def test_times_come_back_in_utc(store: SqlRunStore, new_run: NewRun) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    run = store.create_run(new_run, tokyo)
    [first] = store.events()
    assert first.time == NOW
    assert first.time.utcoffset() == timedelta(0)
    [row] = store.list_runs()
    assert row.created == NOW
    assert row.created.utcoffset() == timedelta(0)
    assert store.get_run(run.id).created == NOW
    with pytest.raises(StatementError, match="has no time zone"):
        store.create_run(new_run, NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "value",
    [
        "nul \0, quote ', back\\slash, 漢字, 🙂",
        2**80,
        -0.1,
        1e-320,
        [None, True, {"": [[]], "k": {}}],
        "",
        "x" * 2_000_000,
    ],
    ids=["text", "long", "float", "tiny", "nested", "empty", "large"],
)
def test_values_come_back_as_they_were(store: SqlRunStore, new_run: NewRun, value: JsonValue) -> None:
    run = store.create_run(new_run, NOW)
    log = [started(run.id, "a"), event(run.id, "step.output", "a", name="table", value=value)]
    assert store.append(claimed(store, run), log)[1].data["value"] == value
    assert store.events()[-1].data["value"] == value
    assert store.get_run(run.id).steps["a"].outputs == {"table": value}


def test_what_cannot_be_appended_leaves_nothing_behind(store: SqlRunStore, new_run: NewRun) -> None:
    run, other = store.create_run(new_run, NOW), store.create_run(new_run, NOW)
    lease = claimed(store, run)
    good = event(run.id, "run.started")
    with pytest.raises(ValueError, match=r"events of .* for "):
        store.append(lease, [good, event(other.id, "run.started")])
    with pytest.raises(ValueError, match=r"has no steps \['zzz'\]"):
        store.append(lease, [good, event(run.id, "step.queued", "zzz")])
    with pytest.raises(ValueError, match=r"run\.created is not an event"):
        store.append(lease, [good, event(run.id, "run.created")])
    with pytest.raises(StatementError, match="not JSON compliant"):
        store.append(lease, [good, event(run.id, "step.output", "a", name="x", value=float("nan"))])
    assert store.get_run(run.id) == run
    assert store.last_seq() == 2
    assert store.append(lease, []) == []
    assert [e.seq for e in store.append(lease, [good])] == [3]


def test_many_steps_in_one_append(store: SqlRunStore) -> None:
    steps: JsonValue = {f"s{n}": {"notebook": "x.ipynb"} for n in range(1200)}
    workflow = from_json({"mlwf": 1, "name": "wide", "steps": steps})
    run = store.create_run(NewRun(workflow, Origin(path="wide.mlwf"), {}), NOW)
    store.append(claimed(store, run), [event(run.id, "step.queued", step) for step in workflow.steps])
    found = store.get_run(run.id)
    assert {step.state for step in found.steps.values()} == {"queued"}
    assert list(found.steps) == list(workflow.steps)
    assert found == fold(store.events(limit=2000))


def test_the_log_of_a_run_is_read_in_pages(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    lease = claimed(store, run)
    log: Sequence[Event] = store.append(
        lease, [started(run.id, "a"), *(event(run.id, "step.progress", "a", cell=n, cells=25) for n in range(25))]
    )
    read: list[Event] = []
    while page := store.events(read[-1].seq if read else 1, run=run.id, limit=7):
        read += page
    assert read == log
