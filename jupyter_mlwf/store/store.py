"""`RunStore` on SQLAlchemy."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from ..core import codec
from ..core.cache import Earlier
from ..core.errors import Conflict, NotFound
from ..core.fold import create
from ..core.record import RunSummary
from ..core.release import Release, ReleaseSummary
from ..core.run import Event, Parent, Run
from ..ports import Lease, NewRun, Pending, Request, StaleLease
from . import blobs, releases, rows, tables
from .database import Database

#: Base 32 without the letters that are taken for digits (Crockford).
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN_ID = re.compile(rf"r[{_DIGITS}]{{19}}")
_RUN_NUMBER = re.compile(r"[0-9]{1,18}")

_SUMMARY = [tables.runs.c[name] for name in RunSummary.model_fields if name in tables.runs.c]


def open_store(url: str) -> SqlRunStore:
    """Open a store, made or upgraded as needed.

    Args:
        url: `sqlite:///FILE` (its folder is made if it is missing) or `postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`.

    Raises:
        StoreError: it cannot be reached, is damaged, or was written by a newer version.
    """
    return SqlRunStore(Database(url))


class SqlRunStore:
    """Runs, their events and the releases in a database. `ports.RunStore` says what each method does.

    Every method may raise `StoreError`; nothing was written then.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_run(self, new: NewRun, now: datetime) -> Run:
        """Append `run.created` and keep the blobs; the run is queued until a worker claims it.

        Raises:
            BadRequest: a content is missing or is not what its digest says.
        """
        if new.parent and (existing := self._child(new.parent)):
            return self.get_run(existing)
        with self._database.write() as connection:
            blobs.keep(connection, new.origin.files, new.blobs)
            connection.execute(
                update(tables.counters).values(events=tables.counters.c.events + 1, runs=tables.counters.c.runs + 1)
            )
            seq, number = connection.execute(select(tables.counters.c.events, tables.counters.c.runs)).one()
            data: dict[str, JsonValue] = {
                "workflow": codec.to_json(new.workflow),
                "origin": new.origin.model_dump(mode="json"),
                "parameters": new.parameters,
                "number": number,
                "cache": new.cache,
            }
            if new.parent:
                data["parent"] = new.parent.model_dump()
            if new.selection:
                data["steps"] = list(new.selection.steps)
                data["given"] = {name: step.model_dump(mode="json") for name, step in new.selection.given.items()}
            event = Event(seq=seq, run=_new_id(now), time=now, type="run.created", data=data)
            run = create(event)
            connection.execute(
                insert(tables.runs),
                {
                    "id": run.id,
                    "number": number,
                    "workflow": run.workflow.name,
                    "title": run.workflow.title,
                    "path": run.origin.path,
                    "release": run.origin.release,
                    "created": run.created,
                    **rows.parent_columns(run.parent),
                    **rows.run_columns(run),
                },
            )
            if run.steps:
                connection.execute(
                    insert(tables.step_runs),
                    [rows.step_row(run, name) for name in run.steps],
                )
            connection.execute(insert(tables.events), dict(event))
        return run

    def _child(self, parent: Parent) -> str | None:
        columns = rows.parent_columns(parent).items()
        query = select(tables.runs.c.id).where(*(tables.runs.c[name] == value for name, value in columns))
        with self._database.read() as connection:
            return connection.scalar(query)

    def get_run(self, run: str) -> Run:
        """A run by id, or by number written as `42`.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            row = connection.execute(select(tables.runs).where(_named(run))).mappings().one_or_none()
            if row is None:
                raise _no_run(run)
            first = select(tables.events).where(tables.events.c.run == row["id"]).order_by(tables.events.c.seq).limit(1)
            found = create(rows.event(connection.execute(first).mappings().one()))
            steps = rows.load_steps(connection, select(tables.step_runs).where(tables.step_runs.c.run == row["id"]))
        return found.model_copy(
            update={
                "state": row["state"],
                "paused": row["paused"],
                "parameters": row["parameters"],
                "started": row["started"],
                "finished": row["finished"],
                "seq": row["seq"],
                "steps": rows.in_order(found, steps),
            }
        )

    def list_runs(
        self, *, workflow: str | None = None, path: str | None = None, limit: int = 50, before: int | None = None
    ) -> list[RunSummary]:
        """Rows of runs, the newest first; `before` is the number that the last page ended with."""
        query = select(*_SUMMARY).order_by(tables.runs.c.number.desc()).limit(limit)
        # A run that a step of another one waits for is told there.
        query = query.where(tables.runs.c.parent_run.is_(None))
        if workflow is not None:
            query = query.where(tables.runs.c.workflow == workflow)
        if path is not None:
            query = query.where(tables.runs.c.path == path)
        if before is not None:
            query = query.where(tables.runs.c.number < before)
        with self._database.read() as connection:
            return [rows.summary(row) for row in connection.execute(query).mappings()]

    def events(self, after: int = 0, *, run: str | None = None, limit: int = 1000) -> list[Event]:
        """Events with a sequence number above `after`, in order."""
        query = select(tables.events).where(tables.events.c.seq > after).order_by(tables.events.c.seq).limit(limit)
        if run is not None:
            query = query.where(tables.events.c.run == run)
        with self._database.read() as connection:
            return [rows.event(row) for row in connection.execute(query).mappings()]

    def last_seq(self) -> int:
        """Sequence number of the newest event; 0 if there is none."""
        with self._database.read() as connection:
            return int(connection.execute(select(tables.counters.c.events)).scalar_one())

    def claim(self, owner: str, now: datetime, seconds: float, run: str | None = None) -> Lease | None:
        """Take the oldest run that has not ended and that nobody holds, or `run` if it is one; None if none is."""
        # Of the oldest, workers that come at once take different ones; a certain one is waited for.
        query = (
            select(tables.runs.c.id, tables.runs.c.lease_token)
            .where(*_claimable(now))
            .order_by(tables.runs.c.number)
            .limit(1)
            .with_for_update(skip_locked=run is None)
        )
        if run is not None:
            query = query.where(tables.runs.c.id == run)
        with self._database.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            lease = Lease(row.id, owner, row.lease_token + 1)
            connection.execute(
                update(tables.runs)
                .where(tables.runs.c.id == lease.run)
                .values(lease_owner=owner, lease_token=lease.token, lease_until=now + timedelta(seconds=seconds))
            )
        return lease

    def claimable(self, now: datetime) -> bool:
        """Whether `claim` would find a run."""
        with self._database.read() as connection:
            return connection.execute(select(tables.runs.c.id).where(*_claimable(now)).limit(1)).first() is not None

    def renew(self, lease: Lease, now: datetime, seconds: float) -> None:
        """Hold a run for some more seconds.

        Raises:
            StaleLease: somebody else holds it.
        """
        with self._database.write() as connection:
            held = connection.execute(
                update(tables.runs).where(*_held(lease)).values(lease_until=now + timedelta(seconds=seconds))
            )
            if held.rowcount == 0:
                raise _stale(lease)

    def give_back(self, lease: Lease) -> None:
        """Let a run go, so that it can be claimed at once. Does nothing if somebody else holds it."""
        with self._database.write() as connection:
            connection.execute(update(tables.runs).where(*_held(lease)).values(lease_owner=None, lease_until=None))

    def append(self, lease: Lease, events: Sequence[Event], handled: Sequence[int] = ()) -> list[Event]:
        """Append events to a run and update its rows; the events come back with their sequence numbers.

        The requests `handled` are what the events answer; they are not told again.

        Raises:
            StaleLease: somebody else holds the run; nothing was written.
        """
        with self._database.write() as connection:
            # PostgreSQL locks the row, so that nobody takes the run over before the events are there.
            row = (
                connection.execute(select(tables.runs).where(*_held(lease)).with_for_update()).mappings().one_or_none()
            )
            if row is None:
                raise _stale(lease)
            if handled:
                connection.execute(delete(tables.requests).where(tables.requests.c.id.in_(handled)))
            return rows.append(connection, row, events)

    def reopen(self, run: str, events: Sequence[Event]) -> list[Event]:
        """Append events to a run that has ended, so that it goes on; it can then be claimed.

        Raises:
            NotFound: there is no such run.
            Conflict: it has not ended; nothing was written.
        """
        with self._database.write() as connection:
            row = (
                connection.execute(select(tables.runs).where(tables.runs.c.id == run).with_for_update())
                .mappings()
                .one_or_none()
            )
            if row is None:
                raise _no_run(run)
            if row["finished"] is None:
                raise Conflict(f"Run {row['number']} has not ended: it goes on by itself.")
            return rows.append(connection, row, events)

    def request(self, run: str, request: Request) -> None:
        """Ask something of whoever holds the run, now or later. A run that has ended does not hear it.

        Raises:
            NotFound: there is no such run.
        """
        open_run = select(tables.runs.c.finished).where(tables.runs.c.id == run).with_for_update()
        with self._database.write() as connection:
            row = connection.execute(open_run).one_or_none()
            if row is None:
                raise _no_run(run)
            if row.finished is None:
                connection.execute(insert(tables.requests), {"run": run, "data": request.model_dump(mode="json")})

    def requests(self, runs: Iterable[str]) -> list[Pending]:
        """What was asked of these runs and is not handled, in the order in which it was asked."""
        query = select(tables.requests).where(tables.requests.c.run.in_(list(runs))).order_by(tables.requests.c.id)
        with self._database.read() as connection:
            return [
                Pending(row["id"], row["run"], Request.model_validate(row["data"]))
                for row in connection.execute(query).mappings()
            ]

    def ended(self, runs: Iterable[str]) -> set[str]:
        """Those of the runs that have ended: a look that costs the same in runs of any size."""
        query = select(tables.runs.c.id).where(tables.runs.c.id.in_(list(runs)), tables.runs.c.finished.is_not(None))
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def waiting(self) -> list[tuple[str, str]]:
        """Run and step of all that waits for people, the oldest run first."""
        query = (
            select(tables.step_runs.c.run, tables.step_runs.c.step)
            .join(tables.runs, tables.runs.c.id == tables.step_runs.c.run)
            .where(tables.step_runs.c.state == "waiting", tables.runs.c.finished.is_(None))
            .order_by(tables.runs.c.number)
        )
        with self._database.read() as connection:
            return [(row.run, row.step) for row in connection.execute(query)]

    def holders(self) -> set[str]:
        """Owners of the leases on runs that have not ended."""
        query = select(tables.runs.c.lease_owner).where(
            tables.runs.c.finished.is_(None), tables.runs.c.lease_owner.is_not(None)
        )
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def forget(self, owner: str) -> None:
        """Let go of all that an owner holds, because it is known to be dead."""
        with self._database.write() as connection:
            connection.execute(
                update(tables.runs).where(tables.runs.c.lease_owner == owner).values(lease_owner=None, lease_until=None)
            )

    def results(self, keys: Iterable[str]) -> dict[str, Earlier]:
        """For each key of a fingerprint (`cache.key`) that there is, the newest step that succeeded with it."""
        with self._database.read() as connection:
            return rows.results(connection, list(set(keys)))

    def last_result(self, path: str, step: str) -> Earlier | None:
        """The newest success, with a fingerprint, of a step of the document that is recorded with this path."""
        with self._database.read() as connection:
            return rows.last_result(connection, path, step)

    def add_release(self, release: Release, blobs: dict[str, bytes]) -> None:
        """Keep a release for ever, with the content of its files by SHA-256.

        Raises:
            BadRequest: a content is missing or is not what its digest says.
            Conflict: that version exists already.
        """
        with self._database.write() as connection:
            releases.add(connection, release, blobs)

    def get_release(self, name: str, version: str | None = None) -> Release:
        """A release; the highest version of the name if none is given.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            return releases.get(connection, name, version)

    def list_releases(self, name: str | None = None) -> list[ReleaseSummary]:
        """Releases, by name and then the highest version first."""
        with self._database.read() as connection:
            return releases.summaries(connection, name)

    def get_blob(self, sha256: str) -> bytes:
        """Content of a released file.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            return blobs.get(connection, sha256)

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()


def _new_id(now: datetime) -> str:
    """20 characters that sort by time and serve as the name of a folder; the first makes it no number."""
    number = int(now.timestamp() * 1000) << 50 | secrets.randbits(50)
    return "r" + "".join(_DIGITS[number >> shift & 31] for shift in range(90, -1, -5))


def _named(run: str) -> ColumnElement[bool]:
    if _RUN_NUMBER.fullmatch(run):
        return tables.runs.c.number == int(run)
    if not _RUN_ID.fullmatch(run):
        raise _no_run(run)
    return tables.runs.c.id == run


def _claimable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(tables.runs.c.lease_owner.is_(None), tables.runs.c.lease_until <= now)
    return tables.runs.c.finished.is_(None), free


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        tables.runs.c.id == lease.run,
        tables.runs.c.lease_token == lease.token,
        tables.runs.c.lease_owner == lease.owner,
    )


def _no_run(run: str) -> NotFound:
    return NotFound(f"There is no run '{run}'.")


def _stale(lease: Lease) -> StaleLease:
    return StaleLease(f"Run {lease.run} is no longer held by {lease.owner}; nothing was written.")
