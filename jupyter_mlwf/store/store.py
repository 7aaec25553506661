"""`RunStore` on SQLAlchemy."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, insert, or_, select, update

from ..core import codec
from ..core.errors import NotFound
from ..core.record import RunSummary
from ..core.release import Release, ReleaseSummary
from ..core.run import Event, Run, StepRun, apply, create
from ..ports import Lease, NewRun, StaleLease
from . import blobs, releases, tables
from .database import Database

#: Base 32 without the letters that are taken for digits (Crockford).
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN_ID = re.compile(rf"r[{_DIGITS}]{{19}}")
_RUN_NUMBER = re.compile(r"[0-9]{1,18}")

_SUMMARY = [tables.runs.c[name] for name in RunSummary.model_fields if name in tables.runs.c]
#: What of a step run has a column of its own; `data` holds the rest.
_STEP_COLUMNS = {"state", "reason", "started", "finished"}
#: Older SQLite takes at most 999 values in a statement.
_MOST_NAMED = 500


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
            }
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
                    **_run_columns(run),
                },
            )
            if run.steps:
                connection.execute(
                    insert(tables.step_runs),
                    [{"run": run.id, "step": name, **_step_columns(step)} for name, step in run.steps.items()],
                )
            connection.execute(insert(tables.events), dict(event))
        return run

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
            found = create(_event(connection.execute(first).mappings().one()))
            steps = _load_steps(connection, select(tables.step_runs).where(tables.step_runs.c.run == row["id"]))
        return found.model_copy(
            update={
                "state": row["state"],
                "started": row["started"],
                "finished": row["finished"],
                "seq": row["seq"],
                "steps": {name: steps[name] for name in found.steps},
            }
        )

    def list_runs(
        self, *, workflow: str | None = None, path: str | None = None, limit: int = 50, before: int | None = None
    ) -> list[RunSummary]:
        """Rows of runs, the newest first; `before` is the number that the last page ended with."""
        query = select(*_SUMMARY).order_by(tables.runs.c.number.desc()).limit(limit)
        if workflow is not None:
            query = query.where(tables.runs.c.workflow == workflow)
        if path is not None:
            query = query.where(tables.runs.c.path == path)
        if before is not None:
            query = query.where(tables.runs.c.number < before)
        with self._database.read() as connection:
            return [_summary(row) for row in connection.execute(query).mappings()]

    def events(self, after: int = 0, *, run: str | None = None, limit: int = 1000) -> list[Event]:
        """Events with a sequence number above `after`, in order."""
        query = select(tables.events).where(tables.events.c.seq > after).order_by(tables.events.c.seq).limit(limit)
        if run is not None:
            query = query.where(tables.events.c.run == run)
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query).mappings()]

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

    def append(self, lease: Lease, events: Sequence[Event]) -> list[Event]:
        """Append events to a run and update its rows; the events come back with their sequence numbers.

        Raises:
            StaleLease: somebody else holds the run; nothing was written.
        """
        if foreign := {event.run for event in events} - {lease.run}:
            raise ValueError(f"events of {foreign} under a lease of {lease.run}")
        with self._database.write() as connection:
            # PostgreSQL locks the row, so that nobody takes the run over before the events are there.
            row = (
                connection.execute(select(tables.runs).where(*_held(lease)).with_for_update()).mappings().one_or_none()
            )
            if row is None:
                raise _stale(lease)
            if not events:
                return []
            connection.execute(update(tables.counters).values(events=tables.counters.c.events + len(events)))
            last = connection.execute(select(tables.counters.c.events)).scalar_one()
            numbered = [
                event.model_copy(update={"seq": seq}) for seq, event in enumerate(events, start=last - len(events) + 1)
            ]
            run = apply(_part(connection, row, {event.step for event in events if event.step}), *numbered)
            connection.execute(insert(tables.events), [dict(event) for event in numbered])
            connection.execute(update(tables.runs).where(tables.runs.c.id == run.id).values(_run_columns(run)))
            if run.steps:
                connection.execute(
                    update(tables.step_runs).where(
                        tables.step_runs.c.run == bindparam("of_run"), tables.step_runs.c.step == bindparam("of_step")
                    ),
                    [{"of_run": run.id, "of_step": name, **_step_columns(step)} for name, step in run.steps.items()],
                )
        return numbered

    def request_stop(self, run: str) -> None:
        """Ask whoever holds the run to stop it. A run that has ended stays as it is.

        Raises:
            NotFound: there is no such run.
        """
        with self._database.write() as connection:
            finished = connection.execute(select(tables.runs.c.finished).where(tables.runs.c.id == run)).one_or_none()
            if finished is None:
                raise _no_run(run)
            connection.execute(
                update(tables.runs)
                .where(tables.runs.c.id == run, tables.runs.c.finished.is_(None))
                .values(stop_requested=True)
            )

    def stop_requested(self, runs: Iterable[str]) -> set[str]:
        """Those of the runs that somebody asked to stop."""
        query = select(tables.runs.c.id).where(tables.runs.c.id.in_(list(runs)), tables.runs.c.stop_requested)
        with self._database.read() as connection:
            return set(connection.scalars(query))

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


def _part(connection: Connection, row: RowMapping, steps: set[str]) -> Run:
    """As much of a run as `apply` looks at for events of these steps: an append costs the same in a run of any size."""
    query = select(tables.step_runs).where(tables.step_runs.c.run == row["id"])
    if len(steps) <= _MOST_NAMED:
        query = query.where(tables.step_runs.c.step.in_(steps))
    loaded = _load_steps(connection, query)
    if missing := steps - loaded.keys():
        raise ValueError(f"run {row['id']} has no steps {sorted(missing)}")
    return Run.model_construct(
        id=row["id"],
        state=row["state"],
        started=row["started"],
        finished=row["finished"],
        seq=row["seq"],
        steps={name: loaded[name] for name in steps},
    )


def _load_steps(connection: Connection, query: Select[Any]) -> dict[str, StepRun]:
    return {
        row["step"]: StepRun.model_validate(row["data"] | {name: row[name] for name in _STEP_COLUMNS})
        for row in connection.execute(query).mappings()
    }


def _run_columns(run: Run) -> dict[str, Any]:
    return {"state": run.state, "started": run.started, "finished": run.finished, "seq": run.seq}


def _step_columns(step: StepRun) -> dict[str, Any]:
    data = step.model_dump(mode="json", exclude=_STEP_COLUMNS, exclude_defaults=True)
    return {name: getattr(step, name) for name in _STEP_COLUMNS} | {"data": data}


def _event(row: RowMapping) -> Event:
    return Event.model_validate(dict(row))


def _summary(row: RowMapping) -> RunSummary:
    started, finished = row["started"], row["finished"]
    seconds = (finished - started).total_seconds() if started and finished else None
    return RunSummary(**row, seconds=seconds)
