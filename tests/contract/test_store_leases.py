"""Leases, requests and reopened runs, held on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jupyter_mlwf.core.errors import Conflict, NotFound
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.ports import Lease, NewRun, Pending, Request, StaleLease
from jupyter_mlwf.store import SqlRunStore
from tests.contract.store_events import NO_RUN, NOW, claimed, ended, event, started


def test_the_oldest_run_is_claimed_first(store: SqlRunStore, new_run: NewRun) -> None:
    assert store.claim("w", NOW, 60) is None
    assert not store.claimable(NOW)
    runs = [store.create_run(new_run, NOW) for _ in range(3)]
    assert store.claimable(NOW)
    ended(store, runs[0])
    assert store.claim("w", NOW, 60, runs[0].id) is None  # it has ended
    assert claimed(store, runs[2]).run == runs[2].id
    assert store.claim("w", NOW, 60, runs[2].id) is None  # it is held
    assert store.claim("w", NOW, 60, NO_RUN) is None  # it is not
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


def test_what_is_asked_is_told_until_it_is_handled(store: SqlRunStore, new_run: NewRun) -> None:
    one, two = store.create_run(new_run, NOW), store.create_run(new_run, NOW)
    asked = [
        Request(kind="pause"),
        Request(kind="change", parameters={"rate": 0.2, "text": "\0"}),
        Request(kind="stop", step="a"),
    ]
    for request in asked:
        store.request(one.id, request)
    store.request(two.id, Request(kind="stop"))
    pending = store.requests([one.id, two.id])
    assert [each.request for each in pending] == [*asked, Request(kind="stop")]
    assert [each.run for each in pending] == [one.id] * 3 + [two.id]
    assert store.requests([two.id]) == pending[3:]
    assert store.requests([]) == []
    lease = claimed(store, one)
    store.append(lease, [event(one.id, "run.started")], [pending[0].id])
    store.append(lease, [], [pending[2].id])
    assert store.requests([one.id]) == [Pending(pending[1].id, one.id, asked[1])]
    with pytest.raises(NotFound, match="There is no run"):
        store.request(NO_RUN, Request(kind="stop"))


def test_a_number_of_a_request_is_not_given_again(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    lease = claimed(store, run)
    seen = set()
    for _ in range(3):
        store.request(run.id, Request(kind="pause"))
        [pending] = store.requests([run.id])
        store.append(lease, [], [pending.id])
        seen.add(pending.id)
    assert len(seen) == 3


def test_a_stale_worker_handles_nothing(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    old = claimed(store, run)
    assert store.claim("new", NOW + timedelta(seconds=60), 60)
    store.request(run.id, Request(kind="stop"))
    [pending] = store.requests([run.id])
    with pytest.raises(StaleLease):
        store.append(old, [event(run.id, "run.stopping")], [pending.id])
    assert store.requests([run.id]) == [pending]


def test_a_run_that_has_ended_hears_nothing(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    store.request(run.id, Request(kind="stop"))
    ended(store, run)
    store.request(run.id, Request(kind="stop"))
    assert store.requests([run.id]) == []
    store.reopen(run.id, [event(run.id, "run.retried")])
    assert store.requests([run.id]) == []
    store.request(run.id, Request(kind="pause"))
    assert [each.request.kind for each in store.requests([run.id])] == ["pause"]


def test_a_run_that_has_ended_is_opened_again(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    events = [event(run.id, "run.retried"), event(run.id, "step.retried", "a", fresh=True)]
    with pytest.raises(Conflict, match="Run 1 has not ended: it goes on by itself"):
        store.reopen(run.id, events)
    with pytest.raises(NotFound, match="There is no run"):
        store.reopen(NO_RUN, events)
    assert store.last_seq() == 1
    ended(store, run)
    assert store.claim("w", NOW, 60) is None
    assert [each.seq for each in store.reopen(run.id, events)] == [4, 5]
    found = store.get_run(run.id)
    assert (found.state, found.finished, found.steps["a"].fresh) == ("running", None, True)
    assert found == fold(store.events())
    assert store.claim("w", NOW, 60) == Lease(run.id, "w", 2)


def test_whoever_holds_runs_is_known_and_forgotten(store: SqlRunStore, new_run: NewRun) -> None:
    runs = [store.create_run(new_run, NOW) for _ in range(4)]
    leases = [store.claim(owner, NOW, 60, run.id) for owner, run in zip("aab", runs, strict=False)]
    assert store.holders() == {"a", "b"}
    store.forget("a")
    store.forget("nobody")
    assert store.holders() == {"b"}
    assert leases[0]
    assert leases[2]
    with pytest.raises(StaleLease):
        store.append(leases[0], [event(runs[0].id, "run.started")])
    store.append(leases[2], [event(runs[2].id, "run.started"), event(runs[2].id, "run.finished", state="stopped")])
    assert store.holders() == set()
    assert {(lease.run, lease.token) for lease in [store.claim("c", NOW, 60) for _ in range(3)] if lease} == {
        (runs[0].id, 2),
        (runs[1].id, 2),
        (runs[3].id, 1),
    }


def test_those_that_have_ended_are_told_apart(store: SqlRunStore, new_run: NewRun) -> None:
    done, open_ = store.create_run(new_run, NOW), store.create_run(new_run, NOW)
    ended(store, done)
    assert store.ended([done.id, open_.id, NO_RUN]) == {done.id}
    assert store.ended([]) == set()
