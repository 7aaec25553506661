"""Runs and their events as rows: written together, read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, func, insert, select, update

from ..core.cache import Earlier, key
from ..core.fold import apply
from ..core.record import RunSummary
from ..core.run import Event, Parent, Run, StepRun, index_of, loop_of
from . import tables

#: What of a step run has a column of its own; `data` holds the rest.
_STEP_COLUMNS = {"state", "reason", "started", "finished"}
#: Older SQLite takes at most 999 values in a statement.
_MOST_NAMED = 500

_SUCCEEDED = select(tables.step_runs, tables.runs.c.number).join(
    tables.runs, tables.runs.c.id == tables.step_runs.c.run
)


def append(connection: Connection, row: RowMapping, events: Sequence[Event]) -> list[Event]:
    """Append events to a run whose row is locked, and bring its rows up to date; they come back with their numbers."""
    if foreign := {event.run for event in events} - {row["id"]}:
        raise ValueError(f"events of {foreign} for {row['id']}")
    if not events:
        return []
    connection.execute(update(tables.counters).values(events=tables.counters.c.events + len(events)))
    last = connection.execute(select(tables.counters.c.events)).scalar_one()
    numbered = [event.model_copy(update={"seq": seq}) for seq, event in enumerate(events, start=last - len(events) + 1)]
    before = _part(connection, row, events)
    run = apply(before, *numbered)
    if turns := [name for name in run.steps if name not in before.steps]:
        connection.execute(insert(tables.step_runs), [step_row(run, name) for name in turns])
    connection.execute(insert(tables.events), [dict(event) for event in numbered])
    connection.execute(update(tables.runs).where(tables.runs.c.id == run.id).values(run_columns(run)))
    if run.ended:  # what was asked of it too late must not be heard when it is opened again
        connection.execute(delete(tables.requests).where(tables.requests.c.run == run.id))
    if run.steps:
        connection.execute(
            update(tables.step_runs).where(
                tables.step_runs.c.run == bindparam("of_run"), tables.step_runs.c.step == bindparam("of_step")
            ),
            [{"of_run": run.id, "of_step": name, **step_columns(step)} for name, step in run.steps.items()],
        )
    return numbered


def _part(connection: Connection, row: RowMapping, events: Sequence[Event]) -> Run:
    """As much of a run as `apply` looks at for these events: an append costs the same in a run of any size."""
    steps = {event.step for event in events if event.step}
    loops = {event.step for event in events if event.step and event.type == "step.expanded"}
    query = select(tables.step_runs).where(tables.step_runs.c.run == row["id"])
    if len(steps) <= _MOST_NAMED and not loops:
        query = query.where(tables.step_runs.c.step.in_(steps))
    loaded = load_steps(connection, query)
    steps |= {name for name in loaded if loop_of(name) in loops}
    if missing := steps - loaded.keys():
        raise ValueError(f"run {row['id']} has no steps {sorted(missing)}")
    return Run.model_construct(
        id=row["id"],
        state=row["state"],
        paused=row["paused"],
        parameters=row["parameters"],
        started=row["started"],
        finished=row["finished"],
        seq=row["seq"],
        steps={name: loaded[name] for name in steps},
    )


def load_steps(connection: Connection, query: Select[Any]) -> dict[str, StepRun]:
    """Step runs by name."""
    return {row["step"]: _step(row) for row in connection.execute(query).mappings()}


def _step(row: RowMapping) -> StepRun:
    return StepRun.model_validate(row["data"] | {name: row[name] for name in _STEP_COLUMNS})


def run_columns(run: Run) -> dict[str, Any]:
    """What of a run changes, by column."""
    names = ("state", "paused", "parameters", "started", "finished", "seq")
    return {name: getattr(run, name) for name in names}


def parent_columns(parent: Parent | None) -> dict[str, Any]:
    """The step that a run is executed for, by column."""
    return {f"parent_{name}": parent and getattr(parent, name) for name in Parent.model_fields}


def step_columns(step: StepRun) -> dict[str, Any]:
    """A step run, by column."""
    data = step.model_dump(mode="json", exclude=_STEP_COLUMNS, exclude_defaults=True)
    reusable = step.state == "succeeded" and step.fingerprint
    return {name: getattr(step, name) for name in _STEP_COLUMNS} | {
        "data": data,
        "cache_key": key(step.fingerprint) if reusable else None,
    }


def results(connection: Connection, keys: list[str]) -> dict[str, Earlier]:
    """The newest step that succeeded, by the key of its fingerprint."""
    found: dict[str, Earlier] = {}
    for at in range(0, len(keys), _MOST_NAMED):
        newest = (
            select(tables.step_runs.c.cache_key, func.max(tables.runs.c.number).label("number"))
            .join(tables.runs, tables.runs.c.id == tables.step_runs.c.run)
            .where(tables.step_runs.c.cache_key.in_(keys[at : at + _MOST_NAMED]))
            .group_by(tables.step_runs.c.cache_key)
            .subquery()
        )
        query = _SUCCEEDED.join(
            newest,
            (newest.c.number == tables.runs.c.number) & (newest.c.cache_key == tables.step_runs.c.cache_key),
        )
        found |= {row["cache_key"]: _earlier(row) for row in connection.execute(query).mappings()}
    return found


def last_result(connection: Connection, path: str, step: str) -> Earlier | None:
    """The newest success of a step of a document."""
    query = (
        _SUCCEEDED.where(
            tables.runs.c.path == path, tables.step_runs.c.step == step, tables.step_runs.c.cache_key.is_not(None)
        )
        .order_by(tables.runs.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _earlier(row)


def _earlier(row: RowMapping) -> Earlier:
    step = _step(row)
    source = step.as_source(row["run"], row["number"])
    assert source  # it succeeded
    return Earlier(source, step)


def in_order(run: Run, steps: dict[str, StepRun]) -> dict[str, StepRun]:
    """Step runs in the order of the document, the turns of a loop behind it."""
    turns: dict[str, list[str]] = {}
    for name in sorted(steps.keys() - run.steps.keys(), key=lambda name: index_of(name) or 0):
        turns.setdefault(loop_of(name), []).append(name)
    return {each: steps[each] for name in run.steps for each in (name, *turns.get(name, ()))}


def step_row(run: Run, name: str) -> dict[str, Any]:
    """The row of a new step run."""
    return {"run": run.id, "step": name, **step_columns(run.steps[name])}


def event(row: RowMapping) -> Event:
    """The event of a row."""
    return Event.model_validate(dict(row))


def summary(row: RowMapping) -> RunSummary:
    """The summary of a row."""
    started, finished = row["started"], row["finished"]
    seconds = (finished - started).total_seconds() if started and finished else None
    return RunSummary(**row, seconds=seconds)
