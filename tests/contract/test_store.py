"""What `ports.RunStore` promises, held on both databases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, StatementError

from jupyter_mlwf.core.codec import from_json
from jupyter_mlwf.core.errors import BadRequest, Conflict, NotFound
from jupyter_mlwf.core.plan import Cancel, Emit, Start, plan
from jupyter_mlwf.core.record import summary
from jupyter_mlwf.core.release import Release, ReleaseSummary, digest
from jupyter_mlwf.core.run import Event, EventType, Origin, Run, fold
from jupyter_mlwf.core.workflow import Workflow
from jupyter_mlwf.ports import Lease, NewRun, RunStore, StaleLease
from jupyter_mlwf.store import SqlRunStore

NOW = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)
WORKSPACE = PurePosixPath("/workspace")


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


# Runs


def test_a_run_is_created_with_its_first_event(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    assert (run.number, run.state, run.seq, run.created) == (1, "queued", 1, NOW)
    assert (run.workflow, run.origin, run.parameters) == (new_run.workflow, new_run.origin, new_run.parameters)
    [first] = store.events()
    assert (first.seq, first.type, first.run, first.step) == (1, "run.created", run.id, None)
    assert store.get_run(run.id) == run == fold([first])
    assert store.last_seq() == 1


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


# Events


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
    with pytest.raises(ValueError, match="under a lease of"):
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


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    steps: dict[str, JsonValue] = {}
    for n in range(draw(st.integers(0, 5))):
        before = draw(st.lists(st.sampled_from(sorted(steps)), unique=True)) if steps else []
        wired = {f"x{other}": {"from": f"steps.{other}.outputs.table"} for other in before if draw(st.booleans())}
        after = [other for other in before if f"x{other}" not in wired]
        steps[f"s{n}"] = {"notebook": f"{n}.ipynb", "parameters": wired, "after": after}  # type: ignore[dict-item]
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


def next_events(data: st.DataObject, run: Run, now: datetime) -> list[Event]:
    """What a worker and its notebooks might append to a run next."""
    batch: list[Event] = []

    def add(type_: EventType, step: str | None = None, values: dict[str, JsonValue] | None = None) -> None:
        batch.append(Event(run=run.id, time=now, type=type_, step=step, data=values or {}))

    running = [name for name, step in run.steps.items() if step.state == "running"]
    for action in plan(run, data.draw(st.integers(0, 2)), WORKSPACE):
        match action:
            case Emit(type_, step, values):
                add(type_, step, values)
            case Start(step, attempt, parameters):
                values = {"attempt": attempt, "parameters": parameters, "notebook": f"{attempt}/{step}.ipynb"}
                add("step.started", step, values)
                running.append(step)
            case Cancel():
                pass
    for step in running:
        for type_ in data.draw(st.lists(st.sampled_from(sorted(REPORTS)), max_size=3)):
            add(type_, step, data.draw(REPORTS[type_]))
        if data.draw(st.booleans()):
            type_ = data.draw(st.sampled_from(sorted(ENDINGS)))
            add(type_, step, data.draw(ENDINGS[type_]))
    if (
        run.state == "running"
        and not any(e.type == "run.finished" for e in batch)
        and data.draw(st.integers(0, 9)) == 9
    ):
        add("run.stopping")
    return batch


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_rows_are_the_fold_of_the_events(store: SqlRunStore, data: st.DataObject) -> None:
    run = store.create_run(NewRun(data.draw(workflows()), Origin(path="x.mlwf"), {}), NOW)
    lease = claimed(store, run)
    now = NOW
    for _ in range(12):
        now += timedelta(microseconds=data.draw(st.integers(0, 10**8)))
        store.append(lease, next_events(data, run, now))
        run = store.get_run(run.id)
        assert run == fold(store.events(run=run.id))
        [row] = store.list_runs(limit=1)
        assert row == summary(run)
        if run.ended:
            break


# Leases


def test_the_oldest_run_is_claimed_first(store: SqlRunStore, new_run: NewRun) -> None:
    assert store.claim("w", NOW, 60) is None
    assert not store.claimable(NOW)
    runs = [store.create_run(new_run, NOW) for _ in range(3)]
    assert store.claimable(NOW)
    ended(store, runs[0])
    assert store.claim("w", NOW, 60, runs[0].id) is None  # it has ended
    assert claimed(store, runs[2]).run == runs[2].id
    assert store.claim("w", NOW, 60, runs[2].id) is None  # it is held
    assert store.claim("w", NOW, 60, "r" + "0" * 19) is None  # it is not
    lease = store.claim("w", NOW, 60)
    assert lease == Lease(runs[1].id, "w", 1)
    assert store.claim("w", NOW, 60) is None
    assert not store.claimable(NOW)


def test_an_expired_lease_is_taken_over_and_its_holder_refused(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    old = store.claim("old", NOW, 60)
    assert old is not None
    almost = NOW + timedelta(seconds=59)
    assert store.claim("new", almost, 60) is None
    store.renew(old, almost, 60)
    late = NOW + timedelta(seconds=119)
    assert store.claim("new", late - timedelta(microseconds=1), 60) is None
    store.append(old, [event(run.id, "run.started")])
    new = store.claim("new", late, 60)
    assert new == Lease(run.id, "new", old.token + 1)

    before = store.get_run(run.id), store.last_seq()
    with pytest.raises(StaleLease):
        store.append(old, [started(run.id, "a")])
    with pytest.raises(StaleLease):
        store.append(old, [])
    with pytest.raises(StaleLease):
        store.renew(old, late, 60)
    store.give_back(old)
    assert store.claim("third", late, 60) is None
    assert (store.get_run(run.id), store.last_seq()) == before
    store.append(new, [started(run.id, "a")])


def test_a_run_that_was_given_back_can_be_claimed_at_once(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    lease = claimed(store, run)
    store.give_back(lease)
    store.give_back(lease)
    with pytest.raises(StaleLease):
        store.append(lease, [event(run.id, "run.started")])
    assert store.claim("worker", NOW, 60) == replace(lease, token=lease.token + 1)
    with pytest.raises(StaleLease):  # the same owner, but an older lease
        store.append(lease, [event(run.id, "run.started")])


def test_a_stop_is_asked_for(store: SqlRunStore, new_run: NewRun) -> None:
    one, two, three = (store.create_run(new_run, NOW).id for _ in range(3))
    store.request_stop(two)
    store.request_stop(two)
    ended(store, store.get_run(three))
    store.request_stop(three)
    assert store.stop_requested([one, two, three]) == {two}
    assert store.stop_requested([one]) == set()
    assert store.stop_requested([]) == set()
    with pytest.raises(NotFound):
        store.request_stop("r" + "0" * 19)


# Releases


def a_release(workflow: Workflow, version: str, files: dict[str, bytes], name: str = "churn") -> Release:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return Release(
        name=name,
        version=version,
        title="Churn",
        notes="Better.\n",
        created=NOW,
        author="ada",
        digest=digest(workflow, digests),
        path="flows/churn.mlwf",
        workflow=workflow,
        files=digests,
    )


def contents(files: dict[str, bytes]) -> dict[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for content in files.values()}


FILES = {"b.ipynb": b"\x00\xff", "a.ipynb": b"{}", "copy.ipynb": b"{}"}


def test_a_release_is_kept_with_its_files(store: SqlRunStore, new_run: NewRun) -> None:
    release = a_release(new_run.workflow, "1.0.0", FILES)
    store.add_release(release, contents(FILES))
    found = store.get_release("churn", "1.0.0")
    assert found == release
    assert found.created.utcoffset() == timedelta(0)
    assert digest(found.workflow, found.files) == found.digest
    assert [store.get_blob(sha) for sha in release.files.values()] == list(FILES.values())


def test_the_highest_version_is_the_newest(store: SqlRunStore, new_run: NewRun) -> None:
    for version in ["1.9.0", "1.10.0", "1.2.11"]:
        store.add_release(a_release(new_run.workflow, version, {}), {})
    store.add_release(a_release(new_run.workflow, "3.0.0", {}, name="alpha"), {})
    assert store.get_release("churn").version == "1.10.0"
    assert [(row.name, row.version) for row in store.list_releases()] == [
        ("alpha", "3.0.0"),
        ("churn", "1.10.0"),
        ("churn", "1.9.0"),
        ("churn", "1.2.11"),
    ]
    rows = store.list_releases("alpha")
    assert rows == [ReleaseSummary(**dict(store.get_release("alpha")))]
    assert store.list_releases("none") == []
    with pytest.raises(NotFound, match="There is no release of 'none'"):
        store.get_release("none")
    with pytest.raises(NotFound, match=r"no release 2\.0\.0 of 'churn'; the newest are 1\.10\.0, 1\.9\.0, 1\.2\.11"):
        store.get_release("churn", "2.0.0")


def test_a_version_is_released_once(store: SqlRunStore, new_run: NewRun) -> None:
    store.add_release(a_release(new_run.workflow, "1.0.0", {}), {})
    with pytest.raises(Conflict, match=r"'churn' 1\.0\.0 is released already"):
        store.add_release(a_release(new_run.workflow, "1.0.0", FILES), contents(FILES))
    assert store.get_release("churn").files == {}
    with pytest.raises(NotFound):
        store.get_blob(hashlib.sha256(b"{}").hexdigest())


def test_a_release_is_whole_or_refused(store: SqlRunStore, new_run: NewRun) -> None:
    release = a_release(new_run.workflow, "1.0.0", FILES)
    given = contents(FILES)
    with pytest.raises(BadRequest, match=r"content of 'b\.ipynb' is missing"):
        store.add_release(release, {sha: given[sha] for sha in given if given[sha] == b"{}"})
    with pytest.raises(BadRequest, match="is not what its digest says"):
        store.add_release(release, dict.fromkeys(given, b"{}"))
    assert store.list_releases() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = '{}'",
        "DELETE FROM events",
        "UPDATE releases SET notes = ''",
        "DELETE FROM releases",
        "UPDATE blobs SET content = 'x'",
        "DELETE FROM blobs",
    ],
)
def test_what_never_changes_is_guarded_by_the_database(
    store: SqlRunStore, store_url: str, new_run: NewRun, statement: str
) -> None:
    store.create_run(new_run, NOW)
    store.add_release(a_release(new_run.workflow, "1.0.0", FILES), contents(FILES))
    engine = create_engine(store_url)
    with pytest.raises(DBAPIError, match="never change"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


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
