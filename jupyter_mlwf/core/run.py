"""A run and its events. The state of a run is the fold of its events (`fold`), and nothing else."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .graph import longest_paths, wiring
from .interface import CheckKind
from .workflow import FailureReason, Step, Workflow

RunState = Literal["queued", "running", "waiting", "stopping", "succeeded", "failed", "stopped"]
StepState = Literal["pending", "queued", "running", "waiting", "succeeded", "cached", "skipped", "failed", "stopped"]
EventType = Literal[
    "run.created",
    "run.started",
    "run.paused",
    "run.continued",
    "run.waiting",
    "run.changed",
    "run.stopping",
    "run.finished",
    "run.retried",
    "step.queued",
    "step.started",
    "step.expanded",
    "step.waiting",
    "step.answered",
    "step.progress",
    "step.output",
    "step.artifact",
    "step.metric",
    "step.check",
    "step.succeeded",
    "step.failed",
    "step.stopped",
    "step.skipped",
    "step.lost",
    "step.cached",
    "step.retried",
]

RUN_ENDED: frozenset[RunState] = frozenset({"succeeded", "failed", "stopped"})
STEP_ENDED: frozenset[StepState] = frozenset({"succeeded", "cached", "skipped", "failed", "stopped"})
STEP_GOOD: frozenset[StepState] = frozenset({"succeeded", "cached"})


class RunData(BaseModel):
    """Part of the record of a run."""

    model_config = ConfigDict(extra="forbid")


class Artifact(RunData):
    """A file or folder that a step wrote."""

    path: str = Field(description="Where it is: relative to the workspace, or absolute if outside of it.")
    bytes: int = Field(description="Size, of all files together for a folder.")
    sha256: str | None = Field(
        default=None, description="Digest of the content; null for a folder too large to be compared."
    )
    url: str | None = Field(
        default=None,
        description="Where it is kept, if that is a storage away from this disk: at `path` it is when it is needed.",
    )


class Check(RunData):
    """A value held against bounds by a notebook."""

    value: JsonValue = Field(description="The value; null if it was not a finite number.")
    min: float | None = None
    max: float | None = None
    kind: CheckKind = "data"
    passed: bool
    cause: str | None = Field(default=None, description="What the notebook gives as the cause.")
    samples: list[JsonValue] = Field(default_factory=list, description="Rows that show the problem.")


class Progress(RunData):
    """How far the notebook is: `cell` of `cells` code cells are done."""

    cell: int
    cells: int


class Attempt(RunData):
    """One execution of a step's notebook."""

    number: int
    state: StepState
    reason: FailureReason | None = None
    message: str | None = None
    started: datetime
    finished: datetime | None = None
    notebook: str | None = Field(
        default=None, description="The executed notebook, if it was one: relative to the workspace, or absolute."
    )


class Source(RunData):
    """The attempt of an earlier run whose result serves again."""

    run: str
    number: int = Field(description="The number of that run.")
    attempt: int
    finished: datetime
    seconds: float = Field(description="How long it took.")
    notebook: str | None = Field(
        default=None, description="The executed notebook, if it was one: relative to the workspace, or absolute."
    )


class Waiting(RunData):
    """What a step waits for."""

    what: Literal["person", "label", "parameters", "check"]
    since: datetime
    until: datetime | None = Field(default=None, description="When the default answer is taken.")
    names: list[str] = Field(default_factory=list, description="The parameters of the run that are asked.")


class Answer(RunData):
    """What a person answered."""

    decision: Literal["approve", "reject"] = "approve"
    values: dict[str, JsonValue] = Field(default_factory=dict)
    comment: str | None = None
    by: str | None = Field(default=None, description="Who; null if nobody answered in time.")


class Parent(RunData):
    """The step of another run that a run is executed for."""

    run: str
    step: str
    attempt: int


