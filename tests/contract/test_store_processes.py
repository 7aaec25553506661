"""The store under several threads and processes at once, on both databases."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from jupyter_mlwf.core.errors import Conflict
from jupyter_mlwf.core.fold import fold
from jupyter_mlwf.core.release import Release, digest
from jupyter_mlwf.core.run import Event
from jupyter_mlwf.ports import NewRun, Request
from jupyter_mlwf.store import SqlRunStore, open_store

NOW = datetime(2026, 3, 29, tzinfo=UTC)
SCRIPT = Path(__file__).with_name("store_process.py")


class Process:
    """A run of `store_process.py`, held at `ready` until told to go."""

    def __init__(self, action: str, *arguments: str) -> None:
        command = [sys.executable, str(SCRIPT), action, *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def lines(self) -> list[str]:
        """All further lines, once it has succeeded."""
        output = self._process.communicate(timeout=300)[0]
        assert self._process.returncode == 0
        return output.split()

    def kill(self) -> list[str]:
        """SIGKILL; the lines that it had written."""
        self._process.kill()
        return self._process.communicate()[0].split()


@contextmanager
def processes(*commands: tuple[str, ...]) -> Iterator[list[Process]]:
    """Processes that are told to go at the same moment, and none left behind."""
    started = [Process(*command) for command in commands]
    try:
        for process in started:
            assert process.line() == "ready"
        for process in started:
            process.go()
        yield started
    finally:
        for process in started:
            process.kill()


def metric(run: str, turn: int) -> Event:
    return Event(run=run, time=NOW, type="step.metric", step="a", data={"name": "loss", "value": turn})


def test_a_new_database_is_opened_by_many_at_once(empty_url: str) -> None:
    at_once = threading.Barrier(4)

    def open_() -> None:
        at_once.wait()
        open_store(empty_url).close()

    with processes(*[("open", empty_url)] * 2) as opened, ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(open_) for _ in range(4)]:
            future.result()
        for process in opened:
            assert process.lines() in (["migrated"], ["current"])
    with processes(("open", empty_url)) as [late]:
        assert late.lines() == ["current"]  # and without the time that importing alembic takes
    store = open_store(empty_url)
    assert store.last_seq() == 0
    store.close()


def test_each_run_is_claimed_once(store: SqlRunStore, store_url: str, new_run: NewRun) -> None:
    runs = {store.create_run(new_run, NOW).id for _ in range(60)}

    def claim(owner: str) -> list[str]:
        mine = []
        while lease := store.claim(owner, datetime.now(UTC), 3600):
            mine.append(lease.run)
        return mine

    with processes(("claim", store_url, "p1"), ("claim", store_url, "p2")) as others, ThreadPoolExecutor(3) as pool:
        here = list(pool.map(claim, ["t1", "t2", "t3"]))
        there = [process.lines() for process in others]
    assert Counter(run for claimed in here + there for run in claimed) == Counter(runs)


def test_a_certain_run_is_claimed_by_one(store: SqlRunStore, new_run: NewRun) -> None:
    for _ in range(10):
        run = store.create_run(new_run, NOW).id
        at_once = threading.Barrier(4)

        def claim(owner: str, run: str = run, at_once: threading.Barrier = at_once) -> bool:
            at_once.wait()
            return store.claim(owner, NOW, 60, run) is not None

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(claim, "abcd")) == [False, False, False, True]


def test_numbers_are_given_once_and_without_gaps(store: SqlRunStore, new_run: NewRun) -> None:
    def create(number: int) -> int:
        return store.create_run(new_run, NOW).number

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(create, range(40))) == list(range(1, 41))
    assert [event.seq for event in store.events()] == list(range(1, 41))


def test_a_version_is_released_by_one(store: SqlRunStore, new_run: NewRun) -> None:
    files = {f"{n}.ipynb": b"%d" % n for n in range(30)}
    contents = {hashlib.sha256(content).hexdigest(): content for content in files.values()}
    digests = dict(zip(files, contents, strict=True))

    def release(number: int) -> bool:
        at_once.wait()
        mine = dict(list(digests.items())[:: 1 if number % 2 else -1])
        try:
            store.add_release(
                Release(
                    name="churn",
                    version=f"1.{number % 2}.0",
                    created=NOW,
                    digest=digest(new_run.workflow, mine),
                    path="churn.mlwf",
                    workflow=new_run.workflow,
                    files=mine,
                ),
                contents,
            )
        except Conflict:
            return False
        return True

    at_once = threading.Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(release, range(6))) == 2
    assert [row.version for row in store.list_releases()] == ["1.1.0", "1.0.0"]
    assert {sha: store.get_blob(sha) for sha in contents} == contents


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time anyway
def test_a_run_is_not_taken_over_amid_an_append(store: SqlRunStore, store_url: str, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW).id
    lease = store.claim("old", NOW, 60)
    assert lease is not None
    late = NOW + timedelta(hours=1)
    engine = create_engine(store_url)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as pool, engine.connect() as watcher:
        watcher = watcher.execution_options(isolation_level="AUTOCOMMIT")
        with engine.begin() as blocker:
            blocker.execute(text("UPDATE counters SET events = events"))
            appended = pool.submit(store.append, lease, [metric(run, 1)])
            while not watcher.scalar(waiting):
                assert not appended.done()
            assert store.claim("new", late, 60) is None
        assert [event.seq for event in appended.result()] == [2]
    engine.dispose()
    assert store.claim("new", late, 60) is not None


TURNS = 60


def test_who_tails_the_log_misses_nothing(store: SqlRunStore, store_url: str, new_run: NewRun) -> None:
    runs = [store.create_run(new_run, NOW).id for _ in range(4)]
    mine = [store.claim("here", NOW, 10**9, run) for run in runs[2:]]

    def append(index: int) -> None:
        lease = mine[index]
        assert lease is not None
        for turn in range(TURNS):
            store.append(lease, [metric(lease.run, turn)] * (1 + turn % 3))

    seen: list[Event] = []

    def tail() -> bool:
        page = store.events(after=len(seen), limit=7)
        assert [event.seq for event in page] == list(range(len(seen) + 1, len(seen) + 1 + len(page)))
        seen.extend(page)
        return bool(page)

    there = [("append", store_url, str(TURNS))] * 2
    with processes(*there) as others, ThreadPoolExecutor(2 + len(others)) as pool:
        tasks = [pool.submit(append, 0), pool.submit(append, 1)]
        ends = [pool.submit(process.lines) for process in others]
        while not (all(task.done() for task in tasks) and all(end.done() for end in ends)):
            tail()
        for task in tasks:
            task.result()
        for end in ends:
            assert len(end.result()) == TURNS
    while tail():
        pass
    assert len(seen) == store.last_seq() == 4 + 2 * TURNS * 2 + 2 * (TURNS + TURNS // 2)
    for run in runs:
        assert store.get_run(run) == fold(event for event in seen if event.run == run)


def test_a_run_is_read_as_it_was_at_one_moment(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW).id
    lease = store.claim("w", NOW, 60)
    assert lease is not None
    over = threading.Event()

    def read() -> int:
        distinct: set[int] = set()
        while not over.is_set():
            found = store.get_run(run)
            assert found == fold(event for event in store.events(run=run) if event.seq <= found.seq)
            distinct.add(found.seq)
        return len(distinct)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for turn in range(150):
                store.append(lease, [metric(run, turn), metric(run, -turn)])
        finally:
            over.set()
        assert all(reader.result() > 1 for reader in readers)


@pytest.mark.parametrize("after", [1, 20])
def test_what_was_appended_survives_a_kill(store: SqlRunStore, store_url: str, new_run: NewRun, after: int) -> None:
    run = store.create_run(new_run, NOW).id
    with processes(("append", store_url, "1000000")) as [process]:
        said = [process.line() for _ in range(after)]
        said += process.kill()[:-1]  # the last line may be cut short
    log = store.events(limit=10**6)
    assert set(map(int, said)) <= {event.seq for event in log}
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert store.get_run(run) == fold(log)


def test_a_worker_and_requests_do_not_block_each_other(store: SqlRunStore, new_run: NewRun) -> None:
    runs = [store.create_run(new_run, NOW).id for _ in range(3)]
    leases = [store.claim("w", NOW, 60, run) for run in runs]

    def work(index: int) -> None:
        lease = leases[index]
        assert lease is not None
        for turn in range(30):
            handled = [pending.id for pending in store.requests([lease.run])]
            store.append(lease, [metric(lease.run, turn)], handled)
            store.renew(lease, NOW, 60)

    def meddle(_: int) -> None:
        for run in runs * 10:
            store.request(run, Request(kind="stop"))
            store.create_run(new_run, NOW)

    actions: list[Callable[[int], None]] = [work, work, work, meddle]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(action, index) for index, action in enumerate(actions)]:
            future.result()
    assert store.last_seq() == 3 + 90 + 30


def test_a_run_is_opened_again_by_one(store: SqlRunStore, new_run: NewRun) -> None:
    run = store.create_run(new_run, NOW)
    lease = store.claim("w", NOW, 60)
    assert lease is not None
    store.append(lease, [Event(run=run.id, time=NOW, type="run.finished", data={"state": "stopped"})])
    at_once = threading.Barrier(4)

    def reopen(_: int) -> bool:
        at_once.wait()
        try:
            store.reopen(run.id, [Event(run=run.id, time=NOW, type="run.retried")])
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(reopen, range(4))) == 1
