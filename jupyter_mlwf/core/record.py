"""A run as it is shown: by `jupyter mlwf ... --json` and by the server alike."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import PurePath

from pydantic import BaseModel, Field, JsonValue

from .resolve import Unresolved, value_of
from .run import (
    Answer,
    Artifact,
    Attempt,
    Check,
    Progress,
    Run,
    RunState,
    Source,
    StepRun,
    StepState,
    Waiting,
    index_of,
    loop_of,
)
from .scope import scope_of
from .workflow import FailureReason


class StepRecord(BaseModel):
    """What a step of a run did."""

    title: str | None
    state: StepState
    reason: FailureReason | None
    message: str | None
    cell: int | None
    started: datetime | None
    finished: datetime | None
    not_before: datetime | None = Field(description="When the next attempt may start, after a failure.")
    seconds: float | None = Field(description="Duration of the last attempt; null before it ended.")
    progress: Progress | None
    parameters: dict[str, JsonValue]
    outputs: dict[str, JsonValue]
    artifacts: dict[str, Artifact]
    metrics: dict[str, float | None]
    checks: dict[str, Check]
    attempts: int = Field(description="How many times its notebook was started.")
    history: list[Attempt] = Field(description="The attempts, the first one first.")
    notebook: str | None = Field(
        description="The executed notebook of the last attempt, or of the attempt whose result serves again."
    )
    source: Source | None = Field(description="Of a cached step: the attempt whose result serves again.")
    not_cached: str | None = Field(description="Why no result of an earlier run served, in words.")
    waiting: Waiting | None = Field(description="What it waits for.")
    answer: Answer | None = Field(description="What a person answered last.")
    child: str | None = Field(description="Of a step that runs another workflow: its run.")
    turns: int | None = Field(
        description="Of a loop that has begun: how many turns it has, which are steps `NAME.0` ..."
    )


class RunSummary(BaseModel):
    """One row of a list of runs."""

    id: str
    number: int
    workflow: str
    title: str | None
    path: str = Field(description="The document the run comes from.")
    release: str | None = Field(description="NAME@VERSION, if a release was run.")
    state: RunState
    created: datetime
    started: datetime | None
    finished: datetime | None
    seconds: float | None


class RunRecord(RunSummary):
    """All that is known of a run, without its workflow."""

    seq: int = Field(description="The last event that is in this record: tail from here.")
    parameters: dict[str, JsonValue]
    outputs: dict[str, JsonValue] = Field(description="What the run as a whole resulted in, as far as it is there.")
    steps: dict[str, StepRecord]


def summary(run: Run) -> RunSummary:
    """The row of a run."""
    return RunSummary(
        id=run.id,
        number=run.number,
        workflow=run.workflow.name,
        title=run.workflow.title,
        path=run.origin.path,
        release=run.origin.release,
        state=run.state,
        created=run.created,
        started=run.started,
        finished=run.finished,
        seconds=run.seconds,
    )


def record(run: Run) -> RunRecord:
    """The record of a run."""
    return RunRecord(
        **dict(summary(run)),
        seq=run.seq,
        parameters=run.parameters,
        outputs=outputs(run),
        steps={name: _step(_title(run, name), step) for name, step in run.steps.items() if _is_told(run, name)},
    )


def outputs(run: Run, workspace: PurePath = PurePath()) -> dict[str, JsonValue]:  # noqa: B008  (it never changes)
    """The outputs of a run that are there; paths of artifacts are relative to the workspace, unless it is given."""
    scope = scope_of(run, workspace)
    found = {}
    for name, argument in run.workflow.outputs.items():
        with suppress(Unresolved):
            found[name] = value_of(argument, scope)
    return found


def _title(run: Run, name: str) -> str | None:
    title = run.definition(name).title
    index = index_of(name)
    return title if index is None or title is None else f"{title} {index}"


def _is_told(run: Run, name: str) -> bool:
    """Whether a step is part of the run: turns of an earlier attempt of a loop may be too many."""
    index = index_of(name)
    return index is None or index < len(run.steps[loop_of(name)].items or ())


def _step(title: str | None, step: StepRun) -> StepRecord:
    return StepRecord(
        title=title,
        attempts=len(step.attempts),
        history=step.attempts,
        seconds=step.seconds,
        notebook=step.notebook,
        turns=None if step.items is None else len(step.items),
        **{
            name: getattr(step, name)
            for name in StepRun.model_fields
            if name in StepRecord.model_fields and name != "attempts"
        },
    )