class StepRun(RunData):
    """A step in a run."""

    state: StepState = "pending"
    reason: FailureReason | None = None
    message: str | None = Field(default=None, description="Why it failed, in words.")
    cell: int | None = Field(default=None, description="Index of the cell that failed, from 0, among all cells.")
    queued: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    not_before: datetime | None = Field(default=None, description="When the next attempt may start, after a failure.")
    progress: Progress | None = None
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: dict[str, JsonValue] = Field(default_factory=dict)
    artifacts: dict[str, Artifact] = Field(default_factory=dict)
    metrics: dict[str, float | None] = Field(default_factory=dict, description="The newest value of each.")
    checks: dict[str, Check] = Field(default_factory=dict)
    attempts: list[Attempt] = Field(default_factory=list)
    source: Source | None = Field(default=None, description="Where the result comes from, if nothing was executed.")
    not_cached: str | None = Field(default=None, description="Why no result of an earlier run served, in words.")
    fingerprint: dict[str, str] = Field(
        default_factory=dict, description="What the result depends on: digests, by what they are of."
    )
    fresh: bool = Field(default=False, description="Whether it is to be executed in any case.")
    items: list[JsonValue] | None = Field(
        default=None, description="Of a loop that has begun: what it loops over. Turn 3 is the step `NAME.3`."
    )
    waiting: Waiting | None = Field(default=None, description="What it waits for, in the state `waiting`.")
    answer: Answer | None = Field(default=None, description="What a person answered last.")
    child: str | None = Field(default=None, description="Of a step that runs a workflow: the id of that run.")
    forgiven: int = Field(
        default=0, description="How many of the attempts no longer count, as somebody asked for the step again."
    )

    @property
    def notebook(self) -> str | None:
        """The executed notebook of the last attempt, or of the attempt whose result serves."""
        if self.source:
            return self.source.notebook
        return self.attempts[-1].notebook if self.attempts else None

    def as_source(self, run: str, number: int) -> Source | None:
        """The last attempt, as where a result comes from; None if there is none that has ended.

        Args:
            run: the id of the run that it belongs to.
            number: the number of that run.
        """
        last = self.attempts[-1] if self.attempts else None
        if last is None or last.finished is None:
            return None
        return Source(
            run=run,
            number=number,
            attempt=last.number,
            finished=last.finished,
            seconds=(last.finished - last.started).total_seconds(),
            notebook=last.notebook,
        )

    @property
    def seconds(self) -> float | None:
        """Duration of the last attempt; None before it ended."""
        if self.state == "cached" or not self.attempts or self.attempts[-1].finished is None:
            return None
        return (self.attempts[-1].finished - self.attempts[-1].started).total_seconds()


class Event(RunData):
    """One change of a run, appended and never altered."""

    seq: int = Field(default=0, description="Position in the log of the whole store, from 1; 0 before it is appended.")
    run: str
    time: datetime
    type: EventType
    step: str | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)


class Origin(RunData):
    """Where the workflow of a run comes from."""

    path: str = Field(
        description="The document: relative to the workspace, or absolute if outside of it. Of a release: where "
        "it was released from."
    )
    release: str | None = Field(default=None, description="NAME@VERSION, if a release is run.")
    files: dict[str, str] = Field(
        default_factory=dict,
        description="The notebooks as they were when the run was created: SHA-256 by the path that the document gives.",
    )
    storage: str | None = Field(
        default=None,
        description="Where its artifacts are kept: a folder, relative to the workspace or absolute, or a URL; null: "
        "with its records.",
    )
    secrets: list[str] = Field(
        default_factory=list, description="References to the secrets of the runs that it is a part of."
    )


class Run(RunData):
    """A run of a workflow."""

    id: str
    number: int = Field(description="Counts the runs of a store, from 1, for people.")
    workflow: Workflow
    origin: Origin
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    cache: bool = Field(default=True, description="Whether results of earlier runs may serve.")
    parent: Parent | None = Field(default=None, description="The step that runs this as a part of another run.")
    state: RunState = "queued"
    paused: bool = Field(default=False, description="Whether nothing is started until somebody says so.")
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    seq: int = Field(default=0, description="Sequence number of the last event that is in this state.")
    steps: dict[str, StepRun]

    @cached_property
    def wiring(self) -> dict[str, list[str]]:
        """What each step waits for, in an order in which steps can run. Copies of the run keep it: it never changes.

        Without the turns of loops, and without steps that are not part of the run.
        """
        whole = wiring(self.workflow)
        return {
            name: [other for other in before if other in self.steps]
            for name, before in whole.items()
            if name in self.steps
        }

    def definition(self, step: str) -> Step:
        """What the document says of a step, or of the turn of a loop."""
        return self.workflow.steps[loop_of(step)]

    def turns(self, loop: str) -> list[str]:
        """The turns of a loop that has begun."""
        return [f"{loop}.{index}" for index in range(len(self.steps[loop].items or []))]

    def results(self, step: str) -> StepRun | list[StepRun]:
        """What a step offers to the ones that follow; of a loop, what each turn does."""
        found = self.steps[step]
        return found if found.items is None else [self.steps[turn] for turn in self.turns(step)]

    @cached_property
    def urgency(self) -> dict[str, int]:
        """How many steps are on the longest path that starts with each step: the critical path goes first."""
        return longest_paths(self.wiring)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in RUN_ENDED

    @property
    def seconds(self) -> float | None:
        """Time from start to end; None before."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


def loop_of(step: str) -> str:
    """The loop that a turn belongs to; the step itself if it is none. Names of steps hold no dot."""
    return step.partition(".")[0]


def index_of(step: str) -> int | None:
    """Which turn of its loop a step is, from 0; None if it is none."""
    _, dot, index = step.partition(".")
    return int(index) if dot else None
